//! Many classes: a register holds classes of one row.

use std::mem::replace;
use std::slice::ChunksExactMut;

use macula_tensor::Float;
use macula_tensor::cpu::Simd;
use macula_tensor::cpu::lanes::{InStep, Lanes, prefetch};

use super::block::{Block, ROWS};
use super::infinite::set_infinite_aside;

/// Logits of a block of 256 classes or more, if a row has not more: 64 or 128 KiB, and as much of
/// exponentials, which the second-level cache holds. Less would stay in the first, but logits that
/// come from memory would do so in shorter runs, which takes longer.
pub(super) const NUMBERS: usize = 16 * 1024;

/// The exponentials of a block, each row in whole registers, four by four.
pub(super) struct Scratch<T> {
    numbers: Vec<T>,
    /// Numbers of a row, with those that fill up its last registers.
    row_length: usize,
}

impl<T: Float> Scratch<T> {
    pub(super) fn new<S: Simd>(rows: usize, classes: usize) -> Self {
        let row_length = classes.next_multiple_of(InStep::<T>::width::<S>());
        Self {
            numbers: vec![T::ZERO; rows * row_length],
            row_length,
        }
    }

    fn rows(&mut self) -> ChunksExactMut<'_, T> {
        self.numbers.chunks_exact_mut(self.row_length)
    }
}

/// Writes the exponentials of the other classes to `scratch`, and `z_t − M` and `Σ` of each
/// row to `block`.
///
/// The rows pass by three times. What comes from memory is best read without a pause; and all
/// exponentials of a row wait for its largest number, while the largest numbers of two rows do not
/// wait for each other.
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
    let next_block = logits.as_ptr_range().end;
    let count = rows.len();
    for (others, logits) in scratch.rows().zip(rows) {
        others[..classes].copy_from_slice(logits);
        others[classes..].fill(minus_infinity);
    }
    let mut references = [T::ZERO; ROWS];
    for (row, others) in scratch.rows().take(count).enumerate() {
        let target = replace(&mut others[block.targets[row]], minus_infinity);
        let largest = largest(simd, others);
        block.above[row] = target - largest;
        references[row] = set_infinite_aside(others, largest);
    }
    for (row, others) in scratch.rows().take(count).enumerate() {
        let next = next_block.wrapping_add(row * classes);
        block.sums[row] = exponentials(simd, others, references[row], next);
    }
}

/// Turns logits into the exponentials of their distance from `reference`, and returns the sum.
///
/// Meanwhile memory is asked for the logits at `next`, as many, which the next block begins with.
#[inline(always)]
fn exponentials<S: Simd, T: Float>(
    simd: S,
    others: &mut [T],
    reference: T,
    mut next: *const T,
) -> T {
    let reference = Lanes::splat(simd, InStep(reference));
    let mut sum = Lanes::splat(simd, InStep(T::ZERO));
    for four in InStep::split_mut::<S>(others).0 {
        for _ in 0..4 {
            prefetch(simd, next);
            next = next.wrapping_add(T::width::<S>());
        }
        let exponential = (Lanes::new(simd, *four) - reference).exp_of_negative();
        sum = sum + exponential;
        *four = exponential.vector;
    }
    sum.sum_of_registers().sum()
}

/// The largest number; NaN may be passed over, as it comes back with its exponential.
#[inline(always)]
fn largest<S: Simd, T: Float>(simd: S, others: &[T]) -> T {
    let mut largest = Lanes::splat(simd, InStep(T::from_f64(f64::NEG_INFINITY)));
    for four in InStep::split::<S>(others).0 {
        largest = largest.larger(Lanes::new(simd, *four));
    }
    let [a, b, c, d] = largest.registers();
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
    let rows = scratch.numbers.chunks_exact(scratch.row_length);
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
