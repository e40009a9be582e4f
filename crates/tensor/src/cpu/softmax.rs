//! Softmax and its logarithm along one axis.
//!
//! The plain version: m = maxⱼ xⱼ, eⱼ = e^(xⱼ − m), s = Σ eⱼ, and the result is eⱼ / s, or
//! (xⱼ − m) − ln s. A result is read and written while its row is in the cache. Departures:
//!
//! 1. A row in one piece runs on registers along the row, its exponentials on four in step.
//! 2. Other axes run with as many results side by side as four registers hold ([`columns`]). Rows of
//!    few elements are brought into that order first, 64 at a time.

use std::ops::Add;

use pulp::{Simd, WithSimd};

use super::lane_fold::{LaneFold, Larger};
use super::lanes::{InStep, Lanes, dispatch, first_lanes};
use super::parallel::{PIECE, for_each_piece};
use crate::element::Float;
use crate::scalar::Scalar;

mod block;
mod columns;

use block::Stats;

/// Up to this many elements, a row is short.
const SHORT: usize = 16;
/// Short rows that are transposed together.
const BATCH: usize = 64;
/// Elements of a row whose exponentials are added in one go, before they join the sum: the error
/// of a sum of positive numbers grows with the length of a run.
const RUN: usize = 1024;

/// What is wanted.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// e^x / Σ e^x.
    Softmax,
    /// x − ln Σ e^x.
    LogSoftmax,
}

/// Writes the softmax of `input`, `[outer, axis, inner]` with at least one element; none where memory
/// has no room for what is between.
pub(crate) fn softmax<T: Float>(
    kind: Kind,
    input: &[T],
    axis: usize,
    inner: usize,
    output: &mut [T],
) -> Option<()> {
    if inner > 1 {
        return columns::columns(kind, input, [axis, inner], output);
    }
    let rows = (PIECE / axis).max(1);
    for_each_piece(output, rows * axis, |start, output| {
        let input = &input[start..][..output.len()];
        if axis <= SHORT {
            short_rows(kind, input, axis, output);
        } else {
            dispatch(Rows {
                kind,
                input,
                length: axis,
                output,
            });
        }
    });
    Some(())
}

struct Rows<'a, T> {
    kind: Kind,
    input: &'a [T],
    length: usize,
    output: &'a mut [T],
}

impl<T: Float> WithSimd for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.input.chunks_exact(self.length);
        for (from, to) in rows.zip(self.output.chunks_exact_mut(self.length)) {
            row(simd, self.kind, from, to);
        }
    }
}

#[inline(always)]
fn row<S: Simd, T: Float>(simd: S, kind: Kind, from: &[T], to: &mut [T]) {
    let largest = LaneFold::of(Larger).row(simd, from, T::ZERO);
    let total = exponentials(simd, from, largest, to);
    let largest = Lanes::splat(simd, largest);
    match kind {
        Kind::Softmax => {
            let scale = total.recip();
            rewrite(simd, from, to, |_, e| e * scale);
        }
        Kind::LogSoftmax => {
            let ln = total.ln();
            rewrite(simd, from, to, |x, _| x - largest - ln);
        }
    }
}

/// Writes e^(x − largest). Their sum, in every lane.
#[inline(always)]
fn exponentials<S: Simd, T: Float>(simd: S, from: &[T], largest: T, to: &mut [T]) -> Lanes<S, T> {
    let largest_of_four = Lanes::splat(simd, InStep(largest));
    let largest = Lanes::splat(simd, largest);
    let zero = Lanes::splat(simd, T::ZERO);
    let mut total = zero;
    for (from, to) in from.chunks(RUN).zip(to.chunks_mut(RUN)) {
        let whole = from.len() - from.len() % InStep::<T>::width::<S>();
        let (from, from_rest) = from.split_at(whole);
        let (to, to_rest) = to.split_at_mut(whole);
        let mut sum = Lanes::splat(simd, InStep(T::ZERO));
        let fours = InStep::split::<S>(from).0.iter();
        for (from, to) in fours.zip(InStep::split_mut::<S>(to).0) {
            let e = (Lanes::new(simd, *from) - largest_of_four).exp_of_negative();
            sum = sum + e;
            *to = e.vector;
        }
        let mut sum = sum.sum_of_registers();
        let width = T::width::<S>();
        for (from, to) in from_rest.chunks(width).zip(to_rest.chunks_mut(width)) {
            let e = (Lanes::load_partial(simd, from) - largest).exp_of_negative();
            sum = sum + Lanes::select(first_lanes::<S, T>(simd, from.len()), e, zero);
            e.store_partial(to);
        }
        total = total + sum;
    }
    total.fold(Add::add)
}

