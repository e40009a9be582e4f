//! The training side of macula: what stands around the tensors.
//!
//! * [`metrics`]: how good a classifier is when one class is rare.
#![forbid(unsafe_code)]

pub mod metrics;
