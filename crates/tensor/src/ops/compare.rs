//! Comparisons and logic: tensors of booleans from tensors of anything.
//!
//! NaN is unequal to everything, itself included, and neither less nor greater: with a NaN only
//! `ne` holds.

use crate::cpu;
use crate::element::{Element, Float, Number};
use crate::error::{Error, Result};
use crate::pointwise::Pointwise;
use crate::scalar::Scalar;
use crate::shape::{Shape, broadcast};
use crate::tensor::Tensor;

/// `function` of the elements of two tensors, broadcast to one shape.
pub(super) fn binary<A: Element, B: Element, O: Element>(
    op: &'static str,
    a: &Tensor<A>,
    b: &Tensor<B>,
    function: impl Fn(A, B) -> O + Copy + Sync,
) -> Result<Tensor<O>> {
    if a.shape() != b.shape() {
        let sizes = broadcast(op, a.shape(), b.shape())?;
        let (a, b) = (a.stretched(op, &sizes)?, b.stretched(op, &sizes)?);
        return binary(op, &a, &b, function);
    }
    let (a, b) = (a.view(op)?, b.view(op)?);
    let shape = Shape::contiguous(op, a.shape.sizes())?;
    Tensor::build(op, shape, |output| {
        cpu::elementwise::zip(a, b, output, function);
    })
}

/// `function` of every element.
pub(super) fn unary<A: Element, O: Element>(
    op: &'static str,
    a: &Tensor<A>,
    function: impl Fn(A) -> O + Copy + Sync,
) -> Result<Tensor<O>> {
    let a = a.view(op)?;
    let shape = Shape::contiguous(op, a.shape.sizes())?;
    Tensor::build(op, shape, |output| {
        cpu::elementwise::map(a, output, function);
    })
}

/// Defines methods that compare two tensors.
macro_rules! comparisons {
    ($($Bound:ident: $(#[$doc:meta])* $method:ident($a:ident, $b:ident) $holds:expr;)*) => {$(
        impl<T: $Bound> Tensor<T> {
            $(#[$doc])*
            ///
            /// # Errors
            /// The shapes must broadcast.
            pub fn $method(&self, other: &Self) -> Result<Tensor<bool>> {
                binary(stringify!($method), self, other, |$a: T, $b: T| $holds)
            }
        }
    )*};
}

comparisons! {
    Element: /// a = b.
    #[doc(alias = "equal")]
    eq(a, b) a == b;
    Element: /// a ≠ b.
    #[doc(alias = "not_equal")]
    ne(a, b) a != b;
    Number: /// a < b.
    #[doc(alias = "less")]
    lt(a, b) a < b;
    Number: /// a ≤ b.
    #[doc(alias = "less_equal")]
    le(a, b) a <= b;
    Number: /// a > b.
    #[doc(alias = "greater")]
    gt(a, b) a > b;
    Number: /// a ≥ b.
    #[doc(alias = "greater_equal")]
    ge(a, b) a >= b;
}

impl Tensor<bool> {
    /// Where both hold.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[doc(alias = "logical_and")]
    #[doc(alias = "bitwise_and")]
    pub fn and(&self, other: &Self) -> Result<Self> {
        binary("and", self, other, |a: bool, b: bool| a & b)
    }

    /// Where at least one holds.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[doc(alias = "logical_or")]
    #[doc(alias = "bitwise_or")]
    pub fn or(&self, other: &Self) -> Result<Self> {
        binary("or", self, other, |a: bool, b: bool| a | b)
    }

    /// Where exactly one holds.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[doc(alias = "logical_xor")]
    #[doc(alias = "bitwise_xor")]
    pub fn xor(&self, other: &Self) -> Result<Self> {
        binary("xor", self, other, |a: bool, b: bool| a ^ b)
    }

    /// Where it does not hold.
    ///
    /// # Errors
    /// The elements must be in main memory, and memory must have room for the result.
    #[doc(alias = "logical_not")]
    #[doc(alias = "bitwise_not")]
    pub fn not(&self) -> Result<Self> {
        unary("not", self, |a: bool| !a)
    }
}

/// min(max(x, low), high), with slope 1 from `low` to `high`, both included, and 0 outside.
///
/// NaN stays NaN.
#[derive(Clone, Copy, Debug)]
pub struct Clamp {
    /// The least value.
    pub low: f64,
    /// The greatest value.
    pub high: f64,
}

impl Clamp {
    /// Bounds that are bounds.
    ///
    /// # Errors
    /// `low` must be at most `high`, and neither may be NaN.
    pub fn new(low: f64, high: f64) -> Result<Self> {
        in_order(low, high)?;
        Ok(Self { low, high })
    }
}

impl Pointwise<1> for Clamp {
    const NAME: &'static str = "clamp";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        let (low, high) = (x.constant(self.low), x.constant(self.high));
        let x = S::select(x.less(low), low, x);
        S::select(high.less(x), high, x)
    }
}

/// x, but `nan` where it is NaN, and ±`largest` where it lies beyond, with slope 0 there.
#[derive(Clone, Copy, Debug)]
pub struct NanToNum {
    nan: f64,
    largest: f64,
}

impl NanToNum {
    /// `nan` for NaN and the largest finite numbers of `T` for infinities.
    pub fn new<T: Float>(nan: f64) -> Self {
        let largest = T::choose(f64::from(f32::MAX), f64::MAX);
        Self { nan, largest }
    }
}

impl Pointwise<1> for NanToNum {
    const NAME: &'static str = "nan_to_num";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        let clamp = Clamp {
            low: -self.largest,
            high: self.largest,
        };
        S::select(x.equal(x), clamp.eval([x]), x.constant(self.nan))
    }
}

