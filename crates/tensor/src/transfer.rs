//! Moving tensors between devices.

use crate::device::Device;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::storage::room_for;
use crate::tensor::Tensor;

impl<T: Element> Tensor<T> {
    /// The tensor on another device; the same tensor if it is there already.
    ///
    /// # Errors
    /// [`Error::Device`](crate::Error::Device) if a device fails, as when its memory is full.
    #[doc(alias = "cuda")]
    #[doc(alias = "cpu")]
    pub fn to(&self, device: &Device) -> Result<Self> {
        if self.device() == device {
            return Ok(self.clone());
        }
        let elements = self.vector("to")?;
        let Some(accelerator) = device.as_accelerator() else {
            return Self::from_vec(elements, self.shape());
        };
        let shape = Shape::contiguous("to", self.shape())?;
        let memory = T::kernels(accelerator.as_ref()).upload(&elements)?;
        Ok(Self::from_memory(accelerator, memory, shape))
    }

    /// The elements as a vector in row-major order, from any device.
    ///
    /// # Errors
    /// Memory must have room for them; [`Error::Device`](crate::Error::Device) if a device fails.
    #[doc(alias = "tolist")]
    #[doc(alias = "numpy")]
    pub fn to_vec(&self) -> Result<Vec<T>> {
        self.vector("to_vec")
    }

    /// [`to_vec`](Self::to_vec) on behalf of another operation.
    pub(crate) fn vector(&self, op: &'static str) -> Result<Vec<T>> {
        let room = || room_for(self.count()).ok_or_else(|| Error::no_room(op, self.shape()));
        if let Some(accelerator) = self.device().as_accelerator() {
            let mut elements = room()?;
            elements.resize(self.count(), T::default());
            let kernels = T::kernels(accelerator.as_ref());
            kernels.download(self.operand(op)?, &mut elements)?;
            return Ok(elements);
        }
        match self.as_slice() {
            Some(slice) => {
                let mut elements = room()?;
                elements.extend_from_slice(slice);
                Ok(elements)
            }
            None => self.in_order(op)?.into_vector(op),
        }
    }
}
