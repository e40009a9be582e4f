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
//! place makes the row uniform. Where more than one class of a row counts, every class is a target
//! once: [`mixed`].

use std::sync::Arc;

use macula_autograd::Var;
use macula_tensor::cpu::lanes::dispatch;
use macula_tensor::cpu::parallel::PIECE;
use macula_tensor::{Element, Float, Result, Tensor};

use crate::checks::on_cpu;
use crate::formula::MarginLoss;
use crate::pieces::{Piece, sum_in_pieces};
use crate::reduction::Reduction;

mod block;
mod composed;
mod infinite;
mod labelled;
mod margins;
mod mixed;
mod narrow;
mod options;
mod pairs;
mod pixels;
mod rows;
mod targets;
mod wide;

pub(crate) use margins::class_margins;
pub(crate) use options::RowOptions;
pub(crate) use targets::RowTargets;

use block::ROWS;
use labelled::LabelledPass;
use mixed::MixedPass;
use pixels::Planes;
use rows::Rows;

/// The reduced loss of `formula` over all rows.
pub(crate) fn softmax_loss<T: Float, L: MarginLoss>(
    formula: L,
    logits: &Var<T>,
    targets: RowTargets<T>,
    reduction: Reduction,
) -> Result<Var<T>> {
    let op = L::NAME;
    let targets = Arc::new(targets);
    let rows = targets.rows();
    let factor = reduction.factor::<T>(op, || rows.counted(), || rows.tally(op))?;
    let each = reduction == Reduction::None;
    let shape = targets.shape();
    let mut values = each.then(|| Tensor::write(shape, |_| Ok(()))).transpose()?;
    let by_row: Vec<usize> = shape.iter().copied().chain([rows.classes()]).collect();
    let wanted = logits.has_gradient();
    let mut gradient = wanted
        .then(|| Tensor::write(by_row, |_| Ok(())))
        .transpose()?;
    let logits_value = logits.value().contiguous()?;
    let sum = {
        let values = values.as_mut().map(Tensor::make_mut).transpose()?;
        let gradient = gradient.as_mut().map(Tensor::make_mut).transpose()?;
        let planes = Planes {
            logits: logits_value.as_slice().ok_or_else(|| on_cpu(op, logits))?,
            classes: rows.classes(),
            pixels: logits.shape()[2..].iter().product(),
        };
        let pass = |piece: Piece<'_, T>| {
            let pass = Pass {
                formula,
                rows,
                factor: T::from_f64(factor),
                logits: &planes.rows(piece.first_row, piece.rows),
                piece,
            };
            match rows.mixes() {
                true => dispatch(MixedPass(pass)),
                false => dispatch(LabelledPass(pass)),
            }
        };
        // Cut by the number of classes alone, so that blocks are the same on any number of threads.
        let rows_a_piece = (PIECE / rows.classes() / ROWS).max(1) * ROWS;
        let (count, classes) = (rows.count(), rows.classes());
        let sum = sum_in_pieces(count, rows_a_piece, classes, values, gradient, pass);
        sum.ok_or_else(|| rows.first_bad(op))?
    };
    let value = match values {
        Some(values) => values,
        None => Tensor::scalar(T::from_f64(sum * factor)),
    };
    let gradient = gradient
        .map(|gradient| classes_second(&gradient))
        .transpose()?;
    let of_twin = Arc::clone(&targets);
    let composed = move |[logits]: [&Var<T>; 1]| {
        let losses = composed::row_losses(formula, logits, &of_twin)?;
        match each {
            true => Ok(losses),
            false => losses.sum(..)?.mul_scalar(factor),
        }
    };
    let found = gradient.as_slice();
    let loss = Var::fused(
        op,
        [logits],
        value,
        found,
        composed,
        move |upstream, found| {
            let times = |gradient| match each {
                true => upstream.unsqueeze(1)?.times(gradient),
                false => upstream.times(gradient),
            };
            Ok([found.first().map(times).transpose()?])
        },
    )?;
    Ok(targets.held_by(loss))
}

/// `[N, C, …]` seen as `[N, …, C]`.
pub(crate) fn classes_last<T: Element>(logits: &Tensor<T>) -> Result<Tensor<T>> {
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
    rows.permute(classes_second_axes(rows.rank()))
}

/// The order of axes that puts the classes, the last axis, second.
pub(crate) fn classes_second_axes(rank: usize) -> Vec<isize> {
    let rank = rank as isize;
    [0, rank - 1].into_iter().chain(1..rank - 1).collect()
}

struct Pass<'a, L, T> {
    formula: L,
    rows: Rows<'a, T>,
    factor: T,
    /// Row by row.
    logits: &'a [T],
    piece: Piece<'a, T>,
}
