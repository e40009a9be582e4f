//! The same numbers as elements of another type.

use std::any::Any;

use super::compare::unary;
use crate::element::Element;
use crate::error::Result;
use crate::tensor::Tensor;

/// A type whose elements can become elements of type `U`.
///
/// Floats are cut toward zero to integers, and those out of range become the nearest end of it; NaN
/// becomes 0. As a boolean, everything but 0 is true, NaN included; true becomes 1.
pub trait Cast<U>: Element {
    /// The element as a `U`.
    fn cast(self) -> U;
}

macro_rules! casts {
    ($($T:ident -> $($U:ident: |$x:ident| $as_u:expr),*;)*) => {$($(
        impl Cast<$U> for $T {
            #[inline(always)]
            fn cast(self) -> $U {
                let $x = self;
                $as_u
            }
        }
    )*)*};
}
casts! {
    f32 -> f32: |x| x, f64: |x| x as f64, i64: |x| x as i64, bool: |x| x != 0.0;
    f64 -> f32: |x| x as f32, f64: |x| x, i64: |x| x as i64, bool: |x| x != 0.0;
    i64 -> f32: |x| x as f32, f64: |x| x as f64, i64: |x| x, bool: |x| x != 0;
    bool -> f32: |x| x as u8 as f32, f64: |x| x as u8 as f64, i64: |x| x as i64, bool: |x| x;
}

impl<T: Element> Tensor<T> {
    /// The elements as elements of another type; the same tensor if it is the same type.
    ///
    /// # Numerics
    /// Numbers are rounded to the nearest `f32` or `f64`. Floats are cut toward zero to integers,
    /// those out of range become the nearest end of it, and NaN becomes 0. As a boolean,
    /// everything but 0 is true, NaN included; true becomes 1.
    ///
    /// # Errors
    /// The elements must be in main memory, and memory must have room for the result.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([-1.5_f32, f32::NAN, 1e30]);
    /// assert_eq!(x.cast::<i64>()?.to_vec()?, [-1, 0, i64::MAX]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "astype")]
    #[doc(alias = "type_as")]
    pub fn cast<U: Element>(&self) -> Result<Tensor<U>>
    where
        T: Cast<U>,
    {
        match (self as &dyn Any).downcast_ref::<Tensor<U>>() {
            Some(same) => Ok(same.clone()),
            None => unary("cast", self, T::cast),
        }
    }
}
