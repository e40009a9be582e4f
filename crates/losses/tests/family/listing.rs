//! A tape's listing counts what a loss holds besides its logits: the targets and weights that its
//! composed twin would read.

use macula_autograd::{Tape, Var};
use macula_losses::*;
use macula_tensor::{Result, Tensor};

use crate::members::logits;

/// Bytes of a number or a label.
const BYTES: usize = 8;

/// The bytes that the operation named keeps, when `loss` is computed of logits of a shape.
fn kept(
    operation: &str,
    shape: &[usize],
    loss: impl FnOnce(&Var<f64>) -> Result<Var<f64>>,
) -> Result<usize> {
    let tape = Tape::new();
    loss(&tape.var(logits(shape)))?;
    let listing = tape.listing();
    let mut lines = listing.lines().iter();
    let line = lines.find(|line| line.name == operation);
    Ok(line.unwrap_or_else(|| panic!("{listing}")).kept)
}

#[test]
fn losses_of_elements_hold_targets_and_weights() -> Result<()> {
    let focal = SigmoidFocalLoss::new();
    let labels = Tensor::from([0_i64, 1, 1, 0]);
    let (targets, weights) = (Tensor::from([0.1, 0.9, 1.0, 0.0]), Tensor::full([4], 2.0)?);
    // Four logits with their gradient, and what else is given.
    let of = |loss: &dyn Fn(&Var<f64>) -> Result<Var<f64>>| kept("focal_loss", &[4], loss);
    assert_eq!(of(&|x| focal.forward(x, &labels))?, 12 * BYTES);
    assert_eq!(
        of(&|x| focal.forward_weighted(x, &labels, &weights))?,
        16 * BYTES
    );
    assert_eq!(of(&|x| focal.forward_soft(x, &targets))?, 12 * BYTES);
    assert_eq!(
        of(&|x| focal.forward_soft_weighted(x, &targets, &weights))?,
        16 * BYTES
    );
    Ok(())
}

#[test]
fn losses_of_rows_hold_targets_and_weights() -> Result<()> {
    let focal = SoftmaxFocalLoss::new();
    let labels = Tensor::from([0_i64, 2]);
    let (shares, weights) = (Tensor::full([2, 3], 0.25)?, Tensor::full([2], 2.0)?);
    // Six logits with their gradient, and what else is given.
    let of = |loss: &dyn Fn(&Var<f64>) -> Result<Var<f64>>| kept("focal_loss", &[2, 3], loss);
    assert_eq!(of(&|x| focal.forward(x, &labels))?, 14 * BYTES);
    assert_eq!(
        of(&|x| focal.forward_weighted(x, &labels, &weights))?,
        16 * BYTES
    );
    assert_eq!(of(&|x| focal.forward_soft(x, &shares))?, 18 * BYTES);
    assert_eq!(
        of(&|x| focal.forward_soft_weighted(x, &shares, &weights))?,
        20 * BYTES
    );
    Ok(())
}

#[test]
fn margins_of_classes_hold_the_place_of_the_largest() -> Result<()> {
    let labels = Tensor::from([0_i64, 2]);
    let loss = DualFocalLoss::new();
    let found = kept("class_margins", &[2, 3], |x| loss.forward(x, &labels))?;
    assert_eq!(found, 8 * BYTES);
    Ok(())
}