impl<T: Float> Tensor<T> {
    /// Where the number is infinite.
    ///
    /// # Errors
    /// The elements must be in main memory.
    #[doc(alias = "isinf")]
    pub fn is_inf(&self) -> Result<Tensor<bool>> {
        unary("is_inf", self, |a: T| a.to_f64().is_infinite())
    }

    /// The numbers with `nan` in the place of NaN, and the nearest finite number of the type in that
    /// of an infinity. [`clamp`](Self::clamp) moves infinities to other bounds.
    ///
    /// # Errors
    /// The tensor must be on a device that runs formulas.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([1.0, f32::NAN, f32::NEG_INFINITY]);
    /// assert_eq!(x.nan_to_num(0.0)?.to_vec()?, [1.0, 0.0, f32::MIN]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn nan_to_num(&self, nan: f64) -> Result<Self> {
        self.map(NanToNum::new::<T>(nan))
    }

    /// Where the number is NaN.
    ///
    /// # Errors
    /// The elements must be in main memory, and memory must have room for the result.
    #[doc(alias = "isnan")]
    pub fn is_nan(&self) -> Result<Tensor<bool>> {
        unary("is_nan", self, |a: T| a.to_f64().is_nan())
    }

    /// Where the number is neither infinite nor NaN.
    ///
    /// # Errors
    /// The elements must be in main memory, and memory must have room for the result.
    #[doc(alias = "isfinite")]
    pub fn is_finite(&self) -> Result<Tensor<bool>> {
        unary("is_finite", self, T::is_finite)
    }

    /// The numbers, kept between `low` and `high`; NaN stays NaN. An infinite bound is none.
    ///
    /// # Errors
    /// `low` must be at most `high`, and neither may be NaN.
    #[doc(alias = "clip")]
    #[doc(alias = "clamp_min")]
    #[doc(alias = "clamp_max")]
    pub fn clamp(&self, low: f64, high: f64) -> Result<Self> {
        self.map(Clamp::new(low, high)?)
    }
}

impl Tensor<i64> {
    /// The numbers, kept between `low` and `high`.
    ///
    /// # Errors
    /// `low` must be at most `high`.
    #[doc(alias = "clip")]
    pub fn clamp(&self, low: i64, high: i64) -> Result<Self> {
        in_order(low, high)?;
        unary("clamp", self, move |a: i64| a.clamp(low, high))
    }
}

/// Whether two bounds are bounds; NaN never is.
fn in_order<T: Number>(low: T, high: T) -> Result<()> {
    if low <= high {
        return Ok(());
    }
    Err(Error::Argument {
        op: "clamp",
        argument: "low",
        expected: format!("at most high, {high}"),
        found: low.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::apply::apply;
    use crate::pointwise::Derived;

    #[test]
    fn shapes_that_do_not_broadcast_are_told() {
        let (a, b) = (Tensor::from([1, 2]), Tensor::from([1, 2, 3]));
        assert_eq!(
            a.lt(&b).map(drop).unwrap_err().to_string(),
            "lt: shapes [2] and [3] do not broadcast: aligned at the last axis, sizes must be \
             equal or 1"
        );
    }

    #[test]
    fn bounds_out_of_order_or_nan_are_refused() {
        let x = Tensor::from([1.0_f32]);
        assert_eq!(
            x.clamp(2.0, 1.0).map(drop).unwrap_err().to_string(),
            "clamp: low must be at most high, 1, found 2"
        );
        assert!(x.clamp(f64::NAN, 1.0).is_err());
        assert!(Tensor::from([1]).clamp(2, 1).is_err());
    }

    #[test]
    fn what_replaces_a_number_has_no_slope() {
        let x = Tensor::from([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -1.0]);
        let numbers = x.nan_to_num(2.0).unwrap().to_vec().unwrap();
        assert_eq!(numbers, [2.0, f32::MAX, f32::MIN, f32::MAX, -1.0]);
        let slope = Derived::new(NanToNum::new::<f32>(2.0)).differentiate(0);
        let slope = apply(&slope, [&x]).unwrap();
        assert_eq!(slope.to_vec().unwrap(), [0.0, 0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn clamping_has_slope_one_inside_and_on_its_bounds() {
        let x = Tensor::from([-2.0, -1.0, 0.0, 1.0, 2.0_f64]);
        let clamp = Clamp {
            low: -1.0,
            high: 1.0,
        };
        let slope = Derived::new(clamp).differentiate(0);
        let slope = apply(&slope, [&x]).unwrap();
        assert_eq!(slope.to_vec().unwrap(), [0.0, 1.0, 1.0, 1.0, 0.0]);
    }
}
