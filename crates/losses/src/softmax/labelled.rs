//! The pass for rows in which one class counts.
//!
//! Rows are taken in blocks, so that their margins meet the formula as registers. Three layouts
//! differ in how the exponentials of a block are summed: [`pairs`] has none, [`narrow`] lets
//! registers run across the rows, [`wide`] fills them with classes of one row.

use macula_tensor::Float;
use macula_tensor::cpu::{Simd, WithSimd};

use super::block::{Block, ROWS};
use super::{Pass, narrow, pairs, wide};
use crate::formula::{MarginLoss, OfMargin};

pub(super) struct LabelledPass<'a, L, T>(pub(super) Pass<'a, L, T>);

enum Layout<T> {
    Pairs,
    Narrow(narrow::Scratch<T>),
    Wide(wide::Scratch<T>),
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
            logits,
            mut piece,
        } = self.0;
        let formula = OfMargin {
            formula,
            set: rows.settings.is_some(),
        };
        let classes = rows.classes();
        let (mut layout, block_rows) = Layout::new::<S>(classes);
        let mut block = Block::new();
        let mut total = 0.0;
        for (index, logits) in logits.chunks(block_rows * classes).enumerate() {
            let first = index * block_rows;
            let count = logits.len() / classes;
            if !block.take_targets(rows, piece.first_row + first, count) {
                return None;
            }
            match &mut layout {
                Layout::Pairs => pairs::margins(logits, &mut block),
                Layout::Narrow(scratch) => {
                    narrow::margins(simd, logits, classes, &mut block, scratch);
                }
                Layout::Wide(scratch) => {
                    wide::margins(simd, logits, classes, &mut block, scratch);
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
    fn new<S: Simd>(classes: usize) -> (Self, usize) {
        if classes == 2 {
            (Self::Pairs, ROWS)
        } else if classes <= narrow::CLASSES {
            let rows = (narrow::NUMBERS / classes).min(ROWS);
            (Self::Narrow(narrow::Scratch::new(rows, classes)), rows)
        } else {
            let rows = (wide::NUMBERS / classes).clamp(1, ROWS);
            (Self::Wide(wide::Scratch::new::<S>(rows, classes)), rows)
        }
    }
}
