//! Sums, products and extremes along axes, and the opposite, expanding.

use macula_tensor::shape::Sizes;
use macula_tensor::{Axes, Float, Result, Tensor};

use crate::rows::{Rows, shares};
use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The sum of the elements along `axes`; 0 where there are none.
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

    /// The product of the elements along `axes`; 1 where there are none.
    ///
    /// # Gradient
    /// For each element the product of those before and of those after it: nothing is divided, so
    /// zeros among the elements do no harm.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    #[track_caller]
    pub fn prod(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into();
        let kept = axes.kept_shape("prod", self.shape())?;
        let value = self.value().prod(axes)?;
        let rows = Rows::of(self.shape(), &kept);
        let rule = move |upstream: &Self, saved: &crate::Saved<T>| {
            let x = rows.gather(&saved.input(0)?)?;
            let Some(length) = x.shape()[1].checked_sub(1) else {
                return Ok([Some(saved.input(0)?.mul_scalar(0.0)?)]);
            };
            let ones = [(0, 0), (1, 0)];
            let before = x.narrow(1, 0, length)?.pad(ones, 1.0)?.cumprod(1)?;
            let after = x.narrow(1, 1, length)?.flip([1])?.pad(ones, 1.0)?;
            let others = before.mul(&after.cumprod(1)?.flip([1])?)?;
            let others = rows.scatter(&others)?;
            Ok([Some(others.mul(&upstream.reshape(&kept)?)?)])
        };
        Self::record("prod", [self], value, Keep::Inputs, rule)
    }

    /// The largest element along `axes`; equal ones share the gradient.
    ///
    /// # Errors
    /// Each axis must exist, be named once and have at least one element.
    #[track_caller]
    pub fn amax(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into();
        let value = self.value().amax(axes.clone())?;
        self.extreme("amax", axes, value)
    }

    /// The smallest element along `axes`; equal ones share the gradient.
    ///
    /// # Errors
    /// Each axis must exist, be named once and have at least one element.
    #[track_caller]
    pub fn amin(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into();
        let value = self.value().amin(axes.clone())?;
        self.extreme("amin", axes, value)
    }

    #[track_caller]
    fn extreme(&self, name: &'static str, axes: Axes, value: Tensor<T>) -> Result<Self> {
        let kept = axes.kept_shape(name, self.shape())?;
        let rule = move |upstream: &Self, saved: &crate::Saved<T>| {
            let (x, extreme) = (saved.input(0)?, saved.output()?.value().reshape(&kept)?);
            let shares = shares(&x.value().eq(&extreme)?, &kept)?;
            Ok([Some(saved.constant(shares).mul(&upstream.reshape(&kept)?)?)])
        };
        Self::record(name, [self], value, Keep::Both, rule)
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
