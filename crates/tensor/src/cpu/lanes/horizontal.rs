//! From a register to one number.

use std::ops::Add;

use pulp::Simd;

use super::transpose::{lower_halves, off_diagonal};
use super::{LaneMemory, Lanes, WIDEST};

impl<S: Simd, T: LaneMemory> Lanes<S, T> {
    /// The sum of the lanes, halves first.
    #[inline(always)]
    pub fn sum(self) -> T {
        self.fold(Add::add).first()
    }

    /// The largest lane; which of them it is where one is NaN is not said.
    #[inline(always)]
    pub fn largest(self) -> T {
        self.fold(Self::larger).first()
    }

    /// All lanes combined, in every lane: each with the one half a register further on, then a quarter,
    /// and so on, round the end. The operation is one whose order of two does not matter, and a function
    /// with a name: a closure that computes with lanes is not always inlined.
    #[inline(always)]
    pub(in crate::cpu) fn fold(mut self, combine: impl Fn(Self, Self) -> Self) -> Self {
        for distance in [8, 4, 2, 1] {
            if distance < T::width::<S>() {
                let others = T::rotate(self.simd, self.vector, distance);
                self = combine(self, Self::new(self.simd, others));
            }
        }
        self
    }

    /// The number in the first lane.
    #[inline(always)]
    pub(in crate::cpu) fn first(self) -> T {
        let mut numbers = [T::from_f64(0.0); WIDEST];
        if let Some(place) = T::split_mut::<S>(&mut numbers).0.first_mut() {
            *place = self.vector;
        }
        numbers[0]
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
            let other = off_diagonal::<S, T, HALF>(simd, low, a, b);
            registers[i] = T::add(simd, own, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    use super::super::InstructionSet;
    use super::*;
    use pulp::WithSimd;

    /// Of registers of which number i holds 100·i + 1, 100·i + 2, …: how many numbers each holds, their
    /// sums, added up together and one by one, and their largest numbers.
    struct Numbered<T>(PhantomData<T>);

    impl<T: LaneMemory> WithSimd for Numbered<T> {
        type Output = (usize, [Vec<f64>; 3]);

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> (usize, [Vec<f64>; 3]) {
            let width = T::width::<S>();
            let mut registers = [T::splat(simd, T::from_f64(0.0)); WIDEST];
            for (i, register) in registers.iter_mut().enumerate() {
                let numbers: Vec<_> = (1..=width)
                    .map(|lane| T::from_f64((100 * i + lane) as f64))
                    .collect();
                *register = T::load_partial(simd, &numbers);
            }
            let mut sums = [T::from_f64(-1.0); WIDEST];
            sum_registers::<S, T>(simd, registers, &mut sums);
            let (mut one_by_one, mut largest) = (sums, sums);
            for (i, &register) in registers.iter().enumerate() {
                one_by_one[i] = Lanes::<S, T>::new(simd, register).sum();
                largest[i] = Lanes::<S, T>::new(simd, register).largest();
            }
            let numbers = [sums, one_by_one, largest];
            (
                width,
                numbers.map(|numbers| numbers.map(T::to_f64).to_vec()),
            )
        }
    }

    #[test]
    fn registers_are_summed_and_searched_on_all_instructions() {
        for set in InstructionSet::available() {
            let in_f32 = set.run(Numbered::<f32>(PhantomData));
            let in_f64 = set.run(Numbered::<f64>(PhantomData));
            for (width, [sums, one_by_one, largest]) in [in_f32, in_f64] {
                for i in 0..WIDEST {
                    let sum = width * (100 * i) + width * (width + 1) / 2;
                    assert_eq!(
                        [sums[i], one_by_one[i], largest[i]],
                        [sum as f64, sum as f64, (100 * i + width) as f64],
                        "{set:?}, register {i} of {width} lanes"
                    );
                }
            }
        }
    }
}
