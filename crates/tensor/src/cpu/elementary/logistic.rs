//! `logistic` and `tanh`.

use pulp::Simd;

use super::exponential::{exp_m1_within, exp_of_negative};
use super::logarithm::ln_1p_of_unit;
use super::{LaneFloat, Lanes};
use crate::scalar::{Logistic, Scalar};

/// σ(x), σ(−x), ln(1 + e^x), ln(1 + e^−x).
///
/// With e = e^−|x| ≤ 1 the larger of σ(±x) is 1/(1 + e), the smaller e/(1 + e), and the logarithms
/// are ln(1 + e) with |x| added to one of them: no term cancels another.
#[inline(always)]
pub(in crate::cpu) fn logistic<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Logistic<Lanes<S, T>> {
    let zero = x.constant(0.0);
    let e = exp_of_negative(-x.abs());
    let larger = (e + 1.0).recip();
    let smaller = e * larger;
    let softplus = ln_1p_of_unit(e);
    let negative = x.less(zero);
    Logistic {
        sigmoid: Lanes::select(negative, smaller, larger),
        complement: Lanes::select(negative, larger, smaller),
        softplus: x.relu() + softplus,
        softplus_negated: (-x).relu() + softplus,
    }
}

/// tanh |x| = −(e^−2|x| − 1) / (e^−2|x| + 1).
#[inline(always)]
pub(in crate::cpu) fn tanh<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    // tanh is 1 to the last place from 9.02 and 19.06 on.
    let limit = x.constant(T::choose(10.0, 20.0));
    let magnitude = x.abs();
    let magnitude = Lanes::select(limit.less(magnitude), limit, magnitude);
    let power_m1 = exp_m1_within(magnitude * -2.0);
    (power_m1 / (power_m1 + 2.0)).copy_sign(x)
}
