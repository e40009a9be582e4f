//! The loop under every pointwise operation.
//!
//! The plain version is `for i in 0..n { output[i] = formula(a[i], b[i], …) }`. Departures:
//!
//! 1. It runs on registers instead of single numbers; the last, partly filled register takes the
//!    same path as the others, so a number's result does not depend on where it stands.
//! 2. An operand that does not lie in row-major order (a transpose, a broadcast column) is first
//!    unpacked, some elements at a time, into a scratch that stays in the first-level cache
//!    ([`source`](super::source)). So there is one inner loop for all strides.
//! 3. Large outputs are cut into pieces for several threads.
//!
//! 4. A derivative of second or higher order is not compiled: its [`Program`] is interpreted, each
//!    instruction on a whole register. It is rare, and compiling it would multiply what the
//!    compiler has to do for every formula.
//!
//! A formula's value may be multiplied by one more operand, the `seed`: that is the chain rule
//! (slope times upstream gradient) in one pass, without writing the slope to memory.

use pulp::{Simd, WithSimd};
use smallvec::SmallVec;

use super::lanes::{LaneFloat, LaneMemory, Lanes, dispatch};
use super::parallel::{PIECE, for_each_piece};
use super::source::{Along, BLOCK, Source, Stretch, long_row};
use super::walk::Row;
use crate::element::Float;
use crate::pointwise::{Derived, Pointwise};
use crate::program::Program;
use crate::tensor::View;

/// Writes `formula(inputs…)` to `output`.
///
/// All slices have the length of the output, here and below.
pub(crate) fn apply<T: Float, F: Pointwise<N>, const N: usize>(
    formula: &Derived<F>,
    inputs: &[&[T]; N],
    output: &mut [T],
) {
    in_pieces(&Kernel::of(formula, false), inputs, output);
}

/// Multiplies `product` by `formula(inputs…)`.
pub(crate) fn chain<T: Float, F: Pointwise<N>, const N: usize>(
    formula: &Derived<F>,
    inputs: &[&[T]; N],
    product: &mut [T],
) {
    in_pieces(&Kernel::of(formula, true), inputs, product);
}

fn in_pieces<T: Float, F: Pointwise<N>, const N: usize>(
    kernel: &Kernel<F>,
    inputs: &[&[T]; N],
    output: &mut [T],
) {
    if output.len() <= PIECE {
        return run(kernel, inputs, output);
    }
    for_each_piece(output, PIECE, |start, piece| {
        run(kernel, &cut(inputs, start, piece.len()), piece);
    });
}

/// Writes `seed · formula(inputs…)` to `output`.
pub(crate) fn chain_from<T: Float, F: Pointwise<N>, const N: usize>(
    formula: &Derived<F>,
    inputs: &[&[T]; N],
    seed: &[T],
    output: &mut [T],
) {
    let kernel = &Kernel::of(formula, true);
    for_each_piece(output, PIECE, |start, piece| {
        for (index, block) in piece.chunks_mut(BLOCK).enumerate() {
            let (first, length) = (start + index * BLOCK, block.len());
            block.copy_from_slice(&seed[first..first + length]);
            run(kernel, &cut(inputs, first, length), block);
        }
    });
}

fn cut<'a, T, const N: usize>(inputs: &[&'a [T]; N], start: usize, length: usize) -> [&'a [T]; N] {
    inputs.map(|input| &input[start..start + length])
}

/// The same for operands that lie in any order; the seed, if there is one, comes last.
///
/// The scratch for unpacking them stays off the stack of the common path.
#[inline(never)]
pub(crate) fn strided<T: Float, F: Pointwise<N>, const N: usize>(
    formula: &Derived<F>,
    operands: &[View<'_, T>],
    output: &mut [T],
) {
    let kernel = &Kernel::of(formula, operands.len() > N);
    let sources: SmallVec<[_; 4]> = operands.iter().copied().map(Source::new).collect();
    let (inputs, seed) = sources.split_at(N);
    let long = long_row(output);
    let even = inputs.iter().all(|input| input.is_even(long));
    for_each_piece(output, PIECE, |start, piece| {
        let mut scratch = [[T::ZERO; BLOCK]; N];
        let mut done = 0;
        while done < piece.len() {
            let first = start + done;
            let mut rows = [Row::default(); N];
            let mut stretch = Stretch::unpacked(piece.len() - done);
            if even {
                for (row, input) in rows.iter_mut().zip(inputs) {
                    *row = input.row_from(first);
                }
                stretch = Stretch::in_rows(&rows, piece.len() - done);
            }
            if !seed.is_empty() {
                // It is multiplied while its copy is in the first cache.
                stretch.step = stretch.step.min(BLOCK);
            }
            let mut along = [Along::default(); N];
            let operands = inputs.iter().zip(&rows).zip(&mut scratch);
            for (along, ((input, row), scratch)) in along.iter_mut().zip(operands) {
                *along = input.along(first, row, stretch, scratch);
            }
            let steps = piece[done..][..stretch.length].chunks_mut(stretch.step);
            for (number, output) in steps.enumerate() {
                let from = number * stretch.step;
                if let Some(seed) = seed.first() {
                    seed.copy(first + from, output);
                }
                let slices = along.map(|along| along.at(from, output.len()));
                run(kernel, &slices, output);
            }
            done += stretch.length;
        }
    });
}

/// How a formula or its derivative is computed. Where there is a seed, it stands in the output and is
/// multiplied by what is computed.
enum Kernel<F> {
    /// The formula, without a seed.
    Value(F),
    /// Its derivative by one input, without a seed.
    Slope(F, u8),
    /// Its derivative by one input, times the seed.
    SeededSlope(F, u8),
    /// Anything else; the seed, if there is one, is the program's last input.
    Program { program: Program, seeded: bool },
}

impl<F> Kernel<F> {
    fn of<const N: usize>(formula: &Derived<F>, seeded: bool) -> Self
    where
        F: Pointwise<N>,
    {
        match (&formula.by[..], seeded) {
            ([], false) => Self::Value(formula.formula),
            ([input], false) => Self::Slope(formula.formula, *input),
            ([input], true) => Self::SeededSlope(formula.formula, *input),
            _ => {
                let program = Program::of(formula);
                let program = if seeded { program.seeded() } else { program };
                Self::Program { program, seeded }
            }
        }
    }
}

/// The inner loop over slices of one length.
fn run<T: Float, F: Pointwise<N>, const N: usize>(
    kernel: &Kernel<F>,
    inputs: &[&[T]; N],
    output: &mut [T],
) {
    match kernel {
        Kernel::Value(formula) => dispatch(Loop {
            eval: Value(formula),
            inputs,
            output,
        }),
        Kernel::Slope(formula, input) => dispatch(Loop {
            eval: Slope(formula, *input),
            inputs,
            output,
        }),
        Kernel::SeededSlope(formula, input) => dispatch(SeededLoop {
            eval: Slope(formula, *input),
            inputs,
            product: output,
        }),
        Kernel::Program { program, seeded } => dispatch(Interpreter {
            program,
            inputs,
            seeded: *seeded,
            output,
        }),
    }
}

/// Runs a program: one interpreter for all formulas, so it does not know their number of inputs.
struct Interpreter<'a, T> {
    program: &'a Program,
    inputs: &'a [&'a [T]],
    seeded: bool,
    output: &'a mut [T],
}

