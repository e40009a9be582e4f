//! Arrays of the `ndarray` package.

use ::ndarray::{
    Array, ArrayBase, ArrayD, ArrayViewD, CowArray, Data, Dimension, IxDyn, ShapeBuilder,
};

use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes, Strides};
use crate::tensor::Tensor;

impl<T: Element, D: Dimension> From<Array<T, D>> for Tensor<T> {
    /// The array, whose elements are taken over as they lie in memory: nothing is copied, in
    /// whatever order its axes are.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    /// use ndarray::array;
    ///
    /// let x = Tensor::from(array![[1.0, 2.0], [3.0, 4.0]].reversed_axes());
    /// assert_eq!(x.to_vec()?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    fn from(array: Array<T, D>) -> Self {
        let sizes = Sizes::from_slice(array.shape());
        let strides = Strides::from_slice(array.strides());
        let (elements, offset) = array.into_raw_vec_and_offset();
        let shape = match offset {
            Some(offset) if !elements.is_empty() => Shape::from_parts(sizes, strides, offset),
            // Without elements there is nothing to point at.
            _ => Shape::grid(&sizes),
        };
        Self::from(elements).with_shape(shape)
    }
}

impl<T: Element, S: Data<Elem = T>, D: Dimension> From<&ArrayBase<S, D>> for Tensor<T> {
    /// A copy of an array or of a view.
    fn from(array: &ArrayBase<S, D>) -> Self {
        Self::from(array.to_owned())
    }
}

impl<T: Element> Tensor<T> {
    /// The tensor as an array that borrows its elements; they are copied only where `ndarray` has
    /// no view of them, because an axis runs backwards or they are on another device.
    ///
    /// # Errors
    /// Memory must have room for a copy; [`Error::Device`] if a device fails.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let array = x.as_ndarray()?;
    /// assert!(array.is_view());
    /// assert_eq!(array[[1, 0]], 3.0);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn as_ndarray(&self) -> Result<CowArray<'_, T, IxDyn>> {
        match self.array_view() {
            Some(view) => Ok(view.into()),
            None => Ok(self
                .in_order("as_ndarray")?
                .into_array("as_ndarray")?
                .into()),
        }
    }

    /// The tensor as an array that owns its elements: its own where no other tensor shares them
    /// and they lie without gaps, in any order of axes, else a copy.
    ///
    /// # Errors
    /// Memory must have room for a copy; [`Error::Device`] if a device fails.
    pub fn into_ndarray(self) -> Result<ArrayD<T>> {
        self.into_array("into_ndarray")
    }

    /// [`into_ndarray`](Self::into_ndarray) on behalf of another operation.
    fn into_array(self, op: &'static str) -> Result<ArrayD<T>> {
        let sizes = Sizes::from_slice(self.shape());
        // With the longest steps first, elements without gaps are in row-major order.
        let mut order: Vec<usize> = (0..self.rank()).collect();
        let strides = self.strides();
        order.sort_by_key(|&axis| std::cmp::Reverse(strides[axis]));
        let ordered = self.with_shape(self.shape.permute(&order));
        drop(self);
        let shape = Sizes::from_slice(ordered.shape());
        let array = ArrayD::from_shape_vec(&shape[..], ordered.into_vector(op)?);
        let array = array.map_err(|error| Error::Shape {
            op,
            expected: format!("a shape that ndarray can hold ({error})"),
            found: sizes,
        })?;
        let mut back = order.clone();
        for (place, &axis) in order.iter().enumerate() {
            back[axis] = place;
        }
        Ok(array.permuted_axes(back))
    }

    /// The elements in main memory as a view, if `ndarray` allows it.
    fn array_view(&self) -> Option<ArrayViewD<'_, T>> {
        let view = self.view("as_ndarray").ok()?;
        if self.is_empty() {
            return ArrayViewD::from_shape(self.shape(), &[]).ok();
        }
        let strides = self.strides();
        let strides: Option<Vec<usize>> = strides
            .iter()
            .zip(self.shape())
            // Along an axis of one place nothing steps.
            .map(|(&stride, &size)| usize::try_from(if size == 1 { 0 } else { stride }).ok())
            .collect();
        let shape = IxDyn(self.shape()).strides(IxDyn(&strides?));
        ArrayViewD::from_shape(shape, &view.elements[self.shape.offset()..]).ok()
    }
}
