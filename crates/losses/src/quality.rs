//! Losses whose target is a number from 0 to 1 in its own right: a quality, an overlap, a distance
//! to a centre.

use macula_tensor::{Result, Scalar};

use crate::checks::check_exponent;
use crate::formula::ElementLoss;
use crate::powers::{power, power_of_sigmoid, product_or_zero, ratio_or_zero};
use crate::sigmoid_loss::SigmoidLoss;

/// Binary cross-entropy of a logit and a soft target, with what the formulas below share.
struct Soft<S> {
    /// σ(x) and σ(−x).
    p: S,
    q: S,
    /// −ln p and −ln q.
    minus_ln_p: S,
    minus_ln_q: S,
    /// `y·(−ln p) + (1 − y)·(−ln q)`.
    cross_entropy: S,
    /// Its slope `p − y`, formed as `p·(1 − y) − q·y`.
    residual: S,
}

impl<S: Scalar> Soft<S> {
    #[inline(always)]
    fn new(logit: S, target: S) -> Self {
        let logistic = logit.logistic();
        let (p, q) = (logistic.sigmoid, logistic.complement);
        let rest = -target + 1.0;
        let positive = product_or_zero(target, logistic.softplus_negated);
        let negative = product_or_zero(rest, logistic.softplus);
        Self {
            p,
            q,
            minus_ln_p: logistic.softplus_negated,
            minus_ln_q: logistic.softplus,
            cross_entropy: positive + negative,
            residual: p * rest - q * target,
        }
    }
}

/// `|y − p|^β · BCE(x, y)`, see [`QualityFocalLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualityFocal {
    /// The exponent β ≥ 0.
    pub beta: f64,
}

impl ElementLoss for QualityFocal {
    const NAME: &'static str = "quality_focal_loss";

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "beta", self.beta)
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, logit: S, target: S) -> (S, S) {
        let soft = Soft::new(logit, target);
        let factor = power(self.beta, soft.residual.abs());
        // ∂|p − y|^β/∂x = β·|p − y|^β/(p − y)·pq. From β = 2 on without the quotient, which has no
        // slope of its own at p = y; below with it, formed before the product with the
        // cross-entropy, which is too small to be a number where both are tiny.
        let speed = soft.p * soft.q;
        let rise = if self.beta >= 2.0 {
            let distance = power(self.beta - 2.0, soft.residual.abs()) * soft.residual;
            product_or_zero(speed, soft.cross_entropy) * distance
        } else {
            let speed = ratio_or_zero(speed, soft.residual);
            product_or_zero(speed, soft.cross_entropy) * factor
        };
        (
            factor * soft.cross_entropy,
            factor * soft.residual + rise * self.beta,
        )
    }
}

/// Quality focal loss: `|y − p|^β · (−y·ln p − (1 − y)·ln(1 − p))` for a target `y` in [0, 1].
///
/// One of three readings of focal loss with soft targets, the one that is at its minimum at
/// `p = y`; for labels 0 and 1 all three are focal loss with γ = β. Made for detectors that
/// predict class and localization quality as one number. Default β = 2.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::QualityFocalLoss;
/// use macula_tensor::Tensor;
///
/// let logits = Tape::new().var(Tensor::from([0.0_f32]));
/// let loss = QualityFocalLoss::new().forward_soft(&logits, &Tensor::from([0.5_f32]))?;
/// assert_eq!(loss.item()?, 0.0);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
///
/// # Numerics
/// `p − y` is formed as `p·(1 − y) − (1 − p)·y`, with `1 − p` a sigmoid of its own. At `p = y` the
/// second derivative is infinite for 0 < β < 2, and 0 is given for it.
///
/// # Source
/// Li, Wang, Wu, Chen, Hu, Li, Tang, Yang, "Generalized focal loss: learning qualified and
/// distributed bounding boxes for dense object detection", 2020, eq. 2.
pub type QualityFocalLoss = SigmoidLoss<QualityFocal>;

