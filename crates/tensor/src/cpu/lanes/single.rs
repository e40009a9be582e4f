//! Formulas of one number.

use super::{LaneMemory, Lanes};
use crate::scalar::{Logistic, Scalar};

/// A register of one: how a formula is evaluated on a single number.
///
/// # Example
///
/// ```
/// use macula_tensor::Scalar;
/// use macula_tensor::cpu::lanes::single;
///
/// assert_eq!(single(0.0_f32).sigmoid().value(), 0.5);
/// ```
pub fn single<T: LaneMemory>(value: T) -> Lanes<pulp::Scalar, T> {
    Lanes::splat(pulp::Scalar::new(), value)
}

impl<T: LaneMemory> Lanes<pulp::Scalar, T> {
    /// The number in a register of one.
    #[inline(always)]
    pub fn value(self) -> T {
        let mut value = [T::from_f64(0.0)];
        self.store_partial(&mut value);
        let [value] = value;
        value
    }
}

/// Implements the functions of [`Scalar`] named, each by that of a register of one.
macro_rules! by_register_of_one {
    ($($name:ident($($argument:ident),*);)*) => {$(
        #[inline(always)]
        fn $name(self $(, $argument: Self)*) -> Self {
            single(self).$name($(single($argument)),*).value()
        }
    )*};
}

/// A formula can be called with plain `f64`s. (`f32` would need `f32 + f64`, which the language
/// does not let this crate define: use [`single`].)
impl Scalar for f64 {
    type Mask = bool;

    #[inline(always)]
    fn constant(self, value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn less(self, other: Self) -> bool {
        self < other
    }
    #[inline(always)]
    fn less_equal(self, other: Self) -> bool {
        self <= other
    }
    #[inline(always)]
    fn equal(self, other: Self) -> bool {
        self == other
    }
    #[inline(always)]
    fn select(mask: bool, if_true: Self, if_false: Self) -> Self {
        if mask { if_true } else { if_false }
    }
    #[inline(always)]
    fn powf(self, exponent: f64) -> Self {
        single(self).powf(exponent).value()
    }
    #[inline(always)]
    fn logistic(self) -> Logistic<Self> {
        let logistic = single(self).logistic();
        Logistic {
            sigmoid: logistic.sigmoid.value(),
            complement: logistic.complement.value(),
            softplus: logistic.softplus.value(),
            softplus_negated: logistic.softplus_negated.value(),
        }
    }
    by_register_of_one! {
        mul_add(factor, term);
        abs(); signum(); sqrt(); max(other); min(other); relu();
        floor(); ceil(); round();
        exp(); exp_m1(); ln(); ln_1p(); log2(); tanh(); erf();
        sin(); cos(); atan(); pow(exponent);
    }
}
