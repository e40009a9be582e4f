//! Copying strided elements: the loop under `contiguous`, `concatenate`, `pad` and `index_select`.
//!
//! The plain version is a nest of loops, one for each axis, with a step in the source and a step
//! in the target: `target[Σ iₖ·toₖ] = source[offset + Σ iₖ·fromₖ]`. Departures:
//!
//! 1. Axes that form one even walk in both are merged, so most copies end as long runs.
//! 2. The target is cut along its outermost axis into pieces for several threads.
//! 3. A transposed copy (one axis is dense in the source, another in the target) is done in square
//!    blocks: a whole cache line is read and a whole cache line is written, and the elements change
//!    places in between, in registers or in a buffer that stays in the first-level cache. Read
//!    directly, each line of memory would be fetched once for each of its elements.

#![allow(
    clippy::needless_range_loop,
    reason = "loops over registers keep them in registers only if they count to a constant"
)]

use std::ops::Range;

use pulp::bytemuck::{Pod, cast_slice, cast_slice_mut};
use pulp::{Simd, WithSimd};
use smallvec::SmallVec;

use super::cache::second_cache;
use super::lanes::{LaneMemory, WIDEST, transpose, transposes_in_registers};
use super::parallel::{LIGHT_PIECE, for_each_piece};
use super::scratch::{Lent, Scratch};
use crate::element::Element;
use crate::shape::{Shape, Sizes};
use crate::tensor::View;

/// Side of a tile, some cache lines: 16 KiB of `f32`, which the first-level cache holds.
const TILE: usize = 64;

/// Rows of a block that is transposed in registers, and the least of a piece. Each column of the block
/// is a run of the source, long enough for the processor to see what comes next.
const TALL: usize = 512;

/// Bytes of a row of such a block, which with what is read for it stays in the second cache.
///
/// With 2 MiB of that (Intel Xeon, Emerald Rapids) 1 KiB is 1.4 to 2.8 times as fast as 256 bytes, which
/// were chosen with 1 MiB (AMD EPYC, Zen 4 and 5).
fn row_of_a_block() -> usize {
    if second_cache() < 2 << 20 { 256 } else { 1024 }
}

/// One loop of the nest.
#[derive(Clone, Copy)]
struct Axis<'a> {
    size: usize,
    /// Step in the source.
    from: isize,
    /// Step in the target.
    to: usize,
    /// The places along the source's axis to copy, where they are not 0, 1, 2, …
    places: Option<&'a [i64]>,
}

impl Axis<'_> {
    /// How far the source's element `k` of this axis is from its element 0.
    #[inline(always)]
    fn from(&self, k: usize) -> isize {
        match self.places {
            Some(places) => places[k] as isize * self.from,
            None => k as isize * self.from,
        }
    }
}

type Axes<'a> = SmallVec<[Axis<'a>; 4]>;

/// Copies a view to `output` in row-major order.
pub(crate) fn copy<T: Element>(from: View<'_, T>, output: &mut [T]) {
    match from.as_contiguous() {
        Some(elements) if elements.len() <= LIGHT_PIECE => output.copy_from_slice(elements),
        _ => copy_into(from, output, &Shape::grid(from.shape.sizes())),
    }
}

/// Copies a view into a window of `output`: `window` has the view's sizes, and the strides of a
/// row-major shape that holds it.
pub(crate) fn copy_into<T: Element>(from: View<'_, T>, output: &mut [T], window: &Shape) {
    if from.shape.count() > 0 {
        let axes = loops(from.shape, &window.strides(), None);
        in_pieces(axes, from, &mut output[window.offset()..]);
    }
}

/// Copies the slices at `places` along an axis to `output`, which has as many slices in row-major
/// order.
///
/// Every place has been found to lie inside the axis.
pub(crate) fn copy_places<T: Element>(
    from: View<'_, T>,
    axis: usize,
    places: &[i64],
    output: &mut [T],
) {
    if output.is_empty() {
        return;
    }
    let sizes = from.shape.sizes();
    let inner: usize = sizes[axis + 1..].iter().product();
    match from.as_contiguous() {
        // The rows of a batch: nothing to plan, and too little work to pay for planning.
        Some(elements) if inner > 1 && output.len() <= LIGHT_PIECE => {
            let blocks = output.chunks_exact_mut(places.len() * inner);
            for (output, elements) in blocks.zip(elements.chunks_exact(sizes[axis] * inner)) {
                for (to, &place) in output.chunks_exact_mut(inner).zip(places) {
                    let first = place as usize * inner;
                    to.copy_from_slice(&elements[first..first + inner]);
                }
            }
        }
        _ => {
            let mut target = Sizes::from_slice(sizes);
            target[axis] = places.len();
            let target = Shape::grid(&target);
            let axes = loops(from.shape, &target.strides(), Some((axis, places)));
            in_pieces(axes, from, output);
        }
    }
}

