//! The pass for rows in which one class counts.
//!
//! Rows are taken in blocks, so that their margins meet the formula as registers. Three layouts
//! differ in how the exponentials of a block are summed: [`pairs`] has none, [`narrow`] lets
//! registers run across the rows, [`wide`] fills them with classes of one row.

use std::hint::black_box;
use std::iter::StepBy;
use std::slice::Iter;

use macula_tensor::cpu::lanes::Lanes;
use macula_tensor::cpu::{Simd, WithSimd};
use macula_tensor::{Float, Scalar};

use super::rows::Rows;
use super::{Pass, narrow, pairs, wide};
use crate::formula::{MarginLoss, OfMargin};

/// The most rows that a block has.
pub(super) const ROWS: usize = 64;

pub(super) struct LabelledPass<'a, L, T>(pub(super) Pass<'a, L, T>);

/// A block of rows on its way.
pub(super) struct Block<T> {
    pub(super) targets: [usize; ROWS],
    /// 0 past the last row, so that what stands there adds nothing.
    pub(super) weights: [T; ROWS],
    /// A setting of the formula; 0 where it has none.
    settings: [T; ROWS],
    /// `z_t − M`.
    pub(super) above: [T; ROWS],
    /// Σ.
    pub(super) sums: [T; ROWS],
    values: [T; ROWS],
    /// `factor · w · f′(s)`.
    pub(super) slopes: [T; ROWS],
}

enum Layout<T> {
    Pairs,
    Narrow(narrow::Scratch<T>),
    Wide(wide::Scratch<T>),
}

/// Logits that come next, read while something else is computed.
///
/// The processor does not look as far ahead by itself: it would first wait for the logits of the
/// next rows and then compute. One number of each register calls for the whole of it.
pub(super) struct Ahead<'a, T> {
    numbers: StepBy<Iter<'a, T>>,
    sum: T,
}

impl<'a, T: Float> Ahead<'a, T> {
    #[inline(always)]
    pub(super) fn new<S: Simd>(next: &'a [T]) -> Self {
        Self {
            numbers: next.iter().step_by(T::width::<S>()),
            sum: T::ZERO,
        }
    }

    /// Reads from the next register.
    #[inline(always)]
    pub(super) fn read(&mut self) {
        self.sum = self.sum + *self.numbers.next().unwrap_or(&T::ZERO);
    }

    /// Has the compiler believe that what was read is needed.
    #[inline(always)]
    pub(super) fn done(self) {
        black_box(self.sum);
    }
}

impl<L: MarginLoss, T: Float> WithSimd for LabelledPass<'_, L, T> {
    /// The sum of the losses; none where a label is no class.
    type Output = Option<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Option<f64> {
        let Pass {
            formula,
            rows,
            factor,
            mut piece,
        } = self.0;
        let formula = OfMargin {
            formula,
            set: rows.settings.is_some(),
        };
        let classes = rows.classes();
        let (mut layout, block_rows) = Layout::new(classes);
        let mut block = Block::new();
        let mut total = 0.0;
        for (index, logits) in piece.logits.chunks(block_rows * classes).enumerate() {
            let first = index * block_rows;
            let count = logits.len() / classes;
            if !block.take_targets(rows, piece.first_row + first, count) {
                return None;
            }
            let upcoming = &piece.logits[(first + count) * classes..];
            match &mut layout {
                Layout::Pairs => pairs::margins(logits, &mut block),
                Layout::Narrow(scratch) => {
                    narrow::margins(simd, logits, upcoming, classes, &mut block, scratch);
                }
                Layout::Wide(scratch) => {
                    wide::margins(simd, logits, upcoming, classes, &mut block, scratch);
                }
            }
            block.take_numbers_of_classes(rows, count);
            total += block.evaluate(simd, formula, factor, count).to_f64();
            if let Some(values) = &mut piece.values {
                values[first..first + count].copy_from_slice(&block.values[..count]);
            }
            if let Some(gradient) = &mut piece.gradient {
                let gradient = &mut gradient[first * classes..][..count * classes];
                match &mut layout {
                    Layout::Pairs => pairs::gradient(gradient, &block),
                    Layout::Narrow(scratch) => {
                        narrow::gradient(simd, gradient, classes, &block, scratch);
                    }
                    Layout::Wide(scratch) => {
                        wide::gradient(simd, gradient, classes, &block, scratch);
                    }
                }
            }
        }
        Some(total)
    }
}

impl<T: Float> Layout<T> {
    /// The layout for a number of classes, and the rows of its blocks.
    fn new(classes: usize) -> (Self, usize) {
        if classes == 2 {
            (Self::Pairs, ROWS)
        } else if classes <= narrow::CLASSES {
            let rows = (narrow::NUMBERS / classes).min(ROWS);
            (Self::Narrow(narrow::Scratch::new(rows, classes)), rows)
        } else {
            let rows = (wide::NUMBERS / classes).clamp(1, ROWS);
            (Self::Wide(wide::Scratch::new(rows, classes)), rows)
        }
    }
}

impl<T: Float> Block<T> {
    fn new() -> Self {
        Self {
            targets: [0; ROWS],
            weights: [T::ZERO; ROWS],
            settings: [T::ZERO; ROWS],
            above: [T::ZERO; ROWS],
            sums: [T::ONE; ROWS],
            values: [T::ZERO; ROWS],
            slopes: [T::ZERO; ROWS],
        }
    }

    /// False if one of the labels is no class.
    #[inline(always)]
    fn take_targets(&mut self, rows: Rows<'_, T>, first: usize, count: usize) -> bool {
        self.weights[count..].fill(T::ZERO);
        let (targets, weights) = (&mut self.targets[..count], &mut self.weights[..count]);
        rows.unpack(first, targets, weights)
    }

    /// Handicaps are taken off the margins, and the settings are those of the targets.
    #[inline(always)]
    fn take_numbers_of_classes(&mut self, rows: Rows<'_, T>, count: usize) {
        let targets = &self.targets[..count];
        if let Some(handicaps) = rows.handicaps {
            for (above, &class) in self.above.iter_mut().zip(targets) {
                *above = *above - handicaps[class];
            }
        }
        if let Some(settings) = rows.settings {
            for (setting, &class) in self.settings.iter_mut().zip(targets) {
                *setting = settings[class];
            }
        }
    }

    /// Applies the formula and the weights to the margins, and returns the sum of the losses.
    #[inline(always)]
    fn evaluate<S: Simd, L: MarginLoss>(
        &mut self,
        simd: S,
        formula: OfMargin<L>,
        factor: T,
        count: usize,
    ) -> T {
        let registers = count.div_ceil(T::width::<S>());
        let above = &T::split::<S>(&self.above).0[..registers];
        let sums = &T::split::<S>(&self.sums).0[..registers];
        let settings = &T::split::<S>(&self.settings).0[..registers];
        let weights = &T::split::<S>(&self.weights).0[..registers];
        let values = &mut T::split_mut::<S>(&mut self.values).0[..registers];
        let slopes = &mut T::split_mut::<S>(&mut self.slopes).0[..registers];
        let factor = Lanes::splat(simd, factor);
        let mut total = Lanes::splat(simd, T::ZERO);
        for i in 0..registers {
            let margin = Lanes::new(simd, above[i]) - Lanes::new(simd, sums[i]).ln();
            let setting = Lanes::new(simd, settings[i]);
            let weight = Lanes::new(simd, weights[i]);
            let (value, slope) = formula.value_and_slope([margin, setting, weight]);
            total = total + value;
            values[i] = value.vector;
            slopes[i] = (slope * factor).vector;
        }
        total.sum()
    }
}
