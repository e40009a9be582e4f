//! Reductions over axes: which elements come together, and in which order.
//!
//! The plain version walks over all elements and folds each into the result at its place.
//! Departures:
//!
//! 1. Axes that lie one after the other in memory are merged, so that a reduction over one group
//!    of axes is `[outer, axis, inner]`, and one over several groups is a few such passes, each on
//!    the smaller result of the one before.
//! 2. With `inner = 1` each result is the fold of a *row*; else `axis` rows of length `inner` are
//!    folded into each other, *column* by column. Either runs on whole registers.
//! 3. Where `inner` is small, several rows stand side by side in one wide row: the accumulators
//!    are as many rows, which are folded at the end (`[1000000, 2]` over its first axis).
//! 4. Where `axis` and `inner` are small, there is nothing to gain within one result, and `axis` is
//!    walked first instead, with the results side by side (`[1000000, 2]` over its last axis).
//! 5. A long axis is cut into segments whose results are folded in a later pass. So an error grows
//!    with the length of a segment and the number of passes, not with the length of the axis, and
//!    the segments can go to several threads. The cuts depend on the sizes alone: the same bits
//!    for any number of threads.

use std::ops::Range;

use smallvec::SmallVec;

use super::fold::Reduction;
use super::parallel::{PIECE, for_each_piece};
use super::source::Source;
use super::walk::Walk;
use crate::element::Element;
use crate::error::Result;
use crate::shape::{Shape, Sizes};
use crate::tensor::{Tensor, View};

/// Elements of a row in one segment.
const ROW_SEGMENT: usize = 4096;
/// Rows in one segment when rows are folded column by column.
const COLUMN_SEGMENT: usize = 64;
/// Columns folded at a time, so that accumulators stay in the first-level cache.
const TILE: usize = 4096;
/// Up to this many columns, several rows are folded as one wide row …
const NARROW: usize = 64;
/// … of at most this many columns.
const WIDE: usize = 256;
/// Up to this many elements of one result in a row, results are formed side by side.
const SHORT: usize = 16;

/// Axes that are one walk through memory and are all reduced, or all not.
#[derive(Clone, Debug)]
struct Group {
    size: usize,
    stride: isize,
    reduced: bool,
    /// The axes of the view that went in.
    axes: Range<usize>,
}

type Groups = SmallVec<[Group; 4]>;

/// Merges axes given by size, stride and whether they are reduced.
fn merge(axes: impl Iterator<Item = (usize, isize, bool)>) -> Groups {
    let mut groups = Groups::new();
    for (axis, (size, stride, reduced)) in axes.enumerate() {
        if size == 1 {
            continue;
        }
        match groups.last_mut() {
            Some(outer) if outer.reduced == reduced && outer.stride == stride * size as isize => {
                outer.size *= size;
                outer.stride = stride;
                outer.axes.end = axis + 1;
            }
            _ => groups.push(Group {
                size,
                stride,
                reduced,
                axes: axis..axis + 1,
            }),
        }
    }
    groups
}

/// What one pass does: `[outer, axis, inner]` to `[outer, segments, inner]`.
struct Pass {
    outer: usize,
    axis: usize,
    inner: usize,
    /// Elements of the axis in one segment.
    segment: usize,
}

impl Pass {
    fn segments(&self) -> usize {
        self.axis.div_ceil(self.segment)
    }

    /// The result and the range of the axis that an element `[outer, segment, ·]` stands for.
    fn block(&self, block: usize) -> (usize, Range<usize>) {
        let (outer, segment) = (block / self.segments(), block % self.segments());
        let first = segment * self.segment;
        (outer, first..self.axis.min(first + self.segment))
    }
}

/// The results, one for each element along the axes that are not reduced, in row-major order.
///
/// `view` has at least one element. `centre` gives the result's own number where the reduction
/// has one: a tensor of the sizes of `view`, but 1 along the reduced axes.
///
/// # Errors
/// Memory must have room for them and for what the passes before the last one leave.
pub(crate) fn reduce<T: Element, R: Reduction<T>>(
    op: &'static str,
    view: View<'_, T>,
    reduced: &[bool],
    reduction: R,
    centre: Option<View<'_, R::Output>>,
) -> Result<Tensor<R::Output>> {
    let sizes = view.shape.sizes();
    let strides = view.shape.strides();
    let axes = sizes.iter().zip(&strides).zip(reduced);
    let mut groups = merge(axes.map(|((&size, &stride), &reduced)| (size, stride, reduced)));
    // What is not reduced at all is a fold of one.
    if groups.iter().all(|group| !group.reduced) {
        groups.insert(
            0,
            Group {
                size: 1,
                stride: 0,
                reduced: true,
                axes: 0..0,
            },
        );
    }
    let centre = centre.map(|centre| spread(op, centre, sizes, &groups));
    let centre = centre.transpose()?;
    let centres = centre.as_ref().and_then(|centre| centre.as_slice());
    let offset = view.shape.offset();
    let centres = centres.unwrap_or(&[]);
    let mut results = pass(op, view.elements, offset, &mut groups, &reduction, centres)?;
    let combine = reduction.combine();
    while groups.iter().any(|group| group.reduced) {
        let partial = results.view(op)?.elements;
        results = pass(op, partial, 0, &mut groups, &combine, &[])?;
    }
    Ok(results)
}

