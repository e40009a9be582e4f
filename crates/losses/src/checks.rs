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
    let overflows = value.is_finite() && !is_finite_in_f32(value);
    Err(Error::Argument {
        op,
        argument,
        expected: expected.into(),
        found: match overflows {
            true => format!("{value:e}, which is infinite in f32"),
            false => value.to_string(),
        },
    })
}

/// Whether a number is finite in each of the types that a loss is computed in.
pub(crate) fn is_finite_in_f32(value: f64) -> bool {
    (value as f32).is_finite()
}

/// Checks that there is no label to pass over where the targets are no labels.
///
/// # Errors
/// There must be none: it would have no effect.
pub(crate) fn check_nothing_ignored(op: &'static str, ignore: Option<i64>) -> Result<()> {
    match ignore {
        None => Ok(()),
        Some(label) => Err(Error::Argument {
            op,
            argument: "ignore_index",
            expected: "left out: soft targets are no labels (a weight of 0 takes one out)".into(),
            found: label.to_string(),
        }),
    }
}

/// Checks a focusing exponent.
///
/// # Errors
/// It must be finite and not negative.
pub(crate) fn check_exponent(op: &'static str, argument: &'static str, value: f64) -> Result<()> {
    let valid = value >= 0.0 && is_finite_in_f32(value);
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

/// Checks the share of a target that is spread over the classes.
///
/// # Errors
/// It must be in [0, 1).
pub(crate) fn check_smoothing(op: &'static str, epsilon: f64) -> Result<()> {
    let valid = (0.0..1.0).contains(&epsilon);
    check_parameter(op, "label_smoothing", epsilon, valid, "in [0, 1)")
}

/// Checks a number that is divided by, or an exponent that may not be 0.
///
/// # Errors
/// It must be finite and positive.
pub(crate) fn check_positive(op: &'static str, argument: &'static str, value: f64) -> Result<()> {
    let valid = value > 0.0 && is_finite_in_f32(value);
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

/// Whether every number is valid. It does not stop at the first that is not, so that the compiler
/// can make registers of the loop.
#[inline(always)]
pub(crate) fn every<T>(numbers: &[T], valid: impl Fn(&T) -> bool) -> bool {
    numbers
        .iter()
        .fold(true, |good, number| good & valid(number))
}

/// Checks numbers of which there is one for each class; `expected` says what they are, after how
/// many.
///
/// # Errors
/// There must be one for each of the `classes`, each `valid`.
pub(crate) fn check_numbers_of_classes(
    op: &'static str,
    argument: &'static str,
    numbers: &[f64],
    classes: usize,
    valid: impl Fn(f64) -> bool,
    expected: &str,
) -> Result<()> {
    let wrong = numbers.iter().position(|&number| !valid(number));
    let found = match wrong {
        _ if numbers.len() != classes => format!("{} of them", numbers.len()),
        Some(class) => format!("{} for class {class}", numbers[class]),
        None => return Ok(()),
    };
    Err(Error::Argument {
        op,
        argument,
        expected: format!("{classes} {expected}"),
        found,
    })
}

/// Checks a weight for each class.
///
/// # Errors
/// There must be one for each of the `classes`, finite and not negative, and not all 0.
pub(crate) fn check_class_weights(
    op: &'static str,
    argument: &'static str,
    weights: &[f64],
    classes: usize,
) -> Result<()> {
    let expected = "finite numbers, none negative and not all 0";
    let valid = |weight: f64| weight >= 0.0 && is_finite_in_f32(weight);
    check_numbers_of_classes(op, argument, weights, classes, valid, expected)?;
    if classes == 0 || weights.iter().any(|&weight| weight > 0.0) {
        return Ok(());
    }
    Err(Error::Argument {
        op,
        argument,
        expected: format!("{classes} {expected}"),
        found: "all 0".into(),
    })
}

/// Checks the numbers that a formula takes for each class, under their name; `check` is its own.
///
/// # Errors
/// The formula must take some, there must be one for each class, and each must make sense.
pub(crate) fn check_settings(
    op: &'static str,
    name: Option<&'static str>,
    settings: &[f64],
    classes: usize,
    check: impl Fn(f64) -> Result<()>,
) -> Result<()> {
    let Some(name) = name else {
        return Err(Error::Argument {
            op,
            argument: "settings",
            expected: "left out: the formula takes no number of a class".into(),
            found: format!("{} of them", settings.len()),
        });
    };
    for (class, &setting) in settings.iter().enumerate() {
        check(setting).map_err(|error| of_class(error, class))?;
    }
    let (valid, expected) = (is_finite_in_f32, "numbers, all finite");
    check_numbers_of_classes(op, name, settings, classes, valid, expected)
}

/// The error for a number, which is that of a class.
pub(crate) fn of_class(error: Error, class: usize) -> Error {
    match error {
        Error::Argument {
            op,
            argument,
            expected,
            found,
        } => Error::Argument {
            op,
            argument,
            expected,
            found: format!("{found} for class {class}"),
        },
        error => error,
    }
}

/// The error for a label, an element of labels of some shape, that is no class.
pub(crate) fn bad_label(
    op: &'static str,
    labels: &[i64],
    index: usize,
    shape: &[usize],
    classes: usize,
    ignore: Option<i64>,
) -> Error {
    let classes = match classes {
        0 => "none: there are no classes".into(),
        classes => format!("0 to {}", classes - 1),
    };
    let ignore = ignore.map(|label| format!(", or {label} to be ignored"));
    let label = labels.get(index).copied().unwrap_or_default();
    let expected = classes + &ignore.unwrap_or_default();
    Error::label(op, label, index, shape, expected)
}

/// The error for logits on another device.
pub(crate) fn on_cpu<T: Float>(op: &'static str, logits: &Var<T>) -> Error {
    Error::Device {
        op,
        device: logits.value().device().to_string(),
        message: "fused losses run on the CPU".into(),
    }
}
