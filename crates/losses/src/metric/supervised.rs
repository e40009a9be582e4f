//! Losses of one softmax over all other samples of a batch.
//!
//! Every sample is a negative of the others, so a weight for one would mean nothing: there are none.

use macula_autograd::Var;
use macula_tensor::{Float, Result, Tensor};

use super::{check_embeddings, check_labels, normalized};
use crate::checks::check_positive;
use crate::cross_entropy::SoftmaxCrossEntropy;
use crate::reduction::Reduction;

/// Cosine similarities over the temperature, −∞ for a sample with itself.
fn similarities<T: Float>(embeddings: &Var<T>, temperature: f64) -> Result<Var<T>> {
    let samples = embeddings.shape()[0];
    let unit = normalized(embeddings)?;
    let similarities = unit.matmul(&unit.transpose(0, 1)?)?;
    let itself = Tensor::<i64>::arange(0, samples as i64, 1)?.one_hot::<i64>(samples)?;
    similarities
        .mul_scalar(temperature.recip())?
        .masked_fill(&itself.cast::<bool>()?, f64::NEG_INFINITY)
}

fn check_temperature(op: &'static str, temperature: f64) -> Result<()> {
    check_positive(op, "temperature", temperature)
}

/// Supervised contrastive loss: for each sample `i` with partners `P(i)` of its class,
/// `−1/|P(i)| · Σ_{p ∈ P(i)} ln(e^{z_i·z_p/τ} / Σ_{a≠i} e^{z_i·z_a/τ})`, averaged over the samples
/// that have partners.
///
/// Embeddings are normalised to length 1. It is cross-entropy with soft targets on similarities,
/// and computed as that. Default τ = 0.1. Every sample is compared with every other, so an embedding
/// that is not finite makes the loss NaN.
///
/// # Source
/// Khosla, Teterwak, Wang, Sarna, Tian, Isola, Maschinot, Liu, Krishnan, "Supervised contrastive
/// learning", 2020, eq. 2 (the sum outside of the logarithm). The mean over the samples, where the
/// paper has a sum, is that of the authors' code; its τ is 0.07 by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SupervisedContrastiveLoss {
    temperature: f64,
}

impl SupervisedContrastiveLoss {
    /// τ = 0.1.
    pub const fn new() -> Self {
        Self { temperature: 0.1 }
    }

    /// The temperature τ > 0.
    pub const fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = temperature;
        self
    }

    /// The loss of embeddings `[N, D]` and labels `[N]`; 0 where no sample has a partner.
    ///
    /// # Errors
    /// Shapes that do not match, τ not positive.
    #[track_caller]
    pub fn forward<T: Float>(&self, embeddings: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        let op = "supervised_contrastive_loss";
        check_temperature(op, self.temperature)?;
        let samples = check_embeddings(op, embeddings)?;
        let labels = check_labels(op, samples, labels)?;
        if samples == 0 {
            return embeddings.sum(..);
        }
        let partners = |i: usize| {
            let labels = &labels;
            (0..samples).filter(move |&j| j != i && labels[i] == labels[j])
        };
        let mut anchors = 0;
        let mut shares = vec![T::ZERO; samples * samples];
        for i in 0..samples {
            let count = partners(i).count();
            anchors += usize::from(count > 0);
            for j in partners(i) {
                shares[i * samples + j] = T::from_f64((count as f64).recip());
            }
        }
        let shares = Tensor::from_vec(shares, [samples, samples])?;
        SoftmaxCrossEntropy::new()
            .reduction(Reduction::DividedBy(anchors.max(1) as f64))
            .forward_soft(&similarities(embeddings, self.temperature)?, &shares)
    }
}

impl Default for SupervisedContrastiveLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// NT-Xent: each of `2N` views has to find its partner among all others,
/// `−ln(e^{z_i·z_p/τ} / Σ_{a≠i} e^{z_i·z_a/τ})`, averaged over the views.
///
/// The contrastive loss of SimCLR, without labels. Default τ = 0.5. Embeddings are normalised to
/// length 1; one that is not finite makes the loss NaN, as every view is compared with every other.
///
/// # Source
/// Chen, Kornblith, Norouzi, Hinton, "A simple framework for contrastive learning of visual
/// representations", 2020, eq. 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NtXentLoss {
    temperature: f64,
}

