//! Numbers for each column of the logits of a sigmoid loss: each column is as if it were alone.

use macula_autograd::{Tape, Var, check_gradients};
use macula_losses::formula::ElementLoss;
use macula_losses::*;
use macula_tensor::{Float, Result, Scalar, Tensor};

use crate::bad_input::message;
use crate::members::{labels, logits};

const ALPHAS: [f64; 3] = [0.25, 0.9, 0.5];
const GAMMAS: [f64; 3] = [2.0, 0.0, 0.5];
const WEIGHTS: [f64; 3] = [1.0, 4.0, 0.0];

/// Rows of several blocks, the last of them no whole registers.
const ROWS: usize = 401;

fn of_columns() -> SigmoidFocalLoss {
    SigmoidFocalLoss::new()
        .alphas(ALPHAS)
        .gammas(GAMMAS)
        .positive_weights(WEIGHTS)
}

fn of_column(column: usize) -> SigmoidFocalLoss {
    SigmoidFocalLoss::new()
        .alpha(ALPHAS[column])
        .gamma(GAMMAS[column])
        .class_weights([1.0, WEIGHTS[column]])
}

fn rounded<T: Float>(numbers: &Tensor<f64>) -> Result<Tensor<T>> {
    let rounded = numbers.to_vec()?.into_iter().map(T::from_f64).collect();
    Tensor::from_vec(rounded, numbers.shape())
}

/// Losses of elements and their gradient.
fn pass<T: Float>(
    x: &Tensor<T>,
    loss: impl FnOnce(&Var<T>) -> Result<Var<T>>,
) -> Result<[Tensor<T>; 2]> {
    let x = Tape::new().var(x.clone());
    let losses = loss(&x)?;
    let gradient = losses.sum(..)?.backward()?.of(&x)?.clone();
    Ok([losses.value().clone(), gradient])
}

/// A kind of targets: how a loss is called on some of the columns.
fn check<T: Float>(
    bound: f64,
    loss_of: impl Fn(SigmoidFocalLoss, &Var<T>, Option<usize>) -> Result<Var<T>>,
) -> Result<()> {
    let x = rounded(&logits(&[ROWS, 3]))?;
    let all = pass(&x, |x| {
        loss_of(of_columns().reduction(Reduction::None), x, None)
    })?;
    for column in 0..3 {
        let alone = pass(&x.narrow(1, column, 1)?.squeeze(1)?, |x| {
            loss_of(
                of_column(column).reduction(Reduction::None),
                x,
                Some(column),
            )
        })?;
        for (all, alone) in all.iter().zip(&alone) {
            let numbers = |tensor: &Tensor<T>| -> Result<Vec<f64>> {
                Ok(tensor.to_vec()?.into_iter().map(T::to_f64).collect())
            };
            let (all, alone) = (numbers(&all.narrow(1, column, 1)?)?, numbers(alone)?);
            approx::assert_relative_eq!(all[..], alone[..], max_relative = bound, epsilon = bound);
        }
    }
    Ok(())
}

fn kinds_of_targets<T: Float>(bound: f64) -> Result<()> {
    let hard = labels(&[ROWS, 3], 2);
    let soft = rounded(&logits(&[ROWS, 3]).sigmoid()?)?;
    let weights = rounded(&logits(&[ROWS, 3]).abs()?)?;
    fn columns<E: macula_tensor::Element>(
        all: &Tensor<E>,
        column: Option<usize>,
    ) -> Result<Tensor<E>> {
        match column {
            None => Ok(all.clone()),
            Some(column) => all.narrow(1, column, 1)?.squeeze(1),
        }
    }
    check::<T>(bound, |loss, x, column| {
        loss.ignore_index(-1).forward(x, &columns(&hard, column)?)
    })?;
    check::<T>(bound, |loss, x, column| {
        let loss = loss.ignore_index(-1).label_smoothing(0.1);
        let weights = columns(&weights, column)?;
        loss.forward_weighted(x, &columns(&hard, column)?, &weights)
    })?;
    check::<T>(bound, |loss, x, column| {
        loss.forward_soft(x, &columns(&soft, column)?)
    })
}

#[test]
fn a_column_has_the_loss_and_gradient_that_it_has_alone() -> Result<()> {
    // One power is taken by a formula of its own where γ is a whole number.
    kinds_of_targets::<f64>(1e-13)?;
    kinds_of_targets::<f32>(1e-6)
}

