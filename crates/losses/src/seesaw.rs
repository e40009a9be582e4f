//! Seesaw loss: cross-entropy in which frequent classes press less on rare ones.

use macula_autograd::Var;
use macula_tensor::{Error, Float, Result, Tensor};

use crate::checks::{check_exponent, check_positive};
use crate::class_counts::ClassCounts;
use crate::cross_entropy::SoftmaxCrossEntropy;
use crate::reduction::Reduction;
use crate::row_loss::{RowBatch, RowLoss};
use crate::softmax_loss::SoftmaxLoss;

/// The parameters of [`SeesawLoss`].
#[derive(Clone, Debug, PartialEq)]
pub struct Seesaw {
    counts: Vec<f64>,
    mitigation: f64,
    compensation: f64,
    eps: f64,
}

/// Seesaw loss: cross-entropy of `z_j + ln(M_tj·K_j)` for the classes `j` other than the target
/// `t`.
///
/// A frequent class `t` presses less on a rarer `j` by the mitigation factor `M_tj = (n_j/n_t)^p`
/// where `n_j < n_t`, else 1; but where `j` is mistaken for the truth, the compensation factor
/// `K_j = (p_j / max(p_t, eps))^q`, where that ratio exceeds 1, presses again. Both are constants
/// for the gradient. Defaults p = 0.8, q = 2, eps = 0.01; counts are at least 1.
///
/// # Source
/// Wang, Zhang, Zang, Cao, Pang, Gong, Chen, Liu, Loy, Lin, "Seesaw loss for long-tailed instance
/// segmentation", 2021, eq. 4 and 6 to 8; `eps` is in the authors' code alone. The paper counts the
/// classes as training goes on, so that `n` are the counts so far; here they are what `new` is
/// given.
pub type SeesawLoss = SoftmaxLoss<Seesaw>;

impl SeesawLoss {
    /// The counts of the classes, p = 0.8, q = 2, eps = 0.01, the mean over the rows.
    pub fn new(counts: &ClassCounts) -> Self {
        Self::of(Seesaw {
            counts: counts.counts().iter().map(|&n| n.max(1) as f64).collect(),
            mitigation: 0.8,
            compensation: 2.0,
            eps: 0.01,
        })
    }

    /// The exponent p ≥ 0 of mitigation.
    pub const fn mitigation(mut self, p: f64) -> Self {
        self.formula.mitigation = p;
        self
    }

    /// The exponent q ≥ 0 of compensation.
    pub const fn compensation(mut self, q: f64) -> Self {
        self.formula.compensation = q;
        self
    }

    /// The smallest probability of the target that is divided by; positive.
    pub const fn eps(mut self, eps: f64) -> Self {
        self.formula.eps = eps;
        self
    }
}

impl RowLoss for Seesaw {
    const NAME: &'static str = "seesaw_loss";

    #[track_caller]
    fn loss<T: Float>(&self, batch: RowBatch<'_, T>) -> Result<Var<T>> {
        check_exponent(Self::NAME, "mitigation", self.mitigation)?;
        check_exponent(Self::NAME, "compensation", self.compensation)?;
        check_positive(Self::NAME, "eps", self.eps)?;
        batch.each(|logits, classes| {
            let offsets = logits
                .tape()
                .constant(self.offsets(logits.value(), classes)?);
            let rows = [classes.count(), self.counts.len()];
            SoftmaxCrossEntropy::new()
                .reduction(Reduction::None)
                .forward(&logits.add(&offsets)?.reshape(rows)?, &classes.flatten()?)?
                .reshape(classes.shape())
        })
    }
}

impl Seesaw {
    /// `ln(M_tj·K_j)` for each row and class, 0 for the target.
    fn offsets<T: Float>(&self, logits: &Tensor<T>, classes: &Tensor<i64>) -> Result<Tensor<T>> {
        let counts = &self.counts;
        if logits.shape().last() != Some(&counts.len()) {
            return Err(Error::Argument {
                op: Self::NAME,
                argument: "counts",
                expected: format!("one for each class of logits {:?}", logits.shape()),
                found: format!("{counts:?}"),
            });
        }
        let mut offsets = logits.softmax(-1)?.contiguous()?;
        let rows = offsets.make_mut()?.chunks_exact_mut(counts.len());
        for (probabilities, target) in rows.zip(classes.to_vec()?) {
            // The batch has checked that targets are classes.
            let target = target as usize;
            let of_target = probabilities[target].to_f64().max(self.eps);
            for (class, p) in probabilities.iter_mut().enumerate() {
                let rarity = (counts[class] / counts[target]).min(1.0).ln();
                let mistaken = (p.to_f64() / of_target).max(1.0).ln();
                let offset = self.mitigation * rarity + self.compensation * mistaken;
                *p = T::from_f64(if class == target { 0.0 } else { offset });
            }
        }
        Ok(offsets)
    }
}
