//! The settings of a convolution.

use smallvec::SmallVec;

use crate::error::Result;
use crate::ops::spatial::{PerSpatialAxis, Steps};

/// How a kernel moves over its input: the settings of a convolution and of its gradients.
///
/// Each takes one number, or one for each spatial axis. Without them the kernel moves one element
/// at a time inside the input, and every output channel sees all input channels.
///
/// # Example
///
/// ```
/// use macula_tensor::{Convolution, Tensor};
///
/// let halving = Convolution::new().stride(2).padding([1, 2]);
/// let x: Tensor = Tensor::zeros([8, 3, 32, 32])?;
/// let y = x.conv2d(&Tensor::zeros([16, 3, 3, 5])?, None, &halving)?;
/// assert_eq!(y.shape(), [8, 16, 16, 16]);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convolution {
    stride: PerSpatialAxis,
    padding: PerSpatialAxis,
    dilation: PerSpatialAxis,
    pub(super) groups: usize,
}

impl Convolution {
    /// Stride 1, no padding, dilation 1, one group.
    pub fn new() -> Self {
        Self {
            stride: 1.into(),
            padding: 0.into(),
            dilation: 1.into(),
            groups: 1,
        }
    }

    /// Steps, in elements of the input, from one place of the kernel to the next; at least 1.
    pub fn stride(mut self, stride: impl Into<PerSpatialAxis>) -> Self {
        self.stride = stride.into();
        self
    }

    /// Zeros put before the first and behind the last element of the input.
    pub fn padding(mut self, padding: impl Into<PerSpatialAxis>) -> Self {
        self.padding = padding.into();
        self
    }

    /// Steps, in elements of the input, from one element of the kernel to the next; at least 1.
    pub fn dilation(mut self, dilation: impl Into<PerSpatialAxis>) -> Self {
        self.dilation = dilation.into();
        self
    }

    /// Groups of channels that do not see each other: the first C / groups input channels make the
    /// first O / groups output channels, and so on. With as many groups as channels each channel is
    /// convolved by itself.
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// The steps along each of `axes` spatial axes.
    pub(super) fn steps(&self, op: &'static str, axes: usize) -> Result<SmallVec<[Steps; 2]>> {
        Steps::resolve(op, axes, &self.stride, &self.padding, &self.dilation)
    }
}

impl Default for Convolution {
    fn default() -> Self {
        Self::new()
    }
}
