//! The driver of the sigmoid losses: one pass gives the loss and the gradient to the logits.
//!
//! The plain version is, for every element: `w = weight(y)`, `(ℓ, ℓ′) = formula(x, y)`, then
//! `sum += w·ℓ` and `gradient = w·ℓ′·factor`. Departures: it runs on registers; labels become
//! numbers [`BLOCK`] elements at a time, in the cache; pieces go to several threads. Logits and
//! labels are read once and the gradient is written once, and nothing else of that size exists.

use macula_autograd::Var;
use macula_tensor::cpu::lanes::{Lanes, dispatch};
use macula_tensor::cpu::parallel::{PIECE, map_pieces};
use macula_tensor::cpu::{Simd, WithSimd};
use macula_tensor::{Error, Float, Result, Tensor};

use crate::formula::{ElementLoss, Weighted};
use crate::reduction::Reduction;
use crate::targets::{BLOCK, ElementTargets, Slices};

/// The reduced loss of `formula` over all elements.
///
/// # Shapes
/// Targets have the shape of the logits, or lack a last axis of size 1: logits `[N, 1]` go with
/// labels `[N]`. They are never broadcast.
pub(crate) fn sigmoid_loss<T: Float, L: ElementLoss>(
    formula: L,
    logits: &Var<T>,
    targets: ElementTargets<T>,
    reduction: Reduction,
) -> Result<Var<T>> {
    check_shapes(L::NAME, logits.shape(), targets.shape())?;
    let logits_value = logits.value().contiguous()?;
    let slices = targets.slices(L::NAME)?;
    let factor = reduction.factor(L::NAME, || slices.tally(L::NAME))?;

    let each = reduction == Reduction::None;
    let mut values = each.then(|| blank(logits.shape())).transpose()?;
    let mut gradient = logits
        .has_gradient()
        .then(|| blank(logits.shape()))
        .transpose()?;
    let sum = {
        let values = values.as_mut().map(Tensor::make_mut).transpose()?;
        let gradient = gradient.as_mut().map(Tensor::make_mut).transpose()?;
        let logits = logits_value
            .as_slice()
            .ok_or_else(|| on_cpu(L::NAME, logits))?;
        sum_in_pieces(Weighted(formula), logits, &slices, factor, values, gradient)?
    };
    let value = match values {
        Some(values) => values,
        None => Tensor::scalar(T::from_f64(sum * factor)),
    };
    let composed = move |[logits]: [&Var<T>; 1]| {
        let [y, w] = targets.unpacked(L::NAME, logits.shape())?;
        let (y, w) = (logits.tape().constant(y), logits.tape().constant(w));
        let losses = Var::pointwise(Weighted(formula), [logits, &y, &w])?;
        match each {
            true => Ok(losses),
            false => losses.sum(..)?.mul_scalar(factor),
        }
    };
    Var::fused(L::NAME, [logits], value, composed, move |upstream| {
        Ok([gradient.as_ref().map(|g| upstream.times(g)).transpose()?])
    })
}

/// A tensor to be written: its elements are arbitrary.
fn blank<T: Float>(shape: &[usize]) -> Result<Tensor<T>> {
    Tensor::write(shape, |_| Ok(()))
}

fn on_cpu<T: Float>(op: &'static str, logits: &Var<T>) -> Error {
    Error::Device {
        op,
        device: logits.value().device().to_string(),
        message: "fused losses run on the CPU".into(),
    }
}

fn check_shapes(op: &'static str, logits: &[usize], targets: &[usize]) -> Result<()> {
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

/// A run of elements for one thread, with the parts of the outputs that belong to it.
struct Piece<'a, T> {
    start: usize,
    logits: &'a [T],
    values: Option<&'a mut [T]>,
    gradient: Option<&'a mut [T]>,
}

/// Writes the weighted losses to `values` and `factor` times their slopes to `gradient`, where
/// these are wanted, and returns the sum of the weighted losses.
///
/// # Errors
/// [`Error::Label`] or [`Error::Argument`] for a target that is none.
fn sum_in_pieces<T: Float, L: ElementLoss>(
    formula: Weighted<L>,
    logits: &[T],
    targets: &Slices<'_, T>,
    factor: f64,
    values: Option<&mut [T]>,
    gradient: Option<&mut [T]>,
) -> Result<f64> {
    let mut values = values.map(|values| values.chunks_mut(PIECE));
    let mut gradient = gradient.map(|gradient| gradient.chunks_mut(PIECE));
    let pieces = logits
        .chunks(PIECE)
        .enumerate()
        .map(|(index, logits)| Piece {
            start: index * PIECE,
            logits,
            values: values.as_mut().and_then(Iterator::next),
            gradient: gradient.as_mut().and_then(Iterator::next),
        });
    let sums = map_pieces(pieces, |piece| {
        dispatch(Pass {
            formula,
            targets,
            factor: T::from_f64(factor),
            piece,
        })
    });
    sums.into_iter().try_fold(0.0, |total, sum| match sum {
        Some(sum) => Ok(total + sum),
        None => Err(targets.first_bad(L::NAME)),
    })
}

struct Pass<'a, L, T> {
    formula: Weighted<L>,
    targets: &'a Slices<'a, T>,
    factor: T,
    piece: Piece<'a, T>,
}

impl<L: ElementLoss, T: Float> WithSimd for Pass<'_, L, T> {
    /// The sum of the losses; none where a target is no target.
    type Output = Option<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Option<f64> {
        let Self {
            formula,
            targets,
            factor,
            mut piece,
        } = self;
        let factor = Lanes::splat(simd, factor);
        let zero = Lanes::splat(simd, T::ZERO);
        let width = T::width::<S>();
        let (mut y, mut w) = ([T::ZERO; BLOCK], [T::ZERO; BLOCK]);
        let mut lanes = [T::ZERO; BLOCK];
        let mut total = 0.0;
        for (index, logits) in piece.logits.chunks(BLOCK).enumerate() {
            let count = logits.len();
            let (y, w) = (&mut y[..count], &mut w[..count]);
            if !targets.unpack(piece.start + index * BLOCK, y, w) {
                return None;
            }
            let mut values = piece
                .values
                .as_mut()
                .map(|v| &mut v[index * BLOCK..][..count]);
            let mut gradient = piece
                .gradient
                .as_mut()
                .map(|g| &mut g[index * BLOCK..][..count]);
            let mut sum = zero;
            for start in (0..count).step_by(width) {
                let lanes = start..(start + width).min(count);
                // Lanes past the end have weight 0 and so add nothing.
                let load = |slice: &[T]| Lanes::load_partial(simd, &slice[lanes.clone()]);
                let (value, slope) = formula.value_and_slope([load(logits), load(y), load(w)]);
                sum = sum + value;
                if let Some(values) = &mut values {
                    value.store_partial(&mut values[lanes.clone()]);
                }
                if let Some(gradient) = &mut gradient {
                    (slope * factor).store_partial(&mut gradient[lanes]);
                }
            }
            sum.store_partial(&mut lanes[..width]);
            total += lanes[..width].iter().map(|lane| lane.to_f64()).sum::<f64>();
        }
        Some(total)
    }
}
