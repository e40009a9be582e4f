//! `exp` and `exp_m1`.
//!
//! x is written as 2m·ln 2 + r with an integer m and |r| ≤ ln 2, so that e^x = e^r · 2^m · 2^m. The
//! usual reduction takes e^r · 2^n with |r| ≤ ½·ln 2; with an even n the polynomial is one degree
//! higher, but 2^m is a normal number for every result, and the second of the two multiplications
//! is where a subnormal result is rounded, once, and where a large one becomes ∞.

use std::f64::consts::LN_2;

use pulp::Simd;

use super::rounding::nearest_multiple;
use super::{LaneFloat, Lanes, polynomial};
use crate::scalar::Scalar;

/// 2·ln 2 as the sum of two numbers of each type.
const TWO_LN_2_F32: [f64; 2] = [1.386_294_364_929_199_2, -3.809_308_424_251_867e-9];
const TWO_LN_2_F64: [f64; 2] = [1.386_294_361_119_890_6, 4.638_093_627_692_599e-17];

/// (e^r − 1 − r) / r² for |r| ≤ ln 2; relative error of e^r − 1: 2^−29.1 and 2^−59.2.
const TAIL_F32: &[f64] = &[
    0.5,
    0.166_666_716_337_203_98,
    0.041_666_645_556_688_31,
    0.008_332_666_940_987_11,
    0.001_388_986_711_390_316_5,
    0.000_200_901_820_790_022_6,
    2.481_540_286_680_683_5e-5,
];
const TAIL_F64: &[f64] = &[
    0.5,
    0.166_666_666_666_666_6,
    0.041_666_666_666_666_75,
    0.008_333_333_333_336_15,
    0.001_388_888_888_886_926_8,
    0.000_198_412_698_372_566_94,
    2.480_158_731_651_369_6e-5,
    2.755_732_179_614_495e-6,
    2.755_731_456_498_762_3e-7,
    2.505_128_780_627_406_2e-8,
    2.087_727_556_907_981_6e-9,
    1.618_637_221_282_080_7e-10,
    1.148_673_897_543_720_6e-11,
];

/// x = 2m·ln 2 + r, and what was lost when r was rounded.
struct Reduced<S: Simd, T: LaneFloat> {
    m: Lanes<S, T>,
    r: Lanes<S, T>,
    lost: Lanes<S, T>,
}

#[inline(always)]
fn reduce<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Reduced<S, T> {
    let [high, low] = T::choose(TWO_LN_2_F32, TWO_LN_2_F64);
    let m = nearest_multiple(x, 0.5 / LN_2);
    // Exact: x and m·high nearly cancel, and the product is not rounded.
    let near = m.mul_add(m.constant(-high), x);
    let low = m.constant(-low);
    let r = m.mul_add(low, near);
    let lost = m.mul_add(low, near - r);
    Reduced { m, r, lost }
}

#[inline(always)]
fn tail<S: Simd, T: LaneFloat>(r: Lanes<S, T>) -> Lanes<S, T> {
    polynomial(r, T::choose(TAIL_F32, TAIL_F64))
}

/// x, but no less than the point from which on e^x is 0; NaN stays NaN.
#[inline(always)]
fn not_below_underflow<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    // e^x is less than half the smallest subnormal below −103.97 and −745.13.
    let lowest = x.constant(T::choose(-104.0, -746.0));
    Lanes::select(x.less(lowest), lowest, x)
}

/// x, but no more than a point where e^x is ∞; NaN stays NaN.
#[inline(always)]
fn not_above_overflow<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    // e^x is larger than the largest number above 88.72 and 709.78.
    let highest = x.constant(T::choose(89.0, 710.0));
    Lanes::select(highest.less(x), highest, x)
}

/// e^(x + correction) between the limits above, for a correction that is small beside 1.
#[inline(always)]
fn exp_within<S: Simd, T: LaneFloat>(
    x: Lanes<S, T>,
    correction: Option<Lanes<S, T>>,
) -> Lanes<S, T> {
    let Reduced { m, r, .. } = reduce(x);
    let r = correction.map_or(r, |correction| r + correction);
    let one = x.constant(1.0);
    let power = r.mul_add(r.mul_add(tail(r), one), one);
    let scale = m.power_of_two();
    power * scale * scale
}

/// e^x for an x between the logarithms of the smallest normal number and of the largest.
#[inline(always)]
pub(super) fn exp_of_moderate<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    exp_within(x, None)
}

/// e^x for x ≤ 0.
#[inline(always)]
pub(super) fn exp_of_negative<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    exp_within(not_below_underflow(x), None)
}

/// e^(x + correction) for a correction that is small beside 1.
#[inline(always)]
pub(super) fn exp_corrected<S: Simd, T: LaneFloat>(
    x: Lanes<S, T>,
    correction: Lanes<S, T>,
) -> Lanes<S, T> {
    exp_within(not_above_overflow(not_below_underflow(x)), Some(correction))
}

/// e^x.
#[inline(always)]
pub(in crate::cpu) fn exp<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    exp_within(not_above_overflow(not_below_underflow(x)), None)
}

/// e^x − 1 between the limits of `exp`; 0 has lost its sign.
#[inline(always)]
pub(super) fn exp_m1_within<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let Reduced { m, r, lost } = reduce(x);
    let tail = (r * r).mul_add(tail(r), lost);
    // With s = 2^m: s²·(1 + r + tail) − 1 = s·(s·tail + (s·r + (s − 1/s))). Nothing overflows
    // before the last product, and the large terms, which may cancel, are summed first.
    let scale = m.power_of_two();
    let leading = scale.mul_add(r, scale - (-m).power_of_two());
    scale.mul_add(tail, leading) * scale
}

/// e^x − 1.
#[inline(always)]
pub(in crate::cpu) fn exp_m1<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    exp_m1_within(not_above_overflow(not_below_underflow(x))).copy_sign(x)
}
