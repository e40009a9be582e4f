//! The targets of rows or pixels, and their weights.

use macula_tensor::{Device, Error, Float, Result, Tensor};

use super::classes_last;
use crate::reduction::Tally;
use crate::targets::{bad_label, check_class_weights, check_sample_weights};

/// What may differ from class to class, and other settings that concern the targets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RowOptions {
    pub(crate) class_weights: Option<Vec<f64>>,
    /// The share of a target that is spread over all classes.
    pub(crate) smoothing: f64,
    /// A setting of the formula for each target class.
    pub(crate) settings: Option<Vec<f64>>,
    /// What is taken off the margin, for each target class.
    pub(crate) handicaps: Option<Vec<f64>>,
    pub(crate) ignore: Option<i64>,
}

impl RowOptions {
    pub(crate) const fn new() -> Self {
        Self {
            class_weights: None,
            smoothing: 0.0,
            settings: None,
            handicaps: None,
            ignore: None,
        }
    }

    /// # Errors
    /// Class weights must fit the classes, smoothing be in [0, 1), and settings and handicaps be
    /// finite and as many as the classes.
    fn check(&self, op: &'static str, classes: usize) -> Result<()> {
        if let Some(weights) = &self.class_weights {
            check_class_weights(op, "class weights", weights, classes)?;
        }
        if !(0.0..1.0).contains(&self.smoothing) {
            return Err(Error::Argument {
                op,
                argument: "label_smoothing",
                expected: "in [0, 1)".into(),
                found: self.smoothing.to_string(),
            });
        }
        for numbers in [&self.settings, &self.handicaps].into_iter().flatten() {
            if numbers.len() != classes || !numbers.iter().all(|x| x.is_finite()) {
                return Err(Error::Argument {
                    op,
                    argument: "numbers for each class",
                    expected: format!("{classes} finite numbers"),
                    found: format!("{numbers:?}"),
                });
            }
        }
        Ok(())
    }
}

/// The targets of rows, and their weights.
pub(crate) struct RowTargets<T: Float> {
    targets: Targets<T>,
    class_weights: Vec<T>,
    smoothing: T,
    settings: Option<Vec<T>>,
    handicaps: Option<Vec<T>>,
    samples: Option<Tensor<T>>,
    ignore: Option<i64>,
}

enum Targets<T: Float> {
    /// A class for each row.
    Labels(Tensor<i64>),
    /// A share for each row and class, the classes last.
    Shares(Tensor<T>),
}

impl<T: Float> RowTargets<T> {
    /// A class for each row.
    pub(crate) fn labels(labels: &Tensor<i64>) -> Result<Self> {
        let labels = labels.to(&Device::Cpu)?.contiguous()?;
        Ok(Self::unweighted(Targets::Labels(labels)))
    }

    /// A share for each row and class, in the layout of the logits.
    ///
    /// # Errors
    /// There must be an axis of classes.
    pub(crate) fn shares(op: &'static str, shares: &Tensor<T>) -> Result<Self> {
        if shares.rank() < 2 {
            return Err(Error::Shape {
                op,
                expected: "targets of shape [N, C] or [N, C, …]".into(),
                found: shares.shape().into(),
            });
        }
        let shares = classes_last(&shares.to(&Device::Cpu)?)?.contiguous()?;
        Ok(Self::unweighted(Targets::Shares(shares)))
    }

    fn unweighted(targets: Targets<T>) -> Self {
        Self {
            targets,
            class_weights: Vec::new(),
            smoothing: T::ZERO,
            settings: None,
            handicaps: None,
            samples: None,
            ignore: None,
        }
    }

    /// The same targets with everything that is set about them.
    ///
    /// Checks everything but the targets themselves, which the pass does.
    ///
    /// # Errors
    /// Logits must be `[N, C, …]`, the targets must fit them, and the options the classes.
    pub(crate) fn with(
        mut self,
        op: &'static str,
        logits: &[usize],
        options: &RowOptions,
        samples: Option<&Tensor<T>>,
    ) -> Result<Self> {
        let [rows, classes, pixels @ ..] = logits else {
            return Err(Error::Shape {
                op,
                expected: "logits of shape [N, C] or [N, C, …]".into(),
                found: logits.into(),
            });
        };
        let same_classes = match &self.targets {
            Targets::Labels(_) => true,
            Targets::Shares(shares) => shares.shape().last() == Some(classes),
        };
        let matches = matches!(self.shape(), [n, rest @ ..] if n == rows && rest == pixels);
        if !matches || !same_classes {
            let (what, expected): (_, Vec<_>) = match &self.targets {
                Targets::Labels(_) => ("labels", std::iter::once(rows).chain(pixels).collect()),
                Targets::Shares(_) => ("targets", logits.iter().collect()),
            };
            let mut found = self.shape().to_vec();
            if let Targets::Shares(shares) = &self.targets {
                found.splice(1..1, shares.shape().last().copied());
            }
            return Err(Error::Shape {
                op,
                expected: format!("{what} of shape {expected:?} for logits of shape {logits:?}"),
                found: found[..].into(),
            });
        }
        options.check(op, *classes)?;
        let lift = |numbers: &Vec<f64>| numbers.iter().map(|&x| T::from_f64(x)).collect();
        self.class_weights = match &options.class_weights {
            Some(weights) => lift(weights),
            None => vec![T::ONE; *classes],
        };
        self.smoothing = T::from_f64(options.smoothing);
        self.settings = options.settings.as_ref().map(lift);
        self.handicaps = options.handicaps.as_ref().map(lift);
        self.ignore = options.ignore;
        self.samples = samples
            .map(|weights| check_sample_weights(op, weights, self.shape()))
            .transpose()?;
        Ok(self)
    }

