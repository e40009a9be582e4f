//! The elementary functions of a register: `exp`, `ln`, `tanh`, … as polynomials.
//!
//! Each function reduces its argument to a short interval, evaluates a polynomial there, and puts
//! the result together. Nothing branches on a value: every lane does the same work, and a lane's
//! result depends on its own argument alone, wherever in a register it stands.
//!
//! # Accuracy
//!
//! All results are within 2 units in the last place (ulp) of the true value, in `f32` and in
//! `f64`, subnormal results included, and the tests hold every function to that. The largest
//! errors seen, in `f32` on every hundredth number of the type or more, in `f64` on a million
//! arguments or more for each function:
//!
//! | | `f32` | `f64` |
//! | --- | --- | --- |
//! | `exp` | 0.92 | 0.85 |
//! | `exp_m1` | 1.32 | 1.29 |
//! | `ln` | 0.93 | 1.10 |
//! | `ln_1p` | 1.45 | 1.78 |
//! | `log2` | 1.51 | 1.50 |
//! | `tanh` | 1.48 | 1.50 |
//! | `logistic`: σ(x), σ(−x) | 1.47 | 1.47 |
//! | `logistic`: softplus | 1.85 | 1.61 |
//! | `erf` | 0.97 | 0.97 |
//! | `sin`, `cos` | 1.71 | 1.60 |
//! | `atan` | 1.31 | 1.48 |
//! | `rsqrt` | 1.49 | 1.49 |
//! | `pow` | 1.10 | 1.13 |
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
pub(super) use exponential::{exp, exp_m1, exp_of_negative};
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

/// a + b and what was lost when it was rounded, so that the two make up the sum exactly.
///
/// # Source
/// Knuth, The Art of Computer Programming, volume 2, 4.2.2, theorem B.
#[inline(always)]
fn exact_sum<S: Simd, T: LaneFloat>(a: Lanes<S, T>, b: Lanes<S, T>) -> (Lanes<S, T>, Lanes<S, T>) {
    let sum = a + b;
    let of_b = sum - a;
    let lost = (a - (sum - of_b)) + (b - of_b);
    (sum, lost)
}
