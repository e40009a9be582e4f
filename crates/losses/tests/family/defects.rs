//! The defects that the front page names, in numbers, and that this crate does not have them.

use macula_autograd::Tape;
use macula_losses::SigmoidFocalLoss;
use macula_tensor::{Result, Tensor};

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
