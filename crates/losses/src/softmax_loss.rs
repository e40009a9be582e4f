//! `SoftmaxLoss`: a formula of the margin over several classes, with everything that may differ
//! from class to class.

use macula_autograd::Var;
use macula_tensor::{Error, Float, Pointwise, Result, Scalar, Tensor};

use crate::formula::MarginLoss;
use crate::reduction::Reduction;
use crate::softmax::{Labelled, RowOptions, RowTargets, classes_last_axes, softmax_loss};

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
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxLoss<F> {
    pub(crate) formula: F,
    pub(crate) rows: RowOptions,
    /// What each logit is multiplied by.
    pub(crate) scales: Option<Vec<f64>>,
    /// What is added to each logit after that.
    pub(crate) offsets: Option<Vec<f64>>,
    pub(crate) reduction: Reduction,
}

impl<F> SoftmaxLoss<F> {
    /// A formula without weights, the mean over the rows.
    pub const fn of(formula: F) -> Self {
        Self {
            formula,
            rows: RowOptions::new(),
            scales: None,
            offsets: None,
            reduction: Reduction::Mean,
        }
    }

    /// A weight for each class.
    ///
    /// `Reduction::Mean` divides by the number of rows; PyTorch's mean with weights is
    /// [`Reduction::WeightedMean`].
    pub fn class_weights(mut self, weights: impl Into<Vec<f64>>) -> Self {
        self.rows.class_weights = Some(weights.into());
        self
    }

    /// Takes the share ε of every target and spreads it evenly over all classes:
    /// `y_c = (1 − ε)·[c = t] + ε/C`. ε is in [0, 1).
    ///
    /// # Source
    /// Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception architecture for
    /// computer vision", 2016, section 7.
    pub const fn label_smoothing(mut self, epsilon: f64) -> Self {
        self.rows.smoothing = epsilon;
        self
    }

    /// A label to pass over.
    pub const fn ignore_index(mut self, label: i64) -> Self {
        self.rows.ignore = Some(label);
        self
    }

    /// How the losses of the rows become one number.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }
}

impl<F> SoftmaxLoss<F> {
    /// The reduced loss of a member that is no function of one margin.
    ///
    /// `losses` gives the weighted loss of each row from the logits, classes last; rows that do
    /// not count are all zeros.
    #[track_caller]
    pub(crate) fn composed<T: Float>(
        &self,
        op: &'static str,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: Option<&Tensor<T>>,
        losses: impl FnOnce(&Var<T>, &Labelled<T>) -> Result<Var<T>>,
    ) -> Result<Var<T>> {
        self.refuse_margin_options(op)?;
        let targets = RowTargets::labels(labels)?.with(op, logits.shape(), &self.rows, weights)?;
        let labelled = targets.labelled(op)?;
        let absent = labelled
            .weights
            .unsqueeze(-1)?
            .eq(&Tensor::scalar(T::ZERO))?;
        let by_row = logits.permute(classes_last_axes(logits.rank()))?;
        let losses = losses(&by_row.masked_fill(&absent, 0.0)?, &labelled)?;
        self.reduction.reduce(op, &losses, || targets.tally(op))
    }
}

impl<F> SoftmaxLoss<F> {
    /// # Errors
    /// An option that only functions of the margin have, set on a member that is none.
    pub(crate) fn refuse_margin_options(&self, op: &'static str) -> Result<()> {
        let set = [
            (self.scales.is_some(), "scales of the logits"),
            (self.offsets.is_some(), "offsets of the logits"),
            (self.rows.handicaps.is_some(), "margins"),
        ];
        match set.iter().find(|(is_set, _)| *is_set) {
            None => Ok(()),
            Some((_, argument)) => Err(Error::Argument {
                op,
                argument,
                expected: "left out: this loss is no function of the margin".into(),
                found: "some".into(),
            }),
        }
    }

    /// # Errors
    /// Smoothing, set on a member that has no use for it.
    pub(crate) fn refuse_smoothing(&self, op: &'static str) -> Result<()> {
        if self.rows.smoothing == 0.0 {
            return Ok(());
        }
        Err(Error::Argument {
            op,
            argument: "label smoothing",
            expected: "left out: this loss takes one class a row".into(),
            found: self.rows.smoothing.to_string(),
        })
    }
}

