//! Optimizers and clipping against reference vectors, in `f64` and `f32`.
#![allow(clippy::unwrap_used, reason = "a test's own failures")]

mod reference;

use macula_autograd::{Gradients, Param, Tape, Var};
use macula_nn::Parameters;
use macula_nn::optim::{Adam, AdamW, AdamWith, Optimizer, Sgd, clip_grad_norm, clip_grad_value};
use macula_tensor::{Float, Norm, Result, Tensor};
use reference::{cases, compare, list, numbers, tensor};
use serde_json::Value;

/// What the vectors have and macula does not implement.
const NOT_IMPLEMENTED: [&str; 6] = ["rmsprop", "adagrad", "adadelta", "nadam", "radam", "adamax"];

fn params<T: Float>(values: &Value) -> Vec<Param<T>> {
    let values = list(values).iter().enumerate();
    values
        .map(|(index, value)| Param::new(format!("p{index}"), tensor(value)))
        .collect()
}

fn parameters<T: Float>(params: &[Param<T>]) -> Parameters<T> {
    let named = params.iter().map(|p| (p.name().to_string(), p.clone()));
    named.collect()
}

/// Gradients of given values: those of Σ gradient · parameter.
fn given<T: Float>(params: &[Param<T>], gradients: &Value) -> Gradients<T> {
    let tape = Tape::new();
    let terms = params.iter().zip(list(gradients)).map(|(param, gradient)| {
        let gradient = tape.constant(tensor::<T>(gradient));
        tape.param(param).mul(&gradient)?.sum(..)
    });
    let loss = terms.reduce(|a: Result<Var<T>>, b| a?.add(&b?)).unwrap();
    loss.unwrap().backward().unwrap()
}

fn adam<T: Float, const DECOUPLED: bool>(
    mut optimizer: AdamWith<T, DECOUPLED>,
    config: &serde_json::Map<String, Value>,
) -> Box<dyn Optimizer<T>> {
    for (setting, value) in config {
        let number = value.as_f64();
        optimizer = match setting.as_str() {
            "lr" => optimizer.learning_rate(number.unwrap()),
            "betas" => optimizer.betas(value[0].as_f64().unwrap(), value[1].as_f64().unwrap()),
            "eps" => optimizer.eps(number.unwrap()),
            "weight_decay" => optimizer.weight_decay(number.unwrap()),
            "amsgrad" if value.as_bool().unwrap() => optimizer.amsgrad(),
            "maximize" if value.as_bool().unwrap() => optimizer.maximize(),
            other => panic!("setting {other} is unknown"),
        };
    }
    Box::new(optimizer)
}

fn sgd<T: Float>(
    mut optimizer: Sgd<T>,
    config: &serde_json::Map<String, Value>,
) -> Box<dyn Optimizer<T>> {
    for (setting, value) in config {
        let number = value.as_f64();
        optimizer = match setting.as_str() {
            "lr" => optimizer.learning_rate(number.unwrap()),
            "momentum" => optimizer.momentum(number.unwrap()),
            "dampening" => optimizer.dampening(number.unwrap()),
            "weight_decay" => optimizer.weight_decay(number.unwrap()),
            "nesterov" if value.as_bool().unwrap() => optimizer.nesterov(),
            "maximize" if value.as_bool().unwrap() => optimizer.maximize(),
            other => panic!("setting {other} is unknown"),
        };
    }
    Box::new(optimizer)
}

/// The optimizer of a case; none if it is on the list of those not implemented.
fn optimizer<T: Float>(
    op: &str,
    config: &Value,
    parameters: Parameters<T>,
) -> Option<Box<dyn Optimizer<T>>> {
    let config = config.as_object().unwrap();
    match op {
        "sgd" => Some(sgd(Sgd::new(parameters), config)),
        "adam" => Some(adam(Adam::new(parameters), config)),
        "adamw" => Some(adam(AdamW::new(parameters), config)),
        other => {
            assert!(NOT_IMPLEMENTED.contains(&other), "{other} is unknown");
            None
        }
    }
}

