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
use macula_tensor::{Device, Element, Error, Float, Result, Scalar, Tensor};

use crate::formula::{MarginLoss, OfMargin};
use crate::reduction::{Reduction, Tally};
use crate::targets::{bad_label, check_class_weights, check_sample_weights};

mod narrow;
mod wide;

/// Rows of a block.
const ROWS: usize = 64;
/// Up to this many classes, a register holds one class of many rows.
const NARROW: usize = 12;

/// Class labels of rows or pixels, and their weights.
pub(crate) struct RowTargets<T: Float> {
    labels: Tensor<i64>,
    class_weights: Vec<T>,
    samples: Option<Tensor<T>>,
    ignore: Option<i64>,
}

impl<T: Float> RowTargets<T> {
    /// Checks everything about the targets but the labels themselves, which the pass does.
    ///
    /// # Errors
    /// Logits must be `[N, C, …]` and labels `[N, …]`; the weights, if any, must fit.
    pub(crate) fn new(
        op: &'static str,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        class_weights: Option<&[f64]>,
        samples: Option<&Tensor<T>>,
        ignore: Option<i64>,
    ) -> Result<Self> {
        let shape = logits.shape();
        let [rows, classes, pixels @ ..] = shape else {
            return Err(Error::Shape {
                op,
                expected: "logits of shape [N, C] or [N, C, …]".into(),
                found: shape.into(),
            });
        };
        let matches = matches!(labels.shape(), [n, rest @ ..] if n == rows && rest == pixels);
        if !matches {
            let expected: Vec<_> = std::iter::once(rows).chain(pixels).collect();
            return Err(Error::Shape {
                op,
                expected: format!("labels of shape {expected:?} for logits of shape {shape:?}"),
                found: labels.shape().into(),
            });
        }
        if let Some(weights) = class_weights {
            check_class_weights(op, "class weights", weights, *classes)?;
        }
        Ok(Self {
            labels: labels.to(&Device::Cpu)?.contiguous()?,
            class_weights: match class_weights {
                Some(weights) => weights.iter().map(|&w| T::from_f64(w)).collect(),
                None => vec![T::ONE; *classes],
            },
            samples: samples
                .map(|weights| check_sample_weights(op, weights, labels.shape()))
                .transpose()?,
            ignore,
        })
    }

    fn rows(&self) -> Rows<'_, T> {
        Rows {
            // Both were made contiguous and brought to the CPU.
            labels: self.labels.as_slice().unwrap_or_default(),
            samples: self.samples.as_ref().and_then(Tensor::as_slice),
            class_weights: &self.class_weights,
            ignore: self.ignore,
        }
    }
}

/// The elements of [`RowTargets`].
#[derive(Clone, Copy)]
struct Rows<'a, T> {
    labels: &'a [i64],
    samples: Option<&'a [T]>,
    class_weights: &'a [T],
    ignore: Option<i64>,
}

impl<T: Float> Rows<'_, T> {
    /// Class and weight of a row; none where the label is no class. An ignored row has class 0 and
    /// weight 0.
    #[inline(always)]
    fn target(&self, row: usize) -> Option<(usize, T)> {
        let label = self.labels[row];
        if Some(label) == self.ignore {
            return Some((0, T::ZERO));
        }
        let class = usize::try_from(label).ok()?;
        let weight = *self.class_weights.get(class)?;
        let sample = self.samples.map_or(T::ONE, |samples| samples[row]);
        Some((class, weight * sample))
    }

    fn tally(&self, op: &'static str) -> Result<Tally> {
        let mut tally = Tally::default();
        for (row, &label) in self.labels.iter().enumerate() {
            let (_, weight) = self.target(row).ok_or_else(|| self.first_bad(op))?;
            if Some(label) != self.ignore {
                tally.count += 1;
                tally.weight += weight.to_f64();
                tally.positives += usize::from(label > 0);
            }
        }
        Ok(tally)
    }

    /// The error for the first label that is no class; a pass has seen that there is one.
    fn first_bad(&self, op: &'static str) -> Error {
        let bad = (0..self.labels.len()).find(|&row| self.target(row).is_none());
        let classes = self.class_weights.len();
        bad_label(op, self.labels, bad.unwrap_or(0), classes, self.ignore)
    }
}

