//! Runs the loss vectors.

use std::collections::BTreeMap;

use macula::losses::formula::{ElementLoss, MarginLoss};
use macula::losses::*;
use macula::prelude::*;

use crate::case::{Case, Checked, told};

/// Operations that wait for their issue.
pub(crate) const NOT_IMPLEMENTED: &[&str] = &[];

/// The floating-point inputs of a case as variables.
type Inputs<T> = BTreeMap<String, Var<T>>;

/// A loss, ready to be evaluated with any reduction.
type Loss<'a, T> = Box<dyn Fn(&Inputs<T>, Reduction) -> Result<Var<T>> + 'a>;

/// Values, gradients and second derivatives; false if the loss is not known.
pub(crate) fn check<T: Float>(case: &Case) -> Checked<bool> {
    if case.op == "effective_number_weights" {
        return effective_number_weights(case).map(|()| true);
    }
    let Some(loss) = loss::<T>(case)? else {
        return Ok(false);
    };
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
        "batchmean" => {
            let batch = case.floats::<f64>("target")?.shape().first().copied();
            Reduction::DividedBy(batch.unwrap_or(1) as f64)
        }
        name => return Err(format!("reduction {name} is not known")),
    })
}

/// The loss of a case; none if it is not known.
fn loss<T: Float>(case: &Case) -> Checked<Option<Loss<'_, T>>> {
    let number = |name: &str, default: f64| case.number(name).unwrap_or(default);
    let gamma = number("gamma", 2.0);
    let epsilon = number("epsilon", 1.0);
    Ok(Some(match case.op.as_str() {
        "bce_with_logits" => soft(case, SigmoidCrossEntropy::new())?,
        "binary_focal" => labelled(case, SigmoidFocalLoss::new().gamma(gamma))?,
        "soft_binary_focal" => match case.setting("mode").as_str() {
            Some("mix") => soft(case, SigmoidFocalLoss::new().gamma(gamma))?,
            Some("interp") => soft(case, InterpolatedFocalLoss::new().gamma(gamma))?,
            _ => soft(case, QualityFocalLoss::new().beta(gamma))?,
        },
        "poly1_focal_binary" => {
            let mut poly = SigmoidPolyLoss::new().gamma(gamma).epsilon(epsilon);
            if let Some(alpha) = case.number("alpha") {
                poly = poly.logarithm_alpha(alpha);
            }
            elements(case, poly)?
        }
        "asymmetric" => {
            let loss = AsymmetricLoss::new()
                .gamma_positive(number("gamma_pos", 1.0))
                .gamma_negative(number("gamma_neg", 4.0))
                .clip(number("clip", 0.05))
                .detached(case.flag("detach_weight"));
            labelled(case, loss)?
        }
        "quality_focal" => soft(case, QualityFocalLoss::new().beta(number("beta", 2.0)))?,
        "varifocal" => {
            let loss = VarifocalLoss::new()
                .negative_alpha(number("alpha", 0.75))
                .gamma(gamma)
                .quality_weighted(case.flag("iou_weighted"));
            soft_elements(case, loss)?
        }
        "gaussian_focal" => {
            let loss = GaussianFocalLoss::new().focusing(number("alpha", 2.0));
            soft_elements(case, loss.gamma(number("gamma", 4.0)))?
        }
        "focal_star" => {
            let loss = FocalStarLoss::new().gamma(gamma);
            labelled(case, loss.beta(number("beta", 0.0)))?
        }
        "reduced_focal" => {
            let loss = ReducedFocalLoss::new().gamma(gamma);
            labelled(case, loss.threshold(number("threshold", 0.5)))?
        }
        "multiclass_focal" => {
            let mut focal = SoftmaxFocalLoss::new().gamma(gamma);
            if case.has_input("gamma") {
                focal = focal.gammas(vector(case, "gamma")?);
            }
            rows(case, class_weighted(case, focal, "alpha")?, "weight")?
        }
        "soft_multiclass_focal" => {
            let focal = SoftmaxFocalLoss::new().gamma(gamma);
            shares(case, class_weighted(case, focal, "alpha")?)?
        }
        "cross_entropy" => {
            let loss = class_weighted(case, SoftmaxCrossEntropy::new(), "weight")?;
            rows(case, loss, "")?
        }
        "cross_entropy_soft" => {
            let loss = class_weighted(case, SoftmaxCrossEntropy::new(), "weight")?;
            shares(case, loss)?
        }
        "poly1_ce" | "poly1_focal" => {
            let gamma = number("gamma", 0.0);
            let mut poly = SoftmaxPolyLoss::new().gamma(gamma).epsilon(epsilon);
            for weights in ["weight", "alpha"] {
                if case.has_input(weights) {
                    poly = poly.logarithm_weights(vector(case, weights)?);
                }
            }
            rows(case, poly, "")?
        }
        "flsd" => {
            let loss = SampleDependentFocalLoss::new();
            let loss = loss.gammas(number("gamma_low", 5.0), number("gamma_high", 3.0));
            rows(case, loss.threshold(number("threshold", 0.2)), "")?
        }
        "cyclical_focal" => {
            let loss = CyclicalFocalLoss::new()
                .gamma_confident(number("gamma_hc", 3.0))
                .gamma(number("gamma_lc", 2.0));
            let (epoch, epochs) = (number("epoch", 0.0), number("epochs", 1.0));
            let factor = number("factor", 2.0);
            rows(
                case,
                loss.at_epoch(epoch as usize, epochs as usize, factor),
                "",
            )?
        }
        "asl_single_label" => {
            let loss = AsymmetricSingleLabelLoss::new()
                .gamma_positive(number("gamma_pos", 0.0))
                .gamma_negative(number("gamma_neg", 4.0));
            rows(case, loss, "")?
        }
        "dual_focal" => rows(case, DualFocalLoss::new().gamma(number("gamma", 5.0)), "")?,
        "seesaw" => {
            let loss = SeesawLoss::new(&counts(case)?)
                .mitigation(number("p", 0.8))
                .compensation(number("q", 2.0))
                .eps(number("eps", 0.01));
            rows(case, loss, "")?
        }
        "class_balanced" => class_balanced(case)?,
        "ldam" | "logit_adjusted_ce" | "balanced_softmax" | "vs_loss" => {
            rows(case, with_logits_adjusted(case)?, "")?
        }
        "kl_div" => {
            let loss = KlDivergence::new().log_targets(case.flag("log_target"));
            Box::new(move |inputs, reduction| {
                loss.reduction(reduction)
                    .forward(&inputs["log_probs"], &inputs["target"])
            })
        }
        "mse" => differences(MseLoss::new()),
        "l1" => differences(L1Loss::new()),
        "smooth_l1" => differences(SmoothL1Loss::new().beta(number("beta", 1.0))),
        "huber" => differences(HuberLoss::new().delta(number("delta", 1.0))),
        "dice" => {
            let loss = DiceLoss::new().squared(number("power", 1.0) == 2.0);
            regions(case, loss.smooth(number("smooth", 1.0)))?
        }
        "generalized_dice" => {
            let loss = GeneralizedDiceLoss::new();
            regions(case, loss.smooth(number("smooth", 1e-5)))?
        }
        "jaccard" => regions(case, JaccardLoss::new().smooth(number("smooth", 1.0)))?,
        "tversky" | "focal_tversky" => {
            let loss = TverskyLoss::new()
                .alpha(number("alpha", 0.5))
                .beta(number("beta", 0.5))
                .smooth(number("smooth", 1.0))
                .exponent(number("exponent", 1.0));
            regions(case, loss)?
        }
        _ => return special(case),
    }))
}

