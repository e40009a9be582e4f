//! Rows that are read in whole registers, of which the last is read past the row's end: to load a
//! part of one takes a call.

use super::{GemmFloat, Matrix};

/// Rows of a matrix that are contiguous. What stands past the end of a row is the next one, or not
/// there; then the row is a copy.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    elements: &'a [T],
    /// From the beginning of a row to that of the next.
    pub(super) stride: usize,
    /// A copy of the last elements, from place `start` on, and room for the end of a register.
    end: &'a [T],
    start: usize,
    /// Elements that are read of each row.
    pub(super) padded: usize,
}

impl<'a, T: GemmFloat> Rows<'a, T> {
    /// The rows of a matrix with `columns` columns, of which `padded` are read. `end` is memory for twice as
    /// many, and not looked at where these are as many as there are.
    #[inline(always)]
    pub(super) fn of(
        matrix: Matrix<'a, T>,
        columns: usize,
        padded: usize,
        end: &'a mut [T],
    ) -> Self {
        let elements = matrix.elements;
        let start = elements.len().saturating_sub(padded);
        if padded > columns {
            end[..elements.len() - start].copy_from_slice(&elements[start..]);
        }
        Self {
            elements,
            stride: matrix.row_stride,
            end,
            start,
            padded,
        }
    }

    /// The row that begins at a place.
    #[inline(always)]
    pub(super) fn at(&self, place: usize) -> &'a [T] {
        match self.elements.get(place..place + self.padded) {
            Some(row) => row,
            None => &self.end[place - self.start..][..self.padded],
        }
    }
}
