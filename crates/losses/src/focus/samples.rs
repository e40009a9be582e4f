//! The samples of a report: what is known of each, from the logits and the targets.

use macula_autograd::{Tape, Var};
use macula_tensor::{Device, Error, Float, Result, Tensor};

use super::FocusReport;
use crate::cross_entropy::{SigmoidCrossEntropy, SoftmaxCrossEntropy};
use crate::formula::{ElementLoss, MarginLoss};
use crate::reduction::Reduction;
use crate::row_loss::RowLoss;
use crate::sigmoid_loss::SigmoidLoss;
use crate::softmax::classes_last;
use crate::softmax_loss::SoftmaxLoss;

/// What is known of a sample.
pub(super) struct Sample {
    pub(super) class: usize,
    /// How far the logits are from the target.
    pub(super) difficulty: f64,
    pub(super) loss: f64,
    /// The norm of the gradient to the logits.
    pub(super) gradient: f64,
}

/// The samples of a batch as numbers, in the row-major order of the targets.
struct Batch<T: Float> {
    losses: Tensor<T>,
    /// The gradients to the logits, those of a sample side by side.
    gradients: Tensor<T>,
    cross_entropy: Tensor<T>,
}

/// What the target of a sample says.
struct Target {
    /// None where the sample is passed over.
    class: Option<usize>,
    entropy: f64,
}

impl Target {
    fn of_label(label: i64, ignore: Option<i64>) -> Self {
        let class = usize::try_from(label).ok();
        Self {
            class: class.filter(|_| Some(label) != ignore),
            entropy: 0.0,
        }
    }

    /// The class with the largest share, the first of several.
    fn of_shares(shares: impl Iterator<Item = f64> + Clone) -> Self {
        let sum: f64 = shares.clone().sum();
        let (mut class, mut largest, mut entropy) = (0, 0.0, 0.0);
        for (index, share) in shares.enumerate() {
            if share > largest {
                (class, largest) = (index, share);
            }
            if share > 0.0 {
                entropy -= share * (share / sum).ln();
            }
        }
        Self {
            class: Some(class),
            entropy,
        }
    }
}

impl<T: Float> Batch<T> {
    /// Of logits whose losses and whose cross-entropy, one for each sample, are given.
    fn of(
        logits: &Tensor<T>,
        losses: impl FnOnce(&Var<T>) -> Result<Var<T>>,
        cross_entropy: impl FnOnce(&Var<T>) -> Result<Var<T>>,
    ) -> Result<Self> {
        let x = Tape::new().var(logits.clone());
        let losses = losses(&x)?;
        let gradients = losses.sum(..)?.backward()?.of(&x)?.clone();
        let without_gradient = Tape::inference().constant(logits);
        Ok(Self {
            losses: losses.into_value(),
            gradients,
            cross_entropy: cross_entropy(&without_gradient)?.into_value(),
        })
    }

    /// The same for gradients `[N, C, …]`.
    fn of_rows(self) -> Result<Self> {
        let gradients = classes_last(&self.gradients)?;
        Ok(Self { gradients, ..self })
    }

    /// # Errors
    /// Losses and gradients must be finite: of an infinite sum no part is a share.
    fn report(
        self,
        op: &'static str,
        classes: usize,
        targets: impl Iterator<Item = Target>,
        weights: Option<&Tensor<T>>,
    ) -> Result<FocusReport> {
        let losses = self.losses.to_vec()?;
        let cross_entropy = self.cross_entropy.to_vec()?;
        let weights = weights.map(Tensor::to_vec).transpose()?;
        let gradients = self.gradients.contiguous()?;
        let gradients = gradients.as_slice().unwrap_or_default();
        let width = gradients.len() / losses.len().max(1);
        let mut samples = Vec::with_capacity(losses.len());
        for (row, target) in targets.enumerate() {
            let absent = weights.as_ref().is_some_and(|w| w[row] == T::ZERO);
            let Some(class) = target.class.filter(|_| !absent) else {
                continue;
            };
            let sample = Sample {
                class,
                difficulty: cross_entropy[row].to_f64() - target.entropy,
                loss: losses[row].to_f64(),
                gradient: norm(&gradients[row * width..][..width]),
            };
            sample.check(op, row)?;
            samples.push(sample);
        }
        Ok(FocusReport::of(classes, samples))
    }
}

