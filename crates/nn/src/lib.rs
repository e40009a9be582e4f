//! The training side of macula: data sets and loaders, layers, optimizers, metrics.
//!
//! In reading order: [`data`] brings rows in batches; [`module`] says what a layer is and how its
//! parameters are found; [`linear`], [`activation`] and [`sequential`] are layers, and [`init`]
//! draws their first weights; [`optim`] turns gradients into better weights; [`metrics`] says how
//! good the result is.
#![forbid(unsafe_code)]

pub mod activation;
pub mod data;
pub mod init;
pub mod linear;
pub mod metrics;
pub mod module;
pub mod optim;
pub mod sequential;

pub use linear::Linear;
pub use module::{Module, Parameters, Visitor};
pub use sequential::Sequential;
