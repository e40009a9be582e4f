//! What happens to the losses of the elements: a written contract.

use macula_autograd::Var;
use macula_tensor::{Float, Result};

use crate::checks::check_parameter;

/// How the losses of the elements become one number.
///
/// An element is one logit of a sigmoid loss, one row or pixel of a softmax loss, and elsewhere one
/// region, difference, pair or triplet. With `ℓᵢ` the loss of element `i` before weighting and `wᵢ`
/// its weight (α, class weight and sample weight multiplied), every reduction but `None` gives
/// `Σ wᵢ·ℓᵢ` divided by:
///
/// | reduction | divisor |
/// | --- | --- |
/// | `Sum` | 1 |
/// | `Mean` | the number of elements that are not ignored |
/// | `WeightedMean` | `Σ wᵢ` over them; PyTorch's mean of a class-weighted cross-entropy |
/// | `MeanOverPositives` | the number of positives, at least 1 |
/// | `DividedBy(n)` | `n` |
///
/// Ignored elements count in no divisor, contribute exactly 0, and get a gradient of exactly 0,
/// even where their logits are not finite. A weight of 0 does the same, but that the element counts
/// in the divisors that are numbers. A batch in which nothing counts (empty, all ignored or all of
/// weight 0) has loss 0 and gradient 0.
///
/// A divisor whose reciprocal the precision of the loss does not hold, below 2.9·10⁻³⁹ in `f32`, is
/// an error.
///
/// `Sum` and `DividedBy` are additive: the losses of two halves of a batch add up to the loss of
/// the whole. `DividedBy` with the global count is what gradient accumulation and training on
/// several machines need; the mean of the halves' means is not the mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Reduction {
    /// No reduction: the weighted loss of each element.
    None,
    /// The sum.
    Sum,
    /// The sum over the number of elements.
    #[default]
    Mean,
    /// The sum over the sum of the weights.
    WeightedMean,
    /// The sum over the number of positives: the focal-loss paper's choice for detectors, where
    /// nearly all of 100 000 anchors are easy negatives and dividing by their number would leave
    /// nothing of the loss. A positive is an element of class 1 for a sigmoid loss, of any class
    /// but 0, the background, for a softmax loss.
    MeanOverPositives,
    /// The sum over a number of your choice.
    DividedBy(f64),
}

/// What a pass over the targets counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Elements that are not ignored.
    pub(crate) count: usize,
    /// The sum of their weights.
    pub(crate) weight: f64,
    /// The positives among them.
    pub(crate) positives: usize,
}

impl Reduction {
    /// The factor that every weighted loss is multiplied by: one over the divisor, 0 where nothing
    /// counts.
    ///
    /// `tally` is a pass over the targets, which costs as much as the loss itself; it is called
    /// only if the divisor depends on them. `count` is the number of elements that are not
    /// ignored, which usually is known.
    ///
    /// # Errors
    /// The divisor must be positive and finite, or 0 where it is counted, and so must its
    /// reciprocal in `T`.
    pub(crate) fn factor<T: Float>(
        self,
        op: &'static str,
        count: impl FnOnce() -> usize,
        tally: impl FnOnce() -> Result<Tally>,
    ) -> Result<f64> {
        let divisor = match self {
            Self::None | Self::Sum => 1.0,
            Self::Mean => count() as f64,
            Self::WeightedMean => tally()?.weight,
            Self::MeanOverPositives => tally()?.positives.max(1) as f64,
            Self::DividedBy(n) => {
                let valid = n > 0.0 && n.is_finite();
                check_parameter(op, "divisor", n, valid, "positive and finite")?;
                n
            }
        };
        if divisor == 0.0 {
            return Ok(0.0);
        }
        // An infinite factor would make NaN of every loss that is 0.
        let factor = divisor.recip();
        let valid = T::from_f64(factor).is_finite();
        let expected = "so large that its reciprocal is finite in the precision of the loss";
        check_parameter(op, "divisor", divisor, valid, expected)?;
        Ok(factor)
    }

    /// The weighted losses of the elements, reduced by ordinary operations.
    #[track_caller]
    pub(crate) fn reduce<T: Float>(
        self,
        op: &'static str,
        losses: &Var<T>,
        tally: impl FnOnce() -> Result<Tally>,
    ) -> Result<Var<T>> {
        let tally = tally()?;
        let factor = self.factor::<T>(op, || tally.count, || Ok(tally))?;
        match self {
            Self::None => Ok(losses.clone()),
            _ => losses.sum(..)?.mul_scalar(factor),
        }
    }
}
