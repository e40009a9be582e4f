//! The softmax family.

use macula_tensor::{Float, Result};

use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// ln Σ e^x along one axis, which is dropped; no overflow, and −∞ counts as nothing.
    ///
    /// # Errors
    /// The axis must exist.
    #[track_caller]
    pub fn logsumexp(&self, axis: isize) -> Result<Self> {
        let value = self.value().logsumexp(axis)?;
        Self::record(
            "logsumexp",
            [self],
            value,
            Keep::Inputs,
            move |upstream, saved| {
                let shares = saved.input(0)?.softmax(axis)?;
                Ok([Some(upstream.unsqueeze(axis)?.mul(&shares)?)])
            },
        )
    }

    /// e^x / Σ e^x along one axis.
    ///
    /// # Errors
    /// The axis must exist.
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Result<Self> {
        let value = self.value().softmax(axis)?;
        Self::record(
            "softmax",
            [self],
            value,
            Keep::Output,
            move |upstream, saved| {
                let y = saved.output()?;
                let weighted = upstream.mul(&y)?;
                let total = weighted.sum(macula_tensor::keep(axis))?;
                Ok([Some(weighted.sub(&y.mul(&total)?)?)])
            },
        )
    }

    /// x − ln Σ e^x along one axis.
    ///
    /// # Errors
    /// The axis must exist.
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Result<Self> {
        let value = self.value().log_softmax(axis)?;
        Self::record(
            "log_softmax",
            [self],
            value,
            Keep::Output,
            move |upstream, saved| {
                let total = upstream.sum(macula_tensor::keep(axis))?;
                let shares = saved.output()?.exp()?;
                Ok([Some(upstream.sub(&shares.mul(&total)?)?)])
            },
        )
    }
}
