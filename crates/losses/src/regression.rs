//! Losses of a difference: squared, absolute, and the two that change from one to the other.

use macula_autograd::Var;
use macula_tensor::{Float, Pointwise, Result, Scalar, Tensor};

use crate::checks::{check_exponent, check_positive, check_shape};
use crate::reduction::Reduction;
use crate::sample_weights::SampleWeights;

/// A loss of the difference `d` between prediction and target.
pub trait DifferenceLoss: Copy + std::fmt::Debug + Send + Sync + 'static {
    /// The name that error messages and tape listings show.
    const NAME: &'static str;

    /// Whether the formula's own parameters make sense.
    ///
    /// # Errors
    /// [`Error::Argument`](macula_tensor::Error::Argument) for one that does not.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// The loss of `d`.
    fn value<S: Scalar>(&self, difference: S) -> S;
}

/// A regression loss: a formula of `prediction − target` for each element, and their mean unless
/// another reduction is asked for.
///
/// The gradient flows to predictions and to targets; where a target is data, make it a constant.
/// The slope at a tie is 0. `MeanOverPositives` divides by the number of elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegressionLoss<F> {
    formula: F,
    reduction: Reduction,
}

impl<F> RegressionLoss<F> {
    /// A formula of the difference, the mean over the elements.
    pub const fn of(formula: F) -> Self {
        Self {
            formula,
            reduction: Reduction::Mean,
        }
    }

    /// How the losses of the elements become one number.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }
}

impl<F: DifferenceLoss> RegressionLoss<F> {
    /// The loss of predictions and targets of one shape. Nothing is broadcast.
    ///
    /// # Errors
    /// Shapes that differ, two tapes, a parameter of the formula outside its range.
    #[track_caller]
    pub fn forward<T: Float>(&self, predictions: &Var<T>, targets: &Var<T>) -> Result<Var<T>> {
        self.weighted(predictions, targets, None)
    }

    /// [`forward`](Self::forward) with a weight for each element.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and weights that are negative, not finite or not of the
    /// targets' shape.
    #[track_caller]
    pub fn forward_weighted<T: Float>(
        &self,
        predictions: &Var<T>,
        targets: &Var<T>,
        weights: &Tensor<T>,
    ) -> Result<Var<T>> {
        self.weighted(predictions, targets, Some(weights))
    }

    #[track_caller]
    fn weighted<T: Float>(
        &self,
        predictions: &Var<T>,
        targets: &Var<T>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        self.formula.check()?;
        check_shape(F::NAME, "targets", predictions.shape(), targets.shape())?;
        let weights = SampleWeights::new(F::NAME, weights, targets.shape())?;
        let (predictions, targets) = (
            weights.replace(predictions, 0.0)?,
            weights.replace(targets, 0.0)?,
        );
        let losses = predictions.zip(&targets, OfDifference(self.formula))?;
        weights.reduce(self.reduction, &losses, || Ok(losses.value().count()))
    }
}

#[derive(Clone, Copy, Debug)]
struct OfDifference<F>(F);

impl<F: DifferenceLoss> Pointwise<2> for OfDifference<F> {
    const NAME: &'static str = F::NAME;

    #[inline(always)]
    fn eval<S: Scalar>(&self, [prediction, target]: [S; 2]) -> S {
        self.0.value(prediction - target)
    }
}

/// `d²`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Squared;

impl DifferenceLoss for Squared {
    const NAME: &'static str = "mse_loss";

    #[inline(always)]
    fn value<S: Scalar>(&self, d: S) -> S {
        d * d
    }
}

/// Squared error, `d²`: estimates the mean.
pub type MseLoss = RegressionLoss<Squared>;

impl MseLoss {
    /// The mean over the elements.
    pub const fn new() -> Self {
        Self::of(Squared)
    }
}

impl Default for MseLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// `|d|`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Absolute;

impl DifferenceLoss for Absolute {
    const NAME: &'static str = "l1_loss";

    #[inline(always)]
    fn value<S: Scalar>(&self, d: S) -> S {
        d.abs()
    }
}

/// Absolute error, `|d|`: estimates the median.
pub type L1Loss = RegressionLoss<Absolute>;

impl L1Loss {
    /// The mean over the elements.
    pub const fn new() -> Self {
        Self::of(Absolute)
    }
}

impl Default for L1Loss {
    fn default() -> Self {
        Self::new()
    }
}

/// The formula of [`SmoothL1Loss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmoothL1 {
    /// Where the two halves meet, β ≥ 0.
    pub beta: f64,
}

impl DifferenceLoss for SmoothL1 {
    const NAME: &'static str = "smooth_l1_loss";

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "beta", self.beta)
    }

    #[inline(always)]
    fn value<S: Scalar>(&self, d: S) -> S {
        let size = d.abs();
        if self.beta == 0.0 {
            return size;
        }
        let near = size.less(d.constant(self.beta));
        S::select(near, d * d * (0.5 / self.beta), size - 0.5 * self.beta)
    }
}

/// Smooth L1: `d²/(2β)` where `|d| < β`, else `|d| − β/2`; slope 1 far out. Default β = 1; β = 0 is
/// [`L1Loss`].
///
/// # Source
/// Girshick, "Fast R-CNN", 2015, eq. 3 (β = 1).
pub type SmoothL1Loss = RegressionLoss<SmoothL1>;

impl SmoothL1Loss {
    /// β = 1, the mean over the elements.
    pub const fn new() -> Self {
        Self::of(SmoothL1 { beta: 1.0 })
    }

    /// Where the two halves meet, β ≥ 0.
    pub const fn beta(mut self, beta: f64) -> Self {
        self.formula.beta = beta;
        self
    }
}

impl Default for SmoothL1Loss {
    fn default() -> Self {
        Self::new()
    }
}

/// The formula of [`HuberLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Huber {
    /// Where the two halves meet, δ > 0.
    pub delta: f64,
}

impl DifferenceLoss for Huber {
    const NAME: &'static str = "huber_loss";

    fn check(&self) -> Result<()> {
        check_positive(Self::NAME, "delta", self.delta)
    }

    #[inline(always)]
    fn value<S: Scalar>(&self, d: S) -> S {
        let size = d.abs();
        let near = size.less_equal(d.constant(self.delta));
        let far = (size - 0.5 * self.delta) * self.delta;
        S::select(near, d * d * 0.5, far)
    }
}

/// Huber loss: `d²/2` where `|d| ≤ δ`, else `δ·(|d| − δ/2)`; δ times smooth L1 with β = δ. Default
/// δ = 1.
///
/// # Source
/// Huber, "Robust estimation of a location parameter", 1964.
pub type HuberLoss = RegressionLoss<Huber>;

impl HuberLoss {
    /// δ = 1, the mean over the elements.
    pub const fn new() -> Self {
        Self::of(Huber { delta: 1.0 })
    }

    /// Where the two halves meet, δ > 0.
    pub const fn delta(mut self, delta: f64) -> Self {
        self.formula.delta = delta;
        self
    }
}

impl Default for HuberLoss {
    fn default() -> Self {
        Self::new()
    }
}
