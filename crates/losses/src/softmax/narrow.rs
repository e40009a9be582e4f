//! Few classes: a register holds one class of many rows.

use macula_tensor::cpu::Simd;
use macula_tensor::cpu::lanes::Lanes;
use macula_tensor::{Float, Scalar};

use super::{Block, ROWS};

/// Writes the exponentials of the other classes to `scratch`, class by class, and `z_t − M` and `Σ`
/// of each row to `block`.
#[inline(always)]
pub(super) fn margins<S: Simd, T: Float>(
    simd: S,
    logits: &[T],
    classes: usize,
    block: &mut Block<T>,
    scratch: &mut [T],
) {
    let minus_infinity = T::from_f64(f64::NEG_INFINITY);
    let count = logits.len() / classes;
    for (row, logits) in logits.chunks_exact(classes).enumerate() {
        for (class, &logit) in logits.iter().enumerate() {
            scratch[class * ROWS + row] = logit;
        }
        let target = &mut scratch[block.targets[row] * ROWS + row];
        block.above[row] = std::mem::replace(target, minus_infinity);
    }
    let zero = Lanes::splat(simd, T::ZERO);
    let width = T::width::<S>();
    for start in (0..count).step_by(width) {
        let lanes = start..(start + width).min(ROWS);
        let mut largest = Lanes::splat(simd, minus_infinity);
        for column in scratch.chunks_exact(ROWS) {
            largest = largest.max(Lanes::load_partial(simd, &column[lanes.clone()]));
        }
        let mut sum = zero;
        for column in scratch.chunks_exact_mut(ROWS) {
            let other = Lanes::load_partial(simd, &column[lanes.clone()]);
            // Where both are infinite the difference is 0, not NaN.
            let below = Lanes::select(other.equal(largest), zero, other - largest);
            let exponential = below.exp();
            sum = sum + exponential;
            exponential.store_partial(&mut column[lanes.clone()]);
        }
        let target = Lanes::load_partial(simd, &block.above[lanes.clone()]);
        (target - largest).store_partial(&mut block.above[lanes.clone()]);
        sum.store_partial(&mut block.sums[lanes]);
    }
}

/// Writes the gradient of the rows.
#[inline(always)]
pub(super) fn gradient<S: Simd, T: Float>(
    simd: S,
    gradient: &mut [T],
    classes: usize,
    block: &Block<T>,
    scratch: &mut [T],
) {
    let zero = Lanes::splat(simd, T::ZERO);
    let width = T::width::<S>();
    let count = gradient.len() / classes;
    for start in (0..count).step_by(width) {
        let lanes = start..(start + width).min(ROWS);
        let load = |slice: &[T; ROWS]| Lanes::load_partial(simd, &slice[lanes.clone()]);
        let scale = -load(&block.slopes) / load(&block.sums);
        let absent = load(&block.weights).equal(zero);
        for column in scratch.chunks_exact_mut(ROWS) {
            let column = &mut column[lanes.clone()];
            let share = scale * Lanes::load_partial(simd, column);
            Lanes::select(absent, zero, share).store_partial(column);
        }
    }
    for (row, gradient) in gradient.chunks_exact_mut(classes).enumerate() {
        for (class, share) in gradient.iter_mut().enumerate() {
            *share = scratch[class * ROWS + row];
        }
        gradient[block.targets[row]] = block.slopes[row];
    }
}
