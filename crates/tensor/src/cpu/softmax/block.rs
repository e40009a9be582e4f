//! The loops over a block of rows of some columns.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use smallvec::SmallVec;

use super::Kind;
use crate::cpu::lanes::{InStep, LaneFloat, Lanes, dispatch};
use crate::element::Float;
use crate::scalar::Scalar;

/// Rows whose exponentials are added in one go, before they join the sum: the error of a sum of
/// positive numbers grows with the length of a run.
const RUN: usize = 64;

/// Of each column the largest number m, and Σ e^(x − m). What the results are finished with takes
/// their place.
pub(super) struct Stats<'a, T> {
    pub(super) largest: &'a mut [T],
    pub(super) total: &'a mut [T],
}

/// Rows of some columns, and their results.
pub(super) struct Block<'a, T> {
    /// From the first row on to the end of the last; the columns are the first of a row.
    pub(super) input: &'a [T],
    /// From row to row of the input.
    pub(super) step: usize,
    /// The number of columns.
    pub(super) width: usize,
    /// The results: one slice of whole rows, or, where a row is longer than the block is wide, one for
    /// each row.
    pub(super) outputs: SmallVec<[&'a mut [T]; 1]>,
}

/// What is done to a block at a time.
pub(super) enum Part<'a, T> {
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
    pub(super) fn pass(&mut self, kind: Kind, part: Part<'_, T>, stats: &mut Stats<'_, T>) {
        dispatch(Pass {
            kind,
            part,
            block: self,
            stats,
        });
    }
}

struct Pass<'a, 'b, 'c, T> {
    kind: Kind,
    part: Part<'a, T>,
    block: &'a mut Block<'b, T>,
    stats: &'a mut Stats<'c, T>,
}

impl<T: Float> WithSimd for Pass<'_, '_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            kind,
            part,
            block,
            stats,
        } = self;
        if let Part::Statistics | Part::Whole = part {
            block.find_largest(simd, stats);
            block.add_exponentials(simd, kind, stats);
        }
        let merged = match part {
            Part::Statistics => return,
            Part::Results(merged) => Some(merged),
            Part::Whole => None,
        };
        stats.make_factors(simd, kind, merged);
        block.finish(simd, kind, stats);
    }
}

