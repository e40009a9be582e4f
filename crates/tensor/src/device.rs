//! Where tensors live: the CPU, or an accelerator behind one object-safe door.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::Shape;

/// Where a tensor lives: a value, chosen at run time.
///
/// A type parameter would spread through every signature and every user's struct, and the CPU is
/// always there.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Device {
    /// Main memory and the processor's SIMD loops.
    #[default]
    Cpu,
    /// A backend: this workspace's GPU crate, or one from elsewhere.
    Accelerator(Arc<dyn Accelerator>),
}

impl PartialEq for Device {
    /// Two accelerators are the same device when they are the same handle.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cpu, Self::Cpu) => true,
            (Self::Accelerator(a), Self::Accelerator(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Accelerator(accelerator) => f.write_str(accelerator.name()),
        }
    }
}

/// A backend: kernels for every element type.
pub trait Accelerator:
    Kernels<f32> + Kernels<f64> + Kernels<i64> + Kernels<bool> + fmt::Debug + Send + Sync
{
    /// The name that error messages and printed tensors show.
    fn name(&self) -> &str;
}

/// Memory of an accelerator: whatever its kernels allocate, shared between tensors.
pub type Memory = Arc<dyn Any + Send + Sync>;

/// An operand in an accelerator's memory: elements and how they lie there.
#[derive(Clone, Copy)]
pub struct Operand<'a> {
    /// What a kernel of the same accelerator allocated.
    pub memory: &'a Memory,
    /// Sizes, strides and offset of the elements in it.
    pub shape: &'a Shape,
}

/// The work an accelerator can do for one element type: a short, closed list of shapes of work.
///
/// New mathematics needs no change in a backend. Kernels get checked arguments; their results
/// are contiguous.
pub trait Kernels<T: Element> {
    /// Copies elements from main memory.
    fn upload(&self, elements: &[T]) -> Result<Memory>;

    /// Copies an operand's elements to main memory, in row-major order.
    fn download(&self, operand: Operand<'_>, into: &mut [T]) -> Result<()>;
}

/// What an operation says that an accelerator does not offer.
pub(crate) fn unsupported<T: Element>(op: &'static str, device: &Device) -> Error {
    Error::Device {
        op,
        device: device.to_string(),
        message: format!("no kernel for {}", T::NAME),
    }
}
