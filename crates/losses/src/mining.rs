//! Hard-example mining: only the worst count.

use macula_autograd::Var;
use macula_tensor::{Float, Result, Tensor};

use crate::checks::{check_exponent, check_parameter, check_shape};

const OP: &str = "hard_examples";

/// Online hard-example mining, OHEM: the mean of the largest losses of a batch.
///
/// Takes the losses of the elements, from any loss with [`Reduction::None`](crate::Reduction), and
/// keeps the share with the largest, or with [`per_positive`](Self::per_positive) all positives and
/// a number of the hardest negatives for each. The hard cut that focal loss softens: it drops easy
/// samples altogether, however many they are.
///
/// An element that the loss ignored comes as a loss of 0 like any other. Say which ones count with
/// [`forward_among`](Self::forward_among), or they have a part in the share.
///
/// # Gradient
/// Which elements count is a constant for the gradient; the rest gets 0. Ties go to the earlier
/// element, and NaN is the hardest of all, so that it is not lost.
///
/// # Source
/// Shrivastava, Gupta, Girshick, "Training region-based object detectors with online hard example
/// mining", 2016; Liu, Anguelov, Erhan, Szegedy, Reed, Fu, Berg, "SSD: single shot
/// multibox detector", 2016, section 2.2 (3 negatives a positive).
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::{HardExamples, Reduction, SigmoidCrossEntropy};
/// use macula_tensor::Tensor;
///
/// let logits = Tape::new().var(Tensor::from([-3.0_f32, 0.0, 1.0, -2.0]));
/// let labels = Tensor::from([0_i64, 0, 0, 0]);
/// let losses = SigmoidCrossEntropy::new()
///     .reduction(Reduction::None)
///     .forward(&logits, &labels)?;
/// let loss = HardExamples::new(0.25).forward(&losses)?;
/// assert!((loss.item()? - 1.313_261_7).abs() < 1e-6);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HardExamples {
    share: f64,
    at_least: usize,
}

impl HardExamples {
    /// The share in (0, 1] of elements to keep, rounded up.
    pub const fn new(share: f64) -> Self {
        Self { share, at_least: 1 }
    }

    /// A number of elements to keep whatever the share is, if there are as many.
    pub const fn at_least(mut self, count: usize) -> Self {
        self.at_least = count;
        self
    }

    /// The mean of the largest losses; 0 where there are no losses.
    ///
    /// # Errors
    /// The share must be in (0, 1].
    #[track_caller]
    pub fn forward<T: Float>(&self, losses: &Var<T>) -> Result<Var<T>> {
        self.mean_of_hardest(losses, hardest_first(losses.value())?)
    }

    /// [`forward`](Self::forward) among the elements that count, which `counted` marks.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and marks of another shape than the losses.
    #[track_caller]
    pub fn forward_among<T: Float>(
        &self,
        losses: &Var<T>,
        counted: &Tensor<bool>,
    ) -> Result<Var<T>> {
        check_shape(OP, "marks", losses.shape(), counted.shape())?;
        let counted = counted.to_vec()?;
        let mut order = hardest_first(losses.value())?;
        order.retain(|&place| counted[place as usize]);
        self.mean_of_hardest(losses, order)
    }

    #[track_caller]
    fn mean_of_hardest<T: Float>(&self, losses: &Var<T>, order: Vec<i64>) -> Result<Var<T>> {
        let valid = self.share > 0.0 && self.share <= 1.0;
        check_parameter(OP, "share", self.share, valid, "in (0, 1]")?;
        let kept = at_least(self.share * order.len() as f64);
        let kept = kept.max(self.at_least).min(order.len());
        mean_of(losses, &order[..kept])
    }

    /// The losses of all positives and of the hardest negatives, added up and divided by the number
    /// of positives. There are `ratio` negatives for each positive, and at least one; the divisor is
    /// at least 1.
    ///
    /// # Shapes
    /// Labels of the shape of the losses; positive is every label above 0, negative is 0, and an
    /// element with a label below 0 is passed over.
    ///
    /// # Errors
    /// Shapes that differ, a ratio that is negative or not finite.
    #[track_caller]
    pub fn per_positive<T: Float>(
        losses: &Var<T>,
        labels: &Tensor<i64>,
        ratio: f64,
    ) -> Result<Var<T>> {
        check_exponent(OP, "ratio", ratio)?;
        check_shape(OP, "labels", losses.shape(), labels.shape())?;
        let labels = labels.to_vec()?;
        let mut order = hardest_first(losses.value())?;
        order.retain(|&place| labels[place as usize] >= 0);
        let (positives, negatives): (Vec<i64>, Vec<i64>) = order
            .into_iter()
            .partition(|&place| labels[place as usize] > 0);
        let kept = at_least(ratio * positives.len() as f64).max(1);
        let chosen: Vec<i64> = positives
            .iter()
            .chain(negatives.iter().take(kept))
            .copied()
            .collect();
        let mean = mean_of(losses, &chosen)?;
        mean.mul_scalar(chosen.len() as f64 / positives.len().max(1) as f64)
    }
}

/// The number rounded up, but for the rounding of a product: 7% of 100 are 7.
fn at_least(number: f64) -> usize {
    (number * (1.0 - 1e-12)).ceil() as usize
}

