//! The loops that do the arithmetic on the CPU, and nothing else: shapes have been checked above.

pub(crate) mod elementary;
pub mod gemm;
pub mod lanes;
pub(crate) mod parallel;
pub(crate) mod pointwise;
pub(crate) mod update;
pub(crate) mod walk;
