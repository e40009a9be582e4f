//! Moving tensors between devices.

use crate::device::Device;
use crate::element::Element;
use crate::error::Result;
use crate::shape::Shape;
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
        let elements = self.to_vec()?;
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
    /// [`Error::Device`](crate::Error::Device) if a device fails.
    #[doc(alias = "tolist")]
    #[doc(alias = "numpy")]
    pub fn to_vec(&self) -> Result<Vec<T>> {
        if let Some(accelerator) = self.device().as_accelerator() {
            let mut elements = vec![T::default(); self.count()];
            let kernels = T::kernels(accelerator.as_ref());
            kernels.download(self.operand("to_vec")?, &mut elements)?;
            return Ok(elements);
        }
        match self.as_slice() {
            Some(elements) => Ok(elements.to_vec()),
            None => self.in_order("to_vec")?.into_vec(),
        }
    }
}
