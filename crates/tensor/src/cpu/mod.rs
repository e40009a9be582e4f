//! The loops that do the arithmetic on the CPU, and nothing else: shapes have been checked above.

pub(crate) mod arg;
mod cache;
pub(crate) mod compact;
pub(crate) mod convolution;
pub(crate) mod copy;
pub(crate) mod elementary;
pub(crate) mod elementwise;
pub(crate) mod fill;
pub(crate) mod finite;
pub(crate) mod fold;
pub(crate) mod gemm;
pub(crate) mod in_place;
pub(crate) mod index;
pub(crate) mod lane_fold;
pub mod lanes;
pub mod parallel;
pub(crate) mod pointwise;
pub(crate) mod pooling;
pub(crate) mod reduce;
pub(crate) mod scan;
mod scratch;
pub(crate) mod softmax;
pub(crate) mod sort;
pub(crate) mod source;
pub(crate) mod update;
pub(crate) mod upsample;
pub(crate) mod walk;

pub use pulp::{Simd, WithSimd};
