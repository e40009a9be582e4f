//! Measurements of macula, each beside a baseline in the same run.
//!
//! `cargo bench -p macula-benches` runs all, `--bench training_step` one of them, and
//! `--bench matmul -- f32/1` those whose name contains `f32/1`.
//!
//! What the benches share: [`fastest`] times work. [`Bench`] does it on a number of threads and prints
//! a table with the ratio to each baseline, the share of the floor and the peak memory; [`floor`]
//! measures what the machine can do; [`peers`] is what products are compared with.
#![forbid(unsafe_code)]

mod bench;
pub mod floor;
mod memory;
pub mod peers;

pub use bench::{Bench, fastest, rounds};

use macula::prelude::{Rng, Tensor};
use macula::tensor::random::RandomFloat;

/// A tensor of normal numbers.
pub fn normal<T: RandomFloat>(shape: &[usize]) -> Tensor<T> {
    Tensor::normal(shape, 0.0, 1.0, &mut Rng::seed(7)).expect("a valid shape")
}