impl<T: LaneMemory> WithSimd for Interpreter<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = T::width::<S>();
        let mut x = Vec::with_capacity(self.inputs.len() + 1);
        let mut registers = Vec::with_capacity(self.program.instructions().len());
        for (index, to) in self.output.chunks_mut(width).enumerate() {
            let range = index * width..index * width + to.len();
            let inputs = self.inputs.iter();
            x.clear();
            x.extend(inputs.map(|input| Lanes::<S, T>::load_partial(simd, &input[range.clone()])));
            if self.seeded {
                x.push(Lanes::load_partial(simd, to));
            }
            self.program.run(&x, &mut registers).store_partial(to);
        }
    }
}

/// What a loop computes from a register of each input.
trait Evaluate<const N: usize>: Copy {
    fn evaluate<S: Simd, T: LaneFloat>(self, x: [Lanes<S, T>; N]) -> Lanes<S, T>;
}

/// The formula itself.
#[derive(Clone, Copy)]
struct Value<'a, F>(&'a F);

impl<F: Pointwise<N>, const N: usize> Evaluate<N> for Value<'_, F> {
    #[inline(always)]
    fn evaluate<S: Simd, T: LaneFloat>(self, x: [Lanes<S, T>; N]) -> Lanes<S, T> {
        self.0.eval(x)
    }
}

/// Its derivative with respect to one input.
#[derive(Clone, Copy)]
struct Slope<'a, F>(&'a F, u8);

impl<F: Pointwise<N>, const N: usize> Evaluate<N> for Slope<'_, F> {
    #[inline(always)]
    fn evaluate<S: Simd, T: LaneFloat>(self, x: [Lanes<S, T>; N]) -> Lanes<S, T> {
        self.0.gradient(x)[self.1 as usize]
    }
}

struct Loop<'a, E, T, const N: usize> {
    eval: E,
    inputs: &'a [&'a [T]; N],
    output: &'a mut [T],
}

impl<E: Evaluate<N>, T: LaneMemory, const N: usize> WithSimd for Loop<'_, E, T, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (output, output_rest) = T::split_mut::<S>(self.output);
        let inputs = self.inputs.map(|input| T::split::<S>(input));
        let vectors = inputs.map(|(vectors, _)| &vectors[..output.len()]);
        for (index, to) in output.iter_mut().enumerate() {
            let x = vectors.map(|vectors| Lanes::<S, T>::new(simd, vectors[index]));
            *to = self.eval.evaluate(x).vector;
        }
        if !output_rest.is_empty() {
            let x = inputs.map(|(_, rest)| Lanes::load_partial(simd, rest));
            self.eval.evaluate(x).store_partial(output_rest);
        }
    }
}

struct SeededLoop<'a, E, T, const N: usize> {
    eval: E,
    inputs: &'a [&'a [T]; N],
    product: &'a mut [T],
}

impl<E: Evaluate<N>, T: LaneMemory, const N: usize> WithSimd for SeededLoop<'_, E, T, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (product, product_rest) = T::split_mut::<S>(self.product);
        let inputs = self.inputs.map(|input| T::split::<S>(input));
        let vectors = inputs.map(|(vectors, _)| &vectors[..product.len()]);
        for (index, to) in product.iter_mut().enumerate() {
            let x = vectors.map(|vectors| Lanes::<S, T>::new(simd, vectors[index]));
            *to = (self.eval.evaluate(x) * Lanes::new(simd, *to)).vector;
        }
        if !product_rest.is_empty() {
            let x = inputs.map(|(_, rest)| Lanes::load_partial(simd, rest));
            let seed = Lanes::load_partial(simd, product_rest);
            (self.eval.evaluate(x) * seed).store_partial(product_rest);
        }
    }
}
