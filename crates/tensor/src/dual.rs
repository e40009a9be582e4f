//! Dual numbers: a value together with its derivatives, computed in one pass.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::scalar::{Logistic, Scalar};

/// 2/√π, the slope of erf at 0.
const TWO_OVER_SQRT_PI: f64 = std::f64::consts::FRAC_2_SQRT_PI;
/// log₂ e, the slope of log₂ at 1.
const LOG2_E: f64 = std::f64::consts::LOG2_E;

/// A value and its partial derivatives with respect to `N` variables.
///
/// Arithmetic on duals is the chain rule: for `u = (u, u′)`, `f(u) = (f(u), f′(u)·u′)`. Any formula
/// that is generic over [`Scalar`] therefore yields its gradient when it is handed duals, and a
/// dual of duals yields second derivatives.
///
/// # Source
/// Clifford, "Preliminary sketch of biquaternions", 1873; as a means of differentiation, Wengert,
/// "A simple automatic derivative evaluation program", 1964.
#[derive(Clone, Copy, Debug)]
pub struct Dual<S, const N: usize> {
    /// The value itself.
    pub value: S,
    /// ∂value/∂variable for each variable.
    pub tangent: [S; N],
}

impl<S: Scalar, const N: usize> Dual<S, N> {
    /// `inputs` as independent variables: variable `i` has the tangent (0, …, 1 at `i`, …, 0).
    #[inline(always)]
    pub fn variables(inputs: [S; N]) -> [Self; N] {
        std::array::from_fn(|i| Self {
            value: inputs[i],
            tangent: std::array::from_fn(|j| inputs[i].constant(if i == j { 1.0 } else { 0.0 })),
        })
    }

    /// The chain rule: `value` with every tangent multiplied by `slope`.
    #[inline(always)]
    fn chain(self, value: S, slope: S) -> Self {
        Self {
            value,
            tangent: self.tangent.map(|t| t * slope),
        }
    }

    /// The rule for two operands: `value` with the tangents `a·self′ + b·other′`.
    #[inline(always)]
    fn chain2(self, other: Self, value: S, a: S, b: S) -> Self {
        Self {
            value,
            tangent: std::array::from_fn(|i| self.tangent[i].mul_add(a, other.tangent[i] * b)),
        }
    }
}

impl<S: Scalar, const N: usize> Add for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            tangent: std::array::from_fn(|i| self.tangent[i] + other.tangent[i]),
        }
    }
}

impl<S: Scalar, const N: usize> Sub for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self {
            value: self.value - other.value,
            tangent: std::array::from_fn(|i| self.tangent[i] - other.tangent[i]),
        }
    }
}

impl<S: Scalar, const N: usize> Mul for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.chain2(other, self.value * other.value, other.value, self.value)
    }
}

impl<S: Scalar, const N: usize> Div for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        let inverse = other.value.recip();
        let value = self.value / other.value;
        self.chain2(other, value, inverse, -(value * inverse))
    }
}

impl<S: Scalar, const N: usize> Neg for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self {
            value: -self.value,
            tangent: self.tangent.map(|t| -t),
        }
    }
}

impl<S: Scalar, const N: usize> Add<f64> for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, constant: f64) -> Self {
        Self {
            value: self.value + constant,
            tangent: self.tangent,
        }
    }
}

impl<S: Scalar, const N: usize> Sub<f64> for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, constant: f64) -> Self {
        Self {
            value: self.value - constant,
            tangent: self.tangent,
        }
    }
}

impl<S: Scalar, const N: usize> Mul<f64> for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, constant: f64) -> Self {
        Self {
            value: self.value * constant,
            tangent: self.tangent.map(|t| t * constant),
        }
    }
}

impl<S: Scalar, const N: usize> Div<f64> for Dual<S, N> {
    type Output = Self;
    #[inline(always)]
    fn div(self, constant: f64) -> Self {
        Self {
            value: self.value / constant,
            tangent: self.tangent.map(|t| t / constant),
        }
    }
}

impl<S: Scalar, const N: usize> Scalar for Dual<S, N> {
    type Mask = S::Mask;

    #[inline(always)]
    fn constant(self, value: f64) -> Self {
        Self {
            value: self.value.constant(value),
            tangent: [self.value.constant(0.0); N],
        }
    }

