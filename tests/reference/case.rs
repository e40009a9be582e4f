//! One case of a file of vectors, and comparing with it.

use std::collections::BTreeMap;

use macula::prelude::*;
use macula::tensor::Element;
use serde_json::{Map, Value};

/// A test case: an operation, its inputs and settings, and what has to come out.
pub(crate) struct Case {
    /// The operation.
    pub(crate) op: String,
    /// The name of the case, unique for its operation.
    pub(crate) name: String,
    json: Value,
}

/// Why a case does not pass.
pub(crate) type Failure = String;

/// A result, or why a case does not pass.
pub(crate) type Checked<T> = std::result::Result<T, Failure>;

/// What an operation says that could not be run.
pub(crate) fn told(error: Error) -> Failure {
    error.to_string()
}

impl Case {
    pub(crate) fn new(json: Value) -> Checked<Self> {
        let text = |key: &str| {
            json[key]
                .as_str()
                .map(str::to_owned)
                .ok_or(format!("no {key}"))
        };
        Ok(Self {
            op: text("op")?,
            name: text("name")?,
            json,
        })
    }

    /// A named entry of the case: `inputs`, `expect`, `grad`, …
    pub(crate) fn entry(&self, key: &str) -> &Value {
        &self.json[key]
    }

    /// The values of an entry by name.
    pub(crate) fn named(&self, key: &str) -> Checked<&Map<String, Value>> {
        self.json[key].as_object().ok_or(format!("no {key}"))
    }

    /// A setting, from wherever the file keeps them.
    pub(crate) fn setting(&self, key: &str) -> &Value {
        let homes = ["params", "attrs", "config"].map(|home| &self.json[home][key]);
        homes
            .into_iter()
            .find(|value| !value.is_null())
            .unwrap_or(&Value::Null)
    }

    /// A setting that is a number.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        self.setting(key).as_f64()
    }

    /// A setting that is a number and must be there.
    pub(crate) fn required(&self, key: &str) -> Checked<f64> {
        self.number(key).ok_or(format!("no {key}"))
    }

    /// A setting that is an integer.
    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        self.setting(key).as_i64()
    }

    /// A setting that is true or false; false if it is not there.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.setting(key).as_bool().unwrap_or(false)
    }

    /// Whether there is an input of that name.
    pub(crate) fn has_input(&self, name: &str) -> bool {
        !self.json["inputs"][name].is_null()
    }

    /// An input as floating-point numbers.
    pub(crate) fn floats<T: Float>(&self, name: &str) -> Checked<Tensor<T>> {
        floats(&self.json["inputs"][name])
    }

    /// An input as integers.
    pub(crate) fn integers(&self, name: &str) -> Checked<Tensor<i64>> {
        integers(&self.json["inputs"][name])
    }

    /// The inputs that are floating-point numbers, in the order of their names.
    pub(crate) fn float_inputs<T: Float>(&self) -> Checked<BTreeMap<String, Tensor<T>>> {
        let inputs = self.json["inputs"].as_object().into_iter().flatten();
        inputs
            .filter(|(_, input)| input["dtype"] == "f64")
            .map(|(name, input)| Ok((name.clone(), floats(input)?)))
            .collect()
    }

    /// Relative and absolute tolerance for elements of type `T`.
    fn tolerance<T: Element>(&self) -> (f64, f64) {
        let tolerance = &self.json["tol"][T::NAME];
        let part = |index: usize| tolerance[index].as_f64().unwrap_or(0.0);
        (part(0), part(1))
    }

    /// Compares a result with an expected tensor, or bare number, of the case.
    pub(crate) fn compare<T: Float>(
        &self,
        what: &str,
        found: &Tensor<T>,
        wanted: &Value,
    ) -> Checked<()> {
        let shape = shape(wanted);
        if found.shape() != shape {
            return Err(format!(
                "{what}: shape {:?}, expected {shape:?}",
                found.shape()
            ));
        }
        let found = found.to_vec().map_err(|error| format!("{what}: {error}"))?;
        let found: Vec<f64> = found.into_iter().map(T::to_f64).collect();
        self.compare_numbers::<T>(what, &found, &elements(wanted)?)
    }

    /// Compares numbers that were computed from elements of type `T` with expected ones.
    pub(crate) fn compare_numbers<T: Float>(
        &self,
        what: &str,
        found: &[f64],
        wanted: &[f64],
    ) -> Checked<()> {
        if found.len() != wanted.len() {
            let (found, wanted) = (found.len(), wanted.len());
            return Err(format!("{what}: {found} numbers, expected {wanted}"));
        }
        let (relative, absolute) = self.tolerance::<T>();
        for (index, (&found, &wanted)) in found.iter().zip(wanted).enumerate() {
            let same = found == wanted || found.is_nan() && wanted.is_nan();
            let close = (found - wanted).abs() <= absolute + relative * wanted.abs();
            if !(same || close && wanted.is_finite()) {
                return Err(format!(
                    "{what}: element {index} is {found}, expected {wanted}"
                ));
            }
        }
        Ok(())
    }

    /// Compares integers or truth values with an expected tensor of the case.
    pub(crate) fn compare_exactly(
        &self,
        what: &str,
        found: &Tensor<i64>,
        wanted: &Value,
    ) -> Checked<()> {
        let found_elements = found.to_vec().map_err(told)?;
        let wanted_elements: Vec<i64> = elements(wanted)?.into_iter().map(|x| x as i64).collect();
        if found.shape() != shape(wanted) || found_elements != wanted_elements {
            return Err(format!(
                "{what}: {found_elements:?} of shape {:?}, expected {wanted_elements:?}",
                found.shape()
            ));
        }
        Ok(())
    }
}

/// A list in JSON.
pub(crate) fn list(value: &Value) -> Checked<&[Value]> {
    let list = value.as_array().map(Vec::as_slice);
    list.ok_or_else(|| format!("{value} is not a list"))
}

/// The shape of a tensor in JSON; a bare number has none.
fn shape(tensor: &Value) -> Vec<usize> {
    let sizes = tensor["shape"].as_array().into_iter().flatten();
    sizes
        .filter_map(Value::as_u64)
        .map(|size| size as usize)
        .collect()
}

/// The elements of a tensor in JSON, or a bare number.
pub(crate) fn elements(tensor: &Value) -> Checked<Vec<f64>> {
    let number = |value: &Value| match value {
        Value::String(text) => text
            .parse::<f64>()
            .map_err(|error| format!("{text}: {error}")),
        Value::Bool(truth) => Ok(f64::from(u8::from(*truth))),
        value => value
            .as_f64()
            .ok_or_else(|| format!("{value} is not a number")),
    };
    match tensor["data"].as_array() {
        Some(data) => data.iter().map(number).collect(),
        None => Ok(vec![number(tensor)?]),
    }
}

/// A tensor in JSON as floating-point numbers.
pub(crate) fn floats<T: Float>(tensor: &Value) -> Checked<Tensor<T>> {
    let elements = elements(tensor)?.into_iter().map(T::from_f64).collect();
    Tensor::from_vec(elements, shape(tensor)).map_err(told)
}

/// A tensor in JSON as integers.
pub(crate) fn integers(tensor: &Value) -> Checked<Tensor<i64>> {
    let elements = elements(tensor)?.into_iter().map(|x| x as i64).collect();
    Tensor::from_vec(elements, shape(tensor)).map_err(told)
}
