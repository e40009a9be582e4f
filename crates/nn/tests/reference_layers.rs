//! Activations and the linear layer against reference vectors, in `f64` and `f32`.
#![allow(clippy::unwrap_used, reason = "a test's own failures")]

mod reference;

use macula_autograd::{Tape, Var};
use macula_nn::activation::{
    Elu, Gelu, GeluTanh, LeakyRelu, Mish, Relu, Selu, Sigmoid, Silu, Softplus, Tanh,
};
use macula_nn::{Linear, Module, init};
use macula_tensor::{Float, Rng, Tensor};
use reference::{cases, compare, numbers, tensor};
use serde_json::Value;

/// What the vectors have and is not a layer of macula.
const NOT_IMPLEMENTED: [&str; 14] = [
    "softplus_beta",
    "logsigmoid",
    "hardswish",
    "hardsigmoid",
    "softsign",
    "relu6",
    "softmax",
    "log_softmax",
    "glu",
    "embedding",
    "layer_norm",
    "rms_norm",
    "group_norm",
    "scaled_dot_product_attention",
];

fn layer<T: Float>(case: &Value) -> Option<Box<dyn Module<T>>> {
    let attribute = |name: &str| case["attrs"][name].as_f64().unwrap();
    Some(match case["op"].as_str().unwrap() {
        "relu" => Box::new(Relu),
        "gelu" => Box::new(Gelu),
        "gelu_tanh" => Box::new(GeluTanh),
        "silu" => Box::new(Silu),
        "mish" => Box::new(Mish),
        "elu" => Box::new(Elu(attribute("alpha"))),
        "selu" => Box::new(Selu),
        "softplus" => Box::new(Softplus),
        "sigmoid" => Box::new(Sigmoid),
        "tanh" => Box::new(Tanh),
        "leaky_relu" => Box::new(LeakyRelu(attribute("slope"))),
        "linear" => Box::new(linear(case)),
        other => {
            assert!(NOT_IMPLEMENTED.contains(&other), "{other} is unknown");
            return None;
        }
    })
}

fn linear<T: Float>(case: &Value) -> Linear<T> {
    let params = case["params"].as_object().unwrap();
    let weight: Tensor<T> = tensor(&params["weight"]);
    let layer = Linear::new(weight.shape()[1], weight.shape()[0], &mut Rng::seed(7));
    layer.weight().set(weight).unwrap();
    match params.get("bias") {
        Some(bias) => {
            layer.bias().unwrap().set(tensor(bias)).unwrap();
            layer
        }
        None => layer.without_bias(),
    }
}

/// The result, and the gradients of Σ cotangent · result.
fn run<T: Float>(file: &str) -> usize {
    let mut count = 0;
    for case in cases(file) {
        let Some(layer) = layer::<T>(&case) else {
            continue;
        };
        count += 1;
        let tape = Tape::new();
        let x = tape.var(tensor::<T>(&case["inputs"]["x"]));
        let out = layer.forward(&x).unwrap();
        compare(&case, "out", out.value(), &numbers(&case["expect"]["out"]));
        let cotangent = tape.constant(tensor::<T>(&case["cotangent"]["out"]));
        let total: Var<T> = out.mul(&cotangent).unwrap().sum(..).unwrap();
        let gradients = total.backward().unwrap();
        for (name, expected) in case["grad"].as_object().unwrap() {
            let found = match name.as_str() {
                "x" => gradients.of(&x).unwrap().clone(),
                name => {
                    let parameters = layer.parameters();
                    gradients
                        .get(parameters.get(name).unwrap())
                        .unwrap()
                        .clone()
                }
            };
            compare(
                &case,
                &format!("gradient of {name}"),
                &found,
                &numbers(expected),
            );
        }
    }
    count
}

#[test]
fn activations_and_their_gradients_are_the_reference_values() {
    assert_eq!(run::<f64>("activations.json"), 20);
    assert_eq!(run::<f32>("activations.json"), 20);
}

#[test]
fn the_linear_layer_and_its_gradients_are_the_reference_values() {
    assert_eq!(run::<f64>("layers.json"), 3);
    assert_eq!(run::<f32>("layers.json"), 3);
}

#[test]
fn first_values_have_the_reference_scales() {
    for case in cases("init.json") {
        let expect = &case["expect"];
        match case["op"].as_str().unwrap() {
            "prior_bias" => {
                let prior = case["config"]["pi"].as_f64().unwrap();
                let layer = Linear::<f64>::new(1, 1, &mut Rng::seed(7)).with_prior(prior);
                let bias = layer.bias().unwrap().value();
                compare(&case, "bias", &bias, &[expect["bias"].as_f64().unwrap()]);
            }
            "init_scales" => {
                let shape = case["config"]["weight_shape"].as_array().unwrap();
                let shape: Vec<_> = shape.iter().map(|n| n.as_u64().unwrap() as usize).collect();
                let fans = ["fan_in", "fan_out"].map(|fan| expect[fan].as_u64().unwrap() as usize);
                assert_eq!(init::fans(&shape), (fans[0], fans[1]));
            }
            other => panic!("{other} is unknown"),
        }
    }
}
