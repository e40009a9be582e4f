//! Where the largest or smallest element along an axis is.

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::lanes::dispatch;
use super::parallel::{PIECE, for_each_piece, map_pieces};
use crate::element::Number;
use crate::storage::Buffer;

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

/// Elements of a segment: a longer axis is cut, for several threads, and the winners of its segments
/// meet in a contest of their own.
const SEGMENT: usize = 8 * PIECE;
/// Rows of a segment when there are many columns: each segment leaves a row of winners behind.
const ROWS: usize = 512;
/// Columns looked at together: their best so far stay in the first-level cache.
const TILE: usize = 4096;

/// For `elements` as `[outer, axis, inner]`, the place along the axis of the first element that
/// none beats, as `[outer, inner]`; none where memory has no room for those that are still ahead.
pub(crate) fn winner<T: Number, C: Contest>(
    _contest: C,
    elements: &[T],
    axis: usize,
    inner: usize,
    output: &mut [i64],
) -> Option<()> {
    if output.is_empty() {
        return Some(());
    }
    if inner == 1 && axis <= SEGMENT {
        let piece = (PIECE / axis).max(1);
        for_each_piece(output, piece, |start, places| {
            dispatch(Rows::<T, C> {
                elements: &elements[start * axis..],
                length: axis,
                places,
                _contest: PhantomData,
            });
        });
        return Some(());
    }
    let segment = (SEGMENT / inner).max(ROWS).min(axis);
    let segments = axis.div_ceil(segment);
    let count = output.len() * segments;
    let mut bests = Buffer::try_with_count(count)?;
    let bests = &mut bests.as_mut_slice()[..count];
    if segments == 1 {
        in_segments::<T, C>(elements, [axis, inner, segment], bests, output);
        return Some(());
    }
    let mut places = Buffer::try_with_count(count)?;
    let places = &mut places.as_mut_slice()[..count];
    in_segments::<T, C>(elements, [axis, inner, segment], bests, places);
    let partial = bests.chunks_exact(segments * inner);
    let partial = partial.zip(places.chunks_exact(segments * inner));
    for (output, (bests, places)) in output.chunks_exact_mut(inner).zip(partial) {
        for (column, place) in output.iter_mut().enumerate() {
            let mut winner = column;
            for rival in (column..bests.len()).step_by(inner).skip(1) {
                if C::beats(bests[rival], bests[winner]) {
                    winner = rival;
                }
            }
            *place = places[winner];
        }
    }
    Some(())
}

/// The winners of every segment of the axis and their places, as `[outer, segments, inner]`.
fn in_segments<T: Number, C: Contest>(
    elements: &[T],
    [axis, inner, segment]: [usize; 3],
    bests: &mut [T],
    places: &mut [i64],
) {
    let segments = axis.div_ceil(segment);
    let piece = (PIECE / segment).max(TILE.min(inner));
    let pieces = bests.chunks_mut(piece).zip(places.chunks_mut(piece));
    map_pieces(pieces.enumerate(), |(number, (mut bests, mut places))| {
        let mut start = number * piece;
        while !places.is_empty() {
            let (block, column) = (start / inner, start % inner);
            let width = TILE.min(inner - column).min(places.len());
            let (best, rest) = std::mem::take(&mut bests).split_at_mut(width);
            let (place, places_rest) = std::mem::take(&mut places).split_at_mut(width);
            let first = block % segments * segment;
            let last = axis.min(first + segment);
            let row = block / segments * axis + first;
            if inner == 1 {
                let row = &elements[row..row + last - first];
                dispatch(Rows::<T, C> {
                    elements: row,
                    length: row.len(),
                    places: place,
                    _contest: PhantomData,
                });
                best[0] = row[place[0] as usize];
                place[0] += first as i64;
            } else {
                dispatch(Columns::<T, C> {
                    elements: &elements[row * inner + column..],
                    inner,
                    first,
                    last,
                    bests: best,
                    places: place,
                    _contest: PhantomData,
                });
            }
            (bests, places, start) = (rest, places_rest, start + width);
        }
    });
}

