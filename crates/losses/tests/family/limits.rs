//! Limits that are other members.

use macula_autograd::{Tape, Var};
use macula_losses::*;
use macula_tensor::{Result, Tensor};

use crate::members::{labels, logits};

/// Value and gradient.
fn pass(x: &Tensor<f64>, loss: impl Fn(&Var<f64>) -> Result<Var<f64>>) -> (f64, Vec<f64>) {
    let x = Tape::new().var(x.clone());
    let loss = loss(&x).unwrap();
    let value = loss.item().unwrap();
    (
        value,
        loss.backward().unwrap().of(&x).unwrap().to_vec().unwrap(),
    )
}

fn assert_close(a: (f64, Vec<f64>), b: (f64, Vec<f64>)) {
    // Both are a few roundings away from the same number.
    let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-14 + 1e-12 * b.abs(), "{a} and {b}");
    close(a.0, b.0);
    a.1.into_iter().zip(b.1).for_each(|(a, b)| close(a, b));
}

fn rows() -> (Tensor<f64>, Tensor<i64>) {
    (logits(&[30, 3]), labels(&[30], 3))
}

fn cross_entropy() -> SoftmaxCrossEntropy {
    SoftmaxCrossEntropy::new().ignore_index(-1)
}

#[test]
fn poly_with_epsilon_zero_equals_focal() {
    let (x, y) = rows();
    let poly = SoftmaxPolyLoss::new()
        .gamma(2.0)
        .epsilon(0.0)
        .ignore_index(-1);
    let focal = SoftmaxFocalLoss::new().ignore_index(-1);
    assert_close(
        pass(&x, |x| poly.forward(x, &y)),
        pass(&x, |x| focal.forward(x, &y)),
    );
    let (x, y) = (logits(&[30]), labels(&[30], 2));
    let poly = SigmoidPolyLoss::new()
        .epsilon(0.0)
        .logarithm_alpha(0.3)
        .ignore_index(-1);
    let focal = SigmoidFocalLoss::new().alpha(0.3).ignore_index(-1);
    assert_close(
        pass(&x, |x| poly.forward(x, &y)),
        pass(&x, |x| focal.forward(x, &y)),
    );
}

#[test]
fn two_classes_equal_one_logit() {
    let x = logits(&[20, 2]);
    let y = labels(&[20], 2);
    let difference = Tensor::from([-1.0, 1.0]);
    let softmax = SoftmaxFocalLoss::new().ignore_index(-1);
    let sigmoid = SigmoidFocalLoss::new().ignore_index(-1);
    let one = pass(&x, |x| {
        let logits = x.mul(&x.tape().constant(difference.clone()))?.sum(-1)?;
        sigmoid.forward(&logits, &y)
    });
    assert_close(pass(&x, |x| softmax.forward(x, &y)), one);
}

#[test]
fn without_smoothing_labels_equal_their_one_hot_shares() {
    let (x, y) = (
        logits(&[30, 3]),
        Tensor::from((0..30).map(|i| i % 3).collect::<Vec<_>>()),
    );
    let shares = y.one_hot::<f64>(3).unwrap();
    let focal = SoftmaxFocalLoss::new().gamma(1.5).alpha([0.2, 0.3, 0.5]);
    assert_close(
        pass(&x, |x| focal.forward_soft(x, &shares)),
        pass(&x, |x| focal.forward(x, &y)),
    );
    let nearly = focal.clone().label_smoothing(1e-15);
    assert_close(
        pass(&x, |x| nearly.forward(x, &y)),
        pass(&x, |x| focal.forward(x, &y)),
    );
}

#[test]
fn the_three_readings_of_soft_targets_agree_on_labels() {
    let x = logits(&[40]);
    let targets = Tensor::from((0..40).map(|i| f64::from(i % 3 == 0)).collect::<Vec<_>>());
    let mixed = SigmoidFocalLoss::new().alpha(0.3);
    let interpolated = InterpolatedFocalLoss::new().alpha(0.3);
    let quality = QualityFocalLoss::new().alpha(0.3);
    let expected = || pass(&x, |x| mixed.forward_soft(x, &targets));
    assert_close(
        pass(&x, |x| interpolated.forward_soft(x, &targets)),
        expected(),
    );
    assert_close(pass(&x, |x| quality.forward_soft(x, &targets)), expected());
}