/// The reduced loss of `formula` over all rows.
pub(crate) fn softmax_loss<T: Float, L: MarginLoss>(
    formula: L,
    logits: &Var<T>,
    targets: RowTargets<T>,
    reduction: Reduction,
) -> Result<Var<T>> {
    let op = L::NAME;
    let rows = targets.rows();
    let factor = reduction.factor(op, || rows.tally(op))?;
    let each = reduction == Reduction::None;
    // The classes of a pixel are one plane apart; the loops want them side by side.
    let by_row = classes_last(logits.value())?.contiguous()?;
    let shape = targets.labels.shape();
    let mut values = each.then(|| Tensor::write(shape, |_| Ok(()))).transpose()?;
    let wanted = logits.has_gradient();
    let mut gradient = wanted
        .then(|| Tensor::write(by_row.shape(), |_| Ok(())))
        .transpose()?;
    let sum = {
        let values = values.as_mut().map(Tensor::make_mut).transpose()?;
        let gradient = gradient.as_mut().map(Tensor::make_mut).transpose()?;
        let by_row = by_row.as_slice().unwrap_or_default();
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
        let losses = composed_rows(formula, logits, &targets)?;
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
fn classes_last<T: Float>(logits: &Tensor<T>) -> Result<Tensor<T>> {
    let rank = logits.rank() as isize;
    let axes: Vec<isize> = std::iter::once(0).chain(2..rank).chain([1]).collect();
    logits.permute(axes)
}

/// `[N, …, C]` seen as `[N, C, …]`.
fn classes_second<T: Element>(rows: &Tensor<T>) -> Result<Tensor<T>> {
    let rank = rows.rank() as isize;
    let axes: Vec<isize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
    rows.permute(axes)
}

/// The weighted losses of the rows from ordinary operations: the twin of the fused pass, and the
/// path to higher orders.
fn composed_rows<T: Float, L: MarginLoss>(
    formula: L,
    logits: &Var<T>,
    targets: &RowTargets<T>,
) -> Result<Var<T>> {
    let rows = targets.rows();
    let shape = targets.labels.shape();
    let mut weights = Tensor::zeros(shape)?;
    let classes = Tensor::write(shape, |classes| {
        for (row, (class, weight)) in classes.iter_mut().zip(weights.make_mut()?).enumerate() {
            let target = rows.target(row).ok_or_else(|| rows.first_bad(L::NAME))?;
            *class = target.0 as i64;
            *weight = target.1;
        }
        Ok(())
    })?;
    let count = rows.class_weights.len();
    let is_target = classes_second(&classes.one_hot::<i64>(count)?.cast::<bool>()?)?;
    // Rows that do not count may hold anything.
    let absent = weights.unsqueeze(1)?.eq(&Tensor::scalar(T::ZERO))?;
    let logits = logits.masked_fill(&absent, 0.0)?;
    let target = logits.gather(1, &classes.unsqueeze(1)?)?.squeeze(1)?;
    let others = logits
        .masked_fill(&is_target, f64::NEG_INFINITY)?
        .logsumexp(1)?;
    let margin = target.sub(&others)?;
    let weights = margin.tape().constant(weights);
    margin.map(OfMargin(formula))?.mul(&weights)
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
    let classes = rows.class_weights.len();
    if logits.is_empty() {
        return match rows.labels {
            [] => Ok(0.0),
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
        dispatch(Pass {
            formula,
            rows,
            factor: T::from_f64(factor),
            piece,
        })
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
        let classes = rows.class_weights.len();
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
    formula: L,
    factor: T,
    block: &mut Block<T>,
    count: usize,
) {
    let (zero, factor) = (Lanes::splat(simd, T::ZERO), Lanes::splat(simd, factor));
    let width = T::width::<S>();
    for start in (0..count).step_by(width) {
        let lanes = start..(start + width).min(ROWS);
        let load = |slice: &[T; ROWS]| Lanes::load_partial(simd, &slice[lanes.clone()]);
        let margin = load(&block.above) - load(&block.sums).ln();
        let weight = load(&block.weights);
        let (value, slope) = formula.value_and_slope(margin);
        let absent = weight.equal(zero);
        let value = Lanes::select(absent, zero, weight * value);
        let slope = Lanes::select(absent, zero, weight * slope * factor);
        value.store_partial(&mut block.values[lanes.clone()]);
        slope.store_partial(&mut block.slopes[lanes]);
    }
}
