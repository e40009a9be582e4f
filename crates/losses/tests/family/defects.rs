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
    assert!(usual(17.0, 0.5)[1].is_nan());
    for margin in [17.0, 50.0] {
        let [_, slope] = ours(margin, 0.5)?;
        let wanted = exact(margin.into(), 0.5)[1];
        // An exponential of 75 with the rounding of its argument.
        assert!(error(slope, wanted) < 2e-5, "{slope} and {wanted}");
    }
    Ok(())
}

#[test]
fn a_clamp_takes_the_gradient_from_the_worst_mistakes() -> Result<()> {
    let p = 1.0 / (1.0 + 17.0_f32.exp());
    assert!(p < 1e-7, "the clamp is at work");
    assert!(error(ours(-17.0, 2.0)?[1], exact(-17.0, 2.0)[1]) < 1e-6);
    Ok(())
}
