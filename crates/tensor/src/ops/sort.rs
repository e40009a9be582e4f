//! Order: sorting, the largest and the smallest, the median, distinct values.
//!
//! Everything is stable: of equal elements the one with the smaller index comes first, in
//! descending order too. NaN comes last in either order.

use super::dense;
use crate::cpu::parallel::for_each_piece;
use crate::cpu::sort::{Wanted, for_each_line, rank, ranks};
use crate::element::Number;
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes};
use crate::tensor::Tensor;

/// Searches that are worth a thread.
const SEARCHES: usize = 1024;

/// The distinct values of a tensor, as [`Tensor::unique`] returns them.
#[derive(Clone)]
pub struct Unique<T: Number> {
    /// The values, ascending.
    pub values: Tensor<T>,
    /// How often each occurs.
    pub counts: Tensor<i64>,
    /// For each element of the tensor, in its shape, the place of its value in `values`.
    pub inverse: Tensor<i64>,
}

impl<T: Number> Tensor<T> {
    /// The elements sorted along one axis, and where each was.
    ///
    /// # Errors
    /// The axis must exist.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let (values, indices) = Tensor::from([2.0_f32, f32::NAN, 3.0, 2.0]).sort(0, true)?;
    /// assert_eq!(values.to_vec()?[..3], [3.0, 2.0, 2.0]);
    /// assert_eq!(indices.to_vec()?, [2, 0, 3, 1]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn sort(&self, axis: isize, descending: bool) -> Result<(Self, Tensor<i64>)> {
        self.sorted("sort", axis, descending)
    }

    /// Where the elements are that sorting along one axis brings to each place.
    ///
    /// # Errors
    /// The axis must exist.
    pub fn argsort(&self, axis: isize, descending: bool) -> Result<Tensor<i64>> {
        Ok(self.sorted("argsort", axis, descending)?.1)
    }

    fn sorted(
        &self,
        op: &'static str,
        axis: isize,
        descending: bool,
    ) -> Result<(Self, Tensor<i64>)> {
        let axis = self.shape.axis(op, axis)?;
        self.along(op, axis, self.shape()[axis], Wanted::First { descending })
    }

    /// The `k` largest elements along one axis, or the `k` smallest, sorted from the outermost on,
    /// and where each was. NaN counts as neither: it fills the last places.
    ///
    /// # Errors
    /// `k` must be at most the size of the axis.
    pub fn topk(&self, k: usize, axis: isize, largest: bool) -> Result<(Self, Tensor<i64>)> {
        let resolved = self.shape.axis("topk", axis)?;
        let size = self.shape()[resolved];
        if k > size {
            return Err(out_of_order("topk", k, format!("at most {size}"), resolved));
        }
        let descending = largest;
        self.along("topk", resolved, k, Wanted::First { descending })
    }

    /// The `k`-th smallest element along one axis, counted from 1, and where it was; the axis is
    /// gone.
    ///
    /// # Errors
    /// `k` must be from 1 to the size of the axis.
    pub fn kthvalue(&self, k: usize, axis: isize) -> Result<(Self, Tensor<i64>)> {
        let resolved = self.shape.axis("kthvalue", axis)?;
        let size = self.shape()[resolved];
        if !(1..=size).contains(&k) {
            let expected = format!("from 1 to {size}");
            return Err(out_of_order("kthvalue", k, expected, resolved));
        }
        self.one_along("kthvalue", resolved, Wanted::Nth(k - 1))
    }

    /// The median along one axis, the lower one of two, and where it was; the axis is gone. Where
    /// there is a NaN, the median is NaN.
    ///
    /// # Errors
    /// The axis must not be empty.
    pub fn median(&self, axis: isize) -> Result<(Self, Tensor<i64>)> {
        let resolved = self.shape.axis("median", axis)?;
        if self.shape()[resolved] == 0 {
            return Err(Error::Shape {
                op: "median",
                expected: format!("at least one element along axis {resolved}"),
                found: Sizes::from_slice(self.shape()),
            });
        }
        self.one_along("median", resolved, Wanted::Median)
    }

    /// The distinct values, how often each occurs, and which one each element is. All NaN are one
    /// value.
    ///
    /// # Errors
    /// The elements must be in main memory.
    pub fn unique(&self) -> Result<Unique<T>> {
        const OP: &str = "unique";
        let elements = self.in_order(OP)?;
        let elements = dense(OP, &elements)?;
        let shape = Shape::contiguous(OP, self.shape())?;
        let (inverse, distinct) =
            Tensor::build_with(OP, shape, |inverse| ranks(elements, inverse))?;
        let distinct = distinct.ok_or_else(|| Error::no_room(OP, self.shape()))?;
        let places = dense(OP, &inverse)?;
        let counts = Tensor::build(OP, Shape::vector(distinct), |counts| {
            counts.fill(0);
            for &place in places {
                counts[place as usize] += 1;
            }
        })?;
        let values = Tensor::build(OP, Shape::vector(distinct), |values| {
            // Of equal elements that differ (zeros, NaN) the first one stays.
            for (&x, &place) in elements.iter().zip(places).rev() {
                values[place as usize] = x;
            }
        })?;
        Ok(Unique {
            values,
            counts,
            inverse,
        })
    }

    /// For each value, the place where it could be inserted in this sorted vector: before the
    /// elements that equal it, or with `right` after them.
    ///
    /// # Errors
    /// The tensor must have one axis; that it is sorted is not checked.
    pub fn searchsorted(&self, values: &Self, right: bool) -> Result<Tensor<i64>> {
        const OP: &str = "searchsorted";
        if self.rank() != 1 {
            return Err(Error::Shape {
                op: OP,
                expected: "a sorted vector".into(),
                found: Sizes::from_slice(self.shape()),
            });
        }
        let (sorted, values) = (self.in_order(OP)?, values.in_order(OP)?);
        let shape = Shape::contiguous(OP, values.shape())?;
        let (sorted, values) = (dense(OP, &sorted)?, dense(OP, &values)?);
        Tensor::build(OP, shape, |output| {
            for_each_piece(output, SEARCHES, |start, output| {
                for (to, &value) in output.iter_mut().zip(&values[start..]) {
                    *to = rank(sorted, value, right) as i64;
                }
            });
        })
    }

    /// What is wanted of each line along an axis, `width` elements, and where they were.
    fn along(
        &self,
        op: &'static str,
        axis: usize,
        width: usize,
        wanted: Wanted,
    ) -> Result<(Self, Tensor<i64>)> {
        let lines = self.move_axis(axis as isize, -1)?.in_order(op)?;
        let mut sizes = Sizes::from_slice(lines.shape());
        let length = std::mem::replace(&mut sizes[self.rank() - 1], width);
        let shape = Shape::contiguous(op, &sizes)?;
        let lines = dense(op, &lines)?;
        let (indices, values) = Tensor::build_with(op, shape.clone(), |places| {
            Self::build_with(op, shape, |values| {
                for_each_line(lines, length, wanted, values, places, width)
            })
        })?;
        let (values, found) = values?;
        found.ok_or_else(|| Error::no_room(op, self.shape()))?;
        let back = axis as isize;
        Ok((
            values.move_axis(-1, back)?.in_order(op)?,
            indices.move_axis(-1, back)?.in_order(op)?,
        ))
    }

    /// One element of each line along an axis, and where it was; the axis is gone.
    fn one_along(
        &self,
        op: &'static str,
        axis: usize,
        wanted: Wanted,
    ) -> Result<(Self, Tensor<i64>)> {
        let (values, indices) = self.along(op, axis, 1, wanted)?;
        let axis = axis as isize;
        Ok((values.squeeze(axis)?, indices.squeeze(axis)?))
    }
}

