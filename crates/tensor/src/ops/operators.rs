//! `&a + &b`, `&a * 2.0`: sugar for examples, tests and formulas.
//!
//! Operators panic, at the caller's line, where the method of the same name returns an error;
//! library code calls the methods.

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

macro_rules! operators {
    ($($Trait:ident $method:ident $scalar:expr;)*) => {$(
        impl<T: Float> ops::$Trait for &Tensor<T> {
            type Output = Tensor<T>;
            /// # Panics
            /// Where the method of the same name returns an error.
            #[track_caller]
            fn $method(self, other: Self) -> Tensor<T> {
                expect(Tensor::<T>::$method(self, other))
            }
        }

        impl<T: Float> ops::$Trait<f64> for &Tensor<T> {
            type Output = Tensor<T>;
            /// # Panics
            /// On a device that runs no formulas.
            #[track_caller]
            fn $method(self, constant: f64) -> Tensor<T> {
                let apply: fn(&Tensor<T>, f64) -> Result<Tensor<T>> = $scalar;
                expect(apply(self, constant))
            }
        }
    )*};
}
operators! {
    Add add |x, c| x.add_scalar(c);
    Sub sub |x, c| x.add_scalar(-c);
    Mul mul |x, c| x.mul_scalar(c);
    Div div |x, c| x.div(&Tensor::full_on(x.device(), [], T::from_f64(c))?);
}

impl<T: Float> ops::Neg for &Tensor<T> {
    type Output = Tensor<T>;
    /// # Panics
    /// On a device that runs no formulas.
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        expect(Tensor::<T>::neg(self))
    }
}

macro_rules! integer_operators {
    ($($Trait:ident $method:ident;)*) => {$(
        impl ops::$Trait for &Tensor<i64> {
            type Output = Tensor<i64>;
            /// # Panics
            /// Where the method of the same name returns an error.
            #[track_caller]
            fn $method(self, other: Self) -> Tensor<i64> {
                expect(Tensor::<i64>::$method(self, other))
            }
        }
    )*};
}
integer_operators! {
    Add add;
    Sub sub;
    Mul mul;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_the_methods_of_their_name() {
        let (a, b) = (Tensor::from([1.0_f32, 2.0]), Tensor::scalar(4.0));
        let y = &(&(&a + &b) * &(&a - &b)) / &b;
        assert_eq!(y.to_vec().unwrap(), [-3.75, -3.0]);
        let y = &(&(&(&-&a + 1.0) - 2.0) * 3.0) / 10.0;
        // Divided, not multiplied by a rounded tenth.
        assert_eq!(y.to_vec().unwrap(), [-6.0 / 10.0, -9.0 / 10.0]);
        let (k, l) = (Tensor::from([1, 2]), Tensor::from([[3], [4]]));
        assert_eq!((&(&k + &l) * &k).to_vec().unwrap(), [4, 10, 5, 12]);
        assert_eq!((&k - &k).to_vec().unwrap(), [0, 0]);
    }

    #[test]
    #[should_panic(expected = "add: shapes [2] and [3] do not broadcast")]
    fn operators_panic_with_the_message_of_the_method() {
        let _ = &Tensor::from([1.0, 2.0]) + &Tensor::from([1.0, 2.0, 3.0]);
    }
}
