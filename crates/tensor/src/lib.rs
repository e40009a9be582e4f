//! CPU tensors with SIMD loops.
#![forbid(unsafe_code)]
pub mod cpu;
pub mod dual;
pub mod scalar;
pub use scalar::{Logistic, Scalar};