fn out_of_order(op: &'static str, k: usize, expected: String, axis: usize) -> Error {
    Error::Argument {
        op,
        argument: "k",
        expected: format!("{expected}, by the size of axis {axis}"),
        found: k.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_outside_the_order_are_told() {
        let x = Tensor::from([[3, 1, 2]]);
        assert_eq!(
            x.topk(4, 1, true).map(drop).unwrap_err().to_string(),
            "topk: k must be at most 3, by the size of axis 1, found 4"
        );
        assert_eq!(
            x.kthvalue(0, -1).map(drop).unwrap_err().to_string(),
            "kthvalue: k must be from 1 to 3, by the size of axis 1, found 0"
        );
        let empty = Tensor::<f32>::zeros([2, 0]).unwrap();
        assert_eq!(
            empty.median(1).map(drop).unwrap_err().to_string(),
            "median: expected at least one element along axis 1, found shape [2, 0]"
        );
        assert!(x.searchsorted(&x, false).is_err());
        assert!(Tensor::scalar(1).sort(0, false).is_err());
    }

    #[test]
    fn negative_and_positive_zero_are_one_value() {
        let unique = Tensor::from([0.0_f32, -0.0]).unique().unwrap();
        assert_eq!(unique.counts.to_vec().unwrap(), [2]);
        let (_, places) = Tensor::from([0.0_f32, -0.0]).sort(0, false).unwrap();
        assert_eq!(places.to_vec().unwrap(), [0, 1]);
    }
}
