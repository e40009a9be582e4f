//! Lovász losses: the Jaccard index itself, made convex.

use macula_autograd::Var;
use macula_tensor::{Float, Result, Tensor};

use super::{checked, classes_of_pixels, numbers};
use crate::checks::check_shape;
use crate::softmax::{class_margins, classes_last_axes};

/// Lovász loss: the tight convex extension of `1 − IoU` of a set of pixels.
///
/// Errors are sorted, largest first, and each is weighted by how much the Jaccard loss grows when
/// its pixel joins those that are wrong. All pixels of a call are one set, in which no sample has a
/// loss or a weight of its own. Two forms of error:
///
/// * [`forward`](Self::forward), the Lovász softmax: `|[t = c] − p_c|`, averaged over the classes
///   that occur;
/// * [`hinge`](Self::hinge), the Lovász hinge: `max(1 − x·(2y − 1), 0)` of binary logits.
///
/// For fine-tuning on the metric that counts; from scratch, cross-entropy trains better.
///
/// # Gradient
/// The order of the pixels is a constant for the gradient, which is that of the piece of the loss
/// that holds. Sorting is stable, so ties have one answer. As all pixels are one set, one that is
/// NaN makes the loss NaN, whatever it weighs.
///
/// # Source
/// Berman, Triki, Blaschko, "The Lovász-softmax loss: a tractable surrogate for the optimization of
/// the intersection-over-union measure in neural networks", 2018, algorithm 1. The authors' code
/// takes the hinge of each image by default, and the mean; here the batch is one set.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LovaszLoss {
    ignore: Option<i64>,
}

impl LovaszLoss {
    /// Nothing is ignored.
    pub const fn new() -> Self {
        Self { ignore: None }
    }

    /// A label whose pixels are in no set.
    pub const fn ignore_index(mut self, label: i64) -> Self {
        self.ignore = Some(label);
        self
    }

    /// The Lovász softmax of logits `[N, C, …]` and class labels `[N, …]`: one number, 0 where no
    /// class occurs.
    ///
    /// # Errors
    /// Shapes that do not match, a label outside the classes (with its pixel).
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        let op = "lovasz_softmax";
        let classes = classes_of_pixels(op, logits.shape(), labels.shape())?;
        let (labels, counts) = checked::<T>(op, labels, classes, self.ignore)?;
        let count = labels.count();
        let by_row = logits.permute(classes_last_axes(logits.rank()))?;
        let by_row = by_row.reshape([count, classes])?;
        let counts = counts.reshape([count, 1])?;
        let absent = counts.eq(&Tensor::scalar(T::ZERO))?;
        let margins = class_margins(&by_row.masked_fill(&absent, 0.0)?)?;
        let is_class = labels
            .reshape([count])?
            .one_hot::<T>(classes)?
            .mul(&counts)?;
        // The margin of "not c" is −s_c, and σ of it is 1 − p_c.
        let signs = is_class.mul_scalar(-2.0)?.add_scalar(1.0)?;
        let errors = margins.mul(&logits.tape().constant(signs))?.sigmoid()?;
        let errors = errors.masked_fill(&absent, 0.0)?;
        sum_over_classes(&errors, &is_class, &absent)
    }

    /// The Lovász hinge of binary logits and labels of one shape: one number.
    ///
    /// # Errors
    /// Shapes that differ, a label that is neither 0, 1 nor the ignored one.
    #[track_caller]
    pub fn hinge<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        let op = "lovasz_hinge";
        check_shape(op, "labels", logits.shape(), labels.shape())?;
        let (labels, counts) = checked::<T>(op, labels, 2, self.ignore)?;
        let column = [labels.count(), 1];
        let labels = numbers::<T>(&labels)?.reshape(column)?;
        let counts = counts.reshape(column)?;
        let absent = counts.eq(&Tensor::scalar(T::ZERO))?;
        let signs = labels.mul_scalar(-2.0)?.add_scalar(1.0)?;
        let logits = logits.reshape(column)?.masked_fill(&absent, 0.0)?;
        let errors = logits.mul(&logits.tape().constant(signs))?;
        let errors = errors.add_scalar(1.0)?.relu()?.masked_fill(&absent, 0.0)?;
        let labels = labels.mul(&counts)?;
        let weighted = weighted_in_order(&errors, &labels, &absent, true)?.0;
        weighted.sum(..)
    }
}

