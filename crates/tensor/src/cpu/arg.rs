//! Where the largest or smallest element along an axis is.

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::lanes::dispatch;
use super::parallel::{PIECE, for_each_piece};
use crate::element::Number;

/// Which element wins.
pub(crate) trait Contest: Copy + Send + Sync {
    /// Whether `x` comes before `best`: NaN beats any number, and nothing beats a NaN.
    fn beats<T: Number>(x: T, best: T) -> bool;
}

/// The larger.
#[derive(Clone, Copy)]
pub(crate) struct Largest;

impl Contest for Largest {
    #[inline(always)]
    #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "a NaN must pass")]
    #[expect(clippy::eq_op, reason = "false for a NaN")]
    fn beats<T: Number>(x: T, best: T) -> bool {
        !(x <= best) & (best == best)
    }
}

/// The smaller.
#[derive(Clone, Copy)]
pub(crate) struct Smallest;

impl Contest for Smallest {
    #[inline(always)]
    #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "a NaN must pass")]
    #[expect(clippy::eq_op, reason = "false for a NaN")]
    fn beats<T: Number>(x: T, best: T) -> bool {
        !(x >= best) & (best == best)
    }
}

/// For `elements` as `[outer, axis, inner]`, the place along the axis of the first element that
/// none beats, as `[outer, inner]`.
pub(crate) fn winner<T: Number, C: Contest>(
    _contest: C,
    elements: &[T],
    axis: usize,
    inner: usize,
    output: &mut [i64],
) {
    let piece = (PIECE / axis).max(1);
    for_each_piece(output, piece, |start, places| match inner {
        1 => dispatch(Rows::<T, C> {
            elements: &elements[start * axis..],
            length: axis,
            places,
            _contest: PhantomData,
        }),
        _ => {
            let (mut start, mut places) = (start, places);
            while !places.is_empty() {
                let (outer, column) = (start / inner, start % inner);
                let width = (inner - column).min(places.len());
                let (run, rest) = places.split_at_mut(width);
                let first = outer * axis * inner + column;
                in_columns::<T, C>(&elements[first..], axis, inner, run);
                (start, places) = (start + width, rest);
            }
        }
    });
}

/// Elements of a row that are looked at together.
const BLOCK: usize = 64;

struct Rows<'a, T, C> {
    elements: &'a [T],
    length: usize,
    places: &'a mut [i64],
    _contest: PhantomData<C>,
}

impl<T: Number, C: Contest> WithSimd for Rows<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let rows = self.elements.chunks_exact(self.length);
        for (row, place) in rows.zip(self.places) {
            *place = in_row::<T, C>(row) as i64;
        }
    }
}

/// The place of the winner of a row.
///
/// A long row is cut into blocks, and each place of a block has a contest of its own, which
/// remembers the block that won: these go on side by side.
#[inline(always)]
fn in_row<T: Number, C: Contest>(row: &[T]) -> usize {
    let (blocks, rest) = row.as_chunks::<BLOCK>();
    let (mut best, mut place) = (row[0], 0);
    if let Some((first, later)) = blocks.split_first() {
        let mut bests = *first;
        let mut winners = [0u32; BLOCK];
        for (number, block) in (1..).zip(later) {
            for k in 0..BLOCK {
                let wins = C::beats(block[k], bests[k]);
                bests[k] = if wins { block[k] } else { bests[k] };
                winners[k] = if wins { number } else { winners[k] };
            }
        }
        (best, place) = (bests[0], winners[0] as usize * BLOCK);
        for k in 1..BLOCK {
            let at = winners[k] as usize * BLOCK + k;
            // Of two that do not beat each other, the first in the row.
            let earlier = at < place && !C::beats(best, bests[k]);
            if C::beats(bests[k], best) || earlier {
                (best, place) = (bests[k], at);
            }
        }
    }
    let done = blocks.len() * BLOCK;
    for (k, &x) in rest.iter().enumerate() {
        let wins = C::beats(x, best);
        best = if wins { x } else { best };
        place = if wins { done + k } else { place };
    }
    place
}

/// The places of the winners of several columns; a row has `inner` elements.
fn in_columns<T: Number, C: Contest>(
    elements: &[T],
    axis: usize,
    inner: usize,
    places: &mut [i64],
) {
    let mut best = [T::ZERO; BLOCK];
    for (index, places) in places.chunks_mut(BLOCK).enumerate() {
        let column = index * BLOCK;
        let best = &mut best[..places.len()];
        best.copy_from_slice(&elements[column..][..places.len()]);
        places.fill(0);
        for row in 1..axis {
            dispatch(Round::<T, C> {
                row: &elements[row * inner + column..][..best.len()],
                place: row as i64,
                best,
                places,
                _contest: PhantomData,
            });
        }
    }
}

/// One row of candidates against the best so far.
struct Round<'a, T, C> {
    row: &'a [T],
    place: i64,
    best: &'a mut [T],
    places: &'a mut [i64],
    _contest: PhantomData<C>,
}

impl<T: Number, C: Contest> WithSimd for Round<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let bests = self.best.iter_mut().zip(self.places);
        for (&x, (best, place)) in self.row.iter().zip(bests) {
            let wins = C::beats(x, *best);
            *best = if wins { x } else { *best };
            *place = if wins { self.place } else { *place };
        }
    }
}
