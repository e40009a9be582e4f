//! What holds for every member of the family: gradients of first and second order, the contract of
//! the reductions, limits that are other members, and answers to bad input.

#![allow(
    clippy::unwrap_used,
    reason = "a test that meets an error it did not ask for has failed"
)]

mod bad_input;
mod blocks;
mod columns;
mod completeness;
mod contract;
mod defects;
mod definitions;
mod focus;
mod gamma_zero;
mod gradients;
mod infinite;
mod layouts;
mod limits;
mod listing;
mod members;
mod messages;
mod numbers;
mod parameters;
mod pixels;
mod precision;
mod threads;
