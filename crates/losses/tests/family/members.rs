//! The members, so that each test can go through all of them.

use macula_autograd::Var;
use macula_losses::formula::{ElementLoss, MarginLoss};
use macula_losses::*;
use macula_tensor::{Result, Tensor};

/// A loss of logits, labels, and weights of the samples if there are any.
type Loss = Box<dyn Fn(&Var<f64>, &Tensor<i64>, Option<&Tensor<f64>>) -> Result<Var<f64>>>;

/// A member with a reduction.
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) loss: Loss,
}

fn sigmoid<F: ElementLoss>(name: &'static str, loss: SigmoidLoss<F>) -> Member {
    let loss = loss.ignore_index(-1);
    let loss: Loss = Box::new(move |logits, labels, weights| match weights {
        None => loss.forward(logits, labels),
        Some(weights) => loss.forward_weighted(logits, labels, weights),
    });
    Member { name, loss }
}

fn softmax<F: MarginLoss>(name: &'static str, loss: SoftmaxLoss<F>) -> Member {
    let loss = loss.ignore_index(-1);
    let loss: Loss = Box::new(move |logits, labels, weights| match weights {
        None => loss.forward(logits, labels),
        Some(weights) => loss.forward_weighted(logits, labels, weights),
    });
    Member { name, loss }
}

/// The losses of one logit each.
pub(crate) fn sigmoid_members(reduction: Reduction) -> Vec<Member> {
    vec![
        sigmoid(
            "cross-entropy",
            SigmoidCrossEntropy::new().reduction(reduction),
        ),
        sigmoid(
            "focal",
            SigmoidFocalLoss::new().alpha(0.3).reduction(reduction),
        ),
        sigmoid(
            "focal, γ = ½",
            SigmoidFocalLoss::new().gamma(0.5).reduction(reduction),
        ),
        sigmoid(
            "focal*",
            FocalStarLoss::new().beta(0.5).reduction(reduction),
        ),
        sigmoid(
            "reduced focal",
            ReducedFocalLoss::new().reduction(reduction),
        ),
        sigmoid(
            "poly-1 focal",
            SigmoidPolyLoss::new()
                .logarithm_alpha(0.4)
                .reduction(reduction),
        ),
        sigmoid("asymmetric", AsymmetricLoss::new().reduction(reduction)),
        sigmoid(
            "asymmetric, no clip",
            AsymmetricLoss::new().clip(0.0).reduction(reduction),
        ),
        sigmoid(
            "interpolated focal",
            InterpolatedFocalLoss::new().reduction(reduction),
        ),
        sigmoid(
            "quality focal",
            QualityFocalLoss::new().reduction(reduction),
        ),
        sigmoid("varifocal", VarifocalLoss::new().reduction(reduction)),
        sigmoid(
            "gaussian focal",
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
        softmax("cross-entropy", cross_entropy()),
        softmax(
            "smoothed cross-entropy",
            cross_entropy().label_smoothing(0.1),
        ),
        softmax("focal", focal().alpha([0.2, 0.3, 0.5])),
        softmax("smoothed focal", focal().gamma(0.5).label_smoothing(0.2)),
        softmax("focal, γ by class", focal().gammas([0.0, 1.5, 2.0])),
        softmax(
            "poly-1",
            SoftmaxPolyLoss::new().gamma(1.0).reduction(reduction),
        ),
        softmax(
            "sample-dependent",
            SampleDependentFocalLoss::new().reduction(reduction),
        ),
        softmax(
            "cyclical",
            CyclicalFocalLoss::new().xi(0.4).reduction(reduction),
        ),
        softmax(
            "class-balanced",
            focal().class_balanced(&counts, 0.99).unwrap(),
        ),
        softmax(
            "logit-adjusted",
            cross_entropy().logit_adjusted(&counts, 1.0),
        ),
        softmax("balanced softmax", cross_entropy().balanced(&counts)),
        softmax("label-aware margins", margins.clone()),
        softmax(
            "label-aware margins, smoothed",
            margins.label_smoothing(0.1),
        ),
        softmax("vector-scaled", focal().vector_scaled(&counts, 1.0, 0.2)),
        softmax(
            "reduced focal",
            SoftmaxLoss::of(ReducedFocal {
                gamma: 2.0,
                threshold: 0.5,
            })
            .reduction(reduction),
        ),
    ]
}

/// The losses of rows that are composed of ordinary operations.
pub(crate) fn composed_members(reduction: Reduction) -> Vec<Member> {
    let counts = ClassCounts::from_counts([90, 30, 4]).unwrap();
    let member = |name, loss: Loss| Member { name, loss };
    let dual = DualFocalLoss::new().reduction(reduction).ignore_index(-1);
    let asymmetric = AsymmetricSingleLabelLoss::new()
        .reduction(reduction)
        .ignore_index(-1);
    // The compensation factor is a constant for the gradient, but not for finite differences.
    let seesaw = SeesawLoss::new(&counts)
        .compensation(0.0)
        .reduction(reduction)
        .ignore_index(-1);
    let versus = OneVsRestLoss::new(Focal { gamma: 2.0 })
        .reduction(reduction)
        .ignore_index(-1);
    let nll = NllLoss::new()
        .class_weights([1.0, 2.0, 0.5])
        .reduction(reduction)
        .ignore_index(-1);
    vec![
        member("dual focal", Box::new(move |x, y, _| dual.forward(x, y))),
        member(
            "asymmetric, one label",
            Box::new(move |x, y, _| asymmetric.forward(x, y)),
        ),
        member("seesaw", Box::new(move |x, y, _| seesaw.forward(x, y))),
        member(
            "one versus rest",
            Box::new(move |x, y, _| versus.forward(x, y)),
        ),
        member(
            "negative log-likelihood",
            Box::new(move |x, y, _| nll.forward(x, y)),
        ),
    ]
}

/// Logits away from every kink.
pub(crate) fn logits(shape: &[usize]) -> Tensor<f64> {
    let count = shape.iter().product();
    let numbers = (0..count).map(|i| (i as f64 * 1.7 + 0.3).sin() * 2.5 + 0.1);
    Tensor::from_vec(numbers.collect(), shape).unwrap()
}

/// Labels `0..classes`, and an ignored one.
pub(crate) fn labels(shape: &[usize], classes: i64) -> Tensor<i64> {
    let count: usize = shape.iter().product();
    let numbers = (0..count as i64).map(|i| if i == 3 { -1 } else { (i * i + 1) % classes });
    Tensor::from_vec(numbers.collect(), shape).unwrap()
}
