//! Equalization loss: cross-entropy in which a rare class is not pressed down by others.

use macula_autograd::Var;
use macula_tensor::{Error, Float, Result, Tensor};

use crate::checks::{check_exponent, of_class};
use crate::cross_entropy::SigmoidCrossEntropy;
use crate::reduction::Reduction;
use crate::sample_weights::check_sample_weights;

const NAME: &str = "equalization_loss";

/// Equalization loss: binary cross-entropy for each class, in which a rare class is not pressed
/// down by the samples of others.
///
/// Element `(i, c)` weighs `1 − E_i·[f_c < λ]·(1 − y_ic)`: 0 where row `i` is a foreground object of
/// another class and class `c`'s frequency `f_c` is below λ, else 1. Default λ = 0.00176, the
/// paper's choice for the data set LVIS.
///
/// # Source
/// Tan, Wang, Li, Li, Ouyang, Yin, Yan, "Equalization loss for long-tailed object recognition",
/// 2020, eq. 6 and 7.
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
    /// Shapes that do not fit, a label that is neither 0 nor 1, a frequency or λ that is negative
    /// or not finite.
    #[track_caller]
    pub fn forward<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        foreground: &Tensor<bool>,
    ) -> Result<Var<T>> {
        let weights = Tensor::full(labels.shape(), T::ONE)?;
        self.forward_weighted(logits, labels, foreground, &weights)
    }

    /// [`forward`](Self::forward) with a weight for each element.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and weights that are negative, not finite or not of the
    /// labels' shape.
    #[track_caller]
    pub fn forward_weighted<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        foreground: &Tensor<bool>,
        weights: &Tensor<T>,
    ) -> Result<Var<T>> {
        check_exponent(NAME, "threshold", self.threshold)?;
        for (class, &frequency) in self.frequencies.iter().enumerate() {
            let checked = check_exponent(NAME, "frequencies", frequency);
            checked.map_err(|error| of_class(error, class))?;
        }
        let classes = self.frequencies.len();
        let fits = matches!(labels.shape(), [rows, c]
            if *c == classes && foreground.shape() == [*rows]);
        if !fits {
            return Err(Error::Shape {
                op: NAME,
                expected: format!(
                    "labels of shape [N, {classes}], one for each frequency, for foreground of \
                     shape {:?}",
                    foreground.shape()
                ),
                found: labels.shape().into(),
            });
        }
        let mut weights = check_sample_weights(NAME, weights, labels.shape())?.to_vec()?;
        let foreground = foreground.to_vec()?;
        for (index, (weight, label)) in weights.iter_mut().zip(labels.to_vec()?).enumerate() {
            let (row, class) = (index / classes, index % classes);
            let is_rare = self.frequencies[class] < self.threshold;
            if foreground[row] && is_rare && label == 0 {
                *weight = T::ZERO;
            }
        }
        let reduction = match self.reduction {
            Reduction::Mean if foreground.is_empty() => Reduction::Sum,
            Reduction::Mean => Reduction::DividedBy(foreground.len() as f64),
            reduction => reduction,
        };
        let weights = Tensor::from_vec(weights, labels.shape())?;
        let loss = SigmoidCrossEntropy::new().reduction(reduction);
        loss.of_labels(NAME, logits, labels, Some(&weights))
    }
}
