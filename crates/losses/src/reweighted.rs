//! Cross-entropy with weights that come from the batch: GHM-C, seesaw, equalization.

use macula_autograd::Var;
use macula_tensor::{Error, Float, Result, Tensor};

use crate::class_counts::ClassCounts;
use crate::cross_entropy::{LogLoss, SigmoidCrossEntropy, SoftmaxCrossEntropy};
use crate::formula::{check_exponent, check_parameter};
use crate::reduction::Reduction;
use crate::softmax::{classes_last_axes, classes_second};
use crate::softmax_loss::SoftmaxLoss;

/// Gradient-harmonised classification, GHM-C: binary cross-entropy in which each element weighs as
/// much as its gradient is rare.
///
/// Elements are put into equal bins of `g = |p − y|`, the size of their gradient. An element weighs
/// `n / (n_bin · bins that are not empty)`, `n` the number of elements: very easy ones, of which
/// there are many, count little, and so do the outliers that focal loss dwells on. Weights are
/// constants for the gradient. Default 10 bins.
///
/// # Source
/// Li, Liu, Wang, "Gradient harmonized single-stage detector", 2019, eq. 8 and 9, without the
/// moving average over batches.
#[derive(Clone, Debug, PartialEq)]
pub struct GhmLoss {
    bins: usize,
    reduction: Reduction,
}

impl GhmLoss {
    /// 10 bins, the mean over the elements.
    pub const fn new() -> Self {
        Self {
            bins: 10,
            reduction: Reduction::Mean,
        }
    }

    /// The number of bins, at least 1.
    pub const fn bins(mut self, bins: usize) -> Self {
        self.bins = bins;
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
    /// No bins, shapes that differ, a label that is neither 0 nor 1.
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        let op = "ghm_loss";
        if self.bins == 0 {
            return Err(Error::Argument {
                op,
                argument: "bins",
                expected: "at least 1".into(),
                found: "0".into(),
            });
        }
        let probabilities = logits.value().sigmoid()?.to_vec()?;
        let labels_in_order = labels.to_vec()?;
        let bin = |(p, &y): (&T, &i64)| {
            let distance = (p.to_f64() - y as f64).abs();
            ((distance * self.bins as f64) as usize).min(self.bins - 1)
        };
        let bins: Vec<usize> = probabilities
            .iter()
            .zip(&labels_in_order)
            .map(bin)
            .collect();
        let mut counts = vec![0_usize; self.bins];
        bins.iter().for_each(|&bin| counts[bin] += 1);
        let occupied = counts.iter().filter(|&&count| count > 0).count();
        let weight = |&bin: &usize| {
            let share = bins.len() as f64 / (counts[bin] * occupied) as f64;
            T::from_f64(share)
        };
        let weights: Vec<T> = bins.iter().map(weight).collect();
        let loss = SigmoidCrossEntropy::new().reduction(self.reduction);
        if weights.len() != labels.count() {
            // The loss names the two shapes.
            return loss.forward(logits, labels);
        }
        let weights = Tensor::from_vec(weights, labels.shape())?;
        loss.forward_weighted(logits, labels, &weights)
    }
}

impl Default for GhmLoss {
    fn default() -> Self {
        Self::new()
    }
}

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
/// segmentation", 2021, eq. 3 to 7.
pub type SeesawLoss = SoftmaxLoss<Seesaw>;

impl SeesawLoss {
    /// The counts of the classes so far, p = 0.8, q = 2, eps = 0.01, the mean over the rows.
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

