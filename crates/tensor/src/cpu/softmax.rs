//! Softmax and its logarithm along one axis.
//!
//! The plain version: m = maxⱼ xⱼ, eⱼ = e^(xⱼ − m), s = Σ eⱼ, and the result is eⱼ / s, or
//! (xⱼ − m) − ln s. A result is read and written while its row is in the cache. Departures:
//!
//! 1. A row in one piece runs on registers along the row.
//! 2. Other axes, and rows of few elements, run with as many results side by side as a register
//!    holds: of other axes these lie side by side already, short rows are transposed first and
//!    back afterwards, 64 at a time.

use pulp::{Simd, WithSimd};
use smallvec::SmallVec;

use super::lane_fold::{ExpDistance, LaneFold, Larger, Sum, first_lanes};
use super::lanes::{Lanes, dispatch};
use super::parallel::{PIECE, for_each_piece, map_pieces};
use crate::element::Float;
use crate::scalar::Scalar;
use crate::storage::Buffer;

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

/// Writes the softmax of `input`, `[outer, axis, inner]` with at least one element.
pub(crate) fn softmax<T: Float>(
    kind: Kind,
    input: &[T],
    axis: usize,
    inner: usize,
    output: &mut [T],
) {
    let length = axis * inner;
    let outer = (PIECE / length).max(1);
    for_each_piece(output, outer * length, |start, output| {
        let input = &input[start..][..output.len()];
        if inner > 1 {
            let blocks = input
                .chunks_exact(length)
                .zip(output.chunks_exact_mut(length));
            for (input, output) in blocks {
                columns(kind, input, inner, output);
            }
        } else if axis <= SHORT {
            short_rows(kind, input, axis, output);
        } else {
            dispatch(Rows {
                kind,
                input,
                length,
                output,
            });
        }
    });
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
            match self.kind {
                Kind::Softmax => row(simd, from, to),
                Kind::LogSoftmax => log_row(simd, from, to),
            }
        }
    }
}

#[inline(always)]
fn row<S: Simd, T: Float>(simd: S, from: &[T], to: &mut [T]) {
    let largest = LaneFold::of(Larger).row(simd, from, T::ZERO);
    let largest = Lanes::splat(simd, largest);
    let zero = Lanes::splat(simd, T::ZERO);
    let mut total = zero;
    for (from, to) in from.chunks(RUN).zip(to.chunks_mut(RUN)) {
        let (from, from_rest) = T::split::<S>(from);
        let (to, to_rest) = T::split_mut::<S>(to);
        let mut sum = zero;
        for (from, to) in from.iter().zip(to) {
            let e = (Lanes::new(simd, *from) - largest).exp();
            sum = sum + e;
            *to = e.vector;
        }
        if !from_rest.is_empty() {
            let e = (Lanes::load_partial(simd, from_rest) - largest).exp();
            sum = sum + Lanes::select(first_lanes(simd, from_rest.len(), e), e, zero);
            e.store_partial(to_rest);
        }
        total = total + sum;
    }
    let scale = Lanes::splat(simd, total.sum()).recip();
    let (to, to_rest) = T::split_mut::<S>(to);
    for to in to {
        *to = (Lanes::new(simd, *to) * scale).vector;
    }
    if !to_rest.is_empty() {
        (Lanes::load_partial(simd, to_rest) * scale).store_partial(to_rest);
    }
}

#[inline(always)]
fn log_row<S: Simd, T: Float>(simd: S, from: &[T], to: &mut [T]) {
    let largest = LaneFold::of(Larger).row(simd, from, T::ZERO);
    let exponentials = LaneFold {
        summand: ExpDistance,
        fold: Sum,
    };
    let mut total = T::ZERO;
    for run in from.chunks(4 * RUN) {
        total = total + exponentials.row(simd, run, largest);
    }
    let largest = Lanes::splat(simd, largest);
    let ln = Lanes::splat(simd, total).ln();
    let (from, from_rest) = T::split::<S>(from);
    let (to, to_rest) = T::split_mut::<S>(to);
    for (from, to) in from.iter().zip(to) {
        *to = (Lanes::new(simd, *from) - largest - ln).vector;
    }
    if !to_rest.is_empty() {
        (Lanes::load_partial(simd, from_rest) - largest - ln).store_partial(to_rest);
    }
}

/// Rows of up to [`SHORT`] elements, transposed, [`BATCH`] at a time.
fn short_rows<T: Float>(kind: Kind, input: &[T], axis: usize, output: &mut [T]) {
    let mut scratch = [T::ZERO; SHORT * BATCH];
    let batches = input.chunks(axis * BATCH);
    for (from, to) in batches.zip(output.chunks_mut(axis * BATCH)) {
        let width = from.len() / axis;
        for (column, row) in from.chunks_exact(axis).enumerate() {
            for (place, &x) in row.iter().enumerate() {
                scratch[place * width + column] = x;
            }
        }
        dispatch(Tile {
            kind,
            width,
            elements: &mut scratch[..axis * width],
        });
        for (column, row) in to.chunks_exact_mut(axis).enumerate() {
            for (place, y) in row.iter_mut().enumerate() {
                *y = scratch[place * width + column];
            }
        }
    }
}

