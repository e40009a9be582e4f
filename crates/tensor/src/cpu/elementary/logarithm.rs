//! `ln`, `ln_1p`, `log2`.
//!
//! x is written as m · 2^k with m between √½ and √2; then ln x = k·ln 2 + ln m, where the second
//! term is a polynomial in f = m − 1, a difference that is exact.

use std::f64::consts::{LN_2, LOG2_E};

use pulp::Simd;

use super::{LaneFloat, Lanes, exact_sum, polynomial};
use crate::scalar::Scalar;

/// ln 2 as the sum of two numbers of each type.
const LN_2_F32: [f64; 2] = [0.693_147_182_464_599_6, -1.904_654_212_125_933_6e-9];
const LN_2_F64: [f64; 2] = [LN_2, 2.319_046_813_846_299_6e-17];
/// What log₂ e lacks in each type.
const LOG2_E_LOW_F32: f64 = 1.925_963_033_500_011e-8;
const LOG2_E_LOW_F64: f64 = 2.035_527_374_093_103_3e-17;

/// (ln(1 + f) − f) / f² for √½ ≤ 1 + f ≤ √2; relative error of ln(1 + f): 2^−27.6 and 2^−56.6.
const TAIL_F32: &[f64] = &[
    -0.499_999_880_790_710_45,
    0.333_333_253_860_473_63,
    -0.250_016_093_254_089_36,
    0.200_020_149_350_166_32,
    -0.166_083_797_812_461_85,
    0.141_805_037_856_102,
    -0.132_479_190_826_416_02,
    0.129_156_306_385_993_96,
    -0.076_231_926_679_611_2,
];
const TAIL_F64: &[f64] = &[
    -0.500_000_000_000_000_3,
    0.333_333_333_333_333_37,
    -0.249_999_999_999_790_4,
    0.200_000_000_000_262_97,
    -0.166_666_666_707_162_96,
    0.142_857_142_836_867_04,
    -0.124_999_996_471_692_7,
    0.111_111_109_692_289_82,
    -0.100_000_164_193_525_34,
    0.090_909_292_445_983_23,
    -0.083_328_952_377_800_65,
    0.076_914_333_850_336_46,
    -0.071_495_678_013_768_69,
    0.066_856_208_614_186_67,
    -0.061_967_388_137_118_33,
    0.056_625_469_576_973_87,
    -0.056_715_714_453_900_28,
    0.065_152_422_887_609_21,
    -0.060_075_131_050_456_1,
    0.026_283_098_941_698_505,
];

/// The same for 0 ≤ f ≤ 1: 2^−27.5 and 2^−56.5.
const UNIT_TAIL_F32: &[f64] = &[
    -0.499_999_314_546_585_1,
    0.333_304_643_630_981_45,
    -0.249_580_189_585_685_73,
    0.196_921_020_746_231_08,
    -0.153_448_805_212_974_55,
    0.106_611_281_633_377_08,
    -0.057_457_230_985_164_64,
    0.020_086_241_886_019_707,
    -0.003_290_468_594_059_348,
];
const UNIT_TAIL_F64: &[f64] = &[
    -0.499_999_999_999_994_6,
    0.333_333_333_332_352_54,
    -0.249_999_999_936_859_56,
    0.199_999_997_915_491_25,
    -0.166_666_625_019_058_05,
    0.142_856_589_318_543_42,
    -0.124_994_798_643_380_02,
    0.111_075_073_489_193_46,
    -0.099_810_204_496_312_99,
    0.090_131_711_148_674_53,
    -0.080_812_546_698_290_02,
    0.070_356_261_088_184_63,
    -0.057_503_298_328_061_64,
    0.042_301_640_466_975_63,
    -0.026_745_352_243_045_504,
    0.013_839_540_619_303_74,
    -0.005_543_582_817_983_964,
    0.001_595_903_532_216_319_3,
    -0.000_291_795_451_027_862_43,
    2.533_328_302_401_328_3e-5,
];

/// m and k of a positive finite x = m · 2^k.
#[inline(always)]
pub(super) fn split<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> (Lanes<S, T>, Lanes<S, T>) {
    // A subnormal number has no exponent of its own until it is scaled up.
    let digits = T::choose(24.0, 54.0);
    let scale = T::choose((1_u64 << 24) as f64, (1_u64 << 54) as f64);
    let smallest_normal = T::choose(f32::MIN_POSITIVE as f64, f64::MIN_POSITIVE);
    let subnormal = x.less(x.constant(smallest_normal));
    let (m, k) = Lanes::select(subnormal, x * scale, x).split_exponent();
    (m, Lanes::select(subnormal, k - digits, k))
}

/// `result`, that of a positive finite x, but −∞ at 0, ∞ at ∞ and NaN below 0 and for NaN.
#[inline(always)]
fn with_edges<S: Simd, T: LaneFloat>(x: Lanes<S, T>, result: Lanes<S, T>) -> Lanes<S, T> {
    let (zero, infinity) = (x.constant(0.0), x.constant(f64::INFINITY));
    let undefined = Lanes::select(x.equal(zero), -infinity, x.constant(f64::NAN));
    let result = Lanes::select(zero.less(x), result, undefined);
    Lanes::select(x.equal(infinity), infinity, result)
}

/// ln(1 + f) for 1 + f between √½ and √2.
#[inline(always)]
fn ln_1p_near_zero<S: Simd, T: LaneFloat>(f: Lanes<S, T>) -> Lanes<S, T> {
    (f * f).mul_add(polynomial(f, T::choose(TAIL_F32, TAIL_F64)), f)
}

/// ln(1 + f) for f between 0 and 1.
#[inline(always)]
pub(super) fn ln_1p_of_unit<S: Simd, T: LaneFloat>(f: Lanes<S, T>) -> Lanes<S, T> {
    (f * f).mul_add(polynomial(f, T::choose(UNIT_TAIL_F32, UNIT_TAIL_F64)), f)
}

/// k·ln 2 + ln(1 + f).
#[inline(always)]
fn ln_of_parts<S: Simd, T: LaneFloat>(k: Lanes<S, T>, f: Lanes<S, T>) -> Lanes<S, T> {
    let [high, low] = T::choose(LN_2_F32, LN_2_F64);
    let rest = k.mul_add(k.constant(low), ln_1p_near_zero(f));
    k.mul_add(k.constant(high), rest)
}

/// ln x.
#[inline(always)]
pub(in crate::cpu) fn ln<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let (m, k) = split(x);
    with_edges(x, ln_of_parts(k, m - 1.0))
}

/// log₂ x.
#[inline(always)]
pub(in crate::cpu) fn log2<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let (m, k) = split(x);
    let ln = ln_1p_near_zero(m - 1.0);
    let rest = ln.mul_add(x.constant(T::choose(LOG2_E_LOW_F32, LOG2_E_LOW_F64)), k);
    with_edges(x, ln.mul_add(x.constant(LOG2_E), rest))
}

/// ln(1 + x).
#[inline(always)]
pub(in crate::cpu) fn ln_1p<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let (sum, lost) = exact_sum(x, x.constant(1.0));
    // 1 + x is never subnormal, unless it is 0.
    let (m, k) = sum.split_exponent();
    // 2^−k · lost completes m − 1. The largest k has no normal 2^−k, so it is taken twice as large.
    let f = (-k).power_of_two(1).mul_add(lost * 0.5, m - 1.0);
    with_edges(sum, ln_of_parts(k, f)).copy_sign(x)
}
