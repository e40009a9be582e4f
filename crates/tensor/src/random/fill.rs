//! Filling a slice: the loop over blocks, and its parallel version.
//!
//! The plain version is: for every position, compute the block it lies in, turn the block into
//! two values and keep the one that belongs to the position. Two departures from it:
//!
//! 1. Both values of a block are kept where both are wanted.
//! 2. A long slice is cut into chunks for several threads. A chunk starts at a known position, so
//!    neither the cut nor the number of threads can change a value.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::distributions::Distribution;
use super::philox::philox;
use crate::cpu::lanes::dispatch;

/// Values that one thread computes in a piece, some 10 µs of work: below two of these, waking
/// another thread costs more than it saves.
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
    if values.len() < 2 * CHUNK {
        return dispatch(FillChunk {
            start,
            distribution,
            values,
        });
    }
    values
        .par_chunks_mut(CHUNK)
        .enumerate()
        .for_each(|(index, values)| {
            let position = start.position.wrapping_add((index * CHUNK) as u64);
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
        let count = pairs.len() as u64;
        for (i, pair) in (0u64..).zip(pairs) {
            *pair = distribution.pair(start.block(block + i));
        }
        if let [last] = last {
            [*last, _] = distribution.pair(start.block(block + count));
        }
    }
}
