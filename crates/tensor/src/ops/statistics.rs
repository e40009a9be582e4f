//! Means, variances and the logarithm of a sum of exponentials.

use super::axes::{Axes, keep};
use super::reduce::reduce;
use crate::cpu::lane_fold::{ExpDistance, LaneFold, Larger, SquaredDistance, Sum};
use crate::element::Float;
use crate::error::Result;
use crate::pointwise::Pointwise;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The mean of the elements along `axes`, Σx / n; NaN where there are none.
    ///
    /// # Numerics
    /// The sum is formed first: where it overflows, the mean is infinite though every element is
    /// finite.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    pub fn mean(&self, axes: impl Into<Axes>) -> Result<Self> {
        self.mean_along("mean", axes.into())
    }

    fn mean_along(&self, op: &'static str, axes: Axes) -> Result<Self> {
        let axes = self.reduced(op, axes)?;
        let sum = reduce(op, self, &axes, LaneFold::of(Sum), None)?;
        sum.divided(axes.count as f64)
    }

    /// The variance of the elements along `axes`, Σ(x − mean)² / (n − correction).
    ///
    /// A correction of 1 estimates the variance of a population without bias from a sample of it;
    /// 0 gives the variance of the elements themselves. NaN where `n ≤ correction`.
    ///
    /// # Numerics
    /// The mean is found first and the squares are taken about it, so nothing cancels. The relative
    /// error is that of the two sums, plus (ε·mean/std)². It is infinite or NaN where the sum of the
    /// elements or that of the squares overflows: in `f32` where one is 1.8e19 from the mean, and for
    /// two elements of 3e38, though they are equal.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    pub fn var(&self, axes: impl Into<Axes>, correction: usize) -> Result<Self> {
        self.variance("var", axes.into(), correction)
    }

    fn variance(&self, op: &'static str, given: Axes, correction: usize) -> Result<Self> {
        let axes = self.reduced(op, given.clone())?;
        let mean = self.mean_along(op, keep(given))?;
        let fold = LaneFold {
            summand: SquaredDistance,
            fold: Sum,
        };
        let squares = reduce(op, self, &axes, fold, Some(&mean))?;
        match axes.count.saturating_sub(correction) {
            0 => squares.divided(f64::NAN),
            freedom => squares.divided(freedom as f64),
        }
    }

    /// The standard deviation of the elements along `axes`, the root of [`var`](Self::var).
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    pub fn std(&self, axes: impl Into<Axes>, correction: usize) -> Result<Self> {
        self.variance("std", axes.into(), correction)?.sqrt()
    }

    /// ln Σ e^x along `axes`; −∞ where there are no elements, or all are −∞.
    ///
    /// # Numerics
    /// m + ln Σ e^(x − m) with the largest element m, so that no exponential overflows and the
    /// largest is 1. An infinite m is left out: +∞ gives +∞. NaN if any element is NaN.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    pub fn logsumexp(&self, axes: impl Into<Axes>) -> Result<Self> {
        const OP: &str = "logsumexp";
        let axes = axes.into();
        let reduced = self.reduced(OP, axes.clone())?;
        if reduced.count == 0 {
            return Tensor::full(&reduced.sizes, T::from_f64(f64::NEG_INFINITY));
        }
        let kept = self.reduced(OP, keep(axes))?;
        let largest = reduce(OP, self, &kept, LaneFold::of(Larger), None)?;
        let largest = largest.map(FiniteOrZero)?;
        let fold = LaneFold {
            summand: ExpDistance,
            fold: Sum,
        };
        let sum = reduce(OP, self, &reduced, fold, Some(&largest))?;
        largest.reshape(sum.shape())?.zip(&sum, PlusLn)
    }

    /// The elements divided by a number.
    fn divided(mut self, divisor: f64) -> Result<Self> {
        for x in self.make_mut()? {
            *x = T::from_f64(x.to_f64() / divisor);
        }
        Ok(self)
    }
}

/// x where it is finite, else 0.
#[derive(Clone, Copy, Debug)]
struct FiniteOrZero;

impl Pointwise<1> for FiniteOrZero {
    const NAME: &'static str = "finite_or_zero";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        let zero = x.constant(0.0);
        // 0 · x is NaN for infinities and for NaN.
        S::select((x * 0.0).equal(zero), x, zero)
    }
}

/// a + ln b.
#[derive(Clone, Copy, Debug)]
struct PlusLn;

impl Pointwise<2> for PlusLn {
    const NAME: &'static str = "plus_ln";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [a, b]: [S; 2]) -> S {
        a + b.ln()
    }
}
