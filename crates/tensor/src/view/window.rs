//! Views along several axes at once: diagonals and sliding windows.

use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes};
use crate::tensor::Tensor;

impl<T: Element> Tensor<T> {
    /// The diagonal of two axes, as a new last axis; the two axes are gone.
    ///
    /// `offset` 0 is the main diagonal; a positive one moves along `second`, a negative one along
    /// `first`.
    ///
    /// # Errors
    /// Both must be axes of the tensor, and different ones.
    pub fn diagonal(&self, offset: isize, first: isize, second: isize) -> Result<Self> {
        const OP: &str = "diagonal";
        let rows = self.shape.axis(OP, first)?;
        let columns = self.shape.axis(OP, second)?;
        if rows == columns {
            return Err(Error::Argument {
                op: OP,
                argument: "axes",
                expected: "two different ones".into(),
                found: format!("axis {rows} twice"),
            });
        }
        let (row, column) = if offset >= 0 {
            (0, offset.unsigned_abs())
        } else {
            (offset.unsigned_abs(), 0)
        };
        let height = self.shape()[rows].saturating_sub(row);
        let width = self.shape()[columns].saturating_sub(column);
        let length = height.min(width);
        let corner = self.shape.slice(rows, row, 1, length);
        let corner = corner.slice(columns, column, 1, length);
        let (mut sizes, mut strides) = (Sizes::from_slice(corner.sizes()), corner.strides());
        let step = strides[rows] + strides[columns];
        for axis in [rows.max(columns), rows.min(columns)] {
            sizes.remove(axis);
            strides.remove(axis);
        }
        sizes.push(length);
        strides.push(step);
        Ok(self.with_shape(Shape::from_parts(sizes, strides, corner.offset())))
    }

    /// The windows of `size` elements along one axis, every `step` elements one, with their
    /// elements in a new last axis.
    ///
    /// # Shapes
    /// An axis of size L becomes (L − size) / step + 1 windows, rounded down.
    ///
    /// # Errors
    /// `size` must be at most the size of the axis, and `step` at least 1.
    #[doc(alias = "sliding_window_view")]
    pub fn unfold(&self, axis: isize, size: usize, step: usize) -> Result<Self> {
        const OP: &str = "unfold";
        let axis = self.shape.axis(OP, axis)?;
        let length = self.shape()[axis];
        let argument = |argument, expected, found: usize| Error::Argument {
            op: OP,
            argument,
            expected,
            found: found.to_string(),
        };
        let Some(room) = length.checked_sub(size) else {
            let expected = format!("at most {length}, the size of axis {axis}");
            return Err(argument("size", expected, size));
        };
        if step == 0 {
            return Err(argument("step", "at least 1".into(), step));
        }
        let windows = room / step + 1;
        let mut sizes = Sizes::from_slice(self.shape());
        let mut strides = self.strides();
        strides.push(strides[axis]);
        sizes.push(size);
        sizes[axis] = windows;
        // A step past the end is never taken, and may be too large to multiply.
        strides[axis] *= if windows > 1 { step as isize } else { 1 };
        // Windows overlap: there may be more elements than memory, as long as they can be counted.
        Shape::contiguous(OP, &sizes)?;
        Ok(self.with_shape(Shape::from_parts(sizes, strides, self.shape.offset())))
    }
}

impl<T: Element> Tensor<T> {
    /// The diagonal of a matrix; or, from a vector, the matrix that has it on its diagonal and 0
    /// (false) elsewhere.
    ///
    /// `offset` 0 is the main diagonal, positive ones lie above it, negative ones below.
    ///
    /// # Errors
    /// The tensor must have one or two axes.
    #[doc(alias = "diagflat")]
    #[doc(alias = "diag_embed")]
    pub fn diag(&self, offset: isize) -> Result<Self> {
        const OP: &str = "diag";
        match *self.shape() {
            [_, _] => self.diagonal(offset, 0, 1),
            [length] => {
                let size = length.saturating_add(offset.unsigned_abs());
                let shape = Shape::contiguous(OP, &[size, size])?;
                let first = if offset >= 0 {
                    offset.unsigned_abs()
                } else {
                    offset.unsigned_abs().saturating_mul(size)
                };
                let elements = self.to_vec()?;
                Self::build(OP, shape, |output| {
                    output.fill(T::ZERO);
                    let diagonal = output.iter_mut().skip(first).step_by(size + 1);
                    diagonal.zip(elements).for_each(|(to, from)| *to = from);
                })
            }
            _ => Err(Error::Shape {
                op: OP,
                expected: "one or two axes".into(),
                found: Sizes::from_slice(self.shape()),
            }),
        }
    }
}
