//! The pass for rows in which more than one class counts: soft targets and label smoothing.
//!
//! The loss of a row is `Σ_c a_c·f(s_c)`, `a_c` the weighted share of class `c` and `s_c` its
//! margin. A register holds classes of one or several rows.

use macula_tensor::Float;
use macula_tensor::cpu::lanes::{Lanes, WIDEST};
use macula_tensor::cpu::{Simd, WithSimd};

use super::Pass;
use super::margins::{ClassMargins, rows_of_block};
use super::rows::Rows;
use crate::formula::{Elementwise, MarginLoss, OfMargin};

pub(super) struct MixedPass<'a, L, T>(pub(super) Pass<'a, L, T>);

/// A block of rows on its way: numbers for each row and class.
struct Block<T> {
    shares: Vec<T>,
    values: Vec<T>,
    /// `factor · a_c · f′(s_c)`.
    slopes: Vec<T>,
}

impl<L: MarginLoss, T: Float> WithSimd for MixedPass<'_, L, T> {
    /// The sum of the losses; none where a target is none.
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
        let classes = rows.classes();
        let block_rows = rows_of_block(classes);
        let mut margins = ClassMargins::new(block_rows, classes);
        let numbers = || vec![T::ZERO; block_rows * classes];
        let mut block = Block {
            shares: numbers(),
            values: numbers(),
            slopes: numbers(),
        };
        let mut total = 0.0;
        for (index, logits) in logits.chunks(block_rows * classes).enumerate() {
            let first = index * block_rows;
            for (row, shares) in block.shares[..logits.len()]
                .chunks_exact_mut(classes)
                .enumerate()
            {
                if !rows.weighted_shares(piece.first_row + first + row, shares) {
                    return None;
                }
            }
            margins.fill(simd, logits, classes);
            evaluate(
                simd,
                formula,
                rows,
                factor,
                &margins,
                &mut block,
                logits.len(),
            );
            for row in 0..logits.len() / classes {
                let range = row * classes..(row + 1) * classes;
                let values = block.values[range.clone()].iter();
                let value = values.fold(T::ZERO, |sum, &value| sum + value);
                total += value.to_f64();
                if let Some(values) = &mut piece.values {
                    values[first + row] = value;
                }
                if let Some(gradient) = &mut piece.gradient {
                    let gradient = &mut gradient[(first + row) * classes..][..classes];
                    if block.shares[range.clone()].iter().all(|&a| a == T::ZERO) {
                        gradient.fill(T::ZERO);
                    } else {
                        margins.gradient(row, &block.slopes[range], gradient);
                    }
                }
            }
        }
        Some(total)
    }
}

/// Applies the formula and the weights.
#[inline(always)]
fn evaluate<S: Simd, T: Float, L: MarginLoss>(
    simd: S,
    formula: L,
    rows: Rows<'_, T>,
    factor: T,
    margins: &ClassMargins<T>,
    block: &mut Block<T>,
    count: usize,
) {
    let classes = rows.classes();
    let zero = Lanes::splat(simd, T::ZERO);
    let factor = Lanes::splat(simd, factor);
    let formula = OfMargin {
        formula,
        set: rows.settings.is_some(),
    };
    let width = T::width::<S>();
    for start in (0..count).step_by(width) {
        let lanes = start..(start + width).min(count);
        let load = |slice: &[T]| Lanes::load_partial(simd, &slice[lanes.clone()]);
        // The numbers of the classes that the lanes hold.
        let of_classes = |numbers: Option<&[T]>| match numbers {
            None => zero,
            Some(numbers) => {
                let mut register = [T::ZERO; WIDEST];
                let classes = (start..).map(|index| index % classes);
                for (number, class) in register[..width].iter_mut().zip(classes) {
                    *number = numbers[class];
                }
                Lanes::load_partial(simd, &register[..width])
            }
        };
        let margin = load(&margins.margins) - of_classes(rows.handicaps);
        let setting = of_classes(rows.settings);
        let share = load(&block.shares);
        let (value, slope) = formula.value_and_slope([margin, setting, share]);
        value.store_partial(&mut block.values[lanes.clone()]);
        (slope * factor).store_partial(&mut block.slopes[lanes]);
    }
}
