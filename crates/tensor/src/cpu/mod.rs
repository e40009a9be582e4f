//! The loops that do the arithmetic on the CPU, and nothing else: shapes have been checked above.

pub(crate) mod elementary;
pub(crate) mod fold;
pub(crate) mod lane_fold;
pub mod lanes;
pub(crate) mod parallel;
pub(crate) mod pointwise;
pub(crate) mod reduce;
pub(crate) mod source;
pub(crate) mod walk;