/// Steps with the gradients of a file; a group of parameters is an optimizer.
fn run_given<T: Float>(case: &Value) -> bool {
    let op = case["op"].as_str().unwrap();
    let params = params::<T>(&case["initial"]);
    let made: Option<Vec<_>> = match case.get("groups") {
        None => optimizer(op, &case["config"], parameters(&params)).map(|one| vec![one]),
        Some(groups) => {
            let groups = list(groups).iter().zip(&params);
            groups
                .map(|(config, param)| {
                    optimizer(op, config, parameters(std::slice::from_ref(param)))
                })
                .collect()
        }
    };
    let Some(mut optimizers) = made else {
        return false;
    };
    let after = list(&case["expect"]["params_after_step"]);
    let grads = list(&case["grads"]);
    assert_eq!(after.len(), grads.len());
    for (step, (grads, after)) in grads.iter().zip(after).enumerate() {
        let gradients = given(&params, grads);
        for optimizer in &mut optimizers {
            optimizer.step(&gradients).unwrap();
        }
        for (param, after) in params.iter().zip(list(after)) {
            let place = format!("step {step} {}", param.name());
            compare(case, &place, &param.value(), &numbers(after));
        }
    }
    true
}

/// Minimises x·A·x / 2 − b·x.
fn run_quadratic<T: Float>(case: &Value) -> bool {
    let inputs = &case["inputs"];
    let x = Param::new("x", tensor::<T>(&inputs["x0"]));
    let parameters = parameters(std::slice::from_ref(&x));
    let Some(mut optimizer) = optimizer(case["op"].as_str().unwrap(), &case["config"], parameters)
    else {
        return false;
    };
    let losses = numbers(&case["expect"]["losses"]);
    let after = numbers(&case["expect"]["x_after_step"]);
    for (step, (loss, after)) in losses.iter().zip(after.chunks(3)).enumerate() {
        let tape = Tape::new();
        let [a, b] = ["A", "b"].map(|name| tape.constant(tensor::<T>(&inputs[name])));
        let at = tape.param(&x);
        let curved = at.matmul(&a.matmul(&at).unwrap()).unwrap();
        let straight = b.matmul(&at).unwrap();
        let value = curved.mul_scalar(0.5).unwrap().sub(&straight).unwrap();
        let place = format!("loss before step {step}");
        compare(case, &place, value.value(), &[*loss]);
        optimizer.step(&value.backward().unwrap()).unwrap();
        compare(case, &format!("x after step {step}"), &x.value(), after);
    }
    true
}

fn run_optimizers<T: Float>() -> usize {
    let ran = |case: &Value| match case.get("initial") {
        Some(_) => run_given::<T>(case),
        None => run_quadratic::<T>(case),
    };
    cases("optimizers.json")
        .iter()
        .filter(|case| ran(case))
        .count()
}

#[test]
fn optimizers_take_the_reference_steps() {
    // 9 cases of sgd, 4 of adam, 4 of adamw; the other 9 are of optimizers not implemented.
    assert_eq!(run_optimizers::<f64>(), 17);
    assert_eq!(run_optimizers::<f32>(), 17);
}

fn run_clipping<T: Float>() {
    for case in cases("clip_grad.json") {
        let inputs = &case["inputs"]["grads"];
        // The values of the parameters do not matter, their shapes do.
        let params = params::<T>(inputs);
        let mut gradients = given(&params, inputs);
        let config = &case["config"];
        match case["op"].as_str().unwrap() {
            "clip_grad_norm" => {
                let norm = match &config["norm_type"] {
                    Value::String(max) if max == "inf" => Norm::Max,
                    one if one.as_f64() == Some(1.0) => Norm::L1,
                    two if two.as_f64() == Some(2.0) => Norm::L2,
                    other => panic!("norm {other} is unknown"),
                };
                let max_norm = config["max_norm"].as_f64().unwrap();
                let total = clip_grad_norm(&mut gradients, max_norm, norm).unwrap();
                let expected = numbers(&case["expect"]["total_norm"]);
                let total = Tensor::scalar(T::from_f64(total));
                compare(&case, "total norm", &total, &expected);
            }
            "clip_grad_value" => {
                let limit = config["clip_value"].as_f64().unwrap();
                clip_grad_value(&mut gradients, limit).unwrap();
            }
            other => panic!("{other} is unknown"),
        }
        for (param, expected) in params.iter().zip(list(&case["expect"]["grads"])) {
            let gradient = gradients.get(param).unwrap();
            compare(&case, param.name(), gradient, &numbers(expected));
        }
    }
}

#[test]
fn clipping_gives_the_reference_gradients() {
    run_clipping::<f64>();
    run_clipping::<f32>();
}
