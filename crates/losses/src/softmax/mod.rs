//! The driver of the softmax losses: one pass over the rows gives the loss and the gradient to the
//! logits.
//!
//! With `t` the target of a row of logits `z`, and `M` the largest of the *other* logits:
//!
//! ```text
//! e_j = exp(z_j − M)  for j ≠ t        Σ = Σ_j e_j
//! s   = z_t − M − ln Σ                 the margin
//! ∂/∂z_t = w·f′(s)                     ∂/∂z_j = −w·f′(s) · e_j / Σ
//! ```
//!
//! The target takes no part in `M` and `Σ`, so nothing is subtracted from 1. Putting −∞ in its
//! place makes the row uniform. Rows are taken in blocks: the margins of a block meet the formula
//! as registers. Two layouts differ in what a register holds: [`wide`] has many classes of one
//! row, [`narrow`] one class of many rows.

use macula_autograd::Var;
use macula_tensor::cpu::lanes::{Lanes, dispatch};
use macula_tensor::cpu::parallel::{PIECE, map_pieces};
use macula_tensor::cpu::{Simd, WithSimd};
use macula_tensor::{Element, Float, Result, Scalar, Tensor};

use crate::formula::{MarginLoss, OfMargin};
use crate::reduction::Reduction;

mod composed;
mod margins;
mod mixed;
mod narrow;
mod rows;
mod wide;

pub(crate) use margins::class_margins;
pub(crate) use rows::{Labelled, RowOptions, RowTargets};

use mixed::MixedPass;
use rows::Rows;

/// Rows of a block.
const ROWS: usize = 64;
/// Up to this many classes, a register holds one class of many rows.
const NARROW: usize = 12;

/// The reduced loss of `formula` over all rows.
pub(crate) fn softmax_loss<T: Float, L: MarginLoss>(
    formula: L,
    logits: &Var<T>,
    targets: RowTargets<T>,
    reduction: Reduction,
) -> Result<Var<T>> {
    let op = L::NAME;
    let rows = targets.rows();
    let factor = reduction.factor(op, || rows.counted(), || rows.tally(op))?;
    let each = reduction == Reduction::None;
    // The classes of a pixel are one plane apart; the loops want them side by side.
    let by_row = classes_last(logits.value())?.contiguous()?;
    let shape = targets.shape();
    let mut values = each.then(|| Tensor::write(shape, |_| Ok(()))).transpose()?;
    let wanted = logits.has_gradient();
    let mut gradient = wanted
        .then(|| Tensor::write(by_row.shape(), |_| Ok(())))
        .transpose()?;
    let sum = {
        let values = values.as_mut().map(Tensor::make_mut).transpose()?;
        let gradient = gradient.as_mut().map(Tensor::make_mut).transpose()?;
        let by_row = by_row
            .as_slice()
            .ok_or_else(|| crate::targets::on_cpu(op, logits))?;
        sum_in_pieces(formula, by_row, rows, factor, values, gradient)?
    };
    let value = match values {
        Some(values) => values,
        None => Tensor::scalar(T::from_f64(sum * factor)),
    };
    let gradient = gradient
        .map(|gradient| classes_second(&gradient))
        .transpose()?;
    let composed = move |[logits]: [&Var<T>; 1]| {
        let losses = composed::row_losses(formula, logits, &targets)?;
        match each {
            true => Ok(losses),
            false => losses.sum(..)?.mul_scalar(factor),
        }
    };
    Var::fused(op, [logits], value, composed, move |upstream| {
        let Some(gradient) = &gradient else {
            return Ok([None]);
        };
        let upstream = if each {
            upstream.unsqueeze(1)?
        } else {
            upstream.clone()
        };
        Ok([Some(upstream.times(gradient)?)])
    })
}

/// `[N, C, …]` seen as `[N, …, C]`.
fn classes_last<T: Element>(logits: &Tensor<T>) -> Result<Tensor<T>> {
    if logits.rank() == 2 {
        return Ok(logits.clone());
    }
    logits.permute(classes_last_axes(logits.rank()))
}

/// The order of axes that puts the classes, axis 1, last.
pub(crate) fn classes_last_axes(rank: usize) -> Vec<isize> {
    let rank = rank as isize;
    std::iter::once(0).chain(2..rank).chain([1]).collect()
}

/// `[N, …, C]` seen as `[N, C, …]`.
pub(crate) fn classes_second<T: Element>(rows: &Tensor<T>) -> Result<Tensor<T>> {
    if rows.rank() == 2 {
        return Ok(rows.clone());
    }
    let rank = rows.rank() as isize;
    let axes: Vec<isize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
    rows.permute(axes)
}

/// A run of rows for one thread, with the parts of the outputs that belong to it.
struct Piece<'a, T> {
    first_row: usize,
    logits: &'a [T],
    values: Option<&'a mut [T]>,
    gradient: Option<&'a mut [T]>,
}