impl<F: MarginLoss> SoftmaxLoss<F> {
    /// The loss of logits and class labels.
    ///
    /// # Shapes
    /// Logits `[N, C]` and labels `[N]`, or logits `[N, C, …]` and labels `[N, …]` for pixels.
    /// With `Reduction::None` the result has the labels' shape, else rank 0.
    ///
    /// # Errors
    /// Shapes that do not match; a label outside the classes (with its row); smoothing outside
    /// [0, 1); class weights that are negative, not finite, all 0 or not as many as classes; a
    /// parameter of the formula outside its range.
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        self.of_targets(logits, RowTargets::labels(labels)?, None)
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
        self.of_targets(logits, RowTargets::labels(labels)?, Some(weights))
    }

    /// The loss of logits and a share `y_c ≥ 0` for each class: `Σ_c y_c·w_c·ℓ(z, c)`.
    ///
    /// The shares of a row usually sum to 1, but need not. A row's weight is `Σ_c y_c·w_c`.
    ///
    /// # Shapes
    /// Targets of the shape of the logits, `[N, C]` or `[N, C, …]`. With `Reduction::None` the
    /// result has that shape without `C`, else rank 0.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and a share that is negative or not finite (with its row).
    #[track_caller]
    pub fn forward_soft<T: Float>(&self, logits: &Var<T>, targets: &Tensor<T>) -> Result<Var<T>> {
        self.of_targets(logits, RowTargets::shares(F::NAME, targets)?, None)
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
        self.of_targets(logits, RowTargets::shares(F::NAME, targets)?, Some(weights))
    }

    #[track_caller]
    fn of_targets<T: Float>(
        &self,
        logits: &Var<T>,
        targets: RowTargets<T>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        self.formula.check()?;
        for &setting in self.rows.settings.iter().flatten() {
            self.formula.check_setting(setting)?;
        }
        let targets = targets.with(F::NAME, logits.shape(), &self.rows, weights)?;
        let logits = self.adjusted(logits)?;
        softmax_loss(self.formula, &logits, targets, self.reduction)
    }

    /// The logits with scales and offsets applied.
    #[track_caller]
    fn adjusted<T: Float>(&self, logits: &Var<T>) -> Result<Var<T>> {
        if self.scales.is_none() && self.offsets.is_none() {
            return Ok(logits.clone());
        }
        let of_classes = |numbers: &Option<Vec<f64>>, absent: f64, argument| {
            let classes = logits.shape().get(1).copied().unwrap_or_default();
            let numbers = numbers.clone().unwrap_or_else(|| vec![absent; classes]);
            // −∞ takes a class out.
            let valid = numbers.iter().all(|&x| x < f64::INFINITY);
            if numbers.len() != classes || !valid {
                return Err(Error::Argument {
                    op: F::NAME,
                    argument,
                    expected: format!("{classes} numbers, none NaN or +inf"),
                    found: format!("{numbers:?}"),
                });
            }
            let mut shape = vec![1; logits.rank()];
            shape[1] = classes;
            let numbers = numbers.into_iter().map(T::from_f64).collect();
            Ok(logits.tape().constant(Tensor::from_vec(numbers, shape)?))
        };
        let scales = of_classes(&self.scales, 1.0, "scales of the logits")?;
        let offsets = of_classes(&self.offsets, 0.0, "offsets of the logits")?;
        Var::pointwise(Affine, [logits, &scales, &offsets])
    }
}

/// z·scale + offset.
#[derive(Clone, Copy, Debug)]
struct Affine;

impl Pointwise<3> for Affine {
    const NAME: &'static str = "adjusted_logits";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [z, scale, offset]: [S; 3]) -> S {
        z * scale + offset
    }

    /// Written out, so that the slope does not depend on the logit, which may be NaN in a row that
    /// is ignored.
    #[inline(always)]
    fn gradient<S: Scalar>(&self, [z, scale, _]: [S; 3]) -> [S; 3] {
        [scale, z, z.constant(1.0)]
    }
}
