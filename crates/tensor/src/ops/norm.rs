//! Norms, and whether all elements are finite.

use rayon::prelude::*;

use crate::cpu::finite::all_finite;
use crate::cpu::parallel::PIECE;
use crate::element::Float;
use crate::error::Result;
use crate::tensor::Tensor;

/// A way to measure the size of all elements together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// Σ |x|.
    L1,
    /// √Σ x², the Euclidean length.
    L2,
    /// max |x|.
    Max,
}

impl Norm {
    /// The norm of a whole from the norms of its parts, in the order given.
    pub fn of_parts(self, parts: impl IntoIterator<Item = f64>) -> f64 {
        let parts = parts.into_iter();
        match self {
            Self::L1 => parts.sum(),
            Self::L2 => parts.map(|part| part * part).sum::<f64>().sqrt(),
            Self::Max => parts.fold(0.0, larger),
        }
    }

    /// The norm of a run of elements, in `f64`: no square of an `f32` overflows there.
    ///
    /// Eight sums side by side do not wait for each other, and their order is fixed.
    fn of_slice<T: Float>(self, elements: &[T]) -> f64 {
        let mut sums = [0.0; 8];
        let (eights, rest) = elements.as_chunks::<8>();
        let mut add = |elements: &[T]| {
            for (sum, x) in sums.iter_mut().zip(elements) {
                let x = x.to_f64();
                *sum = match self {
                    Self::L1 => *sum + x.abs(),
                    Self::L2 => *sum + x * x,
                    Self::Max => larger(*sum, x.abs()),
                };
            }
        };
        eights.iter().for_each(|eight| add(eight));
        add(rest);
        match self {
            Self::L1 => sums.into_iter().sum(),
            Self::L2 => sums.into_iter().sum::<f64>().sqrt(),
            Self::Max => sums.into_iter().fold(0.0, larger),
        }
    }
}

/// The larger of two numbers; NaN if either is NaN.
fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

impl<T: Float> Tensor<T> {
    /// The norm of all elements; 0 if there are none.
    ///
    /// # Numerics
    /// Summed in `f64` in an order that depends on the number of elements alone. For `f64` the
    /// square of an element above 1.3·10¹⁵⁴ is infinite.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Norm, Tensor};
    ///
    /// let x = Tensor::from([3.0_f32, -4.0]);
    /// assert_eq!(x.norm(Norm::L2)?, 5.0);
    /// assert_eq!((x.norm(Norm::L1)?, x.norm(Norm::Max)?), (7.0, 4.0));
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// The elements must be in main memory.
    pub fn norm(&self, norm: Norm) -> Result<f64> {
        let tensor = self.in_order("norm")?;
        let elements = tensor.view("norm")?.as_contiguous().unwrap_or_default();
        if elements.len() <= PIECE {
            return Ok(norm.of_slice(elements));
        }
        let pieces = elements.par_chunks(PIECE);
        let parts: Vec<f64> = pieces.map(|piece| norm.of_slice(piece)).collect();
        Ok(norm.of_parts(parts))
    }

    /// Whether no element is infinite or NaN.
    ///
    /// # Errors
    /// The elements must be in main memory.
    #[doc(alias = "isfinite")]
    pub fn all_finite(&self) -> Result<bool> {
        let tensor = self.in_order("all_finite")?;
        let elements = tensor
            .view("all_finite")?
            .as_contiguous()
            .unwrap_or_default();
        Ok(match elements.len() <= PIECE {
            true => all_finite(elements),
            false => elements.par_chunks(PIECE).all(all_finite),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_are_their_definitions_whatever_the_length() {
        for length in [0, 1, 7, 8, 9, 100, PIECE + 3, 3 * PIECE] {
            let elements: Vec<f32> = (0..length).map(|i| (i % 31) as f32 - 15.0).collect();
            let magnitudes = || elements.iter().map(|x| f64::from(x.abs()));
            let x = Tensor::from(elements.clone());
            // Sums of integers: exact in any order.
            assert_eq!(x.norm(Norm::L1), Ok(magnitudes().sum()));
            assert_eq!(x.norm(Norm::Max), Ok(magnitudes().fold(0.0, f64::max)));
            let squares: f64 = magnitudes().map(|x| x * x).sum();
            let found = x.norm(Norm::L2).unwrap();
            // A root of a sum of squared roots: a rounding in each of a few pieces.
            assert!((found - squares.sqrt()).abs() <= 4.0 * f64::EPSILON * found);
        }
    }

    #[test]
    fn squares_do_not_overflow_in_f32() {
        let x = Tensor::from([3e30_f32, 4e30]);
        // The elements themselves carry a relative rounding of 2⁻²⁴.
        assert!((x.norm(Norm::L2).unwrap() / 5e30 - 1.0).abs() < 1e-7);
    }

    #[test]
    fn one_element_that_is_not_finite_is_found_anywhere() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for (length, place) in [(1, 0), (20, 19), (3 * PIECE + 1, 2 * PIECE)] {
                let mut elements = vec![f32::MAX; length];
                assert_eq!(Tensor::from(elements.clone()).all_finite(), Ok(true));
                elements[place] = bad;
                let x = Tensor::from(elements);
                assert_eq!(x.all_finite(), Ok(false));
                for norm in [Norm::L1, Norm::L2, Norm::Max] {
                    assert!(!x.norm(norm).unwrap().is_finite());
                }
            }
        }
        assert_eq!(Tensor::<f64>::zeros([0]).unwrap().all_finite(), Ok(true));
    }
}
