//! Asymmetric losses: one focusing exponent for positives, another for negatives.

use macula_autograd::Var;
use macula_tensor::{Float, Pointwise, Result, Scalar};

use crate::checks::{check_exponent, check_parameter};
use crate::focal::Focal;
use crate::formula::{ElementLoss, MarginLoss};
use crate::powers::{power, power_of_sigmoid, product_or_zero, ratio_or_zero};
use crate::row_loss::{RowBatch, RowLoss};
use crate::sigmoid_loss::SigmoidLoss;
use crate::softmax::class_margins;
use crate::softmax_loss::SoftmaxLoss;

/// The formula of [`AsymmetricLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asymmetric {
    /// The exponent of positives, γ₊ ≥ 0.
    pub gamma_positive: f64,
    /// The exponent of negatives, γ₋ ≥ 0.
    pub gamma_negative: f64,
    /// What is taken off the probability of negatives, in [0, 1).
    pub clip: f64,
    /// Whether the powers are constants for the gradient.
    pub detached: bool,
}

impl ElementLoss for Asymmetric {
    const NAME: &'static str = "asymmetric_loss";
    const MIXES: bool = true;

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "gamma_positive", self.gamma_positive)?;
        check_exponent(Self::NAME, "gamma_negative", self.gamma_negative)?;
        let valid = (0.0..1.0).contains(&self.clip);
        check_parameter(Self::NAME, "clip", self.clip, valid, "in [0, 1)")
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, logit: S, target: S) -> (S, S) {
        let logistic = logit.logistic();
        let (p, q) = (logistic.sigmoid, logistic.complement);
        let differentiated = |gamma: f64| if self.detached { 0.0 } else { gamma };

        let loss = logistic.softplus_negated;
        let factor = power_of_sigmoid(self.gamma_positive, q, logistic.softplus);
        let entropy = product_or_zero(p, loss);
        let slope = entropy * differentiated(self.gamma_positive) + q;
        let positive = (factor * loss, -(factor * slope));

        let gamma = self.gamma_negative;
        let negative = if self.clip == 0.0 {
            let loss = logistic.softplus;
            let factor = power_of_sigmoid(gamma, p, logistic.softplus_negated);
            let slope = product_or_zero(q, loss) * differentiated(gamma) + p;
            (factor * loss, factor * slope)
        } else {
            let shifted = (p - self.clip).relu();
            let loss = -(-shifted).ln_1p();
            let factor = power(gamma, shifted);
            // L/p_m goes to 1 where p_m goes to 0; below the clip nothing moves.
            let relative = ratio_or_zero(loss, shifted) * differentiated(gamma);
            let slope = p * q * (relative + (q + self.clip).recip());
            let zero = p.constant(0.0);
            let slope = S::select(shifted.equal(zero), zero, factor * slope);
            (factor * loss, slope)
        };
        let is_positive = target.equal(target.constant(1.0));
        (
            S::select(is_positive, positive.0, negative.0),
            S::select(is_positive, positive.1, negative.1),
        )
    }
}

/// Asymmetric loss for many labels: `(1 − p)^γ₊·(−ln p)` for label 1, and with
/// `p_m = max(p − m, 0)`: `p_m^γ₋·(−ln(1 − p_m))` for label 0.
///
/// With hundreds of labels, nearly all of them absent, negatives need much more focusing than
/// positives, and those below the clip `m` (probably mislabelled, certainly easy) are dropped.
/// Defaults γ₊ = 1, γ₋ = 4, m = 0.05; the powers are differentiated.
///
/// # Numerics
/// No epsilon inside a logarithm: the usual `ln(max(p, 1e-8))` has no gradient on the worst
/// mistakes. Where `p` is near the clip, `p − m` has the relative accuracy that `p` allows.
///
/// # Source
/// Ridnik, Ben-Baruch, Zamir, Noy, Friedman, Protter, Zelnik-Manor, "Asymmetric loss for
/// multi-label classification", 2021. The defaults are those of the authors' code, which adds the
/// losses up: [`Reduction::Sum`](crate::Reduction).
pub type AsymmetricLoss = SigmoidLoss<Asymmetric>;

impl AsymmetricLoss {
    /// γ₊ = 1, γ₋ = 4, clip 0.05, the mean over the elements.
    pub const fn new() -> Self {
        Self::of(Asymmetric {
            gamma_positive: 1.0,
            gamma_negative: 4.0,
            clip: 0.05,
            detached: false,
        })
    }

    /// The exponent of positives, γ₊ ≥ 0.
    pub const fn gamma_positive(mut self, gamma: f64) -> Self {
        self.formula.gamma_positive = gamma;
        self
    }

    /// The exponent of negatives, γ₋ ≥ 0.
    pub const fn gamma_negative(mut self, gamma: f64) -> Self {
        self.formula.gamma_negative = gamma;
        self
    }

