//! Few classes: registers run across the rows.
//!
//! The logits of a block are one run of numbers, and registers take them as they come, wherever a
//! row begins. Moving them class by class, so that a register holds one class of many rows, would
//! cost more than the exponentials.
//!
//! The numbers of a row meet in *windows*: `W_n(i) = a_i + a_{i+1} + … + a_{i+n−1}` for every `i`,
//! of which only those are read that begin with a row. As `W_2n(i) = W_n(i) + W_n(i + n)`, a window
//! over all classes takes log₂ C sweeps over the block. The largest of a row is found in the same
//! way. The way back, from a row to its numbers, is a store of whole registers where the row
//! begins; the next row overwrites what was too much.

use std::mem::{replace, swap};

use macula_tensor::cpu::Simd;
use macula_tensor::cpu::lanes::{InStep, Lanes, WIDEST};
use macula_tensor::{Float, Scalar};

use super::block::{Block, ROWS};
use super::infinite::set_infinite_aside;

/// Up to this many classes; for more, windows cost more than sums over the rows.
pub(super) const CLASSES: usize = 24;
/// Numbers of a block: all scratch together stays in the first-level cache.
pub(super) const NUMBERS: usize = 1024;

pub(super) struct Scratch<T> {
    /// The logits with −∞ in the place of the targets, then the exponentials.
    numbers: Vec<T>,
    windows: [Vec<T>; 2],
    /// For each number something of its row.
    of_rows: Vec<T>,
}

impl<T: Float> Scratch<T> {
    /// Room for a number of rows, and for what the last windows and the last row reach beyond them.
    pub(super) fn new(rows: usize, classes: usize) -> Self {
        let numbers = || vec![T::ZERO; (rows + 1) * classes + WIDEST];
        Self {
            numbers: numbers(),
            windows: [numbers(), numbers()],
            of_rows: numbers(),
        }
    }
}

/// Writes the exponentials of the other classes to `scratch`, and `z_t − M` and `Σ` of each row to
/// `block`.
#[inline(always)]
pub(super) fn margins<S: Simd, T: Float>(
    simd: S,
    logits: &[T],
    classes: usize,
    block: &mut Block<T>,
    scratch: &mut Scratch<T>,
) {
    let rows = logits.len() / classes;
    let Scratch {
        numbers,
        windows,
        of_rows,
    } = scratch;
    numbers[..logits.len()].copy_from_slice(logits);
    let targets = block.above.iter_mut().zip(&block.targets);
    for (row, (above, target)) in numbers.chunks_exact_mut(classes).zip(targets).take(rows) {
        *above = replace(&mut row[*target], T::from_f64(f64::NEG_INFINITY));
    }

    let registers = logits.len().div_ceil(T::width::<S>());
    let mut largest = [T::ZERO; ROWS];
    let windows_of_largest = windows_of::<S, T, Larger>(simd, numbers, classes, registers, windows);
    for (largest, window) in largest.iter_mut().zip(windows_of_largest.chunks(classes)) {
        *largest = window[0];
    }
    for (row, others) in numbers.chunks_exact_mut(classes).take(rows).enumerate() {
        block.above[row] = block.above[row] - largest[row];
        let reference = set_infinite_aside(others, largest[row]);
        spread(reference, &mut of_rows[row * classes..], classes);
    }

    let counted = registers * T::width::<S>();
    let (references, last_references) = InStep::split::<S>(&of_rows[..counted]);
    let (fours, last) = InStep::split_mut::<S>(&mut numbers[..counted]);
    for (four, &reference) in fours.iter_mut().zip(references) {
        let others = Lanes::<S, InStep<T>>::new(simd, *four);
        *four = (others - Lanes::new(simd, reference))
            .exp_of_negative()
            .vector;
    }
    for (vector, &reference) in last.iter_mut().zip(last_references) {
        let others = Lanes::<S, T>::new(simd, *vector);
        *vector = (others - Lanes::new(simd, reference))
            .exp_of_negative()
            .vector;
    }

    let sums = windows_of::<S, T, Sum>(simd, numbers, classes, registers, windows);
    for (row, sum) in block.sums[..rows].iter_mut().enumerate() {
        *sum = sums[row * classes];
    }
}

