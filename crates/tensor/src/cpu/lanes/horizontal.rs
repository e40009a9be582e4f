//! From a register to one number.

use pulp::Simd;

use super::transpose::lower_halves;
use super::{LaneMemory, Lanes, WIDEST};
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

/// The first `count` lanes.
#[inline(always)]
pub(in crate::cpu) fn first_lanes<S: Simd, T: LaneMemory>(simd: S, count: usize) -> T::Mask<S> {
    let mut numbers = [T::from_f64(0.0); WIDEST];
    for (lane, number) in numbers.iter_mut().enumerate() {
        *number = T::from_f64(lane as f64);
    }
    let end = T::splat(simd, T::from_f64(count as f64));
    let numbers = T::split::<S>(&numbers).0.first();
    T::less(simd, *numbers.unwrap_or(&end), end)
}

/// The sum of the lanes of each register, halves first, in their order: one after the other in
/// `sums`, which has as many places.
///
/// This takes half of the operations that one register after the other would, since each adds for two
/// of them.
#[inline(always)]
pub(in crate::cpu) fn sum_registers<S: Simd, T: LaneMemory>(
    simd: S,
    mut registers: [T::Vector<S>; WIDEST],
    sums: &mut [T; WIDEST],
) {
    add_halves::<S, T, 8>(simd, &mut registers);
    add_halves::<S, T, 4>(simd, &mut registers);
    add_halves::<S, T, 2>(simd, &mut registers);
    add_halves::<S, T, 1>(simd, &mut registers);
    let places = T::split_mut::<S>(sums).0;
    for (number, place) in places.iter_mut().enumerate() {
        *place = registers[number * T::width::<S>()];
    }
}

/// Adds the upper to the lower half of every `2 · HALF` lanes, of two registers at a time: the sums of
/// the first stand in the lower halves of the result, those of the second, `HALF` further on, in the
/// upper ones.
#[inline(always)]
fn add_halves<S: Simd, T: LaneMemory, const HALF: usize>(
    simd: S,
    registers: &mut [T::Vector<S>; WIDEST],
) {
    let width = T::width::<S>();
    if HALF >= width {
        return;
    }
    let low = lower_halves::<S, T, HALF>(simd);
    for group in 0..WIDEST / width {
        for i in group * width..group * width + HALF {
            let (a, b) = (registers[i], registers[i + HALF]);
            let own = T::select(simd, low, a, b);
            let (a, b) = (T::rotate(simd, a, HALF), T::rotate(simd, b, width - HALF));
            registers[i] = T::add(simd, own, T::select(simd, low, a, b));
        }
    }
}
