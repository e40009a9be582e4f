//! The loops that do the arithmetic on the CPU, and nothing else: shapes have been checked above.

pub(crate) mod elementary;
pub(crate) mod gemm;
pub mod lanes;
