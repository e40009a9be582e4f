//! Runs the loss vectors.

use std::collections::BTreeMap;

use macula::prelude::*;

use crate::case::{Case, Checked};

/// Operations that wait for their issue.
pub const NOT_IMPLEMENTED: &[&str] = &[
    "asl_single_label",
    "asymmetric",
    "balanced_softmax",
    "bce_probs",
    "class_balanced",
    "cross_entropy_soft",
    "cyclical_focal",
    "dice",
    "dual_focal",
    "equalization",
    "flsd",
    "focal_star",
    "focal_tversky",
    "gaussian_focal",
    "generalized_dice",
    "ghm_c",
    "huber",
    "jaccard",
    "kl_div",
    "l1",
    "ldam",
    "logit_adjusted_ce",
    "lovasz_hinge",
    "lovasz_softmax",
    "mse",
    "nll",
    "poly1_ce",
    "poly1_focal",
    "poly1_focal_binary",
    "quality_focal",
    "reduced_focal",
    "seesaw",
    "smooth_l1",
    "soft_binary_focal",
    "soft_multiclass_focal",
    "tversky",
    "varifocal",
    "vs_loss",
];

/// The floating-point inputs of a case as variables.
type Inputs<T> = BTreeMap<String, Var<T>>;

/// A loss, ready to be evaluated with any reduction.
type Loss<'a, T> = Box<dyn Fn(&Inputs<T>, Reduction) -> Result<Var<T>> + 'a>;

pub fn run(case: &Case) -> Option<Checked<()>> {
    if case.op == "effective_number_weights" {
        return Some(effective_number_weights(case));
    }
    let both = || -> Checked<bool> {
        Ok(
            check::<f64>(case).map_err(|failure| format!("f64: {failure}"))?
                && check::<f32>(case).map_err(|failure| format!("f32: {failure}"))?,
        )
    };
    match both() {
        Ok(true) => Some(Ok(())),
        Ok(false) => None,
        Err(failure) => Some(Err(failure)),
    }
}

/// Values, gradients and second derivatives; false if the loss is not known.
fn check<T: Float>(case: &Case) -> Checked<bool> {
    let Some(loss) = loss::<T>(case)? else {
        return Ok(false);
    };
    let told = |error: Error| error.to_string();
    for (name, wanted) in case.entry("expect").as_object().into_iter().flatten() {
        let value = loss(&inputs(case)?, reduction(case, name)?).map_err(told)?;
        case.compare(name, value.value(), wanted)?;
    }
    for (name, wanted) in case.entry("grad").as_object().into_iter().flatten() {
        let inputs = inputs::<T>(case)?;
        let value = loss(&inputs, reduction(case, name)?).map_err(told)?;
        let gradients = value.backward().map_err(told)?;
        for (input, wanted) in wanted.as_object().into_iter().flatten() {
            let gradient = gradients.of(&inputs[input]).map_err(told)?;
            case.compare(&format!("gradient of {name} to {input}"), gradient, wanted)?;
        }
    }
    for (input, wanted) in case.entry("hess_diag").as_object().into_iter().flatten() {
        let diagonal = hessian_diagonal::<T>(case, &loss, input).map_err(told)?;
        case.compare(&format!("second derivative to {input}"), &diagonal, wanted)?;
    }
    Ok(true)
}

fn inputs<T: Float>(case: &Case) -> Checked<Inputs<T>> {
    let tape = Tape::new();
    let inputs = case.float_inputs()?.into_iter();
    Ok(inputs
        .map(|(name, tensor)| (name, tape.var(tensor)))
        .collect())
}

/// ∂²/∂xᵢ² of the sum, one element at a time.
fn hessian_diagonal<T: Float>(case: &Case, loss: &Loss<'_, T>, input: &str) -> Result<Tensor<T>> {
    let inputs = inputs::<T>(case).map_err(|message| Error::Gradient {
        op: "hessian",
        message: message.to_string(),
    })?;
    let x = &inputs[input];
    let gradient = loss(&inputs, Reduction::Sum)?.grad(&[x])?.remove(0);
    let count = x.value().count();
    let mut diagonal = Vec::with_capacity(count);
    for index in 0..count {
        let mut unit = vec![T::ZERO; count];
        unit[index] = T::ONE;
        let unit = x.tape().constant(Tensor::from_vec(unit, x.shape())?);
        let row = gradient.vjp(&unit, &[x])?.remove(0);
        diagonal.push(row.value().flatten()?.to_vec()?[index]);
    }
    Tensor::from_vec(diagonal, x.shape())
}

