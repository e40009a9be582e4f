//! Splitting work between threads.
//!
//! Work is cut into pieces whose bounds depend on its size alone, never on the number of threads,
//! so that every sum is formed in the same order and the same input gives the same bits for 1 to
//! N threads. Waking a second thread costs some microseconds: work of one piece stays where it is.

use std::collections::VecDeque;
use std::hint;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use smallvec::SmallVec;

/// Elements of a piece of pointwise work: large enough to be worth a thread's attention (10 µs and
/// more), small enough that 2 threads finish together.
pub const PIECE: usize = 32 * 1024;
/// The same where so little is done with each element that a thread must get many: copies, fills.
pub(crate) const LIGHT_PIECE: usize = 128 * 1024;

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
        on_threads(pieces.collect(), &|(piece, elements)| {
            work(piece * size, elements);
        });
    }
}

/// The results of `work` on each of the pieces, in their order; computed in parallel.
pub fn map_pieces<P: Send, R: Send>(
    pieces: impl IntoIterator<Item = P>,
    work: impl Fn(P) -> R + Sync,
) -> SmallVec<[R; 1]> {
    let pieces: SmallVec<[P; 1]> = pieces.into_iter().collect();
    if pieces.len() < 2 || rayon::current_num_threads() == 1 {
        return pieces.into_iter().map(work).collect();
    }
    let mut results: Vec<Option<R>> = pieces.iter().map(|_| None).collect();
    let pieces = pieces.into_iter().zip(&mut results).collect();
    on_threads(pieces, &|(piece, result): (P, &mut Option<R>)| {
        *result = Some(work(piece));
    });
    results.into_iter().flatten().collect()
}

/// How often the calling thread looks whether the others are done, before it goes to sleep: for some
/// tenths of a millisecond, in which the last pieces end.
const LOOKS: usize = 10_000;
/// Pauses after the others' last piece, in which they tell the scope that they are done.
const LAST_PAUSES: usize = 20;

/// Calls `work` with each of the pieces, on this thread and on others.
///
/// A thread that is not one of the pool's would be put to sleep by the pool's own loops, and to be woken
/// takes as long as several pieces: so it takes pieces like the others, and then stays awake for a while,
/// in which they are mostly done. Each thread has pieces that follow one another, since memory is read
/// fastest so; one that is done with its own helps another, from the end.
fn on_threads<P: Send>(pieces: Vec<P>, work: &(dyn Fn(P) + Sync)) {
    let threads = rayon::current_num_threads().min(pieces.len());
    let share = pieces.len().div_ceil(threads);
    let mut pieces = pieces.into_iter();
    let shares: Vec<Mutex<VecDeque<P>>> = (0..threads)
        .map(|_| Mutex::new(pieces.by_ref().take(share).collect()))
        .collect();
    let next = |own: usize| {
        (0..threads).find_map(|other| {
            let share = shares[(own + other) % threads].lock();
            // Nothing that could fail happens while it is locked.
            let mut share = share.unwrap_or_else(PoisonError::into_inner);
            match other {
                0 => share.pop_front(),
                _ => share.pop_back(),
            }
        })
    };
    let take_all = |own: usize| {
        while let Some(piece) = next(own) {
            work(piece);
        }
    };
    let busy = AtomicUsize::new(threads - 1);
    rayon::in_place_scope(|scope| {
        let (take_all, busy) = (&take_all, &busy);
        for own in 1..threads {
            scope.spawn(move |_| {
                take_all(own);
                // Not after a panic, for which the scope waits.
                busy.fetch_sub(1, Ordering::Release);
            });
        }
        take_all(0);
        // One of the pool's threads has other work to look for.
        if rayon::current_thread_index().is_none() {
            let done = (0..LOOKS).any(|_| {
                hint::spin_loop();
                busy.load(Ordering::Acquire) == 0
            });
            if done {
                (0..LAST_PAUSES).for_each(|_| hint::spin_loop());
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn results_are_in_order_on_any_number_of_threads() {
        for count in [0, 1, 2, 5, 100] {
            let squares: Vec<usize> = (0..count).map(|k| k * k).collect();
            let run = || map_pieces(0..count, |k| k * k).into_vec();
            assert_eq!(run(), squares, "{count} pieces");
            for threads in [1, 2, 3, 8] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                let found = pool.build().unwrap().install(run);
                assert_eq!(found, squares, "{count} pieces, {threads} threads");
            }
        }
    }

    #[test]
    fn pieces_of_pieces_are_shared_too() {
        let run = || {
            let inner = |k: usize| map_pieces(0..9, |j| k * j).into_iter().sum::<usize>();
            map_pieces(0..50, inner).into_iter().sum::<usize>()
        };
        assert_eq!(run(), 36 * 49 * 25);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3);
        assert_eq!(pool.build().unwrap().install(run), 36 * 49 * 25);
    }

    #[test]
    fn a_panic_in_a_piece_reaches_the_caller() {
        let fails_at = |piece: usize| {
            catch_unwind(|| map_pieces(0..64, |k| assert_ne!(k, piece)).len()).is_err()
        };
        assert!(fails_at(0) && fails_at(63));
        assert!(!fails_at(64));
    }
}
