//! Focal loss, the reason for this crate.

use macula_autograd::Var;
use macula_tensor::{Error, Float, Result, Scalar, Tensor};

use crate::formula::{MarginLoss, Signed};
use crate::reduction::Reduction;
use crate::sigmoid::sigmoid_loss;
use crate::softmax::{RowTargets, softmax_loss};
use crate::targets::ElementTargets;

/// `(1 − p)^γ · (−ln p)` as a function of the margin, `p = σ(s)`.
///
/// With `q = σ(−s)` and `L = softplus(−s) = −ln p`:
///
/// ```text
/// f   = q^γ · L
/// f′  = −q^γ · (q + γ·p·L)
/// ```
///
/// # Numerics
/// No `q^(γ−1)` occurs, so γ below 1 gives no `0·∞`, and γ = 0 is cross-entropy to the bit. Both
/// ends keep full relative accuracy: `q` is a sigmoid of its own, not `1 − p`.
///
/// # Source
/// Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", 2017, eq. 4. The
/// paper differentiates with respect to `p`; in the margin there is no division.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Focal {
    /// The focusing exponent γ ≥ 0.
    pub gamma: f64,
}

impl MarginLoss for Focal {
    const NAME: &'static str = "focal_loss";

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S) {
        let logistic = margin.logistic();
        let (p, q) = (logistic.sigmoid, logistic.complement);
        let loss = logistic.softplus_negated;
        let zero = margin.constant(0.0);
        // −p·ln p, which is 0 at p = 0 although ln 0 is not finite.
        let entropy = S::select(p.equal(zero), zero, p * loss);
        let modulator = self.modulator(q, logistic.softplus);
        (
            modulator * loss,
            -modulator * entropy.mul_add(margin.constant(self.gamma), q),
        )
    }
}

impl Focal {
    /// `q^γ`, from `q` or from `−ln q`.
    ///
    /// The exponents that people use need no exponential. The choice is the same for every
    /// element, so the compiler takes it out of the loop.
    #[inline(always)]
    fn modulator<S: Scalar>(self, q: S, minus_ln_q: S) -> S {
        match self.gamma {
            0.0 => q.constant(1.0),
            1.0 => q,
            2.0 => q * q,
            3.0 => q * q * q,
            gamma => (minus_ln_q * -gamma).exp(),
        }
    }

    /// # Errors
    /// γ must be finite and not negative.
    fn check(self, op: &'static str) -> Result<Self> {
        if self.gamma >= 0.0 && self.gamma.is_finite() {
            return Ok(self);
        }
        Err(Error::Argument {
            op,
            argument: "gamma",
            expected: "finite and not negative".into(),
            found: self.gamma.to_string(),
        })
    }
}

/// Binary focal loss on logits: `α_t · (1 − p_t)^γ · (−ln p_t)`.
///
/// `p_t` is the probability of the true class, `σ(x)` for label 1 and `σ(−x)` for label 0; `α_t` is
/// `α` for label 1 and `1 − α` for label 0, or 1 for both where no α is set. The defaults are
/// γ = 2 and no α.
///
/// **Choosing α.** α weighs class 1. The value 0.25, usually quoted with γ = 2, was tuned for a
/// detector with 100 000 easy negatives an image; on a table with a few percent of positives it
/// *lowers* their recall. Start from 0.5 (no weighting, half the size) and go up.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::SigmoidFocalLoss;
/// use macula_tensor::Tensor;
///
/// let tape = Tape::new();
/// let logits = tape.var(Tensor::from([0.0_f32, 0.0]));
/// let labels = Tensor::from([1_i64, 0]);
/// let loss = SigmoidFocalLoss::new().gamma(2.0).forward(&logits, &labels)?;
/// // At p = ½ the loss is ¼ · ln 2 for either label.
/// assert!((loss.item()? - 0.25 * 2.0_f64.ln()).abs() < 1e-7);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
///
/// # Source
/// Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", 2017, eq. 5.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SigmoidFocalLoss {
    focal: Focal,
    alpha: Option<f64>,
    positive_weight: f64,
    ignore: Option<i64>,
    reduction: Reduction,
}

