//! `SigmoidLoss`: a formula of one logit, with weights, ignored labels and a reduction.

use macula_autograd::Var;
use macula_tensor::{Float, Result, Tensor};

use crate::checks::{
    check_class_weights, check_nothing_ignored, check_numbers_of_classes, check_positive,
    check_settings, check_share,
};
use crate::formula::{ElementLoss, Mixed, MixedWithSetting, Weighted};
use crate::reduction::Reduction;
use crate::sigmoid::{ElementTargets, check_shapes, sigmoid_loss};

/// A loss of logits, each of which stands for a yes or no of its own: binary and multi-label
/// classification, and detection.
///
/// The members of the family are this with a formula: [`SigmoidFocalLoss`](crate::SigmoidFocalLoss)
/// is `SigmoidLoss<Focal>`. Their own parameters are described with them; what is here they share.
/// For a formula of your own see [`formula`](crate::formula).
///
/// # Gradient
/// Value and gradient come from one pass over logits and targets, in closed form. Second and
/// higher orders are recorded from ordinary operations.
///
/// # Numerics
/// A logit that is NaN makes its own loss and slope NaN, and no other's. An infinite one gives the
/// limits: 0 where it is right, and where it is wrong an infinite loss, unless the formula is
/// bounded, with a finite slope.
#[derive(Clone, Debug, PartialEq)]
pub struct SigmoidLoss<F> {
    pub(crate) formula: F,
    alpha: Option<OfColumns>,
    class_weights: [f64; 2],
    positive_weight: Option<OfColumns>,
    /// A setting of the formula for each column.
    pub(crate) settings: Option<Vec<f64>>,
    smoothing: f64,
    pub(crate) ignore: Option<i64>,
    reduction: Reduction,
}

/// A number of the columns, the indices of the last axis of the logits.
#[derive(Clone, Debug, PartialEq)]
enum OfColumns {
    /// The same for all.
    One(f64),
    Each(Vec<f64>),
}

impl OfColumns {
    fn get(&self, column: usize) -> Option<f64> {
        match self {
            Self::One(number) => Some(*number),
            Self::Each(numbers) => numbers.get(column).copied(),
        }
    }
}

impl<F> SigmoidLoss<F> {
    /// A formula without weights, the mean over the elements.
    pub const fn of(formula: F) -> Self {
        Self {
            formula,
            alpha: None,
            class_weights: [1.0, 1.0],
            positive_weight: None,
            settings: None,
            smoothing: 0.0,
            ignore: None,
            reduction: Reduction::Mean,
        }
    }

    /// The weight α of class 1, in [0, 1]; class 0 gets 1 − α.
    ///
    /// **Choosing α.** The value 0.25, usually quoted with γ = 2, was tuned for a detector with
    /// 100 000 easy negatives an image; on a table with a few percent of positives it *lowers*
    /// their recall. Start from 0.5 (no weighting, half the size) and go up.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = Some(OfColumns::One(alpha));
        self
    }

    /// An α for each index of the last axis of the logits: with logits `[N, C]`, one for each of
    /// the `C` labels.
    pub fn alphas(mut self, alphas: impl Into<Vec<f64>>) -> Self {
        self.alpha = Some(OfColumns::Each(alphas.into()));
        self
    }

    /// Weights of classes 0 and 1.
    pub const fn class_weights(mut self, weights: [f64; 2]) -> Self {
        self.class_weights = weights;
        self
    }

    /// A further factor for class 1 alone; PyTorch's `pos_weight`.
    pub fn positive_weight(mut self, weight: f64) -> Self {
        self.positive_weight = Some(OfColumns::One(weight));
        self
    }

    /// A further factor for class 1 alone, for each index of the last axis of the logits: with logits
    /// `[N, C]`, one for each of the `C` labels.
    pub fn positive_weights(mut self, weights: impl Into<Vec<f64>>) -> Self {
        self.positive_weight = Some(OfColumns::Each(weights.into()));
        self
    }

    /// The number that the formula takes for each index of the last axis of the logits, such as the
    /// [`gammas`](crate::SigmoidFocalLoss::gammas) of focal loss.
    pub fn settings(mut self, settings: impl Into<Vec<f64>>) -> Self {
        self.settings = Some(settings.into());
        self
    }

    /// Reads a target `y` as `(1 − ε)·y + ε/2`, so that a label mixes with the other one and no
    /// logit has to grow without end. The divisors of the reductions stay those of the labels.
    ///
    /// # Source
    /// Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception architecture for
    /// computer vision", 2016, section 7, for two classes.
    pub const fn label_smoothing(mut self, epsilon: f64) -> Self {
        self.smoothing = epsilon;
        self
    }

    /// A label to pass over. With soft targets, which are no labels, it is an error.
    pub const fn ignore_index(mut self, label: i64) -> Self {
        self.ignore = Some(label);
        self
    }

    /// How the losses of the elements become one number.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }
}