/// The mean over the classes that occur of the errors times their weights.
fn sum_over_classes<T: Float>(
    errors: &Var<T>,
    is_class: &Tensor<T>,
    absent: &Tensor<bool>,
) -> Result<Var<T>> {
    let (weighted, occurring) = weighted_in_order(errors, is_class, absent, false)?;
    let total = weighted.sum(..)?;
    total.mul_scalar((occurring.max(1) as f64).recip())
}

/// The errors `[pixels, classes]`, each column sorted and weighted by the slope of its Jaccard
/// loss; and how many columns have a pixel of their class. Others weigh 0 unless `all` count.
fn weighted_in_order<T: Float>(
    errors: &Var<T>,
    is_class: &Tensor<T>,
    absent: &Tensor<bool>,
    all: bool,
) -> Result<(Var<T>, usize)> {
    // Pixels that do not count come last, and there they weigh nothing.
    let keys = errors.value().masked_fill(absent, T::from_f64(-1.0))?;
    let order = keys.argsort(0, true)?;
    let sorted = is_class.gather(0, &order)?;
    let counts = absent.not()?.cast::<i64>()?.to_vec()?;
    let counting = counts.into_iter().sum::<i64>() as usize;
    let classes = is_class.shape().get(1).copied().unwrap_or_default();
    let mut occurring = 0;
    let sorted = sorted.to_vec()?;
    let weights = Tensor::write(order.shape(), |weights| {
        weights.fill(T::ZERO);
        for class in 0..classes {
            let column = || (0..counting).map(|pixel| pixel * classes + class);
            let size: f64 = column().map(|index| sorted[index].to_f64()).sum();
            occurring += usize::from(size > 0.0);
            if size == 0.0 && !all {
                continue;
            }
            let (mut intersection, mut union, mut before) = (size, size, 0.0);
            for index in column() {
                let own = sorted[index].to_f64();
                intersection -= own;
                union += 1.0 - own;
                let jaccard = 1.0 - intersection / union;
                weights[index] = T::from_f64(jaccard - before);
                before = jaccard;
            }
        }
        Ok(())
    })?;
    let sorted = errors.gather(0, &order)?;
    // An infinite error that weighs nothing adds nothing: 0·∞ would be NaN.
    let infinite = sorted
        .value()
        .eq(&Tensor::scalar(T::from_f64(f64::INFINITY)))?;
    let nothing = weights.eq(&Tensor::scalar(T::ZERO))?.and(&infinite)?;
    let sorted = sorted.masked_fill(&nothing, 0.0)?;
    Ok((sorted.mul(&errors.tape().constant(weights))?, occurring))
}

#[cfg(test)]
mod tests {
    use macula_autograd::Tape;

    use super::*;

    #[test]
    fn for_certain_predictions_the_softmax_is_the_mean_jaccard_loss() -> Result<()> {
        // Predicted 0, 0, 1, 1, 1 for 0, 1, 1, 1, 0: overlaps of 1/3 and of 2/4.
        let certain = [
            [90.0, 0.0],
            [90.0, 0.0],
            [0.0, 90.0],
            [0.0, 90.0],
            [0.0, 90.0],
        ];
        let logits = Tape::new().var(Tensor::from(certain));
        let labels = Tensor::from([0_i64, 1, 1, 1, 0]);
        let loss = LovaszLoss::new().forward(&logits, &labels)?.item()?;
        let wanted = (2.0 / 3.0 + 0.5) / 2.0;
        approx::assert_relative_eq!(loss, wanted, max_relative = 1e-12);
        Ok(())
    }

    #[test]
    fn for_logits_of_1_the_hinge_is_twice_the_jaccard_loss() -> Result<()> {
        let logits = Tape::new().var(Tensor::from([1.0, 1.0, -1.0, -1.0, 1.0]));
        // Predicted are three, true are three, two of them the same: 1 − 2/4.
        let labels = Tensor::from([1_i64, 1, 1, 0, 0]);
        let loss = LovaszLoss::new().hinge(&logits, &labels)?.item()?;
        // An error of 1 − x·(2y − 1) is 2 for each pixel that is wrong.
        approx::assert_relative_eq!(loss, 2.0 * 0.5, max_relative = 1e-12);
        Ok(())
    }
}