    /// The shape of the rows.
    pub(super) fn shape(&self) -> &[usize] {
        match &self.targets {
            Targets::Labels(labels) => labels.shape(),
            Targets::Shares(shares) => &shares.shape()[..shares.rank() - 1],
        }
    }

    /// Class and weight of each row.
    ///
    /// # Errors
    /// Every label must be a class, or the ignored one.
    pub(crate) fn labelled(&self, op: &'static str) -> Result<Labelled<T>> {
        let rows = self.rows();
        let mut weights = Tensor::zeros(self.shape())?;
        let classes = Tensor::write(self.shape(), |classes| {
            for (row, (class, weight)) in classes.iter_mut().zip(weights.make_mut()?).enumerate() {
                let target = rows.target(row).ok_or_else(|| rows.first_bad(op))?;
                *class = target.0 as i64;
                *weight = target.1;
            }
            Ok(())
        })?;
        let one_hot = classes.one_hot::<i64>(rows.classes())?;
        let shares = self.weighted_shares(op)?;
        Ok(Labelled {
            is_target: one_hot.cast::<bool>()?,
            classes,
            weights,
            shares,
        })
    }

    /// Each row's weighted share of each class, the classes last.
    ///
    /// # Errors
    /// The targets must be classes or shares.
    pub(super) fn weighted_shares(&self, op: &'static str) -> Result<Tensor<T>> {
        let rows = self.rows();
        let wide = self.shape().iter().copied().chain([rows.classes()]);
        Tensor::write(wide.collect::<Vec<_>>(), |shares| {
            for (row, shares) in shares.chunks_exact_mut(rows.classes().max(1)).enumerate() {
                if !rows.weighted_shares(row, shares) {
                    return Err(rows.first_bad(op));
                }
            }
            Ok(())
        })
    }

    /// What the divisors of the reductions need.
    pub(crate) fn tally(&self, op: &'static str) -> Result<Tally> {
        self.rows().tally(op)
    }

    pub(super) fn rows(&self) -> Rows<'_, T> {
        // All were made contiguous and brought to the CPU.
        let (labels, shares) = match &self.targets {
            Targets::Labels(labels) => (labels.as_slice(), None),
            Targets::Shares(shares) => (None, shares.as_slice()),
        };
        Rows {
            count: self.shape().iter().product(),
            labels: labels.unwrap_or_default(),
            shares,
            samples: self.samples.as_ref().and_then(Tensor::as_slice),
            class_weights: &self.class_weights,
            smoothing: self.smoothing,
            settings: self.settings.as_deref(),
            handicaps: self.handicaps.as_deref(),
            ignore: self.ignore,
        }
    }
}

/// Labels of rows in the forms that ordinary operations want.
pub(crate) struct Labelled<T: Float> {
    /// The class of each row; 0 for an ignored one.
    pub(crate) classes: Tensor<i64>,
    /// The weight of each row; 0 for an ignored one.
    pub(crate) weights: Tensor<T>,
    /// Whether a class, the last axis, is a row's own.
    pub(crate) is_target: Tensor<bool>,
    /// Each row's share of each class times the weight of the class: the smoothed label.
    pub(crate) shares: Tensor<T>,
}

/// The elements of [`RowTargets`].
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    pub(super) count: usize,
    labels: &'a [i64],
    shares: Option<&'a [T]>,
    samples: Option<&'a [T]>,
    pub(super) class_weights: &'a [T],
    smoothing: T,
    pub(super) settings: Option<&'a [T]>,
    pub(super) handicaps: Option<&'a [T]>,
    ignore: Option<i64>,
}

