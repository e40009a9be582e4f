//! Runs the vectors of layers and of their first values, and hands on those of optimizers.

use macula::nn::{Visitor, init};
use macula::prelude::*;
use macula::tensor::{Convolution, PerSpatialAxis, Pooling};
use serde_json::{Map, Value};

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
        "conv1d"
        | "conv2d"
        | "conv_transpose2d"
        | "avg_pool2d"
        | "max_pool2d"
        | "adaptive_avg_pool2d"
        | "upsample_nearest2d" => Box::new(Spatial::new(case)?),
        _ => return Ok(None),
    }))
}

/// A convolution, a pooling or an up-sampling, by its name.
struct Spatial<T: Float> {
    op: String,
    weight: Option<Param<T>>,
    bias: Option<Param<T>>,
    convolution: Convolution,
    output_padding: PerSpatialAxis,
    pooling: Pooling,
    scale: PerSpatialAxis,
}

impl<T: Float> Spatial<T> {
    fn new(case: &Case) -> Checked<Self> {
        let params = case.named("params")?;
        let setting = |name: &str, default: usize| per_axis(case.setting(name), default);
        let stride = setting("stride", 1)?;
        let padding = setting("padding", 0)?;
        let pooling = match case.setting("output") {
            Value::Null => Pooling::new(setting("kernel", 1)?)
                .stride(stride.clone())
                .padding(padding.clone())
                .count_include_pad(case.flag("count_include_pad")),
            size => Pooling::adaptive(per_axis(size, 1)?),
        };
        Ok(Self {
            op: case.op.clone(),
            weight: parameter(params, "weight")?,
            bias: parameter(params, "bias")?,
            convolution: Convolution::new()
                .stride(stride)
                .padding(padding)
                .dilation(setting("dilation", 1)?)
                .groups(case.integer("groups").unwrap_or(1) as usize),
            output_padding: setting("output_padding", 0)?,
            pooling,
            scale: setting("scale", 1)?,
        })
    }
}

impl<T: Float> Module<T> for Spatial<T> {
    fn forward(&self, x: &Var<T>) -> Result<Var<T>> {
        let on_tape = |param: &Option<Param<T>>| param.as_ref().map(|own| x.tape().param(own));
        let bias = on_tape(&self.bias);
        let (bias, settings) = (bias.as_ref(), &self.convolution);
        match (self.op.as_str(), on_tape(&self.weight)) {
            ("conv1d", Some(weight)) => x.conv1d(&weight, bias, settings),
            ("conv_transpose2d", Some(weight)) => {
                x.conv_transpose2d(&weight, bias, settings, self.output_padding.clone())
            }
            (_, Some(weight)) => x.conv2d(&weight, bias, settings),
            ("upsample_nearest2d", None) => x.upsample_nearest2d(self.scale.clone()),
            ("max_pool2d", None) => Ok(x.max_pool2d(&self.pooling)?.0),
            _ => x.avg_pool2d(&self.pooling),
        }
    }

    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        for (name, param) in [("weight", &self.weight), ("bias", &self.bias)] {
            if let Some(param) = param {
                visitor.param(name, param);
            }
        }
    }
}

/// A parameter of a case, if it has one of that name.
fn parameter<T: Float>(params: &Map<String, Value>, name: &str) -> Checked<Option<Param<T>>> {
    let value = params.get(name).map(floats).transpose()?;
    Ok(value.map(|value| Param::new(name, value)))
}

/// A setting that is one number or a list of them.
fn per_axis(setting: &Value, default: usize) -> Checked<PerSpatialAxis> {
    if setting.is_null() {
        return Ok(default.into());
    }
    let number = |value: &Value| value.as_u64().map(|number| number as usize);
    let numbers: Option<Vec<usize>> = match setting.as_array() {
        Some(numbers) => numbers.iter().map(number).collect(),
        None => {
            return number(setting)
                .map(PerSpatialAxis::from)
                .ok_or("not a number".into());
        }
    };
    Ok(numbers.ok_or("not a list of numbers")?.as_slice().into())
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
