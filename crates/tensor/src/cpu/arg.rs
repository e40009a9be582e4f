//! Where the largest or smallest element along an axis is.

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
        1 => {
            let rows = elements[start * axis..].chunks_exact(axis);
            for (row, place) in rows.zip(places) {
                *place = in_row::<T, C>(row) as i64;
            }
        }
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

/// The place of the winner of a row: first its value, then the first block that has it, so that
/// only the search for the value runs through all elements, several at a time.
fn in_row<T: Number, C: Contest>(row: &[T]) -> usize {
    let best = dispatch(Best::<T, C>(row, std::marker::PhantomData));
    #[expect(clippy::eq_op, reason = "a NaN is found by not being equal to itself")]
    let place = match best == best {
        true => row.iter().position(|&x| x == best),
        false => row.iter().position(|&x| x != x),
    };
    place.unwrap_or(0)
}

struct Best<'a, T, C>(&'a [T], std::marker::PhantomData<C>);

impl<T: Number, C: Contest> WithSimd for Best<'_, T, C> {
    type Output = T;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> T {
        let (blocks, rest) = self.0.as_chunks::<BLOCK>();
        let mut best = self.0[0];
        if let Some((first, blocks)) = blocks.split_first() {
            let mut bests = *first;
            for block in blocks {
                for (best, &x) in bests.iter_mut().zip(block) {
                    *best = if C::beats(x, *best) { x } else { *best };
                }
            }
            for x in bests {
                best = if C::beats(x, best) { x } else { best };
            }
        }
        for &x in rest {
            best = if C::beats(x, best) { x } else { best };
        }
        best
    }
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
                _contest: std::marker::PhantomData,
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
    _contest: std::marker::PhantomData<C>,
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
