//! `&a + &b`, `&a * 2.0`, `!&mask`: sugar for examples, tests and formulas.
//!
//! Operators panic, at the caller's line, where the method of the same name returns an error;
//! library code calls the methods. They take tensors by reference or by value.

use std::ops;

use crate::element::Float;
use crate::error::Result;
use crate::tensor::Tensor;

/// The result, or a panic with the message of the error.
#[track_caller]
fn expect<T>(result: Result<T>) -> T {
    match result {
        Ok(result) => result,
        Err(error) => panic!("{error}"),
    }
}

/// Defines one operator for one pair of types.
macro_rules! operator {
    ([$($T:ident)?] $Trait:ident $method:ident ($Left:ty, $Right:ty) -> $Output:ty, $apply:expr) => {
        impl$(<$T: Float>)? ops::$Trait<$Right> for $Left {
            type Output = $Output;
            /// # Panics
            /// Where the method of the same name returns an error.
            #[track_caller]
            fn $method(self, other: $Right) -> $Output {
                let apply: fn(&$Left, &$Right) -> Result<$Output> = $apply;
                expect(apply(&self, &other))
            }
        }
    };
}

/// Defines operators of two tensors, by reference and by value.
macro_rules! of_tensors {
    ($Tensor:ty, $over:tt, $($Trait:ident $method:ident $apply:ident;)*) => {$(
        operator!($over $Trait $method (&$Tensor, &$Tensor) -> $Tensor, |a, b| a.$apply(b));
        operator!($over $Trait $method ($Tensor, &$Tensor) -> $Tensor, |a, b| a.$apply(b));
        operator!($over $Trait $method (&$Tensor, $Tensor) -> $Tensor, |a, b| a.$apply(b));
        operator!($over $Trait $method ($Tensor, $Tensor) -> $Tensor, |a, b| a.$apply(b));
    )*};
}

/// Defines operators of a tensor and a number, on either side.
macro_rules! with_numbers {
    ($Tensor:ty, $Number:ty, $over:tt, $($Trait:ident $method:ident |$x:ident, $c:ident| $right:expr, $left:expr;)*) => {$(
        operator!($over $Trait $method (&$Tensor, $Number) -> $Tensor, |$x, $c| $right);
        operator!($over $Trait $method ($Tensor, $Number) -> $Tensor, |$x, $c| $right);
        operator!($over $Trait $method ($Number, &$Tensor) -> $Tensor, |$c, $x| $left);
        operator!($over $Trait $method ($Number, $Tensor) -> $Tensor, |$c, $x| $left);
    )*};
}

of_tensors! { Tensor<T>, [T], Add add add; Sub sub sub; Mul mul mul; Div div div; }
of_tensors! { Tensor<i64>, [], Add add add; Sub sub sub; Mul mul mul; }
of_tensors! { Tensor<bool>, [], BitAnd bitand and; BitOr bitor or; BitXor bitxor xor; }

with_numbers! { Tensor<T>, f64, [T],
    Add add |x, c| x.add_scalar(*c), x.add_scalar(*c);
    Sub sub |x, c| x.add_scalar(-c), Tensor::<T>::sub(&number(x, *c)?, x);
    Mul mul |x, c| x.mul_scalar(*c), x.mul_scalar(*c);
    Div div |x, c| x.div(&number(x, *c)?), Tensor::<T>::div(&number(x, *c)?, x);
}
with_numbers! { Tensor<i64>, i64, [],
    Add add |x, c| x.add_scalar(*c), x.add_scalar(*c);
    Sub sub |x, c| x.add_scalar(c.wrapping_neg()), x.neg()?.add_scalar(*c);
    Mul mul |x, c| x.mul_scalar(*c), x.mul_scalar(*c);
}

/// A number where the tensor is.
fn number<T: Float>(x: &Tensor<T>, number: f64) -> Result<Tensor<T>> {
    Tensor::full_on(x.device(), [], T::from_f64(number))
}

/// Defines operators of one tensor, by reference and by value.
macro_rules! of_one {
    ($($Tensor:ty, $over:tt, $Trait:ident $method:ident;)*) => {$(
        of_one!(@one $Tensor, $Tensor, $over, $Trait $method);
        of_one!(@one &$Tensor, $Tensor, $over, $Trait $method);
    )*};
    (@one $Operand:ty, $Tensor:ty, [$($T:ident)?], $Trait:ident $method:ident) => {
        impl$(<$T: Float>)? ops::$Trait for $Operand {
            type Output = $Tensor;
            /// # Panics
            /// Where the method of the same name returns an error.
            #[track_caller]
            fn $method(self) -> $Tensor {
                expect(<$Tensor>::$method(&self))
            }
        }
    };
}

of_one! {
    Tensor<T>, [T], Neg neg;
    Tensor<i64>, [], Neg neg;
    Tensor<bool>, [], Not not;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::Element;

    fn elements<T: Element>(x: Tensor<T>) -> Vec<T> {
        x.to_vec().unwrap()
    }

    #[test]
    fn operators_are_the_methods_of_their_name() {
        let (a, b) = (Tensor::from([1.0_f32, 2.0]), Tensor::scalar(4.0));
        assert_eq!(elements(&(&(&a + &b) * &(&a - &b)) / &b), [-3.75, -3.0]);
        let y = (-&a + 1.0 - 2.0) * 3.0 / 10.0;
        // Divided, not multiplied by a rounded tenth.
        assert_eq!(elements(y), [-6.0 / 10.0, -9.0 / 10.0]);
        let (k, l) = (Tensor::from([1, 2]), Tensor::from([[3], [4]]));
        assert_eq!(elements(&(&k + &l) * &k), [4, 10, 5, 12]);
        assert_eq!(elements(&k - &k), [0, 0]);
        assert_eq!(elements(-&k), [-1, -2]);
        let (m, n) = (
            Tensor::from([true, true, false]),
            Tensor::from([true, false, false]),
        );
        assert_eq!(elements(&m & &n), [true, false, false]);
        assert_eq!(elements(&m | &n), [true, true, false]);
        assert_eq!(elements(&m ^ &n), [false, true, false]);
        assert_eq!(elements(!&m), [false, false, true]);
    }

    #[test]
    fn a_number_may_stand_on_either_side() {
        let x = Tensor::from([1.0_f32, 4.0]);
        assert_eq!(elements(2.0 * &x), elements(&x * 2.0));
        assert_eq!(elements(2.0 + &x), elements(&x + 2.0));
        assert_eq!(elements(1.0 - &x), [0.0, -3.0]);
        assert_eq!(elements(2.0 / &x), [2.0, 0.5]);
        let k = Tensor::from([1, i64::MIN]);
        assert_eq!(elements(&k + 1), elements(1 + &k));
        assert_eq!(elements(2 * &k), [2, 0]);
        assert_eq!(elements(&k - 1), [0, i64::MAX]);
        assert_eq!(elements(-1 - &k), [-2, i64::MAX]);
    }

    #[test]
    fn operands_may_be_values() {
        let x = || Tensor::from([1.0_f64, 2.0]);
        assert_eq!(elements(x() * x() - &x() + 2.0 * x()), [2.0, 6.0]);
        assert_eq!(elements(-(1.0 - x())), [0.0, 1.0]);
        let m = || Tensor::from([true, false]);
        assert_eq!(elements(!m() ^ m() & m()), [true, true]);
    }

    #[test]
    #[should_panic(expected = "add: shapes [2] and [3] do not broadcast")]
    fn operators_panic_with_the_message_of_the_method() {
        let _ = &Tensor::from([1.0, 2.0]) + &Tensor::from([1.0, 2.0, 3.0]);
    }
}
