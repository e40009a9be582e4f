//! The driver of the sigmoid losses: one pass gives the loss and the gradient to the logits.
//!
//! The plain version is, for every element: `(ℓ, ℓ′) = formula(x, y, w)`, then `sum += ℓ` and
//! `gradient = ℓ′·factor`, `w` the weight, which the formula multiplies by. Departures: it runs on
//! four registers in step; labels become numbers [`BLOCK`] elements at a time, in the cache; pieces
//! go to several threads. Logits and labels are read once and the gradient is written once, and
//! nothing else of that size exists.

use std::array::from_fn;
use std::sync::Arc;

use macula_autograd::Var;
use macula_tensor::cpu::lanes::{InStep, Lanes, dispatch};
use macula_tensor::cpu::parallel::PIECE;
use macula_tensor::cpu::{Simd, WithSimd};
use macula_tensor::{Error, Float, Result, Tensor};

use crate::checks::on_cpu;
use crate::formula::Elementwise;
use crate::pieces::{Piece, sum_in_pieces};
use crate::reduction::Reduction;

mod elements;
mod targets;

pub(crate) use targets::ElementTargets;

use elements::{BLOCK, Elements};

/// The reduced loss of `formula` over all elements, under the name `op`; targets from `positive` on
/// are positives.
pub(crate) fn sigmoid_loss<T: Float, L: Elementwise<N>, const N: usize>(
    op: &'static str,
    formula: L,
    logits: &Var<T>,
    targets: ElementTargets<T>,
    positive: f64,
    reduction: Reduction,
) -> Result<Var<T>> {
    let targets = Arc::new(targets);
    let logits_value = logits.value().contiguous()?;
    let elements = targets.elements();
    let tally = || elements.tally(op, positive);
    let factor = reduction.factor::<T>(op, || elements.counted(), tally)?;

    let each = reduction == Reduction::None;
    let mut values = each.then(|| blank(logits.shape())).transpose()?;
    let mut gradient = logits
        .has_gradient()
        .then(|| blank(logits.shape()))
        .transpose()?;
    let sum = {
        let values = values.as_mut().map(Tensor::make_mut).transpose()?;
        let gradient = gradient.as_mut().map(Tensor::make_mut).transpose()?;
        let logits = logits_value.as_slice().ok_or_else(|| on_cpu(op, logits))?;
        let pass = |piece: Piece<'_, T>| {
            dispatch(Pass {
                formula,
                targets: &elements,
                factor: T::from_f64(factor),
                logits: &logits[piece.first_row..][..piece.rows],
                piece,
            })
        };
        let sum = sum_in_pieces(logits.len(), PIECE, 1, values, gradient, pass);
        sum.ok_or_else(|| elements.first_bad(op))?
    };
    let value = match values {
        Some(values) => values,
        None => Tensor::scalar(T::from_f64(sum * factor)),
    };
    let of_twin = Arc::clone(&targets);
    let composed = move |[logits]: [&Var<T>; 1]| {
        let numbers = of_twin.unpacked(op, logits.shape())?;
        let [y, w, setting] = numbers.map(|number| logits.tape().constant(number));
        let inputs = [logits, &y, &w, &setting];
        let losses = Var::pointwise(formula, from_fn(|input| inputs[input]))?;
        match each {
            true => Ok(losses),
            false => losses.sum(..)?.mul_scalar(factor),
        }
    };
    let found = gradient.as_slice();
    let loss = Var::fused(op, [logits], value, found, composed, |upstream, found| {
        let times = |gradient| upstream.times(gradient);
        Ok([found.first().map(times).transpose()?])
    })?;
    Ok(targets.held_by(loss))
}

/// A tensor to be written: its elements are arbitrary.
fn blank<T: Float>(shape: &[usize]) -> Result<Tensor<T>> {
    Tensor::write(shape, |_| Ok(()))
}

/// # Errors
/// Targets must have the shape of the logits, or lack a last axis of size 1: logits `[N, 1]` go with
/// labels `[N]`. They are never broadcast.
pub(crate) fn check_shapes(op: &'static str, logits: &[usize], targets: &[usize]) -> Result<()> {
    let column = matches!(logits.split_last(), Some((1, rest)) if rest == targets);
    if logits == targets || column {
        return Ok(());
    }
    Err(Error::Shape {
        op,
        expected: format!("targets of the logits' shape {logits:?}"),
        found: targets.into(),
    })
}