    #[inline(always)]
    fn less(self, other: Self) -> Self::Mask {
        self.value.less(other.value)
    }
    #[inline(always)]
    fn less_equal(self, other: Self) -> Self::Mask {
        self.value.less_equal(other.value)
    }
    #[inline(always)]
    fn equal(self, other: Self) -> Self::Mask {
        self.value.equal(other.value)
    }
    #[inline(always)]
    fn select(mask: Self::Mask, if_true: Self, if_false: Self) -> Self {
        Self {
            value: S::select(mask, if_true.value, if_false.value),
            tangent: std::array::from_fn(|i| {
                S::select(mask, if_true.tangent[i], if_false.tangent[i])
            }),
        }
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        Self {
            value: self.value.mul_add(factor.value, term.value),
            tangent: std::array::from_fn(|i| {
                let product = self.tangent[i].mul_add(factor.value, self.value * factor.tangent[i]);
                product + term.tangent[i]
            }),
        }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.chain(self.value.abs(), self.value.signum())
    }
    #[inline(always)]
    fn signum(self) -> Self {
        Self {
            value: self.value.signum(),
            ..self.constant(0.0)
        }
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.chain(root, root.recip() * 0.5)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        let share = share_of_first(other.value, self.value);
        self.chain2(other, self.value.max(other.value), share, -share + 1.0)
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        let share = share_of_first(self.value, other.value);
        self.chain2(other, self.value.min(other.value), share, -share + 1.0)
    }
    #[inline(always)]
    fn relu(self) -> Self {
        let zero = self.value.constant(0.0);
        let slope = S::select(zero.less(self.value), self.value.constant(1.0), zero);
        self.chain(self.value.relu(), slope)
    }

    #[inline(always)]
    fn floor(self) -> Self {
        self.chain(self.value.floor(), self.value.constant(0.0))
    }
    #[inline(always)]
    fn ceil(self) -> Self {
        self.chain(self.value.ceil(), self.value.constant(0.0))
    }
    #[inline(always)]
    fn round(self) -> Self {
        self.chain(self.value.round(), self.value.constant(0.0))
    }

    #[inline(always)]
    fn exp(self) -> Self {
        let value = self.value.exp();
        self.chain(value, value)
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        self.chain(self.value.exp_m1(), self.value.exp())
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.chain(self.value.ln(), self.value.recip())
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        self.chain(self.value.ln_1p(), (self.value + 1.0).recip())
    }
    #[inline(always)]
    fn log2(self) -> Self {
        self.chain(self.value.log2(), self.value.recip() * LOG2_E)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        // sech² x = 4 σ(2x) σ(−2x): where tanh² rounds to 1, 1 − tanh² has no digits left.
        let twice = (self.value * 2.0).logistic();
        let slope = twice.sigmoid * twice.complement * 4.0;
        self.chain(self.value.tanh(), slope)
    }
    #[inline(always)]
    fn logistic(self) -> Logistic<Self> {
        let Logistic {
            sigmoid,
            complement,
            softplus,
            softplus_negated,
        } = self.value.logistic();
        let slope = sigmoid * complement;
        Logistic {
            sigmoid: self.chain(sigmoid, slope),
            complement: self.chain(complement, -slope),
            softplus: self.chain(softplus, sigmoid),
            softplus_negated: self.chain(softplus_negated, -complement),
        }
    }
    #[inline(always)]
    fn erf(self) -> Self {
        let slope = (-self.value.square()).exp() * TWO_OVER_SQRT_PI;
        self.chain(self.value.erf(), slope)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        self.chain(self.value.sin(), self.value.cos())
    }
    #[inline(always)]
    fn cos(self) -> Self {
        self.chain(self.value.cos(), -self.value.sin())
    }
    #[inline(always)]
    fn atan(self) -> Self {
        let slope = (self.value.square() + 1.0).recip();
        self.chain(self.value.atan(), slope)
    }
    #[inline(always)]
    fn pow(self, exponent: Self) -> Self {
        let (x, y) = (self.value, exponent.value);
        let zero = x.constant(0.0);
        let value = x.pow(y);
        // y·x^(y−1) is 0 · ∞ at the origin, where x^0 = 1 is flat in x.
        let at_origin = (x.abs() + y.abs()).equal(zero);
        let to_base = S::select(at_origin, zero, y * x.pow(y - 1.0));
        let to_exponent = S::select(zero.less(x), value * x.ln(), zero);
        self.chain2(exponent, value, to_base, to_exponent)
    }
    #[inline(always)]
    fn powf(self, exponent: f64) -> Self {
        // x^0 is the constant 1: 0 · x^−1 would be NaN at x = 0.
        if exponent == 0.0 {
            return self.constant(1.0);
        }
        let slope = self.value.powf(exponent - 1.0) * exponent;
        self.chain(self.value.powf(exponent), slope)
    }
}

