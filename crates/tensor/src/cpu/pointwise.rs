//! The loop under every pointwise operation.
//!
//! The plain version is `for i in 0..n { output[i] = formula(a[i], b[i], …) }`. Departures:
//!
//! 1. It runs on registers instead of single numbers; the last, partly filled register takes the
//!    same path as the others, so a number's result does not depend on where it stands.
//! 2. An operand that does not lie in row-major order (a transpose, a broadcast row) is first
//!    unpacked, [`BLOCK`] elements at a time, into a scratch that stays in the first-level cache.
//!    So there is one inner loop for all strides.
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

use super::lanes::{LaneFloat, Lanes, dispatch};
use super::parallel::{PIECE, for_each_piece};
use super::source::Source;
use crate::element::Float;
use crate::pointwise::{Derived, Pointwise};
use crate::program::Program;
use crate::tensor::View;

/// Elements unpacked at a time: 4 to 8 KiB an operand. Finding a block's place takes some divisions,
/// which this many elements are worth.
pub(super) const BLOCK: usize = 1024;

/// Writes `formula(inputs…)`, times `seed` if there is one, to `output`.
///
/// All slices have the length of the output.
pub(crate) fn contiguous<T: Float, F: Pointwise<N>, const N: usize>(
    formula: &Derived<F>,
    inputs: [&[T]; N],
    seed: Option<&[T]>,
    output: &mut [T],
) {
    let kernel = &Kernel::of(formula, seed.is_some());
    for_each_piece(output, PIECE, |start, piece| {
        let range = start..start + piece.len();
        let inputs = inputs.map(|slice| &slice[range.clone()]);
        let seed = seed.map(|slice| &slice[range]);
        run(kernel, &inputs, seed, piece);
    });
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
    for_each_piece(output, PIECE, |start, piece| {
        let mut scratch = [[T::ZERO; BLOCK]; N];
        let mut seed_scratch = [T::ZERO; BLOCK];
        for (index, block) in piece.chunks_mut(BLOCK).enumerate() {
            let (first, length) = (start + index * BLOCK, block.len());
            let mut slices = [&[][..]; N];
            for ((slice, input), scratch) in slices.iter_mut().zip(inputs).zip(&mut scratch) {
                *slice = input.block(first, length, scratch);
            }
            let seed = seed
                .first()
                .map(|seed| seed.block(first, length, &mut seed_scratch));
            run(kernel, &slices, seed, block);
        }
    });
}

/// How a formula or its derivative is computed.
enum Kernel<F> {
    /// The formula, without a seed.
    Value(F),
    /// Its derivative by one input.
    Slope(F, u8),
    /// Anything else; the seed, if there is one, is the program's last input.
    Program(Program),
}

impl<F> Kernel<F> {
    fn of<const N: usize>(formula: &Derived<F>, seeded: bool) -> Self
    where
        F: Pointwise<N>,
    {
        match (&formula.by[..], seeded) {
            ([], false) => Self::Value(formula.formula),
            ([input], _) => Self::Slope(formula.formula, *input),
            (_, false) => Self::Program(Program::of(formula)),
            (_, true) => Self::Program(Program::of(formula).seeded()),
        }
    }
}

/// The inner loop over slices of one length.
fn run<T: Float, F: Pointwise<N>, const N: usize>(
    kernel: &Kernel<F>,
    inputs: &[&[T]; N],
    seed: Option<&[T]>,
    output: &mut [T],
) {
    match (kernel, seed) {
        (Kernel::Value(formula), _) => dispatch(Loop {
            eval: Value(formula),
            inputs,
            output,
        }),
        (Kernel::Slope(formula, input), None) => dispatch(Loop {
            eval: Slope(formula, *input),
            inputs,
            output,
        }),
        (Kernel::Slope(formula, input), Some(seed)) => dispatch(SeededLoop {
            eval: Slope(formula, *input),
            inputs,
            seed,
            output,
        }),
        (Kernel::Program(program), seed) => dispatch(Interpreter {
            program,
            inputs: inputs.iter().copied().chain(seed).collect(),
            output,
        }),
    }
}

