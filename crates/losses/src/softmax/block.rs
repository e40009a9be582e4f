//! A block of rows in which one class counts, and the formula applied to their margins.

use macula_tensor::cpu::Simd;
use macula_tensor::cpu::lanes::{InStep, Lanes, WIDEST};
use macula_tensor::{Float, Scalar};

use super::rows::Rows;
use crate::formula::{Elementwise, MarginLoss, OfMargin};

/// The most rows that a block has: a multiple of four registers, however wide they are.
pub(super) const ROWS: usize = 64;
const _: () = assert!(ROWS.is_multiple_of(4 * WIDEST));

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
    pub(super) values: [T; ROWS],
    /// `factor · w · f′(s)`.
    pub(super) slopes: [T; ROWS],
}

impl<T: Float> Block<T> {
    pub(super) fn new() -> Self {
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
    pub(super) fn take_targets(&mut self, rows: Rows<'_, T>, first: usize, count: usize) -> bool {
        self.weights[count..].fill(T::ZERO);
        let (targets, weights) = (&mut self.targets[..count], &mut self.weights[..count]);
        rows.unpack(first, targets, weights)
    }

    /// Handicaps are taken off the margins, and the settings are those of the targets.
    #[inline(always)]
    pub(super) fn take_numbers_of_classes(&mut self, rows: Rows<'_, T>, count: usize) {
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
    pub(super) fn evaluate<S: Simd, L: MarginLoss>(
        &mut self,
        simd: S,
        formula: OfMargin<L>,
        factor: T,
        count: usize,
    ) -> T {
        let fours = count.div_ceil(InStep::<T>::width::<S>());
        let above = &InStep::split::<S>(&self.above).0[..fours];
        let sums = &InStep::split::<S>(&self.sums).0[..fours];
        let settings = &InStep::split::<S>(&self.settings).0[..fours];
        let weights = &InStep::split::<S>(&self.weights).0[..fours];
        let values = &mut InStep::split_mut::<S>(&mut self.values).0[..fours];
        let slopes = &mut InStep::split_mut::<S>(&mut self.slopes).0[..fours];
        let factor = Lanes::splat(simd, InStep(factor));
        let mut total = Lanes::splat(simd, InStep(T::ZERO));
        for i in 0..fours {
            let margin = Lanes::new(simd, above[i]) - Lanes::new(simd, sums[i]).ln();
            let setting = Lanes::new(simd, settings[i]);
            let weight = Lanes::new(simd, weights[i]);
            let (value, slope) = formula.value_and_slope([margin, setting, weight]);
            total = total + value;
            values[i] = value.vector;
            slopes[i] = (slope * factor).vector;
        }
        total.sum_of_registers().sum()
    }
}
