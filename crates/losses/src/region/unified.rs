//! Unified focal loss: cross-entropy and overlap, both focal, in one.

use macula_autograd::Var;
use macula_tensor::{Float, Result, Tensor};

use super::not_regions;
use super::overlap::TverskyLoss;
use crate::checks::{check_parameter, check_share};
use crate::focal::SigmoidFocalLoss;

/// Unified focal loss of a binary mask: `λ·F + (1 − λ)·T`, `F` a focal loss of the pixels and `T` a
/// focal Tversky loss of the object and of what is around it.
///
/// ```text
/// F = mean of α_t·(1 − p_t)^(1 − γ)·(−ln p_t),  α = δ for the object, 1 − δ around it
/// T = mean of (1 − TI)^γ over both regions,     TI the Tversky index with δ for misses and 1 − δ
///                                               for false alarms
/// ```
///
/// One γ and one δ steer both parts. Defaults λ = 0.5, δ = 0.6, γ = 0.5, and 1 pixel is added to
/// both sides of the quotient, as in [`TverskyLoss`]. Both parts are means, and there are no
/// weights: a pixel has none in a region.
///
/// # Source
/// Yeung, Sala, Schönlieb, Rundo, "Unified focal loss: generalising Dice and cross entropy-based
/// losses to handle class imbalanced medical image segmentation", 2022, the symmetric variant. The
/// paper adds the two regions up; the mean is that of the authors' code, and keeps both parts on
/// one scale. The weight 1 − δ around the object is the code's too. There λ and 1 − λ, and γ and
/// 1 − γ, are exchanged, which is the same at ½, and 10⁻⁷ is added and not 1 pixel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnifiedFocalLoss {
    lambda: f64,
    delta: f64,
    gamma: f64,
}

impl UnifiedFocalLoss {
    /// λ = 0.5, δ = 0.6, γ = 0.5.
    pub const fn new() -> Self {
        Self {
            lambda: 0.5,
            delta: 0.6,
            gamma: 0.5,
        }
    }

    /// The share λ of the focal part, in [0, 1].
    pub const fn lambda(mut self, lambda: f64) -> Self {
        self.lambda = lambda;
        self
    }

    /// The weight δ of the object and of misses, in [0, 1].
    pub const fn delta(mut self, delta: f64) -> Self {
        self.delta = delta;
        self
    }

    /// The focusing γ in (0, 1]: 1 is cross-entropy and plain Tversky loss.
    pub const fn gamma(mut self, gamma: f64) -> Self {
        self.gamma = gamma;
        self
    }

    /// The loss of logits and labels 0 and 1 of one shape `[N, C, …]`.
    ///
    /// # Errors
    /// Shapes that differ, a label that is neither 0 nor 1, a parameter outside its range.
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        let op = "unified_focal_loss";
        check_share(op, "lambda", self.lambda)?;
        check_share(op, "delta", self.delta)?;
        let valid = self.gamma > 0.0 && self.gamma <= 1.0;
        check_parameter(op, "gamma", self.gamma, valid, "in (0, 1]")?;
        let focal = SigmoidFocalLoss::new()
            .gamma(1.0 - self.gamma)
            .alpha(self.delta);
        let tversky = TverskyLoss::new()
            .alpha(1.0 - self.delta)
            .beta(self.delta)
            .exponent(self.gamma);
        if logits.rank() < 2 {
            return Err(not_regions(op, logits.shape()));
        }
        let focal = focal.of_labels(op, logits, labels, None)?;
        let focal = focal.mul_scalar(self.lambda)?;
        let object = tversky.forward_sigmoid(logits, labels)?;
        let flipped = labels.ne(&Tensor::scalar(1))?.cast::<i64>()?;
        let around = tversky.forward_sigmoid(&logits.neg()?, &flipped)?;
        let region = object.add(&around)?.mul_scalar(0.5)?;
        focal.add(&region.mul_scalar(1.0 - self.lambda)?)
    }
}

impl Default for UnifiedFocalLoss {
    fn default() -> Self {
        Self::new()
    }
}
