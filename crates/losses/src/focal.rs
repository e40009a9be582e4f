//! Focal loss, the reason for this crate.

use macula_tensor::{Result, Scalar};

use crate::checks::check_exponent;
use crate::formula::MarginLoss;
use crate::powers::{power_of_sigmoid, product_or_zero};
use crate::sigmoid_loss::SigmoidLoss;
use crate::softmax_loss::SoftmaxLoss;

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
    const SETTING: Option<&'static str> = Some("gammas");

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "gamma", self.gamma)
    }

    fn check_setting(&self, gamma: f64) -> Result<()> {
        check_exponent(Self::NAME, "gammas", gamma)
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S) {
        let logistic = margin.logistic();
        let (p, q) = (logistic.sigmoid, logistic.complement);
        let loss = logistic.softplus_negated;
        let modulator = power_of_sigmoid(self.gamma, q, logistic.softplus);
        // −p·ln p, which is 0 at p = 0 although ln 0 is not finite.
        let entropy = product_or_zero(p, loss);
        (
            modulator * loss,
            -modulator * entropy.mul_add(margin.constant(self.gamma), q),
        )
    }

    /// The setting is the γ of the class.
    #[inline(always)]
    fn with_setting<S: Scalar>(&self, margin: S, gamma: S) -> (S, S) {
        let logistic = margin.logistic();
        let (p, q) = (logistic.sigmoid, logistic.complement);
        let loss = logistic.softplus_negated;
        // γ = 0 leaves no factor, although −ln q may be infinite.
        let exponent = gamma * logistic.softplus;
        let zero = margin.constant(0.0);
        let exponent = S::select(gamma.equal(zero), zero, exponent);
        let modulator = (-exponent).exp();
        // −p·ln p, which is 0 at p = 0 although ln 0 is not finite.
        let entropy = product_or_zero(p, loss);
        (modulator * loss, -modulator * entropy.mul_add(gamma, q))
    }
}

/// Binary focal loss on logits: `α_t · (1 − p_t)^γ · (−ln p_t)`.
///
/// `p_t` is the probability of the true class, `σ(x)` for label 1 and `σ(−x)` for label 0; `α_t` is
/// `α` for label 1 and `1 − α` for label 0, or 1 for both where no α is set. The defaults are
/// γ = 2 and no α. Of several questions, logits `[N, C]`, each may have its own α and γ
/// ([`alphas`](SigmoidLoss::alphas), [`gammas`](SigmoidFocalLoss::gammas));
/// [`class_weights`](SigmoidLoss::class_weights) weigh labels 0 and 1 one by one, and a γ for each of
/// them is [`AsymmetricLoss`](crate::AsymmetricLoss) without clipping.
///
/// A target `y` between 0 and 1 *mixes* the two labels: `α·y·f(x) + (1 − α)·(1 − y)·f(−x)`; for the
/// other two readings of a soft target see [`InterpolatedFocalLoss`](crate::InterpolatedFocalLoss)
/// and [`QualityFocalLoss`](crate::QualityFocalLoss).
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
pub type SigmoidFocalLoss = SigmoidLoss<Focal>;

impl SigmoidFocalLoss {
    /// γ = 2, no α, the mean over the elements.
    pub const fn new() -> Self {
        Self::of(Focal { gamma: 2.0 })
    }

    /// The focusing exponent γ ≥ 0; 0 is cross-entropy.
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.formula.gamma = gamma;
        self.settings = None;
        self
    }

    /// A focusing exponent γ_c ≥ 0 for each index of the last axis of the logits: with logits
    /// `[N, C]`, one for each of the `C` labels.
    pub fn gammas(self, gammas: impl Into<Vec<f64>>) -> Self {
        self.settings(gammas)
    }
}

impl Default for SigmoidFocalLoss {
    fn default() -> Self {
        Self::new()
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
pub type SoftmaxFocalLoss = SoftmaxLoss<Focal>;

impl SoftmaxFocalLoss {
    /// γ = 2, no α, the mean over the rows.
    pub const fn new() -> Self {
        Self::of(Focal { gamma: 2.0 })
    }

    /// The focusing exponent γ ≥ 0; 0 is cross-entropy.
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.formula.gamma = gamma;
        self.options.settings = None;
        self
    }

    /// A focusing exponent γ_c ≥ 0 for each class; that of the target counts.
    pub fn gammas(self, gammas: impl Into<Vec<f64>>) -> Self {
        self.settings(gammas)
    }

    /// The weight α_c of each class: the paper's name for
    /// [`class_weights`](SoftmaxLoss::class_weights).
    pub fn alpha(self, weights: impl Into<Vec<f64>>) -> Self {
        self.class_weights(weights)
    }
}

impl Default for SoftmaxFocalLoss {
    fn default() -> Self {
        Self::new()
    }
}
