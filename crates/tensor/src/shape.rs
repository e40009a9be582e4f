//! Shapes: how many elements along each axis, and how to find them in memory.

mod reshape;

use std::fmt;

use crate::error::{Error, Result};
use crate::per_axis::Few;

pub use crate::per_axis::PerAxis;

/// Sizes along the axes.
pub type Sizes = PerAxis<usize>;
/// Steps in memory along the axes, in elements; negative where an axis runs backwards.
pub type Strides = PerAxis<isize>;

/// As many elements as there can be: of 8 bytes each, the bytes fit an `isize`.
const MOST: isize = isize::MAX / 8;

/// Sizes, strides and offset: element `(i₀, i₁, …)` lies at `offset + Σ iₖ·strideₖ`.
///
/// Views (transposing, slicing, expanding, …) are new shapes over the same memory; a stride of 0
/// repeats an element along its axis.
#[derive(Clone)]
pub struct Shape(Layout);

#[derive(Clone)]
enum Layout {
    /// Row-major from the start of memory, as in every fresh tensor: the sizes say it all. Most
    /// tensors are so, and tensors are moved often: what the others need stands elsewhere.
    Fresh(Few<usize>),
    Other(Box<Parts>),
}

#[derive(Clone)]
struct Parts {
    sizes: Sizes,
    offset: usize,
    /// None for row-major order.
    strides: Option<Strides>,
}

impl Shape {
    /// The row-major shape of a fresh tensor.
    ///
    /// # Errors
    /// The number of elements, zero sizes left out, must be at most [`MOST`]; sizes of zero do not
    /// hide an overflow of the others, so that strides can always be computed.
    #[inline]
    pub(crate) fn contiguous(op: &'static str, sizes: &[usize]) -> Result<Self> {
        countable(op, sizes)?;
        Ok(Self::grid(sizes))
    }

    /// The shape of one element without axes.
    pub(crate) fn scalar() -> Self {
        Self::grid(&[])
    }

    /// The row-major shape of elements that are in memory already, so that they can be counted.
    #[inline]
    pub(crate) fn grid(sizes: &[usize]) -> Self {
        Self::row_major(sizes, 0)
    }

    /// The row-major shape of elements that follow one another from `offset` on.
    #[inline]
    fn row_major(sizes: &[usize], offset: usize) -> Self {
        match Few::from_slice(sizes) {
            Some(few) if offset == 0 => Self(Layout::Fresh(few)),
            _ => Self::elsewhere(sizes, offset),
        }
    }

    /// The same with its parts in another place. Not inlined: the compiler would put the two kinds
    /// together in memory, and copy them from there before they have reached the cache.
    #[inline(never)]
    fn elsewhere(sizes: &[usize], offset: usize) -> Self {
        Self(Layout::other(Sizes::from_slice(sizes), offset, None))
    }

    /// The row-major shape of a fresh tensor of these sizes, which have been found countable.
    #[inline]
    pub(crate) fn fresh(&self) -> Self {
        match &self.0 {
            Layout::Fresh(_) => self.clone(),
            Layout::Other(parts) => Self::grid(&parts.sizes),
        }
    }

    /// The shape of a vector.
    pub(crate) fn vector(length: usize) -> Self {
        Self::grid(&[length])
    }

    /// A shape from its parts; the caller answers for every element lying inside the storage.
    pub(crate) fn from_parts(sizes: Sizes, strides: Strides, offset: usize) -> Self {
        debug_assert_eq!(sizes.len(), strides.len());
        match is_row_major(&sizes, &strides) {
            true => Self::row_major(&sizes, offset),
            false => Self(Layout::other(sizes, offset, Some(strides))),
        }
    }

    /// Sizes along the axes.
    #[inline]
    pub fn sizes(&self) -> &[usize] {
        match &self.0 {
            Layout::Fresh(sizes) => sizes,
            Layout::Other(parts) => &parts.sizes,
        }
    }

