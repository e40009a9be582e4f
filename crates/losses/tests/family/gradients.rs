//! Gradients of first and second order against finite differences, and fused passes against their
//! composed twins.

use macula_autograd::{Tape, Var, check_gradients};
use macula_losses::formula::MarginLoss;
use macula_losses::*;
use macula_tensor::{Error, Result, Tensor};

use crate::members::*;

/// An error with the name of the member.
fn named(name: &str, result: Result<()>) -> Result<()> {
    result.map_err(|error| Error::Gradient {
        op: "member",
        message: format!("{name}: {error}"),
    })
}

#[test]
fn every_member_has_the_right_gradients() -> Result<()> {
    for member in every_member(Reduction::Mean) {
        let Member { name, loss, .. } = &member;
        let (x, labels) = (member.logits(3, 4), member.labels(3, 4));
        let weights = member.weighs.then(|| Tensor::from([1.0, 0.0, 0.5, 3.0]));
        for weights in [None, weights.as_ref()] {
            let checked = check_gradients("member", std::slice::from_ref(&x), |inputs| {
                loss(&inputs[0], &labels, weights)
            });
            named(name, checked)?;
        }
        if member.ignores {
            let ignored = member.same_labels(-1, 1);
            let labels = Tensor::concatenate(&[&labels.narrow(0, 0, 3)?, &ignored], 0)?;
            let checked = check_gradients("member", &[x], |inputs| loss(&inputs[0], &labels, None));
            named(name, checked)?;
        }
    }
    Ok(())
}

#[test]
fn losses_of_each_pixel_have_the_right_gradients() -> Result<()> {
    let labels = labels(&[2, 3], 3);
    for Member { name, loss, .. } in softmax_members(Reduction::None) {
        let checked = check_gradients("pixels", &[logits(&[2, 3, 3])], |inputs| {
            loss(&inputs[0], &labels, None)
        });
        named(name, checked)?;
    }
    Ok(())
}

#[test]
fn soft_targets_have_the_right_gradients() -> Result<()> {
    let targets = Tensor::from([0.0, 0.2, 0.5, 0.9, 1.0]);
    let x = [logits(&[5])];
    let focal = SigmoidFocalLoss::new().alpha(0.3);
    check_gradients("mixed", &x, |x| focal.forward_soft(&x[0], &targets))?;
    let focal = InterpolatedFocalLoss::new().alpha(0.3);
    check_gradients("interpolated", &x, |x| focal.forward_soft(&x[0], &targets))?;
    let focal = QualityFocalLoss::new();
    check_gradients("quality", &x, |x| focal.forward_soft(&x[0], &targets))?;
    let focal = VarifocalLoss::new();
    check_gradients("varifocal", &x, |x| focal.forward_soft(&x[0], &targets))?;
    let focal = GaussianFocalLoss::new();
    check_gradients("gaussian", &x, |x| focal.forward_soft(&x[0], &targets))?;
    let focal = SoftmaxFocalLoss::new().gamma(1.5).alpha([0.2, 0.3, 0.5]);
    let shares = Tensor::from([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0], [0.6, 0.1, 0.1]]);
    check_gradients("shares", &[logits(&[3, 3])], |x| {
        focal.forward_soft(&x[0], &shares)
    })
}

#[test]
fn second_derivatives_of_a_class_far_ahead_keep_their_digits() -> Result<()> {
    // The Hessian of cross-entropy is Σ y·(diag(p) − p·pᵀ), whose row of the class ahead is tiny.
    for ahead in [1.0_f64, 30.0, 100.0, 300.0] {
        let x = Tape::new().var(Tensor::from([[ahead, 0.0, -1.0]]));
        let shares = Tensor::from([[0.2, 0.5, 0.3]]);
        let loss = SoftmaxCrossEntropy::new().forward_soft(&x, &shares)?;
        let of_ahead = loss.grad(&[&x])?[0].narrow(1, 0, 1)?.sum(..)?;
        let found = of_ahead.grad(&[&x])?[0].value().to_vec()?;
        let others = [(-ahead).exp(), (-ahead - 1.0).exp()];
        let rest = others[0] + others[1];
        let square = (1.0 + rest).powi(2);
        let wanted = [rest / square, -others[0] / square, -others[1] / square];
        for (found, wanted) in found.into_iter().zip(wanted) {
            // An exponential of up to 301 with the rounding of its argument.
            let close = (found - wanted).abs() <= 1e-13 * wanted.abs();
            assert!(close, "{ahead} ahead: {found} and {wanted}");
        }
    }
    Ok(())
}

