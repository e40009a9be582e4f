//! CPU tensors with SIMD loops.
#![forbid(unsafe_code)]
pub mod cpu;
pub mod dual;
pub mod random;
pub mod scalar;
pub use random::Rng;
pub use scalar::Scalar;
