//! Division of floats with remainder.
//!
//! What a truncated division leaves is exact, however large the quotient; a formula of lanes has no
//! such operation, and a product of the rounded quotient would be off by more than the divisor.

use super::compare::binary;
use crate::element::Float;
use crate::error::Result;
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// a − b·⌊a / b⌋, which has the sign of b, as `%` in Python. NaN where b is 0 or a infinite.
    ///
    /// # Numerics
    /// What is left of a truncated division is exact; where it has the other sign, b is added, and
    /// the sum rounded once.
    ///
    /// # Errors
    /// The shapes must broadcast.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let (x, three) = (Tensor::from([7.5, -7.5]), Tensor::scalar(3.0));
    /// assert_eq!(x.floor_divide(&three)?.to_vec()?, [2.0, -3.0]);
    /// assert_eq!(x.remainder(&three)?.to_vec()?, [1.5, 1.5]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "mod")]
    pub fn remainder(&self, other: &Self) -> Result<Self> {
        binary("remainder", self, other, |a: T, b: T| {
            T::from_f64(remainder(a.to_f64(), b.to_f64()))
        })
    }

    /// ⌊a / b⌋, as `//` in Python: the integer that goes with [`remainder`](Self::remainder). a / b
    /// where b is 0.
    ///
    /// # Numerics
    /// The floor of the true quotient, rounded, and not of the rounded quotient: 1 // 0.1 is 9, since
    /// the nearest number to 0.1 lies above it.
    ///
    /// # Errors
    /// The shapes must broadcast.
    pub fn floor_divide(&self, other: &Self) -> Result<Self> {
        binary("floor_divide", self, other, |a: T, b: T| {
            T::from_f64(floor_divide(a.to_f64(), b.to_f64()))
        })
    }
}

/// What is left of a truncated division is exact in `f64` for numbers of `f32` as well.
fn remainder(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
        rest + b
    } else {
        rest
    }
}

fn floor_divide(a: f64, b: f64) -> f64 {
    if b == 0.0 {
        return a / b;
    }
    let rest = a % b;
    // All but exact; the nearest integer is meant.
    let quotient = ((a - rest) / b).round();
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
        quotient - 1.0
    } else {
        quotient
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn zeros_infinities_and_nan_divide_as_in_python() {
        let (nan, tiny) = (f64::NAN, 5e-324);
        for (a, b, quotient, rest) in [
            (7.0, -2.0, -4.0, -1.0),
            (-7.0, -2.0, 3.0, -1.0),
            (-6.0, 2.0, -3.0, 0.0),
            (1.0, 0.1, 9.0, 0.099_999_999_999_999_95),
            (1.0, INF, 0.0, 1.0),
            (-1.0, INF, -1.0, INF),
            (1.0, -INF, -1.0, -INF),
            (INF, 2.0, nan, nan),
            (1.0, 0.0, INF, nan),
            (-1.0, 0.0, -INF, nan),
            (0.0, 0.0, nan, nan),
            (nan, 1.0, nan, nan),
            (1.0, nan, nan, nan),
            (1e300, tiny, INF, 0.0),
            (tiny, 1e300, 0.0, tiny),
        ] {
            let (x, y) = (Tensor::scalar(a), Tensor::scalar(b));
            let found = [x.floor_divide(&y), x.remainder(&y)].map(|r| r.unwrap().item().unwrap());
            for (found, wanted) in found.into_iter().zip([quotient, rest]) {
                let same = found == wanted || found.is_nan() && wanted.is_nan();
                assert!(same, "{a} by {b}: {found} instead of {wanted}");
            }
        }
    }

    #[test]
    fn quotients_past_the_precision_leave_an_exact_remainder() {
        // 10^20 is 16 · k + 0 and 10^10 is 7 · 1428571428 + 4.
        let x = Tensor::from([1e20_f64, 1e10]);
        let rests = x.remainder(&Tensor::from([16.0, 7.0])).unwrap();
        assert_eq!(rests.to_vec().unwrap(), [0.0, 4.0]);
        let x = Tensor::scalar(1e10_f32).remainder(&Tensor::scalar(7.0));
        assert_eq!(x.unwrap().item(), Ok(4.0));
    }
}