#[test]
fn smoothed_labels_are_soft_targets() {
    let x = logits(&[40]);
    let y = Tensor::from((0..40).map(|i| i64::from(i % 3 == 0)).collect::<Vec<_>>());
    let labels: Vec<f64> = y.to_vec().unwrap().iter().map(|&y| y as f64).collect();
    let epsilon = 0.3;
    let smoothed: Vec<f64> = labels.iter().map(|y| y * 0.7 + 0.15).collect();
    let smoothed = Tensor::from(smoothed);
    let hard = Tensor::from(labels);
    let mixed = SigmoidFocalLoss::new().class_weights([0.4, 2.0]);
    let expected = || pass(&x, |x| mixed.forward_soft(x, &smoothed));
    let loss = mixed.clone().label_smoothing(epsilon);
    assert_close(pass(&x, |x| loss.forward(x, &y)), expected());
    // The divisor is that of the labels.
    let weighted_mean = loss.clone().reduction(Reduction::WeightedMean);
    let (mean, _) = pass(&x, |x| weighted_mean.forward(x, &y));
    let (sum, _) = pass(&x, |x| {
        loss.clone().reduction(Reduction::Sum).forward(x, &y)
    });
    assert!((mean - sum / (14.0 * 2.0 + 26.0 * 0.4)).abs() < 1e-14);
    // Targets that are soft from the beginning are smoothed too.
    assert_close(pass(&x, |x| loss.forward_soft(x, &hard)), expected());
    // A formula that reads soft targets itself reads the smoothed ones.
    let quality = QualityFocalLoss::new();
    let loss = quality.clone().label_smoothing(epsilon);
    assert_close(
        pass(&x, |x| loss.forward(x, &y)),
        pass(&x, |x| quality.forward_soft(x, &smoothed)),
    );
    // For two classes it is the smoothing of a softmax.
    let pairs = Tensor::stack(&[&Tensor::zeros([40]).unwrap(), &x], 1).unwrap();
    let rows = SoftmaxCrossEntropy::new().label_smoothing(epsilon);
    let elements = SigmoidCrossEntropy::new().label_smoothing(epsilon);
    let (of_rows, _) = pass(&pairs, |x| rows.forward(x, &y));
    let (of_elements, _) = pass(&x, |x| elements.forward(x, &y));
    assert!((of_rows - of_elements).abs() < 1e-14);
}

#[test]
fn class_balancing_goes_from_equal_to_inverse_weights() -> Result<()> {
    let (x, y) = rows();
    let counts = ClassCounts::from_counts([40, 20, 10])?;
    let at = |beta: f64| {
        let loss = cross_entropy().class_balanced(&counts, beta).unwrap();
        pass(&x, |x| loss.forward(x, &y))
    };
    let plain = cross_entropy();
    assert_close(at(0.0), pass(&x, |x| plain.forward(x, &y)));
    // Inverse counts, scaled to sum to 3.
    let inverse = cross_entropy().class_weights([3.0 / 7.0, 6.0 / 7.0, 12.0 / 7.0]);
    let (value, _) = at(1.0 - 1e-12);
    let (expected, _) = pass(&x, |x| inverse.forward(x, &y));
    // 1 − β is that far from its limit, times the counts.
    assert!((value - expected).abs() < 1e-9);
    Ok(())
}

#[test]
fn adjusted_logits_reduce_to_each_other() -> Result<()> {
    let (x, y) = rows();
    let counts = ClassCounts::from_counts([90, 30, 4])?;
    let of = |loss: SoftmaxCrossEntropy| pass(&x, |x| loss.forward(x, &y));
    let adjusted = || of(cross_entropy().logit_adjusted(&counts, 1.0).unwrap());
    assert_close(
        of(cross_entropy().logit_adjusted(&counts, 0.0)?),
        of(cross_entropy()),
    );
    assert_close(of(cross_entropy().balanced(&counts)), adjusted());
    assert_close(
        of(cross_entropy().vector_scaled(&counts, 1.0, 0.0)?),
        adjusted(),
    );
    let no_margin = cross_entropy().label_aware_margins(&counts, 0.0, 1.0)?;
    assert_close(of(no_margin), of(cross_entropy()));
    Ok(())
}

