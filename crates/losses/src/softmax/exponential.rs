//! The exponential of a logit beside the largest.

use macula_tensor::Scalar;
use macula_tensor::cpu::Simd;
use macula_tensor::cpu::lanes::{LaneFloat, Lanes};

/// `e^(z − M)` for a logit `z` and the largest one `M` of its row; 1 where both are infinite.
#[inline(always)]
pub(super) fn exponential<S: Simd, T: LaneFloat>(
    logit: Lanes<S, T>,
    largest: Lanes<S, T>,
) -> Lanes<S, T> {
    // Where both are infinite the difference is 0, not NaN.
    let zero = logit.constant(0.0);
    Lanes::select(logit.equal(largest), zero, logit - largest).exp_of_negative()
}