/// Writes the gradient of the rows.
#[inline(always)]
pub(super) fn gradient<S: Simd, T: Float>(
    simd: S,
    gradient: &mut [T],
    classes: usize,
    block: &Block<T>,
    scratch: &mut Scratch<T>,
) {
    let Scratch {
        numbers, of_rows, ..
    } = scratch;
    let rows = gradient.len() / classes;
    let mut factors = [T::ZERO; ROWS];
    let slopes = block.slopes.iter().zip(&block.sums);
    for (factor, (&slope, &sum)) in factors.iter_mut().zip(slopes) {
        *factor = -slope / sum;
    }
    for (row, (&factor, &weight)) in factors[..rows].iter().zip(&block.weights).enumerate() {
        let factor = if weight == T::ZERO { T::ZERO } else { factor };
        spread(factor, &mut of_rows[row * classes..], classes);
    }

    let zero = Lanes::splat(simd, T::ZERO);
    let (vectors, rest) = T::split_mut::<S>(gradient);
    let (exponentials, _) = T::split::<S>(numbers);
    let (factors, _) = T::split::<S>(of_rows);
    let share = |register: usize| {
        let factor = Lanes::new(simd, factors[register]);
        // A row that does not count may hold NaN.
        let product = Lanes::new(simd, exponentials[register]) * factor;
        Lanes::select(factor.equal(zero), zero, product)
    };
    let registers = vectors.len();
    for (register, vector) in vectors.iter_mut().enumerate() {
        *vector = share(register).vector;
    }
    if !rest.is_empty() {
        share(registers).store_partial(rest);
    }
    let targets = block.targets.iter().zip(&block.slopes);
    for (row, (&target, &slope)) in gradient.chunks_exact_mut(classes).zip(targets) {
        row[target] = slope;
    }
}

/// How two numbers become one.
trait Fold {
    fn fold<S: Simd, T: Float>(a: Lanes<S, T>, b: Lanes<S, T>) -> Lanes<S, T>;
}

struct Sum;

impl Fold for Sum {
    #[inline(always)]
    fn fold<S: Simd, T: Float>(a: Lanes<S, T>, b: Lanes<S, T>) -> Lanes<S, T> {
        a + b
    }
}

/// NaN may be lost: it comes back with its exponential.
struct Larger;

impl Fold for Larger {
    #[inline(always)]
    fn fold<S: Simd, T: Float>(a: Lanes<S, T>, b: Lanes<S, T>) -> Lanes<S, T> {
        a.larger(b)
    }
}

/// The windows of `length` numbers that begin in the first `registers`, in one of the two buffers.
#[inline(always)]
fn windows_of<'a, S: Simd, T: Float, F: Fold>(
    simd: S,
    numbers: &'a [T],
    length: usize,
    registers: usize,
    buffers: &'a mut [Vec<T>; 2],
) -> &'a [T] {
    let [from, to] = buffers;
    let (mut from, mut to) = (from, to);
    // The windows in `from` have as many numbers as the leading digits of the length say; a digit
    // more doubles them and may add one.
    let mut reached = 1;
    for digit in (0..length.ilog2()).rev() {
        let half: &[T] = if reached == 1 { numbers } else { &*from };
        let (first, _) = T::split::<S>(half);
        let (second, _) = T::split::<S>(&half[reached..]);
        let (windows, _) = T::split_mut::<S>(to);
        let pairs = first.iter().zip(second);
        let outputs = windows[..registers].iter_mut().zip(pairs);
        let odd = length >> digit & 1 == 1;
        if odd {
            let (third, _) = T::split::<S>(&numbers[2 * reached..]);
            for ((output, (&a, &b)), &c) in outputs.zip(third) {
                let [a, b, c] = [a, b, c].map(|vector| Lanes::<S, T>::new(simd, vector));
                *output = F::fold(F::fold(a, b), c).vector;
            }
        } else {
            for (output, (&a, &b)) in outputs {
                let [a, b] = [a, b].map(|vector| Lanes::<S, T>::new(simd, vector));
                *output = F::fold(a, b).vector;
            }
        }
        swap(&mut from, &mut to);
        reached = 2 * reached + usize::from(odd);
    }
    if reached == 1 { numbers } else { from }
}

/// Writes a number for each class, [`WIDEST`] at a time, and so some more beyond them.
#[inline(always)]
fn spread<T: Float>(number: T, row: &mut [T], classes: usize) {
    let (chunks, _) = row.as_chunks_mut::<WIDEST>();
    for chunk in &mut chunks[..classes.div_ceil(WIDEST)] {
        *chunk = [number; WIDEST];
    }
}
