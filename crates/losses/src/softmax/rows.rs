//! Targets and weights of rows as numbers, for the loops.

use macula_tensor::{Error, Float, Result};

use crate::checks::bad_label;
use crate::reduction::Tally;

/// The elements of [`RowTargets`](super::RowTargets).
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    pub(super) shape: &'a [usize],
    pub(super) labels: &'a [i64],
    pub(super) shares: Option<&'a [T]>,
    pub(super) samples: Option<&'a [T]>,
    pub(super) class_weights: &'a [T],
    pub(super) smoothing: T,
    pub(super) settings: Option<&'a [T]>,
    pub(super) handicaps: Option<&'a [T]>,
    pub(super) ignore: Option<i64>,
}

impl<T: Float> Rows<'_, T> {
    /// Number of rows.
    pub(super) fn count(&self) -> usize {
        self.shape.iter().product()
    }

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
        let (mut class, mut weight) = ([0], [T::ZERO]);
        let good = self.unpack(row, &mut class, &mut weight);
        good.then_some((class[0], weight[0]))
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
            Some(ignore) => self.count() - self.labels.iter().filter(|&&y| y == ignore).count(),
            None => self.count(),
        }
    }

    pub(super) fn tally(&self, op: &'static str) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut shares = vec![T::ZERO; self.classes()];
        for row in 0..self.count() {
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
            let bad = (0..self.count()).find(|&row| self.target(row).is_none());
            let row = bad.unwrap_or(0);
            return bad_label(op, self.labels, row, self.shape, classes, self.ignore);
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
                index % classes,
                index / classes
            ),
        }
    }
}