/// Runs a program: one interpreter for all formulas, so it does not know their number of inputs.
struct Interpreter<'a, T> {
    program: &'a Program,
    inputs: SmallVec<[&'a [T]; 4]>,
    output: &'a mut [T],
}

impl<T: LaneFloat> WithSimd for Interpreter<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let width = T::width::<S>();
        let mut x = Vec::with_capacity(self.inputs.len());
        let mut registers = Vec::with_capacity(self.program.instructions().len());
        for (index, to) in self.output.chunks_mut(width).enumerate() {
            let range = index * width..index * width + to.len();
            let inputs = self.inputs.iter();
            x.clear();
            x.extend(inputs.map(|input| Lanes::<S, T>::load_partial(simd, &input[range.clone()])));
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

impl<E: Evaluate<N>, T: LaneFloat, const N: usize> WithSimd for Loop<'_, E, T, N> {
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
    seed: &'a [T],
    output: &'a mut [T],
}

impl<E: Evaluate<N>, T: LaneFloat, const N: usize> WithSimd for SeededLoop<'_, E, T, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (output, output_rest) = T::split_mut::<S>(self.output);
        let (seed, seed_rest) = T::split::<S>(self.seed);
        let inputs = self.inputs.map(|input| T::split::<S>(input));
        let vectors = inputs.map(|(vectors, _)| &vectors[..output.len()]);
        for ((index, to), seed) in output.iter_mut().enumerate().zip(seed) {
            let x = vectors.map(|vectors| Lanes::<S, T>::new(simd, vectors[index]));
            *to = (self.eval.evaluate(x) * Lanes::new(simd, *seed)).vector;
        }
        if !output_rest.is_empty() {
            let x = inputs.map(|(_, rest)| Lanes::load_partial(simd, rest));
            let seed = Lanes::load_partial(simd, seed_rest);
            (self.eval.evaluate(x) * seed).store_partial(output_rest);
        }
    }
}

/// `elements[i] = formula(elements[i])`, on this thread.
pub(crate) fn in_place<T: Float, F: Pointwise<1>>(formula: F, elements: &mut [T]) {
    dispatch(InPlace { formula, elements });
}

struct InPlace<'a, F, T> {
    formula: F,
    elements: &'a mut [T],
}

impl<F: Pointwise<1>, T: LaneFloat> WithSimd for InPlace<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (elements, rest) = T::split_mut::<S>(self.elements);
        for x in elements {
            *x = self.formula.eval([Lanes::<S, T>::new(simd, *x)]).vector;
        }
        if !rest.is_empty() {
            let x = Lanes::<S, T>::load_partial(simd, rest);
            self.formula.eval([x]).store_partial(rest);
        }
    }
}

/// `sum[i] += addend[i]`.
pub(crate) fn add_assign<T: Float>(sum: &mut [T], addend: &[T]) {
    for_each_piece(sum, PIECE, |start, sum| {
        let addend = &addend[start..start + sum.len()];
        dispatch(AddAssign { sum, addend });
    });
}

struct AddAssign<'a, T> {
    sum: &'a mut [T],
    addend: &'a [T],
}

impl<T: LaneFloat> WithSimd for AddAssign<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (sum, sum_rest) = T::split_mut::<S>(self.sum);
        let (addend, addend_rest) = T::split::<S>(self.addend);
        for (sum, addend) in sum.iter_mut().zip(addend) {
            *sum = T::add(simd, *sum, *addend);
        }
        if !sum_rest.is_empty() {
            let total = T::load_partial(simd, sum_rest);
            let total = T::add(simd, total, T::load_partial(simd, addend_rest));
            T::store_partial(simd, sum_rest, total);
        }
    }
}
