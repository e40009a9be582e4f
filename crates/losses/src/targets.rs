//! Targets and weights of a batch: checked, and unpacked block by block.

use macula_autograd::Var;
use macula_tensor::{Device, Error, Float, Result, Tensor};

use crate::reduction::Tally;

/// Elements that the drivers unpack at a time, so that targets and weights as numbers never leave
/// the first-level cache.
pub(crate) const BLOCK: usize = 256;

/// A weight for each class, checked.
///
/// # Errors
/// There must be one for each of the `classes`, finite and not negative, and not all 0.
pub(crate) fn check_class_weights(
    op: &'static str,
    argument: &'static str,
    weights: &[f64],
    classes: usize,
) -> Result<()> {
    let valid = weights.iter().all(|&w| w >= 0.0 && w.is_finite());
    if weights.len() == classes && valid && (classes == 0 || weights.iter().any(|&w| w > 0.0)) {
        return Ok(());
    }
    Err(Error::Argument {
        op,
        argument,
        expected: format!("{classes} finite numbers, none negative and not all 0"),
        found: format!("{weights:?}"),
    })
}

/// Sample weights, checked and in row-major order.
///
/// # Errors
/// They must have the shape of the targets and be finite and not negative.
pub(crate) fn check_sample_weights<T: Float>(
    op: &'static str,
    weights: &Tensor<T>,
    shape: &[usize],
) -> Result<Tensor<T>> {
    if weights.shape() != shape {
        return Err(Error::Shape {
            op,
            expected: format!("sample weights of the targets' shape {shape:?}"),
            found: weights.shape().into(),
        });
    }
    let weights = weights.to(&Device::Cpu)?.contiguous()?;
    let elements = weights.as_slice().unwrap_or_default();
    match elements
        .iter()
        .position(|w| !(w.to_f64() >= 0.0 && w.is_finite()))
    {
        None => Ok(weights),
        Some(row) => Err(Error::Argument {
            op,
            argument: "sample weights",
            expected: "finite and not negative".into(),
            found: format!("{} at element {row}", elements[row]),
        }),
    }
}

/// The error for a label that is no class.
pub(crate) fn bad_label(
    op: &'static str,
    labels: &[i64],
    row: usize,
    classes: usize,
    ignore: Option<i64>,
) -> Error {
    let ignore = ignore.map(|label| format!(", or {label} to be ignored"));
    Error::Label {
        op,
        row,
        label: labels.get(row).copied().unwrap_or_default(),
        expected: format!(
            "0 to {}{}",
            classes.saturating_sub(1),
            ignore.unwrap_or_default()
        ),
    }
}

/// What the elements of a sigmoid loss are compared with, and their weights.
pub(crate) struct ElementTargets<T: Float> {
    targets: Targets<T>,
    weights: ElementWeights<T>,
}

enum Targets<T: Float> {
    /// Labels 0 and 1, or `ignore`.
    Hard {
        labels: Tensor<i64>,
        ignore: Option<i64>,
    },
    /// Numbers from 0 to 1; where they mix, they unpack into the weights of both labels.
    Soft { targets: Tensor<T>, mix: bool },
}

/// The factors of an element's weight.
#[derive(Clone)]
struct ElementWeights<T: Float> {
    /// Of classes 0 and 1.
    classes: [T; 2],
    /// Of class 1, for each index of the last axis; none where they are all 1.
    positives: Option<Vec<T>>,
    samples: Option<Tensor<T>>,
}

impl<T: Float> ElementTargets<T> {
    /// Labels 0 and 1, or `ignore`.
    pub(crate) fn hard(labels: &Tensor<i64>, ignore: Option<i64>) -> Result<Self> {
        let labels = labels.to(&Device::Cpu)?.contiguous()?;
        Ok(Self::unweighted(Targets::Hard { labels, ignore }))
    }

    /// Numbers from 0 to 1.
    pub(crate) fn soft(targets: &Tensor<T>, mix: bool) -> Result<Self> {
        let targets = targets.to(&Device::Cpu)?.contiguous()?;
        Ok(Self::unweighted(Targets::Soft { targets, mix }))
    }

    fn unweighted(targets: Targets<T>) -> Self {
        Self {
            targets,
            weights: ElementWeights {
                classes: [T::ONE; 2],
                positives: None,
                samples: None,
            },
        }
    }