    /// Steps in memory along the axes, in elements.
    pub fn strides(&self) -> Strides {
        match &self.0 {
            Layout::Other(parts) if let Some(strides) = &parts.strides => strides.clone(),
            _ => row_major(self.sizes()),
        }
    }

    /// Place of the first element in the storage.
    #[inline]
    pub fn offset(&self) -> usize {
        match &self.0 {
            Layout::Fresh(_) => 0,
            Layout::Other(parts) => parts.offset,
        }
    }

    /// Number of axes.
    #[inline]
    pub fn rank(&self) -> usize {
        self.sizes().len()
    }

    /// Number of elements: the product of the sizes, 1 for rank 0.
    #[inline]
    pub fn count(&self) -> usize {
        self.sizes().iter().product()
    }

    /// Whether the elements lie one after the other in row-major order.
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        match &self.0 {
            Layout::Fresh(_) => true,
            Layout::Other(parts) => parts.strides.is_none(),
        }
    }

    /// The places of the elements of a contiguous shape; empty where there are none, whatever the
    /// offset is, because a view of nothing may start anywhere.
    #[inline]
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        match self.count() {
            0 => 0..0,
            count => self.offset()..self.offset() + count,
        }
    }

    /// The axis as a number from 0, where negative ones count from the end.
    pub(crate) fn axis(&self, op: &'static str, axis: isize) -> Result<usize> {
        resolve_axis(op, axis, self.rank())
    }

    /// The same elements repeated along new leading axes and along axes of size 1.
    pub(crate) fn expand(&self, op: &'static str, sizes: &[usize]) -> Result<Self> {
        let error = || Error::Shape {
            op,
            expected: format!("a shape that broadcasts to {sizes:?}"),
            found: Sizes::from_slice(self.sizes()),
        };
        let added = sizes.len().checked_sub(self.rank()).ok_or_else(error)?;
        let mut strides = Strides::from_elem(0, sizes.len());
        for (axis, (&size, &stride)) in self.sizes().iter().zip(&self.strides()).enumerate() {
            let wanted = sizes[added + axis];
            if size == wanted {
                strides[added + axis] = stride;
            } else if size != 1 {
                return Err(error());
            }
        }
        // The expanded shape may have more elements than memory, as long as they can be counted.
        Self::contiguous(op, sizes)?;
        Ok(Self::from_parts(
            Sizes::from_slice(sizes),
            strides,
            self.offset(),
        ))
    }

    /// The shape with its axes in the order given: axis `k` of the result is `axes[k]` of `self`.
    pub(crate) fn permute(&self, axes: &[usize]) -> Self {
        let strides = self.strides();
        Self::from_parts(
            axes.iter().map(|&axis| self.sizes()[axis]).collect(),
            axes.iter().map(|&axis| strides[axis]).collect(),
            self.offset(),
        )
    }

    /// The elements `start, start + step, …`, `length` of them, along one axis.
    ///
    /// The caller answers for their lying inside the axis; `step` may be negative.
    pub(crate) fn slice(&self, axis: usize, start: usize, step: isize, length: usize) -> Self {
        let (mut sizes, mut strides) = (Sizes::from_slice(self.sizes()), self.strides());
        sizes[axis] = length;
        // A view of nothing must not point behind the memory of nothing.
        let skipped = match sizes.contains(&0) {
            true => 0,
            false => start as isize * strides[axis],
        };
        strides[axis] *= step;
        Self::from_parts(sizes, strides, self.offset().wrapping_add_signed(skipped))
    }
}

/// Nothing if the elements of a row-major shape can be counted.
pub(crate) fn countable(op: &'static str, sizes: &[usize]) -> Result<()> {
    let mut count = 1_isize;
    for &size in sizes {
        let size = isize::try_from(size.max(1)).ok();
        count = size
            .and_then(|size| count.checked_mul(size))
            .filter(|&count| count <= MOST)
            .ok_or_else(|| Error::TooLarge {
                op,
                shape: Sizes::from_slice(sizes),
            })?;
    }
    Ok(())
}

