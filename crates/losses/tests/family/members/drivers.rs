//! The members that the two fused drivers evaluate, and the composed losses of rows.

use macula_losses::formula::ElementLoss;
use macula_losses::*;

use super::{Member, ROW};

fn sigmoid<F: ElementLoss>(name: &'static str, loss: SigmoidLoss<F>) -> Member {
    let loss = loss.ignore_index(-1);
    Member::new(name, move |logits, labels, weights| match weights {
        None => loss.forward(logits, labels),
        Some(weights) => loss.forward_weighted(logits, labels, weights),
    })
}

/// Two logits for each sample, which have its weight.
fn two_columns<F: ElementLoss>(name: &'static str, loss: SigmoidLoss<F>) -> Member {
    let loss = loss.ignore_index(-1);
    let member = Member::new(name, move |logits, labels, weights| match weights {
        None => loss.forward(logits, labels),
        Some(weights) => {
            let weights = weights.unsqueeze(-1)?.expand(labels.shape())?;
            loss.forward_weighted(logits, labels, &weights)
        }
    });
    Member {
        row: &[2],
        target: &[2],
        ..member
    }
}

fn softmax<F: RowLoss>(name: &'static str, loss: SoftmaxLoss<F>) -> Member {
    let loss = loss.ignore_index(-1);
    let member = Member::new(name, move |logits, labels, weights| match weights {
        None => loss.forward(logits, labels),
        Some(weights) => loss.forward_weighted(logits, labels, weights),
    });
    Member {
        row: ROW,
        classes: 3,
        ..member
    }
}

/// The losses of one logit each.
pub(crate) fn sigmoid_members(reduction: Reduction) -> Vec<Member> {
    vec![
        sigmoid(
            "SigmoidCrossEntropy",
            SigmoidCrossEntropy::new().reduction(reduction),
        ),
        sigmoid(
            "SigmoidFocalLoss",
            SigmoidFocalLoss::new().alpha(0.3).reduction(reduction),
        ),
        sigmoid(
            "SigmoidFocalLoss, γ = ½",
            SigmoidFocalLoss::new().gamma(0.5).reduction(reduction),
        ),
        sigmoid(
            "FocalStarLoss",
            FocalStarLoss::new().beta(0.5).reduction(reduction),
        ),
        sigmoid(
            "ReducedFocalLoss",
            ReducedFocalLoss::new().reduction(reduction),
        ),
        sigmoid(
            "SigmoidPolyLoss",
            SigmoidPolyLoss::new()
                .logarithm_alpha(0.4)
                .reduction(reduction),
        ),
        sigmoid("AsymmetricLoss", AsymmetricLoss::new().reduction(reduction)),
        sigmoid(
            "AsymmetricLoss, no clip",
            AsymmetricLoss::new().clip(0.0).reduction(reduction),
        ),
        sigmoid(
            "SigmoidFocalLoss, smoothed",
            SigmoidFocalLoss::new()
                .alpha(0.3)
                .label_smoothing(0.2)
                .reduction(reduction),
        ),
        two_columns(
            "SigmoidFocalLoss, α and γ by column",
            SigmoidFocalLoss::new()
                .alphas([0.3, 0.8])
                .gammas([0.5, 2.0])
                .positive_weights([1.0, 3.0])
                .reduction(reduction),
        ),
        sigmoid(
            "InterpolatedFocalLoss",
            InterpolatedFocalLoss::new().reduction(reduction),
        ),
        sigmoid(
            "QualityFocalLoss",
            QualityFocalLoss::new().reduction(reduction),
        ),
        sigmoid("VarifocalLoss", VarifocalLoss::new().reduction(reduction)),
        sigmoid(
            "GaussianFocalLoss",
            GaussianFocalLoss::new().reduction(reduction),
        ),
    ]
}

/// The losses of rows of three classes.
pub(crate) fn softmax_members(reduction: Reduction) -> Vec<Member> {
    let counts = ClassCounts::from_counts([90, 30, 4]).unwrap();
    let cross_entropy = || SoftmaxCrossEntropy::new().reduction(reduction);
    let focal = || SoftmaxFocalLoss::new().reduction(reduction);
    let margins = focal().label_aware_margins(&counts, 0.5, 2.0).unwrap();
    vec![
        softmax("SoftmaxCrossEntropy", cross_entropy()),
        softmax(
            "SoftmaxCrossEntropy, smoothed",
            cross_entropy().label_smoothing(0.1),
        ),
        softmax("SoftmaxFocalLoss", focal().alpha([0.2, 0.3, 0.5])),
        softmax(
            "SoftmaxFocalLoss, smoothed",
            focal().gamma(0.5).label_smoothing(0.2),
        ),
        softmax(
            "SoftmaxFocalLoss, γ by class",
            focal().gammas([0.0, 1.5, 2.0]),
        ),
        softmax(
            "SoftmaxPolyLoss",
            SoftmaxPolyLoss::new().gamma(1.0).reduction(reduction),
        ),
        softmax(
            "SampleDependentFocalLoss",
            SampleDependentFocalLoss::new().reduction(reduction),
        ),
        softmax(
            "CyclicalFocalLoss",
            CyclicalFocalLoss::new().xi(0.4).reduction(reduction),
        ),
        softmax(
            "SoftmaxFocalLoss, class-balanced",
            focal().class_balanced(&counts, 0.99).unwrap(),
        ),
        softmax(
            "SoftmaxCrossEntropy, logit-adjusted",
            cross_entropy().logit_adjusted(&counts, 1.0).unwrap(),
        ),
        softmax(
            "SoftmaxCrossEntropy, balanced",
            cross_entropy().balanced(&counts),
        ),
        softmax("SoftmaxFocalLoss, label-aware margins", margins.clone()),
        softmax(
            "SoftmaxFocalLoss, label-aware margins and smoothed",
            margins.label_smoothing(0.1),
        ),
        softmax(
            "SoftmaxFocalLoss, vector-scaled",
            focal().vector_scaled(&counts, 1.0, 0.2).unwrap(),
        ),
        softmax(
            "SoftmaxLoss, reduced focal",
            SoftmaxLoss::of(ReducedFocal {
                gamma: 2.0,
                threshold: 0.5,
            })
            .reduction(reduction),
        ),
    ]
}

/// The losses of rows of three classes that are composed of ordinary operations.
pub(crate) fn composed_members(reduction: Reduction) -> Vec<Member> {
    let counts = ClassCounts::from_counts([90, 30, 4]).unwrap();
    let nll = NllLoss::new().class_weights([1.0, 2.0, 0.5]);
    let focal = OneVsRestLoss::new(Focal { gamma: 2.0 });
    vec![
        softmax("DualFocalLoss", DualFocalLoss::new().reduction(reduction)),
        softmax(
            "AsymmetricSingleLabelLoss",
            AsymmetricSingleLabelLoss::new().reduction(reduction),
        ),
        // The compensation factor is a constant for the gradient, but not for finite differences.
        softmax(
            "SeesawLoss",
            SeesawLoss::new(&counts)
                .compensation(0.0)
                .reduction(reduction),
        ),
        softmax("OneVsRestLoss", focal.reduction(reduction)),
        softmax("NllLoss", nll.reduction(reduction)),
    ]
}
