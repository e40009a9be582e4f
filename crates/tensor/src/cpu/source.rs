//! An operand, as a loop over slices reads it.

use super::walk::Walk;
use crate::element::Element;
use crate::tensor::View;

/// The elements of a view in row-major order, piece by piece.
pub(crate) enum Source<'a, T> {
    Contiguous(&'a [T]),
    Strided(Walk<'a, T>),
}

impl<'a, T: Element> Source<'a, T> {
    pub(crate) fn new(view: View<'a, T>) -> Self {
        match view.as_contiguous() {
            Some(elements) => Self::Contiguous(elements),
            None => Self::Strided(Walk::new(view)),
        }
    }

    /// `length` elements from `start` on: where they lie, if they follow one another there, or
    /// else unpacked into `scratch`, which grows to hold them.
    pub(crate) fn block<'b>(
        &'b self,
        start: usize,
        length: usize,
        scratch: &'b mut Vec<T>,
    ) -> &'b [T] {
        match self {
            Self::Contiguous(elements) => &elements[start..start + length],
            Self::Strided(walk) => walk.slice(start, length).unwrap_or_else(|| {
                scratch.resize(length, T::default());
                walk.copy_from(start, scratch);
                scratch
            }),
        }
    }
}
