//! What reductions do with slices.
//!
//! A [`Reduction`] folds rows to one value each, or folds rows into a row of accumulators; which
//! rows, and in which order, is decided in [`reduce`](super::reduce). There are two kinds:
//! [`LaneFold`](super::lane_fold::LaneFold) is a formula and an associative operation on registers
//! of floats; [`EachFold`] is the same for integers and truth values, where the order does not
//! matter and the compiler finds the registers itself.

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::lanes::dispatch;
use crate::element::Element;

/// A reduction of `T`s.
pub(crate) trait Reduction<T: Element>: Copy + Send + Sync {
    /// What comes out.
    type Output: Element;
    /// The reduction that brings partial results together.
    type Combine: Reduction<Self::Output, Output = Self::Output>;
    /// Whether each result depends on a number of its own, its centre.
    const CENTRED: bool = false;

    /// The value of nothing: combined with any value, it leaves that as it is.
    fn start(&self) -> Self::Output;

    fn combine(&self) -> Self::Combine;

    /// Folds each run of `length` elements to one value. Where results have a centre, `centres` holds
    /// one for each run, or one for all.
    fn rows(
        &self,
        elements: &[T],
        length: usize,
        centres: &[Self::Output],
        output: &mut [Self::Output],
    );

    /// Folds `N` rows into a row of accumulators of the same length.
    fn columns<const N: usize>(
        &self,
        rows: [&[T]; N],
        centres: &[Self::Output],
        accumulators: &mut [Self::Output],
    );
}

/// An associative operation on integers or truth values.
pub(crate) trait Join<O>: Copy + Send + Sync {
    /// Joined with x, it gives x.
    const START: O;
    fn join(a: O, b: O) -> O;
}

/// Defines associative operations on integers and truth values.
macro_rules! joins {
    ($($(#[$doc:meta])* $Name:ident: $O:ident $start:expr, ($a:ident, $b:ident) $joined:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(crate) struct $Name;

        impl Join<$O> for $Name {
            const START: $O = $start;
            #[inline(always)]
            fn join($a: $O, $b: $O) -> $O {
                $joined
            }
        }
    )*};
}

joins! {
    /// The sum modulo 2⁶⁴.
    WrappingSum: i64 0, (a, b) a.wrapping_add(b);
    /// The product modulo 2⁶⁴.
    WrappingProduct: i64 1, (a, b) a.wrapping_mul(b);
    Largest: i64 i64::MIN, (a, b) a.max(b);
    Smallest: i64 i64::MAX, (a, b) a.min(b);
    Or: bool false, (a, b) a | b;
    And: bool true, (a, b) a & b;
}

/// What is joined.
pub(crate) trait Value<T>: Copy + Send + Sync {
    type Output: Element;
    fn value(x: T) -> Self::Output;
}

/// x itself.
#[derive(Clone, Copy)]
pub(crate) struct Plain;

impl<T: Element> Value<T> for Plain {
    type Output = T;
    #[inline(always)]
    fn value(x: T) -> T {
        x
    }
}

/// Whether x is not 0 (not `false`).
#[derive(Clone, Copy)]
pub(crate) struct Truth;

impl<T: Element> Value<T> for Truth {
    type Output = bool;
    #[inline(always)]
    fn value(x: T) -> bool {
        x != T::ZERO
    }
}

/// 1 where x is not 0 (not `false`), else 0.
#[derive(Clone, Copy)]
pub(crate) struct NonZero;

impl<T: Element> Value<T> for NonZero {
    type Output = i64;
    #[inline(always)]
    fn value(x: T) -> i64 {
        i64::from(x != T::ZERO)
    }
}

/// A value of each element and an associative operation, element by element.
#[derive(Clone, Copy)]
pub(crate) struct EachFold<V, J>(PhantomData<(V, J)>);

impl<V, J> EachFold<V, J> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Element, V: Value<T>, J: Join<V::Output>> Reduction<T> for EachFold<V, J> {
    type Output = V::Output;
    type Combine = EachFold<Plain, J>;

    fn start(&self) -> V::Output {
        J::START
    }

    fn combine(&self) -> EachFold<Plain, J> {
        EachFold::new()
    }

    fn rows(&self, elements: &[T], length: usize, _: &[V::Output], output: &mut [V::Output]) {
        dispatch(Rows {
            _fold: self.0,
            elements,
            length,
            output,
        });
    }

    fn columns<const N: usize>(
        &self,
        rows: [&[T]; N],
        _: &[V::Output],
        accumulators: &mut [V::Output],
    ) {
        dispatch(Columns {
            _fold: self.0,
            rows,
            accumulators,
        });
    }
}

struct Rows<'a, T, O, F> {
    _fold: PhantomData<F>,
    elements: &'a [T],
    length: usize,
    output: &'a mut [O],
}

impl<T: Element, V: Value<T>, J: Join<V::Output>> WithSimd for Rows<'_, T, V::Output, (V, J)> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (row, to) in self.elements.chunks_exact(self.length).zip(self.output) {
            let mut joined = J::START;
            for &x in row {
                joined = J::join(joined, V::value(x));
            }
            *to = joined;
        }
    }
}

struct Columns<'a, T, O, F, const N: usize> {
    _fold: PhantomData<F>,
    rows: [&'a [T]; N],
    accumulators: &'a mut [O],
}

impl<T: Element, V: Value<T>, J: Join<V::Output>, const N: usize> WithSimd
    for Columns<'_, T, V::Output, (V, J), N>
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.rows {
            for (to, &x) in self.accumulators.iter_mut().zip(row) {
                *to = J::join(*to, V::value(x));
            }
        }
    }
}
