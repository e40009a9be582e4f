//! Elements that depend on nothing but their place.

use super::parallel::{LIGHT_PIECE, for_each_piece};
use crate::element::Element;

/// Writes one value everywhere.
pub(crate) fn fill<T: Element>(output: &mut [T], value: T) {
    for_each_piece(output, LIGHT_PIECE, |_, piece| piece.fill(value));
}

/// Writes `value(place)` at each place.
pub(crate) fn fill_with<T: Element>(output: &mut [T], value: impl Fn(usize) -> T + Sync) {
    for_each_piece(output, LIGHT_PIECE, |start, piece| {
        for (element, place) in piece.iter_mut().zip(start..) {
            *element = value(place);
        }
    });
}
