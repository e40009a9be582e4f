//! Pixels, logits `[N, C, …]`: each is a row, wherever its logits lie.

use macula_autograd::{Tape, Var};
use macula_losses::*;
use macula_tensor::{Element, Result, Tensor};

use crate::members::{labels, logits};

/// Losses and gradient, in the order of the rows.
fn pass(x: &Tensor<f64>, loss: impl Fn(&Var<f64>) -> Result<Var<f64>>) -> Result<[Vec<f64>; 2]> {
    let x = Tape::new().var(x.clone());
    let losses = loss(&x)?;
    let gradient = losses.sum(..)?.backward()?.of(&x)?.clone();
    Ok([losses.value().to_vec()?, as_rows(&gradient)?.to_vec()?])
}

/// `[N, C, H, W]` as `[N·H·W, C]`; rows stay as they are.
fn as_rows<E: Element>(pixels: &Tensor<E>) -> Result<Tensor<E>> {
    match *pixels.shape() {
        [images, classes, height, width] => {
            let by_row = pixels.permute([0, 2, 3, 1])?;
            by_row.reshape([images * height * width, classes])
        }
        _ => Ok(pixels.clone()),
    }
}

#[test]
fn pixels_have_the_losses_and_gradients_of_rows_to_the_bit() -> Result<()> {
    let focal = || SoftmaxFocalLoss::new().reduction(Reduction::None);
    // The last two are cut into pieces that begin and end within an image.
    for (classes, height, width) in [(1, 2, 3), (2, 1, 1), (3, 5, 1), (10, 37, 60), (70, 9, 61)] {
        let pixels = logits(&[3, classes, height, width]);
        let rows = as_rows(&pixels)?;
        let y = labels(&[3, height, width], classes as i64);
        let y_of_rows = y.flatten()?;
        let hard = focal().ignore_index(-1);
        assert_eq!(
            pass(&pixels, |x| hard.forward(x, &y))?,
            pass(&rows, |x| hard.forward(x, &y_of_rows))?,
            "{classes} classes"
        );
        let y = pixels.softmax(1)?;
        let y_of_rows = as_rows(&y)?;
        assert_eq!(
            pass(&pixels, |x| focal().forward_soft(x, &y))?,
            pass(&rows, |x| focal().forward_soft(x, &y_of_rows))?,
            "soft targets of {classes} classes"
        );
    }
    Ok(())
}
