//! Splitting work between threads.
//!
//! Work is cut into pieces whose bounds depend on its size alone, never on the number of threads,
//! so that every sum is formed in the same order and the same input gives the same bits for 1 to
//! N threads. Waking a second thread costs some microseconds: work of one piece stays where it is.

use rayon::prelude::*;

/// Elements of a piece of pointwise work: large enough to be worth a thread's attention (10 µs and
/// more), small enough that 2 threads finish together.
pub(crate) const PIECE: usize = 32 * 1024;

/// Calls `work(start, piece)` for the pieces of `output` of up to `size` elements, in parallel.
pub(crate) fn for_each_piece<T: Send>(
    output: &mut [T],
    size: usize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    if output.len() <= size {
        work(0, output);
    } else if rayon::current_num_threads() == 1 {
        let pieces = output.chunks_mut(size).enumerate();
        pieces.for_each(|(piece, elements)| work(piece * size, elements));
    } else {
        let pieces = output.par_chunks_mut(size).enumerate();
        pieces.for_each(|(piece, elements)| work(piece * size, elements));
    }
}