/// A loss with a builder of its own.
fn special<T: Float>(case: &Case) -> Checked<Option<Loss<'_, T>>> {
    let number = |name: &str, default: f64| case.number(name).unwrap_or(default);
    let labels = || case.integers("target");
    Ok(Some(match case.op.as_str() {
        "bce_probs" => {
            let targets = case.floats("target")?;
            Box::new(move |inputs, reduction| {
                let loss = ProbabilityCrossEntropy::new().reduction(reduction);
                loss.forward(&inputs["probs"], &targets)
            })
        }
        "nll" => {
            let loss = class_weighted(case, NllLoss::new(), "weight")?;
            let (loss, labels) = (with_ignored(case, loss), labels()?);
            Box::new(move |inputs, reduction| {
                let loss = loss.clone().reduction(reduction);
                loss.forward(&inputs["log_probs"], &labels)
            })
        }
        "ghm_c" => {
            let bins = case.integer("bins").unwrap_or(10) as usize;
            let (loss, labels) = (GhmLoss::new().bins(bins), labels()?);
            Box::new(move |inputs, reduction| {
                let loss = loss.clone().reduction(reduction);
                loss.forward(&inputs["logits"], &labels)
            })
        }
        "equalization" => {
            let loss = EqualizationLoss::new(vector(case, "freq")?);
            let loss = loss.threshold(number("lam", 0.00176));
            let foreground = case.integers("foreground")?.cast::<bool>().map_err(told)?;
            let labels = labels()?;
            Box::new(move |inputs, reduction| {
                let loss = loss.clone().reduction(reduction);
                loss.forward(&inputs["logits"], &labels, &foreground)
            })
        }
        "lovasz_hinge" => {
            let labels = labels()?;
            Box::new(move |inputs, _| LovaszLoss::new().hinge(&inputs["logits"], &labels))
        }
        "lovasz_softmax" => {
            let labels = labels()?;
            Box::new(move |inputs, _| LovaszLoss::new().forward(&inputs["logits"], &labels))
        }
        _ => return Ok(None),
    }))
}

