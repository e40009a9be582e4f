//! Powers and products of probabilities that are well defined at both ends.

use macula_tensor::Scalar;

/// `p^γ`, from `p` or from `−ln p`.
///
/// The exponents that people use need no exponential. The choice is the same for every element, so
/// the compiler takes it out of the loop.
#[inline(always)]
pub(crate) fn power_of_sigmoid<S: Scalar>(gamma: f64, p: S, minus_ln_p: S) -> S {
    match gamma {
        0.0 => p.constant(1.0),
        1.0 => p,
        2.0 => p * p,
        3.0 => p * p * p,
        gamma => (minus_ln_p * -gamma).exp(),
    }
}

/// `x^γ` for x ≥ 0; `0^0` is 1. At 0 a power that is no whole number has slope 0, also where the true
/// one is infinite.
#[inline(always)]
pub(crate) fn power<S: Scalar>(gamma: f64, x: S) -> S {
    match gamma {
        0.0 => x.constant(1.0),
        1.0 => x,
        2.0 => x * x,
        3.0 => x * x * x,
        gamma => {
            let zero = x.constant(0.0);
            S::select(x.equal(zero), zero, x.powf(gamma))
        }
    }
}

/// `a·b`, and 0 where `a` is 0 although `b` may not be finite.
#[inline(always)]
pub(crate) fn product_or_zero<S: Scalar>(a: S, b: S) -> S {
    let zero = a.constant(0.0);
    S::select(a.equal(zero), zero, a * b)
}

/// `a/b`, and 0 where `b` is 0.
#[inline(always)]
pub(crate) fn ratio_or_zero<S: Scalar>(a: S, b: S) -> S {
    let zero = a.constant(0.0);
    S::select(b.equal(zero), zero, a / b)
}