/// The centres of the results of the first pass, in row-major order.
fn spread<O: Element>(
    op: &'static str,
    centre: View<'_, O>,
    sizes: &[usize],
    groups: &Groups,
) -> Result<Tensor<O>> {
    let mut sizes = Sizes::from_slice(sizes);
    let mut strides = centre.shape.strides();
    for (axis, &size) in centre.shape.sizes().iter().enumerate() {
        if size == 1 {
            strides[axis] = 0;
        }
    }
    let axis = groups.iter().rev().find(|group| group.reduced);
    for axis in axis.map_or(0..0, |group| group.axes.clone()) {
        sizes[axis] = 1;
    }
    let shape = Shape::from_parts(sizes, strides, centre.shape.offset());
    let count = shape.count();
    let source = Walk::new(View {
        elements: centre.elements,
        shape: &shape,
    });
    Tensor::build(op, Shape::vector(count), |output| {
        source.copy_from(0, output)
    })
}

/// Reduces the last group that is to be reduced, or at least shortens it; `groups` becomes what
/// the result consists of.
fn pass<T: Element, R: Reduction<T>>(
    op: &'static str,
    elements: &[T],
    offset: usize,
    groups: &mut Groups,
    reduction: &R,
    centres: &[R::Output],
) -> Result<Tensor<R::Output>> {
    let size = |groups: &[Group]| groups.iter().map(|group| group.size).product::<usize>();
    let mut at = groups.iter().rposition(|g| g.reduced).unwrap_or(0);
    let mut axis = groups.get(at).map_or(1, |group| group.size);
    let mut inner = size(&groups[(at + 1).min(groups.len())..]);
    if at > 0 && axis * inner <= SHORT {
        let group = groups.remove(at);
        groups.insert(0, group);
        (at, inner) = (0, size(&groups[1..]));
    }
    axis = axis.max(1);
    let pass = Pass {
        outer: size(&groups[..at]),
        axis,
        inner,
        segment: match inner {
            1 => ROW_SEGMENT,
            2..NARROW => COLUMN_SEGMENT * (WIDE / inner),
            _ => COLUMN_SEGMENT,
        },
    };
    let shape = Shape::from_parts(
        groups.iter().map(|group| group.size).collect(),
        groups.iter().map(|group| group.stride).collect(),
        offset,
    );
    let source = Source::new(View {
        elements,
        shape: &shape,
    });
    let count = pass.outer * pass.segments() * pass.inner;
    let result = Tensor::build(op, Shape::vector(count), |output| match inner {
        1 => rows(&source, &pass, reduction, centres, output),
        2..NARROW => narrow(&source, &pass, reduction, centres, output),
        _ => columns(&source, &pass, reduction, centres, output),
    })?;
    groups[at].size = pass.segments();
    let mut stride = 1;
    for group in groups.iter_mut().rev() {
        group.stride = stride;
        stride *= group.size as isize;
    }
    *groups = merge(groups.iter().map(|g| (g.size, g.stride, g.reduced)));
    Ok(result)
}

/// Folds `[outer, axis]` row by row.
fn rows<T: Element, R: Reduction<T>>(
    source: &Source<'_, T>,
    pass: &Pass,
    reduction: &R,
    centres: &[R::Output],
    output: &mut [R::Output],
) {
    let (axis, segment) = (pass.axis, pass.segment);
    let piece = (PIECE / axis.min(segment)).max(1);
    for_each_piece(output, piece, |start, results| {
        let mut scratch = source.scratch(axis.min(segment));
        let (mut start, mut results) = (start, results);
        while !results.is_empty() {
            let (outer, range) = pass.block(start);
            // Rows that follow one another in memory are folded in one call.
            let count = match source {
                Source::Contiguous(_) if pass.segments() == 1 => results.len(),
                Source::Contiguous(_) => ((axis - range.start) / segment).clamp(1, results.len()),
                _ => 1,
            };
            let (now, rest) = results.split_at_mut(count);
            let first = outer * axis + range.start;
            let rows = source.block(first, count * range.len(), &mut scratch);
            let centres = match (R::CENTRED, pass.segments()) {
                (false, _) => &[],
                (true, 1) => &centres[outer..outer + count],
                (true, _) => &centres[outer..outer + 1],
            };
            reduction.rows(rows, range.len(), centres, now);
            (start, results) = (start + count, rest);
        }
    });
}

