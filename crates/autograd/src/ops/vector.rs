//! Products of two vectors.

use macula_tensor::{Float, Result};

use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The inner product of two vectors, Σ aᵢ·bᵢ, of rank 0.
    ///
    /// # Gradient
    /// ∂a = g·b and ∂b = g·a.
    ///
    /// # Errors
    /// Both must have one axis, of one length.
    #[track_caller]
    pub fn dot(&self, other: &Self) -> Result<Self> {
        let value = self.value().dot(other.value())?;
        let keep = Keep::factors(self, other);
        Self::record("dot", [self, other], value, keep, |upstream, saved| {
            let times = |index| upstream.mul(&saved.input(index)?);
            let side = |index, other| saved.needs(index).then(|| times(other)).transpose();
            Ok([side(0, 1)?, side(1, 0)?])
        })
    }

    /// The outer product of two vectors of lengths m and n: the matrix \[m, n\] of all aᵢ·bⱼ.
    ///
    /// # Gradient
    /// ∂a = g · b and ∂b = gᵀ · a, matrix times vector.
    ///
    /// # Errors
    /// Both must have one axis.
    #[track_caller]
    pub fn outer(&self, other: &Self) -> Result<Self> {
        let value = self.value().outer(other.value())?;
        let keep = Keep::factors(self, other);
        Self::record("outer", [self, other], value, keep, |upstream, saved| {
            let rows = || upstream.matmul(&saved.input(1)?);
            let columns = || upstream.transpose(0, 1)?.matmul(&saved.input(0)?);
            Ok([
                saved.needs(0).then(rows).transpose()?,
                saved.needs(1).then(columns).transpose()?,
            ])
        })
    }
}