impl<T: Float> Rows<'_, T> {
    pub(super) fn classes(&self) -> usize {
        self.class_weights.len()
    }

    /// Whether more than one class of a row counts.
    pub(super) fn mixes(&self) -> bool {
        self.shares.is_some() || self.smoothing > T::ZERO
    }

    /// Class and weight of a row with a label; none where the label is no class. An ignored row
    /// has class 0 and weight 0.
    #[inline(always)]
    pub(super) fn target(&self, row: usize) -> Option<(usize, T)> {
        let label = self.labels[row];
        if Some(label) == self.ignore {
            return Some((0, T::ZERO));
        }
        let class = usize::try_from(label).ok()?;
        let weight = *self.class_weights.get(class)?;
        let sample = self.samples.map_or(T::ONE, |samples| samples[row]);
        Some((class, weight * sample))
    }

    /// Writes classes and weights of the rows from `first` on; false where a label is no class. An
    /// ignored row has class 0 and weight 0.
    ///
    /// Simple loops one after the other, most of which the compiler turns into registers.
    #[inline(always)]
    pub(super) fn unpack(&self, first: usize, targets: &mut [usize], weights: &mut [T]) -> bool {
        let labels = &self.labels[first..first + targets.len()];
        for (target, &label) in targets.iter_mut().zip(labels) {
            *target = usize::try_from(label).unwrap_or(usize::MAX);
        }
        if let Some(ignore) = self.ignore {
            for (target, &label) in targets.iter_mut().zip(labels) {
                *target = if label == ignore { 0 } else { *target };
            }
        }
        let largest = targets.iter().fold(0, |largest, &t| largest.max(t));
        if largest >= self.classes() {
            return false;
        }
        for (weight, &target) in weights.iter_mut().zip(&*targets) {
            *weight = self.class_weights[target];
        }
        if let Some(ignore) = self.ignore {
            for (weight, &label) in weights.iter_mut().zip(labels) {
                *weight = if label == ignore { T::ZERO } else { *weight };
            }
        }
        if let Some(samples) = self.samples {
            for (weight, &sample) in weights.iter_mut().zip(&samples[first..]) {
                *weight = *weight * sample;
            }
        }
        true
    }

    /// Writes for each class its share of a row times its weight; false where the target is none.
    /// An ignored row has no shares.
    #[inline(always)]
    pub(super) fn weighted_shares(&self, row: usize, output: &mut [T]) -> bool {
        let classes = self.classes();
        let spread = self.smoothing / T::from_f64(classes as f64);
        let sample = self.samples.map_or(T::ONE, |samples| samples[row]);
        let mut good = true;
        match self.shares {
            None => {
                let Some((class, weight)) = self.target(row) else {
                    return false;
                };
                let ignored = Some(self.labels[row]) == self.ignore;
                for (share, &weight) in output.iter_mut().zip(self.class_weights) {
                    *share = if ignored {
                        T::ZERO
                    } else {
                        spread * weight * sample
                    };
                }
                output[class] = output[class] + (T::ONE - self.smoothing) * weight;
            }
            Some(shares) => {
                let shares = &shares[row * classes..][..classes];
                let rest = T::ONE - self.smoothing;
                let pairs = shares.iter().zip(self.class_weights);
                for (output, (&share, &weight)) in output.iter_mut().zip(pairs) {
                    *output = (rest * share + spread) * weight * sample;
                    good &= share >= T::ZERO && share.is_finite();
                }
            }
        }
        good
    }

    /// Number of rows that are not ignored.
    pub(super) fn counted(&self) -> usize {
        match self.ignore {
            Some(ignore) => self.count - self.labels.iter().filter(|&&y| y == ignore).count(),
            None => self.count,
        }
    }

    pub(super) fn tally(&self, op: &'static str) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut shares = vec![T::ZERO; self.classes()];
        for row in 0..self.count {
            let (weight, counts, positive) = match self.shares {
                None => {
                    let (_, weight) = self.target(row).ok_or_else(|| self.first_bad(op))?;
                    let label = self.labels[row];
                    (weight.to_f64(), Some(label) != self.ignore, label > 0)
                }
                Some(all) => {
                    if !self.weighted_shares(row, &mut shares) {
                        return Err(self.first_bad(op));
                    }
                    let weight = shares.iter().map(|share| share.to_f64()).sum();
                    let given = &all[row * self.classes()..][..self.classes()];
                    let positive = given.iter().any(|&share| share > given[0]);
                    (weight, true, positive)
                }
            };
            if counts {
                tally.count += 1;
                tally.weight += weight;
                tally.positives += usize::from(positive);
            }
        }
        Ok(tally)
    }

    /// The error for the first target that is none; a pass has seen that there is one.
    pub(super) fn first_bad(&self, op: &'static str) -> Error {
        let classes = self.classes();
        let Some(shares) = self.shares else {
            let bad = (0..self.count).find(|&row| self.target(row).is_none());
            return bad_label(op, self.labels, bad.unwrap_or(0), classes, self.ignore);
        };
        let bad = |&share: &T| !(share >= T::ZERO && share.is_finite());
        let index = shares.iter().position(bad).unwrap_or(0);
        Error::Argument {
            op,
            argument: "targets",
            expected: "finite and not negative".into(),
            found: format!(
                "{} for class {} of row {}",
                shares[index],
                index % classes.max(1),
                index / classes.max(1)
            ),
        }
    }
}
