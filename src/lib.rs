#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub use macula_autograd as autograd;
pub use macula_losses as losses;
pub use macula_nn as nn;
pub use macula_nn::{data, metrics};
pub use macula_tensor as tensor;

pub mod prelude;
