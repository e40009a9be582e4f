//! Filling a slice: the loop over blocks, and its parallel version.
//!
//! The plain version is: for every position, compute the block it lies in, turn the block into
//! two values and keep the one that belongs to the position. Two departures from it:
//!
//! 1. Both values of a block are kept where both are wanted.
//! 2. A long slice is cut into chunks for several threads. A chunk starts at a known position, so
//!    neither the cut nor the number of threads can change a value.

use pulp::{Simd, WithSimd};

use super::distributions::Distribution;
use super::philox::philox;
use crate::cpu::lanes::dispatch;
use crate::cpu::parallel::for_each_piece;

/// The shortest slice for several threads. At 0.8 ns (uniform) to 3 ns (normal) for a value on an
/// AVX-512 server processor it takes one thread 50 to 200 µs, waking a second one about 10.
const PARALLEL_FROM: usize = 1 << 16;
/// Values that one thread computes in a piece; even, so that an even start never cuts a block in two.
const CHUNK: usize = 1 << 14;

/// Where a slice begins: a position in one stream of one key.
#[derive(Clone, Copy)]
pub(super) struct Start {
    pub(super) key: u64,
    pub(super) stream: u64,
    pub(super) position: u64,
}

impl Start {
    /// The words of the block that holds the positions 2 · `block` and 2 · `block` + 1.
    #[inline(always)]
    pub(super) fn block(self, block: u64) -> [u64; 2] {
        philox(block, self.stream, self.key)
    }
}

/// Writes the values of a distribution at consecutive positions.
pub(super) fn fill<T: Send>(start: Start, distribution: impl Distribution<T>, values: &mut [T]) {
    if values.len() < PARALLEL_FROM {
        return dispatch(FillChunk {
            start,
            distribution,
            values,
        });
    }
    for_each_piece(values, CHUNK, |first, values| {
        let position = start.position.wrapping_add(first as u64);
        dispatch(FillChunk {
            start: Start { position, ..start },
            distribution,
            values,
        });
    });
}

/// One thread's share of a fill, to be compiled for each instruction set.
struct FillChunk<'a, T, D> {
    start: Start,
    distribution: D,
    values: &'a mut [T],
}

impl<T, D: Distribution<T>> WithSimd for FillChunk<'_, T, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self {
            start,
            distribution,
            values,
        } = self;
        // An odd position begins in the middle of a block.
        let in_begun_block = values.len().min((start.position % 2) as usize);
        let (first, values) = values.split_at_mut(in_begun_block);
        if let [first] = first {
            [_, *first] = distribution.pair(start.block(start.position / 2));
        }
        let block = start.position.div_ceil(2);
        let (pairs, last) = values.as_chunks_mut::<2>();
        let whole_blocks = pairs.len() as u64;
        // The compiler makes SIMD code of this loop as long as nothing in it can panic.
        for (i, pair) in pairs.iter_mut().enumerate() {
            *pair = distribution.pair(start.block(block.wrapping_add(i as u64)));
        }
        if let [last] = last {
            [*last, _] = distribution.pair(start.block(block.wrapping_add(whole_blocks)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::distributions::{Normal, Uniform};

    fn start_at(position: u64) -> Start {
        Start {
            key: 7,
            stream: 4,
            position,
        }
    }

    /// One value at a time, as the head of this file says.
    fn naive<T: Copy>(start: Start, distribution: impl Distribution<T>, count: usize) -> Vec<T> {
        (start.position..)
            .take(count)
            .map(|p| distribution.pair(start.block(p / 2))[(p % 2) as usize])
            .collect()
    }

    fn normal() -> Normal {
        Normal::new::<f64>(1.0, 2.0).unwrap()
    }

    #[test]
    fn filling_equals_computing_each_position_by_itself() {
        for count in [
            0,
            1,
            2,
            3,
            17,
            64,
            1001,
            PARALLEL_FROM - 1,
            PARALLEL_FROM + 3,
        ] {
            for position in [0, 1, 6, 1_000_003, u64::from(u32::MAX) * 2] {
                let start = start_at(position);
                let mut values = vec![0f64; count];
                fill(start, normal(), &mut values);
                assert_eq!(values, naive(start, normal(), count));
                let uniform = Uniform::<f32>::new(-1.0, 3.0).unwrap();
                let mut values = vec![0f32; count];
                fill(start, uniform, &mut values);
                assert_eq!(values, naive(start, uniform, count));
            }
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let count = 5 * PARALLEL_FROM + 77;
        let with_threads = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let mut values = vec![0f64; count];
            pool.build()
                .unwrap()
                .install(|| fill(start_at(3), normal(), &mut values));
            values.into_iter().map(f64::to_bits).collect::<Vec<_>>()
        };
        let one = with_threads(1);
        for threads in [2, 3, 8] {
            assert_eq!(with_threads(threads), one);
        }
    }

    #[test]
    fn the_bits_do_not_depend_on_the_instruction_set() {
        let chunk = |values| FillChunk {
            start: start_at(5),
            distribution: normal(),
            values,
        };
        let [mut widest, mut none] = [[0f64; 1000]; 2];
        dispatch(chunk(&mut widest));
        Simd::vectorize(pulp::Scalar::new(), chunk(&mut none));
        assert_eq!(widest.map(f64::to_bits), none.map(f64::to_bits));
    }
}
