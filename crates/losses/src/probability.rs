//! Cross-entropy of what already is a probability or its logarithm.

use macula_autograd::Var;
use macula_tensor::{Error, Float, Pointwise, Result, Scalar, Tensor};

use crate::powers::product_or_zero;
use crate::reduction::{Reduction, Tally};
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

    /// The loss of log-probabilities `[N, C, …]` and class labels `[N, …]`.
    ///
    /// # Errors
    /// Shapes that do not match, a label outside the classes (with its row), class weights that
    /// do not fit.
    #[track_caller]
    pub fn forward<T: Float>(
        &self,
        log_probabilities: &Var<T>,
        labels: &Tensor<i64>,
    ) -> Result<Var<T>> {
        self.refuse_smoothing("nll_loss")?;
        self.composed(
            "nll_loss",
            log_probabilities,
            labels,
            None,
            |logs, targets| {
                let classes = targets.classes.unsqueeze(-1)?;
                let of_target = logs.gather(-1, &classes)?.squeeze(-1)?;
                let weights = logs.tape().constant(targets.weights.clone());
                of_target.mul(&weights)?.neg()
            },
        )
    }
}

impl Default for NllLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// Binary cross-entropy of probabilities: `−y·ln p − (1 − y)·ln(1 − p)`.
///
/// For a model whose output is a probability for reasons of its own. Where there are logits,
/// [`SigmoidCrossEntropy`](crate::SigmoidCrossEntropy) is the better choice: a probability that
/// was rounded to 1 has forgotten how wrong it was, and this loss is then infinite.
///
/// # Numerics
/// `ln(1 − p)` is formed as `ln_1p(−p)`; nothing is clamped.
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
    /// Shapes that differ; a probability or a target outside [0, 1].
    #[track_caller]
    pub fn forward<T: Float>(&self, probabilities: &Var<T>, targets: &Tensor<T>) -> Result<Var<T>> {
        let op = LogarithmOfProbability::NAME;
        if probabilities.shape() != targets.shape() {
            return Err(Error::Shape {
                op,
                expected: format!("targets of shape {:?}", probabilities.shape()),
                found: targets.shape().into(),
            });
        }
        check_unit_interval(op, "probabilities", probabilities.value())?;
        check_unit_interval(op, "targets", targets)?;
        let losses = probabilities.zip(
            &probabilities.tape().constant(targets.clone()),
            LogarithmOfProbability,
        )?;
        self.reduction.reduce(op, &losses, || {
            let elements = targets.to_vec()?;
            Ok(Tally {
                count: elements.len(),
                weight: elements.len() as f64,
                positives: elements.iter().filter(|&&y| y > T::ZERO).count(),
            })
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
}
