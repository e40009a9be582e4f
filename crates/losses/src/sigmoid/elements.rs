//! Targets and weights of elements as numbers, unpacked block by block.

use macula_tensor::cpu::lanes::WIDEST;
use macula_tensor::{Error, Float, Result};

use crate::checks::{bad_label, every};
use crate::reduction::Tally;

/// Elements that the driver unpacks at a time, so that targets and weights as numbers never leave
/// the first-level cache: a multiple of four registers, however wide they are.
pub(super) const BLOCK: usize = 512;
const _: () = assert!(BLOCK.is_multiple_of(4 * WIDEST));

/// The elements of [`ElementTargets`](super::ElementTargets), row by row. A column is an index of
/// the last axis.
#[derive(Clone, Copy)]
pub(crate) struct Elements<'a, T> {
    pub(super) targets: TargetSlice<'a, T>,
    pub(super) shape: &'a [usize],
    /// Whether a target that is no label unpacks into the weights of both labels.
    pub(super) mix: bool,
    /// ε, where a target y is read as (1 − ε)·y + ε/2.
    pub(super) smoothing: T,
    /// The weights of labels 0 and 1: a pair for each column, or one for all.
    pub(super) label_weights: &'a [[T; 2]],
    /// A setting of the formula for each column.
    pub(super) settings: Option<&'a [T]>,
    pub(super) samples: Option<&'a [T]>,
}

#[derive(Clone, Copy)]
pub(super) enum TargetSlice<'a, T> {
    Hard {
        labels: &'a [i64],
        ignore: Option<i64>,
    },
    Soft(&'a [T]),
}

