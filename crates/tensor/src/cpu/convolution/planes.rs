//! Planes: a copy of a part of an image in which the elements of a tap lie side by side.
//!
//! A channel has a plane for each pair of remainders of its two axes, usually one. A plane has a row for
//! each row of the results and for the reach of the kernel, and so many columns; what lies outside
//! the image is zero. Result (i, j) is place q = i·columns + j, and tap (c, u, v) reads place
//! `start(c, u, v) + q`.

use std::ops::Range;

use pulp::Simd;

use super::super::gemm::GemmFloat;
use super::axis::{Axis, Tap};
use crate::tensor::View;

/// Places that may be read or written behind the last one that matters: a tile is never cut short.
pub(super) const SLACK: usize = 64;

/// The channels of one image, with any strides.
#[derive(Clone, Copy)]
pub(super) struct Image<'a, T> {
    elements: &'a [T],
    offset: isize,
    /// Steps from one channel, row and column to the next.
    strides: [isize; 3],
}

impl<'a, T> Image<'a, T> {
    /// The channels from `channel` on of image `number` of a batch.
    pub(super) fn new(batch: View<'a, T>, number: usize, channel: usize) -> Self {
        let [image, channels, row, column] = super::strides(&batch);
        let offset = batch.shape.offset() as isize;
        Self {
            elements: batch.elements,
            offset: offset + number as isize * image + channel as isize * channels,
            strides: [channels, row, column],
        }
    }
}

/// How the planes of a band of results lie in memory.
#[derive(Clone, Copy)]
pub(super) struct Layout<'a> {
    pub(super) axes: &'a [Axis; 2],
    pub(super) channels: usize,
    /// Rows of results in the band.
    pub(super) band: usize,
    /// Columns of a plane, and from one row of results to the next.
    pub(super) columns: usize,
}

impl<'a> Layout<'a> {
    pub(super) fn new(axes: &'a [Axis; 2], channels: usize, band: usize) -> Self {
        Self {
            axes,
            channels,
            band,
            columns: axes[1].pitch(),
        }
    }

    /// Rows of a plane.
    fn rows(&self) -> usize {
        self.band + self.axes[0].reach
    }

    /// Places from the first result of so many rows to the last.
    pub(super) fn places(&self, rows: usize) -> usize {
        rows.saturating_sub(1) * self.columns + self.axes[1].count()
    }

    /// Planes of a channel.
    fn planes(&self) -> usize {
        self.axes[0].remainders.len() * self.axes[1].remainders.len()
    }

    /// Elements of all planes, with the zeros behind the last row.
    pub(super) fn len(&self) -> usize {
        let across = &self.axes[1];
        let behind = across.count() + across.reach - self.columns;
        self.channels * self.planes() * self.rows() * self.columns + behind
    }

    /// Where a tap finds its element for place 0.
    pub(super) fn start(&self, channel: usize, down: Tap, across: Tap) -> usize {
        let plane = down.plane * self.axes[1].remainders.len() + across.plane;
        let plane = (channel * self.planes() + plane) * self.rows() + down.shift;
        plane * self.columns + across.shift
    }

    /// Copies the part of an image that the results from row `first` on are made of.
    #[inline(always)]
    pub(super) fn fill<S: Simd, T: GemmFloat>(
        &self,
        simd: S,
        image: Image<'_, T>,
        first: usize,
        to: &mut [T],
    ) {
        let [down, across] = self.axes;
        let (rows, columns) = (self.rows(), self.columns);
        let length = across.count() + across.reach;
        let [channel, row, column] = image.strides;
        // All of it: the slack, too, must hold numbers that a zero can be multiplied with.
        to.fill(T::ZERO);
        let mut planes = to.chunks_exact_mut(rows * columns);
        for c in 0..self.channels {
            for r in 0..down.remainders.len() {
                let inside = down.inside(r, first, rows);
                for s in 0..across.remainders.len() {
                    let Some(plane) = planes.next() else { return };
                    let width = across.inside(s, 0, length);
                    if inside.is_empty() || width.is_empty() {
                        continue;
                    }
                    let corner = image.offset
                        + c as isize * channel
                        + down.place(r, first, inside.start) as isize * row
                        + across.place(s, 0, width.start) as isize * column;
                    let grid = Grid {
                        elements: image.elements,
                        offset: corner,
                        row: row * down.step as isize,
                        column: column * across.step as isize,
                    };
                    grid.copy(simd, plane, columns, inside.clone(), width);
                }
            }
        }
    }
}

/// Copies so many rows of each channel of an image from row `first` on, `columns` apart and
/// `pitch` for each channel, with zeros elsewhere.
#[inline(always)]
pub(super) fn spread_rows<S: Simd, T: GemmFloat>(
    simd: S,
    image: Image<'_, T>,
    [channels, width]: [usize; 2],
    rows: Range<usize>,
    columns: usize,
    pitch: usize,
    to: &mut [T],
) {
    to.fill(T::ZERO);
    let [channel, row, column] = image.strides;
    for (c, to) in to.chunks_exact_mut(pitch).take(channels).enumerate() {
        let grid = Grid {
            elements: image.elements,
            offset: image.offset + c as isize * channel + rows.start as isize * row,
            row,
            column,
        };
        grid.copy(simd, to, columns, 0..rows.len(), 0..width);
    }
}

/// Rows and columns of elements with any strides.
#[derive(Clone, Copy)]
struct Grid<'a, T> {
    elements: &'a [T],
    offset: isize,
    row: isize,
    column: isize,
}

impl<T: GemmFloat> Grid<'_, T> {
    /// Copies the grid to the rows and columns given of a plane that is `columns` wide.
    #[inline(always)]
    fn copy<S: Simd>(
        &self,
        simd: S,
        plane: &mut [T],
        columns: usize,
        rows: Range<usize>,
        width: Range<usize>,
    ) {
        let mut offset = self.offset;
        let plane = plane[rows.start * columns..].chunks_mut(columns);
        for to in plane.take(rows.len()) {
            let to = &mut to[width.clone()];
            match self.column {
                1 => {
                    let from = &self.elements[offset as usize..][..to.len()];
                    copy_row(simd, from, T::from_f64(-0.0), to);
                }
                0 => to.fill(self.elements[offset as usize]),
                column => {
                    let mut place = offset;
                    for to in to {
                        *to = self.elements[place as usize];
                        place += column;
                    }
                }
            }
            offset += self.row;
        }
    }
}

/// to = from + number, register by register: a slice copy would call a function for each row.
/// Adding −0 changes nothing.
#[inline(always)]
pub(super) fn copy_row<S: Simd, T: GemmFloat>(simd: S, from: &[T], number: T, to: &mut [T]) {
    let number = T::splat(simd, number);
    let width = T::width::<S>();
    if let Some(last) = to.len().checked_sub(width) {
        // The last register overlaps the one before.
        let (from_last, to_last) = (&from[last..], &mut to[last..]);
        if let ([from], [to]) = (T::split::<S>(from_last).0, T::split_mut::<S>(to_last).0) {
            *to = T::add(simd, *from, number);
        }
        let registers = T::split_mut::<S>(to).0.iter_mut();
        for (to, from) in registers.zip(T::split::<S>(from).0) {
            *to = T::add(simd, *from, number);
        }
    } else {
        let from = T::load_partial(simd, from);
        T::store_partial(simd, to, T::add(simd, from, number));
    }
}