    /// The probability in [0, 1) that is taken off negatives; 0 for none.
    pub const fn clip(mut self, clip: f64) -> Self {
        self.formula.clip = clip;
        self
    }

    /// Whether the powers are constants for the gradient, the option `disable_torch_grad_focal_loss`
    /// of the authors' code. The result is then no gradient of the loss; higher orders are those of
    /// that result, powers included.
    pub const fn detached(mut self, detached: bool) -> Self {
        self.formula.detached = detached;
        self
    }
}

impl Default for AsymmetricLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// The parameters of [`AsymmetricSingleLabelLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AsymmetricSingleLabel {
    gamma_positive: f64,
    gamma_negative: f64,
}

/// Asymmetric loss for one label of several classes: `−Σ_c y_c·w_c·ln p_c` with
/// `w_t = (1 − p_t)^γ₊` for the target and `w_c = p_c^γ₋` for the others, `y` the smoothed label.
///
/// Without smoothing it is focal loss with γ = γ₊. Defaults γ₊ = 0, γ₋ = 4, smoothing 0.1.
///
/// # Source
/// Ridnik, Ben-Baruch, Zamir, Noy, Friedman, Protter, Zelnik-Manor, "Asymmetric loss for
/// multi-label classification", 2021; the single-label variant is in the authors' code alone. There
/// too the powers are differentiated.
pub type AsymmetricSingleLabelLoss = SoftmaxLoss<AsymmetricSingleLabel>;

impl AsymmetricSingleLabelLoss {
    /// γ₊ = 0, γ₋ = 4, smoothing 0.1, the mean over the rows.
    pub const fn new() -> Self {
        Self::of(AsymmetricSingleLabel {
            gamma_positive: 0.0,
            gamma_negative: 4.0,
        })
        .label_smoothing(0.1)
    }

    /// The exponent of the target, γ₊ ≥ 0.
    pub const fn gamma_positive(mut self, gamma: f64) -> Self {
        self.formula.gamma_positive = gamma;
        self
    }

    /// The exponent of the other classes, γ₋ ≥ 0.
    pub const fn gamma_negative(mut self, gamma: f64) -> Self {
        self.formula.gamma_negative = gamma;
        self
    }
}

impl Default for AsymmetricSingleLabelLoss {
    fn default() -> Self {
        Self::new()
    }
}

impl RowLoss for AsymmetricSingleLabel {
    const NAME: &'static str = Term::NAME;

    #[track_caller]
    fn loss<T: Float>(&self, batch: RowBatch<'_, T>) -> Result<Var<T>> {
        check_exponent(Term::NAME, "gamma_positive", self.gamma_positive)?;
        check_exponent(Term::NAME, "gamma_negative", self.gamma_negative)?;
        batch.each_smoothed(|logits, classes, shares| {
            let margins = class_margins(logits)?;
            let tape = logits.tape();
            let count = logits.shape().last().copied().unwrap_or_default();
            let is_target = tape.constant(classes.one_hot::<T>(count)?);
            Var::pointwise(Term(*self), [&margins, &is_target, &tape.constant(shares)])?.sum(-1)
        })
    }
}

/// One class's part of the loss, from its margin, whether it is the target, and its share.
#[derive(Clone, Copy, Debug)]
struct Term(AsymmetricSingleLabel);

impl Pointwise<3> for Term {
    const NAME: &'static str = "asymmetric_single_label_loss";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [margin, is_target, share]: [S; 3]) -> S {
        product_or_zero(share, self.value_and_slope(margin, is_target).0)
    }

    #[inline(always)]
    fn gradient<S: Scalar>(&self, [margin, is_target, share]: [S; 3]) -> [S; 3] {
        let (value, slope) = self.value_and_slope(margin, is_target);
        [product_or_zero(share, slope), share.constant(0.0), value]
    }
}

impl Term {
    /// Focal loss for the target; `p^γ·L`, with slope `−q·(p^γ − γ·p^γ·L)`, for the others.
    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, margin: S, is_target: S) -> (S, S) {
        let focal = Focal {
            gamma: self.0.gamma_positive,
        };
        let target = MarginLoss::value_and_slope(&focal, margin);
        let gamma = self.0.gamma_negative;
        let logistic = margin.logistic();
        let loss = logistic.softplus_negated;
        let factor = power_of_sigmoid(gamma, logistic.sigmoid, loss);
        let value = product_or_zero(factor, loss);
        let rise = product_or_zero(margin.constant(gamma), value);
        let slope = logistic.complement * (rise - factor);
        let is_target = is_target.equal(margin.constant(1.0));
        (
            S::select(is_target, target.0, value),
            S::select(is_target, target.1, slope),
        )
    }
}
