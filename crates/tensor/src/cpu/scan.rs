//! Running sums, products and extremes along an axis.
//!
//! A scan is `state = step(state, x); output = state` along an axis of `[outer, axis, inner]`.
//! Each result needs the one before, so there is nothing to cut along the axis: rows (`inner = 1`)
//! go to several threads, and columns are scanned side by side.

use super::parallel::{PIECE, for_each_piece};
use crate::element::Element;

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
                let mut states = vec![start; inner];
                let rows = from.chunks_exact(inner).zip(to.chunks_exact_mut(inner));
                for (place, (from, to)) in rows.enumerate() {
                    for ((&x, to), state) in from.iter().zip(to).zip(&mut states) {
                        *state = step(*state, place, x);
                        *to = value(*state);
                    }
                }
            }
        }
    });
}
