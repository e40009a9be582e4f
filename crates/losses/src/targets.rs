//! Targets and weights of a batch: checked, and unpacked block by block.

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
    samples: Option<Tensor<T>>,
}

enum Targets<T: Float> {
    Hard {
        labels: Tensor<i64>,
        class_weights: [f64; 2],
        ignore: Option<i64>,
    },
    Soft(Tensor<T>),
}

impl<T: Float> ElementTargets<T> {
    /// Labels 0 and 1, or `ignore`; weighted by class.
    pub(crate) fn hard(
        op: &'static str,
        labels: &Tensor<i64>,
        class_weights: [f64; 2],
        ignore: Option<i64>,
    ) -> Result<Self> {
        check_class_weights(op, "weights of classes 0 and 1", &class_weights, 2)?;
        let labels = labels.to(&Device::Cpu)?.contiguous()?;
        Ok(Self {
            targets: Targets::Hard {
                labels,
                class_weights,
                ignore,
            },
            samples: None,
        })
    }

    /// Numbers from 0 to 1.
    pub(crate) fn soft(targets: &Tensor<T>) -> Result<Self> {
        Ok(Self {
            targets: Targets::Soft(targets.to(&Device::Cpu)?.contiguous()?),
            samples: None,
        })
    }

    /// The same targets with a weight for each element.
    pub(crate) fn with_sample_weights(
        mut self,
        op: &'static str,
        weights: Option<&Tensor<T>>,
    ) -> Result<Self> {
        if let Some(weights) = weights {
            self.samples = Some(check_sample_weights(op, weights, self.shape())?);
        }
        Ok(self)
    }

    pub(crate) fn shape(&self) -> &[usize] {
        match &self.targets {
            Targets::Hard { labels, .. } => labels.shape(),
            Targets::Soft(targets) => targets.shape(),
        }
    }

    /// The elements, for the loops.
    pub(crate) fn slices(&self, op: &'static str) -> Result<Slices<'_, T>> {
        let missing = || Error::Device {
            op,
            device: "cpu".into(),
            message: "targets are not in row-major order".into(),
        };
        Ok(Slices {
            targets: match &self.targets {
                Targets::Hard {
                    labels,
                    class_weights,
                    ignore,
                } => TargetSlice::Hard {
                    labels: labels.as_slice().ok_or_else(missing)?,
                    class_weights: class_weights.map(T::from_f64),
                    ignore: *ignore,
                },
                Targets::Soft(targets) => {
                    TargetSlice::Soft(targets.as_slice().ok_or_else(missing)?)
                }
            },
            samples: match &self.samples {
                Some(weights) => Some(weights.as_slice().ok_or_else(missing)?),
                None => None,
            },
        })
    }

    /// Targets and weights as tensors of the shape of the logits.
    pub(crate) fn unpacked(&self, op: &'static str, shape: &[usize]) -> Result<[Tensor<T>; 2]> {
        let slices = self.slices(op)?;
        let mut weights = Tensor::zeros(shape)?;
        let targets = Tensor::write(shape, |targets| {
            match slices.unpack(0, targets, weights.make_mut()?) {
                true => Ok(()),
                false => Err(slices.first_bad(op)),
            }
        })?;
        Ok([targets, weights])
    }
}

/// The elements of [`ElementTargets`].
pub(crate) struct Slices<'a, T> {
    targets: TargetSlice<'a, T>,
    samples: Option<&'a [T]>,
}

enum TargetSlice<'a, T> {
    Hard {
        labels: &'a [i64],
        class_weights: [T; 2],
        ignore: Option<i64>,
    },
    Soft(&'a [T]),
}

impl<T: Float> Slices<'_, T> {
    /// Writes targets and weights of the elements from `start` on; false if one of the targets is
    /// none. An ignored element has target 0 and weight 0.
    #[inline(always)]
    pub(crate) fn unpack(&self, start: usize, targets: &mut [T], weights: &mut [T]) -> bool {
        let range = start..start + targets.len();
        let mut good = true;
        match &self.targets {
            TargetSlice::Hard {
                labels,
                class_weights: [negative, positive],
                ignore,
            } => {
                let (ignores, ignored_label) = (ignore.is_some(), ignore.unwrap_or(0));
                let outputs = targets.iter_mut().zip(weights.iter_mut());
                for (&label, (target, weight)) in labels[range.clone()].iter().zip(outputs) {
                    let is_positive = label == 1;
                    let ignored = ignores & (label == ignored_label);
                    *target = if is_positive & !ignored {
                        T::ONE
                    } else {
                        T::ZERO
                    };
                    let class_weight = if is_positive { *positive } else { *negative };
                    *weight = if ignored { T::ZERO } else { class_weight };
                    good &= (label == 0) | is_positive | ignored;
                }
            }
            TargetSlice::Soft(soft) => {
                weights.fill(T::ONE);
                targets.copy_from_slice(&soft[range.clone()]);
                for target in targets.iter() {
                    good &= (*target >= T::ZERO) & (*target <= T::ONE);
                }
            }
        }
        if let Some(samples) = self.samples {
            for (weight, sample) in weights.iter_mut().zip(&samples[range]) {
                *weight = *weight * *sample;
            }
        }
        good
    }

    /// Counts what the divisors of the reductions need.
    pub(crate) fn tally(&self, op: &'static str) -> Result<Tally> {
        let mut tally = Tally::default();
        let (mut y, mut w) = ([T::ZERO; BLOCK], [T::ZERO; BLOCK]);
        let count = self.count();
        for start in (0..count).step_by(BLOCK) {
            let length = BLOCK.min(count - start);
            let (y, w) = (&mut y[..length], &mut w[..length]);
            if !self.unpack(start, y, w) {
                return Err(self.first_bad(op));
            }
            tally.weight += w.iter().map(|w| w.to_f64()).sum::<f64>();
            tally.positives += y.iter().filter(|&&y| y > T::ZERO).count();
        }
        tally.count = match &self.targets {
            TargetSlice::Hard {
                labels,
                ignore: Some(ignore),
                ..
            } => labels.iter().filter(|&label| label != ignore).count(),
            _ => count,
        };
        Ok(tally)
    }

    /// Number of elements.
    fn count(&self) -> usize {
        match &self.targets {
            TargetSlice::Hard { labels, .. } => labels.len(),
            TargetSlice::Soft(targets) => targets.len(),
        }
    }

    /// The error for the first target that is none; a pass has seen that there is one.
    pub(crate) fn first_bad(&self, op: &'static str) -> Error {
        match &self.targets {
            TargetSlice::Hard { labels, ignore, .. } => {
                let bad = |&label: &i64| !(0..2).contains(&label) && Some(label) != *ignore;
                let row = labels.iter().position(bad).unwrap_or(0);
                bad_label(op, labels, row, 2, *ignore)
            }
            TargetSlice::Soft(targets) => {
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