impl Layout {
    fn other(sizes: Sizes, offset: usize, strides: Option<Strides>) -> Self {
        Self::Other(Box::new(Parts {
            sizes,
            offset,
            strides,
        }))
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.sizes() == other.sizes()
            && self.offset() == other.offset()
            && self.is_contiguous() == other.is_contiguous()
            && (self.is_contiguous() || self.strides() == other.strides())
    }
}

impl Eq for Shape {}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shape")
            .field("sizes", &self.sizes())
            .field("offset", &self.offset())
            .field("strides", &self.strides())
            .finish()
    }
}

/// The strides that lead from each element to the next in row-major order.
fn row_major(sizes: &[usize]) -> Strides {
    let mut strides = Strides::from_elem(1, sizes.len());
    let mut step = 1;
    for (stride, &size) in strides.iter_mut().zip(sizes).rev() {
        *stride = step;
        step *= size.max(1) as isize;
    }
    strides
}

/// Whether strides lead from each element to the next in row-major order.
fn is_row_major(sizes: &[usize], strides: &[isize]) -> bool {
    let mut step = 1;
    for (&size, &stride) in sizes.iter().zip(strides).rev() {
        if size == 0 {
            return true;
        }
        if size != 1 {
            if stride != step {
                return false;
            }
            step *= size as isize;
        }
    }
    true
}

/// The axis as a number from 0, where negative ones count from the end.
pub(crate) fn resolve_axis(op: &'static str, axis: isize, rank: usize) -> Result<usize> {
    let resolved = if axis < 0 { axis + rank as isize } else { axis };
    usize::try_from(resolved)
        .ok()
        .filter(|&axis| axis < rank)
        .ok_or(Error::Axis { op, axis, rank })
}

/// The shape two operands broadcast to: aligned at the last axis, equal sizes stay, 1 stretches.
///
/// # Errors
/// [`Error::Broadcast`] where two sizes differ and neither is 1.
pub fn broadcast(op: &'static str, left: &[usize], right: &[usize]) -> Result<Sizes> {
    let rank = left.len().max(right.len());
    let mut sizes = Sizes::from_elem(1, rank);
    for from_end in 1..=rank {
        let a = left.len().checked_sub(from_end).map_or(1, |i| left[i]);
        let b = right.len().checked_sub(from_end).map_or(1, |i| right[i]);
        sizes[rank - from_end] = match (a, b) {
            (a, b) if a == b => a,
            (1, b) => b,
            (a, 1) => a,
            _ => {
                return Err(Error::Broadcast {
                    op,
                    left: Sizes::from_slice(left),
                    right: Sizes::from_slice(right),
                });
            }
        };
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(sizes: &[usize]) -> Shape {
        Shape::contiguous("test", sizes).unwrap()
    }

    #[test]
    fn contiguous_strides_are_row_major() {
        assert_eq!(shape(&[2, 3, 4]).strides()[..], [12, 4, 1]);
        assert_eq!(shape(&[]).count(), 1);
        assert_eq!(shape(&[0, 3]).count(), 0);
    }

    #[test]
    fn more_elements_than_memory_is_an_error() {
        let sizes = [usize::MAX / 2, 3];
        assert!(matches!(
            Shape::contiguous("zeros", &sizes),
            Err(Error::TooLarge { op: "zeros", .. })
        ));
        assert!(Shape::contiguous("zeros", &[usize::MAX, 0]).is_err());
    }

    #[test]
    fn broadcasting_aligns_the_last_axis() {
        let sizes = |a: &[usize], b: &[usize]| broadcast("add", a, b).map(|s| s.to_vec());
        assert_eq!(sizes(&[5, 1, 3], &[4, 1]), Ok(vec![5, 4, 3]));
        assert_eq!(sizes(&[], &[2]), Ok(vec![2]));
        assert_eq!(sizes(&[0, 1], &[1, 3]), Ok(vec![0, 3]));
        assert_eq!(
            sizes(&[2], &[3]).unwrap_err().to_string(),
            "add: shapes [2] and [3] do not broadcast: aligned at the last axis, sizes must be \
             equal or 1"
        );
    }
}
