//! Running sums, products and extremes along an axis.
//!
//! A scan is `state = step(state, x); output = state` along an axis of `[outer, axis, inner]`.
//! Each result needs the one before, so there is nothing to cut along the axis: rows (`inner = 1`)
//! go to several threads, and columns are scanned side by side.

use super::parallel::{PIECE, for_each_piece};
use crate::element::Element;

/// Most columns that are scanned side by side: their states stay in the second cache, and however many
/// columns there are take no more memory.
const SIDE_BY_SIDE: usize = 32 * 1024;

/// Scans `elements`, `[outer, axis, inner]`, from `start` on: `step` gives the next state, whose
/// `value` goes to `output`.
pub(crate) fn scan<E: Copy + Sync, O: Element, A: Copy + Sync>(
    elements: &[E],
    axis: usize,
    inner: usize,
    start: A,
    step: impl Fn(A, usize, E) -> A + Sync,
    value: impl Fn(A) -> O + Sync,
    output: &mut [O],
) {
    let length = axis * inner;
    let outer = (PIECE / length.max(1)).max(1);
    for_each_piece(output, outer * length, |first, piece| {
        let elements = &elements[first..][..piece.len()];
        for (from, to) in elements
            .chunks_exact(length)
            .zip(piece.chunks_exact_mut(length))
        {
            if inner == 1 {
                let mut state = start;
                for (place, (&x, to)) in from.iter().zip(to).enumerate() {
                    state = step(state, place, x);
                    *to = value(state);
                }
            } else {
                columns(from, inner, start, &step, &value, to);
            }
        }
    });
}

/// Scans the `inner` columns of a matrix.
fn columns<E: Copy, O, A: Copy>(
    from: &[E],
    inner: usize,
    start: A,
    step: impl Fn(A, usize, E) -> A,
    value: impl Fn(A) -> O,
    to: &mut [O],
) {
    let mut states = vec![start; inner.min(SIDE_BY_SIDE)];
    for first in (0..inner).step_by(SIDE_BY_SIDE) {
        let columns = first..inner.min(first + SIDE_BY_SIDE);
        states.fill(start);
        let rows = from.chunks_exact(inner).zip(to.chunks_exact_mut(inner));
        for (place, (from, to)) in rows.enumerate() {
            let row = from[columns.clone()].iter().zip(&mut to[columns.clone()]);
            for ((&x, to), state) in row.zip(&mut states) {
                *state = step(*state, place, x);
                *to = value(*state);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_columns_than_are_scanned_side_by_side_have_a_state_each() {
        let inner = SIDE_BY_SIDE + 5;
        let elements: Vec<i64> = (0..3 * inner as i64).collect();
        let mut sums = vec![0; elements.len()];
        let add = |state: i64, place, x: i64| state + place as i64 * x;
        scan(&elements, 3, inner, 7, add, |state| state, &mut sums);
        for column in 0..inner {
            let mut expected = 7;
            for row in 0..3 {
                expected += (row * elements[row * inner + column] as usize) as i64;
                assert_eq!(
                    sums[row * inner + column],
                    expected,
                    "row {row}, column {column}"
                );
            }
        }
    }
}
