//! Every parameter with values that make no sense: an error that names the value.
//!
//! The table must have a row for every builder method that takes a number; a test reads them from
//! the sources.

use std::path::Path;

use macula_autograd::{Tape, Var};
use macula_losses::*;
use macula_tensor::{Result, Tensor};

use crate::members::logits;

const NAN: f64 = f64::NAN;
const INFINITY: f64 = f64::INFINITY;
/// For a number that must be finite and not negative.
const EXPONENT: &[f64] = &[-1.0, -0.01, 1e39, NAN, INFINITY, -INFINITY];
/// For a number that must be finite and positive.
const POSITIVE: &[f64] = &[0.0, -1.0, 1e39, NAN, INFINITY];
/// For a number in (0, 1].
const POSITIVE_SHARE: &[f64] = &[0.0, -1.0, 1.1, NAN, INFINITY];
/// For a number in [0, 1].
const SHARE: &[f64] = &[-0.1, 1.1, NAN, INFINITY];
/// For a number in [0, 1).
const BELOW_1: &[f64] = &[-0.1, 1.0, NAN, INFINITY];
/// For a number that must be finite.
const FINITE: &[f64] = &[1e39, NAN, INFINITY, -INFINITY];

/// A method, values it must not take, and what comes of one.
type Row = (&'static str, &'static [f64], fn(f64) -> Result<()>);

fn elements(loss: impl FnOnce(&Var<f64>, &Tensor<i64>) -> Result<Var<f64>>) -> Result<()> {
    let x = Tape::new().var(logits(&[2]));
    loss(&x, &Tensor::from([0, 1])).map(drop)
}

fn rows<F: RowLoss>(loss: SoftmaxLoss<F>) -> Result<()> {
    let x = Tape::new().var(logits(&[2, 3]));
    loss.forward(&x, &Tensor::from([0, 2])).map(drop)
}

fn regions<F: RegionFormula>(loss: RegionLoss<F>) -> Result<()> {
    let x = Tape::new().var(logits(&[2, 3, 2]));
    loss.forward(&x, &Tensor::from([[0, 2], [1, 1]])).map(drop)
}

fn differences<F: DifferenceLoss>(loss: RegressionLoss<F>) -> Result<()> {
    let x = Tape::new().var(logits(&[2]));
    loss.forward(&x, &x).map(drop)
}

fn unified(loss: UnifiedFocalLoss) -> Result<()> {
    let x = Tape::new().var(logits(&[1, 1, 2]));
    loss.forward(&x, &Tensor::from([[[0, 1]]])).map(drop)
}

fn embeddings(loss: impl FnOnce(&Var<f64>, &Tensor<i64>) -> Result<Var<f64>>) -> Result<()> {
    let x = Tape::new().var(logits(&[4, 2]));
    loss(&x, &Tensor::from([0, 1, 0, 1])).map(drop)
}

fn equalization(frequency: f64, threshold: f64) -> Result<()> {
    let x = Tape::new().var(logits(&[1, 2]));
    let loss = EqualizationLoss::new([0.5, frequency]).threshold(threshold);
    let (labels, foreground) = (Tensor::from([[0, 1]]), Tensor::from([true]));
    loss.forward(&x, &labels, &foreground).map(drop)
}

fn counts() -> ClassCounts {
    ClassCounts::from_counts([90, 30, 4]).unwrap()
}

fn sigmoid() -> SigmoidCrossEntropy {
    SigmoidCrossEntropy::new()
}

fn softmax() -> SoftmaxCrossEntropy {
    SoftmaxCrossEntropy::new()
}

fn seesaw() -> SeesawLoss {
    SeesawLoss::new(&counts())
}

