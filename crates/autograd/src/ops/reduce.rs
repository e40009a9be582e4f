//! Reductions and their opposite, expanding.

use macula_tensor::shape::Sizes;
use macula_tensor::{Axes, Float, Result};

use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The sum of the elements along `axes`.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    #[track_caller]
    pub fn sum(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into();
        let wide = Sizes::from_slice(self.shape());
        let kept = axes.kept_shape("sum", &wide)?;
        let value = self.value().sum(axes)?;
        Self::record("sum", [self], value, Keep::Nothing, move |upstream, _| {
            Ok([Some(upstream.reshape(&kept)?.expand(&wide)?)])
        })
    }

    /// The mean of the elements along `axes`; NaN where there are none.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    #[track_caller]
    pub fn mean(&self, axes: impl Into<Axes>) -> Result<Self> {
        let sum = self.sum(axes)?;
        let count = self.value().count() as f64 / sum.value().count() as f64;
        sum.mul_scalar(count.recip())
    }

    /// The sum over the axes along which `shape` would be expanded to this shape.
    ///
    /// # Errors
    /// `shape` must broadcast to this variable's shape.
    #[track_caller]
    pub fn sum_to(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        let wide = Sizes::from_slice(self.shape());
        let value = self.value().sum_to(shape)?;
        Self::record(
            "sum_to",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.expand(&wide)?)]),
        )
    }

    /// The elements repeated along new leading axes and along axes of size 1.
    ///
    /// # Errors
    /// This variable's shape must broadcast to `shape`.
    #[track_caller]
    pub fn expand(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        let value = self.value().expand(shape)?;
        // The sweep sums a gradient back to its input's shape, which is all there is to do.
        Self::record("expand", [self], value, Keep::Nothing, |upstream, _| {
            Ok([Some(upstream.clone())])
        })
    }
}