impl NtXentLoss {
    /// τ = 0.5.
    pub const fn new() -> Self {
        Self { temperature: 0.5 }
    }

    /// The temperature τ > 0.
    pub const fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = temperature;
        self
    }

    /// The loss of embeddings `[2N, D]`: row `i` and row `N + i` are two views of one sample.
    ///
    /// # Errors
    /// An odd number of rows, τ not positive.
    #[track_caller]
    pub fn forward<T: Float>(&self, embeddings: &Var<T>) -> Result<Var<T>> {
        let op = "nt_xent_loss";
        check_temperature(op, self.temperature)?;
        let views = check_embeddings(op, embeddings)?;
        let samples = views / 2;
        if views != 2 * samples {
            return Err(macula_tensor::Error::Shape {
                op,
                expected: "an even number of rows, two views of each sample".into(),
                found: embeddings.shape().into(),
            });
        }
        if samples == 0 {
            return embeddings.sum(..);
        }
        let partner = |view: usize| ((view + samples) % views) as i64;
        let partners: Vec<i64> = (0..views).map(partner).collect();
        SoftmaxCrossEntropy::new().forward(
            &similarities(embeddings, self.temperature)?,
            &Tensor::from(partners),
        )
    }
}

impl Default for NtXentLoss {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use macula_autograd::{Tape, check_gradients};

    use super::*;

    fn embeddings() -> Tensor<f64> {
        Tensor::from([
            [0.3, 0.1],
            [1.0, -0.3],
            [0.4, 0.9],
            [1.3, 1.1],
            [-0.6, 0.2],
            [0.1, -0.8],
        ])
    }

    #[test]
    fn supervised_contrastive_with_one_partner_each_is_nt_xent() -> Result<()> {
        let x = Tape::new().var(embeddings());
        let labels = Tensor::from([0_i64, 1, 2, 0, 1, 2]);
        let supervised = SupervisedContrastiveLoss::new().temperature(0.5);
        let supervised = supervised.forward(&x, &labels)?.item()?;
        let unsupervised = NtXentLoss::new().forward(&x)?.item()?;
        approx::assert_relative_eq!(supervised, unsupervised, max_relative = 1e-12);
        Ok(())
    }

    #[test]
    fn the_loss_is_that_of_the_definition() -> Result<()> {
        let rows: Vec<f64> = embeddings().to_vec()?;
        let labels = [0, 1, 0, 0, 1, 2];
        let unit = |i: usize| {
            let (x, y) = (rows[2 * i], rows[2 * i + 1]);
            [x / x.hypot(y), y / x.hypot(y)]
        };
        let similarity = |i, j| (unit(i)[0] * unit(j)[0] + unit(i)[1] * unit(j)[1]) / 0.1;
        let (mut total, mut anchors) = (0.0, 0);
        for i in 0..6 {
            let sum: f64 = (0..6)
                .filter(|&a| a != i)
                .map(|a| f64::exp(similarity(i, a)))
                .sum();
            let partners = (0..6).filter(|&p| p != i && labels[p] == labels[i]);
            let terms: Vec<f64> = partners.map(|p| sum.ln() - similarity(i, p)).collect();
            if !terms.is_empty() {
                anchors += 1;
                total += terms.iter().sum::<f64>() / terms.len() as f64;
            }
        }
        let x = Tape::new().var(embeddings());
        let loss = SupervisedContrastiveLoss::new().forward(&x, &Tensor::from(labels))?;
        approx::assert_relative_eq!(loss.item()?, total / anchors as f64, max_relative = 1e-12);
        Ok(())
    }

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        let labels = Tensor::from([0_i64, 1, 0, 0, 1, 2]);
        check_gradients("supervised_contrastive_loss", &[embeddings()], |inputs| {
            SupervisedContrastiveLoss::new()
                .temperature(0.7)
                .forward(&inputs[0], &labels)
        })?;
        check_gradients("nt_xent_loss", &[embeddings()], |inputs| {
            NtXentLoss::new().forward(&inputs[0])
        })
    }

    #[test]
    fn without_partners_the_loss_is_0() -> Result<()> {
        let x = Tape::new().var(embeddings());
        let labels = Tensor::from([0_i64, 1, 2, 3, 4, 5]);
        let loss = SupervisedContrastiveLoss::new().forward(&x, &labels)?;
        assert_eq!(loss.item()?, 0.0);
        Ok(())
    }
}
