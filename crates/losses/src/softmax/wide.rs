//! Many classes: a register holds classes of one row.

use std::mem::replace;
use std::slice::ChunksExactMut;

use macula_tensor::Float;
use macula_tensor::cpu::Simd;
use macula_tensor::cpu::lanes::{InStep, Lanes};

use super::block::{Block, ROWS};
use super::exponential::exponential;

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

    fn rows(&mut self, classes: usize) -> ChunksExactMut<'_, T> {
        self.0.chunks_exact_mut(padded(classes))
    }
}

/// The length of a row in the scratch: whole registers, whatever their width.
fn padded(classes: usize) -> usize {
    classes.next_multiple_of(16)
}

/// Writes the exponentials of the other classes to `scratch`, and `z_t − M` and `Σ` of each
/// row to `block`.
///
/// The rows pass by three times. What comes from memory is best read without a pause, and the
/// largest number of a row, which all its exponentials wait for, is found while the next row's is
/// sought.
#[inline(always)]
pub(super) fn margins<S: Simd, T: Float>(
    simd: S,
    logits: &[T],
    classes: usize,
    block: &mut Block<T>,
    scratch: &mut Scratch<T>,
) {
    let minus_infinity = T::from_f64(f64::NEG_INFINITY);
    let rows = logits.chunks_exact(classes);
    let count = rows.len();
    for (others, logits) in scratch.rows(classes).zip(rows) {
        others[..classes].copy_from_slice(logits);
        others[classes..].fill(minus_infinity);
    }
    let mut largest_of_rows = [T::ZERO; ROWS];
    for (row, others) in scratch.rows(classes).take(count).enumerate() {
        let target = replace(&mut others[block.targets[row]], minus_infinity);
        let largest = largest(simd, T::split::<S>(others).0);
        block.above[row] = target - largest;
        largest_of_rows[row] = largest;
    }
    for (row, others) in scratch.rows(classes).take(count).enumerate() {
        block.sums[row] = exponentials(simd, others, largest_of_rows[row]);
    }
}

/// Turns logits into their exponentials and returns the sum of these.
#[inline(always)]
fn exponentials<S: Simd, T: Float>(simd: S, others: &mut [T], largest: T) -> T {
    let (fours, rest) = InStep::split_mut::<S>(others);
    let shift = Lanes::splat(simd, InStep(largest));
    let mut sum = Lanes::splat(simd, InStep(T::ZERO));
    for four in fours {
        let exponential = exponential(Lanes::new(simd, *four), shift);
        sum = sum + exponential;
        *four = exponential.vector;
    }
    let shift = Lanes::splat(simd, largest);
    let mut sum = sum.sum_of_registers();
    for vector in rest {
        let exponential = exponential(Lanes::new(simd, *vector), shift);
        sum = sum + exponential;
        *vector = exponential.vector;
    }
    sum.sum()
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
