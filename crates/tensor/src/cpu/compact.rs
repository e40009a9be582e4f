//! What stands where a mask holds, one after the other.

use super::parallel::{PIECE, map_pieces};
use crate::element::Element;

/// How often each piece of a mask holds, which is where it is not 0 (false).
pub(crate) fn counts<M: Element>(mask: &[M]) -> Vec<usize> {
    let held = |piece: &[M]| piece.iter().filter(|&&x| x != M::ZERO).count();
    map_pieces(mask.chunks(PIECE), held).into_vec()
}

/// Writes `value(place)` for each place where a mask holds, given its [`counts`].
pub(crate) fn write<M: Element, T: Element>(
    mask: &[M],
    counts: &[usize],
    mut output: &mut [T],
    value: impl Fn(usize) -> T + Sync,
) {
    let outputs = counts.iter().map(|&count| {
        let (piece, others) = std::mem::take(&mut output).split_at_mut(count);
        output = others;
        piece
    });
    let pieces = mask.chunks(PIECE).enumerate().zip(outputs);
    map_pieces(pieces, |((number, mask), output)| {
        let mut next = 0;
        for (place, &x) in (number * PIECE..).zip(mask) {
            // Written whether it stays or not: whether the mask holds cannot be foreseen, and that
            // there is room can.
            if let Some(to) = output.get_mut(next) {
                *to = value(place);
            }
            next += usize::from(x != M::ZERO);
        }
    });
}