/// The reduction that a file's word stands for.
fn reduction(case: &Case, name: &str) -> Checked<Reduction> {
    // The usual mean of a weighted cross-entropy divides by the weights.
    let weighted = matches!(case.op.as_str(), "cross_entropy" | "nll");
    Ok(match name {
        "none" => Reduction::None,
        "sum" => Reduction::Sum,
        "mean" if weighted => Reduction::WeightedMean,
        "mean" => Reduction::Mean,
        "weighted_mean" => Reduction::WeightedMean,
        "mean_num_pos" => Reduction::MeanOverPositives,
        name => return Err(format!("reduction {name} is not known")),
    })
}

/// The loss of a case; none if it is not known.
fn loss<T: Float>(case: &Case) -> Checked<Option<Loss<'_, T>>> {
    let labels = || case.integers("target");
    let vector = |name: &str| -> Checked<Vec<f64>> {
        case.floats::<f64>(name)?
            .to_vec()
            .map_err(|error| error.to_string())
    };
    Ok(Some(match case.op.as_str() {
        "binary_focal" => {
            let mut focal = SigmoidFocalLoss::new().gamma(case.number("gamma").unwrap_or(2.0));
            if let Some(alpha) = case.number("alpha") {
                focal = focal.alpha(alpha);
            }
            if let Some(label) = case.number("ignore") {
                focal = focal.ignore_index(label as i64);
            }
            if case.has_input("pos_weight") {
                focal = focal.positive_weight(vector("pos_weight")?[0]);
            }
            let labels = labels()?;
            Box::new(move |inputs, reduction| {
                let focal = focal.reduction(reduction);
                match inputs.get("weight") {
                    None => focal.forward(&inputs["logits"], &labels),
                    Some(weight) => {
                        let weight = weight.value().expand(labels.shape())?;
                        focal.forward_weighted(&inputs["logits"], &labels, &weight)
                    }
                }
            })
        }
        "multiclass_focal"
            if case.number("label_smoothing").unwrap_or(0.0) == 0.0 && !case.has_input("gamma") =>
        {
            let mut focal = SoftmaxFocalLoss::new().gamma(case.number("gamma").unwrap_or(2.0));
            if case.has_input("alpha") {
                focal = focal.alpha(vector("alpha")?);
            }
            if let Some(label) = case.integer("ignore_index") {
                focal = focal.ignore_index(label);
            }
            let labels = labels()?;
            Box::new(move |inputs, reduction| {
                let focal = focal.clone().reduction(reduction);
                match inputs.get("weight") {
                    None => focal.forward(&inputs["logits"], &labels),
                    Some(weight) => {
                        focal.forward_weighted(&inputs["logits"], &labels, weight.value())
                    }
                }
            })
        }
        "cross_entropy" if case.number("label_smoothing").unwrap_or(0.0) == 0.0 => {
            let mut loss = SoftmaxCrossEntropy::new();
            if case.has_input("weight") {
                loss = loss.class_weights(vector("weight")?);
            }
            if let Some(label) = case.integer("ignore_index") {
                loss = loss.ignore_index(label);
            }
            let labels = labels()?;
            Box::new(move |inputs, reduction| {
                loss.clone()
                    .reduction(reduction)
                    .forward(&inputs["logits"], &labels)
            })
        }
        _ => return Ok(None),
    }))
}

fn effective_number_weights(case: &Case) -> Checked<()> {
    let told = |error: Error| error.to_string();
    let counts = case.integers("counts")?.to_vec().map_err(told)?;
    let counts: Vec<usize> = counts.into_iter().map(|count| count as usize).collect();
    let counts = ClassCounts::from_counts(counts).map_err(told)?;
    let beta = case.number("beta").unwrap_or(0.0);
    let weights = if case.flag("normalize") {
        counts.effective_number_weights(beta)
    } else {
        counts.inverse_effective_numbers(beta)
    };
    let weights = Tensor::from(weights.map_err(told)?);
    case.compare::<f64>("weights", &weights, &case.entry("expect")["weights"])
}
