//! Picking elements by their index, and adding elements where an index says.
//!
//! An index counts from 0; one that is negative or past the end is an error that names it. Where
//! an index occurs several times, its elements are added in the index's row-major order, so the
//! same input gives the same bits.

use super::dense;
use crate::cpu;
use crate::cpu::index::IndexWalk;
use crate::element::{Element, Number};
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes};
use crate::tensor::Tensor;

impl<T: Element> Tensor<T> {
    /// The slices at the given places along one axis, in the order given.
    ///
    /// # Shapes
    /// `index` is a vector of length L; the result has size L along `axis`.
    ///
    /// # Errors
    /// `index` must have one axis, and its values must lie inside `axis`.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0_f32]]);
    /// let rows = x.index_select(0, &Tensor::from([2, 0]))?;
    /// assert_eq!(rows.to_vec()?, [5.0, 6.0, 1.0, 2.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "take")]
    pub fn index_select(&self, axis: isize, index: &Tensor<i64>) -> Result<Self> {
        const OP: &str = "index_select";
        let axis = self.shape.axis(OP, axis)?;
        let index = vector(OP, index)?;
        let places = dense(OP, &index)?;
        in_range(OP, places, axis, self.shape()[axis])?;
        let mut sizes = Sizes::from_slice(self.shape());
        sizes[axis] = places.len();
        let shape = Shape::contiguous(OP, &sizes)?;
        let from = self.view(OP)?;
        Self::build(OP, shape, |output| {
            cpu::copy::copy_places(from, axis, places, output);
        })
    }

    /// The elements at the given places along one axis: with `axis` 1,
    /// `out[i, j, k] = self[i, index[i, j, k], k]`.
    ///
    /// # Shapes
    /// `index` has the rank of `self`, and at most its size along every axis but `axis`; the
    /// result has the shape of `index`.
    ///
    /// # Errors
    /// The shapes must fit, and the index values must lie inside `axis`.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let scores = Tensor::from([[0.1, 0.9], [0.8, 0.2_f32]]);
    /// let of_label = scores.gather(1, &Tensor::from([[1], [1]]))?;
    /// assert_eq!(of_label.to_vec()?, [0.9, 0.2]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "take_along_axis")]
    #[doc(alias = "take_along_dim")]
    pub fn gather(&self, axis: isize, index: &Tensor<i64>) -> Result<Self> {
        const OP: &str = "gather";
        let axis = self.shape.axis(OP, axis)?;
        fits(OP, "index", index.shape(), self.shape(), Some(axis))?;
        let index = index.in_order(OP)?;
        let places = dense(OP, &index)?;
        in_range(OP, places, axis, self.shape()[axis])?;
        let shape = Shape::contiguous(OP, index.shape())?;
        let from = self.view(OP)?;
        let walk = IndexWalk::new(index.shape(), from.shape, axis);
        Self::build(OP, shape, |output| {
            cpu::index::gather(from.elements, &walk, places, output);
        })
    }
}

impl<T: Element> Tensor<T> {
    /// The tensor with each element of `source` put in its place along one axis: with `axis` 1,
    /// `out[i, index[i, j, k], k] = source[i, j, k]`. Where a place is named several times, the last
    /// element in the index's row-major order stays.
    ///
    /// # Shapes
    /// Those of [`scatter_add`](Tensor::scatter_add).
    ///
    /// # Errors
    /// The shapes must fit, and the index values must lie inside `axis`.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1, 2, 3]]);
    /// let y = x.scatter(1, &Tensor::from([[2, 0]]), &Tensor::from([[7, 8]]))?;
    /// assert_eq!(y.to_vec()?, [8, 2, 7]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "put_along_axis")]
    pub fn scatter(&self, axis: isize, index: &Tensor<i64>, source: &Self) -> Result<Self> {
        self.scattered("scatter", axis, index, source, |_, new| new)
    }

