//! Many classes: a register holds classes of one row.

use std::mem::replace;

use macula_tensor::cpu::Simd;
use macula_tensor::cpu::lanes::Lanes;
use macula_tensor::{Float, Scalar};

use super::ahead::Ahead;
use super::block::Block;

/// Numbers of a block, if a row has not more: 16 to 32 KiB of exponentials, in the first-level
/// cache.
pub(super) const NUMBERS: usize = 4096;
/// The largest number of a row is sought in as many registers in turn, so that no comparison waits
/// for the one before.
const TURNS: usize = 4;

/// The exponentials of a block, each row in whole registers.
pub(super) struct Scratch<T>(Vec<T>);

impl<T: Float> Scratch<T> {
    pub(super) fn new(rows: usize, classes: usize) -> Self {
        Self(vec![T::ZERO; rows * padded(classes)])
    }
}

/// The length of a row in the scratch: whole registers, whatever their width.
fn padded(classes: usize) -> usize {
    classes.next_multiple_of(16)
}

/// Writes the exponentials of the other classes to `scratch`, and `z_t − M` and `Σ` of each
/// row to `block`. What follows the block in memory are the rows `upcoming`.
#[inline(always)]
pub(super) fn margins<S: Simd, T: Float>(
    simd: S,
    logits: &[T],
    upcoming: &[T],
    classes: usize,
    block: &mut Block<T>,
    scratch: &mut Scratch<T>,
) {
    let minus_infinity = T::from_f64(f64::NEG_INFINITY);
    let zero = Lanes::splat(simd, T::ZERO);
    let rows = scratch.0.chunks_exact_mut(padded(classes));
    let next_rows = logits.chunks_exact(classes).skip(1);
    let mut next_rows = next_rows.chain(upcoming.chunks(classes).take(1));
    for (row, (others, logits)) in rows.zip(logits.chunks_exact(classes)).enumerate() {
        others[..classes].copy_from_slice(logits);
        others[classes..].fill(minus_infinity);
        let target = replace(&mut others[block.targets[row]], minus_infinity);
        let (vectors, _) = T::split_mut::<S>(others);

        let largest = largest(simd, vectors);
        let shift = Lanes::splat(simd, largest);
        let mut ahead = Ahead::new::<S>(next_rows.next().unwrap_or_default());
        let mut sum = zero;
        for vector in vectors {
            ahead.read();
            let other = Lanes::new(simd, *vector);
            // Where both are infinite the difference is 0, not NaN.
            let below = Lanes::select(other.equal(shift), zero, other - shift);
            let exponential = below.exp_of_negative();
            sum = sum + exponential;
            *vector = exponential.vector;
        }
        ahead.done();
        block.above[row] = target - largest;
        block.sums[row] = sum.sum();
    }
}

/// The largest of all lanes; NaN may be passed over, as it comes back with its exponential.
#[inline(always)]
fn largest<S: Simd, T: Float>(simd: S, vectors: &[T::Vector<S>]) -> T {
    let mut largest = [Lanes::splat(simd, T::from_f64(f64::NEG_INFINITY)); TURNS];
    let (chunks, rest) = vectors.as_chunks::<TURNS>();
    for chunk in chunks {
        for turn in 0..TURNS {
            largest[turn] = largest[turn].larger(Lanes::new(simd, chunk[turn]));
        }
    }
    for (largest, &vector) in largest.iter_mut().zip(rest) {
        *largest = largest.larger(Lanes::new(simd, vector));
    }
    let [a, b, c, d] = largest;
    a.larger(b).larger(c.larger(d)).largest()
}

/// Writes the gradient of the rows.
#[inline(always)]
pub(super) fn gradient<S: Simd, T: Float>(
    simd: S,
    gradient: &mut [T],
    classes: usize,
    block: &Block<T>,
    scratch: &Scratch<T>,
) {
    let rows = scratch.0.chunks_exact(padded(classes));
    for (row, (exponentials, gradient)) in rows.zip(gradient.chunks_exact_mut(classes)).enumerate()
    {
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
        if !rest.is_empty() {
            (Lanes::new(simd, exponentials[vectors.len()]) * scale).store_partial(rest);
        }
        gradient[block.targets[row]] = slope;
    }
}