/// `[axis, inner]`, column by column. A tile of them is copied together first: far apart as they
/// lie, its rows would drive each other out of the cache.
fn columns<T: Float>(kind: Kind, input: &[T], inner: usize, output: &mut [T]) {
    // A tile has about the elements of a piece, but runs of memory should not be too short. The 16
    // make a row of the tile an odd number of cache lines where it would be a power of two, whose
    // rows fall into few places of the cache.
    let width = (PIECE / (input.len() / inner)).clamp(BATCH, RUN) + 16;
    let mut tiles: SmallVec<[SmallVec<[&mut [T]; SHORT]>; 1]> = SmallVec::new();
    tiles.resize_with(inner.div_ceil(width), SmallVec::new);
    for row in output.chunks_exact_mut(inner) {
        for (tile, row) in tiles.iter_mut().zip(row.chunks_mut(width)) {
            tile.push(row);
        }
    }
    map_pieces(tiles.into_iter().enumerate(), |(index, rows)| {
        let column = index * width;
        let width = width.min(inner - column);
        let mut scratch = Buffer::with_count(rows.len() * width);
        let elements = &mut scratch.as_mut_slice()[..rows.len() * width];
        for (to, from) in elements
            .chunks_exact_mut(width)
            .zip(input.chunks_exact(inner))
        {
            to.copy_from_slice(&from[column..column + width]);
        }
        dispatch(Tile {
            kind,
            width,
            elements,
        });
        for (to, from) in rows.into_iter().zip(scratch.as_slice().chunks_exact(width)) {
            to.copy_from_slice(from);
        }
    });
}

/// Rows of `width` elements, whose columns are replaced by their softmax.
struct Tile<'a, T> {
    kind: Kind,
    width: usize,
    elements: &'a mut [T],
}

impl<T: Float> WithSimd for Tile<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let lanes = T::width::<S>();
        for column in (0..self.width).step_by(lanes) {
            let count = lanes.min(self.width - column);
            match self.kind {
                Kind::Softmax => self.softmax(simd, column, count),
                Kind::LogSoftmax => self.log_softmax(simd, column, count),
            }
        }
    }
}

impl<T: Float> Tile<'_, T> {
    #[inline(always)]
    fn softmax<S: Simd>(&mut self, simd: S, column: usize, count: usize) {
        let largest = self.largest(simd, column, count);
        let zero = Lanes::splat(simd, T::ZERO);
        let (mut total, mut sum) = (zero, zero);
        for (row, elements) in self.elements.chunks_exact_mut(self.width).enumerate() {
            let elements = &mut elements[column..column + count];
            let e = (load(simd, elements) - largest).exp();
            store(e, elements);
            sum = sum + e;
            if row % BATCH == BATCH - 1 {
                (total, sum) = (total + sum, zero);
            }
        }
        let scale = (total + sum).recip();
        for elements in self.elements.chunks_exact_mut(self.width) {
            let elements = &mut elements[column..column + count];
            store(load(simd, elements) * scale, elements);
        }
    }

    #[inline(always)]
    fn log_softmax<S: Simd>(&mut self, simd: S, column: usize, count: usize) {
        let largest = self.largest(simd, column, count);
        let zero = Lanes::splat(simd, T::ZERO);
        let (mut total, mut sum) = (zero, zero);
        for (row, elements) in self.elements.chunks_exact(self.width).enumerate() {
            sum = sum + (load(simd, &elements[column..column + count]) - largest).exp();
            if row % BATCH == BATCH - 1 {
                (total, sum) = (total + sum, zero);
            }
        }
        let ln = (total + sum).ln();
        for elements in self.elements.chunks_exact_mut(self.width) {
            let elements = &mut elements[column..column + count];
            store(load(simd, elements) - largest - ln, elements);
        }
    }

    #[inline(always)]
    fn largest<S: Simd>(&self, simd: S, column: usize, count: usize) -> Lanes<S, T> {
        let mut largest = Lanes::splat(simd, T::from_f64(f64::NEG_INFINITY));
        for elements in self.elements.chunks_exact(self.width) {
            largest = largest.max(load(simd, &elements[column..column + count]));
        }
        largest
    }
}

/// Loads up to a register.
#[inline(always)]
fn load<S: Simd, T: Float>(simd: S, slice: &[T]) -> Lanes<S, T> {
    match T::split::<S>(slice) {
        ([vector, ..], _) => Lanes::new(simd, *vector),
        (_, rest) => Lanes::load_partial(simd, rest),
    }
}

/// Stores up to a register.
#[inline(always)]
fn store<S: Simd, T: Float>(lanes: Lanes<S, T>, slice: &mut [T]) {
    match T::split_mut::<S>(slice) {
        ([vector, ..], _) => *vector = lanes.vector,
        (_, rest) => lanes.store_partial(rest),
    }
}
