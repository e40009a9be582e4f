//! The divergence between two distributions.

use macula_autograd::Var;
use macula_tensor::{Error, Float, Pointwise, Result, Scalar, Tensor};

use crate::checks::check_shape;
use crate::powers::product_or_zero;
use crate::reduction::Reduction;
use crate::sample_weights::SampleWeights;

/// Kullback–Leibler divergence of log-probabilities from a target distribution:
/// `y·(ln y − ln p)`, 0 where `y` is 0; or `e^t·(t − ln p)` of logarithms `t`.
///
/// `Mean` and `MeanOverPositives` divide by the number of elements, as PyTorch's `mean` does. The
/// divergence in the mathematical sense, a mean over the `N` distributions of a batch and PyTorch's
/// `batchmean`, is [`DividedBy`](Reduction::DividedBy)`(N)`.
///
/// # Source
/// Kullback, Leibler, "On information and sufficiency", 1951.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KlDivergence {
    log_targets: bool,
    reduction: Reduction,
}

impl KlDivergence {
    /// Targets are probabilities; the mean over the elements.
    pub const fn new() -> Self {
        Self {
            log_targets: false,
            reduction: Reduction::Mean,
        }
    }

    /// Whether targets are logarithms of probabilities.
    pub const fn log_targets(mut self, log_targets: bool) -> Self {
        self.log_targets = log_targets;
        self
    }

    /// How the elements become one number.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// The divergence of log-probabilities from targets of the same shape; the gradient flows to
    /// both.
    ///
    /// # Errors
    /// Shapes that differ, a target probability below 0.
    #[track_caller]
    pub fn forward<T: Float>(
        &self,
        log_probabilities: &Var<T>,
        targets: &Var<T>,
    ) -> Result<Var<T>> {
        self.weighted(log_probabilities, targets, None)
    }

    /// [`forward`](Self::forward) with a weight for each element.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and weights that are negative, not finite or not of the
    /// targets' shape.
    #[track_caller]
    pub fn forward_weighted<T: Float>(
        &self,
        log_probabilities: &Var<T>,
        targets: &Var<T>,
        weights: &Tensor<T>,
    ) -> Result<Var<T>> {
        self.weighted(log_probabilities, targets, Some(weights))
    }

    #[track_caller]
    fn weighted<T: Float>(
        &self,
        log_probabilities: &Var<T>,
        targets: &Var<T>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        let op = Divergence::NAME;
        check_shape(op, "targets", log_probabilities.shape(), targets.shape())?;
        let weights = SampleWeights::new(op, weights, targets.shape())?;
        let (log_probabilities, targets) = (
            weights.replace(log_probabilities, 0.0)?,
            weights.replace(targets, 1.0)?,
        );
        if !self.log_targets {
            let negative = targets.value().lt(&Tensor::scalar(T::ZERO))?;
            if let Some(element) = negative.to_vec()?.iter().position(|&negative| negative) {
                return Err(Error::Argument {
                    op,
                    argument: "targets",
                    expected: "not negative".into(),
                    found: format!(
                        "{} at element {element}",
                        targets.value().to_vec()?[element]
                    ),
                });
            }
        }
        let losses = log_probabilities.zip(&targets, Divergence(self.log_targets))?;
        weights.reduce(self.reduction, &losses, || Ok(losses.value().count()))
    }
}

/// The divergence of one element; the flag says whether targets are logarithms.
#[derive(Clone, Copy, Debug)]
struct Divergence(bool);

impl Pointwise<2> for Divergence {
    const NAME: &'static str = "kl_divergence";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [log_p, target]: [S; 2]) -> S {
        let [y, ln_y] = self.with_logarithm(target);
        product_or_zero(y, ln_y - log_p)
    }

    /// Written out, so that the slope of an infinite divergence is a number.
    #[inline(always)]
    fn gradient<S: Scalar>(&self, [log_p, target]: [S; 2]) -> [S; 2] {
        let [y, ln_y] = self.with_logarithm(target);
        let distance = ln_y - log_p + 1.0;
        let zero = y.constant(0.0);
        let of_target = if self.0 { y * distance } else { distance };
        [-y, S::select(y.equal(zero), zero, of_target)]
    }
}

impl Divergence {
    /// The target probability and its logarithm.
    #[inline(always)]
    fn with_logarithm<S: Scalar>(self, target: S) -> [S; 2] {
        if self.0 {
            [target.exp(), target]
        } else {
            [target, target.ln()]
        }
    }
}
