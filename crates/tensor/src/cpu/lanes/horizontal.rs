//! From a register to one number.

use pulp::Simd;

use super::{Lanes, WIDEST};
use crate::element::Float;

impl<S: Simd, T: Float> Lanes<S, T> {
    /// The sum of the lanes, halves first, so that it does not depend on more than their number.
    #[inline(always)]
    pub fn sum(self) -> T {
        self.fold(T::ZERO, |a, b| a + b)
    }

    /// The largest lane; which of them it is where one is NaN is not said.
    #[inline(always)]
    pub fn largest(self) -> T {
        let lowest = T::from_f64(f64::NEG_INFINITY);
        self.fold(lowest, |a, b| if a < b { b } else { a })
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
