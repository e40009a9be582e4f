//! Layers and optimizers.
//!
//! In reading order: [`module`] says what a layer is and how its parameters are found;
//! [`linear`], [`activation`] and [`sequential`] are layers; [`init`] draws first weights;
//! [`optim`] turns gradients into better weights.
#![forbid(unsafe_code)]

pub mod activation;
pub mod init;
pub mod linear;
pub mod module;
pub mod optim;
pub mod sequential;

pub use linear::Linear;
pub use module::{Module, Parameters, Visitor};
pub use sequential::Sequential;
