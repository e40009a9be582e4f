//! `logistic` and `tanh`.

use pulp::Simd;

use super::exponential::{exp_of_moderate, exp_of_negative};
use super::logarithm::ln_1p_of_unit;
use super::{LaneFloat, Lanes, polynomial};
use crate::scalar::{Logistic, Scalar};

/// σ(x), σ(−x), ln(1 + e^x), ln(1 + e^−x).
///
/// With e = e^−|x| ≤ 1 the larger of σ(±x) is 1/(1 + e), the smaller e/(1 + e), and the logarithms
/// are ln(1 + e) with |x| added to one of them: no term cancels another.
#[inline(always)]
pub(in crate::cpu) fn logistic<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Logistic<Lanes<S, T>> {
    let minus_magnitude = -x.abs();
    let e = exp_of_negative(minus_magnitude);
    let quotient = (e + 1.0).recip();
    // One step of Newton's iteration takes back what the sum and the quotient were rounded by:
    // quotient − 1 is exact, so the residual 1 − quotient·(1 + e) has but one rounding.
    let residual = (-quotient).mul_add(e, -quotient + 1.0);
    let larger = quotient.mul_add(residual, quotient);
    let smaller = e.mul_add(quotient, e * quotient * residual);
    let below = ln_1p_of_unit(e);
    let above = below - minus_magnitude;
    let negative = x.less(x.constant(0.0));
    Logistic {
        sigmoid: Lanes::select(negative, smaller, larger),
        complement: Lanes::select(negative, larger, smaller),
        softplus: Lanes::select(negative, below, above),
        softplus_negated: Lanes::select(negative, above, below),
    }
}

/// (tanh(x)/x − 1)/x² in powers of x², |x| ≤ 0.55; relative error of tanh: 2^−29.8 and 2^−60.6.
const TANH_F32: &[f64] = &[
    -0.333_333_164_453_506_47,
    0.133_325_442_671_775_82,
    -0.053_847_547_620_534_9,
    0.021_050_713_956_356_05,
    -0.006_242_848_932_743_072_5,
];
const TANH_F64: &[f64] = &[
    -0.333_333_333_333_333,
    0.133_333_333_333_265_8,
    -0.053_968_253_963_736_994,
    0.021_869_488_385_176_168,
    -0.008_863_232_590_165_034,
    0.003_592_091_914_421_303_4,
    -0.001_455_542_081_898_173_6,
    0.000_588_441_265_262_483_1,
    -0.000_233_373_155_997_567,
    8.330_407_435_318_598e-5,
    -1.948_684_653_363_435_5e-5,
];

/// tanh x.
///
/// Beyond 0.55 it is 1 − 2e/(1 + e) with e = e^−2|x|. There the second term is no more than ½, so
/// its errors count for half; below, they would be all there is.
#[inline(always)]
pub(in crate::cpu) fn tanh<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let magnitude = x.abs();
    let square = x * x;
    let tail = square * polynomial(square, T::choose(TANH_F32, TANH_F64));
    let near = magnitude.mul_add(tail, magnitude);

    // tanh is 1 to the last place from 9.02 and 19.06 on.
    let limit = x.constant(20.0);
    let clamped = Lanes::select(limit.less(magnitude), limit, magnitude);
    let e = exp_of_moderate(clamped * -2.0);
    let far = -(e * 2.0 / (e + 1.0)) + 1.0;
    Lanes::select(magnitude.less(x.constant(0.55)), near, far).copy_sign(x)
}