/// 1 where `first < second`, 0 where it is larger, ½ on a tie.
#[inline(always)]
fn share_of_first<S: Scalar>(first: S, second: S) -> S {
    let half = first.constant(0.5);
    let (one, zero) = (first.constant(1.0), first.constant(0.0));
    let untied = S::select(first.less(second), one, zero);
    S::select(first.equal(second), half, untied)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// f(x), f′(x) and f″(x) of a formula, by duals of duals over plain numbers.
    macro_rules! derivatives {
        (|$x:ident| $formula:expr, $at:expr) => {{
            let [inner] = Dual::variables([$at]);
            let [$x] = Dual::variables([inner]);
            let result: Dual<Dual<f64, 1>, 1> = $formula;
            [
                result.value.value,
                result.tangent[0].value,
                result.tangent[0].tangent[0],
            ]
        }};
    }

    /// The slope of `function`, by the central difference of fourth order.
    fn difference(function: impl Fn(f64) -> f64, x: f64) -> f64 {
        let step = 1e-3 * x.abs().max(0.1);
        let pair = |h: f64| (function(x + h) - function(x - h)) / (2.0 * h);
        (4.0 * pair(step) - pair(2.0 * step)) / 3.0
    }

    /// Checks both derivatives of a formula at the points given.
    macro_rules! check {
        ($($name:literal: |$x:ident| $formula:expr, at $points:expr;)*) => {$({
            for point in $points {
                let value = |at: f64| derivatives!(|$x| $formula, at)[0];
                let slope = |at: f64| derivatives!(|$x| $formula, at)[1];
                let [_, first, second] = derivatives!(|$x| $formula, point);
                // The difference errs by h⁴ and by rounding / h: some 1e-11 of a function of size 1.
                let close = |a: f64, b: f64| (a - b).abs() <= 1e-8 * (1.0 + b.abs());
                let by_difference = (difference(value, point), difference(slope, point));
                assert!(close(first, by_difference.0), "{}′({point}): {first}, {by_difference:?}", $name);
                assert!(close(second, by_difference.1), "{}″({point}): {second}, {by_difference:?}", $name);
            }
        })*};
    }

    #[test]
    fn first_and_second_derivatives_of_every_primitive_match_differences() {
        let any = [-2.3, -0.7, -0.04, 0.0, 0.31, 1.2, 2.9];
        let off_zero = [-2.3, -0.7, 0.31, 1.2, 2.9];
        let positive = [0.2, 0.71, 1.0, 1.9, 4.2];
        check! {
            "add": |x| x + x * 2.0 + 1.0, at any;
            "sub": |x| x * 3.0 - x - 1.0, at any;
            "mul": |x| x * x * x, at any;
            "div": |x| (x + 1.0) / (x * x + 2.0), at any;
            "neg": |x| -(x * x) / 2.0, at any;
            "mul_add": |x| x.mul_add(x * x, x), at any;
            "abs": |x| (x * x * x).abs(), at off_zero;
            "signum": |x| x.signum() * x * x, at off_zero;
            "sqrt": |x| x.sqrt(), at positive;
            "rsqrt": |x| x.rsqrt(), at positive;
            "recip": |x| x.recip(), at off_zero;
            "square": |x| x.square(), at any;
            "max": |x| (x * x).max(x * 0.5), at off_zero;
            "min": |x| (x * x).min(x * 0.5), at off_zero;
            "relu": |x| (x * x * x).relu(), at off_zero;
            "floor": |x| (x.floor() + 1.0) * x * x, at off_zero;
            "ceil": |x| (x.ceil() + 1.0) * x * x, at off_zero;
            "round": |x| (x.round() + 1.0) * x * x, at off_zero;
            "exp": |x| x.exp(), at any;
            "exp_m1": |x| x.exp_m1(), at any;
            "ln": |x| x.ln(), at positive;
            "ln_1p": |x| x.ln_1p(), at positive;
            "log2": |x| x.log2(), at positive;
            "tanh": |x| x.tanh(), at any;
            "sigmoid": |x| x.sigmoid(), at any;
            "complement": |x| x.logistic().complement, at any;
            "softplus": |x| x.softplus(), at any;
            "softplus_negated": |x| x.logistic().softplus_negated, at any;
            "log_sigmoid": |x| x.log_sigmoid(), at any;
            "erf": |x| x.erf(), at any;
            "sin": |x| x.sin(), at any;
            "cos": |x| x.cos(), at any;
            "atan": |x| x.atan(), at any;
            "x^y of x": |x| x.pow(x.constant(2.5)), at positive;
            "x^y of y": |x| x.constant(1.7).pow(x), at any;
            "x^x": |x| x.pow(x), at positive;
            "powf": |x| x.powf(1.5), at positive;
            "powf of a negative": |x| x.powf(3.0), at any;
            "powi": |x| x.powi(-3), at off_zero;
            "select": |x| Dual::select(x.less(x.constant(0.5)), x * x, x.exp()), at any;
        }
    }

    #[test]
    fn kinks_have_the_slopes_that_are_promised() {
        assert_eq!(derivatives!(|x| x.abs(), 0.0)[1], 0.0);
        assert_eq!(derivatives!(|x| x.relu(), 0.0)[1], 0.0);
        assert_eq!(derivatives!(|x| x.signum(), 0.0)[1], 0.0);
        assert_eq!(derivatives!(|x| x.floor(), 2.0)[1], 0.0);
        assert_eq!(derivatives!(|x| x.softplus(), 0.0)[1..], [0.5, 0.25]);
        assert_eq!(derivatives!(|x| x.log_sigmoid(), 0.0)[1..], [0.5, -0.25]);
    }

    #[test]
    fn a_tie_gives_half_the_gradient_to_each_side() {
        let [x, y] = Dual::variables([3.0, 3.0]);
        assert_eq!(x.max(y).tangent, [0.5, 0.5]);
        assert_eq!(x.min(y).tangent, [0.5, 0.5]);
        let [x, y] = Dual::variables([2.0, 3.0]);
        assert_eq!(x.max(y).tangent, [0.0, 1.0]);
        assert_eq!(x.min(y).tangent, [1.0, 0.0]);
    }

    #[test]
    fn powers_are_smooth_at_zero_where_the_exponent_allows() {
        assert_eq!(derivatives!(|x| x.powf(2.0), 0.0), [0.0, 0.0, 2.0]);
        assert_eq!(derivatives!(|x| x.powf(1.0), 0.0), [0.0, 1.0, 0.0]);
        assert_eq!(derivatives!(|x| x.powf(0.0), 0.0), [1.0, 0.0, 0.0]);
        let zero_of = |exponent: f64| {
            let [x] = Dual::variables([0.0]);
            x.pow(x.constant(exponent))
        };
        for (exponent, value, slope) in [(0.0, 1.0, 0.0), (1.0, 0.0, 1.0), (2.0, 0.0, 0.0)] {
            assert_eq!(zero_of(exponent).value, value);
            assert_eq!(zero_of(exponent).tangent, [slope]);
        }
    }

    #[test]
    fn a_power_of_a_negative_number_has_a_slope_for_a_constant_exponent() {
        let [x] = Dual::variables([-2.0]);
        assert_eq!(x.pow(x.constant(3.0)).tangent, [12.0]);
    }

    #[test]
    fn slopes_keep_their_digits_where_the_value_saturates() {
        // At x = 40 the values round to 1; the slopes are e^−40 and 4 e^−80.
        let close = |a: f64, b: f64| ((a - b) / b).abs() < 1e-14;
        assert!(close(
            derivatives!(|x| x.sigmoid(), 40.0)[1],
            (-40.0_f64).exp()
        ));
        assert!(close(
            derivatives!(|x| x.tanh(), 40.0)[1],
            4.0 * (-80.0_f64).exp()
        ));
    }

    #[test]
    fn logistic_shares_one_set_of_derivatives() {
        let [x] = Dual::variables([0.7]);
        let l = x.logistic();
        let (p, q) = (l.sigmoid.value, l.complement.value);
        assert_eq!(l.sigmoid.tangent, [p * q]);
        assert_eq!(l.complement.tangent, [-(p * q)]);
        assert_eq!(l.softplus.tangent, [p]);
        assert_eq!(l.softplus_negated.tangent, [-q]);
    }
}
