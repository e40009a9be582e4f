//! The general form of a softmax loss, and the batch of rows that it reduces.

use std::fmt::Debug;

use macula_autograd::Var;
use macula_tensor::{Float, Pointwise, Result, Scalar, Tensor, keep};

use crate::checks::{check_settings, check_shape};
use crate::formula::MarginLoss;
use crate::softmax::{RowOptions, RowTargets, classes_last_axes, softmax_loss};

/// A loss of rows of logits, one for each class, of which one is the target.
///
/// The general form of a [`SoftmaxLoss`](crate::SoftmaxLoss), for members that are not functions
/// of the margin alone. Every [`MarginLoss`] is one, evaluated in one pass; others are composed of
/// ordinary operations by [`RowBatch::each`], which adds weights, ignored labels and the reduction.
///
/// # Example
///
/// ```
/// use macula_autograd::{Tape, Var};
/// use macula_losses::{RowBatch, RowLoss, SoftmaxLoss};
/// use macula_tensor::{Float, Result, Tensor};
///
/// /// The hinge loss of several classes, Σ_{j≠t} max(1 + z_j − z_t, 0).
/// #[derive(Clone, Copy, Debug)]
/// struct Hinge;
///
/// impl RowLoss for Hinge {
///     const NAME: &'static str = "hinge";
///     fn loss<T: Float>(&self, batch: RowBatch<'_, T>) -> Result<Var<T>> {
///         batch.each(|logits, classes| {
///             let of_target = logits.gather(-1, &classes.unsqueeze(-1)?)?;
///             let all = logits.sub(&of_target)?.add_scalar(1.0)?.relu()?.sum(-1)?;
///             // The target's own term is 1.
///             all.add_scalar(-1.0)
///         })
///     }
/// }
///
/// let logits = Tape::new().var(Tensor::from([[2.0_f32, 1.5, -1.0]]));
/// let loss = SoftmaxLoss::of(Hinge).class_weights([2.0, 1.0, 1.0]);
/// assert_eq!(loss.forward(&logits, &Tensor::from([0_i64]))?.item()?, 1.0);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub trait RowLoss: Clone + Debug + Send + Sync + 'static {
    /// The name that error messages show.
    const NAME: &'static str;

    /// The reduced loss of a batch, after the loss's own parameters have been checked.
    ///
    /// # Errors
    /// A parameter that makes no sense, and whatever the batch says.
    #[track_caller]
    fn loss<T: Float>(&self, batch: RowBatch<'_, T>) -> Result<Var<T>>;
}

impl<L: MarginLoss> RowLoss for L {
    const NAME: &'static str = L::NAME;

    #[track_caller]
    fn loss<T: Float>(&self, batch: RowBatch<'_, T>) -> Result<Var<T>> {
        batch.in_one_pass(*self)
    }
}

/// Rows of logits with their targets, weights and settings.
#[derive(Debug)]
pub struct RowBatch<'a, T: Float> {
    pub(crate) op: &'static str,
    pub(crate) logits: &'a Var<T>,
    pub(crate) targets: RowTargets<T>,
    pub(crate) weights: Option<&'a Tensor<T>>,
    pub(crate) options: &'a RowOptions,
}

