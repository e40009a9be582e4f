//! `Tensor`: shared storage, a shape, a device.

use std::sync::Arc;

use crate::cpu;
use crate::device::{Accelerator, Device, Memory, Operand, not_offered};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes, Strides};
use crate::storage::Storage;

/// Elements of one type in a grid of any rank.
///
/// Cheap to clone: the elements are shared, and nobody sees them change. Making a view
/// (transposing, slicing, expanding) moves no data.
///
/// # Example
///
/// ```
/// use macula_tensor::Tensor;
///
/// let x = Tensor::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// assert_eq!(x.shape(), [2, 3]);
/// assert_eq!(x.transpose(0, 1)?.to_vec()?, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
// The fields in this order, because tensors are moved by 16 bytes, and two that were written one
// after the other have to have reached the cache first: sizes are written so, the storage is alone.
#[derive(Clone)]
#[repr(C)]
pub struct Tensor<T: Element = f32> {
    pub(crate) shape: Shape,
    pub(crate) storage: Storage<T>,
}

/// A tensor's elements in main memory: the whole buffer, and how they lie in it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a, T> {
    pub(crate) elements: &'a [T],
    pub(crate) shape: &'a Shape,
}

impl<'a, T: Element> View<'a, T> {
    /// The elements as one slice in row-major order, where they lie so.
    #[inline]
    pub(crate) fn as_contiguous(&self) -> Option<&'a [T]> {
        self.shape
            .is_contiguous()
            .then(|| &self.elements[self.shape.range()])
    }
}

