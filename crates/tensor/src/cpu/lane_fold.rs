//! Reductions of floats: a formula of each element and an associative operation, on registers.

use pulp::{Simd, WithSimd};

use super::fold::Reduction;
use super::lanes::{Lanes, dispatch, first_lanes, prefetch_after};
use crate::element::Float;
use crate::pointwise::Pointwise;
use crate::scalar::Scalar;

/// An associative operation on floats.
pub(crate) trait Fold: Copy + Send + Sync {
    /// Combined with x, it gives x.
    const START: f64;
    fn combine<S: Scalar>(a: S, b: S) -> S;
}

/// Defines associative operations on floats.
macro_rules! folds {
    ($($(#[$doc:meta])* $Name:ident $start:expr, ($a:ident, $b:ident) $combined:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $Name;

        impl Fold for $Name {
            const START: f64 = $start;
            #[inline(always)]
            fn combine<S: Scalar>($a: S, $b: S) -> S {
                $combined
            }
        }
    )*};
}

folds! {
    Sum 0.0, (a, b) a + b;
    Product 1.0, (a, b) a * b;
    /// The larger; NaN if either is.
    Larger f64::NEG_INFINITY, (a, b) a.max(b);
    /// The smaller; NaN if either is.
    Smaller f64::INFINITY, (a, b) a.min(b);
}

/// The formula under a fold.
pub(crate) trait Summand: Copy + Send + Sync {
    /// Whether the formula uses its second argument.
    const CENTRED: bool = false;
    fn value<S: Scalar>(&self, x: S, centre: S) -> S;
}

/// x itself.
#[derive(Clone, Copy)]
pub(crate) struct Itself;

impl Summand for Itself {
    #[inline(always)]
    fn value<S: Scalar>(&self, x: S, _: S) -> S {
        x
    }
}

/// A pointwise formula.
#[derive(Clone, Copy)]
pub(crate) struct Mapped<F>(pub(crate) F);

impl<F: Pointwise<1>> Summand for Mapped<F> {
    #[inline(always)]
    fn value<S: Scalar>(&self, x: S, _: S) -> S {
        self.0.eval([x])
    }
}

/// (x − centre)².
#[derive(Clone, Copy)]
pub(crate) struct SquaredDistance;

impl Summand for SquaredDistance {
    const CENTRED: bool = true;
    #[inline(always)]
    fn value<S: Scalar>(&self, x: S, centre: S) -> S {
        (x - centre).square()
    }
}

/// e^(x − centre).
#[derive(Clone, Copy)]
pub(crate) struct ExpDistance;

impl Summand for ExpDistance {
    const CENTRED: bool = true;
    #[inline(always)]
    fn value<S: Scalar>(&self, x: S, centre: S) -> S {
        (x - centre).exp()
    }
}

/// A formula of each element and an associative operation on registers.
#[derive(Clone, Copy)]
pub(crate) struct LaneFold<M, F> {
    pub(crate) summand: M,
    pub(crate) fold: F,
}

impl<F: Fold> LaneFold<Itself, F> {
    pub(crate) fn of(fold: F) -> Self {
        Self {
            summand: Itself,
            fold,
        }
    }
}

impl<T: Float, M: Summand, F: Fold> Reduction<T> for LaneFold<M, F> {
    type Output = T;
    type Combine = LaneFold<Itself, F>;
    const CENTRED: bool = M::CENTRED;

    fn start(&self) -> T {
        T::from_f64(F::START)
    }

    fn combine(&self) -> LaneFold<Itself, F> {
        LaneFold::of(self.fold)
    }

    fn rows(&self, elements: &[T], length: usize, centres: &[T], output: &mut [T]) {
        dispatch(Rows {
            fold: *self,
            elements,
            length,
            centres,
            output,
        });
    }

    fn columns<const N: usize>(&self, rows: [&[T]; N], centres: &[T], accumulators: &mut [T]) {
        dispatch(Columns {
            fold: *self,
            rows,
            centres,
            accumulators,
        });
    }
}

/// Registers that are added up side by side, so that an addition need not wait for the one before.
const UNROLL: usize = 8;

struct Rows<'a, T, M, F> {
    fold: LaneFold<M, F>,
    elements: &'a [T],
    length: usize,
    centres: &'a [T],
    output: &'a mut [T],
}