impl<T: Float> Elements<'_, T> {
    /// Writes targets and weights of the elements from `start` on, or, for targets that mix, the
    /// weights of label 1 and of label 0; false if one of the targets is none. An ignored element
    /// has target 0 and weight 0.
    #[inline(always)]
    pub(crate) fn unpack(&self, start: usize, first: &mut [T], second: &mut [T]) -> bool {
        let range = start..start + first.len();
        let good = match &self.targets {
            TargetSlice::Hard { labels, ignore } => {
                let labels = &labels[range.clone()];
                let good = if self.smoothing > T::ZERO || self.settings.is_some() {
                    let targets = labels.iter().map(|&label| T::from_f64(label as f64));
                    self.unpack_soft(targets, start, first, second);
                    all_labels(labels)
                } else {
                    self.unpack_labels(labels, start, first, second)
                };
                match *ignore {
                    Some(ignore) => blank_ignored(labels, ignore, first, second),
                    None => good,
                }
            }
            TargetSlice::Soft(targets) => {
                let targets = &targets[range.clone()];
                self.unpack_soft(targets.iter().copied(), start, first, second);
                every(targets, |&y| y >= T::ZERO && y <= T::ONE)
            }
        };
        if let Some(samples) = self.samples {
            let samples = &samples[range];
            multiply(second, samples);
            if self.mixes() {
                multiply(first, samples);
            }
        }
        good
    }

    /// The same for labels that are read as they are; false if there are others than 0 and 1.
    ///
    /// One simple loop for each output, which the compiler turns into registers; together in one loop
    /// they stay scalar, and cost more than the loss. The weights follow from the targets, which in
    /// `f32` are half as many bytes as the labels.
    #[inline(always)]
    fn unpack_labels(
        &self,
        labels: &[i64],
        start: usize,
        targets: &mut [T],
        weights: &mut [T],
    ) -> bool {
        for (target, &label) in targets.iter_mut().zip(labels) {
            *target = if label == 1 { T::ONE } else { T::ZERO };
        }
        let outputs = weights.iter_mut().zip(&*targets);
        if let &[[negative, positive]] = self.label_weights {
            for (weight, &target) in outputs {
                *weight = if target == T::ONE { positive } else { negative };
            }
        } else {
            for ((weight, &target), &pair) in outputs.zip(from_column(self.label_weights, start)) {
                *weight = pair[usize::from(target == T::ONE)];
            }
        }
        all_labels(labels)
    }

    /// The same for targets between the labels.
    #[inline(always)]
    fn unpack_soft(
        &self,
        targets: impl Iterator<Item = T>,
        start: usize,
        first: &mut [T],
        second: &mut [T],
    ) {
        let (kept, spread) = (T::ONE - self.smoothing, self.smoothing / T::from_f64(2.0));
        for (first, target) in first.iter_mut().zip(targets) {
            *first = kept * target + spread;
        }
        let outputs = first.iter_mut().zip(second);
        if let &[weights] = self.label_weights {
            for (first, second) in outputs {
                (*first, *second) = self.numbers_of_soft(*first, weights);
            }
        } else {
            for ((first, second), &weights) in outputs.zip(from_column(self.label_weights, start)) {
                (*first, *second) = self.numbers_of_soft(*first, weights);
            }
        }
    }

    /// What a target between the labels unpacks into.
    #[inline(always)]
    fn numbers_of_soft(&self, target: T, [negative, positive]: [T; 2]) -> (T, T) {
        let (of_1, of_0) = (positive * target, negative * (T::ONE - target));
        match self.mix {
            true => (of_1, of_0),
            // y·w + (1 − y)·w is not w to the bit.
            false if positive == negative => (target, positive),
            false => (target, of_1 + of_0),
        }
    }

    /// Writes the setting of each element from `start` on.
    pub(super) fn unpack_settings(&self, start: usize, output: &mut [T]) {
        if let Some(settings) = self.settings {
            for (output, &setting) in output.iter_mut().zip(from_column(settings, start)) {
                *output = setting;
            }
        }
    }

    /// Whether what is unpacked are the weights of both labels.
    pub(crate) fn mixes(&self) -> bool {
        let soft = matches!(self.targets, TargetSlice::Soft(_)) || self.smoothing > T::ZERO;
        self.mix && (soft || self.settings.is_some())
    }

    /// Counts what the divisors of the reductions need; targets from `positive` on are positives.
    /// Smoothing changes no divisor.
    pub(crate) fn tally(&self, op: &'static str, positive: f64) -> Result<Tally> {
        let unsmoothed = Self {
            smoothing: T::ZERO,
            ..*self
        };
        let mut tally = Tally::default();
        let (mut first, mut second) = ([T::ZERO; BLOCK], [T::ZERO; BLOCK]);
        let count = self.count();
        let mixes = unsmoothed.mixes();
        for start in (0..count).step_by(BLOCK) {
            let length = BLOCK.min(count - start);
            let (first, second) = (&mut first[..length], &mut second[..length]);
            if !unsmoothed.unpack(start, first, second) {
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
            TargetSlice::Soft(targets) => targets.iter().filter(|y| y.to_f64() >= positive).count(),
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
            TargetSlice::Soft(targets) => targets.len(),
        }
    }

    /// The error for the first target that is none; a pass has seen that there is one.
    pub(crate) fn first_bad(&self, op: &'static str) -> Error {
        match &self.targets {
            TargetSlice::Hard { labels, ignore } => {
                let bad = |&label: &i64| !(0..2).contains(&label) && Some(label) != *ignore;
                let index = labels.iter().position(bad).unwrap_or(0);
                bad_label(op, labels, index, self.shape, 2, *ignore)
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

#[inline(always)]
fn multiply<T: Float>(numbers: &mut [T], factors: &[T]) {
    for (number, &factor) in numbers.iter_mut().zip(factors) {
        *number = *number * factor;
    }
}

/// The numbers of the columns, again and again, from that of an element on.
#[inline(always)]
fn from_column<N>(of_columns: &[N], element: usize) -> impl Iterator<Item = &N> {
    let column = element % of_columns.len().max(1);
    of_columns.iter().cycle().skip(column)
}

/// Whether there are no labels but 0 and 1.
#[inline(always)]
fn all_labels(labels: &[i64]) -> bool {
    every(labels, |&label| label & !1 == 0)
}

/// Gives the ignored elements target 0 and weight 0; false if a label is neither 0, 1 nor ignored.
#[inline(always)]
fn blank_ignored<T: Float>(
    labels: &[i64],
    ignore: i64,
    targets: &mut [T],
    weights: &mut [T],
) -> bool {
    for numbers in [targets, weights] {
        for (number, &label) in numbers.iter_mut().zip(labels) {
            *number = if label == ignore { T::ZERO } else { *number };
        }
    }
    every(labels, |&label| label == ignore || label & !1 == 0)
}
