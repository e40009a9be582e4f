//! Focal loss and the imbalanced-learning family.
#![forbid(unsafe_code)]

mod focal;
pub mod formula;
mod reduction;
mod sigmoid;

mod targets;

pub use reduction::Reduction;