impl<T: Element> Tensor<T> {
    /// A tensor that `write` fills, in row-major order.
    ///
    /// The memory is recycled: before `write` sees them, the elements are those of some tensor
    /// that is gone. Every one of them must be written.
    ///
    /// # Errors
    /// The number of elements must be one that memory can address; what `write` says is passed on.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let squares = Tensor::write([4], |elements| {
    ///     for (i, element) in (0..).zip(elements) {
    ///         *element = i * i;
    ///     }
    ///     Ok(())
    /// })?;
    /// assert_eq!(squares.to_vec()?, [0_i64, 1, 4, 9]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn write(
        shape: impl AsRef<[usize]>,
        write: impl FnOnce(&mut [T]) -> Result<()>,
    ) -> Result<Self> {
        Self::written("write", shape.as_ref(), write)
    }

    /// [`write`](Self::write) under the name of another operation.
    pub(crate) fn written(
        op: &'static str,
        sizes: &[usize],
        write: impl FnOnce(&mut [T]) -> Result<()>,
    ) -> Result<Self> {
        Self::try_build(op, Shape::contiguous(op, sizes)?, write)
    }

    /// A tensor of rank 0: one element, no axes.
    pub fn scalar(value: T) -> Self {
        Self {
            storage: Storage::copy(&[value]),
            shape: Shape::scalar(),
        }
    }

    /// A new contiguous tensor in main memory; `write` must write every element.
    ///
    /// # Errors
    /// Memory must have room for it.
    pub(crate) fn build(
        op: &'static str,
        shape: Shape,
        write: impl FnOnce(&mut [T]),
    ) -> Result<Self> {
        Ok(Self::build_with(op, shape, write)?.0)
    }

    /// Like [`Tensor::build`], with what `write` returns.
    pub(crate) fn build_with<R>(
        op: &'static str,
        shape: Shape,
        write: impl FnOnce(&mut [T]) -> R,
    ) -> Result<(Self, R)> {
        let count = shape.count();
        Self::build_padded(op, shape, count, write)
    }

    /// Like [`Tensor::build_with`], with `length` elements in memory: those of the shape, and more
    /// that are nobody's.
    #[inline]
    pub(crate) fn build_padded<R>(
        op: &'static str,
        shape: Shape,
        length: usize,
        write: impl FnOnce(&mut [T]) -> R,
    ) -> Result<(Self, R)> {
        match Storage::write(length, write) {
            Some((storage, written)) => Ok((Self { shape, storage }, written)),
            None => Err(Error::no_room(op, shape.sizes())),
        }
    }

    /// Like [`Tensor::build`], for kernels that can fail.
    pub(crate) fn try_build(
        op: &'static str,
        shape: Shape,
        write: impl FnOnce(&mut [T]) -> Result<()>,
    ) -> Result<Self> {
        let (tensor, written) = Self::build_with(op, shape, write)?;
        written.map(|()| tensor)
    }

    /// What a kernel of an accelerator returned, in row-major order.
    pub(crate) fn from_memory(
        accelerator: &Arc<dyn Accelerator>,
        memory: Memory,
        shape: Shape,
    ) -> Self {
        Self {
            storage: Storage::on(Device::Accelerator(accelerator.clone()), memory),
            shape,
        }
    }

    /// The same storage seen through another shape.
    pub(crate) fn with_shape(&self, shape: Shape) -> Self {
        Self {
            storage: self.storage.clone(),
            shape,
        }
    }

    /// Sizes along the axes.
    #[doc(alias = "size")]
    pub fn shape(&self) -> &[usize] {
        self.shape.sizes()
    }

    /// Steps in memory along the axes, in elements.
    #[doc(alias = "stride")]
    pub fn strides(&self) -> Strides {
        self.shape.strides()
    }

    /// Number of axes.
    #[doc(alias = "dim")]
    #[doc(alias = "ndim")]
    pub fn rank(&self) -> usize {
        self.shape.rank()
    }

    /// Number of elements.
    #[doc(alias = "numel")]
    pub fn count(&self) -> usize {
        self.shape.count()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Where the elements are.
    pub fn device(&self) -> &Device {
        static CPU: Device = Device::Cpu;
        self.storage.remote().map_or(&CPU, |remote| &remote.device)
    }

    /// Whether the elements lie one after the other in row-major order.
    pub fn is_contiguous(&self) -> bool {
        self.shape.is_contiguous()
    }

    /// The elements in main memory, for kernels.
    #[inline]
    pub(crate) fn view(&self, op: &'static str) -> Result<View<'_, T>> {
        match self.storage.elements() {
            Some(elements) => Ok(View {
                elements,
                shape: &self.shape,
            }),
            None => Err(not_offered::<T>(op, &self.device().to_string())),
        }
    }

    /// The elements in an accelerator's memory, for its kernels.
    pub(crate) fn operand(&self, op: &'static str) -> Result<Operand<'_>> {
        match self.storage.remote() {
            Some(remote) => Ok(Operand {
                memory: &remote.memory,
                shape: &self.shape,
            }),
            None => Err(not_offered::<T>(op, &self.device().to_string())),
        }
    }

    /// The elements as a slice, if they are in main memory and in row-major order.
    #[inline]
    pub fn as_slice(&self) -> Option<&[T]> {
        let elements = self.storage.elements()?;
        let in_order = self.shape.is_contiguous();
        in_order.then(|| &elements[self.shape.range()])
    }

    /// `length` numbers from the first element on, if the elements are in main memory and in
    /// row-major order and the memory has as many.
    #[inline]
    pub(crate) fn elements(&self, length: usize) -> Option<&[T]> {
        let elements = self.storage.elements()?;
        let start = if length == 0 { 0 } else { self.shape.offset() };
        self.shape
            .is_contiguous()
            .then(|| elements.get(start..)?.get(..length))?
    }

    /// The same for writing, where nobody shares them.
    #[inline]
    pub(crate) fn elements_mut(&mut self, length: usize) -> Option<&mut [T]> {
        let start = if length == 0 { 0 } else { self.shape.offset() };
        let in_order = self.shape.is_contiguous();
        let elements = in_order.then(|| self.storage.elements_mut()).flatten()?;
        elements.get_mut(start..)?.get_mut(..length)
    }

    /// The elements for writing, in row-major order.
    ///
    /// Where another tensor shares them, or they are not in order, they are copied first: nobody
    /// else sees the change. A tensor that is alone is changed in place.
    ///
    /// # Errors
    /// The elements must be in main memory.
    pub fn make_mut(&mut self) -> Result<&mut [T]> {
        self.view("make_mut")?;
        if self.alone().is_none() {
            *self = self.copied("make_mut", self.shape())?;
        }
        let alone = self.alone();
        alone.ok_or_else(|| not_offered::<T>("make_mut", "memory that is shared"))
    }

    /// The elements for writing in place, in row-major order; None where they do not lie so or
    /// another tensor shares them.
    pub(crate) fn alone(&mut self) -> Option<&mut [T]> {
        self.elements_mut(self.count())
    }

    /// A copy in row-major order with memory of its own, under sizes of the same number of elements.
    pub(crate) fn copied(&self, op: &'static str, sizes: &[usize]) -> Result<Self> {
        let shape = Shape::contiguous(op, sizes)?;
        if let Some(accelerator) = self.device().as_accelerator() {
            let memory = T::kernels(accelerator.as_ref()).copy(self.operand(op)?)?;
            return Ok(Self::from_memory(accelerator, memory, shape));
        }
        let view = self.view(op)?;
        Self::build(op, shape, |output| cpu::copy::copy(view, output))
    }

    /// The elements in row-major order: the same tensor if they lie so already, else a copy.
    ///
    /// # Errors
    /// Memory must have room for the copy.
    #[doc(alias = "ascontiguousarray")]
    pub fn contiguous(&self) -> Result<Self> {
        self.in_order("contiguous")
    }

    /// [`contiguous`](Self::contiguous) on behalf of another operation.
    pub(crate) fn in_order(&self, op: &'static str) -> Result<Self> {
        if self.is_contiguous() {
            Ok(self.clone())
        } else {
            self.copied(op, self.shape())
        }
    }

    /// The one element of a tensor that has exactly one, whatever its rank.
    ///
    /// # Errors
    /// The tensor must have one element.
    pub fn item(&self) -> Result<T> {
        if self.count() != 1 {
            return Err(Error::Shape {
                op: "item",
                expected: "a tensor of one element".into(),
                found: Sizes::from_slice(self.shape()),
            });
        }
        match self.storage.elements() {
            Some(elements) => Ok(elements[self.shape.offset()]),
            None => Ok(self.to_vec()?[0]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_to_a_shared_tensor_leaves_the_other_alone() {
        let mut a = Tensor::from([1.0_f64, 2.0]);
        let b = a.clone();
        a.make_mut().unwrap()[0] = 5.0;
        assert_eq!(a.to_vec().unwrap(), [5.0, 2.0]);
        assert_eq!(b.to_vec().unwrap(), [1.0, 2.0]);
    }

    #[test]
    fn writing_to_a_tensor_alone_happens_in_place() {
        let mut a = Tensor::<f32>::zeros([100]).unwrap();
        let address = a.as_slice().unwrap().as_ptr();
        a.make_mut().unwrap()[0] = 1.0;
        assert_eq!(a.as_slice().unwrap().as_ptr(), address);
    }

    #[test]
    fn item_wants_one_element() {
        assert_eq!(Tensor::from([[7_i64]]).item(), Ok(7));
        assert_eq!(
            Tensor::from([1.0_f32, 2.0]).item().unwrap_err().to_string(),
            "item: expected a tensor of one element, found shape [2]"
        );
    }
}
