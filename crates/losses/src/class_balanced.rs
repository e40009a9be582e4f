//! Class-balanced losses, and one sigmoid for each class of single-label data.

use macula_autograd::Var;
use macula_tensor::{Float, Result};

use crate::class_counts::ClassCounts;
use crate::formula::ElementLoss;
use crate::reduction::Reduction;
use crate::row_loss::{RowBatch, RowLoss};
use crate::sigmoid_loss::SigmoidLoss;
use crate::softmax_loss::SoftmaxLoss;

impl<F> SoftmaxLoss<F> {
    /// Class-balanced: weights each class by its effective number of samples,
    /// `w_c ∝ (1 − β)/(1 − β^n_c)`, see [`ClassCounts::effective_number_weights`].
    ///
    /// β = 0 weighs all alike, β → 1 by the inverse of their counts; the paper tries 0.9, 0.99,
    /// 0.999 and 0.9999.
    ///
    /// # Errors
    /// β must be in [0, 1).
    ///
    /// # Source
    /// Cui, Jia, Lin, Song, Belongie, "Class-balanced loss based on effective number of samples",
    /// 2019, eq. 6.
    pub fn class_balanced(self, counts: &ClassCounts, beta: f64) -> Result<Self> {
        Ok(self.class_weights(counts.effective_number_weights(beta)?))
    }
}

/// The formula of [`OneVsRestLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneVsRest<F>(F);

/// A sigmoid loss for data with one label of several classes: each class is told from the rest.
///
/// The loss of a row is the sum over the classes, times the weight of the row's class. It is what
/// the class-balanced paper trains as "sigmoid" and "focal". Smoothing is refused.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::{ClassCounts, Focal, OneVsRestLoss};
/// use macula_tensor::Tensor;
///
/// let counts = ClassCounts::from_counts([900, 100])?;
/// let focal = OneVsRestLoss::new(Focal { gamma: 2.0 }).class_balanced(&counts, 0.999)?;
/// let logits = Tape::new().var(Tensor::from([[0.0_f32, 0.0]]));
/// assert!(focal.forward(&logits, &Tensor::from([1_i64]))?.item()? > 0.0);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
///
/// # Source
/// Cui, Jia, Lin, Song, Belongie, "Class-balanced loss based on effective number of samples",
/// 2019, sections 4.2 and 4.3.
pub type OneVsRestLoss<F> = SoftmaxLoss<OneVsRest<F>>;

impl<F: ElementLoss> SoftmaxLoss<OneVsRest<F>> {
    /// A formula of one logit, the mean over the rows.
    pub const fn new(formula: F) -> Self {
        Self::of(OneVsRest(formula))
    }
}

impl<F: ElementLoss> RowLoss for OneVsRest<F> {
    const NAME: &'static str = F::NAME;

    #[track_caller]
    fn loss<T: Float>(&self, batch: RowBatch<'_, T>) -> Result<Var<T>> {
        batch.each(|logits, classes| {
            let count = logits.shape().last().copied().unwrap_or_default();
            let losses = SigmoidLoss::of(self.0).reduction(Reduction::None);
            losses
                .forward(logits, &classes.one_hot::<i64>(count)?)?
                .sum(-1)
        })
    }
}
