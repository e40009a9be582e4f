//! Writing a program down: a [`Scalar`] whose arithmetic is taken down instead of carried out.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::{Binary, Comparison, Constant, Instruction, Program, Register, Simplify, Unary};
use crate::scalar::{Logistic, Scalar};

/// A number that is not known yet: a register of the program that is being written.
///
/// [`Program::trace`] hands symbols to a formula; whatever the formula does with them becomes an
/// instruction.
#[derive(Clone, Copy)]
pub struct Symbol<'r> {
    recorder: &'r Recorder,
    register: Register,
}

/// The program of `formula`, without the instructions its result does not need.
pub(super) fn record(
    name: &'static str,
    inputs: usize,
    simplify: Simplify,
    formula: impl for<'r> FnOnce(&[Symbol<'r>]) -> Symbol<'r>,
) -> Program {
    let recorder = Recorder {
        simplify,
        instructions: RefCell::default(),
        registers: RefCell::default(),
    };
    let symbols: Vec<_> = (0..inputs)
        .map(|input| recorder.symbol(Instruction::Input(input)))
        .collect();
    let result = formula(&symbols).register;
    Program {
        name,
        inputs,
        instructions: needed(recorder.instructions.into_inner(), result),
    }
}

/// The instructions that register `result` needs, renumbered.
fn needed(mut instructions: Vec<Instruction>, result: Register) -> Vec<Instruction> {
    instructions.truncate(result + 1);
    let mut is_needed = vec![false; instructions.len()];
    is_needed[result] = true;
    for register in (0..=result).rev() {
        if is_needed[register] {
            instructions[register].registers_mut(|read| is_needed[*read] = true);
        }
    }
    let mut kept = Vec::new();
    let mut new_number = vec![0; instructions.len()];
    for (register, mut instruction) in instructions.into_iter().enumerate() {
        if is_needed[register] {
            instruction.registers_mut(|read| *read = new_number[*read]);
            new_number[register] = kept.len();
            kept.push(instruction);
        }
    }
    kept
}

/// The program while it is written.
struct Recorder {
    simplify: Simplify,
    instructions: RefCell<Vec<Instruction>>,
    /// Where each instruction stands, so that none is written twice.
    registers: RefCell<HashMap<Instruction, Register>>,
}

impl Recorder {
    fn symbol(&self, instruction: Instruction) -> Symbol<'_> {
        Symbol {
            recorder: self,
            register: self.write(instruction),
        }
    }

    /// The register that holds what `instruction` computes.
    fn write(&self, instruction: Instruction) -> Register {
        if self.simplify == Simplify::Yes
            && let Some(register) = self.simplified(instruction)
        {
            return register;
        }
        let mut instructions = self.instructions.borrow_mut();
        let mut registers = self.registers.borrow_mut();
        *registers.entry(instruction).or_insert_with(|| {
            instructions.push(instruction);
            instructions.len() - 1
        })
    }

    fn constant(&self, value: f64) -> Register {
        self.write(Instruction::Constant(Constant::new(value)))
    }

    /// The instruction that fills a register.
    fn instruction(&self, register: Register) -> Instruction {
        self.instructions.borrow()[register]
    }

    /// The constant that a register holds, if it does.
    fn value(&self, register: Register) -> Option<f64> {
        match self.instruction(register) {
            Instruction::Constant(constant) => Some(constant.value()),
            _ => None,
        }
    }

    /// The register of a simpler way to compute the same, where the operands give one.
    fn simplified(&self, instruction: Instruction) -> Option<Register> {
        use Instruction::{MulAdd, Select};
        let is = |register, value| self.value(register) == Some(value);
        let unary = |function, x| self.write(Instruction::Unary(function, x));
        let binary = |function, a, b| self.write(Instruction::Binary(function, a, b));
        Some(match instruction {
            Instruction::Unary(Unary::Neg, x) => match self.instruction(x) {
                Instruction::Constant(constant) => self.constant(-constant.value()),
                Instruction::Unary(Unary::Neg, x) => x,
                _ => return None,
            },
            Instruction::Binary(function, a, b) => match (function, self.value(a), self.value(b)) {
                (_, Some(a), Some(b)) => self.constant(function.apply(a, b)),
                (Binary::Add, Some(0.0), _) | (Binary::Mul, Some(1.0), _) => b,
                (Binary::Add | Binary::Sub, _, Some(0.0)) => a,
                (Binary::Mul | Binary::Div, _, Some(1.0)) => a,
                (Binary::Sub, Some(0.0), _) => unary(Unary::Neg, b),
                (Binary::Mul | Binary::Div, Some(0.0), _) | (Binary::Mul, _, Some(0.0)) => {
                    self.constant(0.0)
                }
                _ => return None,
            },
            MulAdd(a, b, c) if is(a, 0.0) || is(b, 0.0) => c,
            MulAdd(a, b, c) if is(a, 1.0) => binary(Binary::Add, b, c),
            MulAdd(a, b, c) if is(b, 1.0) => binary(Binary::Add, a, c),
            MulAdd(a, b, c) if is(c, 0.0) => binary(Binary::Mul, a, b),
            Select(_, [_, _, if_true, if_false]) if if_true == if_false => if_true,
            _ => return None,
        })
    }
}