#[test]
fn quality_focal_loss_is_curved_where_a_prediction_meets_its_target() -> Result<()> {
    // (p − y)² · BCE at p = y = ½, of which the second derivative is 2·(p·q)²·ln 2.
    let x = Tape::new().var(Tensor::from([0.0]));
    let loss = QualityFocalLoss::new().forward_soft(&x, &Tensor::from([0.5]))?;
    let first = loss.grad(&[&x])?.remove(0);
    let second = first.sum(..)?.grad(&[&x])?[0].item()?;
    assert_eq!(first.item()?, 0.0);
    assert!((second - 0.125 * 2.0_f64.ln()).abs() < 1e-15, "{second}");
    // It is 0 above 2, and given as 0 where it is infinite.
    for beta in [0.5, 1.0, 1.5, 2.5] {
        let loss = QualityFocalLoss::new().beta(beta);
        let loss = loss.forward_soft(&x, &Tensor::from([0.5]))?;
        let first = loss.grad(&[&x])?.remove(0);
        assert_eq!(first.item()?, 0.0, "β = {beta}");
        let second = first.sum(..)?.grad(&[&x])?[0].item()?;
        assert_eq!(second, 0.0, "β = {beta}");
    }
    for beta in [0.0, 2.0, 3.0, 4.0] {
        let targets = Tensor::from([0.5, 0.2]);
        let loss = QualityFocalLoss::new().beta(beta);
        check_gradients("quality", &[Tensor::from([0.0, 1.0])], |x| {
            loss.forward_soft(&x[0], &targets)
        })?;
    }
    Ok(())
}

#[test]
fn soft_targets_go_with_every_option_of_a_softmax_loss() -> Result<()> {
    let counts = ClassCounts::from_counts([90, 30, 4])?;
    let focal = || SoftmaxFocalLoss::new().gamma(1.5);
    let poly = SoftmaxPolyLoss::new().gamma(0.5);
    fn check<F: MarginLoss>(name: &str, loss: SoftmaxLoss<F>) -> Result<()> {
        let shares = Tensor::from([[0.2, 0.5, 0.3], [0.0, 1.0, 0.0], [0.6, 0.1, 0.1]]);
        let weights = Tensor::from([1.0, 0.0, 2.5]);
        for reduction in [Reduction::None, Reduction::WeightedMean] {
            let loss = loss.clone().reduction(reduction);
            let checked = check_gradients("shares", &[logits(&[3, 3])], |x| {
                loss.forward_soft_weighted(&x[0], &shares, &weights)
            });
            named(name, checked)?;
        }
        Ok(())
    }
    check("γ by class", focal().gammas([0.0, 1.5, 2.0]))?;
    check("smoothed", focal().label_smoothing(0.2))?;
    check("adjusted", focal().logit_adjusted(&counts, 1.0)?)?;
    check("margins", focal().label_aware_margins(&counts, 0.5, 2.0)?)?;
    check("scaled", focal().vector_scaled(&counts, 1.0, 0.2)?)?;
    check("balanced", focal().class_balanced(&counts, 0.99)?)?;
    check("weights", poly.logarithm_weights([1.0, 2.0, 0.5]))?;
    check("by difficulty", SampleDependentFocalLoss::new())?;
    check("cyclical", CyclicalFocalLoss::new().xi(0.4))
}

#[test]
fn gradients_flow_to_predictions_and_targets() -> Result<()> {
    let (x, y) = (logits(&[6]), Tensor::from([0.4, -1.0, 0.7, 2.0, 0.1, -0.2]));
    let both = [x.clone(), y];
    check_gradients("mse", &both, |v| MseLoss::new().forward(&v[0], &v[1]))?;
    check_gradients("l1", &both, |v| L1Loss::new().forward(&v[0], &v[1]))?;
    check_gradients("smooth_l1", &both, |v| {
        SmoothL1Loss::new().forward(&v[0], &v[1])
    })?;
    check_gradients("huber", &both, |v| {
        HuberLoss::new().delta(0.7).forward(&v[0], &v[1])
    })?;
    let shares = Tensor::from([0.4, 0.1, 0.2, 0.25, 0.05, 0.5]);
    check_gradients("kl", &[x.clone(), shares.clone()], |v| {
        KlDivergence::new().forward(&v[0], &v[1])
    })?;
    let targets = Tensor::from([0.0, 1.0, 0.3, 1.0, 0.0, 0.5]);
    check_gradients("probabilities", &[shares], |v| {
        ProbabilityCrossEntropy::new().forward(&v[0], &targets)
    })
}