impl QualityFocalLoss {
    /// β = 2, the mean over the elements.
    pub const fn new() -> Self {
        Self::of(QualityFocal { beta: 2.0 })
    }

    /// The exponent β ≥ 0; 0 is cross-entropy.
    pub const fn beta(mut self, beta: f64) -> Self {
        self.formula.beta = beta;
        self
    }
}

impl Default for QualityFocalLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// `(1 − p_y)^γ · BCE(x, y)`, see [`InterpolatedFocalLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InterpolatedFocal {
    /// The focusing exponent γ ≥ 0.
    pub gamma: f64,
}

impl ElementLoss for InterpolatedFocal {
    const NAME: &'static str = "interpolated_focal_loss";

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "gamma", self.gamma)
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, logit: S, target: S) -> (S, S) {
        let soft = Soft::new(logit, target);
        // 1 − p_y, from parts that are not negative.
        let distance = soft.p * (-target + 1.0) + soft.q * target;
        let factor = power(self.gamma, distance);
        // γ·pq·(1 − 2y)·BCE over the distance, which comes first for the reason given above.
        let speed = soft.p * soft.q * (target * -2.0 + 1.0);
        let speed = ratio_or_zero(speed, distance);
        let slope = soft.residual + product_or_zero(speed, soft.cross_entropy) * self.gamma;
        (factor * soft.cross_entropy, factor * slope)
    }
}

/// Focal loss with an interpolated modulator: `(1 − p_y)^γ · (−y·ln p − (1 − y)·ln(1 − p))` with
/// `p_y = p·y + (1 − p)·(1 − y)`, for a target `y` in [0, 1].
///
/// One of three readings of focal loss with soft targets; what most detection libraries compute
/// when their focal loss is given targets that are no labels. It is not at its minimum at `p = y`,
/// see [`QualityFocalLoss`]. Default γ = 2.
///
/// # Source
/// Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", 2017, eq. 5, whose
/// `p_t` is made linear in the label.
pub type InterpolatedFocalLoss = SigmoidLoss<InterpolatedFocal>;

impl InterpolatedFocalLoss {
    /// γ = 2, the mean over the elements.
    pub const fn new() -> Self {
        Self::of(InterpolatedFocal { gamma: 2.0 })
    }

    /// The focusing exponent γ ≥ 0; 0 is cross-entropy.
    pub const fn gamma(mut self, gamma: f64) -> Self {
        self.formula.gamma = gamma;
        self
    }
}

impl Default for InterpolatedFocalLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// Positives by their quality, negatives by focal loss, see [`VarifocalLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Varifocal {
    /// The weight α ≥ 0 of negatives.
    pub alpha: f64,
    /// The exponent γ ≥ 0 of negatives.
    pub gamma: f64,
    /// Whether positives weigh as much as their quality.
    pub quality_weighted: bool,
}

impl ElementLoss for Varifocal {
    const NAME: &'static str = "varifocal_loss";

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "alpha", self.alpha)?;
        check_exponent(Self::NAME, "gamma", self.gamma)
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, logit: S, target: S) -> (S, S) {
        let soft = Soft::new(logit, target);
        let weight = if self.quality_weighted {
            target
        } else {
            target.constant(1.0)
        };
        let factor = power_of_sigmoid(self.gamma, soft.p, soft.minus_ln_p) * self.alpha;
        let loss = soft.minus_ln_q;
        let slope = product_or_zero(soft.q, loss) * self.gamma + soft.p;
        let is_positive = target.constant(0.0).less(target);
        (
            S::select(is_positive, weight * soft.cross_entropy, factor * loss),
            S::select(is_positive, weight * soft.residual, factor * slope),
        )
    }
}

/// Varifocal loss: `y·BCE(x, y)` for a target `y > 0`, a predicted overlap, and
/// `α·p^γ·(−ln(1 − p))` for `y = 0`.
///
/// Only negatives are down-weighted; the few positives keep all of their signal, the more the
/// better they are. Defaults α = 0.75, γ = 2. The factor `p^γ` is differentiated.
///
/// # Source
/// Zhang, Wang, Dayoub, Sünderhauf, "VarifocalNet: an IoU-aware dense object detector", 2021.
pub type VarifocalLoss = SigmoidLoss<Varifocal>;