impl Sample {
    fn check(&self, op: &'static str, row: usize) -> Result<()> {
        // An infinite difficulty has a place, before all others, but only if its loss has a share.
        let numbers = [
            ("loss", self.loss, self.loss.is_finite()),
            ("gradient", self.gradient, self.gradient.is_finite()),
            ("difficulty", self.difficulty, !self.difficulty.is_nan()),
        ];
        match numbers.into_iter().find(|(_, _, good)| !good) {
            None => Ok(()),
            Some((what, value, _)) => Err(Error::NotFinite {
                op,
                what: format!("the {what} of sample {row}"),
                value,
            }),
        }
    }
}

fn norm<T: Float>(gradient: &[T]) -> f64 {
    let numbers = gradient.iter().map(|g| g.to_f64());
    let squares: f64 = numbers.clone().map(|g| g * g).sum();
    match squares.is_normal() {
        true => squares.sqrt(),
        // Squares that leave the range of numbers, or nothing but zeros.
        false => numbers.fold(0.0, f64::hypot),
    }
}

impl<F: ElementLoss> SigmoidLoss<F> {
    /// Where this loss looks, for logits and labels 0 and 1; shapes as in
    /// [`forward`](Self::forward).
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and a sample whose loss or gradient is not finite, or whose
    /// logit is NaN (with its place).
    pub fn focus<T: Float>(&self, logits: &Tensor<T>, labels: &Tensor<i64>) -> Result<FocusReport> {
        self.focus_on_labels(logits, labels, None)
    }

    /// [`focus`](Self::focus) with a weight for each element.
    ///
    /// # Errors
    /// As [`focus`](Self::focus) and [`forward_weighted`](Self::forward_weighted).
    pub fn focus_weighted<T: Float>(
        &self,
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
        weights: &Tensor<T>,
    ) -> Result<FocusReport> {
        self.focus_on_labels(logits, labels, Some(weights))
    }

    /// [`focus`](Self::focus) for targets from 0 to 1.
    ///
    /// An element is of class 1 if its target is above ½. For a loss whose formula says itself what
    /// a target means, such as [`QualityFocalLoss`](crate::QualityFocalLoss), it is of class 1 if
    /// [`MeanOverPositives`](Reduction::MeanOverPositives) counts it: above 0, and for
    /// [`GaussianFocalLoss`](crate::GaussianFocalLoss) at 1.
    ///
    /// # Errors
    /// As [`focus`](Self::focus) and [`forward_soft`](Self::forward_soft).
    pub fn focus_soft<T: Float>(
        &self,
        logits: &Tensor<T>,
        targets: &Tensor<T>,
    ) -> Result<FocusReport> {
        self.focus_on_soft(logits, targets, None)
    }

    /// [`focus_soft`](Self::focus_soft) with a weight for each element.
    ///
    /// # Errors
    /// As [`focus_soft`](Self::focus_soft) and
    /// [`forward_soft_weighted`](Self::forward_soft_weighted).
    pub fn focus_soft_weighted<T: Float>(
        &self,
        logits: &Tensor<T>,
        targets: &Tensor<T>,
        weights: &Tensor<T>,
    ) -> Result<FocusReport> {
        self.focus_on_soft(logits, targets, Some(weights))
    }

    fn focus_on_labels<T: Float>(
        &self,
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
        weights: Option<&Tensor<T>>,
    ) -> Result<FocusReport> {
        let each = self.clone().reduction(Reduction::None);
        let mut plain = SigmoidCrossEntropy::new().reduction(Reduction::None);
        plain.ignore = self.ignore;
        let losses = |x: &Var<T>| each.of_labels(F::NAME, x, labels, weights);
        let batch = Batch::of(logits, losses, |x| plain.forward(x, labels))?;
        let targets = labels.to_vec()?.into_iter();
        let targets = targets.map(|y| Target::of_label(y, self.ignore));
        batch.report(F::NAME, 2, targets, weights)
    }

