//! Formulas of a single number: `f64` as a [`Scalar`], with the standard library's functions.
//!
//! It shares no code with the polynomials of the SIMD lanes, and so is what they are compared with.

use crate::scalar::Scalar;

impl Scalar for f64 {
    type Mask = bool;

    fn constant(self, value: f64) -> Self {
        value
    }

    fn less(self, other: Self) -> bool {
        self < other
    }
    fn less_equal(self, other: Self) -> bool {
        self <= other
    }
    fn equal(self, other: Self) -> bool {
        self == other
    }
    fn select(mask: bool, if_true: Self, if_false: Self) -> Self {
        if mask { if_true } else { if_false }
    }

    fn mul_add(self, factor: Self, term: Self) -> Self {
        f64::mul_add(self, factor, term)
    }
    fn abs(self) -> Self {
        f64::abs(self)
    }
    fn signum(self) -> Self {
        // The standard library's sign of 0 is 1.
        if self == 0.0 { self } else { f64::signum(self) }
    }
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
    fn max(self, other: Self) -> Self {
        // The standard library's maximum drops a NaN.
        let nan = self.is_nan() || other.is_nan();
        if nan { f64::NAN } else { f64::max(self, other) }
    }
    fn min(self, other: Self) -> Self {
        let nan = self.is_nan() || other.is_nan();
        if nan { f64::NAN } else { f64::min(self, other) }
    }
    fn relu(self) -> Self {
        if self <= 0.0 { 0.0 } else { self }
    }

    fn exp(self) -> Self {
        f64::exp(self)
    }
    fn exp_m1(self) -> Self {
        f64::exp_m1(self)
    }
    fn ln(self) -> Self {
        f64::ln(self)
    }
    fn ln_1p(self) -> Self {
        f64::ln_1p(self)
    }
    fn tanh(self) -> Self {
        f64::tanh(self)
    }
    fn sigmoid(self) -> Self {
        // e^x / (1 + e^x) below 0, where 1 + e^−x would overflow and lose the small result.
        let small = f64::exp(-f64::abs(self));
        let numerator = if self < 0.0 { small } else { 1.0 };
        numerator / (1.0 + small)
    }
    fn softplus(self) -> Self {
        self.relu() + f64::ln_1p(f64::exp(-f64::abs(self)))
    }
    fn erf(self) -> Self {
        erf(self)
    }
    fn powf(self, exponent: f64) -> Self {
        f64::powf(self, exponent)
    }
}

/// erf x, which the standard library does not have.
///
/// # Source
/// Abramowitz and Stegun, "Handbook of Mathematical Functions", 1964: series 7.1.6, whose terms
/// are all of one sign so that nothing cancels, and continued fraction 7.1.14 of erfc.
fn erf(x: f64) -> f64 {
    let magnitude = x.abs();
    let square = x * x;
    if magnitude.is_nan() {
        x
    } else if magnitude < 3.0 {
        let mut term = std::f64::consts::FRAC_2_SQRT_PI * x * (-square).exp();
        let mut sum = term;
        let mut n = 1.0;
        while term.abs() > sum.abs() * (f64::EPSILON / 8.0) {
            term *= 2.0 * square / (2.0 * n + 1.0);
            sum += term;
            n += 1.0;
        }
        sum
    } else {
        // erfc(3) is 2·10⁻⁵: the fraction need not have all digits, and has 1 − erfc leave 16.
        let fraction = (1..=60)
            .rev()
            .fold(magnitude, |below, n| magnitude + f64::from(n) / 2.0 / below);
        let erfc = (-square).exp() / fraction / std::f64::consts::PI.sqrt();
        (1.0 - erfc).copysign(x)
    }
}
