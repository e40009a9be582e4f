//! Tensors on the CPU, and the door for accelerators: the foundation of macula.
//!
//! A [`Tensor`] is shared storage, a shape and a device. It knows nothing of gradients. Operations
//! are methods that return a [`Result`]; views (transposing, slicing, expanding) move no data;
//! nobody ever sees the elements of a tensor change.
//!
//! ```
//! use macula_tensor::{Tensor, keep};
//!
//! let x = Tensor::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
//! let centred = x.sub(&x.mean(keep(1))?)?;
//! assert_eq!(centred.to_vec()?, [-1.0, 0.0, 1.0, -1.0, 0.0, 1.0]);
//! # Ok::<(), macula_tensor::Error>(())
//! ```
//!
//! # In reading order
//!
//! 1. [`shape`] and [`error`]: sizes, strides, broadcasting, and what can go wrong.
//! 2. `tensor`, `convert` and `storage`: what a tensor is, what it is made from, and how its memory is
//!    recycled ([`memory`]).
//! 3. [`scalar`], [`dual`] and [`pointwise`]: a formula is written once, and its derivatives and
//!    loops follow.
//! 4. [`cpu`]: the loops. [`cpu::lanes`] makes registers behave like numbers, `cpu::pointwise` is
//!    the loop under every formula, `cpu::gemm` the matrix product, `cpu::convolution` the
//!    convolution.
//! 5. [`ops`]: the operations; arguments are checked there and handed to a loop.
//! 6. [`random`]: numbers that depend on (seed, stream, position) alone.
//! 7. [`device`] and [`program`]: how a backend takes part.
//! 8. `exchange`, behind the features `npy` and `ndarray`: files of NumPy's, arrays of others.
#![forbid(unsafe_code)]

mod convert;
pub mod cpu;
pub mod device;
pub mod dual;
pub mod element;
pub mod error;
#[cfg(any(feature = "npy", feature = "ndarray"))]
pub mod exchange;
pub mod ops;
mod per_axis;
pub mod pointwise;
mod print;
pub mod program;
pub mod random;
pub mod scalar;
pub mod shape;
mod storage;
mod tensor;
mod transfer;
pub mod update;
mod view;

pub use device::Device;
pub use element::{Element, Float, Number};
pub use error::{Error, Result};
pub use ops::axes::{Axes, keep};
pub use ops::close::Tolerance;
pub use ops::convolution::Convolution;
pub use ops::norm::Norm;
pub use ops::pooling::Pooling;
pub use ops::spatial::PerSpatialAxis;
pub use pointwise::Pointwise;
pub use random::Rng;
pub use scalar::{Logistic, Scalar};
pub use storage::memory;
pub use tensor::Tensor;
pub use update::{Update, update};
pub use view::{NewShape, Size, Slice};