    /// The same targets with weights of classes 0 and 1, and further ones of class 1 for each
    /// index of the last axis, or one for all of them.
    ///
    /// # Errors
    /// The weights must be finite and not negative, those of a class not all 0.
    pub(crate) fn with_class_weights(
        mut self,
        op: &'static str,
        [negative, positive]: [f64; 2],
        positives: &[f64],
    ) -> Result<Self> {
        check_class_weights(op, "weights of classes 0 and 1", &[negative, positive], 2)?;
        let (every, positives) = match positives {
            [] => (1.0, None),
            [every] => {
                check_class_weights(op, "weight of class 1", positives, 1)?;
                (*every, None)
            }
            each => {
                let classes = self.shape().last().copied().unwrap_or(1);
                check_class_weights(op, "weights of class 1", each, classes)?;
                (1.0, Some(each.iter().map(|&w| T::from_f64(w)).collect()))
            }
        };
        self.weights.classes = [negative, positive * every].map(T::from_f64);
        self.weights.positives = positives;
        Ok(self)
    }

    /// The same targets with a weight for each element.
    pub(crate) fn with_sample_weights(
        mut self,
        op: &'static str,
        weights: Option<&Tensor<T>>,
    ) -> Result<Self> {
        if let Some(weights) = weights {
            self.weights.samples = Some(check_sample_weights(op, weights, self.shape())?);
        }
        Ok(self)
    }

    pub(crate) fn shape(&self) -> &[usize] {
        match &self.targets {
            Targets::Hard { labels, .. } => labels.shape(),
            Targets::Soft { targets, .. } => targets.shape(),
        }
    }

    /// The elements, for the loops.
    pub(crate) fn slices(&self) -> Slices<'_, T> {
        // All were brought to the CPU and made contiguous.
        let samples = self.weights.samples.as_ref();
        Slices {
            targets: match &self.targets {
                Targets::Hard { labels, ignore } => TargetSlice::Hard {
                    labels: labels.as_slice().unwrap_or_default(),
                    ignore: *ignore,
                },
                Targets::Soft { targets, mix } => TargetSlice::Soft {
                    targets: targets.as_slice().unwrap_or_default(),
                    mix: *mix,
                },
            },
            classes: self.weights.classes,
            positives: self.weights.positives.as_deref(),
            samples: samples.and_then(Tensor::as_slice),
        }
    }

    /// What [`Slices::unpack`] writes, as tensors of the shape of the logits.
    pub(crate) fn unpacked(&self, op: &'static str, shape: &[usize]) -> Result<[Tensor<T>; 2]> {
        let slices = self.slices();
        let mut second = Tensor::zeros(shape)?;
        let first = Tensor::write(shape, |first| {
            match slices.unpack(0, first, second.make_mut()?) {
                true => Ok(()),
                false => Err(slices.first_bad(op)),
            }
        })?;
        Ok([first, second])
    }
}

/// The error for logits on another device.
pub(crate) fn on_cpu<T: Float>(op: &'static str, logits: &Var<T>) -> Error {
    Error::Device {
        op,
        device: logits.value().device().to_string(),
        message: "fused losses run on the CPU".into(),
    }
}

/// Writes labels 0 and 1 as numbers, and the weights of their classes; false if there are others.
///
/// One simple loop for each output, which the compiler turns into registers; together in one loop
/// they stay scalar, and cost more than the loss.
#[inline(always)]
fn unpack_labels<T: Float>(
    labels: &[i64],
    [negative, positive]: [T; 2],
    targets: &mut [T],
    weights: &mut [T],
) -> bool {
    for (target, &label) in targets.iter_mut().zip(labels) {
        *target = if label == 1 { T::ONE } else { T::ZERO };
    }
    for (weight, &label) in weights.iter_mut().zip(labels) {
        *weight = if label == 1 { positive } else { negative };
    }
    let other_bits = labels.iter().fold(0, |bits, &label| bits | (label & !1));
    other_bits == 0
}

/// Gives the ignored elements target 0 and weight 0; false if a label is neither 0, 1 nor ignored.
fn blank_ignored<T: Float>(
    labels: &[i64],
    ignore: i64,
    targets: &mut [T],
    weights: &mut [T],
) -> bool {
    let mut good = true;
    for (&label, (target, weight)) in labels.iter().zip(targets.iter_mut().zip(weights)) {
        if label == ignore {
            (*target, *weight) = (T::ZERO, T::ZERO);
        } else {
            good &= (0..2).contains(&label);
        }
    }
    good
}

/// The elements of [`ElementTargets`].
pub(crate) struct Slices<'a, T> {
    targets: TargetSlice<'a, T>,
    classes: [T; 2],
    positives: Option<&'a [T]>,
    samples: Option<&'a [T]>,
}

enum TargetSlice<'a, T> {
    Hard {
        labels: &'a [i64],
        ignore: Option<i64>,
    },
    Soft {
        targets: &'a [T],
        mix: bool,
    },
}