/// Folds the rows of `[outer, axis, inner]`, four at a time, into `[outer, inner]`.
fn columns<T: Element, R: Reduction<T>>(
    source: &Source<'_, T>,
    pass: &Pass,
    reduction: &R,
    centres: &[R::Output],
    output: &mut [R::Output],
) {
    let (axis, inner) = (pass.axis, pass.inner);
    let piece = (PIECE / axis.min(pass.segment)).max(4 * TILE);
    for_each_piece(output, piece, |start, results| {
        let mut scratch = [(); 4].map(|()| source.scratch(inner.min(TILE)));
        let (mut start, mut results) = (start, results);
        while !results.is_empty() {
            let (block, column) = (start / inner, start % inner);
            let width = TILE.min(inner - column).min(results.len());
            let (accumulators, rest) = results.split_at_mut(width);
            let (outer, range) = pass.block(block);
            let place = (outer * axis + range.start) * inner + column;
            let centres = match R::CENTRED {
                true => &centres[outer * inner + column..][..width],
                false => &[],
            };
            accumulators.fill(reduction.start());
            fold_rows(
                source,
                Rows {
                    place,
                    step: inner,
                    width,
                    count: range.len(),
                },
                reduction,
                centres,
                accumulators,
                &mut scratch,
            );
            (start, results) = (start + width, rest);
        }
    });
}

/// Rows of a source: where the first begins, from one to the next, their length and number.
struct Rows {
    place: usize,
    step: usize,
    width: usize,
    count: usize,
}

/// Folds rows of the source, four at a time, into the accumulators.
fn fold_rows<T: Element, R: Reduction<T>>(
    source: &Source<'_, T>,
    rows: Rows,
    reduction: &R,
    centres: &[R::Output],
    accumulators: &mut [R::Output],
    scratch: &mut [Vec<T>; 4],
) {
    let place = |row: usize| rows.place + row * rows.step;
    let whole = rows.count / 4 * 4;
    for first in (0..whole).step_by(4) {
        let [s0, s1, s2, s3] = scratch;
        let four = [
            source.block(place(first), rows.width, s0),
            source.block(place(first + 1), rows.width, s1),
            source.block(place(first + 2), rows.width, s2),
            source.block(place(first + 3), rows.width, s3),
        ];
        reduction.columns(four, centres, accumulators);
    }
    for row in whole..rows.count {
        let one = source.block(place(row), rows.width, &mut scratch[0]);
        reduction.columns([one], centres, accumulators);
    }
}

/// Folds `[outer, axis, inner]` for small `inner`: as rows of `lines · inner` elements, whose
/// accumulators are then folded themselves.
fn narrow<T: Element, R: Reduction<T>>(
    source: &Source<'_, T>,
    pass: &Pass,
    reduction: &R,
    centres: &[R::Output],
    output: &mut [R::Output],
) {
    let (axis, inner) = (pass.axis, pass.inner);
    let blocks = (PIECE / (axis.min(pass.segment) * inner)).max(1);
    let combine = reduction.combine();
    for_each_piece(output, blocks * inner, |start, results| {
        let mut scratch = [(); 4].map(|()| source.scratch(WIDE));
        let mut accumulators = [reduction.start(); WIDE];
        let mut repeated = [reduction.start(); WIDE];
        for (index, results) in results.chunks_mut(inner).enumerate() {
            let (outer, range) = pass.block(start / inner + index);
            let mut lines = (WIDE / inner).min(range.len());
            let width = lines * inner;
            if R::CENTRED {
                for line in repeated[..width].chunks_mut(inner) {
                    line.copy_from_slice(&centres[outer * inner..][..inner]);
                }
            }
            let centres = |width: usize| match R::CENTRED {
                true => &repeated[..width],
                false => &[],
            };
            let place = (outer * axis + range.start) * inner;
            let count = range.len() / lines;
            let rows = Rows {
                place,
                step: width,
                width,
                count,
            };
            let wide = &mut accumulators[..width];
            wide.fill(reduction.start());
            fold_rows(source, rows, reduction, centres(width), wide, &mut scratch);
            let rest = range.len() % lines * inner;
            if rest > 0 {
                let row = source.block(place + count * width, rest, &mut scratch[0]);
                reduction.columns([row], centres(rest), &mut wide[..rest]);
            }
            while lines > 1 {
                let half = lines / 2;
                let (low, high) = accumulators.split_at_mut((lines - half) * inner);
                let count = half * inner;
                combine.columns([&high[..count]], &[], &mut low[..count]);
                lines -= half;
            }
            results.copy_from_slice(&accumulators[..inner]);
        }
    });
}
