//! Which line of a program the tape tells for what a model computes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use macula_autograd::{Tape, Var};
use macula_nn::activation::{Relu, Tanh};
use macula_nn::{Linear, Module, Sequential};
use macula_tensor::{Result, Rng, Tensor};

/// A layer of one's own, and the line of its operation.
struct Own;

const OWN_LINE: u32 = line!() + 4;

impl Module for Own {
    fn forward(&self, input: &Var) -> Result<Var> {
        input.exp()
    }
}

fn model() -> Sequential {
    let mut rng = Rng::seed(7);
    let inner = Sequential::new()
        .then(Tanh)
        .then(Linear::new(3, 2, &mut rng));
    let model = Sequential::new().then(Linear::new(2, 3, &mut rng));
    model.then(Relu).then(inner).then(Own)
}

fn inputs() -> Tensor {
    Tensor::from([[1.0, 2.0]])
}

#[test]
fn layers_stand_on_the_tape_where_the_model_was_called() -> Result<()> {
    let tape = Tape::new();
    let x = tape.var(inputs());
    let model = model();
    let line = line!() + 1;
    model.forward(&x)?;
    let listing = tape.listing();
    let found: Vec<_> = listing.lines()[1..]
        .iter()
        .map(|line| {
            (
                line.name.as_str(),
                line.location.file(),
                line.location.line(),
            )
        })
        .collect();
    let names = [
        "weight", "bias", "linear", "relu", "tanh", "weight", "bias", "linear",
    ];
    let mut expected: Vec<_> = names.map(|name| (name, file!(), line)).into();
    // An operation of one's own layer is called in a line of one's own.
    expected.push(("exp", file!(), OWN_LINE));
    assert_eq!(found, expected);
    Ok(())
}

#[test]
fn a_layer_called_by_itself_stands_there_too() -> Result<()> {
    let tape = Tape::new();
    let x = tape.constant(inputs());
    let layer = Linear::new(2, 3, &mut Rng::seed(7));
    let line = line!() + 1;
    layer.forward(&x)?;
    for found in tape.listing().lines() {
        assert_eq!(
            (found.location.file(), found.location.line()),
            (file!(), line)
        );
    }
    Ok(())
}

#[test]
fn an_anomaly_inside_a_model_names_the_line_that_called_it() {
    let tape = Tape::new().detect_anomalies();
    let x = tape.constant(Tensor::from([[f32::MAX, f32::MAX]]));
    let model = Sequential::new().then(Linear::new(2, 3, &mut Rng::seed(7)));
    let weight = Tensor::full([3, 2], 2.0).unwrap();
    model
        .parameters()
        .get("0.weight")
        .unwrap()
        .set(weight)
        .unwrap();
    let line = line!() + 1;
    let error = model.forward(&x).map(drop).unwrap_err().to_string();
    let place = format!("at {}:{line}:", file!());
    assert!(
        error.starts_with("linear: ") && error.contains(&place),
        "{error}"
    );
}
