//! Data sets and loaders, layers, optimizers and metrics.
#![forbid(unsafe_code)]

pub mod data;