/// The loops over a view and a target, from the outermost, with as few axes as possible.
fn loops<'a>(from: &Shape, to: &[isize], selected: Option<(usize, &'a [i64])>) -> Axes<'a> {
    let mut axes = Axes::new();
    let strides = from.strides();
    let steps = strides.iter().zip(to);
    for (number, (&size, (&from, &to))) in from.sizes().iter().zip(steps).enumerate() {
        let places = selected.and_then(|(axis, places)| (axis == number).then_some(places));
        let axis = Axis {
            size: places.map_or(size, <[i64]>::len),
            from,
            to: to.unsigned_abs(),
            places,
        };
        if axis.size == 1 && places.is_none() {
            continue;
        }
        match axes.last_mut() {
            // The axis before steps over exactly this one: they are one loop.
            Some(outer)
                if outer.places.or(places).is_none()
                    && outer.from == from * size as isize
                    && outer.to == axis.to * size =>
            {
                *outer = Axis {
                    size: outer.size * size,
                    ..axis
                };
            }
            _ => axes.push(axis),
        }
    }
    axes
}

/// Runs the loops, cut along the outermost axis where the copy is large.
fn in_pieces<T: Element>(axes: Axes<'_>, from: View<'_, T>, to: &mut [T]) {
    let Some(&outer) = axes.first() else {
        to[0] = from.elements[from.shape.offset()];
        return;
    };
    let dense = dense_source_axis(&axes);
    let mut rows = (LIGHT_PIECE / outer.to).max(1);
    if dense == Some(0) {
        rows = rows.next_multiple_of(TALL);
    }
    // The target reaches to the end of its tensor, which may be far behind the window.
    let end = to.len().min(outer.to * outer.size);
    for_each_piece(&mut to[..end], rows * outer.to, |start, piece| {
        let first = start / outer.to;
        let mut axes = axes.clone();
        let mut offset = from.shape.offset() as isize;
        axes[0].size = rows.min(outer.size - first);
        match outer.places {
            Some(places) => axes[0].places = Some(&places[first..first + axes[0].size]),
            None => offset += outer.from(first),
        }
        if let Some(dense) = dense {
            let last = axes.len() - 1;
            axes[dense..last].rotate_left(1);
            transposed(&axes, from.elements, offset, piece);
        } else {
            nest(&axes, from.elements, offset, piece);
        }
    });
}

/// The axis along which the source is dense, where that is not the one along which the target is.
fn dense_source_axis(axes: &[Axis<'_>]) -> Option<usize> {
    let (last, outer) = axes.split_last()?;
    let dense = |axis: &Axis<'_>| axis.from == 1 && axis.places.is_none() && axis.size > 1;
    if last.to != 1 || last.from == 0 || last.places.is_some() || dense(last) {
        return None;
    }
    outer.iter().position(dense)
}

/// The nest of loops as it stands.
fn nest<T: Element>(axes: &[Axis<'_>], from: &[T], offset: isize, to: &mut [T]) {
    match axes {
        [] => to[0] = from[offset as usize],
        [axis] => line(axis, from, offset, to),
        [outer, inner @ ..] => {
            for (k, to) in to.chunks_mut(outer.to).take(outer.size).enumerate() {
                nest(inner, from, offset + outer.from(k), to);
            }
        }
    }
}

/// The innermost loop.
#[inline(always)]
fn line<T: Element>(axis: &Axis<'_>, from: &[T], offset: isize, to: &mut [T]) {
    let size = axis.size;
    match (axis.from, axis.to, axis.places) {
        (1, 1, None) => {
            let first = offset as usize;
            to[..size].copy_from_slice(&from[first..first + size]);
        }
        (0, 1, None) => to[..size].fill(from[offset as usize]),
        (-1, 1, None) => {
            let end = offset as usize + 1;
            let backwards = from[end - size..end].iter().rev();
            let to = to[..size].iter_mut();
            to.zip(backwards).for_each(|(to, from)| *to = *from);
        }
        (step, 1, None) if step > 0 => {
            let from = from[offset as usize..].iter().step_by(step as usize);
            let to = to[..size].iter_mut();
            to.zip(from).for_each(|(to, from)| *to = *from);
        }
        // As above, where the compiler knows of no steps in the target.
        (step, to_step, None) if step > 0 => {
            let from = from[offset as usize..].iter().step_by(step as usize);
            let to = to.iter_mut().step_by(to_step).take(size);
            to.zip(from).for_each(|(to, from)| *to = *from);
        }
        (step, 1, Some(places)) => {
            let to = to[..size].iter_mut().zip(places);
            to.for_each(|(to, &place)| *to = from[(offset + place as isize * step) as usize]);
        }
        _ => {
            let to = to.iter_mut().step_by(axis.to).take(size).enumerate();
            to.for_each(|(k, to)| *to = from[(offset + axis.from(k)) as usize]);
        }
    }
}

/// The nest of loops whose last two axes are dense in the source and in the target.
fn transposed<T: Element>(axes: &[Axis<'_>], from: &[T], offset: isize, to: &mut [T]) {
    match axes {
        &[down, across] => T::transpose(Transposed {
            down,
            across,
            from,
            offset,
            to,
        }),
        [outer, inner @ ..] => {
            for k in 0..outer.size {
                let to = &mut to[k * outer.to..];
                transposed(inner, from, offset + outer.from(k), to);
            }
        }
        [] => {}
    }
}

/// A matrix whose columns are dense in the source, to be copied to rows that are dense in the target.
pub struct Transposed<'a, T> {
    down: Axis<'a>,
    across: Axis<'a>,
    from: &'a [T],
    offset: isize,
    to: &'a mut [T],
}

impl<T: Element> Transposed<'_, T> {
    /// Where the source has the element of a row and a column.
    #[inline(always)]
    fn place(&self, row: usize, column: usize) -> usize {
        (self.offset + self.across.from(column)) as usize + row
    }

    /// The copy, number by number.
    pub(crate) fn one_by_one(mut self) {
        let (rows, columns) = (self.down.size, self.across.size);
        self.tiles(0..rows, 0..columns);
    }

    /// The part of the copy in some rows and columns.
    #[inline(never)]
    fn tiles(&mut self, rows: Range<usize>, columns: Range<usize>) {
        if rows.len() * columns.len() < TILE * TILE {
            // They stay in the cache, and a tile would only cost its clearing.
            for row in rows {
                for column in columns.clone() {
                    let from = self.from[self.place(row, column)];
                    self.to[row * self.down.to + column] = from;
                }
            }
            return;
        }
        let mut tile = [[T::default(); TILE]; TILE];
        for column in columns.clone().step_by(TILE) {
            let width = TILE.min(columns.end - column);
            for row in rows.clone().step_by(TILE) {
                let height = TILE.min(rows.end - row);
                for (k, line) in tile[..width].iter_mut().enumerate() {
                    let first = self.place(row, column + k);
                    line[..height].copy_from_slice(&self.from[first..first + height]);
                }
                for k in 0..height {
                    let first = (row + k) * self.down.to + column;
                    let line = &mut self.to[first..first + width];
                    for (to, from) in line.iter_mut().zip(&tile) {
                        *to = from[k];
                    }
                }
            }
        }
    }
}

impl<'a, T: Pod> Transposed<'a, T> {
    /// The same bytes as numbers of another type, as long as these.
    pub(crate) fn cast<U: Pod>(self) -> Transposed<'a, U> {
        Transposed {
            down: self.down,
            across: self.across,
            from: cast_slice(self.from),
            offset: self.offset,
            to: cast_slice_mut(self.to),
        }
    }
}

