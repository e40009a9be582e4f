//! The defects that the front page names, in numbers, and that this crate does not have them.

use macula_autograd::{Tape, Var};
use macula_losses::*;
use macula_tensor::{Result, Tensor};

use crate::bad_input::message;

/// Loss and slope of `q^γ·(−ln p)` in f32 as they are usually computed: `q = 1 − p`, chain rule.
fn usual(x: f32, gamma: f32) -> [f32; 2] {
    let p = 1.0 / (1.0 + (-x).exp());
    let q = 1.0 - p;
    let loss = -p.ln();
    let by_p = -gamma * q.powf(gamma - 1.0) * loss - q.powf(gamma) / p;
    [q.powf(gamma) * loss, by_p * p * q]
}

/// The same in closed form, in f64.
fn exact(x: f64, gamma: f64) -> [f64; 2] {
    let loss = (-x).exp().ln_1p();
    let (p, q) = (1.0 / (1.0 + (-x).exp()), (-x).exp() / (1.0 + (-x).exp()));
    let factor = q.powf(gamma);
    [factor * loss, -factor * (q + gamma * p * loss)]
}

fn ours(x: f32, gamma: f64) -> Result<[f32; 2]> {
    let x = Tape::new().var(Tensor::from([x]));
    let loss = SigmoidFocalLoss::new()
        .gamma(gamma)
        .forward(&x, &Tensor::from([1_i64]))?;
    let value = loss.item()? as f32;
    Ok([value, loss.backward()?.of(&x)?.item()?])
}

fn error(found: f32, exact: f64) -> f64 {
    (f64::from(found) / exact - 1.0).abs()
}

#[test]
fn subtraction_loses_the_digits_of_easy_samples() -> Result<()> {
    let wrong = error(usual(15.0, 0.5)[1], exact(15.0, 0.5)[1]);
    assert!((0.2..0.3).contains(&wrong), "{wrong}");
    let wrong = error(usual(15.0, 2.0)[0], exact(15.0, 2.0)[0]);
    assert!((0.5..0.7).contains(&wrong), "{wrong}");
    for gamma in [0.5, 2.0] {
        for (found, exact) in ours(15.0, gamma)?.into_iter().zip(exact(15.0, gamma)) {
            // An exponential of 7.5 or of 30 with the rounding of its argument.
            assert!(error(found, exact) < 4e-6, "{found} and {exact}");
        }
    }
    Ok(())
}

#[test]
fn powers_below_0_make_the_gradient_nan() -> Result<()> {
    for margin in 0..=100_u8 {
        let slope = usual(f32::from(margin), 0.5)[1];
        assert_eq!(slope.is_nan(), margin >= 17, "margin {margin}: {slope}");
    }
    for margin in [17.0, 50.0] {
        let [_, slope] = ours(margin, 0.5)?;
        let wanted = exact(margin.into(), 0.5)[1];
        // An exponential of 75 with the rounding of its argument.
        assert!(error(slope, wanted) < 2e-5, "{slope} and {wanted}");
    }
    Ok(())
}

/// The slope of `q^γ·(−ln max(p, 10⁻⁷))` in f32, by the chain rule.
fn clamped(x: f32, gamma: f64, clamps_q: bool) -> Result<f32> {
    let x = Tape::new().var(Tensor::from([x]));
    let p = x.sigmoid()?;
    let clamped = p.clamp(1e-7, 1.0)?;
    let q = if clamps_q { &clamped } else { &p };
    let factor = q.neg()?.add_scalar(1.0)?.powf(gamma)?;
    let loss = factor.mul(&clamped.ln()?)?.neg()?;
    loss.sum(..)?.backward()?.of(&x)?.item()
}

#[test]
fn a_clamp_takes_the_gradient_from_the_worst_mistakes() -> Result<()> {
    for margin in [-17.0, -20.0, -30.0] {
        for gamma in [0.0, 2.0] {
            assert_eq!(clamped(margin, gamma, true)?, 0.0);
            // Where q is not clamped its own slope stays, a millionth of the true one.
            let rest = f64::from(clamped(margin, gamma, false)?) / exact(margin.into(), gamma)[1];
            assert!((0.0..2e-6).contains(&rest), "{rest}");
            let slope = ours(margin, gamma)?[1];
            assert!(
                error(slope, exact(margin.into(), gamma)[1]) < 1e-6,
                "{slope}"
            );
        }
    }
    // The clamp is not at work yet, and the formula is the right one.
    for clamps_q in [true, false] {
        let slope = clamped(-16.0, 2.0, clamps_q)?;
        assert!(error(slope, exact(-16.0, 2.0)[1]) < 1e-5, "{slope}");
    }
    Ok(())
}

/// The norms of the gradients to the logits of each row.
fn norms(loss: Var<f32>, logits: &Var<f32>) -> Result<Vec<f64>> {
    let gradient = loss.backward()?.of(logits)?.to_vec()?;
    let norm = |row: &[f32]| row.iter().fold(0.0, |norm, &g| f64::hypot(norm, g.into()));
    Ok(gradient.chunks(3).map(norm).collect())
}

