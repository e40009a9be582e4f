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

    /// x + constant.
    ///
    /// # Errors
    /// The elements must be in main memory.
    #[doc(alias = "add")]
    pub fn add_scalar(&self, constant: i64) -> Result<Self> {
        unary("add_scalar", self, move |x: i64| x.wrapping_add(constant))
    }

    /// constant · x.
    ///
    /// # Errors
    /// The elements must be in main memory.
    #[doc(alias = "mul")]
    pub fn mul_scalar(&self, constant: i64) -> Result<Self> {
        unary("mul_scalar", self, move |x: i64| x.wrapping_mul(constant))
    }

    /// a^b, where x⁰ is 1 for every x.
    ///
    /// # Errors
    /// The shapes must broadcast, and no exponent may be below 0.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let (x, three) = (Tensor::from([2, -3]), Tensor::scalar(3));
    /// assert_eq!(x.pow(&three)?.to_vec()?, [8, -27]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "power")]
    pub fn pow(&self, exponent: &Self) -> Result<Self> {
        let exponents = exponent.in_order("pow")?;
        let below = |&&k: &&i64| k < 0;
        if let Some(found) = super::dense("pow", &exponents)?.iter().find(below) {
            return Err(Error::Argument {
                op: "pow",
                argument: "exponents",
                expected: "at least 0".into(),
                found: found.to_string(),
            });
        }
        binary("pow", self, exponent, power)
    }

    /// x².
    ///
    /// # Errors
    /// The elements must be in main memory.
    pub fn square(&self) -> Result<Self> {
        unary("square", self, |x: i64| x.wrapping_mul(x))
    }

    /// −1, 0 or 1.
    ///
    /// # Errors
    /// The elements must be in main memory.
    #[doc(alias = "sign")]
    #[doc(alias = "sgn")]
    pub fn signum(&self) -> Result<Self> {
        unary("signum", self, i64::signum)
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

/// base^exponent, by repeated squaring.
fn power(mut base: i64, mut exponent: i64) -> i64 {
    let mut product = 1_i64;
    while exponent > 0 {
        if exponent & 1 == 1 {
            product = product.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    product
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
    fn powers_wrap_and_need_exponents_from_zero_on() {
        let x = Tensor::from([0, -1, 2, i64::MIN]);
        let powers = |k| x.pow(&Tensor::scalar(k)).unwrap().to_vec().unwrap();
        assert_eq!(powers(0), [1, 1, 1, 1]);
        assert_eq!(powers(63), [0, -1, i64::MIN, 0]);
        assert_eq!(powers(i64::MAX), [0, -1, 0, 0]);
        assert_eq!(
            x.pow(&Tensor::from([[1], [-2]]))
                .map(drop)
                .unwrap_err()
                .to_string(),
            "pow: exponents must be at least 0, found -2"
        );
    }

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
