//! What the machine can do: the time that no program can beat.

use std::hint::black_box;
use std::time::{Duration, Instant};

use macula::tensor::cpu::lanes::{LaneMemory, dispatch};
use macula::tensor::cpu::{Simd, WithSimd};
use rayon::ThreadPool;
use rayon::prelude::*;

/// The best of many runs, in seconds.
fn best(mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    // Long enough for the system to give each thread a processor of its own.
    let end = Instant::now() + Duration::from_millis(150);
    while Instant::now() < end {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

/// Bytes read and written in a second when a block of 64 MiB is copied to memory in use.
pub fn copy_bandwidth(pool: &ThreadPool) -> f64 {
    const BYTES: usize = 64 << 20;
    let from = vec![1_u8; BYTES];
    let mut to = vec![0_u8; BYTES];
    // Which size of piece is the fastest depends on the processor.
    let pieces = [128 << 10, 1 << 20, BYTES / pool.current_num_threads()];
    let seconds = pieces.map(|piece| {
        best(|| {
            pool.install(|| {
                let parts = to.par_chunks_mut(piece).zip(from.par_chunks(piece));
                parts.for_each(|(to, from)| to.copy_from_slice(from));
            });
            black_box(&mut to);
        })
    });
    2.0 * BYTES as f64 / seconds.into_iter().fold(f64::INFINITY, f64::min)
}

/// The same when the target is memory that the system has just given: what it costs not to
/// recycle.
pub fn copy_bandwidth_to_fresh_memory(pool: &ThreadPool) -> f64 {
    const BYTES: usize = 64 << 20;
    let from = vec![1_u8; BYTES];
    let seconds = best(|| {
        pool.install(|| {
            let mut to = vec![0_u8; BYTES];
            let parts = to.par_chunks_mut(1 << 20).zip(from.par_chunks(1 << 20));
            parts.for_each(|(to, from)| to.copy_from_slice(from));
            black_box(&mut to);
        });
    });
    2.0 * BYTES as f64 / seconds
}

/// Multiplications and additions in a second when nothing else is done.
pub fn fma_peak<T: LaneMemory>(pool: &ThreadPool) -> f64 {
    const ROUNDS: usize = 400_000;
    let operations = pool
        .install(|| dispatch(Rounds::<T>(ROUNDS, T::from_f64(1.0))))
        .1;
    let seconds = best(|| {
        pool.broadcast(|_| black_box(dispatch(Rounds::<T>(ROUNDS, T::from_f64(1.0)))));
    });
    (operations * pool.current_num_threads()) as f64 / seconds
}

/// Sums that do not wait for each other: enough for two units with four cycles each.
const SUMS: usize = 12;

struct Rounds<T>(usize, T);

impl<T: LaneMemory> WithSimd for Rounds<T> {
    type Output = (T, usize);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> (T, usize) {
        let Self(rounds, one) = self;
        let (x, y) = (T::splat(simd, black_box(one)), T::splat(simd, one));
        let mut sums = [y; SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = T::mul_add(simd, *sum, x, y);
            }
        }
        let mut total = y;
        for sum in sums {
            total = T::add(simd, total, sum);
        }
        let mut lane = [one];
        T::store_partial(simd, &mut lane, total);
        (lane[0], 2 * rounds * SUMS * T::width::<S>())
    }
}
