//! GHM-C: cross-entropy in which each element weighs as much as its gradient is rare.

use std::collections::BTreeMap;

use macula_autograd::Var;
use macula_tensor::{Error, Float, Result, Tensor};

use crate::cross_entropy::SigmoidCrossEntropy;
use crate::reduction::Reduction;
use crate::sample_weights::check_sample_weights;

/// Gradient-harmonised classification, GHM-C: binary cross-entropy in which each element weighs as
/// much as its gradient is rare.
///
/// Elements are put into equal bins of `g = |p − y|`, the size of their gradient. An element weighs
/// `n / (n_bin · bins that are not empty)`, `n` the number of elements: very easy ones, of which
/// there are many, count little, and so do the outliers that focal loss dwells on. Weights are
/// constants for the gradient. Default 10 bins.
///
/// # Source
/// Li, Liu, Wang, "Gradient harmonized single-stage detector", 2019. Bins that are empty are left
/// out as in the authors' code; its moving average over batches, off by default, is not offered.
#[derive(Clone, Debug, PartialEq)]
pub struct GhmLoss {
    bins: usize,
    ignore: Option<i64>,
    reduction: Reduction,
}

impl GhmLoss {
    /// 10 bins, the mean over the elements.
    pub const fn new() -> Self {
        Self {
            bins: 10,
            ignore: None,
            reduction: Reduction::Mean,
        }
    }

    /// The number of bins, at least 1.
    pub const fn bins(mut self, bins: usize) -> Self {
        self.bins = bins;
        self
    }

    /// A label to pass over; its elements are in no bin.
    pub const fn ignore_index(mut self, label: i64) -> Self {
        self.ignore = Some(label);
        self
    }

    /// How the losses of the elements become one number.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// The loss of logits and labels 0 and 1 of one shape.
    ///
    /// # Errors
    /// No bins, shapes that differ, a label that is neither 0, 1 nor the ignored one.
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        self.of_weights(logits, labels, None)
    }

    /// [`forward`](Self::forward) with a weight for each element, which also counts in its bin: a
    /// weight of 2 is the same as the element twice.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and weights that are negative, not finite or not of the
    /// labels' shape.
    #[track_caller]
    pub fn forward_weighted<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: &Tensor<T>,
    ) -> Result<Var<T>> {
        self.of_weights(logits, labels, Some(weights))
    }

    #[track_caller]
    fn of_weights<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        let op = "ghm_loss";
        if self.bins == 0 {
            return Err(Error::Argument {
                op,
                argument: "bins",
                expected: "at least 1".into(),
                found: "0".into(),
            });
        }
        let mut loss = SigmoidCrossEntropy::new().reduction(self.reduction);
        if let Some(label) = self.ignore {
            loss = loss.ignore_index(label);
        }
        if logits.value().count() != labels.count() {
            // The loss names the two shapes.
            return loss.of_labels(op, logits, labels, None);
        }
        let weights = match weights {
            Some(weights) => check_sample_weights(op, weights, labels.shape())?.to_vec()?,
            None => vec![T::ONE; labels.count()],
        };
        let weights = self.harmonised(logits.value(), labels, weights)?;
        let weights = Tensor::from_vec(weights, labels.shape())?;
        loss.of_labels(op, logits, labels, Some(&weights))
    }

    /// The weights times how rare the gradients are.
    fn harmonised<T: Float>(
        &self,
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
        mut weights: Vec<T>,
    ) -> Result<Vec<T>> {
        let bin = |(p, y): (T, i64)| {
            let distance = (p.to_f64() - y as f64).abs();
            let bin = ((distance * self.bins as f64) as usize).min(self.bins - 1);
            // A logit that is NaN is in no bin, so that it does not touch the other losses.
            (Some(y) != self.ignore && !distance.is_nan()).then_some(bin)
        };
        let probabilities = logits.sigmoid()?.to_vec()?.into_iter();
        let bins: Vec<Option<usize>> = probabilities.zip(labels.to_vec()?).map(bin).collect();
        let mut weight_of = BTreeMap::new();
        let mut total = 0.0;
        for (bin, weight) in bins.iter().zip(&weights) {
            if let (Some(bin), true) = (bin, *weight > T::ZERO) {
                *weight_of.entry(*bin).or_insert(0.0) += weight.to_f64();
                total += weight.to_f64();
            }
        }
        let occupied = weight_of.len() as f64;
        for (bin, weight) in bins.iter().zip(&mut weights) {
            if let Some(of_bin) = bin.and_then(|bin| weight_of.get(&bin)) {
                *weight = *weight * T::from_f64(total / (of_bin * occupied));
            }
        }
        Ok(weights)
    }
}

impl Default for GhmLoss {
    fn default() -> Self {
        Self::new()
    }
}
