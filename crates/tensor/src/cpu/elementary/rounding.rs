//! `floor`, `ceil`, `round`.

use pulp::Simd;

use super::{LaneFloat, Lanes};
use crate::scalar::Scalar;

/// The integer nearest to x · factor, the even one of two; for |x · factor| < 2^22 (`f32`) or 2^51
/// (`f64`).
#[inline(always)]
pub(super) fn nearest_multiple<S: Simd, T: LaneFloat>(x: Lanes<S, T>, factor: f64) -> Lanes<S, T> {
    // A sum this large has no room for a fraction; the ½ keeps it there for negative x.
    let magic = T::choose(1.5 * (1_u64 << 23) as f64, 1.5 * (1_u64 << 52) as f64);
    x.mul_add(x.constant(factor), x.constant(magic)) - magic
}

/// The nearest integer, the even one of two equally near; its sign bit is that of x.
#[inline(always)]
pub(in crate::cpu) fn round<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    // From here on every number is an integer.
    let limit = T::choose((1_u64 << 23) as f64, (1_u64 << 52) as f64);
    let magnitude = x.abs();
    let rounded = ((magnitude + limit) - limit).copy_sign(x);
    Lanes::select(magnitude.less(x.constant(limit)), rounded, x)
}

/// The largest integer ≤ x.
#[inline(always)]
pub(in crate::cpu) fn floor<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let nearest = round(x);
    let below = Lanes::select(x.less(nearest), nearest - 1.0, nearest);
    below.copy_sign(x)
}

/// The smallest integer ≥ x.
#[inline(always)]
pub(in crate::cpu) fn ceil<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Lanes<S, T> {
    let nearest = round(x);
    let above = Lanes::select(nearest.less(x), nearest + 1.0, nearest);
    above.copy_sign(x)
}
