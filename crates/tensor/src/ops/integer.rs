//! Arithmetic of integers: it wraps around at the ends of the range, as two's complement does.

use super::compare::{binary, unary};
use crate::error::{Error, Result};
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
    #[doc(alias = "subtract")]
    pub fn sub(&self, other: &Self) -> Result<Self> {
        binary("sub", self, other, i64::wrapping_sub)
    }

    /// a · b.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[doc(alias = "multiply")]
    pub fn mul(&self, other: &Self) -> Result<Self> {
        binary("mul", self, other, i64::wrapping_mul)
    }

    /// ⌊a / b⌋, as `//` in Python.
    ///
    /// # Errors
    /// The shapes must broadcast, and no divisor may be 0.
    pub fn floor_divide(&self, other: &Self) -> Result<Self> {
        not_zero("floor_divide", other)?;
        binary("floor_divide", self, other, |a: i64, b: i64| {
            let (quotient, rest) = (a.wrapping_div(b), a.wrapping_rem(b));
            quotient - i64::from(rest != 0 && (rest < 0) != (b < 0))
        })
    }

    /// a − b·⌊a / b⌋, which has the sign of b, as `%` in Python.
    ///
    /// # Errors
    /// The shapes must broadcast, and no divisor may be 0.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let (x, three) = (Tensor::from([7, -7]), Tensor::scalar(3));
    /// assert_eq!(x.floor_divide(&three)?.to_vec()?, [2, -3]);
    /// assert_eq!(x.remainder(&three)?.to_vec()?, [1, 2]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "mod")]
    pub fn remainder(&self, other: &Self) -> Result<Self> {
        not_zero("remainder", other)?;
        binary("remainder", self, other, |a: i64, b: i64| {
            let rest = a.wrapping_rem(b);
            if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            }
        })
    }

    /// The larger of a and b.
    ///
    /// # Errors
    /// The shapes must broadcast.
    pub fn maximum(&self, other: &Self) -> Result<Self> {
        binary("maximum", self, other, |a: i64, b: i64| a.max(b))
    }

    /// The smaller of a and b.
    ///
    /// # Errors
    /// The shapes must broadcast.
    pub fn minimum(&self, other: &Self) -> Result<Self> {
        binary("minimum", self, other, |a: i64, b: i64| a.min(b))
    }

    /// −x; the least integer is its own negative.
    ///
    /// # Errors
    /// The elements must be in main memory, and memory must have room for the result.
    #[doc(alias = "negative")]
    pub fn neg(&self) -> Result<Self> {
        unary("neg", self, i64::wrapping_neg)
    }

    /// |x|; of the least integer, itself.
    ///
    /// # Errors
    /// The elements must be in main memory, and memory must have room for the result.
    #[doc(alias = "absolute")]
    pub fn abs(&self) -> Result<Self> {
        unary("abs", self, i64::wrapping_abs)
    }
}

/// Whether there is no 0 among divisors.
fn not_zero(op: &'static str, divisors: &Tensor<i64>) -> Result<()> {
    let divisors = divisors.in_order(op)?;
    if super::dense(op, &divisors)?.contains(&0) {
        return Err(Error::Argument {
            op,
            argument: "divisors",
            expected: "other than 0".into(),
            found: "0".into(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dividing_by_zero_is_an_error_and_the_least_integer_wraps() {
        let (x, zero) = (Tensor::from([i64::MIN]), Tensor::from([1, 0]));
        assert_eq!(
            x.floor_divide(&zero).map(drop).unwrap_err().to_string(),
            "floor_divide: divisors must be other than 0, found 0"
        );
        assert!(x.remainder(&zero).is_err());
        let minus_one = Tensor::scalar(-1);
        assert_eq!(x.floor_divide(&minus_one).unwrap().item(), Ok(i64::MIN));
        assert_eq!(x.remainder(&minus_one).unwrap().item(), Ok(0));
        assert_eq!(x.neg().unwrap().item(), Ok(i64::MIN));
        assert_eq!(x.abs().unwrap().item(), Ok(i64::MIN));
    }
}