impl SigmoidFocalLoss {
    /// γ = 2, no α, the mean over the elements.
    pub const fn new() -> Self {
        Self {
            focal: Focal { gamma: 2.0 },
            alpha: None,
            positive_weight: 1.0,
            ignore: None,
            reduction: Reduction::Mean,
        }
    }

    /// The focusing exponent γ ≥ 0; 0 is cross-entropy.
    pub const fn gamma(mut self, gamma: f64) -> Self {
        self.focal.gamma = gamma;
        self
    }

    /// The weight α of class 1, in [0, 1]; class 0 gets 1 − α.
    pub const fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = Some(alpha);
        self
    }

    /// A further factor for class 1 alone.
    pub const fn positive_weight(mut self, weight: f64) -> Self {
        self.positive_weight = weight;
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
    /// Shapes that differ, a label that is neither 0, 1 nor the ignored one (with its row), γ
    /// negative or not finite, α outside [0, 1].
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        self.weighted(logits, labels, None)
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
        self.weighted(logits, labels, Some(weights))
    }

    #[track_caller]
    fn weighted<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        let op = Focal::NAME;
        let [negative, positive] = alpha_weights(op, self.alpha)?;
        let class_weights = [negative, positive * self.positive_weight];
        let targets = ElementTargets::hard(op, labels, class_weights, self.ignore)?
            .with_sample_weights(op, weights)?;
        sigmoid_loss(
            Signed(self.focal.check(op)?),
            logits,
            targets,
            self.reduction,
        )
    }
}

impl Default for SigmoidFocalLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// The weights of classes 0 and 1.
fn alpha_weights(op: &'static str, alpha: Option<f64>) -> Result<[f64; 2]> {
    match alpha {
        None => Ok([1.0, 1.0]),
        Some(alpha) if (0.0..=1.0).contains(&alpha) => Ok([1.0 - alpha, alpha]),
        Some(alpha) => Err(Error::Argument {
            op,
            argument: "alpha",
            expected: "between 0 and 1".into(),
            found: alpha.to_string(),
        }),
    }
}

/// Multi-class focal loss on logits: `α_t · (1 − p_t)^γ · (−ln p_t)`, `p` the softmax.
///
/// `t` is the target class and `α` a vector with a weight for each class, or 1 for all where none
/// is set. A single number for α would scale all classes alike and balance nothing, so it is not
/// offered. The defaults are γ = 2 and no α.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::SoftmaxFocalLoss;
/// use macula_tensor::Tensor;
///
/// let tape = Tape::new();
/// let logits = tape.var(Tensor::from([[0.0_f32, 0.0]]));
/// let loss = SoftmaxFocalLoss::new().forward(&logits, &Tensor::from([1_i64]))?;
/// assert!((loss.item()? - 0.25 * 2.0_f64.ln()).abs() < 1e-7);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
///
/// # Source
/// Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", 2017, eq. 5, with
/// the softmax in place of the sigmoid.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftmaxFocalLoss {
    focal: Focal,
    alpha: Option<Vec<f64>>,
    ignore: Option<i64>,
    reduction: Reduction,
}

impl SoftmaxFocalLoss {
    /// γ = 2, no α, the mean over the rows.
    pub const fn new() -> Self {
        Self {
            focal: Focal { gamma: 2.0 },
            alpha: None,
            ignore: None,
            reduction: Reduction::Mean,
        }
    }

    /// The focusing exponent γ ≥ 0; 0 is cross-entropy.
    pub const fn gamma(mut self, gamma: f64) -> Self {
        self.focal.gamma = gamma;
        self
    }

    /// A weight for each class.
    pub fn alpha(mut self, weights: impl Into<Vec<f64>>) -> Self {
        self.alpha = Some(weights.into());
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
    /// Shapes that do not match, a label outside the classes (with its row), γ negative or not
    /// finite, α of the wrong length, negative, not finite or all 0.
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        self.weighted(logits, labels, None)
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
        self.weighted(logits, labels, Some(weights))
    }

    #[track_caller]
    fn weighted<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        let op = Focal::NAME;
        let alpha = self.alpha.as_deref();
        let targets = RowTargets::new(op, logits, labels, alpha, weights, self.ignore)?;
        softmax_loss(self.focal.check(op)?, logits, targets, self.reduction)
    }
}

impl Default for SoftmaxFocalLoss {
    fn default() -> Self {
        Self::new()
    }
}
