//! CPU tensors with SIMD loops.
#![forbid(unsafe_code)]

pub mod cpu;
pub mod device;
pub mod dual;
pub mod element;
pub mod error;
pub mod ops;
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
pub use ops::norm::Norm;
pub use pointwise::Pointwise;
pub use random::Rng;
pub use scalar::{Logistic, Scalar};
pub use storage::memory;
pub use tensor::Tensor;
pub use update::{Update, update};
pub use view::Slice;