/// Elements of a row that are looked at together, in a row that is long, and in one that is not.
const BLOCK: usize = 64;
const SHORT_BLOCK: usize = 16;
/// Elements from which on a row is long.
const LONG: usize = 256;

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
            let winner = match row.len() {
                LONG.. => in_row::<T, C, BLOCK>(row),
                _ => in_row::<T, C, SHORT_BLOCK>(row),
            };
            *place = i64::from(winner);
        }
    }
}

/// The place of the winner of a row.
///
/// The row is cut into blocks, of which the last may begin in the one before. Each place of a block has a
/// contest of its own, and remembers where its winner stands: these go on side by side. Then the winners
/// meet, half of them with the other half, again side by side.
#[inline(always)]
fn in_row<T: Number, C: Contest, const WIDTH: usize>(row: &[T]) -> u32 {
    let (Some(first), Some(last)) = (row.first_chunk::<WIDTH>(), row.last_chunk()) else {
        return in_few::<T, C>(row);
    };
    let mut bests = *first;
    let mut places: [u32; WIDTH] = std::array::from_fn(|k| k as u32);
    let blocks = row.as_chunks::<WIDTH>().0.iter().chain([last]);
    let starts = (0..row.len() - WIDTH).step_by(WIDTH);
    let starts = starts.chain([row.len() - WIDTH]);
    for (block, start) in blocks.zip(starts).skip(1) {
        for k in 0..WIDTH {
            let wins = C::beats(block[k], bests[k]);
            bests[k] = if wins { block[k] } else { bests[k] };
            places[k] = if wins { (start + k) as u32 } else { places[k] };
        }
    }
    let mut half = WIDTH / 2;
    while half > 0 {
        for k in 0..half {
            let (one, other) = (bests[k], bests[k + half]);
            // Of two that do not beat each other, the first in the row.
            let earlier = !C::beats(one, other) & (places[k + half] < places[k]);
            let wins = C::beats(other, one) | earlier;
            bests[k] = if wins { other } else { one };
            places[k] = if wins { places[k + half] } else { places[k] };
        }
        half /= 2;
    }
    places[0]
}

/// The same, one by one.
#[inline(always)]
fn in_few<T: Number, C: Contest>(row: &[T]) -> u32 {
    let (mut best, mut place) = (row[0], 0);
    for (&x, at) in row.iter().zip(0..) {
        let wins = C::beats(x, best);
        best = if wins { x } else { best };
        place = if wins { at } else { place };
    }
    place
}

/// Up to [`TILE`] columns of rows of `inner` elements.
struct Columns<'a, T, C> {
    elements: &'a [T],
    inner: usize,
    /// The number of the first row, and of the one after the last.
    first: usize,
    last: usize,
    bests: &'a mut [T],
    places: &'a mut [i64],
    _contest: PhantomData<C>,
}

impl<T: Number, C: Contest> WithSimd for Columns<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let width = self.bests.len();
        // Numbers of rows as wide as the elements they belong to are chosen with the same masks.
        let mut winners = [0_u32; TILE];
        let winners = &mut winners[..width];
        let rows = self.last - self.first;
        let row = |row: usize| &self.elements[row * self.inner..][..width];
        self.bests.copy_from_slice(row(0));
        let mut next = 1;
        while next < rows {
            // Four rows share what is loaded and stored of the best so far; the last may repeat.
            let number = |k: usize| (next + k).min(rows - 1);
            let four = [
                row(number(0)),
                row(number(1)),
                row(number(2)),
                row(number(3)),
            ];
            for k in 0..width {
                let (mut best, mut winner) = (self.bests[k], winners[k]);
                for (row, place) in four.into_iter().zip(next as u32..) {
                    let wins = C::beats(row[k], best);
                    best = if wins { row[k] } else { best };
                    winner = if wins { place } else { winner };
                }
                self.bests[k] = best;
                winners[k] = winner;
            }
            next += 4;
        }
        for (place, &winner) in self.places.iter_mut().zip(&*winners) {
            *place = (self.first + winner as usize) as i64;
        }
    }
}
