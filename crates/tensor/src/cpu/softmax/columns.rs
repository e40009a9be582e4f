//! Softmax along an axis that others follow: results side by side, rows one after the other.
//!
//! 1. A block of rows that the second cache holds is read three times there: for the largest
//!    numbers m of its columns, for the exponentials e^(x − m) with their sums t, and to scale.
//! 2. A longer axis is several blocks. Each leaves its m and t behind; those of all blocks are
//!    merged to M and s, and the exponentials of a block are scaled by e^(m − M) / s in a second
//!    pass over memory. So an element costs one exponential all the same.
//! 3. Blocks depend on the sizes alone, and are merged in their order: the same bits for any
//!    number of threads.

use std::ops::RangeInclusive;

use pulp::{Simd, WithSimd};
use smallvec::SmallVec;

use super::Kind;
use crate::cpu::lanes::{Lanes, dispatch};
use crate::cpu::parallel::{PIECE, for_each_piece, map_pieces};
use crate::element::Float;
use crate::scalar::Scalar;

/// The most columns of a block.
const TILE: usize = 1024;
/// Rows whose exponentials are added in one go, before they join the sum: the error of a sum of
/// positive numbers grows with the length of a run.
const RUN: usize = 64;

/// Writes the softmax of `input`, `[outer, axis, inner]`, along the axis.
pub(super) fn columns<T: Float>(
    kind: Kind,
    input: &[T],
    [axis, inner]: [usize; 2],
    output: &mut [T],
) {
    let rows = (PIECE / inner.min(TILE)).min(axis);
    if inner > TILE || rows < axis {
        return in_blocks(kind, input, [axis, inner, rows], output);
    }
    let length = axis * inner;
    for_each_piece(output, (PIECE / length).max(1) * length, |start, output| {
        let (mut largest, mut total) = ([T::ZERO; TILE], [T::ZERO; TILE]);
        let stats = Stats {
            largest: &mut largest[..inner],
            total: &mut total[..inner],
        };
        whole(kind, &input[start..], axis, output, stats);
    });
}

/// The softmax of each `[axis, inner]` of the input.
pub(super) fn whole<T: Float>(
    kind: Kind,
    input: &[T],
    axis: usize,
    output: &mut [T],
    mut stats: Stats<'_, T>,
) {
    let inner = stats.total.len();
    let outputs = output.chunks_exact_mut(axis * inner);
    for (input, output) in input.chunks_exact(axis * inner).zip(outputs) {
        stats.largest.fill(T::from_f64(f64::NEG_INFINITY));
        stats.total.fill(T::ZERO);
        dispatch(Pass {
            kind,
            input,
            step: inner,
            output,
            stats: stats.reborrow(),
            steps: Step::Largest..=Step::Finish,
            merged: None,
        });
    }
}

/// Of each column of a block: its largest number m, and Σ e^(x − m). What [`Pass`] finishes a block
/// with takes their place.
pub(super) struct Stats<'a, T> {
    pub(super) largest: &'a mut [T],
    pub(super) total: &'a mut [T],
}

impl<T> Stats<'_, T> {
    fn reborrow(&mut self) -> Stats<'_, T> {
        Stats {
            largest: self.largest,
            total: self.total,
        }
    }
}

/// Rows of a part of the columns, and their results.
struct Block<'a, T> {
    input: &'a [T],
    /// From row to row of the input.
    step: usize,
    width: usize,
    /// One run of whole rows, or, where a row is longer than the block is wide, one for each row.
    runs: SmallVec<[&'a mut [T]; 1]>,
    largest: Vec<T>,
    total: Vec<T>,
}

impl<T: Float> Block<'_, T> {
    /// Runs some of the steps; all rows pass through them before a further one begins.
    fn pass(&mut self, kind: Kind, steps: RangeInclusive<Step>) {
        let mut row = 0;
        for output in &mut self.runs {
            let rows = output.len() / self.width;
            dispatch(Pass {
                kind,
                input: &self.input[row * self.step..],
                step: self.step,
                output,
                stats: Stats {
                    largest: &mut self.largest,
                    total: &mut self.total,
                },
                steps: steps.clone(),
                merged: None,
            });
            row += rows;
        }
    }

    /// Makes the factors from the statistics of the whole axis.
    fn factors(&mut self, kind: Kind, merged: [&[T]; 2]) {
        dispatch(Pass {
            kind,
            input: &[],
            step: self.step,
            output: &mut [],
            stats: Stats {
                largest: &mut self.largest,
                total: &mut self.total,
            },
            steps: Step::Factors..=Step::Factors,
            merged: Some(merged),
        });
    }
}

