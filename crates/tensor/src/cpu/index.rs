//! Elements picked by an index, and elements added where an index says.
//!
//! An index tensor is walked row by row. Element `k` of a row belongs to the place
//! `base + k · step + index[k] · stride` of the indexed tensor, where `step` is that tensor's
//! stride along the row, or 0 if the row runs along the indexed axis itself.

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

    /// Calls `visit(element of the index, its place)` in the index's row-major order.
    #[inline(always)]
    fn for_each(&self, index: &[i64], mut visit: impl FnMut(usize, usize)) {
        let (length, step) = match (self.sizes.last(), self.steps.last()) {
            (Some(&size), Some(&step)) => (size, step),
            _ => (1, 0),
        };
        let outer = self.sizes.len().saturating_sub(1);
        let mut at = Sizes::from_elem(0, outer);
        let mut base = self.offset as isize;
        for (row, index) in index.chunks_exact(length.max(1)).enumerate() {
            let first = row * length;
            for (k, &place) in index.iter().enumerate() {
                let place = base + k as isize * step + place as isize * self.stride;
                visit(first + k, place as usize);
            }
            for axis in (0..outer).rev() {
                base += self.steps[axis];
                at[axis] += 1;
                if at[axis] < self.sizes[axis] {
                    break;
                }
                base -= self.sizes[axis] as isize * self.steps[axis];
                at[axis] = 0;
            }
        }
    }
}

/// Writes the element that each index points to.
pub(crate) fn gather<T: Element>(from: &[T], walk: &IndexWalk, index: &[i64], output: &mut [T]) {
    walk.for_each(index, |k, place| output[k] = from[place]);
}

/// Joins each element of the source with what stands where its index points to, one after the other.
pub(crate) fn scatter<T: Element>(
    source: &[T],
    walk: &IndexWalk,
    index: &[i64],
    target: &mut [T],
    join: impl Fn(T, T) -> T,
) {
    walk.for_each(index, |k, place| {
        target[place] = join(target[place], source[k]);
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
    let outside = |&&place: &&i64| place < 0 || place as usize >= size;
    // Without an early end the loop has no branch, and runs on registers.
    match index.iter().filter(outside).count() {
        0 => None,
        _ => index.iter().find(outside).copied(),
    }
}