impl<T: LaneMemory + Lent> WithSimd for Transposed<'_, T> {
    type Output = ();

    /// By blocks of a register's lanes, where registers can be transposed; what is left of rows and
    /// columns goes number by number.
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let width = T::width::<S>();
        let (rows, columns) = (self.down.size, self.across.size);
        if !const { transposes_in_registers::<S>() } || rows.min(columns) < width {
            return self.one_by_one();
        }
        let (whole_rows, whole_columns) = (rows - rows % width, columns - columns % width);
        let wide = row_of_a_block() / size_of::<T>();
        let room = TALL.min(whole_rows) * wide.min(whole_columns);
        let mut scratch = Scratch::take(room);
        for row in (0..whole_rows).step_by(TALL) {
            let rows = TALL.min(whole_rows - row);
            for column in (0..whole_columns).step_by(wide) {
                let columns = wide.min(whole_columns - column);
                let block = &mut scratch.elements()[..rows * columns];
                for k in (0..columns).step_by(width) {
                    for i in (0..rows).step_by(width) {
                        let mut square = [T::splat(simd, T::default()); WIDEST];
                        for lane in 0..width {
                            let line = &self.from[self.place(row + i, column + k + lane)..];
                            if let Some(&line) = T::split::<S>(line).0.first() {
                                square[lane] = line;
                            }
                        }
                        transpose::<S, T>(simd, &mut square);
                        for lane in 0..width {
                            let line = &mut block[(i + lane) * columns + k..];
                            if let Some(line) = T::split_mut::<S>(line).0.first_mut() {
                                *line = square[lane];
                            }
                        }
                    }
                }
                for (i, line) in block.chunks_exact(columns).enumerate() {
                    let first = (row + i) * self.down.to + column;
                    // In registers: a slice copy would call a function for each row.
                    let to = T::split_mut::<S>(&mut self.to[first..first + columns]).0;
                    let from = T::split::<S>(line).0;
                    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                }
            }
        }
        self.tiles(0..whole_rows, whole_columns..columns);
        self.tiles(whole_rows..rows, 0..columns);
    }
}

/// Copies the elements of a view, broadcast to `sizes`, to the start of `output`, one by one.
pub(crate) fn broadcast_few<T: Element>(view: View<'_, T>, sizes: &[usize], output: &mut [T]) {
    let (own, strides) = (view.shape.sizes(), view.shape.strides());
    let added = sizes.len() - own.len();
    let count = sizes.iter().product();
    for (index, to) in output.iter_mut().take(count).enumerate() {
        let (mut rest, mut place) = (index, view.shape.offset());
        for axis in (0..sizes.len()).rev() {
            let along = rest % sizes[axis];
            rest /= sizes[axis];
            if axis >= added && own[axis - added] != 1 {
                place = place.wrapping_add_signed(along as isize * strides[axis - added]);
            }
        }
        *to = view.elements[place];
    }
}
