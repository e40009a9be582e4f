//! Products of two vectors.

use crate::cpu::parallel::{LIGHT_PIECE, map_pieces};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::pointwise::Pointwise;
use crate::scalar::Scalar;
use crate::shape::{Shape, Sizes};
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The inner product of two vectors, Σ aᵢ·bᵢ, of rank 0.
    ///
    /// # Errors
    /// Both must have one axis, of one length.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let (a, b) = (Tensor::from([1.0, 2.0, 3.0]), Tensor::from([4.0, 5.0, 6.0]));
    /// assert_eq!(a.dot(&b)?.item()?, 32.0);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "inner")]
    #[doc(alias = "vdot")]
    pub fn dot(&self, other: &Self) -> Result<Self> {
        vectors("dot", [self, other])?;
        if self.count() != other.count() {
            return Err(Error::InnerSizes {
                op: "dot",
                left: Sizes::from_slice(self.shape()),
                right: Sizes::from_slice(other.shape()),
            });
        }
        let count = self.count();
        if count <= LIGHT_PIECE {
            return self.matmul(other);
        }
        let starts = (0..count).step_by(LIGHT_PIECE);
        let parts = map_pieces(starts, |start| {
            let part = |x: &Self| x.narrow(0, start, LIGHT_PIECE.min(count - start));
            part(self)?.matmul(&part(other)?)?.item()
        });
        let sum = parts
            .into_iter()
            .try_fold(T::ZERO, |sum, part| Ok(sum + part?))?;
        Ok(Self::scalar(sum))
    }

    /// The outer product of two vectors of lengths m and n: the matrix \[m, n\] of all aᵢ·bⱼ.
    ///
    /// # Errors
    /// Both must have one axis.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let (a, b) = (Tensor::from([1.0, 2.0]), Tensor::from([3.0, 4.0, 5.0]));
    /// let product = a.outer(&b)?;
    /// assert_eq!(product.shape(), [2, 3]);
    /// assert_eq!(product.to_vec()?, [3.0, 4.0, 5.0, 6.0, 8.0, 10.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "ger")]
    pub fn outer(&self, other: &Self) -> Result<Self> {
        vectors("outer", [self, other])?;
        Shape::contiguous("outer", &[self.count(), other.count()])?;
        self.unsqueeze(1)?.zip(&other.unsqueeze(0)?, Outer)
    }
}

/// The formula of [`Tensor::outer`], so that errors name the operation.
#[derive(Clone, Copy, Debug)]
struct Outer;

impl Pointwise<2> for Outer {
    const NAME: &'static str = "outer";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [a, b]: [S; 2]) -> S {
        a * b
    }
}

fn vectors<T: Float>(op: &'static str, operands: [&Tensor<T>; 2]) -> Result<()> {
    match operands.into_iter().find(|operand| operand.rank() != 1) {
        Some(other) => Err(Error::Shape {
            op,
            expected: "two vectors".into(),
            found: Sizes::from_slice(other.shape()),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_vectors_are_multiplied_piece_by_piece() {
        for count in [LIGHT_PIECE, LIGHT_PIECE + 1, 3 * LIGHT_PIECE - 5] {
            // Whole numbers, whose sums are exact.
            let numbers =
                |by| Tensor::from((0..count).map(|k| (k % by) as f64).collect::<Vec<_>>());
            let (a, b) = (numbers(7), numbers(5));
            let expected: usize = (0..count).map(|k| (k % 7) * (k % 5)).sum();
            assert_eq!(a.dot(&b).unwrap().item(), Ok(expected as f64));
            let backwards = [a, b].map(|x| x.flip([0]).unwrap());
            assert_eq!(
                backwards[0].dot(&backwards[1]).unwrap().item(),
                Ok(expected as f64)
            );
        }
    }

    #[test]
    fn what_is_no_pair_of_vectors_is_told() {
        let (a, b) = (Tensor::from([1.0, 2.0]), Tensor::from([1.0, 2.0, 3.0]));
        let told = |result: Result<Tensor<f64>>| result.map(drop).unwrap_err().to_string();
        assert_eq!(told(a.dot(&b)), "dot: inner sizes differ: [2] × [3]");
        assert_eq!(
            told(a.outer(&Tensor::scalar(1.0))),
            "outer: expected two vectors, found shape []"
        );
        assert_eq!(
            told(Tensor::from([[1.0, 2.0]]).dot(&a)),
            "dot: expected two vectors, found shape [1, 2]"
        );
    }
}