impl<T: Float> Slices<'_, T> {
    /// Writes targets and weights of the elements from `start` on, or, for targets that mix, the
    /// weights of label 1 and of label 0; false if one of the targets is none. An ignored element
    /// has target 0 and weight 0.
    #[inline(always)]
    pub(crate) fn unpack(&self, start: usize, first: &mut [T], second: &mut [T]) -> bool {
        let range = start..start + first.len();
        let (good, mixes) = match &self.targets {
            TargetSlice::Hard { labels, ignore } => {
                let labels = &labels[range.clone()];
                let mut good = unpack_labels(labels, self.classes, first, second);
                if let Some(ignore) = *ignore {
                    good = blank_ignored(labels, ignore, first, second);
                }
                if let Some(positives) = self.positives {
                    for (index, (target, weight)) in first.iter().zip(&mut *second).enumerate() {
                        if *target == T::ONE {
                            *weight = *weight * positives[(start + index) % positives.len()];
                        }
                    }
                }
                (good, false)
            }
            TargetSlice::Soft { targets, mix } => {
                let targets = &targets[range.clone()];
                (self.unpack_soft(targets, *mix, start, first, second), *mix)
            }
        };
        if let Some(samples) = self.samples {
            let outputs = first.iter_mut().zip(second);
            for ((first, second), &sample) in outputs.zip(&samples[range]) {
                *second = *second * sample;
                if mixes {
                    *first = *first * sample;
                }
            }
        }
        good
    }

    fn unpack_soft(
        &self,
        targets: &[T],
        mix: bool,
        start: usize,
        first: &mut [T],
        second: &mut [T],
    ) -> bool {
        let [negative, positive] = self.classes;
        let outputs = first.iter_mut().zip(second);
        for (index, (&target, (first, second))) in targets.iter().zip(outputs).enumerate() {
            let positive = match self.positives {
                Some(positives) => positive * positives[(start + index) % positives.len()],
                None => positive,
            };
            let (of_1, of_0) = (positive * target, negative * (T::ONE - target));
            (*first, *second) = match mix {
                true => (of_1, of_0),
                // y·w + (1 − y)·w is not w to the bit.
                false if positive == negative => (target, positive),
                false => (target, of_1 + of_0),
            };
        }
        targets.iter().all(|&y| y >= T::ZERO && y <= T::ONE)
    }

    /// Counts what the divisors of the reductions need; targets from `positive` on are positives.
    pub(crate) fn tally(&self, op: &'static str, positive: f64) -> Result<Tally> {
        let mut tally = Tally::default();
        let (mut first, mut second) = ([T::ZERO; BLOCK], [T::ZERO; BLOCK]);
        let count = self.count();
        let mixes = matches!(&self.targets, TargetSlice::Soft { mix: true, .. });
        for start in (0..count).step_by(BLOCK) {
            let length = BLOCK.min(count - start);
            let (first, second) = (&mut first[..length], &mut second[..length]);
            if !self.unpack(start, first, second) {
                return Err(self.first_bad(op));
            }
            let sum = |numbers: &[T]| numbers.iter().map(|w| w.to_f64()).sum::<f64>();
            tally.weight += sum(second) + if mixes { sum(first) } else { 0.0 };
        }
        tally.count = self.counted();
        tally.positives = match &self.targets {
            TargetSlice::Hard { labels, ignore } => {
                let positive = |&&label: &&i64| label == 1 && Some(label) != *ignore;
                labels.iter().filter(positive).count()
            }
            TargetSlice::Soft { targets, .. } => {
                targets.iter().filter(|y| y.to_f64() >= positive).count()
            }
        };
        Ok(tally)
    }

    /// Number of elements that are not ignored.
    pub(crate) fn counted(&self) -> usize {
        match &self.targets {
            TargetSlice::Hard {
                labels,
                ignore: Some(ignore),
            } => labels.iter().filter(|&label| label != ignore).count(),
            _ => self.count(),
        }
    }

    /// Number of elements.
    fn count(&self) -> usize {
        match &self.targets {
            TargetSlice::Hard { labels, .. } => labels.len(),
            TargetSlice::Soft { targets, .. } => targets.len(),
        }
    }

    /// The error for the first target that is none; a pass has seen that there is one.
    pub(crate) fn first_bad(&self, op: &'static str) -> Error {
        match &self.targets {
            TargetSlice::Hard { labels, ignore } => {
                let bad = |&label: &i64| !(0..2).contains(&label) && Some(label) != *ignore;
                let row = labels.iter().position(bad).unwrap_or(0);
                bad_label(op, labels, row, 2, *ignore)
            }
            TargetSlice::Soft { targets, .. } => {
                let bad = |&target: &T| !(target >= T::ZERO && target <= T::ONE);
                let row = targets.iter().position(bad).unwrap_or(0);
                Error::Argument {
                    op,
                    argument: "targets",
                    expected: "between 0 and 1".into(),
                    found: format!("{} at element {row}", targets[row]),
                }
            }
        }
    }
}
