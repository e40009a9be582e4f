//! Runs the vectors of optimizers and of clipping.

use macula::nn::optim::{AdamWith, clip_grad_norm, clip_grad_value};
use macula::prelude::*;
use macula::tensor::Norm;
use serde_json::{Map, Value};

use crate::case::{Case, Checked, elements, floats, list, told};

/// The parameters after every step.
pub(crate) fn steps<T: Float>(case: &Case) -> Checked<()> {
    match case.entry("initial") {
        Value::Null => steps_down_a_quadratic::<T>(case),
        initial => steps_with_given_gradients::<T>(case, initial),
    }
}

/// Steps with the gradients of a file; a group of parameters is an optimizer.
fn steps_with_given_gradients<T: Float>(case: &Case, initial: &Value) -> Checked<()> {
    let params = params::<T>(initial)?;
    let mut optimizers = match case.entry("groups") {
        Value::Null => vec![optimizer(case, case.entry("config"), &params)?],
        groups => {
            let groups = list(groups)?.iter().zip(params.chunks(1));
            groups
                .map(|(config, param)| optimizer(case, config, param))
                .collect::<Checked<_>>()?
        }
    };
    let after = list(&case.entry("expect")["params_after_step"])?;
    let grads = list(case.entry("grads"))?;
    same_length("steps", grads, after)?;
    for (step, (grads, after)) in grads.iter().zip(after).enumerate() {
        let gradients = given(&params, grads)?;
        for optimizer in &mut optimizers {
            optimizer.step(&gradients).map_err(told)?;
        }
        let after = list(after)?;
        same_length("parameters", &params, after)?;
        for (param, after) in params.iter().zip(after) {
            let what = format!("{} after step {step}", param.name());
            case.compare(&what, &param.value(), after)?;
        }
    }
    Ok(())
}

/// Minimises x·A·x / 2 − b·x.
fn steps_down_a_quadratic<T: Float>(case: &Case) -> Checked<()> {
    let [a, b] = [case.floats::<T>("A")?, case.floats::<T>("b")?];
    let x = Param::new("x", case.floats::<T>("x0")?);
    let loss = || {
        let tape = Tape::new();
        let at = tape.param(&x);
        let curved = at.matmul(&tape.constant(&a).matmul(&at)?)?;
        curved.mul_scalar(0.5)?.sub(&tape.constant(&b).matmul(&at)?)
    };
    let mut optimizer = optimizer(case, case.entry("config"), std::slice::from_ref(&x))?;
    let losses = elements(&case.entry("expect")["losses"])?;
    let after = elements(&case.entry("expect")["x_after_step"])?;
    let after: Vec<_> = after.chunks(x.value().count()).collect();
    same_length("steps", &losses, &after)?;
    for (step, (wanted, after)) in losses.iter().zip(after).enumerate() {
        let loss = loss().map_err(told)?;
        let what = format!("loss before step {step}");
        case.compare_numbers::<T>(&what, &numbers(loss.value())?, &[*wanted])?;
        let gradients = loss.backward().map_err(told)?;
        optimizer.step(&gradients).map_err(told)?;
        let what = format!("x after step {step}");
        case.compare_numbers::<T>(&what, &numbers(&x.value())?, after)?;
    }
    Ok(())
}

/// The gradients after clipping, and the norm before.
pub(crate) fn clipping<T: Float>(case: &Case) -> Checked<()> {
    let before = &case.entry("inputs")["grads"];
    // The values of the parameters do not matter, their shapes do.
    let params = params::<T>(before)?;
    let mut gradients = given(&params, before)?;
    if case.op == "clip_grad_norm" {
        let norm = match case.setting("norm_type") {
            Value::String(max) if max == "inf" => Norm::Max,
            one if one.as_f64() == Some(1.0) => Norm::L1,
            two if two.as_f64() == Some(2.0) => Norm::L2,
            other => return Err(format!("norm {other} is not known")),
        };
        let total = clip_grad_norm(&mut gradients, case.required("max_norm")?, norm);
        let total = Tensor::scalar(T::from_f64(total.map_err(told)?));
        case.compare("total norm", &total, &case.entry("expect")["total_norm"])?;
    } else {
        clip_grad_value(&mut gradients, case.required("clip_value")?).map_err(told)?;
    }
    let after = list(&case.entry("expect")["grads"])?;
    same_length("gradients", &params, after)?;
    for (param, wanted) in params.iter().zip(after) {
        let gradient = gradients.get(param).ok_or("a gradient is lost")?;
        case.compare(param.name(), gradient, wanted)?;
    }
    Ok(())
}

