//! Whether numbers are equal but for a tolerance.

use super::compare::binary;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// How far two numbers may lie apart to count as close: a and b are where they are equal, or
/// |a − b| ≤ `absolute` + `relative` · |b|.
///
/// By default 10⁻⁵ of b and 10⁻⁸, and NaN is close to nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// The part of |b|.
    pub relative: f64,
    /// The distance that is allowed anyway.
    pub absolute: f64,
    /// Whether NaN is close to NaN.
    pub equal_nan: bool,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            relative: 1e-5,
            absolute: 1e-8,
            equal_nan: false,
        }
    }
}

impl Tolerance {
    /// Whether the numbers are tolerances.
    fn checked(self, op: &'static str) -> Result<Self> {
        if self.relative >= 0.0 && self.absolute >= 0.0 {
            return Ok(self);
        }
        Err(Error::Argument {
            op,
            argument: "relative, absolute",
            expected: "at least 0".into(),
            found: format!("{}, {}", self.relative, self.absolute),
        })
    }

    fn allows(self, a: f64, b: f64) -> bool {
        let distance = (a - b).abs();
        // An infinity would allow everything.
        let near = distance.is_finite() && distance <= self.absolute + self.relative * b.abs();
        a == b || near || self.equal_nan && a.is_nan() && b.is_nan()
    }
}

impl<T: Float> Tensor<T> {
    /// Where the numbers are as close to those of `other` as a [`Tolerance`] says.
    ///
    /// # Numerics
    /// Compared in `f64`, for `f32` as well.
    ///
    /// # Errors
    /// The shapes must broadcast, and the tolerances be at least 0.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Tensor, Tolerance};
    ///
    /// let (a, b) = (Tensor::from([1.0, 2.0]), Tensor::from([1.000_001, 2.1]));
    /// assert_eq!(a.is_close(&b, Tolerance::default())?.to_vec()?, [true, false]);
    /// assert!(!a.all_close(&b, Tolerance::default())?);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "isclose")]
    pub fn is_close(&self, other: &Self, tolerance: Tolerance) -> Result<Tensor<bool>> {
        let tolerance = tolerance.checked("is_close")?;
        binary("is_close", self, other, move |a: T, b: T| {
            tolerance.allows(a.to_f64(), b.to_f64())
        })
    }

    /// Whether all numbers are as close to those of `other` as a [`Tolerance`] says.
    ///
    /// # Errors
    /// Those of [`is_close`](Self::is_close).
    #[doc(alias = "allclose")]
    pub fn all_close(&self, other: &Self, tolerance: Tolerance) -> Result<bool> {
        self.is_close(other, tolerance)?.all(..)?.item()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_numbers_are_equal_or_near_the_second() {
        let inf = f64::INFINITY;
        let a = Tensor::from([1.0, 100.0, inf, inf, -inf, f64::NAN, 0.0, 1e-9]);
        let b = Tensor::from([1.2, 110.0, inf, 1.0, inf, f64::NAN, 1e-9, 0.0]);
        let close = |tolerance| a.is_close(&b, tolerance).unwrap().to_vec().unwrap();
        let standard = Tolerance::default();
        let equal = [false, false, true, false, false, false, true, true];
        assert_eq!(close(standard), equal);
        let tenth = Tolerance {
            relative: 0.1,
            equal_nan: true,
            ..standard
        };
        let near = [false, true, true, false, false, true, true, true];
        assert_eq!(close(tenth), near);
        // 10 is a tenth of 100, and less than a tenth of 110.
        let (x, y) = (Tensor::scalar(110.0), Tensor::scalar(99.0));
        assert_eq!(x.all_close(&y, tenth), Ok(false));
        assert_eq!(y.all_close(&x, tenth), Ok(true));
        let negative = Tolerance {
            absolute: -1.0,
            ..standard
        };
        assert_eq!(
            a.is_close(&b, negative).map(drop).unwrap_err().to_string(),
            "is_close: relative, absolute must be at least 0, found 0.00001, -1"
        );
        let nothing = Tensor::<f32>::zeros([0]).unwrap();
        assert_eq!(nothing.all_close(&nothing, standard), Ok(true));
    }
}
