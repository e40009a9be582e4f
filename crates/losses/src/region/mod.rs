//! Losses of overlapping regions, for segmentation: Dice, Jaccard, Tversky and theirs; Lovász.
//!
//! Where the others add up what each pixel costs, these compare the predicted region with the true
//! one as wholes, so that a large background cannot drown a small object.
//!
//! All are written with the areas of hits, false alarms and misses:
//!
//! ```text
//! TP = Σ p·y      FP = Σ p·(1 − y)      FN = Σ (1 − p)·y
//! ```
//!
//! `1 − TI` is then a quotient of sums of what is wrong, and no overlap near 1 is subtracted from 1.

use macula_autograd::Var;
use macula_tensor::{Device, Error, Float, Result, Tensor};

use crate::checks::{bad_label, check_shape};
use crate::reduction::Reduction;
use crate::sample_weights::SampleWeights;
use crate::softmax::{class_margins, classes_last_axes, classes_second, classes_second_axes};

mod lovasz;
mod overlap;
mod unified;

pub use lovasz::LovaszLoss;
pub use overlap::{
    Dice, DiceLoss, GeneralizedDice, GeneralizedDiceLoss, Jaccard, JaccardLoss, Tversky,
    TverskyLoss,
};
pub use unified::UnifiedFocalLoss;

/// A loss of regions: a formula of what was hit, falsely predicted and missed.
pub trait RegionFormula: Copy + std::fmt::Debug + Send + Sync + 'static {
    /// The name that error messages show.
    const NAME: &'static str;

    /// Whether the formula's own parameters make sense.
    ///
    /// # Errors
    /// [`Error::Argument`] for one that does not.
    fn check(&self) -> Result<()>;

    /// The loss of each region; for most members one for each sample and class.
    ///
    /// # Errors
    /// Whatever the operations say.
    fn losses<T: Float>(&self, areas: &Areas<T>) -> Result<Var<T>>;
}

/// A loss of overlapping regions with its reduction.
///
/// # Shapes
/// Logits `[N, C]` or `[N, C, …]`, `…` the pixels. There is one region for each sample and class:
/// with `Reduction::None` the result is `[N, C]`. With [`over_batch`](Self::over_batch) the sums
/// run over the samples too, and it is `[C]`.
///
/// `MeanOverPositives` divides by the number of regions that are not empty in the targets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegionLoss<F> {
    pub(crate) formula: F,
    over_batch: bool,
    ignore: Option<i64>,
    reduction: Reduction,
}

impl<F> RegionLoss<F> {
    /// A formula, for each sample on its own, the mean over the regions.
    pub const fn of(formula: F) -> Self {
        Self {
            formula,
            over_batch: false,
            ignore: None,
            reduction: Reduction::Mean,
        }
    }

    /// Whether the region of a class is that of the whole batch, not of each sample: steadier
    /// where many samples lack a class.
    pub const fn over_batch(mut self, over_batch: bool) -> Self {
        self.over_batch = over_batch;
        self
    }

    /// A label whose pixels are in no region.
    pub const fn ignore_index(mut self, label: i64) -> Self {
        self.ignore = Some(label);
        self
    }

    /// How the losses of the regions become one number.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }
}

impl<F: RegionFormula> RegionLoss<F> {
    /// The loss of the softmax over the classes: logits `[N, C, …]`, class labels `[N, …]`.
    ///
    /// # Errors
    /// Shapes that do not match, a label outside the classes (with its pixel), a parameter of the
    /// formula outside its range.
    #[track_caller]
    pub fn forward<T: Float>(&self, logits: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        self.of_softmax(logits, labels, None)
    }

