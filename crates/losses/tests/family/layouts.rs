//! Rows of any number of classes: every layout of the one pass over them, over several of its blocks,
//! against the definition of the loss.

use macula_autograd::Tape;
use macula_losses::*;
use macula_tensor::{Float, Result, Tensor};

/// Pairs, few classes and many; fours of registers that are full, and with one number too many.
const CLASSES: [usize; 10] = [2, 3, 24, 25, 31, 33, 63, 65, 129, 1000];
/// A row, less than a block, a row more than the largest block, and more than two of them.
const ROWS: [usize; 4] = [1, 7, 65, 130];
const GAMMA: i32 = 2;
const IGNORED: i64 = -1;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Ordinary,
    /// Its label is passed over, and a logit is NaN.
    Ignored,
    /// Its weight is 0, and a logit is NaN.
    Weightless,
    Nan,
    /// A logit is +∞, not that of the target.
    Infinite,
}

struct Row {
    kind: Kind,
    logits: Vec<f64>,
    target: usize,
    weight: f64,
}

impl Row {
    /// Numbers without pattern that single precision holds exactly, and their differences too.
    fn new(index: usize, classes: usize, kind: Kind) -> Self {
        let noise = |class| ((index * 1009 + class) as f64 + 0.5).sin() * 43758.5453;
        let logit = |class| (noise(class).fract() * 512.0).round() / 64.0;
        let mut logits: Vec<f64> = (0..classes).map(logit).collect();
        let target = index * 31 % classes;
        // The target's own place among them.
        let of_nan = (target + index / 7) % classes;
        match kind {
            Kind::Ordinary => {}
            Kind::Infinite => {
                logits[(target + 1 + index % (classes - 1)) % classes] = f64::INFINITY;
            }
            _ => logits[of_nan] = f64::NAN,
        }
        let weight = if kind == Kind::Weightless {
            0.0
        } else {
            1.0 + (index % 3) as f64
        };
        Self {
            kind,
            logits,
            target,
            weight,
        }
    }

    /// Loss and gradient by the definition, and 0 where the row does not count.
    ///
    /// The margin is `s = z_t − ln Σ_{j≠t} exp z_j`, the loss `σ(−s)^γ · softplus(−s)`.
    fn expected(&self) -> (f64, Vec<f64>) {
        if matches!(self.kind, Kind::Ignored | Kind::Weightless) {
            return (0.0, vec![0.0; self.logits.len()]);
        }
        let sigma = |x: f64| 1.0 / (1.0 + (-x).exp());
        let weight = self.weight * class_weight(self.target);
        let classes = self.logits.iter().enumerate();
        let others = classes.filter(|&(class, _)| class != self.target);
        let sum: f64 = others.map(|(_, z)| z.exp()).sum();
        let margin = self.logits[self.target] - sum.ln();
        let (p, q) = (sigma(margin), sigma(-margin));
        let cross_entropy = (-margin).exp().ln_1p();
        let modulator = weight * q.powi(GAMMA);
        // −p·ln p is 0 at p = 0.
        let entropy = if p == 0.0 { 0.0 } else { p * cross_entropy };
        let slope = -modulator * (q + f64::from(GAMMA) * entropy);
        // An infinite logit has all of the sum.
        let share = |z: f64| if z.is_infinite() { 1.0 } else { z.exp() / sum };
        let mut gradient: Vec<f64> = self.logits.iter().map(|&z| -slope * share(z)).collect();
        gradient[self.target] = slope;
        (modulator * cross_entropy, gradient)
    }
}

fn class_weight(class: usize) -> f64 {
    0.5 + (class % 4) as f64
}

fn assert_close<T: Float>(what: &str, width: usize, found: &[T], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, &expected)) in found.iter().zip(expected).enumerate() {
        let found = found.to_f64();
        // Infinite, or exactly 0.
        let same = found == expected || found.is_nan() && expected.is_nan();
        // The rounding of a margin of up to 16, by the loss and by the test, times 1 + γ; and the
        // few units of the functions.
        let close = (found - expected).abs() <= 32.0 * T::EPSILON * expected.abs();
        let (row, class) = (index / width, index % width);
        assert!(
            same || close,
            "{what}, row {row}, class {class}: {found:e} instead of {expected:e}"
        );
    }
}

/// Losses, their sum, and the gradient as it is computed and as it is recorded.
fn check<T: Float>(classes: usize, kinds: &[Kind]) -> Result<()> {
    let count = kinds.len();
    let rows = kinds.iter().enumerate();
    let rows: Vec<Row> = rows.map(|(i, &kind)| Row::new(i, classes, kind)).collect();
    let labels = rows.iter().map(|row| match row.kind {
        Kind::Ignored => IGNORED,
        _ => row.target as i64,
    });
    let labels = Tensor::from_vec(labels.collect(), [count])?;
    let weights = rows.iter().map(|row| T::from_f64(row.weight)).collect();
    let weights = Tensor::from_vec(weights, [count])?;
    let logits = rows.iter().flat_map(|row| &row.logits);
    let logits = logits.map(|&z| T::from_f64(z)).collect();
    let logits = Tensor::from_vec(logits, [count, classes])?;
    let (losses, gradients): (Vec<f64>, Vec<Vec<f64>>) = rows.iter().map(Row::expected).unzip();
    let gradient = gradients.concat();

    let focal = SoftmaxFocalLoss::new()
        .gamma(GAMMA.into())
        .class_weights((0..classes).map(class_weight).collect::<Vec<_>>())
        .ignore_index(IGNORED);
    let name = |what| format!("{what} of {count} rows of {classes} classes in {}", T::NAME);
    for (reduction, values) in [
        (Reduction::None, losses.clone()),
        (Reduction::Sum, vec![losses.iter().sum()]),
    ] {
        let x = Tape::new().var(logits.clone());
        let focal = focal.clone().reduction(reduction);
        let loss = focal.forward_weighted(&x, &labels, &weights)?;
        assert_close(&name("losses"), 1, &loss.value().to_vec()?, &values);
        let sum = loss.sum(..)?;
        let recorded = sum.grad(&[&x])?[0].value().to_vec()?;
        assert_close(&name("recorded gradient"), classes, &recorded, &gradient);
        let found = sum.backward()?.of(&x)?.to_vec()?;
        assert_close(&name("gradient"), classes, &found, &gradient);
    }
    Ok(())
}

/// Every number of classes and rows, of the kinds that `kind` says.
fn check_all(kind: impl Fn(usize) -> Kind) -> Result<()> {
    for classes in CLASSES {
        for rows in ROWS {
            let kinds: Vec<Kind> = (0..rows).map(&kind).collect();
            check::<f32>(classes, &kinds)?;
            check::<f64>(classes, &kinds)?;
        }
    }
    Ok(())
}

#[test]
fn rows_of_any_number_of_classes_have_the_loss_and_gradient_of_the_definition() -> Result<()> {
    check_all(|row| match row % 7 {
        4 => Kind::Ignored,
        6 => Kind::Weightless,
        _ => Kind::Ordinary,
    })
}

#[test]
fn logits_that_are_no_numbers_change_no_other_row() -> Result<()> {
    check_all(|row| match row % 7 {
        1 => Kind::Nan,
        3 => Kind::Infinite,
        4 => Kind::Ignored,
        6 => Kind::Weightless,
        _ => Kind::Ordinary,
    })
}
