//! `SoftmaxLoss`: a formula of the margin over several classes, with everything that may differ
//! from class to class.

use macula_autograd::Var;
use macula_tensor::{Float, Result, Tensor};

use crate::checks::check_nothing_ignored;
use crate::formula::MarginLoss;
use crate::reduction::Reduction;
use crate::row_loss::{RowBatch, RowLoss};
use crate::softmax::{RowOptions, RowTargets};

/// A loss of rows of logits, one for each class, of which one is the target.
///
/// The members of the family are this with a formula: [`SoftmaxFocalLoss`](crate::SoftmaxFocalLoss)
/// is `SoftmaxLoss<Focal>`. Their own parameters are described with them; what is here they share.
/// For a formula of your own see [`formula`](crate::formula).
///
/// With `ℓ(z, c)` the loss of logits `z` and target `c`, and `w_c` the weight of class `c`, the
/// loss of a row with label `t` is `w_t·ℓ(z, t)`, and of a row with soft targets `y` it is
/// `Σ_c y_c·w_c·ℓ(z, c)`.
///
/// # Gradient
/// Value and gradient come from one pass over logits and targets, in closed form. Second and
/// higher orders are recorded from ordinary operations.
///
/// # Numerics
/// A logit that is NaN makes the loss and the slopes of its own row NaN, and no other's. Infinite
/// logits give the limits, which may be an infinite loss with finite slopes; NaN where there is no
/// limit, because the target and the largest of the others are the same infinity.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxLoss<F> {
    pub(crate) formula: F,
    pub(crate) options: RowOptions,
}

impl<F> SoftmaxLoss<F> {
    /// A formula without weights, the mean over the rows.
    pub const fn of(formula: F) -> Self {
        Self {
            formula,
            options: RowOptions::new(),
        }
    }

    /// A weight for each class.
    ///
    /// `Reduction::Mean` divides by the number of rows; PyTorch's mean with weights is
    /// [`Reduction::WeightedMean`].
    pub fn class_weights(mut self, weights: impl Into<Vec<f64>>) -> Self {
        self.options.class_weights = Some(weights.into());
        self
    }

    /// Takes the share ε of every target and spreads it evenly over all classes:
    /// `y_c = (1 − ε)·[c = t] + ε/C`. ε is in [0, 1).
    ///
    /// Of the losses that are no functions of the margin, only
    /// [`AsymmetricSingleLabelLoss`](crate::AsymmetricSingleLabelLoss) has a use for it; the others
    /// refuse it.
    ///
    /// # Source
    /// Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception architecture for
    /// computer vision", 2016, section 7.
    pub const fn label_smoothing(mut self, epsilon: f64) -> Self {
        self.options.smoothing = epsilon;
        self
    }

    /// A label to pass over. With soft targets, which are no labels, it is an error.
    pub const fn ignore_index(mut self, label: i64) -> Self {
        self.options.ignore = Some(label);
        self
    }

    /// How the losses of the rows become one number.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.options.reduction = reduction;
        self
    }
}

impl<F: RowLoss> SoftmaxLoss<F> {
    /// The loss of logits and class labels.
    ///
    /// # Shapes
    /// Logits `[N, C]` and labels `[N]`, or logits `[N, C, …]` and labels `[N, …]` for pixels.
    /// With `Reduction::None` the result has the labels' shape, else rank 0.
    ///
    /// # Errors
    /// Shapes that do not match; a label outside the classes (with its place); smoothing outside
    /// [0, 1); class weights that are negative, not finite, all 0 or not as many as classes; a
    /// parameter of the formula outside its range; an option that the loss has no use for.
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        self.of_labels(logits, labels, None)
    }

    /// [`forward`](Self::forward) with a weight for each row; a weight of 2 is the same as the row
    /// twice.
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
        self.of_labels(logits, labels, Some(weights))
    }

    /// [`forward`](Self::forward), with weights or without.
    #[track_caller]
    pub(crate) fn of_labels<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        self.of_targets(logits, RowTargets::labels(labels)?, weights)
    }

    #[track_caller]
    fn of_targets<T: Float>(
        &self,
        logits: &Var<T>,
        targets: RowTargets<T>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        self.formula.loss(RowBatch {
            op: F::NAME,
            logits,
            targets,
            weights,
            options: &self.options,
        })
    }
}

impl<F: MarginLoss> SoftmaxLoss<F> {
    /// The number that the formula takes for each class, such as the
    /// [`gammas`](crate::SoftmaxFocalLoss::gammas) of focal loss; that of the target counts.
    pub fn settings(mut self, settings: impl Into<Vec<f64>>) -> Self {
        self.options.settings = Some(settings.into());
        self
    }

    /// The loss of logits and a share `y_c ≥ 0` for each class: `Σ_c y_c·w_c·ℓ(z, c)`.
    ///
    /// The shares of a row usually sum to 1, but need not. A row's weight is `Σ_c y_c·w_c`, and it
    /// is a positive where some class has a larger share than class 0, the background.
    ///
    /// # Shapes
    /// Targets of the shape of the logits, `[N, C]` or `[N, C, …]`; those of pixels are copied. With
    /// `Reduction::None` the result has that shape without `C`, else rank 0.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and a share that is negative or not finite (with its row), or an
    /// [`ignore_index`](Self::ignore_index).
    #[track_caller]
    pub fn forward_soft<T: Float>(&self, logits: &Var<T>, targets: &Tensor<T>) -> Result<Var<T>> {
        self.of_shares(logits, targets, None)
    }

    /// [`forward_soft`](Self::forward_soft) with a weight for each row.
    ///
    /// # Errors
    /// As [`forward_soft`](Self::forward_soft), and weights that are negative, not finite or not
    /// of the result's shape.
    #[track_caller]
    pub fn forward_soft_weighted<T: Float>(
        &self,
        logits: &Var<T>,
        targets: &Tensor<T>,
        weights: &Tensor<T>,
    ) -> Result<Var<T>> {
        self.of_shares(logits, targets, Some(weights))
    }

    /// [`forward_soft`](Self::forward_soft), with weights or without.
    #[track_caller]
    pub(crate) fn of_shares<T: Float>(
        &self,
        logits: &Var<T>,
        targets: &Tensor<T>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        let op = <F as MarginLoss>::NAME;
        check_nothing_ignored(op, self.options.ignore)?;
        self.of_targets(logits, RowTargets::shares(op, targets)?, weights)
    }
}