    fn focus_on_soft<T: Float>(
        &self,
        logits: &Tensor<T>,
        targets: &Tensor<T>,
        weights: Option<&Tensor<T>>,
    ) -> Result<FocusReport> {
        let each = self.clone().reduction(Reduction::None);
        let plain = SigmoidCrossEntropy::new().reduction(Reduction::None);
        let losses = |x: &Var<T>| each.of_soft(x, targets, weights);
        let batch = Batch::of(logits, losses, |x| plain.forward_soft(x, targets))?;
        let target = |y: T| {
            let y = y.to_f64();
            let mut target = Target::of_shares([1.0 - y, y].into_iter());
            if !F::MIXES {
                target.class = Some(usize::from(y >= F::POSITIVE));
            }
            target
        };
        let targets = targets.to_vec()?.into_iter().map(target);
        batch.report(F::NAME, 2, targets, weights)
    }
}

impl<F: RowLoss> SoftmaxLoss<F> {
    /// Where this loss looks, for logits and class labels; shapes as in [`forward`](Self::forward),
    /// with pixels or without.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and a sample whose loss or gradient is not finite, or whose
    /// logits are NaN (with its row; pixels are counted in row-major order).
    pub fn focus<T: Float>(&self, logits: &Tensor<T>, labels: &Tensor<i64>) -> Result<FocusReport> {
        self.focus_on_labels(logits, labels, None)
    }

    /// [`focus`](Self::focus) with a weight for each row.
    ///
    /// # Errors
    /// As [`focus`](Self::focus) and [`forward_weighted`](Self::forward_weighted).
    pub fn focus_weighted<T: Float>(
        &self,
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
        weights: &Tensor<T>,
    ) -> Result<FocusReport> {
        self.focus_on_labels(logits, labels, Some(weights))
    }

    fn focus_on_labels<T: Float>(
        &self,
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
        weights: Option<&Tensor<T>>,
    ) -> Result<FocusReport> {
        let each = self.clone().reduction(Reduction::None);
        let ignore = self.options.ignore;
        let mut plain = SoftmaxCrossEntropy::new().reduction(Reduction::None);
        plain.options.ignore = ignore;
        let losses = |x: &Var<T>| each.of_labels(x, labels, weights);
        let batch = Batch::of(logits, losses, |x| plain.forward(x, labels))?;
        let targets = labels.to_vec()?.into_iter();
        let targets = targets.map(|y| Target::of_label(y, ignore));
        let classes = logits.shape()[1];
        batch.of_rows()?.report(F::NAME, classes, targets, weights)
    }
}

impl<F: MarginLoss> SoftmaxLoss<F> {
    /// [`focus`](Self::focus) for a share of each class; shapes as in
    /// [`forward_soft`](Self::forward_soft).
    ///
    /// A row is of the class with the largest share, the first of several.
    ///
    /// # Errors
    /// As [`focus`](Self::focus) and [`forward_soft`](Self::forward_soft).
    pub fn focus_soft<T: Float>(
        &self,
        logits: &Tensor<T>,
        targets: &Tensor<T>,
    ) -> Result<FocusReport> {
        self.focus_on_soft(logits, targets, None)
    }

    /// [`focus_soft`](Self::focus_soft) with a weight for each row.
    ///
    /// # Errors
    /// As [`focus_soft`](Self::focus_soft) and
    /// [`forward_soft_weighted`](Self::forward_soft_weighted).
    pub fn focus_soft_weighted<T: Float>(
        &self,
        logits: &Tensor<T>,
        targets: &Tensor<T>,
        weights: &Tensor<T>,
    ) -> Result<FocusReport> {
        self.focus_on_soft(logits, targets, Some(weights))
    }

    fn focus_on_soft<T: Float>(
        &self,
        logits: &Tensor<T>,
        targets: &Tensor<T>,
        weights: Option<&Tensor<T>>,
    ) -> Result<FocusReport> {
        let each = self.clone().reduction(Reduction::None);
        let plain = SoftmaxCrossEntropy::new().reduction(Reduction::None);
        let losses = |x: &Var<T>| each.of_shares(x, targets, weights);
        let batch = Batch::of(logits, losses, |x| plain.forward_soft(x, targets))?;
        let shares = classes_last(&targets.to(&Device::Cpu)?)?.contiguous()?;
        let classes = logits.shape()[1];
        let rows = shares.as_slice().unwrap_or_default().chunks_exact(classes);
        let targets = rows.map(|row| Target::of_shares(row.iter().map(|y| y.to_f64())));
        let op = <F as MarginLoss>::NAME;
        batch.of_rows()?.report(op, classes, targets, weights)
    }
}
