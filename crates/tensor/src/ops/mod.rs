//! Operations on tensors: arguments are checked here, the loops stand in [`cpu`](crate::cpu).

pub mod matmul;
pub mod norm;
pub mod pointwise;
pub mod reduce;
