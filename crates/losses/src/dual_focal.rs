//! Dual focal loss: the runner-up counts too.

use macula_autograd::Var;
use macula_tensor::{Float, Pointwise, Result, Scalar, Tensor, keep};

use crate::checks::check_exponent;
use crate::powers::{power, product_or_zero, ratio_or_zero};
use crate::row_loss::{RowBatch, RowLoss};
use crate::softmax::class_margins;
use crate::softmax_loss::SoftmaxLoss;

/// The parameter of [`DualFocalLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DualFocal {
    gamma: f64,
}

/// Dual focal loss: `(1 − p_t + p_j)^γ · (−ln p_t)`, `p_j` the largest probability below `p_t`, or 0
/// where there is none.
///
/// Focal loss looks at the target alone and ends up under-confident; this also widens the gap to
/// the runner-up, for calibrated probabilities. Both probabilities are differentiated. Default
/// γ = 5.
///
/// # Source
/// Tao, Dong, Xu, "Dual focal loss for calibration", 2023.
pub type DualFocalLoss = SoftmaxLoss<DualFocal>;

impl DualFocalLoss {
    /// γ = 5, the mean over the rows.
    pub const fn new() -> Self {
        Self::of(DualFocal { gamma: 5.0 })
    }

    /// The exponent γ ≥ 0; 0 is cross-entropy.
    pub const fn gamma(mut self, gamma: f64) -> Self {
        self.formula.gamma = gamma;
        self
    }
}

impl Default for DualFocalLoss {
    fn default() -> Self {
        Self::new()
    }
}

impl RowLoss for DualFocal {
    const NAME: &'static str = Formula::NAME;

    #[track_caller]
    fn loss<T: Float>(&self, batch: RowBatch<'_, T>) -> Result<Var<T>> {
        check_exponent(Self::NAME, "gamma", self.gamma)?;
        batch.each(|logits, classes| {
            let margins = class_margins(logits)?;
            let classes = classes.unsqueeze(-1)?;
            let target = logits.value().gather(-1, &classes)?;
            let too_large = logits.value().lt(&target)?.not()?;
            let minus_infinity = T::from_f64(f64::NEG_INFINITY);
            let below = logits.value().masked_fill(&too_large, minus_infinity)?;
            let runner_up = below.argmax(keep(-1))?;
            let none = below.amax(keep(-1))?.eq(&Tensor::scalar(minus_infinity))?;
            let of_target = margins.gather(-1, &classes)?.squeeze(-1)?;
            let of_runner_up = margins.gather(-1, &runner_up)?;
            let of_runner_up = of_runner_up.masked_fill(&none, f64::NEG_INFINITY)?;
            of_target.zip(&of_runner_up.squeeze(-1)?, Formula(self.gamma))
        })
    }
}

/// The loss from the margins of the target and of the runner-up.
#[derive(Clone, Copy, Debug)]
struct Formula(f64);

impl Pointwise<2> for Formula {
    const NAME: &'static str = "dual_focal_loss";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [target, runner_up]: [S; 2]) -> S {
        let logistic = target.logistic();
        let base = logistic.complement + runner_up.sigmoid();
        power(self.0, base) * logistic.softplus_negated
    }

    /// With `b = 1 − p_t + p_j` and `L = −ln p_t`: `−b^γ·(1 − p_t)·(1 + γ·p_t·L/b)` and
    /// `b^γ·γ·p_j·(1 − p_j)·L/b`.
    #[inline(always)]
    fn gradient<S: Scalar>(&self, [target, runner_up]: [S; 2]) -> [S; 2] {
        let (logistic, other) = (target.logistic(), runner_up.logistic());
        let loss = logistic.softplus_negated;
        let base = logistic.complement + other.sigmoid;
        let factor = power(self.0, base);
        let entropy = product_or_zero(logistic.sigmoid, loss);
        let of_target = logistic.complement * (ratio_or_zero(entropy * self.0, base) + 1.0);
        // The quotient first, as p_j·L is too small to be a number where both are tiny.
        let share = ratio_or_zero(other.sigmoid * other.complement, base);
        let of_runner_up = product_or_zero(share, loss) * self.0;
        [-(factor * of_target), factor * of_runner_up]
    }
}
