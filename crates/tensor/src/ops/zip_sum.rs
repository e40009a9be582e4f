//! The sum of a formula of two tensors.
//!
//! The formula is computed piece by piece, and each piece, still in the cache, summed at once. The
//! pieces depend on the sizes alone: the same bits for any number of threads.

use super::axes::{Axes, keep};
use crate::cpu::parallel::{PIECE, map_pieces};
use crate::element::Float;
use crate::error::Result;
use crate::pointwise::Pointwise;
use crate::shape::broadcast;
use crate::tensor::Tensor;

/// At most so many pieces of one axis: what is larger is cut again.
const PIECES: usize = 256;

impl<T: Float> Tensor<T> {
    /// The sum along `axes` of `formula` of the elements of two tensors, broadcast to one shape,
    /// without a tensor of that shape in between: with a product, an inner product along any axes.
    ///
    /// `axes` are those of the shape that both are broadcast to.
    ///
    /// # Errors
    /// The shapes must broadcast. Each axis must exist and be named once.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Tensor, ops::pointwise::Mul};
    ///
    /// let (x, y) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([10.0, 1.0]));
    /// assert_eq!(x.zip_sum(&y, Mul, 1)?.to_vec()?, [12.0, 34.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn zip_sum<F: Pointwise<2>>(
        &self,
        other: &Self,
        formula: F,
        axes: impl Into<Axes>,
    ) -> Result<Self> {
        let sizes = broadcast(F::NAME, self.shape(), other.shape())?;
        let axes = axes.into().resolve(F::NAME, &sizes)?;
        let (a, b) = (
            self.stretched(F::NAME, &sizes)?,
            other.stretched(F::NAME, &sizes)?,
        );
        in_pieces(&a, &b, formula, &axes.flags)?.reshape(&axes.sizes)
    }
}

/// The sums of two tensors of one shape, with each reduced axis as 1.
fn in_pieces<T: Float, F: Pointwise<2>>(
    a: &Tensor<T>,
    b: &Tensor<T>,
    formula: F,
    reduced: &[bool],
) -> Result<Tensor<T>> {
    let (sizes, count) = (a.shape(), a.count());
    let axis = match sizes.iter().position(|&size| size > 1) {
        Some(axis) if count > PIECE => axis,
        _ => {
            let axes = (0..sizes.len()).filter(|&axis| reduced[axis]);
            let axes: Vec<isize> = axes.map(|axis| axis as isize).collect();
            return a.zip(b, formula)?.sum(keep(axes));
        }
    };
    let (size, inner) = (sizes[axis], count / sizes[axis]);
    let length = (PIECE / inner).max(size.div_ceil(PIECES));
    let along = axis as isize;
    let pieces = a.split_every(along, length)?.into_iter();
    let pieces = pieces.zip(b.split_every(along, length)?);
    let sums = map_pieces(pieces, |(a, b)| in_pieces(&a, &b, formula, reduced));
    let sums: Vec<_> = sums.into_iter().collect::<Result<_>>()?;
    let sums = Tensor::concatenate(&sums.iter().collect::<Vec<_>>(), along)?;
    if reduced[axis] {
        sums.sum(keep(along))
    } else {
        Ok(sums)
    }
}
