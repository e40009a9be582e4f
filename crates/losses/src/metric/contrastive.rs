//! Contrastive loss: pairs that are the same or not.

use macula_autograd::Var;
use macula_tensor::{Float, Result, Tensor};

use super::{check_embeddings, distances, squared_distances};
use crate::checks::{check_exponent, check_shape};
use crate::reduction::Reduction;
use crate::sample_weights::SampleWeights;

/// Contrastive loss of pairs at distance `d`: `½·d²` for a pair of one class, `½·max(m − d, 0)²` for
/// two classes.
///
/// Pulls one class together and pushes two apart until they are `m` from each other. Default
/// m = 1. `MeanOverPositives` divides by the number of pairs of one class.
///
/// # Gradient
/// Where two embeddings of different classes coincide there is no direction to push, and the
/// gradient is 0.
///
/// # Source
/// Hadsell, Chopra, LeCun, "Dimensionality reduction by learning an invariant mapping", 2006,
/// section 2.1.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::ContrastiveLoss;
/// use macula_tensor::Tensor;
///
/// let tape = Tape::new();
/// let left = tape.var(Tensor::from([[0.0_f32, 0.0], [0.0, 0.0]]));
/// let right = tape.var(Tensor::from([[3.0_f32, 4.0], [0.0, 0.5]]));
/// let same = Tensor::from([true, false]);
/// let loss = ContrastiveLoss::new().forward(&left, &right, &same)?;
/// // (½·25 + ½·0.5²) / 2
/// assert_eq!(loss.item()?, 6.3125);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContrastiveLoss {
    margin: f64,
    reduction: Reduction,
}

impl ContrastiveLoss {
    /// m = 1, the mean over the pairs.
    pub const fn new() -> Self {
        Self {
            margin: 1.0,
            reduction: Reduction::Mean,
        }
    }

    /// The distance m ≥ 0 that two classes should keep.
    pub const fn margin(mut self, margin: f64) -> Self {
        self.margin = margin;
        self
    }

    /// How the losses of the pairs become one number.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// The loss of `N` pairs: their embeddings `left` and `right`, each `[N, D]`, and `same`, `[N]`,
    /// whether both are of one class.
    ///
    /// # Errors
    /// Shapes that do not match, m negative or not finite.
    #[track_caller]
    pub fn forward<T: Float>(
        &self,
        left: &Var<T>,
        right: &Var<T>,
        same: &Tensor<bool>,
    ) -> Result<Var<T>> {
        self.weighted([left, right], same, None)
    }

    /// [`forward`](Self::forward) with a weight for each pair.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and weights that are negative, not finite or not `[N]`.
    #[track_caller]
    pub fn forward_weighted<T: Float>(
        &self,
        left: &Var<T>,
        right: &Var<T>,
        same: &Tensor<bool>,
        weights: &Tensor<T>,
    ) -> Result<Var<T>> {
        self.weighted([left, right], same, Some(weights))
    }

    #[track_caller]
    fn weighted<T: Float>(
        &self,
        [left, right]: [&Var<T>; 2],
        same: &Tensor<bool>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        let op = "contrastive_loss";
        check_exponent(op, "margin", self.margin)?;
        let pairs = check_embeddings(op, left)?;
        check_shape(op, "embeddings", left.shape(), right.shape())?;
        check_shape(op, "truth values of the pairs", &[pairs], same.shape())?;
        let weights = SampleWeights::new(op, weights, same.shape())?;
        let (left, right) = (weights.replace(left, 0.0)?, weights.replace(right, 0.0)?);
        let gap = distances(&left, &right)?.neg()?.add_scalar(self.margin)?;
        let apart = gap.relu()?.square()?.masked_fill(same, 0.0)?;
        // Not the square of the distance, which has no slope of second order where it is 0.
        let squares = squared_distances(&left, &right)?;
        let together = squares.masked_fill(&same.not()?, 0.0)?;
        let losses = together.add(&apart)?.mul_scalar(0.5)?;
        weights.reduce(self.reduction, &losses, || {
            Ok(same.to_vec()?.into_iter().filter(|&same| same).count())
        })
    }
}

impl Default for ContrastiveLoss {
    fn default() -> Self {
        Self::new()
    }
}
