//! Relatives of focal loss that are functions of the margin.

use macula_tensor::{Result, Scalar};

use crate::checks::{check_exponent, check_parameter, check_positive, is_finite_in_f32};
use crate::focal::Focal;
use crate::formula::MarginLoss;
use crate::powers::product_or_zero;
use crate::sigmoid_loss::SigmoidLoss;
use crate::softmax_loss::SoftmaxLoss;

/// `−ln σ(γ·s + β) / γ`, see [`FocalStarLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FocalStar {
    /// The steepness γ > 0.
    pub gamma: f64,
    /// The shift β.
    pub beta: f64,
}

impl MarginLoss for FocalStar {
    const NAME: &'static str = "focal_star_loss";

    fn check(&self) -> Result<()> {
        check_positive(Self::NAME, "gamma", self.gamma)?;
        let valid = is_finite_in_f32(self.beta);
        check_parameter(Self::NAME, "beta", self.beta, valid, "finite")
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S) {
        let logistic = (margin * self.gamma + self.beta).logistic();
        (logistic.softplus_negated / self.gamma, -logistic.complement)
    }
}

/// Focal loss in its smooth form, FL*: `−α_t·ln σ(γ·x_t + β) / γ`, `x_t` the margin.
///
/// A cross-entropy that is shifted and steepened: it bends as focal loss does, and its slope is a
/// plain sigmoid. γ = 1, β = 0 is cross-entropy. Defaults γ = 4, β = 0, as in the paper's table 3.
///
/// # Source
/// Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", 2017, appendix A,
/// eq. 7 and 8.
pub type FocalStarLoss = SigmoidLoss<FocalStar>;

impl FocalStarLoss {
    /// γ = 4, β = 0, no α, the mean over the elements.
    pub const fn new() -> Self {
        Self::of(FocalStar {
            gamma: 4.0,
            beta: 0.0,
        })
    }

    /// The steepness γ > 0.
    pub const fn gamma(mut self, gamma: f64) -> Self {
        self.formula.gamma = gamma;
        self
    }

    /// The shift β.
    pub const fn beta(mut self, beta: f64) -> Self {
        self.formula.beta = beta;
        self
    }
}

impl Default for FocalStarLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// Cross-entropy below a threshold, focal loss above, see [`ReducedFocalLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReducedFocal {
    /// The exponent γ ≥ 0.
    pub gamma: f64,
    /// The probability in [0, 1) from which on the loss is reduced.
    pub threshold: f64,
}

impl MarginLoss for ReducedFocal {
    const NAME: &'static str = "reduced_focal_loss";

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "gamma", self.gamma)?;
        let valid = (0.0..1.0).contains(&self.threshold);
        check_parameter(Self::NAME, "threshold", self.threshold, valid, "in [0, 1)")
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S) {
        let logistic = margin.logistic();
        let (value, slope) = Focal { gamma: self.gamma }.value_and_slope(margin);
        let scale = (1.0 - self.threshold).powf(-self.gamma);
        let is_hard = logistic.sigmoid.less(margin.constant(self.threshold));
        (
            S::select(is_hard, logistic.softplus_negated, value * scale),
            S::select(is_hard, -logistic.complement, slope * scale),
        )
    }
}

/// Reduced focal loss: `α_t·f·(−ln p_t)` with `f = 1` where `p_t` is below the threshold and
/// `f = ((1 − p_t)/(1 − threshold))^γ` from there on.
///
/// Hard examples keep their full loss, easy ones are reduced: for noisy proposals, where plain
/// focal loss would cost recall. Defaults γ = 2, threshold 0.5. The loss is continuous for every
/// threshold; its slope jumps there.
///
/// # Source
/// Sergievskiy, Ponamarev, "Reduced focal loss: 1st place solution to xView object detection in
/// satellite imagery", 2019. The paper divides by the threshold instead of `1 − threshold`: the same
/// at its ½, a jump of the loss elsewhere.
pub type ReducedFocalLoss = SigmoidLoss<ReducedFocal>;

impl ReducedFocalLoss {
    /// γ = 2, threshold 0.5, no α, the mean over the elements.
    pub const fn new() -> Self {
        Self::of(ReducedFocal {
            gamma: 2.0,
            threshold: 0.5,
        })
    }

    /// The exponent γ ≥ 0.
    pub const fn gamma(mut self, gamma: f64) -> Self {
        self.formula.gamma = gamma;
        self
    }

    /// The probability in [0, 1) from which on the loss is reduced.
    pub const fn threshold(mut self, threshold: f64) -> Self {
        self.formula.threshold = threshold;
        self
    }
}

impl Default for ReducedFocalLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// Focal loss with one γ for hard samples and another for easy ones, see
/// [`SampleDependentFocalLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleDependentFocal {
    /// γ where `p_t` is below the threshold.
    pub gamma_hard: f64,
    /// γ from the threshold on.
    pub gamma_easy: f64,
    /// The probability that separates the two.
    pub threshold: f64,
}

impl MarginLoss for SampleDependentFocal {
    const NAME: &'static str = "sample_dependent_focal_loss";

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "gamma_hard", self.gamma_hard)?;
        check_exponent(Self::NAME, "gamma_easy", self.gamma_easy)?;
        let valid = (0.0..=1.0).contains(&self.threshold);
        check_parameter(Self::NAME, "threshold", self.threshold, valid, "in [0, 1]")
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S) {
        let focal = |gamma| Focal { gamma }.value_and_slope(margin);
        let (hard, easy) = (focal(self.gamma_hard), focal(self.gamma_easy));
        let is_hard = margin.sigmoid().less(margin.constant(self.threshold));
        (
            S::select(is_hard, hard.0, easy.0),
            S::select(is_hard, hard.1, easy.1),
        )
    }
}

