//! The arithmetic a formula may use.
//!
//! A mathematical function is written once, generic over [`Scalar`], and runs on whatever
//! implements the trait: SIMD lanes ([`Lanes`](crate::cpu::lanes::Lanes), the CPU loop) and dual
//! numbers ([`Dual`](crate::dual::Dual), its derivative).
//!
//! The list is closed on purpose. A function with a kink, or one whose textbook form cancels, is
//! a primitive here with its own derivative, because differentiating the pieces of its definition
//! gives a wrong slope: `max(x, 0) + ln(1 + e^-|x|)` has slope 0.5 at `x = 0`, but its pieces,
//! taken one by one, do not add up to that.

use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number a formula can compute with: one value, a register of values, or a value with its
/// derivatives.
///
/// The operators take another `Self` or an `f64` constant on the right: `x * x + 1.0`. Where the
/// constant stands on the left, write `-x + 1.0`, or lift it with [`Scalar::constant`].
///
/// # Numerics
/// In `f32` and `f64`, `+ − · /`, `sqrt` and `mul_add` are rounded once, and every elementary
/// function is within 2 units in the last place of the true value.
///
/// # Example
///
/// ```
/// use macula_tensor::Scalar;
///
/// /// Mish, Misra 2019: x · tanh(softplus(x)).
/// fn mish<S: Scalar>(x: S) -> S {
///     x * x.softplus().tanh()
/// }
/// ```
pub trait Scalar:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// What a comparison gives: one truth value per lane.
    type Mask: Copy;

    /// `value` in the precision of `self`; `self` only says which kind of number is wanted.
    fn constant(self, value: f64) -> Self;

    /// `self < other`; false where either is NaN.
    fn less(self, other: Self) -> Self::Mask;
    /// `self ≤ other`; false where either is NaN.
    fn less_equal(self, other: Self) -> Self::Mask;
    /// `self = other`; false where either is NaN.
    fn equal(self, other: Self) -> Self::Mask;
    /// `if_true` where the mask holds, `if_false` elsewhere. Both sides have been computed.
    fn select(mask: Self::Mask, if_true: Self, if_false: Self) -> Self;

    /// `self · factor + term`, rounded once.
    fn mul_add(self, factor: Self, term: Self) -> Self;
    /// |x|, with slope 0 at 0.
    fn abs(self) -> Self;
    /// −1, 0 or 1; NaN stays NaN. Its slope is 0 everywhere.
    fn signum(self) -> Self;
    /// √x; NaN below zero.
    fn sqrt(self) -> Self;
    /// The larger of the two; NaN if either is NaN. On a tie each side gets half the gradient.
    fn max(self, other: Self) -> Self;
    /// The smaller of the two; NaN if either is NaN. On a tie each side gets half the gradient.
    fn min(self, other: Self) -> Self;
    /// max(x, 0), with slope 0 at 0; NaN stays NaN.
    fn relu(self) -> Self;

    /// The largest integer ≤ x, with slope 0 everywhere.
    fn floor(self) -> Self;
    /// The smallest integer ≥ x, with slope 0 everywhere.
    fn ceil(self) -> Self;
    /// The nearest integer, the even one of two equally near, with slope 0 everywhere.
    fn round(self) -> Self;

    /// e^x.
    fn exp(self) -> Self;
    /// e^x − 1, with full relative accuracy near 0.
    fn exp_m1(self) -> Self;
    /// ln x; −∞ at 0, NaN below.
    fn ln(self) -> Self;
    /// ln(1 + x), with full relative accuracy near 0.
    fn ln_1p(self) -> Self;
    /// log₂ x, exact at powers of two.
    fn log2(self) -> Self;
    /// tanh x.
    fn tanh(self) -> Self;
    /// σ(x), σ(−x), ln(1 + e^x) and ln(1 + e^−x) together, from one exponential, one logarithm
    /// and one division.
    ///
    /// What is not used is not computed, so [`sigmoid`](Scalar::sigmoid) costs no logarithm.
    fn logistic(self) -> Logistic<Self>;
    /// The error function erf x = 2/√π ∫₀ˣ e^−t² dt.
    fn erf(self) -> Self;
    /// sin x, x in radians.
    fn sin(self) -> Self;
    /// cos x, x in radians.
    fn cos(self) -> Self;
    /// arctan x, between −π/2 and π/2.
    fn atan(self) -> Self;
    /// x^exponent, with the conventions of IEEE 754 `pow`: `x^0 = 1` and `1^y = 1` for every x
    /// and y, and NaN for a negative x with a fractional exponent.
    ///
    /// The slope to the exponent is x^y · ln x, and 0 for x ≤ 0, where x^y is no smooth function
    /// of y.
    fn pow(self, exponent: Self) -> Self;
    /// x^exponent for a constant exponent, rounded to the precision of x, with the conventions of
    /// [`pow`](Scalar::pow).
    fn powf(self, exponent: f64) -> Self;
    /// x^exponent for an integer exponent, by repeated squaring.
    #[inline(always)]
    fn powi(self, exponent: i32) -> Self {
        let mut base = self;
        let mut rest = exponent.unsigned_abs();
        let mut product = self.constant(1.0);
        while rest > 0 {
            if rest & 1 == 1 {
                product = product * base;
            }
            rest >>= 1;
            if rest > 0 {
                base = base * base;
            }
        }
        if exponent < 0 {
            product.recip()
        } else {
            product
        }
    }

    /// x².
    #[inline(always)]
    fn square(self) -> Self {
        self * self
    }
    /// 1 / x.
    #[inline(always)]
    fn recip(self) -> Self {
        self.constant(1.0) / self
    }
    /// 1 / √x.
    #[inline(always)]
    fn rsqrt(self) -> Self {
        self.sqrt().recip()
    }
    /// σ(x) = 1 / (1 + e^−x), with full relative accuracy at both ends: σ(−x) is 1 − σ(x)
    /// without the subtraction.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        self.logistic().sigmoid
    }
    /// ln(1 + e^x) = −ln σ(−x), with slope σ(x) everywhere, 0.5 at 0.
    #[inline(always)]
    fn softplus(self) -> Self {
        self.logistic().softplus
    }
    /// ln σ(x) = −softplus(−x), with full relative accuracy at both ends.
    #[inline(always)]
    fn log_sigmoid(self) -> Self {
        -self.logistic().softplus_negated
    }
}

/// The logistic function of a number x, its complement and their logarithms: what the losses of a
/// binary classifier are made of.
///
/// No field is formed by subtracting from 1, so each has its full relative accuracy for every x.
#[derive(Clone, Copy, Debug)]
pub struct Logistic<S> {
    /// σ(x) = 1 / (1 + e^−x).
    pub sigmoid: S,
    /// σ(−x) = 1 − σ(x).
    pub complement: S,
    /// ln(1 + e^x) = −ln σ(−x).
    pub softplus: S,
    /// ln(1 + e^−x) = −ln σ(x).
    pub softplus_negated: S,
}