impl VarifocalLoss {
    /// α = 0.75, γ = 2, positives weighted by quality, the mean over the elements.
    pub const fn new() -> Self {
        Self::of(Varifocal {
            alpha: 0.75,
            gamma: 2.0,
            quality_weighted: true,
        })
    }

    /// The weight of negatives, α ≥ 0.
    pub const fn negative_alpha(mut self, alpha: f64) -> Self {
        self.formula.alpha = alpha;
        self
    }

    /// The exponent of negatives, γ ≥ 0.
    pub const fn gamma(mut self, gamma: f64) -> Self {
        self.formula.gamma = gamma;
        self
    }

    /// Whether a positive weighs as much as its target; else it weighs 1.
    pub const fn quality_weighted(mut self, weighted: bool) -> Self {
        self.formula.quality_weighted = weighted;
        self
    }
}

impl Default for VarifocalLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// Focal loss around peaks, see [`GaussianFocalLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussianFocal {
    /// The focusing exponent α ≥ 0.
    pub alpha: f64,
    /// The exponent γ ≥ 0 of the distance to a peak.
    pub gamma: f64,
}

impl ElementLoss for GaussianFocal {
    const NAME: &'static str = "gaussian_focal_loss";
    const POSITIVE: f64 = 1.0;

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "focusing alpha", self.alpha)?;
        check_exponent(Self::NAME, "gamma", self.gamma)
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, logit: S, target: S) -> (S, S) {
        let logistic = logit.logistic();
        let (p, q) = (logistic.sigmoid, logistic.complement);
        let is_peak = target.constant(1.0).less_equal(target);
        let side = |of_self: S, of_other: S, minus_ln: S, loss: S| {
            let factor = power_of_sigmoid(self.alpha, of_other, minus_ln);
            let slope = product_or_zero(of_self, loss) * self.alpha + of_other;
            (factor * loss, factor * slope)
        };
        let at_peak = side(p, q, logistic.softplus, logistic.softplus_negated);
        let beside = side(q, p, logistic.softplus_negated, logistic.softplus);
        let nearness = power(self.gamma, -target + 1.0);
        (
            S::select(is_peak, at_peak.0, nearness * beside.0),
            S::select(is_peak, -at_peak.1, nearness * beside.1),
        )
    }
}

/// Gaussian focal loss on heat maps: `(1 − p)^α·(−ln p)` at a peak, `y = 1`, and
/// `(1 − y)^γ·p^α·(−ln(1 − p))` elsewhere.
///
/// The target is 1 at the centre of an object and falls off as a Gaussian around it; a detection
/// near the centre is no full mistake. Defaults α = 2, γ = 4, and the paper divides by the number
/// of objects: [`MeanOverPositives`](crate::Reduction::MeanOverPositives), which counts peaks
/// here.
///
/// # Source
/// Law, Deng, "CornerNet: detecting objects as paired keypoints", 2018, eq. 1 (whose α and β are α
/// and γ here, as in later implementations).
pub type GaussianFocalLoss = SigmoidLoss<GaussianFocal>;

impl GaussianFocalLoss {
    /// α = 2, γ = 4, the mean over the elements.
    pub const fn new() -> Self {
        Self::of(GaussianFocal {
            alpha: 2.0,
            gamma: 4.0,
        })
    }

    /// The focusing exponent, the paper's α ≥ 0.
    pub const fn focusing(mut self, alpha: f64) -> Self {
        self.formula.alpha = alpha;
        self
    }

    /// The exponent γ ≥ 0 of `1 − y`.
    pub const fn gamma(mut self, gamma: f64) -> Self {
        self.formula.gamma = gamma;
        self
    }
}

impl Default for GaussianFocalLoss {
    fn default() -> Self {
        Self::new()
    }
}