/// Writes the weighted losses to `values` and `factor` times their gradients to `gradient`, where
/// these are wanted, and returns the sum of the weighted losses.
///
/// # Errors
/// [`Error::Label`] for a label that is no class.
fn sum_in_pieces<T: Float, L: MarginLoss>(
    formula: L,
    logits: &[T],
    rows: Rows<'_, T>,
    factor: f64,
    values: Option<&mut [T]>,
    gradient: Option<&mut [T]>,
) -> Result<f64> {
    let classes = rows.classes();
    if logits.is_empty() {
        return match rows.count {
            0 => Ok(0.0),
            _ => Err(rows.first_bad(L::NAME)),
        };
    }
    // Whole blocks, so that the blocks do not depend on how the rows are cut.
    let rows_a_piece = (PIECE / classes / ROWS).max(1) * ROWS;
    let mut values = values.map(|values| values.chunks_mut(rows_a_piece));
    let mut gradient = gradient.map(|gradient| gradient.chunks_mut(rows_a_piece * classes));
    let pieces = logits.chunks(rows_a_piece * classes).enumerate();
    let pieces = pieces.map(|(index, logits)| Piece {
        first_row: index * rows_a_piece,
        logits,
        values: values.as_mut().and_then(Iterator::next),
        gradient: gradient.as_mut().and_then(Iterator::next),
    });
    let sums = map_pieces(pieces, |piece| {
        let pass = Pass {
            formula,
            rows,
            factor: T::from_f64(factor),
            piece,
        };
        if rows.mixes() {
            dispatch(MixedPass(pass))
        } else {
            dispatch(pass)
        }
    });
    sums.into_iter().try_fold(0.0, |total, sum| match sum {
        Some(sum) => Ok(total + sum),
        None => Err(rows.first_bad(L::NAME)),
    })
}

struct Pass<'a, L, T> {
    formula: L,
    rows: Rows<'a, T>,
    factor: T,
    piece: Piece<'a, T>,
}

/// A block of up to [`ROWS`] rows on its way.
struct Block<T> {
    targets: [usize; ROWS],
    weights: [T; ROWS],
    /// A setting of the formula; 0 where it has none.
    settings: [T; ROWS],
    /// `z_t − M`.
    above: [T; ROWS],
    /// Σ.
    sums: [T; ROWS],
    values: [T; ROWS],
    /// `factor · w · f′(s)`.
    slopes: [T; ROWS],
}

impl<L: MarginLoss, T: Float> WithSimd for Pass<'_, L, T> {
    /// The sum of the losses; none where a label is no class.
    type Output = Option<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Option<f64> {
        let Self {
            formula,
            rows,
            factor,
            mut piece,
        } = self;
        let formula = OfMargin {
            formula,
            set: rows.settings.is_some(),
        };
        let classes = rows.classes();
        let is_narrow = classes <= NARROW;
        let block_rows = if is_narrow {
            ROWS
        } else {
            (wide::SCRATCH / classes).clamp(1, ROWS)
        };
        let mut exponentials = if is_narrow {
            vec![T::ZERO; classes * ROWS]
        } else {
            vec![T::ZERO; wide::padded::<S, T>(classes) * block_rows]
        };
        let mut block = Block {
            targets: [0; ROWS],
            weights: [T::ZERO; ROWS],
            settings: [T::ZERO; ROWS],
            above: [T::ZERO; ROWS],
            sums: [T::ZERO; ROWS],
            values: [T::ZERO; ROWS],
            slopes: [T::ZERO; ROWS],
        };
        let mut total = 0.0;
        for (index, logits) in piece.logits.chunks(block_rows * classes).enumerate() {
            let count = logits.len() / classes;
            let first = index * block_rows;
            for row in 0..count {
                let (class, weight) = rows.target(piece.first_row + first + row)?;
                block.targets[row] = class;
                block.weights[row] = weight;
            }
            if is_narrow {
                narrow::margins(simd, logits, classes, &mut block, &mut exponentials);
            } else {
                wide::margins(simd, logits, classes, &mut block, &mut exponentials);
            }
            if let Some(handicaps) = rows.handicaps {
                let targets = block.targets[..count].iter();
                for (above, &class) in block.above.iter_mut().zip(targets) {
                    *above = *above - handicaps[class];
                }
            }
            if let Some(settings) = rows.settings {
                let targets = block.targets[..count].iter();
                for (setting, &class) in block.settings.iter_mut().zip(targets) {
                    *setting = settings[class];
                }
            }
            evaluate(simd, formula, factor, &mut block, count);
            total += block.values[..count]
                .iter()
                .map(|v| v.to_f64())
                .sum::<f64>();
            if let Some(values) = &mut piece.values {
                values[first..first + count].copy_from_slice(&block.values[..count]);
            }
            if let Some(gradient) = &mut piece.gradient {
                let gradient = &mut gradient[first * classes..][..count * classes];
                if is_narrow {
                    narrow::gradient(simd, gradient, classes, &block, &mut exponentials);
                } else {
                    wide::gradient(simd, gradient, classes, &block, &exponentials);
                }
            }
        }
        Some(total)
    }
}

/// Forms the margins of a block and applies the formula and the weights.
#[inline(always)]
fn evaluate<S: Simd, T: Float, L: MarginLoss>(
    simd: S,
    formula: OfMargin<L>,
    factor: T,
    block: &mut Block<T>,
    count: usize,
) {
    let factor = Lanes::splat(simd, factor);
    let width = T::width::<S>();
    for start in (0..count).step_by(width) {
        let lanes = start..(start + width).min(ROWS);
        let load = |slice: &[T; ROWS]| Lanes::load_partial(simd, &slice[lanes.clone()]);
        let margin = load(&block.above) - load(&block.sums).ln();
        let inputs = [margin, load(&block.settings), load(&block.weights)];
        let (value, slope) = formula.value_and_slope(inputs);
        value.store_partial(&mut block.values[lanes.clone()]);
        (slope * factor).store_partial(&mut block.slopes[lanes]);
    }
}
