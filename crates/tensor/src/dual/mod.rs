//! Dual numbers: a value together with its derivatives, computed in one pass.

#[cfg(test)]
mod tests;

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
