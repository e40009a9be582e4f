//! A reverse-mode tape, and gradients of any order.
#![forbid(unsafe_code)]

mod anomaly;
pub mod check;
mod fused;
mod gradients;
pub mod ops;
mod param;
mod rows;
mod saved;
mod sweep;
mod tape;
mod var;

pub use check::check_gradients;
pub use gradients::Gradients;
pub use param::Param;
pub use saved::{Keep, Saved};
pub use tape::Tape;
pub use var::Var;
