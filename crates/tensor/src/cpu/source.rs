//! An operand, as a loop over slices reads it.
//!
//! Several operands are read side by side, a [`Stretch`] at a time. Where the elements of a row follow one
//! another in each (a broadcast row), or are all the same (a broadcast column), a row is read where it
//! lies, or from some copies of its one element. Else, or where rows are short, what is not in order is
//! unpacked.

use super::walk::{Row, Walk};
use crate::element::Element;
use crate::tensor::View;

/// Elements unpacked at a time: 4 to 8 KiB an operand. Finding a block's place takes some divisions,
/// which this many elements are worth.
pub(super) const BLOCK: usize = 1024;
/// Elements of a row that is worth a stretch of its own …
const LONG: usize = 512;
/// … and where the result has at least [`BEYOND_CACHES`] bytes: to find a row takes longer than to unpack
/// some elements, but memory has to be waited for.
const LONG_BEYOND_CACHES: usize = 64;
const BEYOND_CACHES: usize = 32 << 20;
/// Copies that are made of an element which repeats. Few, so that they are loaded from a small part of a
/// page: a processor takes a load for dependent on earlier stores at the same place of other pages.
const COPIES: usize = 128;

/// The next elements of all operands: `length` of them, computed `step` at a time.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    pub(super) length: usize,
    pub(super) step: usize,
    /// Whether each operand's are in one row, where they follow one another or are all the same.
    even: bool,
}

/// Elements of a row that is worth a stretch of its own, in a loop with this output.
pub(super) fn long_row<T>(output: &[T]) -> usize {
    match size_of_val(output) {
        BEYOND_CACHES.. => LONG_BEYOND_CACHES,
        _ => LONG,
    }
}

impl Stretch {
    /// The longest for operands in these rows, all of which are even, of at most `most` elements.
    #[inline]
    pub(super) fn in_rows(rows: &[Row], most: usize) -> Self {
        let length = rows.iter().map(|row| row.rest).fold(most, usize::min);
        let repeats = rows.iter().any(|row| row.step == 0);
        Self {
            length,
            step: if repeats { COPIES } else { length },
            even: true,
        }
    }

    /// For any operands, of at most `most` elements.
    #[inline]
    pub(super) fn unpacked(most: usize) -> Self {
        Self {
            length: BLOCK.min(most),
            step: BLOCK,
            even: false,
        }
    }
}

/// An operand's elements along a [`Stretch`].
#[derive(Clone, Copy, Default)]
pub(super) struct Along<'a, T> {
    elements: &'a [T],
    repeats: bool,
}

impl<'a, T> Along<'a, T> {
    /// `length` of them from `start` on, at most a step.
    #[inline(always)]
    pub(super) fn at(self, start: usize, length: usize) -> &'a [T] {
        let start = if self.repeats { 0 } else { start };
        &self.elements[start..start + length]
    }
}

/// The elements of a view in row-major order, piece by piece.
pub(super) enum Source<'a, T> {
    Contiguous(&'a [T]),
    Strided(Walk<'a, T>),
}

impl<'a, T: Element> Source<'a, T> {
    pub(super) fn new(view: View<'a, T>) -> Self {
        match view.as_contiguous() {
            Some(elements) => Self::Contiguous(elements),
            None => Self::Strided(Walk::new(view)),
        }
    }

    /// Room for unpacking `length` elements, where that can be necessary.
    pub(super) fn scratch(&self, length: usize) -> Vec<T> {
        match self {
            Self::Contiguous(_) => Vec::new(),
            Self::Strided(_) => vec![T::default(); length],
        }
    }

    /// Copies as many elements as `to` has room for from `start` on.
    pub(super) fn copy(&self, start: usize, to: &mut [T]) {
        match self {
            Self::Contiguous(elements) => to.copy_from_slice(&elements[start..start + to.len()]),
            Self::Strided(walk) => walk.copy_from(start, to),
        }
    }

    /// Whether its rows have at least `long` elements, which follow one another or are all the same.
    pub(super) fn is_even(&self, long: usize) -> bool {
        match self {
            Self::Contiguous(_) => true,
            Self::Strided(walk) => matches!(walk.rows(), (length, 0 | 1) if length >= long),
        }
    }

    /// The row from element `start` on.
    #[inline(always)]
    pub(super) fn row_from(&self, start: usize) -> Row {
        match self {
            Self::Contiguous(elements) => Row {
                place: start,
                rest: elements.len() - start,
                step: 1,
            },
            Self::Strided(walk) => walk.row_from(start),
        }
    }

    /// The elements of a stretch from `start` on, which is where `row` begins.
    #[inline]
    pub(super) fn along<'b>(
        &'b self,
        start: usize,
        row: &Row,
        stretch: Stretch,
        scratch: &'b mut [T; BLOCK],
    ) -> Along<'b, T> {
        match self {
            Self::Strided(walk) if stretch.even && row.step == 0 => {
                let copies = &mut scratch[..COPIES.min(stretch.length)];
                copies.fill(walk.at(row.place, 1)[0]);
                Along {
                    elements: copies,
                    repeats: true,
                }
            }
            Self::Strided(walk) if stretch.even => Along {
                elements: walk.at(row.place, stretch.length),
                repeats: false,
            },
            _ => Along {
                elements: self.block(start, stretch.length, scratch),
                repeats: false,
            },
        }
    }

    /// `length` elements from `start` on: where they lie, if they follow one another there, else
    /// unpacked into `scratch`.
    #[inline]
    pub(super) fn block<'b>(
        &'b self,
        start: usize,
        length: usize,
        scratch: &'b mut [T],
    ) -> &'b [T] {
        match self {
            Self::Contiguous(elements) => &elements[start..start + length],
            Self::Strided(walk) => walk.slice(start, length).unwrap_or_else(|| {
                let block = &mut scratch[..length];
                walk.copy_from(start, block);
                block
            }),
        }
    }
}
