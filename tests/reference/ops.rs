//! Runs the vectors of tensor operations.

use std::collections::BTreeMap;

use macula::prelude::*;
use macula::tensor::{Axes, Norm, Slice};
use serde_json::Value;

use crate::case::{Case, Checked, floats, told};

/// Operations that wait for their issue.
pub(crate) const NOT_IMPLEMENTED: &[&str] = &[];

/// The floating-point inputs of a case as variables.
type Inputs<T> = BTreeMap<String, Var<T>>;

/// A result: one with a gradient, or integers and truth values, which have none.
enum Output<T: Float> {
    Floats(Var<T>),
    Integers(Tensor<i64>),
}

/// Results by the names that a case gives them.
type Outputs<T> = Vec<(String, Output<T>)>;

/// Values, gradients and Hessian-vector products; false if the operation is not known.
pub(crate) fn check<T: Float>(case: &Case) -> Checked<bool> {
    let tape = Tape::new();
    let inputs: Inputs<T> = case
        .float_inputs()?
        .into_iter()
        .map(|(name, tensor)| (name, tape.var(tensor)))
        .collect();
    let Some(outputs) = outputs(case, &inputs)? else {
        return Ok(false);
    };
    let expected = case.entry("expect");
    let mut weighted = tape.constant(Tensor::scalar(T::ZERO));
    for (name, output) in &outputs {
        match output {
            Output::Integers(found) => case.compare_exactly(name, found, &expected[name])?,
            Output::Floats(found) => {
                case.compare(name, found.value(), &expected[name])?;
                if let cotangent @ Value::Object(_) = &case.entry("cotangent")[name] {
                    let cotangent = tape.constant(floats::<T>(cotangent)?);
                    let term = found.mul(&cotangent).and_then(|product| product.sum(..));
                    weighted = weighted.add(&term.map_err(told)?).map_err(told)?;
                }
            }
        }
    }
    let named = expected.as_object().map_or(0, |expected| expected.len());
    if named != outputs.len() {
        return Err(format!("{} results, expected {named}", outputs.len()));
    }
    for (name, wanted) in case.entry("grad").as_object().into_iter().flatten() {
        let gradient = weighted.grad(&[&inputs[name]]).map_err(told)?.remove(0);
        case.compare(&format!("gradient to {name}"), gradient.value(), wanted)?;
        if let wanted @ Value::Object(_) = &case.entry("hvp")[name] {
            let direction = match &case.entry("v")["data"] {
                Value::Array(_) => &case.entry("v"),
                _ => &&case.entry("v")[name],
            };
            let direction = tape.constant(floats::<T>(direction)?);
            let product = gradient.vjp(&direction, &[&inputs[name]]).map_err(told)?;
            case.compare("Hessian-vector product", product[0].value(), wanted)?;
        }
    }
    if !case.entry("grad").is_null() {
        // The sweep that uses up the tape must agree with the one that keeps it.
        let gradients = weighted.backward().map_err(told)?;
        for (name, wanted) in case.entry("grad").as_object().into_iter().flatten() {
            let gradient = gradients.of(&inputs[name]).map_err(told)?;
            case.compare(&format!("backward to {name}"), gradient, wanted)?;
        }
    }
    Ok(true)
}

/// The results of a case's operation; none if it is not known.
fn outputs<T: Float>(case: &Case, inputs: &Inputs<T>) -> Checked<Option<Outputs<T>>> {
    let found = match found(case, inputs)? {
        Some(found) => found.map_err(told)?,
        None => return Ok(None),
    };
    Ok(Some(match found {
        Found::One(output) => vec![("out".into(), Output::Floats(output))],
        Found::Exact(output) => vec![("out".into(), Output::Integers(output))],
        Found::Named(outputs) => outputs
            .into_iter()
            .map(|(name, output)| (name.to_string(), output))
            .collect(),
        Found::Numbered(outputs) => (0..)
            .zip(outputs)
            .map(|(number, output)| (format!("out{number}"), Output::Floats(output)))
            .collect(),
    }))
}

