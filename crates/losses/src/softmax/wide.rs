//! Many classes: a register holds classes of one row.

use macula_tensor::cpu::Simd;
use macula_tensor::cpu::lanes::Lanes;
use macula_tensor::{Float, Scalar};

use super::Block;

/// Elements of the exponentials of a block: 16 to 32 KiB, in the first-level cache.
pub(super) const SCRATCH: usize = 4096;

/// The length of a row in the scratch: whole registers.
pub(super) fn padded<S: Simd, T: Float>(classes: usize) -> usize {
    classes.next_multiple_of(T::width::<S>())
}

/// Writes the exponentials of the other classes to `scratch`, and `z_t − M` and `Σ` of each
/// row to `block`.
#[inline(always)]
pub(super) fn margins<S: Simd, T: Float>(
    simd: S,
    logits: &[T],
    classes: usize,
    block: &mut Block<T>,
    scratch: &mut [T],
) {
    let minus_infinity = T::from_f64(f64::NEG_INFINITY);
    let padded = padded::<S, T>(classes);
    let rows = logits
        .chunks_exact(classes)
        .zip(scratch.chunks_exact_mut(padded));
    for (row, (logits, others)) in rows.enumerate() {
        others[..classes].copy_from_slice(logits);
        others[classes..].fill(minus_infinity);
        let target = std::mem::replace(&mut others[block.targets[row]], minus_infinity);

        let (vectors, _) = T::split_mut::<S>(others);
        let mut largest = Lanes::splat(simd, minus_infinity);
        for vector in vectors.iter() {
            largest = largest.max(Lanes::new(simd, *vector));
        }
        let largest = largest.largest();
        let shift = Lanes::splat(simd, largest);
        let zero = Lanes::splat(simd, T::ZERO);
        let mut sum = zero;
        for vector in vectors.iter_mut() {
            let other = Lanes::new(simd, *vector);
            // Where both are infinite the difference is 0, not NaN.
            let below = Lanes::select(other.equal(shift), zero, other - shift);
            let exponential = below.exp();
            sum = sum + exponential;
            *vector = exponential.vector;
        }
        block.above[row] = target - largest;
        block.sums[row] = sum.sum();
    }
}

/// Writes the gradient of the rows.
#[inline(always)]
pub(super) fn gradient<S: Simd, T: Float>(
    simd: S,
    gradient: &mut [T],
    classes: usize,
    block: &Block<T>,
    scratch: &[T],
) {
    let padded = padded::<S, T>(classes);
    let rows = gradient
        .chunks_exact_mut(classes)
        .zip(scratch.chunks_exact(padded));
    for (row, (gradient, exponentials)) in rows.enumerate() {
        let slope = block.slopes[row];
        if block.weights[row] == T::ZERO {
            gradient.fill(T::ZERO);
            continue;
        }
        let scale = Lanes::splat(simd, -slope / block.sums[row]);
        let (exponentials, _) = T::split::<S>(exponentials);
        let (vectors, rest) = T::split_mut::<S>(gradient);
        for (vector, exponential) in vectors.iter_mut().zip(exponentials) {
            *vector = (Lanes::new(simd, *exponential) * scale).vector;
        }
        if let Some(last) = exponentials.last() {
            (Lanes::new(simd, *last) * scale).store_partial(rest);
        }
        gradient[block.targets[row]] = slope;
    }
}
