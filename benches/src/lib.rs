//! Measurements of macula, each beside a baseline in the same run.
//!
//! `cargo bench -p macula-benches` runs all, `--bench training_step` one of them.
#![forbid(unsafe_code)]