/// Writes `formula` of what stands in `from` and in `to`.
#[inline(always)]
fn rewrite<S: Simd, T: Float>(
    simd: S,
    from: &[T],
    to: &mut [T],
    formula: impl Fn(Lanes<S, T>, Lanes<S, T>) -> Lanes<S, T>,
) {
    let (from, from_rest) = T::split::<S>(from);
    let (to, to_rest) = T::split_mut::<S>(to);
    for (from, to) in from.iter().zip(to) {
        *to = formula(Lanes::new(simd, *from), Lanes::new(simd, *to)).vector;
    }
    if !to_rest.is_empty() {
        let from = Lanes::load_partial(simd, from_rest);
        formula(from, Lanes::load_partial(simd, to_rest)).store_partial(to_rest);
    }
}

/// Rows of up to [`SHORT`] elements, transposed, [`BATCH`] at a time, and back again.
fn short_rows<T: Float>(kind: Kind, input: &[T], axis: usize, output: &mut [T]) {
    let (mut x, mut y) = ([T::ZERO; SHORT * BATCH], [T::ZERO; SHORT * BATCH]);
    let [mut largest, mut total] = [[T::ZERO; BATCH]; 2];
    let batches = input.chunks(axis * BATCH);
    for (from, to) in batches.zip(output.chunks_mut(axis * BATCH)) {
        let width = from.len() / axis;
        let (x, y) = (&mut x[..from.len()], &mut y[..from.len()]);
        to_lines(from, axis, x);
        let stats = Stats {
            largest: &mut largest[..width],
            total: &mut total[..width],
        };
        columns::whole(kind, x, axis, y, stats);
        to_rows(y, axis, to);
    }
}

/// Rows of `axis` elements as lines of one element of each row.
fn to_lines<T: Copy>(rows: &[T], axis: usize, lines: &mut [T]) {
    match axis {
        2 => to_lines_of::<T, 2>(rows, lines),
        3 => to_lines_of::<T, 3>(rows, lines),
        4 => to_lines_of::<T, 4>(rows, lines),
        _ => {
            let width = lines.len() / axis;
            for (place, line) in lines.chunks_exact_mut(width).enumerate() {
                for (to, row) in line.iter_mut().zip(rows.chunks_exact(axis)) {
                    *to = row[place];
                }
            }
        }
    }
}

/// The way back.
fn to_rows<T: Copy>(lines: &[T], axis: usize, rows: &mut [T]) {
    match axis {
        2 => to_rows_of::<T, 2>(lines, rows),
        3 => to_rows_of::<T, 3>(lines, rows),
        4 => to_rows_of::<T, 4>(lines, rows),
        _ => {
            let width = lines.len() / axis;
            for (place, line) in lines.chunks_exact(width).enumerate() {
                for (row, from) in rows.chunks_exact_mut(axis).zip(line) {
                    row[place] = *from;
                }
            }
        }
    }
}

/// Rows of a length known when this is compiled: several are moved by one instruction.
fn to_lines_of<T: Copy, const N: usize>(rows: &[T], lines: &mut [T]) {
    let rows = rows.as_chunks::<N>().0;
    for (place, line) in (0..N).zip(lines.chunks_exact_mut(rows.len())) {
        for (to, row) in line.iter_mut().zip(rows) {
            *to = row[place];
        }
    }
}

fn to_rows_of<T: Copy, const N: usize>(lines: &[T], rows: &mut [T]) {
    let rows = rows.as_chunks_mut::<N>().0;
    let mut sources = [lines; N];
    for (source, line) in sources.iter_mut().zip(lines.chunks_exact(rows.len())) {
        *source = &line[..rows.len()];
    }
    for (k, row) in rows.iter_mut().enumerate() {
        *row = sources.map(|line| line[k]);
    }
}
