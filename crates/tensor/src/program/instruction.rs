//! What a program is made of.

use std::fmt;

use crate::scalar::Scalar;

/// Number of a register, which is the number of the instruction that fills it.
pub type Register = usize;

/// One step of a program. The names are those of [`Scalar`]'s methods, and so are the meanings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// The input of this number.
    Input(usize),
    /// A constant.
    Constant(Constant),
    /// A function of one register.
    Unary(Unary, Register),
    /// A function of two registers.
    Binary(Binary, Register, Register),
    /// a · b + c; rounded once where the device can.
    MulAdd(Register, Register, Register),
    /// x to a constant power.
    Powf(Register, Constant),
    /// `if left (comparison) right then if_true else if_false`, the registers in this order.
    Select(Comparison, [Register; 4]),
}

impl Instruction {
    /// Calls `change` with each register that is read.
    pub(super) fn registers_mut(&mut self, mut change: impl FnMut(&mut Register)) {
        match self {
            Self::Input(_) | Self::Constant(_) => {}
            Self::Unary(_, x) | Self::Powf(x, _) => change(x),
            Self::Binary(_, a, b) => [a, b].into_iter().for_each(change),
            Self::MulAdd(a, b, c) => [a, b, c].into_iter().for_each(change),
            Self::Select(_, registers) => registers.iter_mut().for_each(change),
        }
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(input) => write!(f, "input {input}"),
            Self::Constant(constant) => write!(f, "constant {}", constant.value()),
            Self::Unary(function, x) => write!(f, "{} %{x}", function.name()),
            Self::Binary(function, a, b) => write!(f, "{} %{a} %{b}", function.name()),
            Self::MulAdd(a, b, c) => write!(f, "mul_add %{a} %{b} %{c}"),
            Self::Powf(x, exponent) => write!(f, "powf %{x} {}", exponent.value()),
            Self::Select(comparison, [left, right, if_true, if_false]) => write!(
                f,
                "select %{left} {} %{right} ? %{if_true} : %{if_false}",
                comparison.symbol()
            ),
        }
    }
}

/// A constant, compared by its bits: 0 and −0 are two constants, and NaN equals itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Constant(u64);

impl Constant {
    /// The constant of this value.
    pub fn new(value: f64) -> Self {
        Self(value.to_bits())
    }

    /// Its value.
    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl fmt::Debug for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.value())
    }
}

/// What a select looks at; false where either side is NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// left < right.
    Less,
    /// left ≤ right.
    LessEqual,
    /// left = right.
    Equal,
}

impl Comparison {
    /// The sign, as in a kernel's source: `<`, `<=` or `==`.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Equal => "==",
        }
    }

    #[inline(always)]
    pub(super) fn apply<S: Scalar>(self, left: S, right: S) -> S::Mask {
        match self {
            Self::Less => left.less(right),
            Self::LessEqual => left.less_equal(right),
            Self::Equal => left.equal(right),
        }
    }
}

/// Defines the functions of one arity: their enum, their names, and how a [`Scalar`] does them.
macro_rules! functions {
    ($(#[$doc:meta])* $Functions:ident $arguments:tt {
        $($(#[$about:meta])* $Name:ident $method:ident,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $Functions {
            $($(#[$about])* $Name,)*
        }

        impl $Functions {
            /// Every function of the list.
            pub const ALL: &[Self] = &[$(Self::$Name,)*];

            /// Name of the function: that of [`Scalar`]'s method.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$Name => stringify!($method),)*
                }
            }
        }

        functions!(@apply $Functions $arguments $($Name $method)*);
    };
    (@apply $Functions:ident ($x:ident) $($Name:ident $method:ident)*) => {
        impl $Functions {
            #[inline(always)]
            pub(super) fn apply<S: Scalar>(self, $x: S) -> S {
                match self {
                    $(Self::$Name => $x.$method(),)*
                }
            }
        }
    };
    (@apply $Functions:ident ($a:ident, $b:ident) $($Name:ident $method:ident)*) => {
        impl $Functions {
            #[inline(always)]
            pub(super) fn apply<S: Scalar>(self, $a: S, $b: S) -> S {
                match self {
                    $(Self::$Name => $a.$method($b),)*
                }
            }
        }
    };
}

functions! {
    /// A function of one number.
    Unary(x) {
        /// −x.
        Neg neg,
        /// |x|.
        Abs abs,
        /// −1, 0 or 1; NaN stays NaN.
        Signum signum,
        /// √x; NaN below zero.
        Sqrt sqrt,
        /// max(x, 0); NaN stays NaN.
        Relu relu,
        /// The largest integer ≤ x.
        Floor floor,
        /// The smallest integer ≥ x.
        Ceil ceil,
        /// The nearest integer, the even one of two equally near.
        Round round,
        /// e^x.
        Exp exp,
        /// e^x − 1.
        ExpM1 exp_m1,
        /// ln x; −∞ at 0, NaN below.
        Ln ln,
        /// ln(1 + x).
        Ln1p ln_1p,
        /// log₂ x.
        Log2 log2,
        /// tanh x.
        Tanh tanh,
        /// σ(x) = 1 / (1 + e^−x).
        Sigmoid sigmoid,
        /// ln(1 + e^x).
        Softplus softplus,
        /// erf x.
        Erf erf,
        /// sin x, x in radians.
        Sin sin,
        /// cos x, x in radians.
        Cos cos,
        /// arctan x.
        Atan atan,
    }
}

functions! {
    /// A function of two numbers.
    Binary(a, b) {
        /// a + b.
        Add add,
        /// a − b.
        Sub sub,
        /// a · b.
        Mul mul,
        /// a / b.
        Div div,
        /// The larger of the two; NaN if either is NaN.
        Max max,
        /// The smaller of the two; NaN if either is NaN.
        Min min,
        /// a^b.
        Pow pow,
    }
}