#[test]
fn losses_of_regions_have_the_right_gradients() -> Result<()> {
    let x = [logits(&[2, 3, 2])];
    let classes = Tensor::from([[0_i64, 2], [1, 1]]);
    let sets = Tensor::from([[[0_i64, 1], [1, 1], [0, 0]], [[1, 0], [0, 1], [1, 1]]]);
    fn check<F: RegionFormula>(
        x: &[Tensor<f64>],
        classes: &Tensor<i64>,
        sets: &Tensor<i64>,
        loss: RegionLoss<F>,
    ) -> Result<()> {
        for over_batch in [false, true] {
            let loss = loss.over_batch(over_batch);
            check_gradients("region", x, |x| loss.forward(&x[0], classes))?;
            check_gradients("region", x, |x| loss.forward_sigmoid(&x[0], sets))?;
        }
        Ok(())
    }
    check(&x, &classes, &sets, DiceLoss::new())?;
    check(&x, &classes, &sets, DiceLoss::new().squared(true))?;
    check(&x, &classes, &sets, JaccardLoss::new())?;
    check(&x, &classes, &sets, TverskyLoss::focal())?;
    check(&x, &classes, &sets, GeneralizedDiceLoss::new())
}

#[test]
fn contrastive_has_the_right_gradients_to_both_embeddings() -> Result<()> {
    let same = Tensor::from([true, false, false, true]);
    check_gradients(
        "contrastive",
        &[logits(&[4, 2]), logits(&[4, 2]).mul_scalar(0.6)?],
        |v| {
            ContrastiveLoss::new()
                .margin(1.7)
                .forward(&v[0], &v[1], &same)
        },
    )
}

/// The gradient of the fused pass, and that of the recorded twin.
fn both_gradients(
    x: &Tensor<f64>,
    loss: impl Fn(&Var<f64>) -> Result<Var<f64>>,
) -> Result<[Vec<f64>; 2]> {
    let at = || Tape::new().var(x.clone());
    let (a, b) = (at(), at());
    let fused = loss(&a)?.sum(..)?.backward()?.of(&a)?.to_vec()?;
    let composed = loss(&b)?.sum(..)?.grad(&[&b])?.remove(0);
    Ok([fused, composed.value().to_vec()?])
}

#[test]
fn fused_gradients_equal_composed_ones_over_the_whole_range() -> Result<()> {
    let steps = [
        -700.0, -88.0, -20.0, -3.0, -0.1, 0.0, 0.2, 4.0, 17.0, 36.0, 100.0, 700.0,
    ];
    for label in [0, 1] {
        for member in sigmoid_members(Reduction::None) {
            let rows = steps.len() / member.row.iter().product::<usize>();
            let x = Tensor::from_vec(steps.to_vec(), member.logits_shape(rows))?;
            let labels = member.same_labels(label, rows);
            let Member { name, loss, .. } = member;
            let [fused, composed] = both_gradients(&x, |x| loss(x, &labels, None))?;
            for (index, (fused, composed)) in fused.iter().zip(composed).enumerate() {
                // The two differ in the order of a few roundings.
                let close = (fused - composed).abs() <= 1e-13 * composed.abs();
                assert!(
                    close,
                    "{name}, x = {}: {fused} and {composed}",
                    steps[index]
                );
            }
        }
    }
    Ok(())
}

#[test]
fn fused_gradients_of_rows_equal_composed_ones_over_the_whole_range() -> Result<()> {
    let steps = [-700.0, -40.0, -3.0, 0.0, 0.2, 17.0, 100.0, 700.0];
    let rows = (0..512).flat_map(|row| [steps[row / 64], steps[row / 8 % 8], steps[row % 8]]);
    let x = Tensor::from_vec(rows.collect(), [512, 3])?;
    let labels = Tensor::from((0..512).map(|row| row % 5 % 3).collect::<Vec<_>>());
    for Member { name, loss, .. } in softmax_members(Reduction::None) {
        let [fused, composed] = both_gradients(&x, |x| loss(x, &labels, None))?;
        for (index, (fused, composed)) in fused.iter().zip(composed).enumerate() {
            // A margin of up to 1400 is rounded to 2e-13, and so is what is an exponential of it.
            let close = (fused - composed).abs() <= 1e-12 * composed.abs();
            assert!(close, "{name}, element {index}: {fused} and {composed}");
        }
    }
    Ok(())
}