#[test]
fn one_number_for_all_classes_balances_nothing() -> Result<()> {
    // 99 rows of class 0 and one of class 2.
    let rows = (0..300_u16).map(|i| (f32::from(i) * 0.7).sin());
    let rows = Tensor::from(rows.collect::<Vec<_>>()).reshape([100, 3])?;
    let labels = (0..100).map(|row| if row == 99 { 2_i64 } else { 0 });
    let labels = Tensor::from(labels.collect::<Vec<_>>());
    let norms = |scaled: f64, loss: SoftmaxFocalLoss| {
        let logits = Tape::new().var(rows.clone());
        norms(loss.forward(&logits, &labels)?.mul_scalar(scaled)?, &logits)
    };
    let rare_to_common = |norms: &[f64]| norms[99] / norms[..99].iter().sum::<f64>();
    let plain = norms(1.0, SoftmaxFocalLoss::new())?;
    let usual = norms(0.25, SoftmaxFocalLoss::new())?;
    assert!(usual.iter().zip(&plain).all(|(a, b)| *a == 0.25 * b));
    assert_eq!(rare_to_common(&usual), rare_to_common(&plain));

    // One for each class balances, and a single one is refused.
    let balanced = SoftmaxFocalLoss::new().class_weights([0.25, 0.75, 0.75]);
    let ratio = rare_to_common(&norms(1.0, balanced)?) / rare_to_common(&plain);
    // Two products in f32 for each of the numbers.
    assert!((ratio / 3.0 - 1.0).abs() < 1e-6, "{ratio}");
    let logits = Tape::new().var(rows.clone());
    let single = SoftmaxFocalLoss::new().class_weights([0.25]);
    assert_eq!(
        message(single.forward(&logits, &labels)),
        "focal_loss: class weights must be 3 finite numbers, none negative and not all 0, found 1 \
         of them"
    );
    Ok(())
}

#[test]
fn two_weighted_means_differ_by_the_mean_weight_of_the_batch() -> Result<()> {
    // Weights by inverse frequency, where 1 % are positives.
    for (rows, positives, factor) in [(100, 1, 1.98), (32, 0, 1.0), (32, 1, 130.0 / 32.0)] {
        let logits = (0..rows).map(|i| f64::from(i).sin());
        let logits = Tensor::from(logits.collect::<Vec<_>>());
        let labels = (0..rows).map(|i| i64::from(i < positives));
        let labels = Tensor::from(labels.collect::<Vec<_>>());
        let mean = |reduction| {
            let loss = SigmoidFocalLoss::new().class_weights([1.0, 99.0]);
            let logits = Tape::new().var(logits.clone());
            loss.reduction(reduction).forward(&logits, &labels)?.item()
        };
        let ratio = mean(Reduction::Mean)? / mean(Reduction::WeightedMean)?;
        assert!((ratio / factor - 1.0).abs() < 1e-14, "{rows}: {ratio}");
    }
    Ok(())
}

#[test]
fn a_mask_that_is_multiplied_by_divides_by_too_much_and_keeps_nan() -> Result<()> {
    // One element in ten counts.
    let labels = (0..1000).map(|i| if i % 10 == 0 { 1_i64 } else { -1 });
    let labels = Tensor::from(labels.collect::<Vec<_>>());
    let mask = labels.gt(&Tensor::scalar(0))?.cast::<f32>()?;
    let logits = |ignored: f32| {
        let logits = (0..1000).map(|i| if i % 10 == 0 { 0.5 } else { ignored });
        Tape::new().var(Tensor::from(logits.collect::<Vec<_>>()))
    };
    let usual = |x: &Var<f32>| {
        let losses = x.sigmoid()?.ln()?.neg()?;
        losses.mul(&x.tape().constant(mask.clone()))?.mean(..)
    };
    let ours = |x: &Var<f32>| {
        let loss = SigmoidCrossEntropy::new().ignore_index(-1);
        loss.forward(x, &labels)
    };
    let (x, right) = (logits(0.0), (-0.5_f64).exp().ln_1p());
    assert!(error(usual(&x)?.item()? as f32, 0.1 * right) < 1e-6);
    for ignored in [0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let x = logits(ignored);
        let loss = ours(&x)?;
        assert!(error(loss.item()? as f32, right) < 1e-6, "{ignored}");
        let gradient = loss.backward()?.of(&x)?.to_vec()?;
        assert!(gradient.iter().all(|g| g.is_finite()));
        assert_eq!(gradient.iter().filter(|&&g| g != 0.0).count(), 100);
    }
    for ignored in [f32::NAN, f32::NEG_INFINITY] {
        let x = logits(ignored);
        let loss = usual(&x)?;
        assert!(loss.item()?.is_nan(), "{ignored}");
        let gradient = loss.backward()?.of(&x)?.to_vec()?;
        assert_eq!(gradient.iter().filter(|g| g.is_nan()).count(), 900);
    }
    Ok(())
}
