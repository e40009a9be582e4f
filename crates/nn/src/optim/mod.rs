//! Optimizers: gradients in, better parameters out.
//!
//! An optimizer is made from a model's [`Parameters`](crate::Parameters) and holds handles to
//! them. Parameters with settings of their own get an optimizer of their own
//! ([`Parameters::partition`](crate::Parameters::partition)); each takes from the gradients what
//! is its.
//!
//! [`Slots`] has what all of them share, and is what to build another one on.

mod adam;
mod clip;
mod sgd;
mod slots;

use macula_autograd::Gradients;
use macula_tensor::{Error, Float, Result};

pub use adam::{Adam, AdamW, AdamWith};
pub use clip::{clip_grad_norm, clip_grad_value};
pub use sgd::Sgd;
pub use slots::Slots;

/// Turns gradients into better parameters.
pub trait Optimizer<T: Float = f32> {
    /// Changes every parameter by one step, in place.
    ///
    /// # Errors
    /// Everything is checked before anything is changed: the settings must be ones the method has
    /// a meaning for, and every parameter that is not frozen must have a gradient, all of whose
    /// elements are finite.
    fn step(&mut self, gradients: &Gradients<T>) -> Result<()>;

    /// The learning rate of the next step.
    fn current_learning_rate(&self) -> f64;

    /// Sets the learning rate, from the next step on.
    fn set_learning_rate(&mut self, learning_rate: f64);
}

/// Refuses settings that are negative, infinite or NaN.
fn check_not_negative(optimizer: &'static str, settings: &[(&'static str, f64)]) -> Result<()> {
    check(optimizer, settings, "finite and at least 0", |value| {
        value >= 0.0 && value.is_finite()
    })
}

/// Refuses settings outside [0, 1).
fn check_below_one(optimizer: &'static str, settings: &[(&'static str, f64)]) -> Result<()> {
    check(optimizer, settings, "inside [0, 1)", |value| {
        (0.0..1.0).contains(&value)
    })
}

fn check(
    optimizer: &'static str,
    settings: &[(&'static str, f64)],
    rule: &str,
    allowed: impl Fn(f64) -> bool,
) -> Result<()> {
    match settings.iter().find(|(_, value)| !allowed(*value)) {
        None => Ok(()),
        Some((argument, value)) => Err(Error::Argument {
            op: optimizer,
            argument,
            expected: rule.into(),
            found: value.to_string(),
        }),
    }
}
