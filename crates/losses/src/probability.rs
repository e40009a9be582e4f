//! Cross-entropy of what already is a probability or its logarithm.

use macula_autograd::Var;
use macula_tensor::{Error, Float, Pointwise, Result, Scalar, Tensor};

use crate::checks::check_shape;
use crate::powers::product_or_zero;
use crate::reduction::Reduction;
use crate::row_loss::{RowBatch, RowLoss};
use crate::sample_weights::SampleWeights;
use crate::softmax_loss::SoftmaxLoss;

/// Marks the loss of log-probabilities, see [`NllLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NegativeLogLikelihood;

/// Negative log-likelihood: `−w_t·ln p_t` of log-probabilities, which are taken as they are.
///
/// After a `log_softmax` this is cross-entropy in two steps.
/// [`SoftmaxCrossEntropy`](crate::SoftmaxCrossEntropy) does both in one, and keeps the digits of
/// the gradient where `p_t` is nearly 1.
pub type NllLoss = SoftmaxLoss<NegativeLogLikelihood>;

impl NllLoss {
    /// No weights, the mean over the rows.
    pub const fn new() -> Self {
        Self::of(NegativeLogLikelihood)
    }
}

impl Default for NllLoss {
    fn default() -> Self {
        Self::new()
    }
}

impl RowLoss for NegativeLogLikelihood {
    const NAME: &'static str = "nll_loss";

    #[track_caller]
    fn loss<T: Float>(&self, batch: RowBatch<'_, T>) -> Result<Var<T>> {
        batch.each(|log_probabilities, classes| {
            let of_target = log_probabilities.gather(-1, &classes.unsqueeze(-1)?)?;
            of_target.squeeze(-1)?.neg()
        })
    }
}

/// Binary cross-entropy of probabilities: `−y·ln p − (1 − y)·ln(1 − p)`.
///
/// For a model whose output is a probability for reasons of its own. Where there are logits,
/// [`SigmoidCrossEntropy`](crate::SigmoidCrossEntropy) is the better choice: a probability that
/// was rounded to 1 has forgotten how wrong it was, and this loss is then infinite.
///
/// # Numerics
/// `ln(1 − p)` is formed as `ln_1p(−p)`; nothing is clamped. Where `p` is 0 or 1 and the target is the
/// other, the loss is infinite and so is its slope; a sigmoid that gave this `p` for an infinite
/// logit makes NaN of that, in the gradient of this element alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProbabilityCrossEntropy {
    reduction: Reduction,
}

impl ProbabilityCrossEntropy {
    /// The mean over the elements.
    pub const fn new() -> Self {
        Self {
            reduction: Reduction::Mean,
        }
    }

    /// How the losses of the elements become one number.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// The loss of probabilities and targets from 0 to 1, of one shape.
    ///
    /// # Errors
    /// Shapes that differ; a probability or a target outside [0, 1] or NaN.
    #[track_caller]
    pub fn forward<T: Float>(&self, probabilities: &Var<T>, targets: &Tensor<T>) -> Result<Var<T>> {
        self.weighted(probabilities, targets, None)
    }

    /// [`forward`](Self::forward) with a weight for each element.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and weights that are negative, not finite or not of the
    /// targets' shape.
    #[track_caller]
    pub fn forward_weighted<T: Float>(
        &self,
        probabilities: &Var<T>,
        targets: &Tensor<T>,
        weights: &Tensor<T>,
    ) -> Result<Var<T>> {
        self.weighted(probabilities, targets, Some(weights))
    }

    #[track_caller]
    fn weighted<T: Float>(
        &self,
        probabilities: &Var<T>,
        targets: &Tensor<T>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        let op = LogarithmOfProbability::NAME;
        check_shape(op, "targets", probabilities.shape(), targets.shape())?;
        let weights = SampleWeights::new(op, weights, targets.shape())?;
        let probabilities = weights.replace(probabilities, 0.5)?;
        check_unit_interval(op, "probabilities", probabilities.value())?;
        check_unit_interval(op, "targets", targets)?;
        let labels = probabilities.tape().constant(targets.clone());
        let losses = probabilities.zip(&labels, LogarithmOfProbability)?;
        weights.reduce(self.reduction, &losses, || {
            Ok(targets.to_vec()?.iter().filter(|&&y| y > T::ZERO).count())
        })
    }
}

/// # Errors
/// Every element must be between 0 and 1.
fn check_unit_interval<T: Float>(
    op: &'static str,
    argument: &'static str,
    tensor: &Tensor<T>,
) -> Result<()> {
    let elements = tensor.to_vec()?;
    let outside = |x: &T| !(*x >= T::ZERO && *x <= T::ONE);
    match elements.iter().position(outside) {
        None => Ok(()),
        Some(index) => Err(Error::Argument {
            op,
            argument,
            expected: "between 0 and 1".into(),
            found: format!("{} at element {index}", elements[index]),
        }),
    }
}

#[derive(Clone, Copy, Debug)]
struct LogarithmOfProbability;

impl Pointwise<2> for LogarithmOfProbability {
    const NAME: &'static str = "probability_cross_entropy";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [p, y]: [S; 2]) -> S {
        let positive = product_or_zero(y, p.ln());
        let negative = product_or_zero(-y + 1.0, (-p).ln_1p());
        -(positive + negative)
    }

    /// Written out, because the rule of products makes NaN of an infinite logarithm.
    #[inline(always)]
    fn gradient<S: Scalar>(&self, [p, y]: [S; 2]) -> [S; 2] {
        let (q, rest) = (-p + 1.0, -y + 1.0);
        let slope = product_or_zero(rest, q.recip()) - product_or_zero(y, p.recip());
        [slope, (-p).ln_1p() - p.ln()]
    }
}