#[rustfmt::skip]
const TABLE: &[Row] = &[
    ("AsymmetricLoss::clip", BELOW_1, |v| elements(|x, y| AsymmetricLoss::new().clip(v).forward(x, y))),
    ("AsymmetricLoss::gamma_negative", EXPONENT, |v| elements(|x, y| AsymmetricLoss::new().gamma_negative(v).forward(x, y))),
    ("AsymmetricLoss::gamma_positive", EXPONENT, |v| elements(|x, y| AsymmetricLoss::new().gamma_positive(v).forward(x, y))),
    ("AsymmetricSingleLabelLoss::gamma_negative", EXPONENT, |v| rows(AsymmetricSingleLabelLoss::new().gamma_negative(v))),
    ("AsymmetricSingleLabelLoss::gamma_positive", EXPONENT, |v| rows(AsymmetricSingleLabelLoss::new().gamma_positive(v))),
    ("ClassCounts::effective_number_weights", BELOW_1, |v| counts().effective_number_weights(v).map(drop)),
    ("ClassCounts::inverse_effective_numbers", BELOW_1, |v| counts().inverse_effective_numbers(v).map(drop)),
    ("ClassCounts::logit_offsets", EXPONENT, |v| counts().logit_offsets(v).map(drop)),
    ("ContrastiveLoss::margin", EXPONENT, |v| embeddings(|x, y| ContrastiveLoss::new().margin(v).forward(x, x, &y.cast()?))),
    ("CyclicalFocalLoss::at_epoch", POSITIVE, |v| rows(CyclicalFocalLoss::new().at_epoch(1, 9, v))),
    ("CyclicalFocalLoss::gamma", EXPONENT, |v| rows(CyclicalFocalLoss::new().gamma(v))),
    ("CyclicalFocalLoss::gamma_confident", EXPONENT, |v| rows(CyclicalFocalLoss::new().gamma_confident(v))),
    ("CyclicalFocalLoss::xi", SHARE, |v| rows(CyclicalFocalLoss::new().xi(v))),
    ("DiceLoss::smooth", EXPONENT, |v| regions(DiceLoss::new().smooth(v))),
    ("DualFocalLoss::gamma", EXPONENT, |v| rows(DualFocalLoss::new().gamma(v))),
    ("EqualizationLoss::new", EXPONENT, |v| equalization(v, 0.1)),
    ("EqualizationLoss::threshold", EXPONENT, |v| equalization(0.5, v)),
    ("FocalStarLoss::beta", FINITE, |v| elements(|x, y| FocalStarLoss::new().beta(v).forward(x, y))),
    ("FocalStarLoss::gamma", POSITIVE, |v| elements(|x, y| FocalStarLoss::new().gamma(v).forward(x, y))),
    ("GammaSchedule::linear", EXPONENT, |v| GammaSchedule::linear([(0, v)]).map(drop)),
    ("GammaSchedule::steps", EXPONENT, |v| GammaSchedule::steps([(0, v)]).map(drop)),
    ("GaussianFocalLoss::focusing", EXPONENT, |v| elements(|x, y| GaussianFocalLoss::new().focusing(v).forward(x, y))),
    ("GaussianFocalLoss::gamma", EXPONENT, |v| elements(|x, y| GaussianFocalLoss::new().gamma(v).forward(x, y))),
    ("GeneralizedDiceLoss::smooth", EXPONENT, |v| regions(GeneralizedDiceLoss::new().smooth(v))),
    ("HardExamples::new", POSITIVE_SHARE, |v| elements(|x, _| HardExamples::new(v).forward(x))),
    ("HardExamples::per_positive", EXPONENT, |v| elements(|x, y| HardExamples::per_positive(x, y, v))),
    ("HuberLoss::delta", POSITIVE, |v| differences(HuberLoss::new().delta(v))),
    ("InterpolatedFocalLoss::gamma", EXPONENT, |v| elements(|x, y| InterpolatedFocalLoss::new().gamma(v).forward(x, y))),
    ("JaccardLoss::smooth", EXPONENT, |v| regions(JaccardLoss::new().smooth(v))),
    ("NtXentLoss::temperature", POSITIVE, |v| embeddings(|x, _| NtXentLoss::new().temperature(v).forward(x))),
    ("QualityFocalLoss::beta", EXPONENT, |v| elements(|x, y| QualityFocalLoss::new().beta(v).forward(x, y))),
    ("ReducedFocalLoss::gamma", EXPONENT, |v| elements(|x, y| ReducedFocalLoss::new().gamma(v).forward(x, y))),
    ("ReducedFocalLoss::threshold", BELOW_1, |v| elements(|x, y| ReducedFocalLoss::new().threshold(v).forward(x, y))),
    ("SampleDependentFocalLoss::gammas", EXPONENT, |v| rows(SampleDependentFocalLoss::new().gammas(v, 1.0)).and(rows(SampleDependentFocalLoss::new().gammas(1.0, v)))),
    ("SampleDependentFocalLoss::threshold", SHARE, |v| rows(SampleDependentFocalLoss::new().threshold(v))),
    ("SeesawLoss::compensation", EXPONENT, |v| rows(seesaw().compensation(v))),
    ("SeesawLoss::eps", POSITIVE, |v| rows(seesaw().eps(v))),
    ("SeesawLoss::mitigation", EXPONENT, |v| rows(seesaw().mitigation(v))),
    ("SigmoidFocalLoss::gamma", EXPONENT, |v| elements(|x, y| SigmoidFocalLoss::new().gamma(v).forward(x, y))),
    ("SigmoidFocalLoss::gammas", EXPONENT, |v| elements(|x, y| SigmoidFocalLoss::new().gammas([1.0, v]).forward(x, y))),
    ("SigmoidLoss::alpha", SHARE, |v| elements(|x, y| sigmoid().alpha(v).forward(x, y))),
    ("SigmoidLoss::alphas", SHARE, |v| elements(|x, y| sigmoid().alphas([0.5, v]).forward(x, y))),
    ("SigmoidLoss::class_weights", EXPONENT, |v| elements(|x, y| sigmoid().class_weights([1.0, v]).forward(x, y))),
    ("SigmoidLoss::label_smoothing", BELOW_1, |v| elements(|x, y| sigmoid().label_smoothing(v).forward(x, y))),
    ("SigmoidLoss::positive_weight", POSITIVE, |v| elements(|x, y| sigmoid().positive_weight(v).forward(x, y))),
    ("SigmoidLoss::positive_weights", EXPONENT, |v| elements(|x, y| sigmoid().positive_weights([1.0, v]).forward(x, y))),
    ("SigmoidLoss::settings", FINITE, |v| elements(|x, y| SigmoidLoss::of(Focal { gamma: 2.0 }).settings([1.0, v]).forward(x, y))),
    ("SigmoidPolyLoss::epsilon", FINITE, |v| elements(|x, y| SigmoidPolyLoss::new().epsilon(v).forward(x, y))),
    ("SigmoidPolyLoss::gamma", EXPONENT, |v| elements(|x, y| SigmoidPolyLoss::new().gamma(v).forward(x, y))),
    ("SigmoidPolyLoss::logarithm_alpha", SHARE, |v| elements(|x, y| SigmoidPolyLoss::new().logarithm_alpha(v).forward(x, y))),
    ("SmoothL1Loss::beta", EXPONENT, |v| differences(SmoothL1Loss::new().beta(v))),
    ("SoftmaxFocalLoss::alpha", EXPONENT, |v| rows(SoftmaxFocalLoss::new().alpha([1.0, v, 1.0]))),
    ("SoftmaxFocalLoss::gamma", EXPONENT, |v| rows(SoftmaxFocalLoss::new().gamma(v))),
    ("SoftmaxFocalLoss::gammas", EXPONENT, |v| rows(SoftmaxFocalLoss::new().gammas([1.0, v, 1.0]))),
    ("SoftmaxLoss::class_balanced", BELOW_1, |v| softmax().class_balanced(&counts(), v).map(drop)),
    ("SoftmaxLoss::class_weights", EXPONENT, |v| rows(softmax().class_weights([1.0, v, 1.0]))),
    ("SoftmaxLoss::label_aware_margins", EXPONENT, |v| softmax().label_aware_margins(&counts(), v, 1.0).map(drop)),
    ("SoftmaxLoss::label_aware_margins", POSITIVE, |v| softmax().label_aware_margins(&counts(), 0.5, v).map(drop)),
    ("SoftmaxLoss::label_smoothing", BELOW_1, |v| rows(softmax().label_smoothing(v))),
    ("SoftmaxLoss::logit_adjusted", EXPONENT, |v| softmax().logit_adjusted(&counts(), v).map(drop)),
    ("SoftmaxLoss::vector_scaled", EXPONENT, |v| softmax().vector_scaled(&counts(), v, 1.0).map(drop)),
    ("SoftmaxLoss::vector_scaled", EXPONENT, |v| softmax().vector_scaled(&counts(), 1.0, v).map(drop)),
    ("SoftmaxLoss::settings", FINITE, |v| rows(SoftmaxLoss::of(Focal { gamma: 2.0 }).settings([1.0, v, 1.0]))),
    ("SoftmaxPolyLoss::epsilon", FINITE, |v| rows(SoftmaxPolyLoss::new().epsilon(v))),
    ("SoftmaxPolyLoss::gamma", EXPONENT, |v| rows(SoftmaxPolyLoss::new().gamma(v))),
    ("SoftmaxPolyLoss::logarithm_weights", EXPONENT, |v| rows(SoftmaxPolyLoss::new().logarithm_weights([1.0, v, 1.0]))),
    ("SupervisedContrastiveLoss::temperature", POSITIVE, |v| embeddings(|x, y| SupervisedContrastiveLoss::new().temperature(v).forward(x, y))),
    ("TripletLoss::margin", EXPONENT, |v| embeddings(|x, y| TripletLoss::new().margin(v).mined(x, y))),
    ("TverskyLoss::alpha", EXPONENT, |v| regions(TverskyLoss::new().alpha(v))),
    ("TverskyLoss::beta", EXPONENT, |v| regions(TverskyLoss::new().beta(v))),
    ("TverskyLoss::exponent", POSITIVE, |v| regions(TverskyLoss::new().exponent(v))),
    ("TverskyLoss::smooth", EXPONENT, |v| regions(TverskyLoss::new().smooth(v))),
    ("UnifiedFocalLoss::delta", SHARE, |v| unified(UnifiedFocalLoss::new().delta(v))),
    ("UnifiedFocalLoss::gamma", POSITIVE_SHARE, |v| unified(UnifiedFocalLoss::new().gamma(v))),
    ("UnifiedFocalLoss::lambda", SHARE, |v| unified(UnifiedFocalLoss::new().lambda(v))),
    ("VarifocalLoss::gamma", EXPONENT, |v| elements(|x, y| VarifocalLoss::new().gamma(v).forward(x, y))),
    ("VarifocalLoss::negative_alpha", EXPONENT, |v| elements(|x, y| VarifocalLoss::new().negative_alpha(v).forward(x, y))),
];

