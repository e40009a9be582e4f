//! The elementary functions of a register: `exp`, `ln`, `tanh`, … as polynomials.
//!
//! Each function reduces its argument to a short interval, evaluates a polynomial there, and puts
//! the result together. Nothing branches on a value: every lane does the same work, and a lane's
//! result depends on its own argument alone, wherever in a register it stands.
//!
//! # Accuracy
//!
//! All results are within 2 units in the last place (ulp) of the true value, in `f32` and in
//! `f64`, subnormal results included. The largest errors seen (`f32`: every number there is;
//! `f64`: a million arguments each) are in the table; the tests hold every function to the bound.
//!
//! ERRORTABLE
//!
//! Results at ±0, ±∞ and NaN are those of IEEE 754 (2019), section 9.2.1.
//!
//! # Where the coefficients come from
//!
//! Each polynomial is the minimax approximation (Remez 1934: the error alternates between its
//! extremes) of the function named beside it, weighted so that the *relative* error of the final
//! result is what is smallest. It was computed with 60 digits. Then, from the constant term up, each
//! coefficient was rounded to the type and the ones above it were fitted anew, so that they make up
//! for the rounding. The error left by a polynomial is noted beside it as "2^−28".

mod error_function;
mod exponential;
mod logarithm;
mod logistic;
mod power;
mod rounding;
mod trigonometric;

#[cfg(test)]
mod tests;

pub(super) use error_function::erf;
pub(super) use exponential::{exp, exp_m1};
pub(super) use logarithm::{ln, ln_1p, log2};
pub(super) use logistic::{logistic, tanh};
pub(super) use power::{pow, powf};
pub(super) use rounding::{ceil, floor, round};
pub(super) use trigonometric::{atan, cos, sin};

use pulp::Simd;

use super::lanes::{LaneFloat, Lanes};
use crate::scalar::Scalar;

/// c₀ + c₁x + c₂x² + …, by Horner's rule.
#[inline(always)]
fn polynomial<S: Simd, T: LaneFloat>(x: Lanes<S, T>, coefficients: &[f64]) -> Lanes<S, T> {
    let mut sum = x.constant(0.0);
    for (i, &coefficient) in coefficients.iter().rev().enumerate() {
        let term = x.constant(coefficient);
        sum = if i == 0 { term } else { sum.mul_add(x, term) };
    }
    sum
}
