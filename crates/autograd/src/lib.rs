//! A reverse-mode tape, and gradients of any order.
//!
//! # From nothing to the reverse loop
//!
//! A loss L is computed from parameters in small steps, each of which has a derivative that fits in
//! a line. The chain rule puts them together, and the tape does the bookkeeping. Here it is on
//! L = (w·x − t)² with w = 3, x = 2 and t = 5:
//!
//! ```
//! use macula_autograd::Tape;
//! use macula_tensor::Tensor;
//!
//! let tape = Tape::new();
//! let w = tape.var(Tensor::scalar(3.0_f32));
//! let x = tape.constant(Tensor::scalar(2.0));
//! let t = tape.constant(Tensor::scalar(5.0));
//!
//! let loss = w.mul(&x)?.sub(&t)?.square()?;
//! assert_eq!(loss.item()?, 1.0);
//! assert_eq!(loss.backward()?.of(&w)?.item()?, 4.0);
//! # Ok::<(), macula_tensor::Error>(())
//! ```
//!
//! **On the way there** each step computes its value at once and appends a line to the tape: its
//! name, which lines it was computed from, and a *rule*, a function from ∂L/∂value to ∂L/∂input for
//! each input. Data has no line. After the third step [`Tape::listing`] shows:
//!
//! ```text
//!     # operation  inputs  shape  kept bytes  called at
//!     0 var                []              0  src/main.rs:5:14
//!     1 mul        0 data  []              4  src/main.rs:9:14
//!     2 sub        1 data  []              0  src/main.rs:9:23
//!     3 square     2       []              4  src/main.rs:9:32
//! total                                    8
//! ```
//!
//! A product needs on the way back what stands beside each operand that has a gradient, and keeps
//! it: here x for w. A square keeps its operand, a difference nothing. A line itself takes
//! some hundred bytes. [`Tape::to_dot`] draws it; this
//! is a network of two layers with its focal loss, parameters round and operations square:
//!
#![doc = include_str!("../drawing.html")]
//!
//! **On the way back** nothing has to be searched or sorted. An input always stands above what is
//! computed from it, so when the lines are visited from the last to the first, the gradient of a
//! line is complete by the time it is reached. The loop is a few lines long, in `sweep.rs`:
//!
//! | line | gradient that has arrived | rule | hands on |
//! | --- | --- | --- | --- |
//! | 3 `square` | ∂L/∂L = 1 | 2 · kept input · upstream = 2 · 1 · 1 | 2 to line 2 |
//! | 2 `sub` | 2 | upstream, −upstream | 2 to line 1; `t` is data |
//! | 1 `mul` | 2 | upstream · the kept operand = 2 · 2 | 4 to line 0; `x` is data |
//! | 0 `var` | 4 | none: this is the answer | |
//!
//! [`Var::backward`] takes each line off the tape as it passes and so uses the tape up: memory falls
//! on the way, and when it returns nobody shares the parameters' memory, so an optimizer writes
//! them in place.
//!
//! **Again.** Rules are themselves written with [`Var`] operations. [`Var::grad`] runs the same loop
//! but leaves the tape as it is and records what the rules do; its results are variables like any
//! others, with gradients of their own, and so on for every order.
//!
//! # What to read next
//!
//! | to | see |
//! | --- | --- |
//! | train: parameters, one tape a step | [`Tape::param`], [`Param`], [`Gradients`] |
//! | spread a batch over threads | [`Gradients::sum`] |
//! | predict: nothing is recorded | [`Tape::inference`] |
//! | stop a gradient | [`Var::detach`] |
//! | add an elementwise operation: its formula is enough | [`Var::map`], [`Pointwise`](macula_tensor::Pointwise) |
//! | add any other operation: its value and its rule | [`Var::record`], [`Keep`], [`Var::holding`] |
//! | the same with any number of inputs | [`Var::record_any`], [`HandOn`] |
//! | give it a value and gradient computed in one pass | [`Var::fused`] |
//! | know that its rule is right | [`check_gradients`] |
//! | find where a NaN comes from | [`Tape::detect_anomalies`] |
//! | find parameters that do not learn | [`Gradients::audit`] |
//! | see what is kept, and draw it | [`Tape::listing`], [`Tape::to_dot`] |
//! | keep less | [`Var::checkpoint`] |
//! | have second derivatives | [`Var::hessian_vector_product`], [`Var::hessian_diagonal`], [`Var::jacobian`] |
#![forbid(unsafe_code)]

mod anomaly;
mod audit;
pub mod check;
mod derivatives;
mod fused;
mod gradients;
mod listing;
mod node;
pub mod ops;
mod param;
mod picked;
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
pub use node::HandOn;
pub use param::Param;
pub use saved::{Keep, Saved};
pub use tape::{CalledAt, Tape};
pub use var::Var;
