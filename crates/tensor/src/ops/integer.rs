//! Arithmetic of integers: it wraps around at the ends of the range, as two's complement does.

use super::compare::binary;
use crate::error::Result;
use crate::tensor::Tensor;

impl Tensor<i64> {
    /// a + b.
    ///
    /// # Errors
    /// The shapes must broadcast.
    pub fn add(&self, other: &Self) -> Result<Self> {
        binary("add", self, other, i64::wrapping_add)
    }

    /// a − b.
    ///
    /// # Errors
    /// The shapes must broadcast.
    pub fn sub(&self, other: &Self) -> Result<Self> {
        binary("sub", self, other, i64::wrapping_sub)
    }

    /// a · b.
    ///
    /// # Errors
    /// The shapes must broadcast.
    pub fn mul(&self, other: &Self) -> Result<Self> {
        binary("mul", self, other, i64::wrapping_mul)
    }
}
