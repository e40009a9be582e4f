//! Tensors from vectors, slices and arrays, and vectors from tensors.

use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes};
use crate::storage::{FEW, Storage};
use crate::tensor::Tensor;

impl<T: Element> Tensor<T> {
    /// A tensor of the elements of a vector, in row-major order. The vector becomes its memory; up
    /// to 16 elements are copied, see [`memory`](crate::memory).
    ///
    /// # Errors
    /// The vector must have as many elements as the shape.
    #[doc(alias = "tensor")]
    #[doc(alias = "array")]
    pub fn from_vec(elements: Vec<T>, shape: impl AsRef<[usize]>) -> Result<Self> {
        let shape = shape_of("from_vec", elements.len(), shape.as_ref())?;
        Ok(Self::from_elements(elements, shape))
    }

    /// A copy of a slice, in row-major order.
    ///
    /// # Errors
    /// The slice must have as many elements as the shape.
    #[doc(alias = "tensor")]
    #[doc(alias = "array")]
    #[doc(alias = "from_numpy")]
    pub fn from_slice(elements: &[T], shape: impl AsRef<[usize]>) -> Result<Self> {
        let shape = shape_of("from_slice", elements.len(), shape.as_ref())?;
        Self::build("from_slice", shape, |output| {
            output.copy_from_slice(elements)
        })
    }

    /// Elements that fit the shape.
    fn from_elements(elements: Vec<T>, shape: Shape) -> Self {
        let storage = match elements.len() {
            ..=FEW => Storage::copy(&elements),
            _ => Storage::from_vec(elements),
        };
        Self { shape, storage }
    }

    /// The elements as a vector in row-major order, without copying where this tensor is
    /// alone and has more than 16.
    ///
    /// # Errors
    /// Memory must have room for the copy; [`Error::Device`] if a device fails.
    pub fn into_vec(self) -> Result<Vec<T>> {
        self.into_vector("into_vec")
    }

    /// [`into_vec`](Self::into_vec) on behalf of another operation.
    pub(crate) fn into_vector(self, op: &'static str) -> Result<Vec<T>> {
        if self.shape.offset() != 0 || !self.is_contiguous() {
            return self.vector(op);
        }
        let (count, Self { shape, storage }) = (self.count(), self);
        let kept = storage.into_vec(count);
        kept.or_else(|storage| Self { shape, storage }.vector(op))
    }
}

/// The shape of so many elements.
fn shape_of(op: &'static str, found: usize, sizes: &[usize]) -> Result<Shape> {
    let shape = Shape::contiguous(op, sizes)?;
    match shape.count() {
        expected if expected == found => Ok(shape),
        expected => Err(Error::ElementCount {
            op,
            expected,
            found,
            shape: Sizes::from_slice(sizes),
        }),
    }
}

impl<T: Element> From<T> for Tensor<T> {
    fn from(value: T) -> Self {
        Self::scalar(value)
    }
}

impl<T: Element> From<&Self> for Tensor<T> {
    /// A cheap clone.
    fn from(tensor: &Self) -> Self {
        tensor.clone()
    }
}

impl<T: Element> From<Vec<T>> for Tensor<T> {
    fn from(elements: Vec<T>) -> Self {
        let shape = Shape::vector(elements.len());
        Self::from_elements(elements, shape)
    }
}

impl<T: Element, const N: usize> From<[T; N]> for Tensor<T> {
    fn from(elements: [T; N]) -> Self {
        Self {
            storage: Storage::copy(&elements),
            shape: Shape::vector(N),
        }
    }
}

impl<T: Element, const M: usize, const N: usize> From<[[T; N]; M]> for Tensor<T> {
    fn from(rows: [[T; N]; M]) -> Self {
        Self {
            storage: Storage::copy(rows.as_flattened()),
            shape: Shape::grid(&[M, N]),
        }
    }
}

impl<T: Element, const L: usize, const M: usize, const N: usize> From<[[[T; N]; M]; L]>
    for Tensor<T>
{
    fn from(planes: [[[T; N]; M]; L]) -> Self {
        Self {
            storage: Storage::copy(planes.as_flattened().as_flattened()),
            shape: Shape::grid(&[L, M, N]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_vec_and_back_moves_no_data() {
        let elements: Vec<f32> = (0..100).map(|i| i as f32).collect();
        let address = elements.as_ptr();
        let tensor = Tensor::from_vec(elements, [10, 10]).unwrap();
        let back = tensor.into_vec().unwrap();
        assert_eq!(back.as_ptr(), address);
    }

    #[test]
    fn a_wrong_element_count_is_told() {
        let error = Tensor::from_vec(vec![1.0_f32; 5], [2, 3])
            .map(drop)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "from_vec: shape [2, 3] has 6 elements, found 5"
        );
    }

    #[test]
    fn a_short_vector_needs_no_buffer() {
        for length in [0, 1, 16, 17] {
            let tensor = Tensor::from(vec![7_i64; length]);
            // The block has room for FEW, whatever the length.
            let room = tensor.storage.elements().map(<[i64]>::len);
            assert_eq!(room, Some(length.max(FEW)));
            assert_eq!(tensor.into_vec().unwrap(), vec![7; length]);
        }
    }
}
