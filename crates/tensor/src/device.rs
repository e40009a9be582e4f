//! Where tensors live: the CPU, or an accelerator behind one object-safe door.
//!
//! # Writing a backend
//!
//! A backend is a type with a name ([`Backend`]) and kernels for the four element types
//! ([`Kernels`]). It can stand in any crate. [`upload`](Kernels::upload) and
//! [`download`](Kernels::download) are all it must have; every other kernel answers "not offered
//! by this device" until it is written, so a backend grows one kernel at a time. Tensors call the
//! kernels; a backend never sees a tensor.
//!
//! Here is one that keeps its elements in ordinary vectors and runs formulas on them one element
//! at a time:
//!
//! ```
//! use std::sync::Arc;
//! use macula_tensor::device::{Backend, Kernels, Memory, Operand};
//! use macula_tensor::program::Program;
//! use macula_tensor::{Device, Result, Tensor};
//!
//! #[derive(Debug)]
//! struct Toy;
//!
//! impl Backend for Toy {
//!     fn name(&self) -> &str { "toy" }
//! }
//!
//! macro_rules! kernels {
//!     ($T:ty $(, $pointwise:item)?) => {
//!         impl Kernels<$T> for Toy {
//!             fn upload(&self, elements: &[$T]) -> Result<Memory> {
//!                 Ok(Arc::new(elements.to_vec()))
//!             }
//!             fn download(&self, from: Operand<'_>, into: &mut [$T]) -> Result<()> {
//!                 let elements = from.memory_as::<Vec<$T>>("download", self)?;
//!                 into.iter_mut().zip(from.positions()).for_each(|(to, at)| *to = elements[at]);
//!                 Ok(())
//!             }
//!             $($pointwise)?
//!         }
//!     };
//! }
//! kernels!(f32);
//! kernels!(i64);
//! kernels!(bool);
//! kernels!(f64, fn pointwise(&self, program: &Program, x: &[Operand<'_>], _: &[usize]) -> Result<Memory> {
//!     let mut columns = Vec::new();
//!     for x in x {
//!         let elements = x.memory_as::<Vec<f64>>("pointwise", self)?;
//!         columns.push(x.positions().map(|at| elements[at]).collect::<Vec<_>>());
//!     }
//!     let row = |i: usize| columns.iter().map(|column| column[i]).collect::<Vec<_>>();
//!     let results = (0..columns[0].len()).map(|i| program.eval(&row(i)));
//!     Ok(Arc::new(results.collect::<Result<Vec<_>>>()?))
//! });
//!
//! let toy = Device::accelerator(Toy);
//! let x = Tensor::from([1.0, 4.0]).to(&toy)?;
//! assert_eq!(x.sqrt()?.to_vec()?, [1.0, 2.0]);
//! assert_eq!(
//!     Tensor::from([1.0_f32]).to(&toy)?.sqrt().map(drop).unwrap_err().to_string(),
//!     "sqrt: toy: not offered by this device for f32"
//! );
//! # Ok::<(), macula_tensor::Error>(())
//! ```
//!
//! # How an operation reaches a kernel
//!
//! Each operation checks its arguments, and then does one of two things, in this order:
//!
//! ```text
//! self.device().check_same("matmul", other.device())?;
//! // … sizes, axes, the shape of the result …
//! if let Some(accelerator) = self.device().as_accelerator() {
//!     let kernels = T::kernels(accelerator.as_ref());
//!     let memory = kernels.matmul(self.operand("matmul")?, other.operand("matmul")?)?;
//!     return Ok(Tensor::from_memory(accelerator, memory, shape));
//! }
//! let (left, right) = (self.view("matmul")?, other.view("matmul")?);
//! Tensor::build("matmul", shape, |output| cpu::matmul(left, right, output))
//! ```
//!
//! An operation without the middle part gives [`Error::Device`] on an accelerator: `view` says so.

mod kernels;

use std::fmt;
use std::sync::Arc;

pub use kernels::{ArgReduction, Kernels, Memory, Operand, Reduction, not_offered};

use crate::error::{Error, Result};

/// Where a tensor lives: a value, chosen at run time.
///
/// A type parameter would spread through every signature and every user's struct, and the CPU is
/// always there. The [module](self) shows how a backend is written.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Device {
    /// Main memory and the processor's SIMD loops.
    #[default]
    Cpu,
    /// A backend: this workspace's GPU crate, or one from elsewhere.
    Accelerator(Arc<dyn Accelerator>),
}

impl Device {
    /// The device that a backend drives; clones of it are the same device.
    pub fn accelerator(backend: impl Accelerator + 'static) -> Self {
        Self::Accelerator(Arc::new(backend))
    }

    /// The backend, if this is not the CPU.
    pub fn as_accelerator(&self) -> Option<&Arc<dyn Accelerator>> {
        match self {
            Self::Cpu => None,
            Self::Accelerator(accelerator) => Some(accelerator),
        }
    }

    /// Nothing if both are one device, as operands of an operation must be.
    pub(crate) fn check_same(&self, op: &'static str, other: &Self) -> Result<()> {
        if self == other {
            return Ok(());
        }
        Err(Error::Devices {
            op,
            left: self.to_string(),
            right: other.to_string(),
        })
    }
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

/// What a backend is, apart from its kernels.
pub trait Backend: fmt::Debug + Send + Sync {
    /// The name that error messages and printed tensors show.
    fn name(&self) -> &str;
}

/// A backend with kernels for every element type.
///
/// Nobody implements this: a type with the four sets of [`Kernels`] is an accelerator.
pub trait Accelerator: Kernels<f32> + Kernels<f64> + Kernels<i64> + Kernels<bool> {}

impl<B: Kernels<f32> + Kernels<f64> + Kernels<i64> + Kernels<bool>> Accelerator for B {}
