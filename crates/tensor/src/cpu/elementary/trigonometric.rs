//! `sin`, `cos`, `atan`.
//!
//! sin x = ±sin r for r = x − kπ, and cos x = ±sin r for r = x − (k + ½)π, with |r| ≤ π/2: one odd
//! polynomial serves both, and k says the sign. kπ is subtracted in three parts (Cody and Waite,
//! Software Manual for the Elementary Functions, 1980), enough for |x| up to 30 000 (`f32`) and
//! 10⁶ (`f64`). Larger arguments go to the standard library, one by one: right, but slow.

use std::f64::consts::{FRAC_1_PI, FRAC_PI_2, PI};

use pulp::Simd;

use super::rounding::nearest_multiple;
use super::{LaneFloat, Lanes, exact_sum, polynomial};
use crate::scalar::Scalar;

/// π as the sum of three numbers of each type.
const PI_F32: [f64; 3] = [
    3.141_592_741_012_573_2,
    -8.742_277_657_347_586e-8,
    -3.430_249_020_011_763_7e-15,
];
const PI_F64: [f64; 3] = [
    PI,
    1.224_646_799_147_353_2e-16,
    -2.994_769_809_718_339_7e-33,
];
/// What π/2 lacks in each type.
const FRAC_PI_2_LOW_F32: f64 = -4.371_138_828_673_793e-8;
const FRAC_PI_2_LOW_F64: f64 = 6.123_233_995_736_766e-17;

/// (sin(r)/r − 1)/r² in powers of r², |r| ≤ π/2: 2^−27.3 and 2^−61.5. Its constant term, and the
/// rest.
const SIN_FIRST_F32: f64 = -0.166_666_597_127_914_43;
const SIN_FIRST_F64: f64 = -0.166_666_666_666_666_66;
const SIN_F32: &[f64] = &[
    0.008_333_069_272_339_344,
    -0.000_198_097_768_588_922_92,
    2.606_095_677_037_956e-6,
];
const SIN_F64: &[f64] = &[
    0.008_333_333_333_333_207,
    -0.000_198_412_698_412_124_8,
    2.755_731_921_156_948_6e-6,
    -2.505_210_690_442_409_4e-8,
    1.605_894_100_243_818_1e-10,
    -7.643_019_378_871_591e-13,
    2.721_419_704_116_015_5e-15,
];

/// (atan(x)/x − 1)/x² in powers of x², |x| ≤ 1: 2^−28.5 and 2^−57.5.
const ATAN_F32: &[f64] = &[
    -0.333_332_985_639_572_14,
    0.199_985_295_534_133_9,
    -0.142_640_143_632_888_8,
    0.109_508_611_261_844_64,
    -0.083_992_078_900_337_22,
    0.057_878_870_517_015_46,
    -0.031_093_534_082_174_3,
    0.010_866_271_331_906_319,
    -0.001_782_144_187_018_275_3,
];
const ATAN_F64: &[f64] = &[
    -0.333_333_333_333_330_7,
    0.199_999_999_999_517_48,
    -0.142_857_142_825_879_47,
    0.111_111_110_073_370_59,
    -0.090_909_070_077_049_06,
    0.076_922_798_877_950_09,
    -0.066_664_044_142_279_64,
    0.058_805_297_550_496_17,
    -0.052_535_265_539_277_54,
    0.047_223_476_305_859_71,
    -0.042_192_417_832_461_55,
    0.036_643_126_103_382_58,
    -0.029_905_697_864_675_53,
    0.021_987_021_323_091_497,
    -0.013_902_527_219_526_712,
    0.007_197_849_724_407_557,
    -0.002_885_590_635_042_317_3,
    0.000_831_552_651_888_105_4,
    -0.000_152_209_582_123_612_33,
    1.322_983_913_066_473_4e-5,
];

/// (−1)^⌊k⌉ · sin(x − kπ), where |x − kπ| ≤ π/2 and `half_turns` is the integer ⌊k⌉.
#[inline(always)]
fn sin_reduced<S: Simd, T: LaneFloat>(
    x: Lanes<S, T>,
    k: Lanes<S, T>,
    half_turns: Lanes<S, T>,
) -> Lanes<S, T> {
    let [high, middle, low] = T::choose(PI_F32, PI_F64);
    let near = k.mul_add(x.constant(-high), x);
    let middle = x.constant(-middle);
    let product = k * middle;
    let (r, lost) = exact_sum(near, product);
    let lost = lost + k.mul_add(middle, -product);
    let lost = k.mul_add(x.constant(-low), lost);

    let square = r * r;
    let cube = square * r;
    // sin(r + lost) = sin r + lost·cos r, and for so small a term cos r is near enough to 1 − r²/2.
    let lost = lost * square.mul_add(x.constant(-0.5), x.constant(1.0));
    // The leading term of the tail is up to half the result; added last, it is not rounded alone.
    let rest = polynomial(square, T::choose(SIN_F32, SIN_F64));
    let rest = (cube * square).mul_add(rest, lost);
    let first = x.constant(T::choose(SIN_FIRST_F32, SIN_FIRST_F64));
    let sine = r + cube.mul_add(first, rest);
    // 1 for an even number of half turns, −1 for an odd one: the distance to the nearest even
    // number is 0 or ±1.
    let even = nearest_multiple(half_turns, 0.5);
    let odd = even.mul_add(x.constant(-2.0), half_turns);
    sine * (odd * -2.0).mul_add(odd, x.constant(1.0))
}

/// Where the reduction has too few digits of π.
#[inline(always)]
fn beyond_reduction<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> T::Mask<S> {
    x.constant(T::choose(30_000.0, 1e6)).less(x.abs())
}

/// sin x.
#[inline(always)]
pub(in crate::cpu) fn sin<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let k = nearest_multiple(x, FRAC_1_PI);
    let zero = x.constant(0.0);
    // −0 would become 0 − (−0) on the way.
    let sine = Lanes::select(x.equal(zero), x, sin_reduced(x, k, k));
    x.patch(beyond_reduction(x), f64::sin, sine)
}

/// cos x.
#[inline(always)]
pub(in crate::cpu) fn cos<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let quarter_less = x.mul_add(x.constant(FRAC_1_PI), x.constant(-0.5));
    let half_turns = nearest_multiple(quarter_less, 1.0);
    let cosine = -sin_reduced(x, half_turns + 0.5, half_turns);
    x.patch(beyond_reduction(x), f64::cos, cosine)
}

/// atan x, by atan x = π/2 − atan(1/x) beyond 1.
#[inline(always)]
pub(in crate::cpu) fn atan<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let one = x.constant(1.0);
    let magnitude = x.abs();
    let beyond = one.less(magnitude);
    let small = Lanes::select(beyond, magnitude.recip(), magnitude);
    let square = small * small;
    let tail = square * polynomial(square, T::choose(ATAN_F32, ATAN_F64));
    let near = small.mul_add(tail, small);
    // The low part of π/2 goes to the smaller term.
    let low = x.constant(T::choose(FRAC_PI_2_LOW_F32, FRAC_PI_2_LOW_F64));
    let far = (low - near) + FRAC_PI_2;
    Lanes::select(beyond, far, near).copy_sign(x)
}
