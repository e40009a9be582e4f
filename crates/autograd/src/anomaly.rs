//! Finding where the first infinity or NaN comes from.

use std::fmt::Write;
use std::panic::Location;

use macula_tensor::{Error, Float, Result, Tensor};

use crate::var::Var;

/// Nothing if all elements of a result are finite.
#[cold]
pub(crate) fn check_value<T: Float>(
    (name, location): (&'static str, &Location<'_>),
    inputs: &[&Var<T>],
    value: &Tensor<T>,
) -> Result<()> {
    let inputs = inputs.iter().map(|input| input.value());
    check(name, value, || {
        let inputs = listed(inputs);
        format!(
            "the value of shape {:?} at {location}, from {inputs},",
            value.shape()
        )
    })
}

/// Nothing if all elements of a gradient are finite.
#[cold]
pub(crate) fn check_gradient<T: Float>(
    (name, location): (&'static str, &Location<'_>),
    kept: &[Tensor<T>],
    upstream: &Var<T>,
    input: usize,
    gradient: &Var<T>,
) -> Result<()> {
    check(name, gradient.value(), || {
        let upstream = listed([upstream.value()]);
        let kept = listed(kept);
        format!(
            "the gradient to input {input} at {location}, from an upstream gradient {upstream} and \
             values {kept},"
        )
    })
}

fn check<T: Float>(
    op: &'static str,
    tensor: &Tensor<T>,
    what: impl FnOnce() -> String,
) -> Result<()> {
    if tensor.all_finite()? {
        return Ok(());
    }
    let elements = tensor.to_vec()?.into_iter().map(T::to_f64);
    let value = elements.into_iter().find(|x| !x.is_finite());
    Err(Error::NotFinite {
        op,
        what: what(),
        value: value.unwrap_or(f64::NAN),
    })
}

/// Shape and range of each tensor: `[2, 3] between -1 and 4 with 1 NaN`.
fn listed<'a, T: Float>(tensors: impl IntoIterator<Item = &'a Tensor<T>>) -> String {
    let tensors: Vec<_> = tensors.into_iter().map(described).collect();
    match tensors.is_empty() {
        true => "none".into(),
        false => tensors.join(" and "),
    }
}

fn described<T: Float>(tensor: &Tensor<T>) -> String {
    let mut text = format!("{:?}", tensor.shape());
    let elements = tensor.to_vec().unwrap_or_default();
    let finite = || {
        elements
            .iter()
            .map(|x| x.to_f64())
            .filter(|x| x.is_finite())
    };
    if finite().next().is_some() {
        let least = finite().fold(f64::INFINITY, f64::min);
        let most = finite().fold(f64::NEG_INFINITY, f64::max);
        // Writing to a string cannot fail.
        let _ = write!(text, " between {least} and {most}");
    }
    let nans = elements.iter().filter(|x| x.is_nan()).count();
    let infinities = elements.iter().filter(|x| x.to_f64().is_infinite()).count();
    for (count, what) in [(nans, "NaN"), (infinities, "infinite")] {
        if count > 0 {
            let _ = write!(text, " with {count} {what}");
        }
    }
    text
}