/// The way through memory of more than one block for a result.
fn in_blocks<T: Float>(kind: Kind, input: &[T], [axis, inner, rows]: [usize; 3], output: &mut [T]) {
    let width = inner.min(TILE);
    let tiles = inner.div_ceil(width);
    let mut blocks: Vec<Block<'_, T>> = Vec::new();
    let outputs = output.chunks_exact_mut(axis * inner);
    for (input, output) in input.chunks_exact(axis * inner).zip(outputs) {
        let segments = input.chunks(rows * inner);
        for (input, output) in segments.zip(output.chunks_mut(rows * inner)) {
            let first = blocks.len();
            for column in (0..inner).step_by(width) {
                let width = width.min(inner - column);
                blocks.push(Block {
                    input: &input[column..],
                    step: inner,
                    width,
                    runs: SmallVec::new(),
                    largest: vec![T::from_f64(f64::NEG_INFINITY); width],
                    total: vec![T::ZERO; width],
                });
            }
            if tiles == 1 {
                blocks[first].runs.push(output);
            } else {
                for row in output.chunks_exact_mut(inner) {
                    for (block, run) in blocks[first..].iter_mut().zip(row.chunks_mut(width)) {
                        block.runs.push(run);
                    }
                }
            }
        }
    }
    map_pieces(&mut blocks, |block| {
        block.pass(kind, Step::Largest..=Step::Largest);
        block.pass(kind, Step::Exponentials..=Step::Exponentials);
    });
    let segments = axis.div_ceil(rows);
    let mut merged = Vec::new();
    for group in blocks.chunks(segments * tiles) {
        for tile in 0..tiles {
            let (mut largest, mut total) = (group[tile].largest.clone(), group[tile].total.clone());
            for other in group[tile..].iter().step_by(tiles).skip(1) {
                dispatch(Merge {
                    into: Stats {
                        largest: &mut largest,
                        total: &mut total,
                    },
                    largest: &other.largest,
                    total: &other.total,
                });
            }
            merged.push([largest, total]);
        }
    }
    map_pieces(blocks.iter_mut().enumerate(), |(number, block)| {
        let result = number / (segments * tiles) * tiles + number % tiles;
        let [largest, total] = &merged[result];
        block.factors(kind, [largest, total]);
        block.pass(kind, Step::Finish..=Step::Finish);
    });
}

/// What is done to a block, in this order.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Step {
    /// The largest numbers of the columns are found.
    Largest,
    /// The exponentials are added up and, for the softmax, written.
    Exponentials,
    /// The statistics of the whole axis become what finishes a column: M and e^(m − M) / s, or M
    /// and ln s.
    Factors,
    /// The results are finished.
    Finish,
}

/// Some of the steps on rows of one block.
struct Pass<'a, T> {
    kind: Kind,
    input: &'a [T],
    /// From row to row of the input.
    step: usize,
    /// Rows as wide as the statistics, without gaps.
    output: &'a mut [T],
    stats: Stats<'a, T>,
    steps: RangeInclusive<Step>,
    /// M and s, where they are not those of the block itself.
    merged: Option<[&'a [T]; 2]>,
}

impl<T: Float> WithSimd for Pass<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (first, last) = (*self.steps.start(), *self.steps.end());
        if first <= Step::Largest {
            self.find_largest(simd);
        }
        if first <= Step::Exponentials && Step::Exponentials <= last {
            self.add_exponentials(simd);
        }
        if first <= Step::Factors && Step::Factors <= last {
            self.make_factors(simd);
        }
        if Step::Finish <= last {
            self.finish(simd);
        }
    }
}

