//! `exp` and `exp_m1`.
//!
//! x is written as n·ln 2 + r with an integer n and |r| ≤ ½·ln 2, so that e^x = e^r · 2^n.

use std::f64::consts::{LN_2, LOG2_E};

use pulp::Simd;

use super::rounding::nearest_multiple;
use super::{LaneFloat, Lanes, polynomial};
use crate::scalar::Scalar;

/// ln 2 as the sum of two numbers of each type.
const LN_2_F32: [f64; 2] = [0.693_147_182_464_599_6, -1.904_654_212_125_933_6e-9];
const LN_2_F64: [f64; 2] = [LN_2, 2.319_046_813_846_299_6e-17];

/// (e^r − 1 − r) / r² for |r| ≤ ½·ln 2; relative error of e^r − 1: 2^−25.8 and 2^−60.0, of e^r
/// 2^−27.1 and 2^−61.3.
const TAIL_F32: &[f64] = &[
    0.499_999_970_197_677_6,
    0.166_665_419_936_180_11,
    0.041_667_204_350_233_08,
    0.008_366_647_176_444_53,
    0.001_388_249_453_157_186_5,
];
const TAIL_F64: &[f64] = &[
    0.5,
    0.166_666_666_666_666_77,
    0.041_666_666_666_666_505,
    0.008_333_333_333_321_513,
    0.001_388_888_888_896_350_2,
    0.000_198_412_698_864_780_33,
    2.480_158_717_105_495e-5,
    2.755_724_380_347_575_4e-6,
    2.755_740_327_823_575e-7,
    2.510_919_535_960_645_7e-8,
    2.087_532_590_541_383_4e-9,
];

/// x = n·ln 2 + r, and what was lost when r was rounded.
struct Reduced<S: Simd, T: LaneFloat> {
    n: Lanes<S, T>,
    r: Lanes<S, T>,
    lost: Lanes<S, T>,
}

#[inline(always)]
fn reduce<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Reduced<S, T> {
    let [high, low] = T::choose(LN_2_F32, LN_2_F64);
    let n = nearest_multiple(x, LOG2_E);
    // Exact: x and n·high nearly cancel, and the product is not rounded.
    let near = n.mul_add(n.constant(-high), x);
    let low = n.constant(-low);
    let r = n.mul_add(low, near);
    let lost = n.mul_add(low, near - r);
    Reduced { n, r, lost }
}

#[inline(always)]
fn tail<S: Simd, T: LaneFloat>(r: Lanes<S, T>) -> Lanes<S, T> {
    polynomial(r, T::choose(TAIL_F32, TAIL_F64))
}

/// e^r for |r| ≤ ½·ln 2.
#[inline(always)]
fn exp_reduced<S: Simd, T: LaneFloat>(r: Lanes<S, T>) -> Lanes<S, T> {
    let one = r.constant(1.0);
    r.mul_add(r.mul_add(tail(r), one), one)
}

/// x, but no more than a point where e^x is ∞; NaN stays NaN.
#[inline(always)]
fn not_above_overflow<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    // e^x is larger than the largest number above 88.72 and 709.78.
    let highest = x.constant(T::choose(89.0, 710.0));
    Lanes::select(highest.less(x), highest, x)
}

/// Whether e^x is 0: less than half the smallest subnormal, from −103.97 and −745.13 on.
///
/// Such an x is computed as 0 and the result replaced. A result that is rounded to 0 costs the
/// processor a hundred times as much as others, and −∞, which hides a class, is not rare.
#[inline(always)]
fn vanishes<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> T::Mask<S> {
    x.less(x.constant(T::choose(-104.0, -746.0)))
}

/// A power of two, and its exponent, that brings a subnormal number among the normal ones.
///
/// 2^n itself may be no normal number where e^r · 2^n is one, or has to be rounded to a subnormal.
/// e^r · 2^(n ± lift) · 2^(∓lift) is rounded once, by the last factor.
#[inline(always)]
fn lift<T: LaneFloat>() -> (f64, i32) {
    let exponent = T::choose(64, 512);
    (2.0_f64.powi(exponent), exponent)
}

/// e^x for an x between the logarithms of the smallest normal number and of the largest.
#[inline(always)]
pub(super) fn exp_of_moderate<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let Reduced { n, r, .. } = reduce(x);
    exp_reduced(r) * n.power_of_two(0)
}

/// e^x for x ≤ 0.
#[inline(always)]
pub(in crate::cpu) fn exp_of_negative<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let zero = x.constant(0.0);
    let vanishes = vanishes(x);
    let Reduced { n, r, .. } = reduce(Lanes::select(vanishes, zero, x));
    let (power, exponent) = lift::<T>();
    let result = exp_reduced(r) * n.power_of_two(exponent) * power.recip();
    Lanes::select(vanishes, zero, result)
}

/// e^(x + correction) for a correction that is small beside 1.
#[inline(always)]
pub(super) fn exp_corrected<S: Simd, T: LaneFloat>(
    x: Lanes<S, T>,
    correction: Lanes<S, T>,
) -> Lanes<S, T> {
    let zero = x.constant(0.0);
    let vanishes = vanishes(x);
    let x = Lanes::select(vanishes, zero, x);
    let Reduced { n, r, .. } = reduce(not_above_overflow(x));
    let (power, exponent) = lift::<T>();
    let negative = x.less(zero);
    let exponent = x.constant(exponent.into());
    let exponent = Lanes::select(negative, exponent, -exponent);
    let power = Lanes::select(negative, x.constant(power.recip()), x.constant(power));
    let result = exp_reduced(r + correction) * (n + exponent).power_of_two(0) * power;
    Lanes::select(vanishes, zero, result)
}

/// e^x.
#[inline(always)]
pub(in crate::cpu) fn exp<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    // Adding −0 changes no number, and the compiler leaves it out.
    exp_corrected(x, x.constant(-0.0))
}

/// e^x − 1.
#[inline(always)]
pub(in crate::cpu) fn exp_m1<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    // From −40 on the result is −1.
    let lowest = x.constant(-40.0);
    let clamped = Lanes::select(x.less(lowest), lowest, x);
    let Reduced { n, r, lost } = reduce(not_above_overflow(clamped));
    let tail = (r * r).mul_add(tail(r), lost);
    // With s = 2^(n − 1): 2^n·(1 + r + tail) − 1 = 2·(s·tail + (s·r + (s − ½))). Nothing overflows
    // before the last product, and the large terms, which may cancel, are summed first.
    let scale = n.power_of_two(-1);
    let leading = scale.mul_add(r, scale - 0.5);
    let result = scale.mul_add(tail, leading) * 2.0;
    // So small an x is its own result; halved, as above, it would lose a digit or the sign of 0.
    let tiny = x
        .abs()
        .less(x.constant(T::choose(2.0_f64.powi(-25), 2.0_f64.powi(-54))));
    Lanes::select(tiny, x, result)
}
