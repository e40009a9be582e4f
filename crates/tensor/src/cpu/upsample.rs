//! Rows made longer and more of them: each element becomes a block.

use super::parallel::{PIECE, for_each_piece};
use crate::element::Element;

/// Writes each row of `width` elements `down` times, with each element `across` times.
pub(crate) fn nearest<T: Element>(
    input: &[T],
    width: usize,
    [down, across]: [usize; 2],
    output: &mut [T],
) {
    let line = width * across;
    let piece = PIECE.div_ceil(down * line) * down * line;
    for_each_piece(output, piece, |start, output| {
        let rows = input[start / (down * across)..].chunks_exact(width);
        for (row, lines) in rows.zip(output.chunks_exact_mut(down * line)) {
            let (first, others) = lines.split_at_mut(line);
            match across {
                1 => first.copy_from_slice(row),
                2 => runs_of::<T, 2>(row, first),
                3 => runs_of::<T, 3>(row, first),
                4 => runs_of::<T, 4>(row, first),
                _ => {
                    for (run, x) in first.chunks_exact_mut(across).zip(row) {
                        run.fill(*x);
                    }
                }
            }
            for other in others.chunks_exact_mut(line) {
                other.copy_from_slice(first);
            }
        }
    });
}

/// Each element `N` times, a number known when this is compiled: several are written at once.
fn runs_of<T: Copy, const N: usize>(row: &[T], line: &mut [T]) {
    for (run, x) in line.as_chunks_mut::<N>().0.iter_mut().zip(row) {
        *run = [*x; N];
    }
}