#[test]
fn parameters_outside_their_range_are_an_error_that_names_them() {
    for (method, values, call) in TABLE {
        for value in *values {
            match call(*value) {
                Ok(()) => panic!("{method} takes {value}"),
                Err(error) => {
                    let message = error.to_string();
                    // A number of a list is shown with its list; no factor of a schedule is NaN ξ.
                    let named = [value.to_string(), format!("{value:e}")];
                    let named = named.iter().any(|value| message.contains(value));
                    let named = message.contains("found") && named;
                    let schedule = *method == "CyclicalFocalLoss::at_epoch";
                    assert!(named || schedule, "{method}({value}): {message}");
                }
            }
        }
    }
}

#[test]
fn every_parameter_is_in_the_table() {
    let found = parameters(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(found.len() > 60, "{found:?}");
    let entered = |method: &String| TABLE.iter().any(|(name, ..)| name == method);
    let missing: Vec<_> = found.iter().filter(|method| !entered(method)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// `Type::method` for the public methods below a folder that take a number that is no count.
fn parameters(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(parameters(&path));
            continue;
        }
        let source = std::fs::read_to_string(path).unwrap();
        for part in source.split("\nimpl").skip(1) {
            let Some((head, body)) = part.split_once('{') else {
                continue;
            };
            if head.contains(" for ") {
                continue;
            }
            // Past the generics the name of the type, up to its own.
            let name = head.trim().split("> ").last().unwrap_or_default();
            let name = name.split('<').next().unwrap_or_default();
            for method in body.split("pub ").skip(1) {
                let Some((method, rest)) = method.split_once('(') else {
                    continue;
                };
                let arguments = rest.split(" {").next().unwrap_or_default();
                let arguments = arguments.split("->").next().unwrap_or_default();
                let method = method
                    .trim_start_matches("const ")
                    .trim_start_matches("fn ");
                let method = method.split('<').next().unwrap_or_default();
                if arguments.contains("f64") {
                    found.push(format!("{name}::{method}"));
                }
            }
        }
    }
    found
}
