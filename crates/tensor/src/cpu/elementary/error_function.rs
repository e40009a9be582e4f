//! `erf`.
//!
//! Near 0 erf is odd, x · P(x²). From 1 on it is 1 − erfc x, and the logarithm of erfc is so close
//! to a parabola that a polynomial follows it to the point where erf is 1 to the last place. There
//! erfc itself is small, and with it the error that a rounded logarithm makes.

use pulp::Simd;

use super::exponential::exp_of_moderate;
use super::{LaneFloat, Lanes, polynomial};
use crate::scalar::Scalar;

/// erf(x)/x − 1 in powers of x², |x| ≤ 1: 2^−29.4 and 2^−56.3.
const NEAR_F32: &[f64] = &[
    0.128_379_166_126_251_22,
    -0.376_126_259_565_353_4,
    0.112_835_787_236_690_52,
    -0.026_853_347_197_175_026,
    0.005_187_162_198_126_316,
    -0.000_799_785_309_936_851_3,
    7.806_903_886_375_949e-5,
];
const NEAR_F64: &[f64] = &[
    0.128_379_167_095_512_6,
    -0.376_126_389_031_841,
    0.112_837_916_709_710_98,
    -0.026_866_170_648_031_13,
    0.005_223_977_652_692_244,
    -0.000_854_832_853_576_612_1,
    0.000_120_553_861_916_093_15,
    -1.492_688_140_767_246_6e-5,
    1.648_105_776_206_263_5e-6,
    -1.655_711_602_604_003e-7,
    1.601_312_813_250_97e-8,
    -1.646_433_114_068_731_1e-9,
    1.434_283_934_879_59e-10,
];

/// ln erfc(1 + t) for 0 ≤ t ≤ 2.92 (`f32`) and 4.95 (`f64`); relative error of erf: 2^−26.7 and
/// 2^−57.0.
const LN_ERFC_F32: &[f64] = &[
    -1.849_605_560_302_734_4,
    -2.638_966_798_782_348_6,
    -0.843_117_594_718_933_1,
    -0.041_503_496_468_067_17,
    0.009_895_457_886_159_42,
    -0.001_829_380_751_587_450_5,
    0.000_186_378_456_419_333_82,
];
const LN_ERFC_F64: &[f64] = &[
    -1.849_605_509_933_248_2,
    -2.638_967_514_234_783_7,
    -0.843_107_256_359_107_3,
    -0.041_561_098_030_199_95,
    0.010_033_825_225_642_452,
    -0.001_977_901_473_677_068_7,
    0.000_237_317_372_598_479_16,
    2.629_398_066_695_629_5e-5,
    -2.719_480_548_840_025_7e-5,
    9.666_014_717_755_176e-6,
    -2.126_882_999_540_461e-6,
    2.013_046_313_070_948_4e-7,
    5.979_219_401_318_094e-8,
    -3.404_316_111_815_952_5e-8,
    8.685_871_153_332_575e-9,
    -1.347_488_362_907_307_4e-9,
    1.221_901_854_229_391e-10,
    -4.994_729_722_797_619e-12,
];

/// erf x.
#[inline(always)]
pub(in crate::cpu) fn erf<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let one = x.constant(1.0);
    let magnitude = x.abs();
    let near = magnitude.mul_add(polynomial(x * x, T::choose(NEAR_F32, NEAR_F64)), magnitude);
    // erf is 1 to the last place from here on.
    let limit = x.constant(T::choose(3.92, 5.95));
    let clamped = Lanes::select(limit.less(magnitude), limit, magnitude);
    let ln_erfc = polynomial(clamped - 1.0, T::choose(LN_ERFC_F32, LN_ERFC_F64));
    let far = one - exp_of_moderate(ln_erfc);
    Lanes::select(magnitude.less(one), near, far).copy_sign(x)
}
