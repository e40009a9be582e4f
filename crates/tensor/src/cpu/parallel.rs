//! Splitting work between threads.
//!
//! Work is cut into pieces whose bounds depend on its size alone, never on the number of threads,
//! so that every sum is formed in the same order and the same input gives the same bits for 1 to
//! N threads. Waking a second thread costs some microseconds: work of one piece stays where it is.

use rayon::prelude::*;
use smallvec::SmallVec;

/// Elements of a piece of pointwise work: large enough to be worth a thread's attention (10 µs and
/// more), small enough that 2 threads finish together.
pub const PIECE: usize = 32 * 1024;

/// Calls `work(start, piece)` for the pieces of `output` of up to `size` elements, in parallel.
#[inline]
pub fn for_each_piece<T: Send>(
    output: &mut [T],
    size: usize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    if output.len() <= size {
        work(0, output);
    } else {
        share(output, size, &work);
    }
}

/// The parallel part, compiled once for each element type and not for each kind of work.
fn share<T: Send>(output: &mut [T], size: usize, work: &(dyn Fn(usize, &mut [T]) + Sync)) {
    let pieces = output.chunks_mut(size).enumerate();
    if rayon::current_num_threads() == 1 {
        pieces.for_each(|(piece, elements)| work(piece * size, elements));
    } else {
        let pieces: Vec<_> = pieces.collect();
        let pieces = pieces.into_par_iter();
        pieces.for_each(|(piece, elements)| work(piece * size, elements));
    }
}

/// The results of `work` on each of the pieces, in their order; computed in parallel.
pub fn map_pieces<P: Send, R: Send>(
    pieces: impl IntoIterator<Item = P>,
    work: impl Fn(P) -> R + Sync,
) -> SmallVec<[R; 1]> {
    let pieces: SmallVec<[P; 1]> = pieces.into_iter().collect();
    if pieces.len() < 2 || rayon::current_num_threads() == 1 {
        pieces.into_iter().map(work).collect()
    } else {
        let work: &(dyn Fn(P) -> R + Sync) = &work;
        let results: Vec<R> = pieces.into_vec().into_par_iter().map(work).collect();
        SmallVec::from_vec(results)
    }
}
