//! Arguments that make no sense: the checks and errors that several members share.

use macula_autograd::Var;
use macula_tensor::{Error, Float, Result};

/// Checks a parameter of a formula.
///
/// # Errors
/// [`Error::Argument`] where it is not `valid`.
pub(crate) fn check_parameter(
    op: &'static str,
    argument: &'static str,
    value: f64,
    valid: bool,
    expected: &str,
) -> Result<()> {
    if valid {
        return Ok(());
    }
    Err(Error::Argument {
        op,
        argument,
        expected: expected.into(),
        found: value.to_string(),
    })
}

/// Checks a focusing exponent.
///
/// # Errors
/// It must be finite and not negative.
pub(crate) fn check_exponent(op: &'static str, argument: &'static str, value: f64) -> Result<()> {
    let valid = value >= 0.0 && value.is_finite();
    check_parameter(op, argument, value, valid, "finite and not negative")
}

/// Checks a share.
///
/// # Errors
/// It must be between 0 and 1.
pub(crate) fn check_share(op: &'static str, argument: &'static str, value: f64) -> Result<()> {
    let valid = (0.0..=1.0).contains(&value);
    check_parameter(op, argument, value, valid, "between 0 and 1")
}

/// Checks a number that is divided by, or an exponent that may not be 0.
///
/// # Errors
/// It must be finite and positive.
pub(crate) fn check_positive(op: &'static str, argument: &'static str, value: f64) -> Result<()> {
    let valid = value > 0.0 && value.is_finite();
    check_parameter(op, argument, value, valid, "finite and positive")
}

/// # Errors
/// A shape must be that which is expected; `what` says of what.
pub(crate) fn check_shape(
    op: &'static str,
    what: &str,
    expected: &[usize],
    found: &[usize],
) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Shape {
        op,
        expected: format!("{what} of shape {expected:?}"),
        found: found.into(),
    })
}

/// A weight for each class, checked.
///
/// # Errors
/// There must be one for each of the `classes`, finite and not negative, and not all 0.
pub(crate) fn check_class_weights(
    op: &'static str,
    argument: &'static str,
    weights: &[f64],
    classes: usize,
) -> Result<()> {
    let valid = weights.iter().all(|&w| w >= 0.0 && w.is_finite());
    if weights.len() == classes && valid && (classes == 0 || weights.iter().any(|&w| w > 0.0)) {
        return Ok(());
    }
    Err(Error::Argument {
        op,
        argument,
        expected: format!("{classes} finite numbers, none negative and not all 0"),
        found: format!("{weights:?}"),
    })
}

/// The error for a label that is no class.
pub(crate) fn bad_label(
    op: &'static str,
    labels: &[i64],
    row: usize,
    classes: usize,
    ignore: Option<i64>,
) -> Error {
    let ignore = ignore.map(|label| format!(", or {label} to be ignored"));
    Error::Label {
        op,
        row,
        label: labels.get(row).copied().unwrap_or_default(),
        expected: format!(
            "0 to {}{}",
            classes.saturating_sub(1),
            ignore.unwrap_or_default()
        ),
    }
}

/// The error for logits on another device.
pub(crate) fn on_cpu<T: Float>(op: &'static str, logits: &Var<T>) -> Error {
    Error::Device {
        op,
        device: logits.value().device().to_string(),
        message: "fused losses run on the CPU".into(),
    }
}
