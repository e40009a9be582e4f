//! Cross-entropy: focal loss without focusing, and the yardstick of the family.

use macula_autograd::Var;
use macula_tensor::{Float, Result, Scalar, Tensor};

use crate::formula::{MarginLoss, Signed};
use crate::reduction::Reduction;
use crate::sigmoid::sigmoid_loss;
use crate::softmax::{RowTargets, softmax_loss};
use crate::targets::ElementTargets;

/// `−ln p` as a function of the margin: `softplus(−s)`, with slope `−σ(−s)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogLoss;

impl MarginLoss for LogLoss {
    const NAME: &'static str = "cross_entropy";

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S) {
        let logistic = margin.logistic();
        (logistic.softplus_negated, -logistic.complement)
    }
}

/// Binary cross-entropy on logits: `−w·ln σ(x)` for label 1, `−ln σ(−x)` for label 0.
///
/// What PyTorch calls `BCEWithLogitsLoss`.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::SigmoidCrossEntropy;
/// use macula_tensor::Tensor;
///
/// let logits = Tape::new().var(Tensor::from([0.0_f32]));
/// let loss = SigmoidCrossEntropy::new().forward(&logits, &Tensor::from([1_i64]))?;
/// assert!((loss.item()? - 2.0_f64.ln()).abs() < 1e-7);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SigmoidCrossEntropy {
    class_weights: [f64; 2],
    ignore: Option<i64>,
    reduction: Reduction,
}

impl SigmoidCrossEntropy {
    /// No weights, the mean over the elements.
    pub const fn new() -> Self {
        Self {
            class_weights: [1.0, 1.0],
            ignore: None,
            reduction: Reduction::Mean,
        }
    }

    /// A factor for class 1; PyTorch's `pos_weight`.
    pub const fn positive_weight(mut self, weight: f64) -> Self {
        self.class_weights = [1.0, weight];
        self
    }

    /// Weights of classes 0 and 1.
    pub const fn class_weights(mut self, weights: [f64; 2]) -> Self {
        self.class_weights = weights;
        self
    }

    /// A label to pass over.
    pub const fn ignore_index(mut self, label: i64) -> Self {
        self.ignore = Some(label);
        self
    }

    /// How the losses of the elements become one number.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// The loss of logits and labels 0 and 1.
    ///
    /// # Shapes
    /// Labels of the shape of the logits; logits `[N, 1]` also go with labels `[N]`. Nothing is
    /// broadcast. With `Reduction::None` the result has the logits' shape, else rank 0.
    ///
    /// # Errors
    /// Shapes that differ, a label that is neither 0, 1 nor the ignored one (with its row), a
    /// weight that is negative or not finite.
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        self.weighted(logits, labels, None)
    }

    /// [`forward`](Self::forward) with a weight for each element.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and weights that are negative, not finite or not of the
    /// labels' shape.
    #[track_caller]
    pub fn forward_weighted<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: &Tensor<T>,
    ) -> Result<Var<T>> {
        self.weighted(logits, labels, Some(weights))
    }

    #[track_caller]
    fn weighted<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        let op = LogLoss::NAME;
        let targets = ElementTargets::hard(op, labels, self.class_weights, self.ignore)?
            .with_sample_weights(op, weights)?;
        sigmoid_loss(Signed(LogLoss), logits, targets, self.reduction)
    }
}

impl Default for SigmoidCrossEntropy {
    fn default() -> Self {
        Self::new()
    }
}

/// Cross-entropy of the softmax on logits: `−w_t·ln p_t`.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::SoftmaxCrossEntropy;
/// use macula_tensor::Tensor;
///
/// let logits = Tape::new().var(Tensor::from([[0.0_f32, 0.0, 0.0]]));
/// let loss = SoftmaxCrossEntropy::new().forward(&logits, &Tensor::from([2_i64]))?;
/// assert!((loss.item()? - 3.0_f64.ln()).abs() < 1e-6);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxCrossEntropy {
    class_weights: Option<Vec<f64>>,
    ignore: Option<i64>,
    reduction: Reduction,
}

impl SoftmaxCrossEntropy {
    /// No weights, the mean over the rows.
    pub const fn new() -> Self {
        Self {
            class_weights: None,
            ignore: None,
            reduction: Reduction::Mean,
        }
    }

    /// A weight for each class.
    ///
    /// `Reduction::Mean` divides by the number of rows; PyTorch's mean with weights is
    /// [`Reduction::WeightedMean`].
    pub fn class_weights(mut self, weights: impl Into<Vec<f64>>) -> Self {
        self.class_weights = Some(weights.into());
        self
    }

    /// A label to pass over.
    pub const fn ignore_index(mut self, label: i64) -> Self {
        self.ignore = Some(label);
        self
    }

    /// How the losses of the rows become one number.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// The loss of logits and class labels.
    ///
    /// # Shapes
    /// Logits `[N, C]` and labels `[N]`, or logits `[N, C, …]` and labels `[N, …]` for pixels.
    /// With `Reduction::None` the result has the labels' shape, else rank 0.
    ///
    /// # Errors
    /// Shapes that do not match, a label outside the classes (with its row), weights of the wrong
    /// length, negative, not finite or all 0.
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        let op = LogLoss::NAME;
        let weights = self.class_weights.as_deref();
        let targets = RowTargets::new(op, logits, labels, weights, None, self.ignore)?;
        softmax_loss(LogLoss, logits, targets, self.reduction)
    }
}

impl Default for SoftmaxCrossEntropy {
    fn default() -> Self {
        Self::new()
    }
}