    /// The loss of logits `[N, C, …]` and class labels `[N, …]`.
    ///
    /// # Errors
    /// Shapes that do not match, counts that are not as many as classes, a label outside the
    /// classes (with its row), exponents that are negative or not finite.
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        let op = "seesaw_loss";
        self.refuse_margin_options(op)?;
        let Seesaw {
            counts,
            mitigation,
            compensation,
            eps,
        } = &self.formula;
        check_exponent(op, "mitigation", *mitigation)?;
        check_exponent(op, "compensation", *compensation)?;
        check_parameter(op, "eps", *eps, *eps > 0.0, "positive")?;
        let mut loss = SoftmaxCrossEntropy::of(LogLoss).reduction(self.reduction);
        loss.rows = self.rows.clone();
        let classes = logits.shape().get(1).copied().unwrap_or_default();
        if logits.rank() < 2 || classes == 0 {
            return loss.forward(logits, labels);
        }
        if counts.len() != classes {
            return Err(Error::Argument {
                op,
                argument: "counts",
                expected: format!("{classes} numbers"),
                found: format!("{counts:?}"),
            });
        }
        let by_row = logits.value().permute(classes_last_axes(logits.rank()))?;
        let mut offsets = by_row.softmax(-1)?.contiguous()?;
        let rows = offsets.make_mut()?.chunks_exact_mut(classes);
        for (probabilities, label) in rows.zip(labels.to_vec()?) {
            // Labels that are no class are reported below, or ignored.
            let target = usize::try_from(label).unwrap_or(0).min(classes - 1);
            let of_target = probabilities[target].to_f64().max(*eps);
            for (class, p) in probabilities.iter_mut().enumerate() {
                let rarity = (counts[class] / counts[target]).min(1.0).ln();
                let mistaken = (p.to_f64() / of_target).max(1.0).ln();
                let offset = mitigation * rarity + compensation * mistaken;
                *p = T::from_f64(if class == target { 0.0 } else { offset });
            }
        }
        let offsets = classes_second(&offsets)?;
        loss.forward(&logits.add(&logits.tape().constant(offsets))?, labels)
    }
}

/// Equalization loss: binary cross-entropy for each class, in which a rare class is not pressed
/// down by the samples of others.
///
/// Element `(i, c)` weighs `1 − E_i·[f_c < λ]·(1 − y_ic)`: 0 where row `i` is a foreground object of
/// another class and class `c`'s frequency `f_c` is below λ, else 1. Default λ = 0.00176.
///
/// # Source
/// Tan, Wang, Li, Li, Ouyang, Yin, Yan, "Equalization loss for long-tailed object recognition",
/// 2020, eq. 3 and 4.
#[derive(Clone, Debug, PartialEq)]
pub struct EqualizationLoss {
    frequencies: Vec<f64>,
    threshold: f64,
    reduction: Reduction,
}

impl EqualizationLoss {
    /// The share of images that each class occurs in; λ = 0.00176, the mean over the rows.
    pub fn new(frequencies: impl Into<Vec<f64>>) -> Self {
        Self {
            frequencies: frequencies.into(),
            threshold: 0.00176,
            reduction: Reduction::Mean,
        }
    }

    /// The frequency λ below which a class is rare.
    pub const fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// How the losses of the elements become one number; `Mean` divides by the number of rows.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// The loss of logits `[N, C]`, labels 0 and 1 `[N, C]`, and for each row whether it is a
    /// foreground object.
    ///
    /// # Errors
    /// Shapes that do not fit, a label that is neither 0 nor 1.
    #[track_caller]
    pub fn forward<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        foreground: &Tensor<bool>,
    ) -> Result<Var<T>> {
        let classes = self.frequencies.len();
        let fits = matches!(labels.shape(), [rows, c]
            if *c == classes && foreground.shape() == [*rows]);
        if !fits {
            return Err(Error::Shape {
                op: "equalization_loss",
                expected: format!(
                    "labels of shape [N, {classes}], one for each frequency, for foreground of \
                     shape {:?}",
                    foreground.shape()
                ),
                found: labels.shape().into(),
            });
        }
        let foreground = foreground.to_vec()?;
        let weight = |(index, &label): (usize, &i64)| {
            let (row, class) = (index / classes, index % classes);
            let is_rare = self.frequencies[class] < self.threshold;
            let excused = foreground[row] && is_rare && label == 0;
            if excused { T::ZERO } else { T::ONE }
        };
        let weights = labels.to_vec()?.iter().enumerate().map(weight).collect();
        let weights = Tensor::from_vec(weights, labels.shape())?;
        let reduction = match self.reduction {
            Reduction::Mean if foreground.is_empty() => Reduction::Sum,
            Reduction::Mean => Reduction::DividedBy(foreground.len() as f64),
            reduction => reduction,
        };
        let loss = SigmoidCrossEntropy::new().reduction(reduction);
        loss.forward_weighted(logits, labels, &weights)
    }
}
