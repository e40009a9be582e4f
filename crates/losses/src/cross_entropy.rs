//! Cross-entropy: focal loss without focusing, and the yardstick of the family.

use macula_tensor::Scalar;

use crate::formula::MarginLoss;
use crate::sigmoid_loss::SigmoidLoss;
use crate::softmax_loss::SoftmaxLoss;

/// `−ln p` as a function of the margin: `softplus(−s)`, with slope `−σ(−s)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogLoss;

impl MarginLoss for LogLoss {
    const NAME: &'static str = "cross_entropy";

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S) {
        let logistic = margin.logistic();
        (logistic.softplus_negated, -logistic.complement)
    }
}

/// Binary cross-entropy on logits: `−w·ln σ(x)` for label 1, `−ln σ(−x)` for label 0.
///
/// What PyTorch calls `BCEWithLogitsLoss`.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::SigmoidCrossEntropy;
/// use macula_tensor::Tensor;
///
/// let logits = Tape::new().var(Tensor::from([0.0_f32]));
/// let loss = SigmoidCrossEntropy::new().forward(&logits, &Tensor::from([1_i64]))?;
/// assert!((loss.item()? - 2.0_f64.ln()).abs() < 1e-7);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub type SigmoidCrossEntropy = SigmoidLoss<LogLoss>;

impl SigmoidCrossEntropy {
    /// No weights, the mean over the elements.
    pub const fn new() -> Self {
        Self::of(LogLoss)
    }
}

impl Default for SigmoidCrossEntropy {
    fn default() -> Self {
        Self::new()
    }
}

/// Cross-entropy of the softmax on logits: `−w_t·ln p_t`, or `−Σ_c w_c·y_c·ln p_c` with soft
/// targets.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::SoftmaxCrossEntropy;
/// use macula_tensor::Tensor;
///
/// let logits = Tape::new().var(Tensor::from([[0.0_f32, 0.0, 0.0]]));
/// let loss = SoftmaxCrossEntropy::new().forward(&logits, &Tensor::from([2_i64]))?;
/// assert!((loss.item()? - 3.0_f64.ln()).abs() < 1e-6);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub type SoftmaxCrossEntropy = SoftmaxLoss<LogLoss>;

impl SoftmaxCrossEntropy {
    /// No weights, the mean over the rows.
    pub const fn new() -> Self {
        Self::of(LogLoss)
    }
}

impl Default for SoftmaxCrossEntropy {
    fn default() -> Self {
        Self::new()
    }
}
