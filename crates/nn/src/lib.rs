//! The training side of macula: data sets and loaders, layers, optimizers, metrics.
#![forbid(unsafe_code)]

pub mod data;
pub mod metrics;
