//! A reverse-mode tape, and gradients of any order.
#![forbid(unsafe_code)]

mod anomaly;
mod audit;
pub mod check;
mod derivatives;
mod fused;
mod gradients;
mod listing;
pub mod ops;
mod param;
mod recompute;
mod rows;
mod saved;
mod sweep;
mod tape;
mod var;

pub use audit::{Audit, Finding};
pub use check::check_gradients;
pub use gradients::Gradients;
pub use listing::{Line, Listing};
pub use param::Param;
pub use saved::{Keep, Saved};
pub use tape::Tape;
pub use var::Var;
