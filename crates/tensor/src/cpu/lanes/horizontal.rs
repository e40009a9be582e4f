//! From a register to one number.

use pulp::Simd;

use super::Lanes;
use crate::element::Float;

/// The widest register, in numbers.
const WIDEST: usize = 16;

impl<S: Simd, T: Float> Lanes<S, T> {
    /// The sum of the lanes, halves first, so that it does not depend on more than their number.
    #[inline(always)]
    pub fn sum(self) -> T {
        self.fold(T::ZERO, |a, b| a + b)
    }

    /// The largest lane; NaN if one of them is.
    #[inline(always)]
    pub fn largest(self) -> T {
        // A NaN stays: `a` is kept unless `b` is larger or NaN itself.
        self.fold(T::from_f64(f64::NEG_INFINITY), |a, b| {
            if b <= a || a.is_nan() { a } else { b }
        })
    }

    /// Combines the lanes pairwise; `neutral` fills up registers of fewer lanes.
    #[inline(always)]
    pub(in crate::cpu) fn fold(self, neutral: T, combine: impl Fn(T, T) -> T) -> T {
        let mut lanes = [neutral; WIDEST];
        self.store_partial(&mut lanes[..T::width::<S>()]);
        let mut count = WIDEST;
        while count > 1 {
            count /= 2;
            for lane in 0..count {
                lanes[lane] = combine(lanes[lane], lanes[lane + count]);
            }
        }
        lanes[0]
    }
}