struct Pass<'a, L, T, const N: usize> {
    formula: L,
    targets: &'a Elements<'a, T>,
    factor: T,
    logits: &'a [T],
    piece: Piece<'a, T>,
}

impl<L: Elementwise<N>, T: Float, const N: usize> WithSimd for Pass<'_, L, T, N> {
    /// The sum of the losses; none where a target is no target.
    type Output = Option<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Option<f64> {
        let mut piece = self.piece;
        let factor = Lanes::splat(simd, InStep(self.factor));
        let mut scratch = Scratch::new();
        let mut total = 0.0;
        for (index, logits) in self.logits.chunks(BLOCK).enumerate() {
            let count = logits.len();
            let range = index * BLOCK..index * BLOCK + count;
            let start = piece.first_row + range.start;
            let (y, w) = (&mut scratch.targets[..count], &mut scratch.weights[..count]);
            if !self.targets.unpack(start, y, w) {
                return None;
            }
            self.targets
                .unpack_settings(start, &mut scratch.settings[..count]);
            // The last block need not fill its last four registers, and then lies in the scratch.
            // What fills them up weighs nothing; where targets mix, both numbers are weights.
            let whole = count.is_multiple_of(InStep::<T>::width::<S>());
            let logits = if whole {
                logits
            } else {
                scratch.targets[count..].fill(T::ZERO);
                scratch.weights[count..].fill(T::ZERO);
                scratch.logits[..count].copy_from_slice(logits);
                &scratch.logits[..count.next_multiple_of(InStep::<T>::width::<S>())]
            };
            let gradient = match &mut piece.gradient {
                Some(gradient) if whole => &mut gradient[range.clone()],
                _ => &mut scratch.gradient[..logits.len()],
            };
            let sum = block(
                simd,
                self.formula,
                factor,
                [logits, &scratch.targets, &scratch.settings],
                &mut scratch.weights,
                gradient,
            );
            total += sum.to_f64();
            if let Some(values) = &mut piece.values {
                values[range.clone()].copy_from_slice(&scratch.weights[..count]);
            }
            if let (Some(gradient), false) = (&mut piece.gradient, whole) {
                gradient[range].copy_from_slice(&scratch.gradient[..count]);
            }
        }
        Some(total)
    }
}

/// A block on its way. It begins with a cache line, so that no register lies in two of them.
#[repr(align(64))]
struct Scratch<T> {
    targets: [T; BLOCK],
    /// Weights, then the losses.
    weights: [T; BLOCK],
    /// Settings of the formula, if it has any.
    settings: [T; BLOCK],
    /// For a block that does not fill its last four registers.
    logits: [T; BLOCK],
    /// For such a block, or where no gradient is wanted.
    gradient: [T; BLOCK],
}

impl<T: Float> Scratch<T> {
    fn new() -> Self {
        Self {
            targets: [T::ZERO; BLOCK],
            weights: [T::ZERO; BLOCK],
            settings: [T::ZERO; BLOCK],
            logits: [T::ZERO; BLOCK],
            gradient: [T::ZERO; BLOCK],
        }
    }
}

/// The sum of the losses of whole fours of registers, which are left in place of the weights, and
/// `factor` times their slopes in `gradient`.
///
/// No closure here computes: what a closure does is compiled for the oldest processor.
#[inline(always)]
fn block<S: Simd, T: Float, L: Elementwise<N>, const N: usize>(
    simd: S,
    formula: L,
    factor: Lanes<S, InStep<T>>,
    [x, y, settings]: [&[T]; 3],
    w: &mut [T],
    gradient: &mut [T],
) -> T {
    let (x, _) = InStep::split::<S>(x);
    let y = &InStep::split::<S>(y).0[..x.len()];
    let settings = &InStep::split::<S>(settings).0[..x.len()];
    let w = &mut InStep::split_mut::<S>(w).0[..x.len()];
    let gradient = &mut InStep::split_mut::<S>(gradient).0[..x.len()];
    let mut sum = Lanes::splat(simd, InStep(T::ZERO));
    for i in 0..x.len() {
        let numbers = [x[i], y[i], w[i], settings[i]];
        let inputs = from_fn(|input| Lanes::new(simd, numbers[input]));
        let (value, slope) = formula.value_and_slope(inputs);
        sum = sum + value;
        w[i] = value.vector;
        gradient[i] = (slope * factor).vector;
    }
    sum.sum_of_registers().sum()
}