#[test]
fn fused_softmax_gradients_equal_composed_ones_for_few_and_many_classes() -> Result<()> {
    for classes in [1, 2, 3, 12, 13, 40] {
        let x = logits(&[70, classes]).mul_scalar(3.0)?;
        let labels = (0..70)
            .map(|row| (row * 7 % classes) as i64)
            .collect::<Vec<_>>();
        let labels = Tensor::from(labels);
        for smoothing in [0.0, 0.1] {
            let focal = SoftmaxFocalLoss::new()
                .gamma(1.5)
                .label_smoothing(smoothing);
            let focal = focal.reduction(Reduction::None);
            let [fused, composed] = both_gradients(&x, |x| focal.forward(x, &labels))?;
            for (fused, composed) in fused.iter().zip(composed) {
                // A sum of that many terms, each with a few roundings.
                let close = (fused - composed).abs() <= 1e-13 * (1.0 + composed.abs());
                assert!(
                    close,
                    "{classes} classes, ε = {smoothing}: {fused} and {composed}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn single_precision_agrees_with_double() -> Result<()> {
    for classes in [2, 5, 30] {
        let x = logits(&[40, classes]).mul_scalar(4.0)?;
        let labels = (0..40).map(|row| (row * 3 % classes) as i64);
        let labels = Tensor::from(labels.collect::<Vec<_>>());
        for smoothing in [0.0, 0.1] {
            let focal = SoftmaxFocalLoss::new().label_smoothing(smoothing);
            let double = Tape::new().var(x.clone());
            let single = Tape::new().var(x.cast::<f32>()?);
            let (a, b) = (
                focal.forward(&double, &labels)?,
                focal.forward(&single, &labels)?,
            );
            // Logits up to 10, rounded to 24 bits, in exponents.
            assert!((a.item()? - b.item()?).abs() < 4e-6 * a.item()?);
            let wanted = a.backward()?.of(&double)?.to_vec()?;
            let found = b.backward()?.of(&single)?.to_vec()?;
            for (found, wanted) in found.into_iter().zip(wanted) {
                let distance = (f64::from(found) - wanted).abs();
                assert!(
                    distance < 1e-8 + 1e-5 * wanted.abs(),
                    "{found} and {wanted}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn detached_powers_are_constants_for_the_gradient() -> Result<()> {
    let steps = [-30.0, -4.0, -1.5, 0.0, 0.7, 3.0, 30.0];
    for (label, gamma) in [(1, 1.5), (0, 4.0)] {
        for clip in [0.0, 0.05] {
            let x = Tape::new().var(Tensor::from(steps.to_vec()));
            let loss = AsymmetricLoss::new().gamma_positive(1.5).clip(clip);
            let loss = loss.detached(true).reduction(Reduction::Sum);
            let loss = loss.forward(&x, &Tensor::from([label; 7]))?;
            let gradient = loss.backward()?.of(&x)?.to_vec()?;
            for (&x, found) in steps.iter().zip(gradient) {
                let (p, q) = (1.0 / (1.0 + f64::exp(-x)), 1.0 / (1.0 + f64::exp(x)));
                let wanted = match label {
                    1 => -q.powf(gamma) * q,
                    // ∂/∂x of −ln(1 − p + m), where p is above the clip.
                    _ if p > clip => (p - clip).powf(gamma) * p * q / (q + clip),
                    _ => 0.0,
                };
                let close = (found - wanted).abs() <= 1e-12 * wanted.abs();
                assert!(
                    close,
                    "label {label}, clip {clip}, x = {x}: {found} and {wanted}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn the_second_order_of_a_detached_power_is_that_of_its_slope() -> Result<()> {
    let labels = labels(&[6], 2);
    for clip in [0.0, 0.05] {
        let loss = AsymmetricLoss::new().clip(clip).detached(true);
        let loss = loss.ignore_index(-1).reduction(Reduction::Sum);
        // Of the gradient as a function: its finite differences, and those of its own gradient.
        check_gradients("detached slope", &[logits(&[6])], |x| {
            Ok(loss.forward(&x[0], &labels)?.grad(&[&x[0]])?.remove(0))
        })?;
    }
    Ok(())
}

/// Unoptimised, all operations of a formula and its slopes have room in one frame.
#[test]
fn the_second_order_of_the_longest_formula_fits_the_stack_of_a_thread() -> Result<()> {
    let x = Tape::new().var(Tensor::from([0.5_f32, -1.0]));
    let targets = Tensor::from([0.3_f32, 0.8]);
    let loss = AsymmetricLoss::new().forward_soft(&x, &targets)?;
    let slope = loss.grad(&[&x])?.remove(0);
    let curvature = slope.sum(..)?.grad(&[&x])?.remove(0);
    assert!(curvature.value().to_vec()?.iter().all(|c| c.is_finite()));
    Ok(())
}