    /// [`forward`](Self::forward) with a weight for each sample, `[N]`; a weight of 2 is the same
    /// as the sample twice.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), weights that are negative, not finite or not `[N]`, and any
    /// weights together with [`over_batch`](Self::over_batch): regions of the whole batch belong
    /// to no sample.
    #[track_caller]
    pub fn forward_weighted<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: &Tensor<T>,
    ) -> Result<Var<T>> {
        self.of_softmax(logits, labels, Some(weights))
    }

    #[track_caller]
    fn of_softmax<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        let weights = self.checked_weights(logits, weights)?;
        let classes = classes_of_pixels(F::NAME, logits.shape(), labels.shape())?;
        let (labels, counts) = checked(F::NAME, labels, classes, self.ignore)?;
        let one_hot = classes_second(&labels.one_hot::<T>(classes)?)?;
        let logits = weights.replace(logits, 0.0)?;
        let by_row = logits.permute(classes_last_axes(logits.rank()))?;
        let absent = counts.unsqueeze(-1)?.eq(&Tensor::scalar(T::ZERO))?;
        let margins = class_margins(&by_row.masked_fill(&absent, 0.0)?)?;
        let margins = margins.permute(classes_second_axes(margins.rank()))?;
        self.of_margins(&margins, one_hot, counts.unsqueeze(1)?, weights)
    }

    /// The loss of a sigmoid for each class: logits and labels 0 and 1 of one shape `[N, C, …]`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and a label that is neither 0, 1 nor the ignored one.
    #[track_caller]
    pub fn forward_sigmoid<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
    ) -> Result<Var<T>> {
        self.of_sigmoid(logits, labels, None)
    }

    /// [`forward_sigmoid`](Self::forward_sigmoid) with a weight for each sample, `[N]`.
    ///
    /// # Errors
    /// As [`forward_weighted`](Self::forward_weighted), and a label that is neither 0, 1 nor the
    /// ignored one.
    #[track_caller]
    pub fn forward_sigmoid_weighted<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: &Tensor<T>,
    ) -> Result<Var<T>> {
        self.of_sigmoid(logits, labels, Some(weights))
    }

    #[track_caller]
    fn of_sigmoid<T: Float>(
        &self,
        logits: &Var<T>,
        labels: &Tensor<i64>,
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        if logits.rank() < 2 {
            return Err(not_regions(F::NAME, logits.shape()));
        }
        let weights = self.checked_weights(logits, weights)?;
        check_shape(F::NAME, "labels", logits.shape(), labels.shape())?;
        let (labels, counts) = checked(F::NAME, labels, 2, self.ignore)?;
        let absent = counts.eq(&Tensor::scalar(T::ZERO))?;
        let margins = weights.replace(logits, 0.0)?.masked_fill(&absent, 0.0)?;
        self.of_margins(&margins, numbers(&labels)?, counts, weights)
    }

    /// The weights of the samples, after the formula's own parameters have been checked.
    fn checked_weights<T: Float>(
        &self,
        logits: &Var<T>,
        weights: Option<&Tensor<T>>,
    ) -> Result<SampleWeights<T>> {
        self.formula.check()?;
        if let (true, Some(weights)) = (self.over_batch, weights) {
            return Err(Error::Argument {
                op: F::NAME,
                argument: "sample weights",
                expected: "left out: regions of the whole batch belong to no sample".into(),
                found: format!("{:?} of them", weights.shape()),
            });
        }
        let samples = logits.shape().first().copied().unwrap_or_default();
        SampleWeights::new(F::NAME, weights, &[samples])
    }

    fn of_margins<T: Float>(
        &self,
        margins: &Var<T>,
        labels: Tensor<T>,
        counts: Tensor<T>,
        weights: SampleWeights<T>,
    ) -> Result<Var<T>> {
        let tape = margins.tape();
        let counts = tape.constant(counts);
        let labels = tape.constant(labels).mul(&counts)?;
        let pixels = 2..margins.rank() as isize;
        let areas = Areas {
            p: margins.sigmoid()?.mul(&counts)?,
            q: margins.neg()?.sigmoid()?.mul(&counts)?,
            not_labels: counts.sub(&labels)?,
            labels,
            axes: self
                .over_batch
                .then_some(0)
                .into_iter()
                .chain(pixels)
                .collect(),
        };
        let losses = self.formula.losses(&areas)?;
        weights.reduce(self.reduction, &losses, || {
            let sizes = areas.size()?.value().to_vec()?;
            Ok(sizes.iter().filter(|&&size| size > T::ZERO).count())
        })
    }
}