impl<T: Float> RowBatch<'_, T> {
    /// The reduced loss of rows whose losses `losses` gives, from the logits and the class of each
    /// row.
    ///
    /// # Shapes
    /// `losses` sees the logits `[N, C, …]` with the classes last, `[N, …, C]`, and classes
    /// `[N, …]`, and returns `[N, …]`. Rows that do not count have logits and class 0.
    ///
    /// # Errors
    /// Shapes that do not match; a label outside the classes (with its row); weights that do not
    /// fit; label smoothing, and what only functions of the margin have: logit adjustment, vector
    /// scaling and label-aware margins.
    #[track_caller]
    pub fn each(
        self,
        losses: impl FnOnce(&Var<T>, &Tensor<i64>) -> Result<Var<T>>,
    ) -> Result<Var<T>> {
        let (op, options) = (self.op, self.options);
        options.refuse_smoothing(op)?;
        let (logits, targets) = self.checked()?;
        let (classes, weights) = targets.classes_and_weights(op)?;
        let logits = counting(&logits, &weights.unsqueeze(-1)?)?;
        let losses = losses(&logits, &classes)?;
        check_shape(op, "losses", classes.shape(), losses.shape())?;
        let losses = losses.mul(&logits.tape().constant(weights))?;
        options.reduction.reduce(op, &losses, || targets.tally(op))
    }

    /// [`each`](Self::each) for a loss that gives label smoothing a meaning.
    ///
    /// `losses` also sees the weighted share of each class, `[N, …, C]`: the smoothed label times
    /// the weights of class and row. It returns the losses with these weights.
    ///
    /// # Errors
    /// As [`each`](Self::each), but for smoothing, which must be in [0, 1).
    #[track_caller]
    pub fn each_smoothed(
        self,
        losses: impl FnOnce(&Var<T>, &Tensor<i64>, Tensor<T>) -> Result<Var<T>>,
    ) -> Result<Var<T>> {
        let (op, options) = (self.op, self.options);
        let (logits, targets) = self.checked()?;
        let (classes, _) = targets.classes_and_weights(op)?;
        let shares = targets.weighted_shares(op)?;
        let logits = counting(&logits, &shares.amax(keep(-1))?)?;
        let losses = losses(&logits, &classes, shares)?;
        check_shape(op, "losses", classes.shape(), losses.shape())?;
        options.reduction.reduce(op, &losses, || targets.tally(op))
    }

    /// The logits with the classes last, and the targets with all that is set about them.
    fn checked(self) -> Result<(Var<T>, RowTargets<T>)> {
        self.options.refuse_margin_options(self.op)?;
        let shape = self.logits.shape();
        let targets = self
            .targets
            .with(self.op, shape, self.options, self.weights)?;
        let by_row = self.logits.permute(classes_last_axes(shape.len()))?;
        Ok((by_row, targets))
    }

    /// The loss of a function of the margin.
    #[track_caller]
    pub(crate) fn in_one_pass<L: MarginLoss>(self, formula: L) -> Result<Var<T>> {
        let (op, options) = (self.op, self.options);
        formula.check()?;
        let targets = self
            .targets
            .with(op, self.logits.shape(), options, self.weights)?;
        if let Some(settings) = &options.settings {
            let classes = self.logits.shape()[1];
            let check = |setting| formula.check_setting(setting);
            check_settings(op, L::SETTING, settings, classes, check)?;
        }
        let logits = adjusted(self.logits, options)?;
        softmax_loss(formula, &logits, targets, options.reduction)
    }
}

/// The logits of the rows that count, 0 for the others, which may hold anything.
fn counting<T: Float>(logits: &Var<T>, weights: &Tensor<T>) -> Result<Var<T>> {
    logits.masked_fill(&weights.eq(&Tensor::scalar(T::ZERO))?, 0.0)
}

/// The logits `[N, C, …]` with scales and offsets applied, which fit the classes.
#[track_caller]
fn adjusted<T: Float>(logits: &Var<T>, options: &RowOptions) -> Result<Var<T>> {
    if options.scales.is_none() && options.offsets.is_none() {
        return Ok(logits.clone());
    }
    let classes = logits.shape()[1];
    let of_classes = |numbers: &Option<Vec<f64>>, absent: f64| {
        let numbers = numbers.clone().unwrap_or_else(|| vec![absent; classes]);
        let mut shape = vec![1; logits.rank()];
        shape[1] = classes;
        let numbers = numbers.into_iter().map(T::from_f64).collect();
        Ok(logits.tape().constant(Tensor::from_vec(numbers, shape)?))
    };
    let scales = of_classes(&options.scales, 1.0)?;
    let offsets = of_classes(&options.offsets, 0.0)?;
    Var::pointwise(Affine, [logits, &scales, &offsets])
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
