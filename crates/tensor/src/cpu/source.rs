//! An operand, as a loop over slices reads it.

use super::walk::Walk;
use crate::element::Element;
use crate::tensor::View;

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
