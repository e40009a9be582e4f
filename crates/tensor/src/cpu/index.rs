//! Elements picked by an index, and elements added where an index says.
//!
//! An index tensor is walked row by row. Element `k` of a row belongs to the place
//! `base + k · step + index[k] · stride` of the indexed tensor, where `step` is that tensor's
//! stride along the row, or 0 if the row runs along the indexed axis itself.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::lanes::dispatch;
use super::parallel::{PIECE, for_each_piece};
use crate::element::{Element, Number};
use crate::shape::{Shape, Sizes, Strides};

/// How the rows of an index tensor lie over the tensor that it indexes.
pub(crate) struct IndexWalk {
    sizes: Sizes,
    steps: Strides,
    /// Stride of the indexed axis.
    stride: isize,
    offset: usize,
}

impl IndexWalk {
    /// A walk of an index of some sizes over a tensor, whose sizes are at least as large along
    /// every axis but the indexed one.
    pub(crate) fn new(index: &[usize], over: &Shape, axis: usize) -> Self {
        let mut sizes = Sizes::new();
        let mut steps = Strides::new();
        let strides = over.strides();
        for (number, (&size, &stride)) in index.iter().zip(&strides).enumerate() {
            let step = if number == axis { 0 } else { stride };
            match (sizes.last_mut(), steps.last_mut()) {
                // A column of labels, [N, 1], is one row of N.
                _ if size == 1 => {}
                (Some(outer), Some(outer_step)) if *outer_step == step * size as isize => {
                    *outer *= size;
                    *outer_step = step;
                }
                _ => {
                    sizes.push(size);
                    steps.push(step);
                }
            }
        }
        Self {
            sizes,
            steps,
            stride: strides.get(axis).copied().unwrap_or(0),
            offset: over.offset(),
        }
    }

    /// Calls `visit(elements, row, base)` for the rows of a part of an index that begins at element
    /// `start`; `elements` is where a row stands in that part. The first and the last may be parts of rows.
    #[inline(always)]
    fn for_each_row(
        &self,
        start: usize,
        index: &[i64],
        mut visit: impl FnMut(Range<usize>, &[i64], isize),
    ) {
        if index.is_empty() {
            return;
        }
        let (&length, sizes) = self.sizes.split_last().unwrap_or((&1, &[]));
        let (&step, steps) = self.steps.split_last().unwrap_or((&0, &[]));
        let mut at = Sizes::from_elem(0, sizes.len());
        let mut base = self.offset as isize;
        let mut row = start / length;
        for axis in (0..sizes.len()).rev() {
            at[axis] = row % sizes[axis];
            row /= sizes[axis];
            base += at[axis] as isize * steps[axis];
        }
        let mut within = start % length;
        let mut first = 0;
        while first < index.len() {
            let end = index.len().min(first + length - within);
            visit(
                first..end,
                &index[first..end],
                base + within as isize * step,
            );
            (first, within) = (end, 0);
            for axis in (0..sizes.len()).rev() {
                base += steps[axis];
                at[axis] += 1;
                if at[axis] < sizes[axis] {
                    break;
                }
                base -= sizes[axis] as isize * steps[axis];
                at[axis] = 0;
            }
        }
    }

    /// Calls `visit(other, place)` with each of some others and the place of the same element of a row.
    #[inline(always)]
    fn for_each_place<O>(
        &self,
        others: impl Iterator<Item = O>,
        row: &[i64],
        base: isize,
        mut visit: impl FnMut(O, usize),
    ) {
        match (self.steps.last(), self.stride) {
            // Along the last axis, in one piece: no multiplications.
            (Some(0), 1) => {
                for (other, &place) in others.zip(row) {
                    visit(other, (base + place as isize) as usize);
                }
            }
            (step, stride) => {
                let mut base = base;
                for (other, &place) in others.zip(row) {
                    visit(other, (base + place as isize * stride) as usize);
                    base += step.unwrap_or(&0);
                }
            }
        }
    }
}

/// Writes the element that each index points to.
pub(crate) fn gather<T: Element>(from: &[T], walk: &IndexWalk, index: &[i64], output: &mut [T]) {
    for_each_piece(output, PIECE, |start, output| {
        let index = &index[start..start + output.len()];
        walk.for_each_row(start, index, |elements, row, base| {
            let output = output[elements].iter_mut();
            walk.for_each_place(output, row, base, |to, place| *to = from[place]);
        });
    });
}

/// Joins each element of the source with what stands where its index points to, one after the other.
///
/// Where the indexed axis is not the outermost one, the slices along that are independent, and
/// `slice_sizes` are the elements of one of the index and of one of the target; without them all is one
/// slice.
pub(crate) fn scatter<T: Element>(
    source: &[T],
    walk: &IndexWalk,
    index: &[i64],
    target: &mut [T],
    slice_sizes: Option<[usize; 2]>,
    join: impl Fn(T, T) -> T + Sync,
) {
    if index.is_empty() {
        return;
    }
    let [of_index, of_target] = slice_sizes.unwrap_or([index.len(), target.len()]);
    let lot = (PIECE / of_target).max(1);
    for_each_piece(target, lot * of_target, |first, target| {
        let slice = first / of_target;
        let start = (slice * of_index).min(index.len());
        let end = ((slice + lot) * of_index).min(index.len());
        let (source, index) = (&source[start..end], &index[start..end]);
        walk.for_each_row(start, index, |elements, row, base| {
            let source = source[elements].iter();
            walk.for_each_place(source, row, base - first as isize, |&x, place| {
                target[place] = join(target[place], x);
            });
        });
    });
}

/// Adds slice `k` of the source to slice `index[k]` of the target, one after the other, where both
/// are row-major `[outer, slices, inner]`.
pub(crate) fn index_add<T: Number>(
    source: &[T],
    index: &[i64],
    inner: usize,
    target: &mut [T],
    slices: usize,
) {
    if source.is_empty() {
        return;
    }
    let blocks = target.chunks_exact_mut(slices * inner);
    for (target, source) in blocks.zip(source.chunks_exact(index.len() * inner)) {
        for (&place, source) in index.iter().zip(source.chunks_exact(inner)) {
            let first = place as usize * inner;
            let target = &mut target[first..first + inner];
            for (to, &from) in target.iter_mut().zip(source) {
                *to = to.wrapping_add(from);
            }
        }
    }
}

/// The first index outside `0..size`, if there is one.
pub(crate) fn out_of_range(index: &[i64], size: usize) -> Option<i64> {
    match dispatch(OutOfRange { index, size }) {
        0 => None,
        _ => index.iter().find(|&&place| outside(place, size)).copied(),
    }
}

/// Whether a place is not in `0..size`: a negative one is larger than any size.
#[inline(always)]
fn outside(place: i64, size: usize) -> bool {
    place as u64 >= size as u64
}

/// Counts the places outside `0..size`: without an early end the loop has no branch, and the compiler
/// finds the registers itself.
struct OutOfRange<'a> {
    index: &'a [i64],
    size: usize,
}

impl WithSimd for OutOfRange<'_> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        let mut count = 0;
        for &place in self.index {
            count += usize::from(outside(place, self.size));
        }
        count
    }
}
