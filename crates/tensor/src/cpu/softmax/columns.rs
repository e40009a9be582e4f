//! Softmax along an axis that others follow: results side by side, rows one after the other.
//!
//! 1. A block of rows that the second cache holds is read three times there: for the largest
//!    numbers m of its columns, for the exponentials e^(x − m) with their sums t, and to scale.
//! 2. A longer axis is several blocks. Each leaves its m and t behind; those of all blocks are
//!    merged to M and s, and the exponentials of a block are scaled by e^(m − M) / s in a second
//!    pass over memory. So an element costs one exponential all the same.
//! 3. Blocks depend on the sizes alone, and are merged in their order: the same bits for any
//!    number of threads.

use pulp::{Simd, WithSimd};
use smallvec::SmallVec;

use super::Kind;
use crate::cpu::lanes::{Lanes, dispatch};
use crate::cpu::parallel::{PIECE, for_each_piece, map_pieces};
use crate::element::Float;
use crate::scalar::Scalar;
use crate::storage::Buffer;

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
    stats: Stats<'_, T>,
) {
    let Stats { largest, total } = stats;
    let length = axis * total.len();
    let outputs = output.chunks_exact_mut(length);
    for (input, output) in input.chunks_exact(length).zip(outputs) {
        let mut block = Block {
            input,
            step: total.len(),
            runs: SmallVec::from_iter([output]),
            stats: Stats { largest, total },
        };
        block.pass(kind, Part::Whole);
    }
}

/// The softmax along an axis of several blocks, or of rows that are longer than one.
fn in_blocks<T: Float>(kind: Kind, input: &[T], [axis, inner, rows]: [usize; 3], output: &mut [T]) {
    let width = inner.min(TILE);
    let (segments, tiles) = (axis.div_ceil(rows), inner.div_ceil(width));
    let statistics = output.len() / axis * segments;
    let mut buffer = Buffer::with_count(2 * statistics);
    let (largest, total) = buffer.as_mut_slice()[..2 * statistics].split_at_mut(statistics);
    let mut stats = largest.chunks_mut(inner).zip(total.chunks_mut(inner));
    let mut blocks: Vec<Block<'_, T>> = Vec::new();
    let outputs = output.chunks_exact_mut(axis * inner);
    for (input, output) in input.chunks_exact(axis * inner).zip(outputs) {
        let outputs = output.chunks_mut(rows * inner);
        for (output, (input, stats)) in outputs.zip(input.chunks(rows * inner).zip(&mut stats)) {
            let first = blocks.len();
            let stats = stats.0.chunks_mut(width).zip(stats.1.chunks_mut(width));
            blocks.extend(stats.enumerate().map(|(tile, (largest, total))| Block {
                input: &input[tile * width..],
                step: inner,
                runs: SmallVec::new(),
                stats: Stats { largest, total },
            }));
            let (line, part) = match tiles {
                1 => (output.len(), output.len()),
                _ => (inner, width),
            };
            for line in output.chunks_mut(line) {
                let parts = line.chunks_mut(part);
                for (block, part) in blocks[first..].iter_mut().zip(parts) {
                    block.runs.push(part);
                }
            }
        }
    }
    if segments == 1 {
        map_pieces(&mut blocks, |block| block.pass(kind, Part::Whole));
        return;
    }
    map_pieces(&mut blocks, |block| block.pass(kind, Part::Statistics));
    let mut merged = Vec::new();
    for result in blocks.chunks(segments * tiles) {
        for tile in 0..tiles {
            let first = &result[tile].stats;
            let (mut largest, mut total) = (first.largest.to_vec(), first.total.to_vec());
            for other in result[tile..].iter().step_by(tiles).skip(1) {
                dispatch(Merge {
                    into: Stats {
                        largest: &mut largest,
                        total: &mut total,
                    },
                    other: &other.stats,
                });
            }
            merged.push([largest, total]);
        }
    }
    map_pieces(blocks.iter_mut().enumerate(), |(number, block)| {
        let result = number / (segments * tiles) * tiles + number % tiles;
        let [largest, total] = &merged[result];
        block.pass(kind, Part::Results([largest, total]));
    });
}

/// Of each column the largest number m, and Σ e^(x − m). What the results are finished with takes
/// their place.
pub(super) struct Stats<'a, T> {
    pub(super) largest: &'a mut [T],
    pub(super) total: &'a mut [T],
}

/// Rows of some columns, and their results.
struct Block<'a, T> {
    /// From the first row on to the end of the last; the columns are the first of a row.
    input: &'a [T],
    /// From row to row of the input.
    step: usize,
    /// One run of whole rows, or, where a row is longer than the block is wide, one for each row.
    runs: SmallVec<[&'a mut [T]; 1]>,
    stats: Stats<'a, T>,
}

/// What is done to a block at a time.
enum Part<'a, T> {
    /// The statistics are found, and the exponentials of a softmax are written.
    Statistics,
    /// The results are finished with M and s, the statistics of the whole axis.
    Results([&'a [T]; 2]),
    /// Both, where the block is the whole axis.
    Whole,
}

impl<T: Float> Block<'_, T> {
    /// The one caller of the loops, which the compiler would otherwise compile for each caller.
    #[inline(never)]
    fn pass(&mut self, kind: Kind, part: Part<'_, T>) {
        dispatch(Pass {
            kind,
            part,
            block: self,
        });
    }
}

