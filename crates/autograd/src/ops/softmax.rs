//! The softmax family.

use macula_tensor::{Axes, Float, Result, keep};

use crate::rows::Rows;
use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// ln Σ e^x along `axes`; no overflow, and −∞ counts as nothing.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    #[track_caller]
    pub fn logsumexp(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into();
        let kept = axes.kept_shape("logsumexp", self.shape())?;
        let value = self.value().logsumexp(axes)?;
        let rows = Rows::of(self.shape(), &kept);
        let rule = move |upstream: &Self, saved: &crate::Saved<T>| {
            let shares = rows.scatter(&rows.gather(&saved.input(0)?)?.softmax(1)?)?;
            Ok([Some(upstream.reshape(&kept)?.mul(&shares)?)])
        };
        Self::record("logsumexp", [self], value, Keep::Inputs, rule)
    }

    /// e^x / Σ e^x along one axis.
    ///
    /// # Numerics
    /// The gradient yⱼ·(uⱼ − Σ yₖ·uₖ) does not change when one number is subtracted from all u.
    /// With that of the likeliest class no digits are lost where its y is nearly 1.
    ///
    /// # Errors
    /// The axis must exist.
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Result<Self> {
        let value = self.value().softmax(axis)?;
        let rule = move |upstream: &Self, saved: &crate::Saved<T>| {
            let y = saved.output()?;
            if y.value().is_empty() {
                return Ok([Some(upstream.clone())]);
            }
            let likeliest = y.value().argmax(keep(axis))?;
            let centred = upstream.sub(&upstream.gather(axis, &likeliest)?)?;
            let mean = y.mul(&centred)?.sum(keep(axis))?;
            Ok([Some(y.mul(&centred.sub(&mean)?)?)])
        };
        Self::record("softmax", [self], value, Keep::Output, rule)
    }

    /// x − ln Σ e^x along one axis.
    ///
    /// # Errors
    /// The axis must exist.
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Result<Self> {
        let value = self.value().log_softmax(axis)?;
        let rule = move |upstream: &Self, saved: &crate::Saved<T>| {
            let shares = saved.input(0)?.softmax(axis)?;
            let total = upstream.sum(keep(axis))?;
            Ok([Some(upstream.sub(&shares.mul(&total)?)?)])
        };
        Self::record("log_softmax", [self], value, Keep::Inputs, rule)
    }
}