/// The places of the elements, the largest first and NaN before them.
fn hardest_first<T: Float>(losses: &Tensor<T>) -> Result<Vec<i64>> {
    let losses = losses.flatten()?;
    let nans = losses.is_nan()?.to_vec()?.into_iter().filter(|&nan| nan);
    let mut order = losses.argsort(0, true)?.to_vec()?;
    // A sort puts NaN last.
    order.rotate_right(nans.count());
    Ok(order)
}

/// The mean of the elements at `places`; 0 where there are none.
fn mean_of<T: Float>(losses: &Var<T>, places: &[i64]) -> Result<Var<T>> {
    let flat = losses.reshape([losses.value().count()])?;
    let chosen = flat.gather(0, &Tensor::from_slice(places, [places.len()])?)?;
    chosen
        .sum(..)?
        .mul_scalar((places.len().max(1) as f64).recip())
}

#[cfg(test)]
mod tests {
    use macula_autograd::{Tape, check_gradients};

    use super::*;

    #[test]
    fn a_share_of_1_is_the_mean_and_less_is_the_mean_of_the_worst() -> Result<()> {
        let losses = Tape::new().var(Tensor::from([[4.0_f64, 1.0], [3.0, 2.0]]));
        assert_eq!(HardExamples::new(1.0).forward(&losses)?.item()?, 2.5);
        assert_eq!(HardExamples::new(0.5).forward(&losses)?.item()?, 3.5);
        assert_eq!(
            HardExamples::new(0.01)
                .at_least(3)
                .forward(&losses)?
                .item()?,
            3.0
        );
        assert!(HardExamples::new(0.0).forward(&losses).is_err());
        assert!(HardExamples::new(f64::NAN).forward(&losses).is_err());
        Ok(())
    }

    #[test]
    fn a_share_is_not_rounded_up_by_the_rounding_of_a_product() -> Result<()> {
        let losses = (1..=100).map(f64::from).collect::<Vec<_>>();
        let losses = Tape::new().var(Tensor::from(losses));
        // 0.07·100 is 7.000000000000001.
        assert_eq!(HardExamples::new(0.07).forward(&losses)?.item()?, 97.0);
        Ok(())
    }

    #[test]
    fn a_loss_that_is_nan_is_not_lost() -> Result<()> {
        let losses = Tape::new().var(Tensor::from([1.0, f64::NAN, 3.0, 2.0]));
        assert!(HardExamples::new(0.25).forward(&losses)?.item()?.is_nan());
        let losses = Tape::new().var(Tensor::from([1.0, f64::INFINITY, f64::NAN, 2.0]));
        assert!(HardExamples::new(0.25).forward(&losses)?.item()?.is_nan());
        Ok(())
    }

    #[test]
    fn negatives_are_taken_in_proportion_to_positives() -> Result<()> {
        let losses = Tape::new().var(Tensor::from([1.0_f64, 5.0, 3.0, 2.0, 4.0]));
        let labels = Tensor::from([1_i64, 0, 0, 0, 0]);
        assert_eq!(
            HardExamples::per_positive(&losses, &labels, 3.0)?.item()?,
            13.0
        );
        let none = Tensor::from([0_i64; 5]);
        assert_eq!(
            HardExamples::per_positive(&losses, &none, 3.0)?.item()?,
            5.0
        );
        Ok(())
    }

    #[test]
    fn what_is_ignored_is_neither_hard_nor_easy() -> Result<()> {
        let labels = Tensor::from([1_i64, 0, -1, 0, -1, -1]);
        let logits = Tape::new().var(Tensor::from([0.0, 1.0, f64::NAN, 3.0, 9.0, -9.0]));
        let losses = crate::SigmoidCrossEntropy::new()
            .ignore_index(-1)
            .reduction(crate::Reduction::None)
            .forward(&logits, &labels)?;
        let counted = labels.ge(&Tensor::scalar(0))?;
        let hard = HardExamples::new(0.34).forward_among(&losses, &counted)?;
        // Two of the three that count, not three of six.
        let [of_0, of_1, of_3] = [2.0_f64.ln(), 1.0_f64.exp().ln_1p(), 3.0_f64.exp().ln_1p()];
        approx::assert_relative_eq!(hard.item()?, (of_3 + of_1) / 2.0, max_relative = 1e-14);
        let matched = HardExamples::per_positive(&losses, &labels, 1.0)?;
        approx::assert_relative_eq!(matched.item()?, of_0 + of_3, max_relative = 1e-14);
        let wrong = HardExamples::new(0.5).forward_among(&losses, &Tensor::from([true]));
        assert_eq!(
            wrong.unwrap_err().to_string(),
            "hard_examples: expected marks of shape [6], found shape [1]"
        );
        Ok(())
    }

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        let x = Tensor::from([0.3, -1.2, 2.0, 0.9]);
        check_gradients("hard_examples", &[x], |inputs| {
            HardExamples::new(0.5).forward(&inputs[0].square()?)
        })
    }

    #[test]
    fn an_empty_batch_has_loss_0() -> Result<()> {
        let losses = Tape::new().var(Tensor::<f64>::zeros([0])?);
        assert_eq!(HardExamples::new(0.5).forward(&losses)?.item()?, 0.0);
        Ok(())
    }
}