#[test]
fn special_cases_of_the_relatives_are_focal_or_cross_entropy() -> Result<()> {
    let (x, y) = (logits(&[30]), labels(&[30], 2));
    let plain = SigmoidCrossEntropy::new().ignore_index(-1);
    let plain = || pass(&x, |x| plain.forward(x, &y));
    let focal = SigmoidFocalLoss::new().ignore_index(-1);
    let focal = || pass(&x, |x| focal.forward(x, &y));
    let star = FocalStarLoss::new().gamma(1.0).ignore_index(-1);
    assert_close(pass(&x, |x| star.forward(x, &y)), plain());
    let reduced = ReducedFocalLoss::new().threshold(0.0).ignore_index(-1);
    assert_close(pass(&x, |x| reduced.forward(x, &y)), focal());
    let asymmetric = AsymmetricLoss::new()
        .gamma_positive(2.0)
        .gamma_negative(2.0)
        .clip(0.0);
    let asymmetric = asymmetric.ignore_index(-1);
    assert_close(pass(&x, |x| asymmetric.forward(x, &y)), focal());
    let nearly = asymmetric.clip(1e-300);
    assert_close(pass(&x, |x| nearly.forward(x, &y)), focal());

    let (x, y) = rows();
    let plain = cross_entropy();
    let plain = || pass(&x, |x| plain.forward(x, &y));
    let focal = SoftmaxFocalLoss::new().ignore_index(-1);
    let focal = || pass(&x, |x| focal.forward(x, &y));
    let cyclical = CyclicalFocalLoss::new().xi(0.0).ignore_index(-1);
    assert_close(pass(&x, |x| cyclical.forward(x, &y)), focal());
    let sample_dependent = SampleDependentFocalLoss::new()
        .gammas(2.0, 2.0)
        .ignore_index(-1);
    assert_close(pass(&x, |x| sample_dependent.forward(x, &y)), focal());
    let dual = DualFocalLoss::new().gamma(0.0).ignore_index(-1);
    assert_close(pass(&x, |x| dual.forward(x, &y)), plain());
    let asymmetric = AsymmetricSingleLabelLoss::new().gamma_positive(2.0);
    let asymmetric = asymmetric.label_smoothing(0.0).ignore_index(-1);
    assert_close(pass(&x, |x| asymmetric.forward(x, &y)), focal());
    let counts = ClassCounts::from_counts([5, 5, 5])?;
    let seesaw = SeesawLoss::new(&counts).compensation(0.0).ignore_index(-1);
    assert_close(pass(&x, |x| seesaw.forward(x, &y)), plain());
    let counts = ClassCounts::from_counts([50, 5, 1])?;
    let seesaw = SeesawLoss::new(&counts)
        .mitigation(0.0)
        .compensation(0.0)
        .ignore_index(-1);
    assert_close(pass(&x, |x| seesaw.forward(x, &y)), plain());
    let likelihood = NllLoss::new().ignore_index(-1);
    assert_close(
        pass(&x, |x| likelihood.forward(&x.log_softmax(1)?, &y)),
        plain(),
    );
    Ok(())
}

#[test]
fn weights_from_the_batch_that_are_all_1_leave_cross_entropy() {
    let x = logits(&[4, 3]);
    let y = Tensor::from([[0_i64, 1, 0], [1, 0, 0], [0, 0, 1], [1, 1, 0]]);
    let plain = SigmoidCrossEntropy::new();
    let one_bin = GhmLoss::new().bins(1);
    assert_close(
        pass(&x, |x| one_bin.forward(x, &y)),
        pass(&x, |x| plain.forward(x, &y)),
    );
    let none_is_rare = EqualizationLoss::new([0.5, 0.001, 0.0])
        .threshold(0.0)
        .reduction(Reduction::Sum);
    let plain = plain.reduction(Reduction::Sum);
    let foreground = Tensor::from([true; 4]);
    assert_close(
        pass(&x, |x| none_is_rare.forward(x, &y, &foreground)),
        pass(&x, |x| plain.forward(x, &y)),
    );
}

#[test]
fn unified_focal_with_gamma_one_is_cross_entropy_and_tversky_of_both_regions() {
    let x = logits(&[2, 1, 6]);
    let y = Tensor::from([[[0_i64, 1, 1, 0, 0, 1]], [[1, 0, 0, 0, 1, 0]]]);
    let flipped = Tensor::from([[[1_i64, 0, 0, 1, 1, 0]], [[0, 1, 1, 1, 0, 1]]]);
    let unified = UnifiedFocalLoss::new().gamma(1.0).lambda(0.5).delta(0.6);
    let cross_entropy = SigmoidCrossEntropy::new().alpha(0.6);
    let tversky = TverskyLoss::new().alpha(0.4).beta(0.6);
    let both = pass(&x, |x| {
        let object = tversky.forward_sigmoid(x, &y)?;
        let around = tversky.forward_sigmoid(&x.neg()?, &flipped)?;
        let region = object.add(&around)?.mul_scalar(0.5)?;
        cross_entropy.forward(x, &y)?.add(&region)?.mul_scalar(0.5)
    });
    assert_close(pass(&x, |x| unified.forward(x, &y)), both);
}

