//! Focal loss without focus is cross-entropy to the bit, in every layout that the drivers have.

use macula_autograd::{Tape, Var};
use macula_losses::*;
use macula_tensor::{Float, Result, Tensor};

use crate::members::{labels, logits};

/// The bits of values and gradient, and of the gradient as it is recorded.
fn bits<T: Float>(
    x: &Tensor<f64>,
    loss: impl Fn(&Var<T>) -> Result<Var<T>>,
) -> Result<[Vec<u64>; 3]> {
    let rounded = x.to_vec()?.into_iter().map(T::from_f64).collect();
    let x = Tape::new().var(Tensor::from_vec(rounded, x.shape())?);
    let losses = loss(&x)?;
    let recorded = losses.sum(..)?.grad(&[&x])?[0].value().clone();
    let found = losses.sum(..)?.backward()?.of(&x)?.clone();
    let bits = |numbers: &Tensor<T>| -> Result<Vec<u64>> {
        Ok(numbers
            .to_vec()?
            .into_iter()
            .map(|x| x.to_f64().to_bits())
            .collect())
    };
    Ok([bits(losses.value())?, bits(&found)?, bits(&recorded)?])
}

fn gamma_zero<T: Float>(reduction: Reduction) -> Result<()> {
    // Every layout of the rows, and blocks that are not full.
    for classes in [1, 2, 3, 10, 24, 25, 70, 1000] {
        let x = logits(&[67, classes]).mul_scalar(9.0)?;
        let (y, shares) = (labels(&[67], classes as i64), x.softmax(1)?);
        let shares = shares.to_vec()?.into_iter().map(T::from_f64).collect();
        let shares: Tensor<T> = Tensor::from_vec(shares, x.shape())?;
        let focal = SoftmaxFocalLoss::new().gamma(0.0).reduction(reduction);
        let by_class = focal.clone().gammas(vec![0.0; classes]);
        let plain = SoftmaxCrossEntropy::new().reduction(reduction);
        let soft = bits(&x, |x| plain.forward_soft(x, &shares))?;
        let hard = plain.ignore_index(-1);
        let hard = bits(&x, |x| hard.forward::<T>(x, &y))?;
        for focal in [focal, by_class] {
            assert_eq!(bits(&x, |x| focal.forward_soft(x, &shares))?, soft);
            let focal = focal.ignore_index(-1);
            assert_eq!(bits(&x, |x| focal.forward::<T>(x, &y))?, hard);
        }
    }

    let x = logits(&[1301, 2]).mul_scalar(9.0)?;
    let y = labels(&[1301, 2], 2);
    let targets = x
        .sigmoid()?
        .to_vec()?
        .into_iter()
        .map(T::from_f64)
        .collect();
    let targets: Tensor<T> = Tensor::from_vec(targets, x.shape())?;
    let focal = SigmoidFocalLoss::new()
        .gamma(0.0)
        .alpha(0.3)
        .reduction(reduction);
    let by_column = focal.clone().gammas([0.0; 2]);
    let plain = SigmoidCrossEntropy::new().alpha(0.3).reduction(reduction);
    let soft = bits(&x, |x| plain.forward_soft(x, &targets))?;
    let hard = plain.ignore_index(-1);
    let hard = bits(&x, |x| hard.forward::<T>(x, &y))?;
    for focal in [focal, by_column] {
        assert_eq!(bits(&x, |x| focal.forward_soft(x, &targets))?, soft);
        let focal = focal.ignore_index(-1);
        assert_eq!(bits(&x, |x| focal.forward::<T>(x, &y))?, hard);
    }
    Ok(())
}

#[test]
fn focal_with_gamma_zero_is_cross_entropy_to_the_bit() -> Result<()> {
    for reduction in [Reduction::None, Reduction::Mean] {
        gamma_zero::<f32>(reduction)?;
        gamma_zero::<f64>(reduction)?;
    }
    Ok(())
}
