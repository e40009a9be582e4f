//! A formula as data: what an accelerator compiles, and what gives derivatives of any order.
//!
//! Read [`Program`] first: a flat list of [`Instruction`]s. [`Symbol`] is the
//! [`Scalar`] that writes it down when a formula is run on it. A program runs on any
//! `Scalar` in turn, and that is where its derivative comes from: run on dual numbers of symbols,
//! it writes down the program of its own slope. The rules of differentiation stand in
//! [`Dual`], and nowhere else.

mod instruction;
mod symbol;

use std::fmt;

pub use instruction::{Binary, Comparison, Constant, Instruction, Register, Unary};
pub use symbol::Symbol;

use crate::dual::Dual;
use crate::error::{Error, Result};
use crate::pointwise::{Derived, Pointwise};
use crate::scalar::Scalar;

/// A formula as a list of instructions, each of which fills the register of its own number.
///
/// Every register is written once, and before it is read; the last one holds the result. What the
/// result does not need is not in the list, and nothing in it is computed twice.
///
/// # Example
///
/// ```
/// use macula_tensor::Scalar;
/// use macula_tensor::program::Program;
///
/// let silu = Program::trace("silu", |[x]| x * x.sigmoid());
/// assert_eq!(
///     silu.to_string(),
///     "silu\n  %0 = input 0\n  %1 = sigmoid %0\n  %2 = mul %0 %1\n"
/// );
/// assert_eq!(silu.eval(&[0.0])?, 0.0);
/// assert_eq!(silu.differentiate(0).eval(&[0.0])?, 0.5);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Program {
    name: &'static str,
    inputs: usize,
    instructions: Vec<Instruction>,
}

impl Program {
    /// The program of a formula of `N` numbers, as it is written.
    pub fn trace<const N: usize>(
        name: &'static str,
        formula: impl for<'r> FnOnce([Symbol<'r>; N]) -> Symbol<'r>,
    ) -> Self {
        symbol::record(name, N, Simplify::No, |inputs| {
            formula(std::array::from_fn(|input| inputs[input]))
        })
    }

    /// The program of a formula, or of its derivative.
    ///
    /// The first derivative is what [`Pointwise::gradient`] says, the higher ones follow from it.
    pub fn of<F: Pointwise<N>, const N: usize>(derived: &Derived<F>) -> Self {
        let formula = &derived.formula;
        let Some((&first, others)) = derived.by.split_first() else {
            return Self::trace(F::NAME, |inputs| formula.eval(inputs));
        };
        let slope = symbol::record(F::NAME, N, Simplify::Yes, |inputs| {
            let inputs: [_; N] = std::array::from_fn(|input| inputs[input]);
            let slope = formula.gradient(inputs).into_iter().nth(first.into());
            // A formula does not change with an input it does not have.
            slope.unwrap_or_else(|| inputs[0].constant(0.0))
        });
        let others = others.iter().map(|&input| usize::from(input));
        others.fold(slope, |program, input| program.differentiate(input))
    }

    /// The program of the partial derivative with respect to input `input`.
    ///
    /// # Numerics
    /// A derivative is simplified as on paper: `0 · x` is 0, also where x is infinite. So a slope
    /// that does not depend on some input has no NaN from it.
    pub fn differentiate(&self, input: usize) -> Self {
        symbol::record(self.name, self.inputs, Simplify::Yes, |symbols| {
            let duals: Vec<_> = (0..)
                .zip(symbols)
                .map(|(index, &value)| Dual {
                    value,
                    tangent: [value.constant(if index == input { 1.0 } else { 0.0 })],
                })
                .collect();
            let [slope] = self.run(&duals, &mut Vec::new()).tangent;
            slope
        })
    }

    /// This program, its result multiplied by one more input.
    pub(crate) fn seeded(&self) -> Self {
        symbol::record(self.name, self.inputs + 1, Simplify::No, |inputs| {
            self.run(inputs, &mut Vec::new()) * inputs[self.inputs]
        })
    }

    /// Name of the formula.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Number of inputs, counting those that the result does not depend on.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The instructions; number `i` fills register `i` and reads registers below `i` only.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// The result for one value of each input: the plain interpreter.
    ///
    /// On `f64` numbers it gives the bits that a tensor's elements get on the CPU, and so serves as
    /// the reference for every other way to run a program.
    ///
    /// # Errors
    /// There must be one value for each input.
    pub fn eval<S: Scalar>(&self, inputs: &[S]) -> Result<S> {
        if inputs.len() != self.inputs {
            return Err(Error::Argument {
                op: self.name,
                argument: "number of inputs",
                expected: self.inputs.to_string(),
                found: inputs.len().to_string(),
            });
        }
        Ok(self.run(inputs, &mut Vec::with_capacity(self.instructions.len())))
    }

    /// [`Program::eval`] for callers that have checked the number of inputs; `registers` is
    /// scratch, so that a loop allocates once.
    #[inline(always)]
    pub(crate) fn run<S: Scalar>(&self, inputs: &[S], registers: &mut Vec<S>) -> S {
        registers.clear();
        for instruction in &self.instructions {
            let value = match *instruction {
                Instruction::Input(input) => inputs[input],
                Instruction::Constant(constant) => inputs[0].constant(constant.value()),
                Instruction::Unary(function, x) => function.apply(registers[x]),
                Instruction::Binary(function, a, b) => function.apply(registers[a], registers[b]),
                Instruction::MulAdd(a, b, c) => registers[a].mul_add(registers[b], registers[c]),
                Instruction::Powf(x, exponent) => registers[x].powf(exponent.value()),
                Instruction::Select(comparison, [left, right, if_true, if_false]) => S::select(
                    comparison.apply(registers[left], registers[right]),
                    registers[if_true],
                    registers[if_false],
                ),
            };
            registers.push(value);
        }
        registers[registers.len() - 1]
    }
}

impl fmt::Display for Program {
    /// A listing: the name, then one line for each instruction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        for (register, instruction) in self.instructions.iter().enumerate() {
            writeln!(f, "  %{register} = {instruction}")?;
        }
        Ok(())
    }
}

/// Whether arithmetic with the constants 0 and 1 is carried out while a program is written.
///
/// A formula is kept as its author wrote it, so that it gives on an accelerator what it gives on
/// the CPU. The chain rule is full of zeros and ones, which would double a program at each order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Simplify {
    No,
    Yes,
}

#[cfg(test)]
mod tests;
