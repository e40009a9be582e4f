//! Reading reference vectors.
//!
//! `MACULA_REFERENCE` names another folder of vectors; the one of this repository is the default.

use std::path::PathBuf;

use macula_tensor::{Float, Tensor};
use serde_json::Value;

/// The cases of a file in the folder `nn`.
pub fn cases(file: &str) -> Vec<Value> {
    let folder = std::env::var_os("MACULA_REFERENCE").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../tests/reference"
            ))
        },
        PathBuf::from,
    );
    let text = std::fs::read_to_string(folder.join("nn").join(file)).unwrap();
    let mut file: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(file["cases"].take()).unwrap()
}

/// An array.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// The elements of a tensor.
pub fn numbers(value: &Value) -> Vec<f64> {
    let numbers = list(&value["data"]).iter().map(Value::as_f64);
    numbers.collect::<Option<_>>().unwrap()
}

/// A tensor.
pub fn tensor<T: Float>(value: &Value) -> Tensor<T> {
    let shape = list(&value["shape"])
        .iter()
        .map(|n| n.as_u64().unwrap() as usize);
    let elements = numbers(value).into_iter().map(T::from_f64).collect();
    Tensor::from_vec(elements, shape.collect::<Vec<_>>()).unwrap()
}

/// Fails where |found − expected| > relative · |expected| + absolute, with the case's tolerances.
pub fn compare<T: Float>(case: &Value, place: &str, found: &Tensor<T>, expected: &[f64]) {
    let tolerances = list(&case["tol"][T::NAME]);
    let [relative, absolute] = [0, 1].map(|i| tolerances[i].as_f64().unwrap());
    let found = found.to_vec().unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().map(|x| x.to_f64()).zip(expected) {
        assert!(
            (found - expected).abs() <= relative * expected.abs() + absolute,
            "{} {place} {}: found {found}, expected {expected}",
            case["name"],
            T::NAME,
        );
    }
}