impl<'r> Symbol<'r> {
    fn unary(self, function: Unary) -> Self {
        self.recorder
            .symbol(Instruction::Unary(function, self.register))
    }

    fn binary(self, function: Binary, other: Self) -> Self {
        self.recorder
            .symbol(Instruction::Binary(function, self.register, other.register))
    }

    fn compare(self, comparison: Comparison, other: Self) -> Condition {
        Condition(comparison, self.register, other.register)
    }
}

impl std::fmt::Debug for Symbol<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "%{}", self.register)
    }
}

/// A comparison of two registers, to be written as part of a select.
#[derive(Clone, Copy, Debug)]
pub struct Condition(Comparison, Register, Register);

/// The operators, with a symbol and with a constant on the right.
macro_rules! operators {
    ($($Operator:ident $method:ident;)*) => {$(
        impl $Operator for Symbol<'_> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.binary(Binary::$Operator, other)
            }
        }

        impl $Operator<f64> for Symbol<'_> {
            type Output = Self;
            fn $method(self, constant: f64) -> Self {
                self.binary(Binary::$Operator, self.constant(constant))
            }
        }
    )*};
}
operators! { Add add; Sub sub; Mul mul; Div div; }

impl Neg for Symbol<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.unary(Unary::Neg)
    }
}

/// Methods that are one instruction each.
macro_rules! instructions {
    ($($Function:ident $method:ident;)*) => {$(
        fn $method(self) -> Self {
            self.unary(Unary::$Function)
        }
    )*};
}

impl Scalar for Symbol<'_> {
    type Mask = Condition;

    fn constant(self, value: f64) -> Self {
        self.recorder
            .symbol(Instruction::Constant(Constant::new(value)))
    }

    fn less(self, other: Self) -> Condition {
        self.compare(Comparison::Less, other)
    }
    fn less_equal(self, other: Self) -> Condition {
        self.compare(Comparison::LessEqual, other)
    }
    fn equal(self, other: Self) -> Condition {
        self.compare(Comparison::Equal, other)
    }
    fn select(
        Condition(comparison, left, right): Condition,
        if_true: Self,
        if_false: Self,
    ) -> Self {
        let registers = [left, right, if_true.register, if_false.register];
        if_true
            .recorder
            .symbol(Instruction::Select(comparison, registers))
    }

    fn mul_add(self, factor: Self, term: Self) -> Self {
        self.recorder.symbol(Instruction::MulAdd(
            self.register,
            factor.register,
            term.register,
        ))
    }
    fn max(self, other: Self) -> Self {
        self.binary(Binary::Max, other)
    }
    fn min(self, other: Self) -> Self {
        self.binary(Binary::Min, other)
    }
    fn pow(self, exponent: Self) -> Self {
        self.binary(Binary::Pow, exponent)
    }
    fn logistic(self) -> Logistic<Self> {
        let negated = -self;
        Logistic {
            sigmoid: self.sigmoid(),
            complement: negated.sigmoid(),
            softplus: self.softplus(),
            softplus_negated: negated.softplus(),
        }
    }
    fn powf(self, exponent: f64) -> Self {
        self.recorder
            .symbol(Instruction::Powf(self.register, Constant::new(exponent)))
    }
    instructions! {
        Abs abs;
        Signum signum;
        Sqrt sqrt;
        Relu relu;
        Floor floor;
        Ceil ceil;
        Round round;
        Exp exp;
        ExpM1 exp_m1;
        Ln ln;
        Ln1p ln_1p;
        Log2 log2;
        Tanh tanh;
        Sigmoid sigmoid;
        Softplus softplus;
        Erf erf;
        Sin sin;
        Cos cos;
        Atan atan;
    }
}
