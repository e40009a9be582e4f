//! Runs the vectors of layers and of their first values, and hands on those of optimizers.

use macula::nn::init;
use macula::prelude::*;
use serde_json::Value;

use crate::case::{Case, Checked, floats, list, told};
use crate::optimizers;

/// What the vectors have and macula does not.
pub(crate) const NOT_IMPLEMENTED: &[&str] = &[
    // Activations.
    "softplus_beta",
    "logsigmoid",
    "hardswish",
    "hardsigmoid",
    "softsign",
    "relu6",
    "softmax",
    "log_softmax",
    "glu",
    // Layers.
    "embedding",
    "layer_norm",
    "rms_norm",
    "group_norm",
    "batch_norm",
    "scaled_dot_product_attention",
    "conv1d",
    "conv2d",
    "conv_transpose2d",
    "avg_pool2d",
    "max_pool2d",
    "adaptive_avg_pool2d",
    "upsample_nearest2d",
    // Optimizers.
    "rmsprop",
    "adagrad",
    "adadelta",
    "nadam",
    "radam",
    "adamax",
    // Schedules of the learning rate; the layer of the name `linear` is there.
    "step",
    "multi_step",
    "exponential",
    "constant",
    "linear",
    "polynomial",
    "cosine",
    "cosine_warm_restarts",
    "warmup_cosine",
    "one_cycle",
    "reduce_on_plateau",
    // Training runs, by their loss.
    "cross_entropy",
    "sigmoid_focal",
    "softmax_focal",
];

/// What a case of any file says; false if the operation is not known.
pub(crate) fn check<T: Float>(case: &Case) -> Checked<bool> {
    match case.op.as_str() {
        "prior_bias" => prior_bias::<T>(case)?,
        "init_scales" => fans(case)?,
        "sgd" | "adam" | "adamw" => optimizers::steps::<T>(case)?,
        "clip_grad_norm" | "clip_grad_value" => optimizers::clipping::<T>(case)?,
        _ => match layer::<T>(case)? {
            Some(layer) => forward_and_backward(case, layer.as_ref())?,
            None => return Ok(false),
        },
    }
    Ok(true)
}

/// The layer of a case; none if it is not known.
fn layer<T: Float>(case: &Case) -> Checked<Option<Box<dyn Module<T>>>> {
    Ok(Some(match case.op.as_str() {
        "relu" => Box::new(Relu),
        "gelu" => Box::new(Gelu),
        "gelu_tanh" => Box::new(GeluTanh),
        "silu" => Box::new(Silu),
        "mish" => Box::new(Mish),
        "elu" => Box::new(Elu(case.required("alpha")?)),
        "selu" => Box::new(Selu),
        "softplus" => Box::new(Softplus),
        "sigmoid" => Box::new(Sigmoid),
        "tanh" => Box::new(Tanh),
        "leaky_relu" => Box::new(LeakyRelu(case.required("slope")?)),
        // A schedule has the name too, and a rate to start from.
        "linear" if case.setting("base_lr").is_null() => Box::new(linear(case)?),
        _ => return Ok(None),
    }))
}

fn linear<T: Float>(case: &Case) -> Checked<Linear<T>> {
    let params = case.named("params")?;
    let weight: Tensor<T> = floats(params.get("weight").ok_or("no weight")?)?;
    let [outputs, inputs] = *weight.shape() else {
        return Err(format!("a weight of shape {:?}", weight.shape()));
    };
    let layer = Linear::new(inputs, outputs, &mut Rng::seed(7));
    layer.weight().set(weight).map_err(told)?;
    Ok(match params.get("bias") {
        Some(bias) => {
            let own = layer.bias().ok_or("a layer without bias")?;
            own.set(floats(bias)?).map_err(told)?;
            layer
        }
        None => layer.without_bias(),
    })
}

/// The result, and the gradients of Σ cotangent · result.
fn forward_and_backward<T: Float>(case: &Case, layer: &dyn Module<T>) -> Checked<()> {
    let tape = Tape::new();
    let x = tape.var(case.floats::<T>("x")?);
    let out = layer.forward(&x).map_err(told)?;
    case.compare("out", out.value(), &case.entry("expect")["out"])?;
    let cotangent = tape.constant(floats::<T>(&case.entry("cotangent")["out"])?);
    let total = out.mul(&cotangent).and_then(|product| product.sum(..));
    let gradients = total.and_then(|total| total.backward()).map_err(told)?;
    let parameters = layer.parameters();
    for (name, wanted) in case.named("grad")? {
        let gradient = match name.as_str() {
            "x" => gradients.of(&x).ok(),
            name => parameters.get(name).and_then(|own| gradients.get(own)),
        };
        let gradient = gradient.ok_or(format!("no gradient of {name}"))?;
        case.compare(&format!("gradient of {name}"), gradient, wanted)?;
    }
    Ok(())
}

fn prior_bias<T: Float>(case: &Case) -> Checked<()> {
    let layer = Linear::<T>::new(1, 1, &mut Rng::seed(7)).with_prior(case.required("pi")?);
    let bias = layer.bias().ok_or("a layer without bias")?.value();
    let bias = bias.reshape([0_usize; 0]).map_err(told)?;
    case.compare("bias", &bias, &case.entry("expect")["bias"])
}

fn fans(case: &Case) -> Checked<()> {
    let size = |value: &Value| value.as_u64().map(|size| size as usize);
    let sizes = list(case.setting("weight_shape"))?.iter().map(size);
    let shape: Vec<usize> = sizes.collect::<Option<_>>().ok_or("no shape")?;
    let wanted = ["fan_in", "fan_out"].map(|fan| size(&case.entry("expect")[fan]));
    let (fan_in, fan_out) = init::fans(&shape);
    if [Some(fan_in), Some(fan_out)] != wanted {
        return Err(format!("fans {fan_in} and {fan_out}, expected {wanted:?}"));
    }
    Ok(())
}