impl<F: ElementLoss> SigmoidLoss<F> {
    /// The loss of logits and labels 0 and 1.
    ///
    /// # Shapes
    /// Labels of the shape of the logits; logits `[N, 1]` also go with labels `[N]`. Nothing is
    /// broadcast. With `Reduction::None` the result has the logits' shape, else rank 0.
    ///
    /// # Errors
    /// Shapes that differ; a label that is neither 0, 1 nor the ignored one (with its place); α
    /// outside [0, 1]; smoothing outside [0, 1); class weights that are negative, not finite, all 0
    /// or not as many as classes; numbers for each index of the last axis that are not as many; a
    /// parameter of the formula outside its range.
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        self.of_labels(F::NAME, logits, labels, None)
    }

    /// [`forward`](Self::forward) with a weight for each element; a weight of 2 is the same as the
    /// element twice.
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
        self.of_labels(F::NAME, logits, labels, Some(weights))
    }

    /// The loss of logits and targets from 0 to 1.
    ///
    /// For a loss of the margin a target `y` mixes the labels: `y` times the loss of label 1 plus
    /// `1 − y` times the loss of label 0. Other formulas say themselves what it means. An
    /// element's weight is `y` times that of class 1 plus `1 − y` times that of class 0.
    ///
    /// # Shapes
    /// As [`forward`](Self::forward).
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and a target outside [0, 1] (with its element), or an
    /// [`ignore_index`](Self::ignore_index).
    #[track_caller]
    pub fn forward_soft<T: Float>(&self, logits: &Var<T>, targets: &Tensor<T>) -> Result<Var<T>> {
        self.of_soft(logits, targets, None)
    }

    /// [`forward_soft`](Self::forward_soft) with a weight for each element.
    ///
    /// # Errors
    /// As [`forward_soft`](Self::forward_soft), and weights that are negative, not finite or not
    /// of the targets' shape.
    #[track_caller]
    pub fn forward_soft_weighted<T: Float>(
        &self,
        logits: &Var<T>,
        targets: &Tensor<T>,
        weights: &Tensor<T>,
    ) -> Result<Var<T>> {
        self.of_soft(logits, targets, Some(weights))
    }

    /// [`forward`](Self::forward) under the name of the loss that was called.
    #[track_caller]
    pub(crate) fn of_labels<T: Float>(
        &self,
        op: &'static str,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        self.of_targets(
            op,
            logits,
            ElementTargets::hard(labels, self.ignore)?,
            weights,
        )
    }

    /// [`forward_soft`](Self::forward_soft), with weights or without.
    #[track_caller]
    pub(crate) fn of_soft<T: Float>(
        &self,
        logits: &Var<T>,
        targets: &Tensor<T>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        check_nothing_ignored(F::NAME, self.ignore)?;
        self.of_targets(F::NAME, logits, ElementTargets::soft(targets)?, weights)
    }

    #[track_caller]
    fn of_targets<T: Float>(
        &self,
        op: &'static str,
        logits: &Var<T>,
        targets: ElementTargets<T>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        check_shapes(op, logits.shape(), targets.shape())?;
        let columns = logits.shape().last().copied().unwrap_or(1);
        let targets = self.with_options(op, targets, columns)?;
        let targets = targets.with_sample_weights(op, weights)?;
        let (positive, reduction) = (F::POSITIVE, self.reduction);
        // The first condition is known when this is compiled: a formula that has no setting, or does
        // not mix, has no such driver.
        if const { F::SETTING.is_some() } && self.settings.is_some() {
            let formula = MixedWithSetting(self.formula);
            sigmoid_loss(op, formula, logits, targets, positive, reduction)
        } else if F::MIXES && targets.mixes() {
            let formula = Mixed(self.formula);
            sigmoid_loss(op, formula, logits, targets, positive, reduction)
        } else {
            let formula = Weighted(self.formula);
            sigmoid_loss(op, formula, logits, targets, positive, reduction)
        }
    }

    /// The targets with everything that is set about them, after it has been checked.
    fn with_options<T: Float>(
        &self,
        op: &'static str,
        targets: ElementTargets<T>,
        columns: usize,
    ) -> Result<ElementTargets<T>> {
        self.formula.check()?;
        check_class_weights(op, "weights of classes 0 and 1", &self.class_weights, 2)?;
        let share = |alpha: f64| (0.0..=1.0).contains(&alpha);
        match &self.alpha {
            None => (),
            Some(OfColumns::One(alpha)) => check_share(op, "alpha", *alpha)?,
            Some(OfColumns::Each(alphas)) => {
                let expected = "numbers between 0 and 1";
                check_numbers_of_classes(op, "alphas", alphas, columns, share, expected)?;
            }
        }
        match &self.positive_weight {
            None => (),
            Some(OfColumns::One(weight)) => check_positive(op, "weight of class 1", *weight)?,
            Some(OfColumns::Each(weights)) => {
                check_class_weights(op, "weights of class 1", weights, columns)?;
            }
        }
        let settings = self.settings.as_deref();
        if let Some(settings) = settings {
            let check = |setting| self.formula.check_setting(setting);
            check_settings(op, F::SETTING, settings, columns, check)?;
        }
        let [negative, positive] = self.class_weights;
        let numbers = [&self.alpha, &self.positive_weight];
        // Without columns there is no element, but still a pair of weights.
        let pairs = match numbers.map(Option::as_ref) {
            [Some(OfColumns::Each(_)), _] | [_, Some(OfColumns::Each(_))] => columns.max(1),
            _ => 1,
        };
        let weights = (0..pairs).map(|column| {
            let [alpha, further] = numbers.map(|number| number.as_ref()?.get(column));
            let alpha = alpha.map_or([1.0; 2], |alpha| [1.0 - alpha, alpha]);
            [
                negative * alpha[0],
                positive * alpha[1] * further.unwrap_or(1.0),
            ]
        });
        // The formula takes a setting together with a label.
        let mixes = F::MIXES || settings.is_some();
        let targets = targets.read(op, mixes, self.smoothing)?;
        Ok(targets.with_label_weights(weights).with_settings(settings))
    }
}