    /// The tensor with `join` of what stands in the place of each element of `source`, and that.
    fn scattered(
        &self,
        op: &'static str,
        axis: isize,
        index: &Tensor<i64>,
        source: &Self,
        join: impl Fn(T, T) -> T + Sync,
    ) -> Result<Self> {
        let axis = self.shape.axis(op, axis)?;
        fits(op, "index", index.shape(), self.shape(), Some(axis))?;
        fits(op, "index", index.shape(), source.shape(), None)?;
        let index = index.in_order(op)?;
        let places = dense(op, &index)?;
        in_range(op, places, axis, self.shape()[axis])?;
        let used = source.with_shape(Shape::from_parts(
            Sizes::from_slice(index.shape()),
            source.strides(),
            source.shape.offset(),
        ));
        let used = used.in_order(op)?;
        let shape = Shape::contiguous(op, self.shape())?;
        let walk = IndexWalk::new(index.shape(), &shape, axis);
        let slice_size = |sizes: &[usize]| sizes[1..].iter().product();
        let slice_sizes = (axis > 0).then(|| [index.shape(), self.shape()].map(slice_size));
        let (own, source) = (self.view(op)?, dense(op, &used)?);
        Self::build(op, shape, |output| {
            cpu::copy::copy(own, output);
            cpu::index::scatter(source, &walk, places, output, slice_sizes, join);
        })
    }
}

impl<T: Number> Tensor<T> {
    /// The tensor with each element of `source` added at its place along one axis: with `axis` 1,
    /// `out[i, index[i, j, k], k] += source[i, j, k]`.
    ///
    /// This is the transpose of [`gather`](Tensor::gather). Integers wrap around.
    ///
    /// # Shapes
    /// `index` has the rank of `self` and of `source`. It is at most as large as `source` along
    /// every axis, and as `self` along every axis but `axis`; what `source` has beyond it is not
    /// used.
    ///
    /// # Errors
    /// The shapes must fit, and the index values must lie inside `axis`.
    pub fn scatter_add(&self, axis: isize, index: &Tensor<i64>, source: &Self) -> Result<Self> {
        self.scattered("scatter_add", axis, index, source, T::wrapping_add)
    }

    /// The tensor with slice `k` of `source` added to slice `index[k]`, along one axis.
    ///
    /// This is the transpose of [`index_select`](Tensor::index_select). Integers wrap around.
    ///
    /// # Shapes
    /// `index` is a vector of length L; `source` has the shape of `self`, but size L along `axis`.
    ///
    /// # Errors
    /// The shapes must fit, and the index values must lie inside `axis`.
    pub fn index_add(&self, axis: isize, index: &Tensor<i64>, source: &Self) -> Result<Self> {
        const OP: &str = "index_add";
        let axis = self.shape.axis(OP, axis)?;
        let index = vector(OP, index)?;
        let places = dense(OP, &index)?;
        let mut expected = Sizes::from_slice(self.shape());
        expected[axis] = places.len();
        if source.shape() != &expected[..] {
            return Err(Error::Shape {
                op: OP,
                expected: format!("a source of shape {expected:?}"),
                found: Sizes::from_slice(source.shape()),
            });
        }
        let slices = self.shape()[axis];
        in_range(OP, places, axis, slices)?;
        let source = source.in_order(OP)?;
        let shape = Shape::contiguous(OP, self.shape())?;
        let inner = self.shape()[axis + 1..].iter().product();
        let (own, added) = (self.view(OP)?, dense(OP, &source)?);
        Self::build(OP, shape, |output| {
            cpu::copy::copy(own, output);
            cpu::index::index_add(added, places, inner, output, slices);
        })
    }
}

/// An index vector, its places one after the other.
fn vector(op: &'static str, index: &Tensor<i64>) -> Result<Tensor<i64>> {
    if index.rank() != 1 {
        return Err(Error::Shape {
            op,
            expected: "an index of one axis".into(),
            found: Sizes::from_slice(index.shape()),
        });
    }
    index.in_order(op)
}

/// Whether every index lies inside an axis.
pub(super) fn in_range(op: &'static str, places: &[i64], axis: usize, size: usize) -> Result<()> {
    match cpu::index::out_of_range(places, size) {
        Some(index) => Err(Error::Index {
            op,
            index,
            axis,
            size,
        }),
        None => Ok(()),
    }
}