impl<T: Float, M: Summand, F: Fold> WithSimd for Rows<'_, T, M, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.elements.chunks_exact(self.length);
        for (index, (row, to)) in rows.zip(self.output).enumerate() {
            let centre = if M::CENTRED {
                self.centres[index.min(self.centres.len() - 1)]
            } else {
                T::ZERO
            };
            *to = self.fold.row(simd, row, centre);
        }
    }
}

impl<M: Summand, F: Fold> LaneFold<M, F> {
    /// Folds a row. Each of the [`UNROLL`] registers takes every eighth register of the row; they
    /// are combined in pairs, and so are the numbers in the last one.
    #[inline(always)]
    pub(crate) fn row<S: Simd, T: Float>(&self, simd: S, row: &[T], centre: T) -> T {
        let start = Lanes::splat(simd, T::from_f64(F::START));
        let centre = Lanes::splat(simd, centre);
        let (vectors, rest) = T::split::<S>(row);
        let (groups, vectors) = vectors.as_chunks::<UNROLL>();
        let mut total = start;
        if !groups.is_empty() {
            let mut sums = [start; UNROLL];
            for group in groups {
                for k in 0..UNROLL {
                    prefetch_after(simd, &group[k], 1);
                    let x = Lanes::new(simd, group[k]);
                    sums[k] = F::combine(sums[k], self.summand.value(x, centre));
                }
            }
            total = halve::<_, F, UNROLL>(sums);
        }
        for &vector in vectors {
            let x = Lanes::new(simd, vector);
            total = F::combine(total, self.summand.value(x, centre));
        }
        if !rest.is_empty() {
            let x = Lanes::load_partial(simd, rest);
            let value = self.summand.value(x, centre);
            let there = first_lanes::<S, T>(simd, rest.len());
            total = F::combine(total, Lanes::select(there, value, start));
        }
        total.fold(F::combine).first()
    }
}

/// The values of an array, combined in pairs.
#[inline(always)]
fn halve<S: Scalar, F: Fold, const N: usize>(mut values: [S; N]) -> S {
    let mut half = N / 2;
    while half > 0 {
        for k in 0..half {
            values[k] = F::combine(values[k], values[k + half]);
        }
        half /= 2;
    }
    values[0]
}

struct Columns<'a, T, M, F, const N: usize> {
    fold: LaneFold<M, F>,
    rows: [&'a [T]; N],
    centres: &'a [T],
    accumulators: &'a mut [T],
}

impl<T: Float, M: Summand, F: Fold, const N: usize> WithSimd for Columns<'_, T, M, F, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let summand = self.fold.summand;
        let zero = Lanes::splat(simd, T::ZERO);
        let (sums, sums_rest) = T::split_mut::<S>(self.accumulators);
        let (centres, centres_rest) = T::split::<S>(self.centres);
        let rows = self.rows.map(|row| T::split::<S>(row));
        let vectors = rows.map(|(vectors, _)| &vectors[..sums.len()]);
        let rests = rows.map(|(_, rest)| rest);
        // Loops, because a closure that computes with lanes is not always inlined.
        let mut values = [zero; N];
        for (index, sum) in sums.iter_mut().enumerate() {
            let centre = if M::CENTRED {
                Lanes::new(simd, centres[index])
            } else {
                zero
            };
            for k in 0..N {
                prefetch_after(simd, &vectors[k][index], N);
                values[k] = summand.value(Lanes::new(simd, vectors[k][index]), centre);
            }
            *sum = F::combine(Lanes::new(simd, *sum), halve::<_, F, N>(values)).vector;
        }
        if !sums_rest.is_empty() {
            let centre = if M::CENTRED {
                Lanes::load_partial(simd, centres_rest)
            } else {
                zero
            };
            for k in 0..N {
                values[k] = summand.value(Lanes::load_partial(simd, rests[k]), centre);
            }
            let sum = Lanes::load_partial(simd, sums_rest);
            F::combine(sum, halve::<_, F, N>(values)).store_partial(sums_rest);
        }
    }
}
