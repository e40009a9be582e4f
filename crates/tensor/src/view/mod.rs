//! Views: other shapes over the same elements. No data moves.

mod reshape;
mod slice;
mod window;

use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes, resolve_axis};
use crate::tensor::Tensor;

pub use reshape::{NewShape, Size};
pub use slice::Slice;

impl<T: Element> Tensor<T> {
    /// All elements in one axis, in row-major order; copied only where they do not lie so evenly.
    ///
    /// # Errors
    /// Memory must have room for a copy.
    #[doc(alias = "ravel")]
    pub fn flatten(&self) -> Result<Self> {
        self.reshape([self.count()])
    }

    /// The axes from `first` to `last`, both included, as one axis.
    ///
    /// # Errors
    /// Both must be axes of the tensor, and `first` must not come after `last`.
    pub fn flatten_range(&self, first: isize, last: isize) -> Result<Self> {
        let start = self.shape.axis("flatten_range", first)?;
        let end = self.shape.axis("flatten_range", last)?;
        if start > end {
            return Err(Error::Argument {
                op: "flatten_range",
                argument: "first",
                expected: format!("at most last, axis {end}"),
                found: format!("axis {start}"),
            });
        }
        let (before, others) = self.shape().split_at(start);
        let (merged, after) = others.split_at(end + 1 - start);
        self.reshape([before, &[merged.iter().product()], after].concat())
    }

    /// The tensor with two axes exchanged; negative axes count from the end.
    ///
    /// # Errors
    /// Both axes must be axes of the tensor.
    #[doc(alias = "swapaxes")]
    #[doc(alias = "swapdims")]
    pub fn transpose(&self, first: isize, second: isize) -> Result<Self> {
        let first = self.shape.axis("transpose", first)?;
        let second = self.shape.axis("transpose", second)?;
        let mut axes: Sizes = (0..self.rank()).collect();
        axes.swap(first, second);
        Ok(self.with_shape(self.shape.permute(&axes)))
    }

    /// The tensor with its axes in the order given: axis `k` of the result is axis `axes[k]`.
    ///
    /// # Errors
    /// Every axis must be named exactly once; negative axes count from the end.
    pub fn permute(&self, axes: impl AsRef<[isize]>) -> Result<Self> {
        let order = axes
            .as_ref()
            .iter()
            .map(|&axis| self.shape.axis("permute", axis))
            .collect::<Result<Sizes>>()?;
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..self.rank()) {
            return Err(Error::Argument {
                op: "permute",
                argument: "axes",
                expected: format!("all {} axes, named once each", self.rank()),
                found: format!("{:?}", axes.as_ref()),
            });
        }
        Ok(self.with_shape(self.shape.permute(&order)))
    }

    /// The tensor with axis `from` at place `to`, the others in their order.
    ///
    /// # Errors
    /// Both must be axes of the tensor.
    #[doc(alias = "movedim")]
    #[doc(alias = "moveaxis")]
    pub fn move_axis(&self, from: isize, to: isize) -> Result<Self> {
        let from = self.shape.axis("move_axis", from)?;
        let to = self.shape.axis("move_axis", to)?;
        let mut axes: Sizes = (0..self.rank()).collect();
        axes.remove(from);
        axes.insert(to, from);
        Ok(self.with_shape(self.shape.permute(&axes)))
    }

    /// The elements repeated along new leading axes and along axes of size 1, to `shape`.
    ///
    /// # Errors
    /// The tensor's shape must broadcast to `shape`.
    #[doc(alias = "broadcast_to")]
    pub fn expand(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        self.stretched("expand", shape.as_ref())
    }

    /// [`expand`](Self::expand) on behalf of another operation.
    pub(crate) fn stretched(&self, op: &'static str, sizes: &[usize]) -> Result<Self> {
        Ok(self.with_shape(self.shape.expand(op, sizes)?))
    }

    /// The tensor with a new axis of size 1 before axis `axis`; −1 puts it last.
    ///
    /// # Errors
    /// `axis` must be at most the rank.
    #[doc(alias = "expand_dims")]
    pub fn unsqueeze(&self, axis: isize) -> Result<Self> {
        let axis = resolve_axis("unsqueeze", axis, self.rank() + 1)?;
        let mut sizes = Sizes::from_slice(self.shape());
        let mut strides = self.strides();
        sizes.insert(axis, 1);
        strides.insert(axis, 0);
        Ok(self.with_shape(Shape::from_parts(sizes, strides, self.shape.offset())))
    }

    /// The tensor without axis `axis`, which must have size 1.
    ///
    /// # Errors
    /// The axis must exist and have size 1.
    pub fn squeeze(&self, axis: isize) -> Result<Self> {
        let axis = self.shape.axis("squeeze", axis)?;
        if self.shape()[axis] != 1 {
            return Err(Error::Shape {
                op: "squeeze",
                expected: format!("size 1 on axis {axis}"),
                found: Sizes::from_slice(self.shape()),
            });
        }
        let mut sizes = Sizes::from_slice(self.shape());
        let mut strides = self.strides();
        sizes.remove(axis);
        strides.remove(axis);
        Ok(self.with_shape(Shape::from_parts(sizes, strides, self.shape.offset())))
    }

    /// The tensor without its axes of size 1.
    pub fn squeeze_all(&self) -> Self {
        let kept = |&axis: &usize| self.shape()[axis] != 1;
        let axes: Sizes = (0..self.rank()).filter(kept).collect();
        self.with_shape(self.shape.permute(&axes))
    }

    /// `length` elements from `start` on along one axis.
    ///
    /// # Errors
    /// The range must lie inside the axis.
    pub fn narrow(&self, axis: isize, start: usize, length: usize) -> Result<Self> {
        let axis = self.shape.axis("narrow", axis)?;
        let size = self.shape()[axis];
        if start.checked_add(length).is_none_or(|end| end > size) {
            return Err(Error::Argument {
                op: "narrow",
                argument: "range",
                expected: format!("inside axis {axis} of size {size}"),
                found: format!("{length} elements from {start} on"),
            });
        }
        Ok(self.with_shape(self.shape.slice(axis, start, 1, length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Tensor<i64> {
        Tensor::from([[1, 2, 3], [4, 5, 6]])
    }

    #[test]
    fn expanding_repeats_and_refuses_other_sizes() {
        let row = Tensor::from([1, 2, 3_i64]).expand([2, 3]).unwrap();
        assert_eq!(row.to_vec().unwrap(), [1, 2, 3, 1, 2, 3]);
        let error = grid().expand([2, 4]).map(drop).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expand: expected a shape that broadcasts to [2, 4], found shape [2, 3]"
        );
    }

    #[test]
    fn narrowing_checks_its_range() {
        let last = grid().narrow(-1, 1, 2).unwrap();
        assert_eq!(last.to_vec().unwrap(), [2, 3, 5, 6]);
        assert!(grid().narrow(1, 2, 2).is_err());
        assert_eq!(grid().narrow(1, 3, 0).unwrap().shape(), [2, 0]);
    }

    #[test]
    fn permuting_needs_every_axis_once() {
        assert_eq!(grid().permute([1, 0]).unwrap().shape(), [3, 2]);
        assert!(grid().permute([0, 0]).is_err());
        assert!(grid().permute([0]).is_err());
        assert!(matches!(
            grid().permute([0, 2]),
            Err(Error::Axis { axis: 2, .. })
        ));
    }
}
