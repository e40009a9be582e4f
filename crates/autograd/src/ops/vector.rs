//! Products of two vectors.

use macula_tensor::{Float, Result};

use crate::node::HandOn;
use crate::saved::{Keep, Saved};
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
        let rule = |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            saved.factors(hand_on, |b| upstream.mul(b), |a| upstream.mul(a))
        };
        let keep = Keep::factors(self, other);
        Self::record_any("dot", &[self, other], value, keep, rule)
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
        let rule = |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            let columns = upstream.transpose(0, 1)?;
            saved.factors(hand_on, |b| upstream.matmul(b), |a| columns.matmul(a))
        };
        let keep = Keep::factors(self, other);
        Self::record_any("outer", &[self, other], value, keep, rule)
    }
}