/// Whether `sizes` has the rank of `room` and at most its sizes, along every axis but `free`.
fn fits(
    op: &'static str,
    what: &str,
    sizes: &[usize],
    room: &[usize],
    free: Option<usize>,
) -> Result<()> {
    let fits = sizes.len() == room.len()
        && sizes
            .iter()
            .zip(room)
            .enumerate()
            .all(|(axis, (size, room))| size <= room || Some(axis) == free);
    if fits {
        return Ok(());
    }
    let but = free.map_or(String::new(), |axis| format!(" but {axis}"));
    Err(Error::Shape {
        op,
        expected: format!("{what} sizes of at most {room:?} along every axis{but}"),
        found: Sizes::from_slice(sizes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: Element>(result: Result<Tensor<T>>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn an_index_outside_its_axis_is_named() {
        let x = Tensor::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(
            message(x.index_select(-1, &Tensor::from([0, 3]))),
            "index_select: index 3 is out of range for axis 1 of size 3"
        );
        assert_eq!(
            message(x.gather(0, &Tensor::from([[0, -1, 0]]))),
            "gather: index -1 is out of range for axis 0 of size 2"
        );
        assert_eq!(
            message(x.scatter_add(0, &Tensor::from([[2]]), &Tensor::from([[1.0]]))),
            "scatter_add: index 2 is out of range for axis 0 of size 2"
        );
        let source = Tensor::from([[1.0, 1.0, 1.0]]);
        assert_eq!(
            message(x.index_add(0, &Tensor::from([i64::MIN]), &source)),
            "index_add: index -9223372036854775808 is out of range for axis 0 of size 2"
        );
    }

    #[test]
    fn a_shape_that_does_not_fit_is_told_with_the_rule() {
        let x = Tensor::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        assert_eq!(
            message(x.index_select(0, &Tensor::from([[0]]))),
            "index_select: expected an index of one axis, found shape [1, 1]"
        );
        assert_eq!(
            message(x.gather(1, &Tensor::from([[0], [0], [0]]))),
            "gather: expected index sizes of at most [2, 3] along every axis but 1, \
             found shape [3, 1]"
        );
        assert_eq!(
            message(x.scatter_add(1, &Tensor::from([[0, 1]]), &Tensor::from([[1.0]]))),
            "scatter_add: expected index sizes of at most [1, 1] along every axis, \
             found shape [1, 2]"
        );
        assert_eq!(
            message(x.index_add(1, &Tensor::from([0]), &x)),
            "index_add: expected a source of shape [2, 1], found shape [2, 3]"
        );
        assert!(matches!(
            x.gather(2, &Tensor::from([[0]])),
            Err(Error::Axis {
                axis: 2,
                rank: 2,
                ..
            })
        ));
    }

    #[test]
    fn repeated_places_are_added_in_order() {
        // In f32, 1e8 + 1 − 1e8 is 0 but 1e8 − 1e8 + 1 is 1.
        let zero = Tensor::<f32>::zeros([1]).unwrap();
        let index = Tensor::from([0, 0, 0]);
        let sum = |source| zero.scatter_add(0, &index, &source).unwrap().item();
        assert_eq!(sum(Tensor::from([1e8, 1.0, -1e8])), Ok(0.0));
        assert_eq!(sum(Tensor::from([1e8, -1e8, 1.0])), Ok(1.0));
    }

    #[test]
    fn the_last_of_several_elements_stays_in_a_place() {
        let (zero, index) = (Tensor::from([0, 0]), Tensor::from([1, 1, 0, 1]));
        let y = zero
            .scatter(0, &index, &Tensor::from([1, 2, 3, 4]))
            .unwrap();
        assert_eq!(y.to_vec().unwrap(), [3, 4]);
        let mask = Tensor::from([false, false]);
        let y = mask
            .scatter(0, &Tensor::from([1]), &Tensor::from([true]))
            .unwrap();
        assert_eq!(y.to_vec().unwrap(), [false, true]);
        assert_eq!(
            message(zero.scatter(0, &Tensor::from([2]), &Tensor::from([1]))),
            "scatter: index 2 is out of range for axis 0 of size 2"
        );
    }

    #[test]
    fn integer_sums_wrap_around() {
        let x = Tensor::from([i64::MAX]);
        let sum = x.index_add(0, &Tensor::from([0]), &Tensor::from([1]));
        assert_eq!(sum.unwrap().item(), Ok(i64::MIN));
    }
}
