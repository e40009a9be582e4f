//! Data sets, and how they reach the training loop as batches.
//!
//! Read [`Dataset`], the trait that a data set of your own implements, then [`TensorDataset`], the
//! one that fits in memory, [`Sampler`], which decides on the order of the rows, and
//! [`DataLoader`], which makes batches of them. [`CsvReader`] reads tables, [`Standardizer`] scales
//! their columns, and [`mammography`] is a data set that comes with the crate.

mod csv;
mod dataset;
mod loader;
mod mammography;
mod rebalance;
mod sampler;
mod split;
mod stack;
mod standardizer;
mod tensor_dataset;

pub use csv::{CsvReader, parse_rows, read_rows};
pub use dataset::{Batch, Dataset};
pub use loader::{DataLoader, Epoch};
pub use mammography::{mammography, mammography_split};
pub use rebalance::{BalancedSampler, WeightedSampler};
pub use sampler::{Sampler, SequentialSampler, ShuffledSampler, SubsetSampler};
pub use stack::Stack;
pub use standardizer::Standardizer;
pub use tensor_dataset::TensorDataset;