/// What an operation returns.
enum Found<T: Float> {
    One(Var<T>),
    Exact(Tensor<i64>),
    Named(Vec<(&'static str, Output<T>)>),
    Numbered(Vec<Var<T>>),
}

fn found<T: Float>(case: &Case, inputs: &Inputs<T>) -> Checked<Option<Result<Found<T>>>> {
    let settings = Settings { case };
    for family in [unary, binary, reduction, along_axis, shape, index] {
        if let Some(found) = family(settings, inputs)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What a family knows of an operation.
type Known<T> = Checked<Option<Result<Found<T>>>>;

/// A case's settings, in the types that operations take.
#[derive(Clone, Copy)]
struct Settings<'a> {
    case: &'a Case,
}

impl Settings<'_> {
    fn number(self, key: &str) -> Checked<f64> {
        self.case.required(key)
    }

    fn integer(self, key: &str) -> Checked<isize> {
        let integer = self.case.integer(key).ok_or(format!("no {key}"))?;
        Ok(integer as isize)
    }

    fn list(self, key: &str) -> Vec<isize> {
        integers(self.case.setting(key))
    }

    fn sizes(self, key: &str) -> Vec<usize> {
        self.list(key)
            .into_iter()
            .map(|size| size as usize)
            .collect()
    }

    fn mask(self, name: &str) -> Checked<Tensor<bool>> {
        let mask = self.case.integers(name)?;
        mask.cast::<bool>().map_err(told)
    }

    fn axes(self) -> Axes {
        let axes = match self.case.setting("dim") {
            Value::Null => Axes::from(..),
            Value::Number(axis) => Axes::from(axis.as_i64().unwrap_or_default() as isize),
            list => Axes::from(&integers(list)[..]),
        };
        if self.case.flag("keepdim") {
            keep(axes)
        } else {
            axes
        }
    }
}

fn integers(list: &Value) -> Vec<isize> {
    let list = list.as_array().into_iter().flatten();
    list.filter_map(Value::as_i64).map(|x| x as isize).collect()
}

fn one<T: Float>(output: Result<Var<T>>) -> Known<T> {
    Ok(Some(output.map(Found::One)))
}

fn exact<T: Float>(output: Result<Tensor<i64>>) -> Known<T> {
    Ok(Some(output.map(Found::Exact)))
}

fn unary<T: Float>(settings: Settings<'_>, inputs: &Inputs<T>) -> Known<T> {
    let Some(a) = inputs.get("a") else {
        return Ok(None);
    };
    one(match settings.case.op.as_str() {
        "neg" => a.neg(),
        "exp" => a.exp(),
        "expm1" => a.exp_m1(),
        "log" => a.ln(),
        "log1p" => a.ln_1p(),
        "log2" => a.log2(),
        "sqrt" => a.sqrt(),
        "rsqrt" => a.rsqrt(),
        "reciprocal" => a.recip(),
        "square" => a.square(),
        "square_sum" => a.square().and_then(|square| square.sum(..)),
        "abs" => a.abs(),
        "sign" => a.signum(),
        "floor" => a.floor(),
        "ceil" => a.ceil(),
        "round" => a.round(),
        "sin" => a.sin(),
        "cos" => a.cos(),
        "atan" => a.atan(),
        "erf" => a.erf(),
        "tanh" => a.tanh(),
        "sigmoid" => a.sigmoid(),
        "logsigmoid" => a.log_sigmoid(),
        "softplus" | "log1p_exp" => a.softplus(),
        "relu" => a.relu(),
        "leaky_relu" => a.map(LeakyRelu(settings.number("slope")?)),
        "pow_scalar" => a.powf(settings.number("exponent")?),
        "clamp" => a.clamp(settings.number("min")?, settings.number("max")?),
        "masked_fill" => a.masked_fill(&settings.mask("mask")?, settings.number("value")?),
        _ => return Ok(None),
    })
}

fn binary<T: Float>(settings: Settings<'_>, inputs: &Inputs<T>) -> Known<T> {
    if settings.case.op == "matmul_quad" {
        let a = &inputs["a"];
        return one(a.transpose(0, 1).and_then(|columns| a.matmul(&columns)));
    }
    let (Some(a), Some(b)) = (inputs.get("a"), inputs.get("b")) else {
        return Ok(None);
    };
    let truth = |mask: Result<Tensor<bool>>| exact(mask.and_then(|mask| mask.cast()));
    let (x, y) = (a.value(), b.value());
    one(match settings.case.op.as_str() {
        "eq" => return truth(x.eq(y)),
        "ne" => return truth(x.ne(y)),
        "lt" => return truth(x.lt(y)),
        "le" => return truth(x.le(y)),
        "gt" => return truth(x.gt(y)),
        "ge" => return truth(x.ge(y)),
        "add" => a.add(b),
        "sub" => a.sub(b),
        "mul" => a.mul(b),
        "div" => a.div(b),
        "maximum" => a.maximum(b),
        "minimum" => a.minimum(b),
        "pow" => a.pow(b),
        "logaddexp" => a.logaddexp(b),
        "where" => Var::select(&settings.mask("cond")?, a, b),
        "matmul" => a.matmul(b),
        "matmul_transposed" => {
            let transposed = || a.transpose(0, 1)?.matmul(&b.transpose(0, 1)?);
            transposed()
        }
        "outer" => a.einsum("i,j->ij", b),
        "einsum" => {
            let equation = settings.case.setting("equation").as_str();
            a.einsum(equation.ok_or("no equation")?, b)
        }
        "cat" => Var::concatenate(&[a, b], settings.integer("dim")?),
        "stack" => Var::stack(&[a, b], settings.integer("dim")?),
        _ => return Ok(None),
    })
}

fn reduction<T: Float>(settings: Settings<'_>, inputs: &Inputs<T>) -> Known<T> {
    if settings.case.op == "sum_repeat" {
        let value = T::from_f64(settings.number("value")?);
        let count = settings.integer("count")? as usize;
        let sum = Tensor::full([count], value).and_then(|copies| copies.sum(..));
        return one(sum.map(|sum| Tape::new().constant(sum)));
    }
    let Some(a) = inputs.get("a") else {
        return Ok(None);
    };
    let axes = settings.axes();
    let correction = settings.case.integer("correction").unwrap_or(0) as usize;
    let threshold = || -> Checked<Result<Tensor<bool>>> {
        let threshold = Tensor::scalar(T::from_f64(settings.number("threshold")?));
        Ok(a.value().gt(&threshold))
    };
    let truth = |mask: Result<Tensor<bool>>| exact(mask.and_then(|mask| mask.cast()));
    one(match settings.case.op.as_str() {
        "sum" => a.sum(axes),
        "mean" => a.mean(axes),
        "prod" => a.prod(axes),
        "amax" => a.amax(axes),
        "amin" => a.amin(axes),
        // The second-order vectors name no axis and mean the last.
        "logsumexp" if settings.case.setting("note").is_string() => a.logsumexp(-1),
        "logsumexp" => a.logsumexp(axes),
        "norm1" => a.norm(Norm::L1, axes),
        "norm2" => a.norm(Norm::L2, axes),
        "var" => a.var(axes, correction),
        "std" => a.std(axes, correction),
        "argmax" => return exact(a.value().argmax(axes)),
        "argmin" => return exact(a.value().argmin(axes)),
        "any" => return truth(threshold()?.and_then(|mask| mask.any(axes))),
        "all" => return truth(threshold()?.and_then(|mask| mask.all(axes))),
        _ => return Ok(None),
    })
}

/// Operations along one axis.
fn along_axis<T: Float>(settings: Settings<'_>, inputs: &Inputs<T>) -> Known<T> {
    let Some(a) = inputs.get("a") else {
        return Ok(None);
    };
    let axis = settings.case.integer("dim").unwrap_or(-1) as isize;
    let descending = settings.case.flag("descending");
    let both = |found: Result<(Var<T>, Tensor<i64>)>| {
        Ok(Some(found.map(|(values, indices)| {
            Found::Named(vec![
                ("values", Output::Floats(values)),
                ("indices", Output::Integers(indices)),
            ])
        })))
    };
    let values = |found: Result<(Var<T>, Tensor<i64>)>| found.map(|(values, _)| values);
    let k = settings.case.integer("k").unwrap_or(1) as usize;
    one(match settings.case.op.as_str() {
        "softmax" => a.softmax(axis),
        "log_softmax" => a.log_softmax(axis),
        "cumsum" => a.cumsum(axis),
        "cumprod" => a.cumprod(axis),
        "cummax_values" => values(a.cummax(axis)),
        "median_values" => values(a.median(axis)),
        "kthvalue" => values(a.kthvalue(k, axis)),
        "flip" => a.flip([axis]),
        "sort" => return both(a.sort(axis, descending)),
        "topk" => return both(a.topk(k, axis, settings.case.flag("largest"))),
        "argsort" => return exact(a.value().argsort(axis, descending)),
        "roll" => a.roll(settings.integer("shift")?, axis),
        "squeeze" => a.squeeze(axis),
        "unsqueeze" => a.unsqueeze(axis),
        "unfold_windows" => {
            let (size, step) = (settings.integer("size")?, settings.integer("step")?);
            a.unfold(axis, size as usize, step as usize)
        }
        _ => return Ok(None),
    })
}

fn shape<T: Float>(settings: Settings<'_>, inputs: &Inputs<T>) -> Known<T> {
    let Some(a) = inputs.get("a") else {
        return Ok(None);
    };
    // One size may be −1: what is left of the elements.
    let reshaped = |x: &Var<T>| {
        let sizes = settings.list("shape");
        let known: isize = sizes.iter().filter(|&&size| size >= 0).product();
        let rest = x.value().count() / known as usize;
        let sizes = sizes.into_iter();
        x.reshape(
            sizes
                .map(|size| usize::try_from(size).unwrap_or(rest))
                .collect::<Vec<_>>(),
        )
    };
    one(match settings.case.op.as_str() {
        "reshape" => reshaped(a),
        "transpose" => {
            let axes = settings.list("dims");
            a.transpose(axes[0], axes[1])
        }
        "permute" => a.permute(settings.list("dims")),
        "permute_then_reshape" => a.permute(settings.list("dims")).and_then(|x| reshaped(&x)),
        "expand" | "broadcast_to" => a.expand(settings.sizes("shape")),
        "repeat" => a.repeat(settings.sizes("repeats")),
        "pad_constant" => {
            let pad = settings.case.setting("pad").as_array().ok_or("no pad")?;
            let margins = pad
                .iter()
                .map(integers)
                .map(|m| (m[0] as usize, m[1] as usize));
            a.pad(margins.collect::<Vec<_>>(), settings.number("value")?)
        }
        "split" => {
            let (size, axis) = (settings.integer("size")? as usize, settings.integer("dim")?);
            return Ok(Some(a.split_every(axis, size).map(Found::Numbered)));
        }
        "chunk" => {
            let (count, axis) = (
                settings.integer("chunks")? as usize,
                settings.integer("dim")?,
            );
            return Ok(Some(a.chunk(axis, count).map(Found::Numbered)));
        }
        "slice" => {
            let slices = settings
                .case
                .setting("slices")
                .as_array()
                .ok_or("no slices")?;
            let slice = |s: Vec<isize>| Slice::from(s[0]..s[1]).step(s[2]);
            a.slices(slices.iter().map(integers).map(slice).collect::<Vec<_>>())
        }
        "tril" => a.tril(settings.integer("diagonal")?),
        "triu" => a.triu(settings.integer("diagonal")?),
        "diag" => a.diag(0),
        "masked_select" => a.masked_select(&settings.mask("mask")?),
        _ => return Ok(None),
    })
}

fn index<T: Float>(settings: Settings<'_>, inputs: &Inputs<T>) -> Known<T> {
    let case = settings.case;
    match case.op.as_str() {
        "one_hot" => {
            let index = case.integers("index")?;
            return exact(index.one_hot(settings.integer("num_classes")? as usize));
        }
        "bincount" => {
            let index = case.integers("index")?;
            return exact(index.bincount(settings.integer("minlength")? as usize));
        }
        "unique" => {
            let unique = case.integers("a")?.unique();
            return Ok(Some(unique.map(|unique| {
                Found::Named(vec![
                    ("values", Output::Integers(unique.values)),
                    ("counts", Output::Integers(unique.counts)),
                ])
            })));
        }
        _ => {}
    }
    let (Some(a), true) = (inputs.get("a"), case.has_input("index")) else {
        return Ok(None);
    };
    let (index, axis) = (case.integers("index")?, settings.integer("dim")?);
    one(match case.op.as_str() {
        "index_select" => a.index_select(axis, &index),
        "gather" => a.gather(axis, &index),
        "scatter_add" => a.scatter_add(axis, &index, &inputs["src"]),
        "index_add" => a.index_add(axis, &index, &inputs["src"]),
        _ => return Ok(None),
    })
}
