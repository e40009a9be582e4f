//! Means and variances.

use macula_tensor::shape::Sizes;
use macula_tensor::{Axes, Float, Result, keep};

use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The mean of the elements along `axes`; NaN where there are none.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    #[track_caller]
    pub fn mean(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into();
        let wide = Sizes::from_slice(self.shape());
        let kept = axes.kept_shape("mean", &wide)?;
        let value = self.value().mean(axes)?;
        let share = value.count() as f64 / self.value().count() as f64;
        Self::record("mean", [self], value, Keep::Nothing, move |upstream, _| {
            let each = upstream.mul_scalar(share)?;
            Ok([Some(each.reshape(&kept)?.expand(&wide)?)])
        })
    }

    /// The variance of the elements along `axes`, Σ(x − mean)² / (n − correction); NaN where
    /// `n ≤ correction`.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    #[track_caller]
    pub fn var(&self, axes: impl Into<Axes>, correction: usize) -> Result<Self> {
        let axes = axes.into();
        let kept = axes.kept_shape("var", self.shape())?;
        let value = self.value().var(axes.clone(), correction)?;
        let count = self.value().count() / value.count().max(1);
        let slope = match count.saturating_sub(correction) {
            0 => f64::NAN,
            freedom => 2.0 / freedom as f64,
        };
        let rule = move |upstream: &Self, saved: &crate::Saved<T>| {
            let x = saved.input(0)?;
            let mean = |x: &Self| x.mean(keep(axes.clone()));
            // A mean of large numbers is rounded; what it is off by is the mean of what is left.
            let distance = x.sub(&mean(&x)?)?;
            let distance = distance.sub(&mean(&distance)?)?;
            let each = upstream.mul_scalar(slope)?.reshape(&kept)?;
            Ok([Some(distance.mul(&each)?)])
        };
        Self::record("var", [self], value, Keep::Inputs, rule)
    }

    /// The standard deviation of the elements along `axes`, the root of [`var`](Self::var).
    ///
    /// # Gradient
    /// Infinite or NaN where all elements are equal, because the root has no slope at 0.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    #[track_caller]
    pub fn std(&self, axes: impl Into<Axes>, correction: usize) -> Result<Self> {
        self.var(axes, correction)?.sqrt()
    }
}
