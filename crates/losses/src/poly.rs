//! Poly-1: cross-entropy and focal loss with the first term of their series adjusted.

use macula_tensor::{Result, Scalar};

use crate::checks::{check_exponent, check_parameter, check_share, is_finite_in_f32};
use crate::formula::{ElementLoss, MarginLoss};
use crate::powers::{power_of_sigmoid, product_or_zero};
use crate::sigmoid_loss::SigmoidLoss;
use crate::softmax_loss::SoftmaxLoss;

const NAME: &str = "poly1_loss";

/// `w·(1 − p)^γ·(−ln p) + ε·(1 − p)^(γ+1)` as a function of the margin; `w` is 1, or the setting of
/// the class.
///
/// With `q = 1 − p` and `L = −ln p` the slope is `−q^γ·(w·(q + γ·p·L) + ε·(γ + 1)·p·q)`.
///
/// # Numerics
/// Near `ε = −w` the two terms of the value cancel where `q` is small, and so do those of the slope
/// if γ = 0: what is left has the rounding of either term.
///
/// # Source
/// Leng, Tan, Liu, Cubuk, Shi, Cheng, Anguelov, "PolyLoss: a polynomial expansion perspective of
/// classification loss functions", 2022.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Poly1 {
    /// The focusing exponent γ ≥ 0.
    pub gamma: f64,
    /// The adjustment ε of the leading coefficient.
    pub epsilon: f64,
}

impl MarginLoss for Poly1 {
    const NAME: &'static str = NAME;
    const SETTING: Option<&'static str> = Some("logarithm weights");

    fn check(&self) -> Result<()> {
        check_exponent(NAME, "gamma", self.gamma)?;
        let valid = is_finite_in_f32(self.epsilon);
        check_parameter(NAME, "epsilon", self.epsilon, valid, "finite")
    }

    fn check_setting(&self, weight: f64) -> Result<()> {
        check_exponent(NAME, "logarithm weights", weight)
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S) {
        MarginLoss::with_setting(self, margin, margin.constant(1.0))
    }

    #[inline(always)]
    fn with_setting<S: Scalar>(&self, margin: S, weight: S) -> (S, S) {
        let logistic = margin.logistic();
        let (p, q) = (logistic.sigmoid, logistic.complement);
        let loss = logistic.softplus_negated;
        let modulator = power_of_sigmoid(self.gamma, q, logistic.softplus);
        let entropy = product_or_zero(p, loss);
        let focal_slope = entropy * self.gamma + q;
        let value = product_or_zero(weight, loss) + q * self.epsilon;
        let slope = weight * focal_slope + p * q * (self.epsilon * (self.gamma + 1.0));
        (modulator * value, -(modulator * slope))
    }
}

/// [`Poly1`] with weights of the logarithm for labels 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SigmoidPoly1 {
    poly: Poly1,
    alpha: Option<f64>,
}

impl ElementLoss for SigmoidPoly1 {
    const NAME: &'static str = NAME;
    const MIXES: bool = true;

    fn check(&self) -> Result<()> {
        check_share(NAME, "logarithm alpha", self.alpha.unwrap_or(0.5))?;
        MarginLoss::check(&self.poly)
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, logit: S, target: S) -> (S, S) {
        let sign = target * 2.0 - 1.0;
        let weight = match self.alpha {
            Some(alpha) => target * alpha + (-target + 1.0) * (1.0 - alpha),
            None => target.constant(1.0),
        };
        let (value, slope) = MarginLoss::with_setting(&self.poly, sign * logit, weight);
        (value, sign * slope)
    }
}

/// Poly-1 loss of the softmax: `w_t·(1 − p_t)^γ·(−ln p_t) + ε·(1 − p_t)^(γ+1)`.
///
/// Cross-entropy is `Σ_j (1 − p)^j / j`; Poly-1 adds ε to the coefficient of the first term, which
/// has most of the gradient late in training. The paper tunes ε alone: 2 for image
/// classification, −1 for detection, where the class that dominates is over-confident already.
/// Defaults: γ = 0 (Poly-1 cross-entropy), ε = 1. ε = 0 is focal loss.
///
/// Class weights weigh both terms. The paper weighs only the logarithm: that is
/// [`logarithm_weights`](Self::logarithm_weights).
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::SoftmaxPolyLoss;
/// use macula_tensor::Tensor;
///
/// let logits = Tape::new().var(Tensor::from([[0.0_f32, 0.0]]));
/// let loss = SoftmaxPolyLoss::new().epsilon(2.0).forward(&logits, &Tensor::from([0_i64]))?;
/// assert!((loss.item()? - (2.0_f64.ln() + 2.0 * 0.5)).abs() < 1e-6);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
///
/// # Source
/// Leng, Tan, Liu, Cubuk, Shi, Cheng, Anguelov, "PolyLoss: a polynomial expansion perspective of
/// classification loss functions", 2022.
pub type SoftmaxPolyLoss = SoftmaxLoss<Poly1>;

impl SoftmaxPolyLoss {
    /// γ = 0, ε = 1, the mean over the rows.
    pub const fn new() -> Self {
        Self::of(Poly1 {
            gamma: 0.0,
            epsilon: 1.0,
        })
    }

    /// The focusing exponent γ ≥ 0.
    pub const fn gamma(mut self, gamma: f64) -> Self {
        self.formula.gamma = gamma;
        self
    }

    /// The adjustment ε of the leading coefficient.
    pub const fn epsilon(mut self, epsilon: f64) -> Self {
        self.formula.epsilon = epsilon;
        self
    }

    /// A weight for each class, for the logarithm alone.
    pub fn logarithm_weights(self, weights: impl Into<Vec<f64>>) -> Self {
        self.settings(weights)
    }
}

impl Default for SoftmaxPolyLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// Binary Poly-1 focal loss: `α_t·(1 − p_t)^γ·(−ln p_t) + ε·(1 − p_t)^(γ+1)`.
///
/// See [`SoftmaxPolyLoss`] for ε. Defaults: γ = 2, ε = −1 and no α.
/// [`alpha`](SigmoidLoss::alpha) weighs both terms, [`logarithm_alpha`](Self::logarithm_alpha)
/// only the first, as in the paper.
///
/// # Source
/// Leng, Tan, Liu, Cubuk, Shi, Cheng, Anguelov, "PolyLoss: a polynomial expansion perspective of
/// classification loss functions", 2022.
pub type SigmoidPolyLoss = SigmoidLoss<SigmoidPoly1>;

impl SigmoidPolyLoss {
    /// γ = 2, ε = −1, no α, the mean over the elements.
    pub const fn new() -> Self {
        Self::of(SigmoidPoly1 {
            poly: Poly1 {
                gamma: 2.0,
                epsilon: -1.0,
            },
            alpha: None,
        })
    }

    /// The focusing exponent γ ≥ 0.
    pub const fn gamma(mut self, gamma: f64) -> Self {
        self.formula.poly.gamma = gamma;
        self
    }

    /// The adjustment ε of the leading coefficient.
    pub const fn epsilon(mut self, epsilon: f64) -> Self {
        self.formula.poly.epsilon = epsilon;
        self
    }

    /// α for the logarithm alone: α for label 1, 1 − α for label 0.
    pub const fn logarithm_alpha(mut self, alpha: f64) -> Self {
        self.formula.alpha = Some(alpha);
        self
    }
}

impl Default for SigmoidPolyLoss {
    fn default() -> Self {
        Self::new()
    }
}