/// Sample-dependent focal loss, FLSD-53: focal loss with γ = 5 where `p_t < 0.2` and γ = 3 from
/// there on.
///
/// For calibrated probabilities: it keeps the entropy of predictions up without starving hard
/// samples. γ is a constant for the gradient, and the loss jumps at the threshold.
///
/// # Source
/// Mukhoti, Kulharia, Sanyal, Golodetz, Torr, Dokania, "Calibrating deep neural networks using
/// focal loss", 2020 (there FLSD-53).
pub type SampleDependentFocalLoss = SoftmaxLoss<SampleDependentFocal>;

impl SampleDependentFocalLoss {
    /// γ = 5 below 0.2 and 3 above, the mean over the rows.
    pub const fn new() -> Self {
        Self::of(SampleDependentFocal {
            gamma_hard: 5.0,
            gamma_easy: 3.0,
            threshold: 0.2,
        })
    }

    /// The exponents below and from the threshold on.
    pub const fn gammas(mut self, hard: f64, easy: f64) -> Self {
        self.formula.gamma_hard = hard;
        self.formula.gamma_easy = easy;
        self
    }

    /// The probability in [0, 1] that separates hard from easy.
    pub const fn threshold(mut self, threshold: f64) -> Self {
        self.formula.threshold = threshold;
        self
    }
}

impl Default for SampleDependentFocalLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// A mixture of a loss that favours confident samples and focal loss, see [`CyclicalFocalLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CyclicalFocal {
    /// The share ξ in [0, 1] of the confident part.
    pub xi: f64,
    /// Its exponent, γ_hc ≥ 0.
    pub gamma_confident: f64,
    /// The exponent of focal loss, γ_lc ≥ 0.
    pub gamma: f64,
}

impl MarginLoss for CyclicalFocal {
    const NAME: &'static str = "cyclical_focal_loss";

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "gamma_confident", self.gamma_confident)?;
        check_exponent(Self::NAME, "gamma", self.gamma)?;
        let valid = (0.0..=1.0).contains(&self.xi);
        let expected = match self.xi.is_nan() {
            true => "between 0 and 1, and the factor of at_epoch finite and positive",
            false => "between 0 and 1",
        };
        check_parameter(Self::NAME, "xi", self.xi, valid, expected)
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S) {
        let logistic = margin.logistic();
        let (p, q) = (logistic.sigmoid, logistic.complement);
        let loss = logistic.softplus_negated;
        let base = p + 1.0;
        let factor = crate::powers::power(self.gamma_confident, base);
        let rise = product_or_zero(p, loss) * q * self.gamma_confident / base;
        let confident = (factor * loss, factor * (rise - q));
        let focal = Focal { gamma: self.gamma }.value_and_slope(margin);
        let mix = |a: S, b: S| a * self.xi + b * (1.0 - self.xi);
        (mix(confident.0, focal.0), mix(confident.1, focal.1))
    }
}

/// Cyclical focal loss: `(ξ·(1 + p_t)^γ_hc + (1 − ξ)·(1 − p_t)^γ)·(−ln p_t)`.
///
/// ξ starts at 1 (confident samples weigh more), falls to 0 (focal loss) and comes back: easy
/// samples first and last, hard ones in the middle. Defaults γ_hc = 3, γ = 2, ξ = 1.
///
/// # Source
/// Smith, "Cyclical focal loss", 2022. The exponents are those of the authors' examples, which have
/// a factor of 4. With label smoothing the authors' code gives the classes that are not the target
/// other weights; here they get the same formula.
pub type CyclicalFocalLoss = SoftmaxLoss<CyclicalFocal>;

impl CyclicalFocalLoss {
    /// γ_hc = 3, γ = 2, ξ = 1, the mean over the rows.
    pub const fn new() -> Self {
        Self::of(CyclicalFocal {
            xi: 1.0,
            gamma_confident: 3.0,
            gamma: 2.0,
        })
    }

    /// The exponent of the confident part, γ_hc ≥ 0.
    pub const fn gamma_confident(mut self, gamma: f64) -> Self {
        self.formula.gamma_confident = gamma;
        self
    }

    /// The exponent of the focal part, γ ≥ 0.
    pub const fn gamma(mut self, gamma: f64) -> Self {
        self.formula.gamma = gamma;
        self
    }

    /// The share ξ of the confident part, in [0, 1].
    pub const fn xi(mut self, xi: f64) -> Self {
        self.formula.xi = xi;
        self
    }

    /// The ξ of an epoch, counted from 0, of a training of `epochs`: from 1 down to 0 while
    /// `factor·epoch < epochs`, then up again. With a factor of 4 the low is reached after a
    /// quarter of the training.
    ///
    /// A training of one epoch has ξ = 1. A factor that is not positive and finite gives no ξ, and
    /// [`forward`](SoftmaxLoss::forward) says so.
    pub fn at_epoch(self, epoch: usize, epochs: usize, factor: f64) -> Self {
        if !(factor > 0.0 && is_finite_in_f32(factor)) {
            return self.xi(f64::NAN);
        }
        if epochs < 2 {
            return self.xi(1.0);
        }
        let progress = factor * epoch as f64 / (epochs - 1) as f64;
        let xi = if factor * (epoch as f64) < epochs as f64 {
            1.0 - progress
        } else if factor > 1.0 {
            (progress - 1.0) / (factor - 1.0)
        } else {
            // The low is the end of the training, which an epoch after it does not leave.
            0.0
        };
        // Between its two ends the schedule may pass 0 by less than one epoch.
        self.xi(xi.clamp(0.0, 1.0))
    }
}

impl Default for CyclicalFocalLoss {
    fn default() -> Self {
        Self::new()
    }
}