#[test]
fn gradients_of_columns_are_right_to_second_order() -> Result<()> {
    let soft = logits(&[4, 3]).sigmoid()?;
    for reduction in [Reduction::None, Reduction::WeightedMean] {
        let loss = of_columns().reduction(reduction);
        check_gradients("soft", &[logits(&[4, 3])], |x| {
            loss.forward_soft(&x[0], &soft)
        })?;
        let loss = loss.label_smoothing(0.1);
        check_gradients("smoothed", &[logits(&[4, 3])], |x| {
            loss.forward(&x[0], &labels(&[4, 3], 2).clamp(0, 1)?)
        })?;
    }
    Ok(())
}

/// `setting·(x − y)²`, whatever the target.
#[derive(Clone, Copy, Debug)]
struct Distance;

impl ElementLoss for Distance {
    const NAME: &'static str = "distance";
    const SETTING: Option<&'static str> = Some("stretches");

    fn value_and_slope<S: Scalar>(&self, logit: S, target: S) -> (S, S) {
        self.with_setting(logit, target, logit.constant(1.0))
    }

    fn with_setting<S: Scalar>(&self, logit: S, label: S, setting: S) -> (S, S) {
        let d = logit - label;
        (setting * d * d, setting * d * 2.0)
    }
}

#[test]
fn with_numbers_of_columns_a_soft_target_mixes_whatever_the_formula() -> Result<()> {
    let (x, soft) = (Tensor::from([[3.0, 3.0]]), Tensor::from([[0.25, 1.0]]));
    let loss = SigmoidLoss::of(Distance).reduction(Reduction::None);
    let [alone, _] = pass(&x, |x| loss.forward_soft(x, &soft))?;
    assert_eq!(alone.to_vec()?, [2.75 * 2.75, 4.0]);
    let loss = loss.settings([1.0, 10.0]);
    let [hard, _] = pass(&x, |x| loss.forward(x, &Tensor::from([[0, 1]])))?;
    assert_eq!(hard.to_vec()?, [9.0, 40.0]);
    let [mixed, slopes] = pass(&x, |x| loss.forward_soft(x, &soft))?;
    assert_eq!(mixed.to_vec()?, [0.25 * 4.0 + 0.75 * 9.0, 40.0]);
    assert_eq!(slopes.to_vec()?, [0.25 * 4.0 + 0.75 * 6.0, 40.0]);
    Ok(())
}

#[test]
fn one_gamma_after_several_is_that_of_all_columns() -> Result<()> {
    let (x, y) = (logits(&[4, 3]), labels(&[4, 3], 2));
    let focal = || SigmoidFocalLoss::new().ignore_index(-1);
    let [one, _] = pass(&x, |x| focal().gamma(1.0).forward(x, &y))?;
    let [again, _] = pass(&x, |x| focal().gammas(GAMMAS).gamma(1.0).forward(x, &y))?;
    assert_eq!(one.item()?, again.item()?);
    Ok(())
}

#[test]
fn numbers_of_columns_have_to_be_as_many_as_the_columns() {
    let (x, y) = (Tape::new().var(logits(&[2, 3])), labels(&[2, 3], 2));
    let found = |loss: SigmoidFocalLoss| message(loss.ignore_index(-1).forward(&x, &y));
    let focal = SigmoidFocalLoss::new;
    assert_eq!(
        found(focal().alphas([0.5, 0.5])),
        "focal_loss: alphas must be 3 numbers between 0 and 1, found 2 of them"
    );
    for too_few in [vec![], vec![0.5]] {
        let expected = |what| format!("{what}, found {} of them", too_few.len());
        assert_eq!(
            found(focal().alphas(too_few.clone())),
            expected("focal_loss: alphas must be 3 numbers between 0 and 1")
        );
        assert_eq!(
            found(focal().positive_weights(too_few.clone())),
            expected(
                "focal_loss: weights of class 1 must be 3 finite numbers, none negative and not all 0"
            )
        );
    }
    assert_eq!(
        found(focal().gammas([2.0; 4])),
        "focal_loss: gammas must be 3 numbers, all finite, found 4 of them"
    );
    assert_eq!(
        found(focal().positive_weights([1.0; 2])),
        "focal_loss: weights of class 1 must be 3 finite numbers, none negative and not all 0, \
         found 2 of them"
    );
    assert_eq!(
        message(
            SigmoidCrossEntropy::new()
                .settings([1.0; 3])
                .forward(&x, &y)
        ),
        "cross_entropy: settings must be left out: the formula takes no number of a class, \
         found 3 of them"
    );
}

#[test]
fn there_may_be_no_columns() -> Result<()> {
    let (x, y) = (Tensor::<f64>::zeros([2, 0])?, Tensor::zeros([2, 0])?);
    let loss = SigmoidFocalLoss::new().gammas([]);
    let [loss, gradient] = pass(&x, |x| loss.forward(x, &y))?;
    assert_eq!((loss.item()?, gradient.shape()), (0.0, &[2, 0][..]));
    Ok(())
}
