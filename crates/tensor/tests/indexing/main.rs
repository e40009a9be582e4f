//! Every operation that moves, picks, orders or compares elements equals its definition, on
//! random shapes and views.
#![allow(clippy::unwrap_used, reason = "an error fails the test")]

mod compare;
mod copies;
mod grid;
mod joins;
mod order;
mod picks;
mod views;