#[test]
fn dice_and_jaccard_are_tversky_losses() {
    let x = logits(&[2, 3, 8]);
    let y = labels(&[2, 8], 3);
    let dice = DiceLoss::new().ignore_index(-1);
    let tversky = TverskyLoss::new()
        .alpha(0.5)
        .beta(0.5)
        .smooth(0.5)
        .ignore_index(-1);
    assert_close(
        pass(&x, |x| dice.forward(x, &y)),
        pass(&x, |x| tversky.forward(x, &y)),
    );
    let jaccard = JaccardLoss::new().ignore_index(-1);
    let tversky = TverskyLoss::new().alpha(1.0).beta(1.0).ignore_index(-1);
    assert_close(
        pass(&x, |x| jaccard.forward(x, &y)),
        pass(&x, |x| tversky.forward(x, &y)),
    );
}

#[test]
fn smooth_l1_and_huber_are_one_up_to_a_factor() {
    let x = logits(&[9]);
    let target = Tensor::zeros([9]).unwrap();
    let huber = pass(&x, |x| {
        HuberLoss::new()
            .delta(0.5)
            .forward(x, &x.tape().constant(target.clone()))?
            .mul_scalar(2.0)
    });
    let smooth = SmoothL1Loss::new().beta(0.5);
    assert_close(
        pass(&x, |x| {
            smooth.forward(x, &x.tape().constant(target.clone()))
        }),
        huber,
    );
    let absolute = pass(&x, |x| {
        L1Loss::new().forward(x, &x.tape().constant(target.clone()))
    });
    let smooth = SmoothL1Loss::new().beta(0.0);
    assert_close(
        pass(&x, |x| {
            smooth.forward(x, &x.tape().constant(target.clone()))
        }),
        absolute,
    );
}

#[test]
fn the_cyclical_schedule_starts_at_1_falls_and_comes_back() {
    let xi = |epoch| {
        let loss = CyclicalFocalLoss::new().at_epoch(epoch, 21, 4.0);
        (loss, epoch)
    };
    let at = |epoch, share| assert_eq!(xi(epoch).0, CyclicalFocalLoss::new().xi(share));
    at(0, 1.0);
    at(5, 0.0);
    at(20, 1.0);
    // With a factor of 1 the low is the last epoch.
    for epoch in [20, 21, 30] {
        let loss = CyclicalFocalLoss::new().at_epoch(epoch, 21, 1.0);
        assert_eq!(loss, CyclicalFocalLoss::new().xi(0.0), "{epoch}");
    }
}

#[test]
fn losses_of_probabilities_and_logarithms_are_cross_entropy() {
    let (x, y) = (
        logits(&[12]),
        Tensor::from((0..12).map(|i| i % 2).collect::<Vec<_>>()),
    );
    let targets = y.cast::<f64>().unwrap();
    let plain = SigmoidCrossEntropy::new();
    assert_close(
        pass(&x, |x| {
            ProbabilityCrossEntropy::new().forward(&x.sigmoid()?, &targets)
        }),
        pass(&x, |x| plain.forward(x, &y)),
    );
    let (x, y) = (
        logits(&[12, 3]),
        Tensor::from((0..12).map(|i| i % 3).collect::<Vec<_>>()),
    );
    let one_hot = y.one_hot::<f64>(3).unwrap();
    let divergence = KlDivergence::new().reduction(Reduction::DividedBy(12.0));
    assert_close(
        pass(&x, |x| {
            divergence.forward(&x.log_softmax(1)?, &x.tape().constant(one_hot.clone()))
        }),
        pass(&x, |x| NllLoss::new().forward(&x.log_softmax(1)?, &y)),
    );
}

#[test]
fn gaussian_focal_loss_of_labels_is_focal_loss() {
    let (x, y) = (logits(&[30]), labels(&[30], 2));
    let gaussian = GaussianFocalLoss::new().focusing(1.5).ignore_index(-1);
    let focal = SigmoidFocalLoss::new().gamma(1.5).ignore_index(-1);
    assert_close(
        pass(&x, |x| gaussian.forward(x, &y)),
        pass(&x, |x| focal.forward(x, &y)),
    );
}

#[test]
fn smoothing_of_the_asymmetric_loss_counts_in_rows_whose_own_class_weighs_nothing() {
    let (x, y) = (logits(&[1, 3]), Tensor::from([0_i64]));
    let loss = AsymmetricSingleLabelLoss::new()
        .gamma_negative(0.0)
        .label_smoothing(0.3);
    let loss = loss.class_weights([0.0, 1.0, 2.0]);
    let smoothed = SoftmaxCrossEntropy::new().label_smoothing(0.3);
    let smoothed = smoothed.class_weights([0.0, 1.0, 2.0]);
    assert_close(
        pass(&x, |x| loss.forward(x, &y)),
        pass(&x, |x| smoothed.forward(x, &y)),
    );
}