impl<T: Float> Block<'_, T> {
    #[inline(always)]
    fn find_largest<S: Simd>(&self, simd: S, stats: &mut Stats<'_, T>) {
        let width = self.width;
        stats.largest.fill(T::from_f64(f64::NEG_INFINITY));
        for row in self.input.chunks(self.step) {
            let (x, x_rest) = T::split::<S>(&row[..width]);
            let (largest, rest) = T::split_mut::<S>(stats.largest);
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

    /// Four registers of columns, or one, at a time down the rows: the sums of some rows stay there.
    #[inline(always)]
    fn add_exponentials<S: Simd>(&mut self, simd: S, kind: Kind, stats: &mut Stats<'_, T>) {
        let (width, step) = (self.width, self.step);
        let (four, one) = (InStep::<T>::width::<S>(), T::width::<S>());
        let in_fours = width - width % four;
        stats.total.fill(T::ZERO);
        let mut input = self.input;
        for output in &mut self.outputs {
            for output in output.chunks_mut(RUN * width) {
                let length = output.len() / width * step;
                let (rows, after) = input.split_at(length.min(input.len()));
                input = after;
                let mut run = Run {
                    kind,
                    input: rows,
                    step,
                    output,
                    width,
                };
                for column in (0..in_fours).step_by(four) {
                    run.add_exponentials::<S, InStep<T>>(simd, column..column + four, stats);
                }
                for column in (in_fours..width).step_by(one) {
                    let columns = column..width.min(column + one);
                    run.add_exponentials::<S, T>(simd, columns, stats);
                }
            }
        }
    }

    #[inline(always)]
    fn finish<S: Simd>(&mut self, simd: S, kind: Kind, stats: &Stats<'_, T>) {
        let width = self.width;
        let (factors, factors_rest) = T::split::<S>(stats.total);
        let (largest, largest_rest) = T::split::<S>(stats.largest);
        let mut rows = self.input.chunks(self.step);
        for output in &mut self.outputs {
            for (y, x) in output.chunks_exact_mut(width).zip(rows.by_ref()) {
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

impl<T: Float> Stats<'_, T> {
    /// The largest numbers and the factors (for logarithms, the terms) that results are finished with,
    /// of this block alone or of the whole axis.
    #[inline(always)]
    fn make_factors<S: Simd>(&mut self, simd: S, kind: Kind, merged: Option<[&[T]; 2]>) {
        let (width, lanes) = (self.total.len(), T::width::<S>());
        for column in (0..width).step_by(lanes) {
            let columns = column..width.min(column + lanes);
            let own = T::load(simd, &self.largest[columns.clone()]);
            let (largest, total) = match merged {
                Some([largest, total]) => (
                    T::load(simd, &largest[columns.clone()]),
                    T::load(simd, &total[columns.clone()]),
                ),
                None => (own, T::load(simd, &self.total[columns.clone()])),
            };
            let factor = match kind {
                Kind::Softmax => (own - largest).exp() * total.recip(),
                Kind::LogSoftmax => total.ln(),
            };
            T::store(largest, &mut self.largest[columns.clone()]);
            T::store(factor, &mut self.total[columns]);
        }
    }
}

/// Rows of a block whose exponentials are added in one go, and their results.
struct Run<'a, T> {
    kind: Kind,
    input: &'a [T],
    step: usize,
    output: &'a mut [T],
    width: usize,
}

impl<T: Float> Run<'_, T> {
    /// Adds the exponentials in some columns, which registers of the kind `R` hold, and writes those of a
    /// softmax.
    #[inline(always)]
    fn add_exponentials<S: Simd, R: Registers<T>>(
        &mut self,
        simd: S,
        columns: Range<usize>,
        stats: &mut Stats<'_, T>,
    ) {
        let zero = Lanes::splat(simd, R::from_f64(0.0));
        let lowest = Lanes::splat(simd, R::from_f64(f64::NEG_INFINITY));
        let largest = R::load(simd, &stats.largest[columns.clone()]);
        // Nothing but −∞ so far: e^(−∞ − 0) is the 0 that e^(−∞ + ∞) is not.
        let shift = Lanes::select(largest.equal(lowest), zero, largest);
        let mut sum = zero;
        let rows = self.input.chunks(self.step);
        for (x, y) in rows.zip(self.output.chunks_exact_mut(self.width)) {
            let e = (R::load(simd, &x[columns.clone()]) - shift).exp_of_negative();
            sum = sum + e;
            if self.kind == Kind::Softmax {
                R::store(e, &mut y[columns.clone()]);
            }
        }
        let total = &mut stats.total[columns];
        R::store(R::load(simd, total) + sum, total);
    }
}

/// Takes the statistics of another block in: of those of two blocks, the sum that belongs to the
/// smaller m is scaled.
pub(super) struct Merge<'a, T> {
    pub(super) into: [&'a mut [T]; 2],
    pub(super) other: [&'a [T]; 2],
}

impl<T: Float> WithSimd for Merge<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [into_largest, into_total] = self.into;
        let [other_largest, other_total] = self.other;
        let (width, lanes) = (other_total.len(), T::width::<S>());
        for column in (0..width).step_by(lanes) {
            let columns = column..width.min(column + lanes);
            let mut total = Lanes::splat(simd, T::ZERO);
            let before = T::load(simd, &into_largest[columns.clone()]);
            let other = T::load(simd, &other_largest[columns.clone()]);
            let largest = before.max(other);
            let totals = [&*into_total, other_total];
            for (m, t) in [before, other].into_iter().zip(totals) {
                let t = T::load(simd, &t[columns.clone()]);
                // Equal infinities have no distance.
                total = total + Lanes::select(m.equal(largest), t, t * (m - largest).exp());
            }
            T::store(largest, &mut into_largest[columns.clone()]);
            T::store(total, &mut into_total[columns]);
        }
    }
}

/// One register of `T`s, or four in step.
trait Registers<T>: LaneFloat {
    /// Loads at most as many numbers as they hold; four in step are loaded whole.
    fn load<S: Simd>(simd: S, slice: &[T]) -> Lanes<S, Self>;
    /// Stores as many.
    fn store<S: Simd>(lanes: Lanes<S, Self>, slice: &mut [T]);
}

impl<T: Float> Registers<T> for T {
    #[inline(always)]
    fn load<S: Simd>(simd: S, slice: &[T]) -> Lanes<S, T> {
        match T::split::<S>(slice) {
            ([vector, ..], _) => Lanes::new(simd, *vector),
            (_, rest) => Lanes::load_partial(simd, rest),
        }
    }
    #[inline(always)]
    fn store<S: Simd>(lanes: Lanes<S, T>, slice: &mut [T]) {
        match T::split_mut::<S>(slice) {
            ([vector, ..], _) => *vector = lanes.vector,
            (_, rest) => lanes.store_partial(rest),
        }
    }
}

impl<T: Float> Registers<T> for InStep<T> {
    #[inline(always)]
    fn load<S: Simd>(simd: S, slice: &[T]) -> Lanes<S, Self> {
        match Self::split::<S>(slice).0 {
            [four, ..] => Lanes::new(simd, *four),
            [] => Lanes::splat(simd, InStep(T::ZERO)),
        }
    }
    #[inline(always)]
    fn store<S: Simd>(lanes: Lanes<S, Self>, slice: &mut [T]) {
        if let Some(four) = Self::split_mut::<S>(slice).0.first_mut() {
            *four = lanes.vector;
        }
    }
}