struct Pass<'a, 'b, T> {
    kind: Kind,
    part: Part<'a, T>,
    block: &'a mut Block<'b, T>,
}

impl<T: Float> WithSimd for Pass<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { kind, part, block } = self;
        if let Part::Statistics | Part::Whole = part {
            block.find_largest(simd);
            block.add_exponentials(simd, kind);
        }
        let merged = match part {
            Part::Statistics => return,
            Part::Results(merged) => Some(merged),
            Part::Whole => None,
        };
        block.make_factors(simd, kind, merged);
        block.finish(simd, kind);
    }
}

impl<T: Float> Block<'_, T> {
    fn width(&self) -> usize {
        self.stats.total.len()
    }

    #[inline(always)]
    fn find_largest<S: Simd>(&mut self, simd: S) {
        let width = self.width();
        self.stats.largest.fill(T::from_f64(f64::NEG_INFINITY));
        for row in self.input.chunks(self.step) {
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

    /// Register by register down the rows: the sums of some rows stay in a register.
    #[inline(always)]
    fn add_exponentials<S: Simd>(&mut self, simd: S, kind: Kind) {
        let (width, lanes) = (self.width(), T::width::<S>());
        let zero = Lanes::splat(simd, T::ZERO);
        let lowest = Lanes::splat(simd, T::from_f64(f64::NEG_INFINITY));
        self.stats.total.fill(T::ZERO);
        let mut input = self.input;
        for run in &mut self.runs {
            for output in run.chunks_mut(RUN * width) {
                let length = output.len() / width * self.step;
                let (rows, after) = input.split_at(length.min(input.len()));
                input = after;
                for column in (0..width).step_by(lanes) {
                    let columns = column..width.min(column + lanes);
                    let largest = load(simd, &self.stats.largest[columns.clone()]);
                    // Nothing but −∞ so far: e^(−∞ − 0) is the 0 that e^(−∞ + ∞) is not.
                    let shift = Lanes::select(largest.equal(lowest), zero, largest);
                    let mut sum = zero;
                    let rows = rows.chunks(self.step);
                    for (x, y) in rows.zip(output.chunks_exact_mut(width)) {
                        let e = (load(simd, &x[columns.clone()]) - shift).exp_of_negative();
                        sum = sum + e;
                        if kind == Kind::Softmax {
                            store(e, &mut y[columns.clone()]);
                        }
                    }
                    let total = &mut self.stats.total[columns];
                    store(load(simd, total) + sum, total);
                }
            }
        }
    }

    #[inline(always)]
    fn make_factors<S: Simd>(&mut self, simd: S, kind: Kind, merged: Option<[&[T]; 2]>) {
        let (width, lanes) = (self.width(), T::width::<S>());
        for column in (0..width).step_by(lanes) {
            let columns = column..width.min(column + lanes);
            let own = load(simd, &self.stats.largest[columns.clone()]);
            let (largest, total) = match merged {
                Some([largest, total]) => (
                    load(simd, &largest[columns.clone()]),
                    load(simd, &total[columns.clone()]),
                ),
                None => (own, load(simd, &self.stats.total[columns.clone()])),
            };
            let factor = match kind {
                Kind::Softmax => (own - largest).exp() * total.recip(),
                Kind::LogSoftmax => total.ln(),
            };
            store(largest, &mut self.stats.largest[columns.clone()]);
            store(factor, &mut self.stats.total[columns]);
        }
    }

    #[inline(always)]
    fn finish<S: Simd>(&mut self, simd: S, kind: Kind) {
        let width = self.width();
        let (factors, factors_rest) = T::split::<S>(self.stats.total);
        let (largest, largest_rest) = T::split::<S>(self.stats.largest);
        let mut rows = self.input.chunks(self.step);
        for run in &mut self.runs {
            for (y, x) in run.chunks_exact_mut(width).zip(rows.by_ref()) {
                let (x, x_rest) = T::split::<S>(&x[..width]);
                let (y, y_rest) = T::split_mut::<S>(y);
                match kind {
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
                            let distance =
                                Lanes::<S, T>::new(simd, *x) - Lanes::new(simd, *largest);
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
}

/// Takes the statistics of another block in: of those of two blocks, the sum that belongs to the
/// smaller m is scaled.
struct Merge<'a, T> {
    into: Stats<'a, T>,
    other: &'a Stats<'a, T>,
}

impl<T: Float> WithSimd for Merge<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (width, lanes) = (self.other.total.len(), T::width::<S>());
        for column in (0..width).step_by(lanes) {
            let columns = column..width.min(column + lanes);
            let mut total = Lanes::splat(simd, T::ZERO);
            let before = load(simd, &self.into.largest[columns.clone()]);
            let other = load(simd, &self.other.largest[columns.clone()]);
            let largest = before.max(other);
            let totals = [&*self.into.total, &*self.other.total];
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