impl<T: Float> Pass<'_, T> {
    fn width(&self) -> usize {
        self.stats.total.len()
    }

    #[inline(always)]
    fn find_largest<S: Simd>(&mut self, simd: S) {
        let width = self.width();
        let rows = self.output.len() / width;
        for row in self.input.chunks(self.step).take(rows) {
            let (x, x_rest) = T::split::<S>(&row[..width]);
            let (largest, rest) = T::split_mut::<S>(self.stats.largest);
            for (largest, x) in largest.iter_mut().zip(x) {
                let x = Lanes::<S, T>::new(simd, *x);
                *largest = Lanes::new(simd, *largest).max(x).vector;
            }
            if !rest.is_empty() {
                let x = Lanes::load_partial(simd, x_rest);
                Lanes::<S, T>::load_partial(simd, rest)
                    .max(x)
                    .store_partial(rest);
            }
        }
    }

    /// Register by register down the rows: the sums of a run stay in a register.
    #[inline(always)]
    fn add_exponentials<S: Simd>(&mut self, simd: S) {
        let (width, lanes) = (self.width(), T::width::<S>());
        let zero = Lanes::splat(simd, T::ZERO);
        let lowest = Lanes::splat(simd, T::from_f64(f64::NEG_INFINITY));
        let inputs = self.input.chunks(RUN * self.step);
        for (input, output) in inputs.zip(self.output.chunks_mut(RUN * width)) {
            for column in (0..width).step_by(lanes) {
                let columns = column..width.min(column + lanes);
                let largest = load(simd, &self.stats.largest[columns.clone()]);
                // Nothing but −∞ so far: e^(−∞ − 0) is the 0 that e^(−∞ + ∞) is not.
                let shift = Lanes::select(largest.equal(lowest), zero, largest);
                let mut sum = zero;
                let rows = input.chunks(self.step);
                for (x, y) in rows.zip(output.chunks_exact_mut(width)) {
                    let e = (load(simd, &x[columns.clone()]) - shift).exp();
                    sum = sum + e;
                    if self.kind == Kind::Softmax {
                        store(e, &mut y[columns.clone()]);
                    }
                }
                let total = &mut self.stats.total[columns];
                store(load(simd, total) + sum, total);
            }
        }
    }

    #[inline(always)]
    fn make_factors<S: Simd>(&mut self, simd: S) {
        let (width, lanes) = (self.width(), T::width::<S>());
        for column in (0..width).step_by(lanes) {
            let columns = column..width.min(column + lanes);
            let own = load(simd, &self.stats.largest[columns.clone()]);
            let (largest, total) = match self.merged {
                Some([largest, total]) => (
                    load(simd, &largest[columns.clone()]),
                    load(simd, &total[columns.clone()]),
                ),
                None => (own, load(simd, &self.stats.total[columns.clone()])),
            };
            let factor = match self.kind {
                Kind::Softmax => (own - largest).exp() * total.recip(),
                Kind::LogSoftmax => total.ln(),
            };
            store(largest, &mut self.stats.largest[columns.clone()]);
            store(factor, &mut self.stats.total[columns]);
        }
    }

    #[inline(always)]
    fn finish<S: Simd>(&mut self, simd: S) {
        let width = self.width();
        let (factors, factors_rest) = T::split::<S>(self.stats.total);
        let (largest, largest_rest) = T::split::<S>(self.stats.largest);
        let rows = self.input.chunks(self.step);
        for (x, y) in rows.zip(self.output.chunks_exact_mut(width)) {
            let (x, x_rest) = T::split::<S>(&x[..width]);
            let (y, y_rest) = T::split_mut::<S>(y);
            match self.kind {
                Kind::Softmax => {
                    for (y, factor) in y.iter_mut().zip(factors) {
                        *y = (Lanes::<S, T>::new(simd, *y) * Lanes::new(simd, *factor)).vector;
                    }
                    if !y_rest.is_empty() {
                        let factor = Lanes::<S, T>::load_partial(simd, factors_rest);
                        (Lanes::load_partial(simd, y_rest) * factor).store_partial(y_rest);
                    }
                }
                Kind::LogSoftmax => {
                    let operands = x.iter().zip(largest).zip(factors);
                    for (y, ((x, largest), ln)) in y.iter_mut().zip(operands) {
                        let distance = Lanes::<S, T>::new(simd, *x) - Lanes::new(simd, *largest);
                        *y = (distance - Lanes::new(simd, *ln)).vector;
                    }
                    if !y_rest.is_empty() {
                        let distance = Lanes::<S, T>::load_partial(simd, x_rest)
                            - Lanes::load_partial(simd, largest_rest);
                        let ln = Lanes::load_partial(simd, factors_rest);
                        (distance - ln).store_partial(y_rest);
                    }
                }
            }
        }
    }
}

/// Takes the statistics of another block in: of those of two blocks, the sum that belongs to the
/// smaller m is scaled.
struct Merge<'a, T> {
    into: Stats<'a, T>,
    largest: &'a [T],
    total: &'a [T],
}

impl<T: Float> WithSimd for Merge<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (width, lanes) = (self.total.len(), T::width::<S>());
        for column in (0..width).step_by(lanes) {
            let columns = column..width.min(column + lanes);
            let mut total = Lanes::splat(simd, T::ZERO);
            let before = load(simd, &self.into.largest[columns.clone()]);
            let other = load(simd, &self.largest[columns.clone()]);
            let largest = before.max(other);
            let totals = [&*self.into.total, self.total];
            for (m, t) in [before, other].into_iter().zip(totals) {
                let t = load(simd, &t[columns.clone()]);
                // Equal infinities have no distance.
                total = total + Lanes::select(m.equal(largest), t, t * (m - largest).exp());
            }
            store(largest, &mut self.into.largest[columns.clone()]);
            store(total, &mut self.into.total[columns]);
        }
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