/// An input as plain numbers.
fn vector(case: &Case, name: &str) -> Checked<Vec<f64>> {
    let tensor = case.floats::<f64>(name)?;
    tensor.to_vec().map_err(told)
}

fn counts(case: &Case) -> Checked<ClassCounts> {
    let counts = case.integers("counts")?.to_vec().map_err(told)?;
    let counts: Vec<usize> = counts.into_iter().map(|count| count as usize).collect();
    ClassCounts::from_counts(counts).map_err(told)
}

/// A sigmoid loss with the settings that nearly all cases share.
fn shared_settings<F>(case: &Case, mut loss: SigmoidLoss<F>) -> Checked<SigmoidLoss<F>> {
    if let Some(alpha) = case.number("alpha") {
        loss = loss.alpha(alpha);
    }
    if let Some(label) = case.number("ignore") {
        loss = loss.ignore_index(label as i64);
    }
    if case.has_input("pos_weight") {
        loss = loss.positive_weights(vector(case, "pos_weight")?);
    }
    Ok(loss)
}

fn labelled<F: ElementLoss, T: Float>(case: &Case, loss: SigmoidLoss<F>) -> Checked<Loss<'_, T>> {
    elements(case, shared_settings(case, loss)?)
}

fn soft<F: ElementLoss, T: Float>(case: &Case, loss: SigmoidLoss<F>) -> Checked<Loss<'_, T>> {
    soft_elements(case, shared_settings(case, loss)?)
}

/// A sigmoid loss of labels.
fn elements<F: ElementLoss, T: Float>(case: &Case, loss: SigmoidLoss<F>) -> Checked<Loss<'_, T>> {
    let labels = case.integers("target")?;
    Ok(Box::new(move |inputs, reduction| {
        let loss = loss.clone().reduction(reduction);
        match inputs.get("weight") {
            None => loss.forward(&inputs["logits"], &labels),
            Some(weight) => {
                let weight = weight.value().expand(labels.shape())?;
                loss.forward_weighted(&inputs["logits"], &labels, &weight)
            }
        }
    }))
}

/// A sigmoid loss of soft targets.
fn soft_elements<F: ElementLoss, T: Float>(
    case: &Case,
    loss: SigmoidLoss<F>,
) -> Checked<Loss<'_, T>> {
    let targets = case.floats("target")?;
    Ok(Box::new(move |inputs, reduction| {
        let loss = loss.clone().reduction(reduction);
        match inputs.get("weight") {
            None => loss.forward_soft(&inputs["logits"], &targets),
            Some(weight) => loss.forward_soft_weighted(&inputs["logits"], &targets, weight.value()),
        }
    }))
}

fn class_weighted<F>(case: &Case, loss: SoftmaxLoss<F>, name: &str) -> Checked<SoftmaxLoss<F>> {
    Ok(match case.has_input(name) {
        true => loss.class_weights(vector(case, name)?),
        false => loss,
    })
}

fn with_ignored<F>(case: &Case, loss: SoftmaxLoss<F>) -> SoftmaxLoss<F> {
    match case.integer("ignore_index") {
        Some(label) => loss.ignore_index(label),
        None => loss,
    }
}

