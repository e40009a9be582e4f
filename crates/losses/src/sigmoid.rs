//! The driver of the sigmoid losses: one pass gives the loss and the gradient to the logits.
//!
//! The plain version is, for every element: `(ℓ, ℓ′) = formula(x, y, w)`, then `sum += ℓ` and
//! `gradient = ℓ′·factor`, `w` the weight, which the formula multiplies by. Departures: it runs on
//! registers; labels become numbers [`BLOCK`] elements at a time, in the cache; pieces go to several
//! threads. Logits and labels are read once and the gradient is written once, and nothing else of
//! that size exists.

use macula_autograd::Var;
use macula_tensor::cpu::lanes::{Lanes, dispatch};
use macula_tensor::cpu::parallel::{PIECE, map_pieces};
use macula_tensor::cpu::{Simd, WithSimd};
use macula_tensor::{Error, Float, Result, Tensor};

use crate::formula::Elementwise;
use crate::reduction::Reduction;
use crate::targets::{BLOCK, ElementTargets, Slices, on_cpu};

/// The reduced loss of `formula` over all elements; targets from `positive` on are positives.
///
/// # Shapes
/// Targets have the shape of the logits, or lack a last axis of size 1: logits `[N, 1]` go with
/// labels `[N]`. They are never broadcast.
pub(crate) fn sigmoid_loss<T: Float, L: Elementwise>(
    formula: L,
    logits: &Var<T>,
    targets: ElementTargets<T>,
    positive: f64,
    reduction: Reduction,
) -> Result<Var<T>> {
    check_shapes(L::NAME, logits.shape(), targets.shape())?;
    let logits_value = logits.value().contiguous()?;
    let slices = targets.slices();
    let tally = || slices.tally(L::NAME, positive);
    let factor = reduction.factor(L::NAME, || slices.counted(), tally)?;

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
        sum_in_pieces(formula, logits, &slices, factor, values, gradient)?
    };
    let value = match values {
        Some(values) => values,
        None => Tensor::scalar(T::from_f64(sum * factor)),
    };
    let composed = move |[logits]: [&Var<T>; 1]| {
        let [y, w] = targets.unpacked(L::NAME, logits.shape())?;
        let (y, w) = (logits.tape().constant(y), logits.tape().constant(w));
        let losses = Var::pointwise(formula, [logits, &y, &w])?;
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
fn sum_in_pieces<T: Float, L: Elementwise>(
    formula: L,
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
    formula: L,
    targets: &'a Slices<'a, T>,
    factor: T,
    piece: Piece<'a, T>,
}

impl<L: Elementwise, T: Float> WithSimd for Pass<'_, L, T> {
    /// The sum of the losses; none where a target is no target.
    type Output = Option<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Option<f64> {
        let mut piece = self.piece;
        let factor = Lanes::splat(simd, self.factor);
        let (mut y, mut w) = ([T::ZERO; BLOCK], [T::ZERO; BLOCK]);
        let mut total = 0.0;
        for (index, logits) in piece.logits.chunks(BLOCK).enumerate() {
            let first = index * BLOCK;
            let range = first..first + logits.len();
            let (y, w) = (&mut y[..logits.len()], &mut w[..logits.len()]);
            if !self.targets.unpack(piece.start + first, y, w) {
                return None;
            }
            // Where no values are wanted they go over the weights, which have been read by then.
            let gradient = piece.gradient.as_mut().map(|g| &mut g[range.clone()]);
            let sum = match (&mut piece.values, gradient) {
                (None, None) => block(simd, self.formula, factor, logits, y, w, None),
                (None, Some(g)) => block(simd, self.formula, factor, logits, y, w, Some(g)),
                (Some(values), gradient) => {
                    let sum = block(simd, self.formula, factor, logits, y, w, gradient);
                    values[range].copy_from_slice(w);
                    sum
                }
            };
            total += sum.to_f64();
        }
        Some(total)
    }
}

/// The sum of the losses of a block, which are left in place of the weights, and `factor` times
/// their slopes in `gradient`.
///
/// There are no closures here: what a closure holds is compiled for the oldest processor.
#[inline(always)]
fn block<S: Simd, T: Float, L: Elementwise>(
    simd: S,
    formula: L,
    factor: Lanes<S, T>,
    x: &[T],
    y: &[T],
    w: &mut [T],
    gradient: Option<&mut [T]>,
) -> T {
    let mut sum = Lanes::splat(simd, T::ZERO);
    let (x, x_rest) = T::split::<S>(x);
    let (y, y_rest) = T::split::<S>(y);
    let (w, w_rest) = T::split_mut::<S>(w);
    let (mut to, mut to_rest) = (None, None);
    if let Some(gradient) = gradient {
        let (vectors, rest) = T::split_mut::<S>(gradient);
        (to, to_rest) = (Some(vectors), Some(rest));
    }
    let (y, w) = (&y[..x.len()], &mut w[..x.len()]);
    match to {
        Some(to) => {
            let to = &mut to[..x.len()];
            for i in 0..x.len() {
                let inputs = [x[i], y[i], w[i]].map(|v| Lanes::new(simd, v));
                let (value, slope) = formula.value_and_slope(inputs);
                sum = sum + value;
                w[i] = value.vector;
                to[i] = (slope * factor).vector;
            }
        }
        None => {
            for i in 0..x.len() {
                let inputs = [x[i], y[i], w[i]].map(|v| Lanes::new(simd, v));
                let (value, _) = formula.value_and_slope(inputs);
                sum = sum + value;
                w[i] = value.vector;
            }
        }
    }
    if !x_rest.is_empty() {
        // Lanes past the end have weight 0 and so add nothing.
        let inputs = [
            Lanes::load_partial(simd, x_rest),
            Lanes::load_partial(simd, y_rest),
            Lanes::load_partial(simd, w_rest),
        ];
        let (value, slope) = formula.value_and_slope(inputs);
        sum = sum + value;
        value.store_partial(w_rest);
        if let Some(rest) = to_rest {
            (slope * factor).store_partial(rest);
        }
    }
    sum.sum()
}