fn params<T: Float>(values: &Value) -> Checked<Vec<Param<T>>> {
    let values = list(values)?.iter().enumerate();
    values
        .map(|(index, value)| Ok(Param::new(format!("p{index}"), floats(value)?)))
        .collect()
}

/// Gradients of given values: those of Σ gradient · parameter.
fn given<T: Float>(params: &[Param<T>], gradients: &Value) -> Checked<Gradients<T>> {
    let gradients = list(gradients)?;
    same_length("gradients", params, gradients)?;
    let tape = Tape::new();
    let mut total = tape.constant(Tensor::scalar(T::ZERO));
    for (param, gradient) in params.iter().zip(gradients) {
        let gradient = tape.constant(floats::<T>(gradient)?);
        let product = tape.param(param).mul(&gradient);
        let term = product.and_then(|product| product.sum(..)).map_err(told)?;
        total = total.add(&term).map_err(told)?;
    }
    total.backward().map_err(told)
}

/// The optimizer of a case for some of its parameters.
fn optimizer<T: Float>(
    case: &Case,
    config: &Value,
    params: &[Param<T>],
) -> Checked<Box<dyn Optimizer<T>>> {
    let named = params.iter().map(|p| (p.name().to_string(), p.clone()));
    let parameters: Parameters<T> = named.collect();
    let config = config.as_object().ok_or("no settings")?;
    match case.op.as_str() {
        "sgd" => sgd(Sgd::new(parameters), config),
        "adam" => adam(Adam::new(parameters), config),
        "adamw" => adam(AdamW::new(parameters), config),
        other => Err(format!("optimizer {other} is not known")),
    }
}

fn sgd<T: Float>(
    mut optimizer: Sgd<T>,
    config: &Map<String, Value>,
) -> Checked<Box<dyn Optimizer<T>>> {
    for (setting, value) in config {
        optimizer = match setting.as_str() {
            "lr" => optimizer.learning_rate(number(value)?),
            "momentum" => optimizer.momentum(number(value)?),
            "dampening" => optimizer.dampening(number(value)?),
            "weight_decay" => optimizer.weight_decay(number(value)?),
            "nesterov" if value.as_bool() == Some(true) => optimizer.nesterov(),
            "maximize" if value.as_bool() == Some(true) => optimizer.maximize(),
            other => return Err(format!("setting {other} is not known")),
        };
    }
    Ok(Box::new(optimizer))
}

fn adam<T: Float, const DECOUPLED: bool>(
    mut optimizer: AdamWith<T, DECOUPLED>,
    config: &Map<String, Value>,
) -> Checked<Box<dyn Optimizer<T>>> {
    for (setting, value) in config {
        optimizer = match setting.as_str() {
            "lr" => optimizer.learning_rate(number(value)?),
            "betas" => optimizer.betas(number(&value[0])?, number(&value[1])?),
            "eps" => optimizer.eps(number(value)?),
            "weight_decay" => optimizer.weight_decay(number(value)?),
            "amsgrad" if value.as_bool() == Some(true) => optimizer.amsgrad(),
            "maximize" if value.as_bool() == Some(true) => optimizer.maximize(),
            other => return Err(format!("setting {other} is not known")),
        };
    }
    Ok(Box::new(optimizer))
}

fn number(value: &Value) -> Checked<f64> {
    let number = value.as_f64();
    number.ok_or_else(|| format!("{value} is not a number"))
}

fn numbers<T: Float>(tensor: &Tensor<T>) -> Checked<Vec<f64>> {
    let elements = tensor.to_vec().map_err(told)?;
    Ok(elements.into_iter().map(T::to_f64).collect())
}

/// A shorter list would leave the rest of the longer one unchecked.
fn same_length<A, B>(what: &str, found: &[A], wanted: &[B]) -> Checked<()> {
    let (found, wanted) = (found.len(), wanted.len());
    match found == wanted {
        true => Ok(()),
        false => Err(format!("{found} {what}, expected {wanted}")),
    }
}