/// Predictions and labels, and along which axes their areas are summed.
#[derive(Debug)]
pub struct Areas<T: Float> {
    p: Var<T>,
    /// 1 − p.
    q: Var<T>,
    labels: Var<T>,
    /// 1 − y, and 0 where a pixel does not count.
    not_labels: Var<T>,
    axes: Vec<isize>,
}

impl<T: Float> Areas<T> {
    /// `Σ p·y`.
    ///
    /// # Errors
    /// Whatever the operations say.
    pub fn hit(&self) -> Result<Var<T>> {
        self.p.mul(&self.labels)?.sum(&self.axes[..])
    }

    /// `Σ p·(1 − y)`.
    ///
    /// # Errors
    /// Whatever the operations say.
    pub fn false_alarm(&self) -> Result<Var<T>> {
        self.p.mul(&self.not_labels)?.sum(&self.axes[..])
    }

    /// `Σ (1 − p)·y`.
    ///
    /// # Errors
    /// Whatever the operations say.
    pub fn missed(&self) -> Result<Var<T>> {
        self.q.mul(&self.labels)?.sum(&self.axes[..])
    }

    /// `Σ y`.
    ///
    /// # Errors
    /// Whatever the operations say.
    pub fn size(&self) -> Result<Var<T>> {
        self.labels.sum(&self.axes[..])
    }

    /// `Σ p²` and `Σ (p − y)²`.
    ///
    /// # Errors
    /// Whatever the operations say.
    pub fn squares(&self) -> Result<[Var<T>; 2]> {
        let of_false = self.p.square()?.mul(&self.not_labels)?;
        let of_true = self.q.square()?.mul(&self.labels)?;
        let errors = of_false.add(&of_true)?;
        Ok([
            self.p.square()?.sum(&self.axes[..])?,
            errors.sum(&self.axes[..])?,
        ])
    }
}

/// The number of classes of logits `[N, C, …]` with labels `[N, …]`.
///
/// # Errors
/// Shapes must match, and there must be a class.
fn classes_of_pixels(op: &'static str, logits: &[usize], labels: &[usize]) -> Result<usize> {
    let [samples, classes @ 1..=usize::MAX, pixels @ ..] = logits else {
        return Err(Error::Shape {
            op,
            expected: "logits of shape [N, C] or [N, C, …] with a class at least".into(),
            found: logits.into(),
        });
    };
    let expected: Vec<usize> = std::iter::once(samples).chain(pixels).copied().collect();
    check_shape(op, "labels", &expected, labels)?;
    Ok(*classes)
}

fn not_regions(op: &'static str, found: &[usize]) -> Error {
    Error::Shape {
        op,
        expected: "logits of shape [N, C] or [N, C, …]".into(),
        found: found.into(),
    }
}

/// The labels with 0 in place of the ignored one, and 1 for each that counts, 0 for the others.
fn checked<T: Float>(
    op: &'static str,
    labels: &Tensor<i64>,
    classes: usize,
    ignore: Option<i64>,
) -> Result<(Tensor<i64>, Tensor<T>)> {
    let labels = labels.to(&Device::Cpu)?.contiguous()?;
    let elements = labels.as_slice().unwrap_or_default();
    let is_class = |label: i64| usize::try_from(label).is_ok_and(|label| label < classes);
    let bad = |&label: &i64| !is_class(label) && Some(label) != ignore;
    if let Some(pixel) = elements.iter().position(bad) {
        return Err(bad_label(
            op,
            elements,
            pixel,
            labels.shape(),
            classes,
            ignore,
        ));
    }
    let counts = |&label: &i64| Some(label) != ignore;
    let ones = elements
        .iter()
        .map(|label| if counts(label) { T::ONE } else { T::ZERO });
    let classes = elements
        .iter()
        .map(|label| if counts(label) { *label } else { 0 });
    Ok((
        Tensor::from_vec(classes.collect(), labels.shape())?,
        Tensor::from_vec(ones.collect(), labels.shape())?,
    ))
}

/// Labels as floating-point numbers.
fn numbers<T: Float>(labels: &Tensor<i64>) -> Result<Tensor<T>> {
    let numbers = labels
        .to_vec()?
        .into_iter()
        .map(|label| T::from_f64(label as f64));
    Tensor::from_vec(numbers.collect(), labels.shape())
}