/// A softmax loss of labels, with sample weights of the name given.
fn rows<'a, F: RowLoss, T: Float>(
    case: &'a Case,
    loss: SoftmaxLoss<F>,
    sample_weights: &'static str,
) -> Checked<Loss<'a, T>> {
    let smoothing = case.number("label_smoothing").unwrap_or(0.0);
    let loss = with_ignored(case, loss.label_smoothing(smoothing));
    let labels = case.integers("target")?;
    Ok(Box::new(move |inputs, reduction| {
        let loss = loss.clone().reduction(reduction);
        match inputs.get(sample_weights) {
            None => loss.forward(&inputs["logits"], &labels),
            Some(weight) => loss.forward_weighted(&inputs["logits"], &labels, weight.value()),
        }
    }))
}

/// A softmax loss of soft targets.
fn shares<F: MarginLoss, T: Float>(case: &Case, loss: SoftmaxLoss<F>) -> Checked<Loss<'_, T>> {
    let loss = loss.label_smoothing(case.number("label_smoothing").unwrap_or(0.0));
    let targets = case.floats("target_prob")?;
    Ok(Box::new(move |inputs, reduction| {
        let loss = loss.clone().reduction(reduction);
        loss.forward_soft(&inputs["logits"], &targets)
    }))
}

fn with_logits_adjusted(case: &Case) -> Checked<SoftmaxFocalLoss> {
    let number = |name: &str, default: f64| case.number(name).unwrap_or(default);
    let loss = SoftmaxFocalLoss::new().gamma(number("focal_gamma", 0.0));
    let counts = counts(case)?;
    Ok(match case.op.as_str() {
        "ldam" => class_weighted(case, loss, "weight")?
            .label_aware_margins(&counts, number("max_m", 0.5), number("s", 30.0))
            .map_err(told)?,
        "logit_adjusted_ce" => loss
            .logit_adjusted(&counts, number("tau", 1.0))
            .map_err(told)?,
        "balanced_softmax" => loss.balanced(&counts),
        _ => loss
            .vector_scaled(&counts, number("tau", 0.0), number("gamma", 0.0))
            .map_err(told)?,
    })
}

fn class_balanced<T: Float>(case: &Case) -> Checked<Loss<'_, T>> {
    let (counts, beta) = (counts(case)?, case.number("beta").unwrap_or(0.0));
    let gamma = case.number("gamma").unwrap_or(2.0);
    let focal = |gamma| {
        SoftmaxFocalLoss::new()
            .gamma(gamma)
            .class_balanced(&counts, beta)
    };
    Ok(match case.setting("base").as_str() {
        Some("softmax") => rows(case, focal(0.0).map_err(told)?, "")?,
        Some("softmax_focal") => rows(case, focal(gamma).map_err(told)?, "")?,
        base => {
            let gamma = if base == Some("focal") { gamma } else { 0.0 };
            let loss = OneVsRestLoss::new(Focal { gamma }).class_balanced(&counts, beta);
            rows(case, loss.map_err(told)?, "")?
        }
    })
}

fn differences<'a, F: DifferenceLoss, T: Float>(loss: RegressionLoss<F>) -> Loss<'a, T> {
    Box::new(move |inputs, reduction| {
        loss.reduction(reduction)
            .forward(&inputs["input"], &inputs["target"])
    })
}

fn regions<F: RegionFormula, T: Float>(case: &Case, loss: RegionLoss<F>) -> Checked<Loss<'_, T>> {
    let mut loss = loss.over_batch(case.flag("batch"));
    if let Some(label) = case.integer("ignore_index") {
        loss = loss.ignore_index(label);
    }
    let labels = case.integers("target")?;
    let is_softmax = case.setting("mode") == "multiclass";
    Ok(Box::new(move |inputs, reduction| {
        let loss = loss.reduction(reduction);
        match is_softmax {
            true => loss.forward(&inputs["logits"], &labels),
            false => loss.forward_sigmoid(&inputs["logits"], &labels),
        }
    }))
}

fn effective_number_weights(case: &Case) -> Checked<()> {
    let counts = counts(case)?;
    let beta = case.number("beta").unwrap_or(0.0);
    let weights = if case.flag("normalize") {
        counts.effective_number_weights(beta)
    } else {
        counts.inverse_effective_numbers(beta)
    };
    let weights = Tensor::from(weights.map_err(told)?);
    case.compare::<f64>("weights", &weights, &case.entry("expect")["weights"])
}
