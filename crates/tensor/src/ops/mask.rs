//! Masks: choosing between elements by tensors of booleans.

use std::ops::Range;

use super::dense;
use crate::cpu;
use crate::cpu::compact;
use crate::cpu::parallel::{PIECE, for_each_piece};
use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes, broadcast};
use crate::tensor::Tensor;

impl<T: Element> Tensor<T> {
    /// The elements of `if_true` where the mask holds, of `if_false` elsewhere, all broadcast to
    /// one shape.
    ///
    /// # Errors
    /// The shapes must broadcast.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let mask = Tensor::from([true, false]);
    /// let chosen = Tensor::select(&mask, &Tensor::from([1, 2]), &Tensor::scalar(0))?;
    /// assert_eq!(chosen.to_vec()?, [1, 0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "where")]
    pub fn select(mask: &Tensor<bool>, if_true: &Self, if_false: &Self) -> Result<Self> {
        choose("select", mask, if_true, if_false)
    }

    /// Where the elements are not 0 (not false), in row-major order; NaN is not 0.
    ///
    /// # Shapes
    /// From n such elements of a tensor of rank r, \[n, r\]: one row of coordinates for each.
    ///
    /// # Errors
    /// The elements must be in main memory.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([[0.0, 2.0], [3.0, 0.0]]);
    /// assert_eq!(x.nonzero()?.to_vec()?, [0, 1, 1, 0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "argwhere")]
    pub fn nonzero(&self) -> Result<Tensor<i64>> {
        const OP: &str = "nonzero";
        let elements = self.in_order(OP)?;
        let elements = dense(OP, &elements)?;
        let (sizes, rank) = (self.shape(), self.rank());
        let counts = compact::counts(elements);
        let count = counts.iter().sum();
        let shape = Shape::contiguous(OP, &[count, rank])?;
        let places = Tensor::build(OP, Shape::vector(count), |output| {
            compact::write(elements, &counts, output, |place| place as i64);
        })?;
        if rank == 1 {
            return places.unsqueeze(1);
        }
        let places = dense(OP, &places)?;
        Tensor::build(OP, shape, |output| {
            // Of rank 0 the rows are empty, and there is nothing to write.
            let width = rank.max(1);
            for_each_piece(output, PIECE * width, |start, output| {
                let rows = output.chunks_exact_mut(width);
                for (row, &place) in rows.zip(&places[start / width..]) {
                    let mut place = place as usize;
                    for (to, &size) in row.iter_mut().zip(sizes).rev() {
                        *to = (place % size) as i64;
                        place /= size;
                    }
                }
            });
        })
    }

    /// The tensor with `value` where the mask holds; the two are broadcast to one shape.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[doc(alias = "putmask")]
    pub fn masked_fill(&self, mask: &Tensor<bool>, value: T) -> Result<Self> {
        choose("masked_fill", mask, &Tensor::scalar(value), self)
    }

    /// The elements where the mask holds, as a vector in row-major order; the two are broadcast to
    /// one shape first.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[doc(alias = "compress")]
    pub fn masked_select(&self, mask: &Tensor<bool>) -> Result<Self> {
        const OP: &str = "masked_select";
        let sizes = broadcast(OP, self.shape(), mask.shape())?;
        let elements = self.stretched(OP, &sizes)?.in_order(OP)?;
        let mask = mask.stretched(OP, &sizes)?.in_order(OP)?;
        let (elements, mask) = (dense(OP, &elements)?, dense(OP, &mask)?);
        let counts = compact::counts(mask);
        let shape = Shape::vector(counts.iter().sum());
        Self::build(OP, shape, |output| {
            compact::write(mask, &counts, output, |place| elements[place]);
        })
    }
}

impl<T: Element> Tensor<T> {
    /// The lower triangle of each matrix, the last two axes: 0 (false) where `column − row > diagonal`.
    ///
    /// # Errors
    /// The tensor must have at least two axes.
    pub fn tril(&self, diagonal: isize) -> Result<Self> {
        self.triangle("tril", |row, width| {
            clamped(row.saturating_add(diagonal).saturating_add(1), width)..width
        })
    }

    /// The upper triangle of each matrix, the last two axes: 0 (false) where `column − row < diagonal`.
    ///
    /// # Errors
    /// The tensor must have at least two axes.
    pub fn triu(&self, diagonal: isize) -> Result<Self> {
        self.triangle("triu", |row, width| {
            0..clamped(row.saturating_add(diagonal), width)
        })
    }

    /// Each matrix with 0 in the columns `outside(row, width)`.
    fn triangle(
        &self,
        op: &'static str,
        outside: impl Fn(isize, usize) -> Range<usize> + Sync,
    ) -> Result<Self> {
        let &[.., height, width] = self.shape() else {
            return Err(Error::Shape {
                op,
                expected: "at least two axes".into(),
                found: Sizes::from_slice(self.shape()),
            });
        };
        let (from, shape) = (self.view(op)?, Shape::contiguous(op, self.shape())?);
        Self::build(op, shape, |output| {
            cpu::copy::copy(from, output);
            let width = width.max(1);
            let rows = (PIECE / width).max(1);
            for_each_piece(output, rows * width, |start, output| {
                let numbered = (start / width..).zip(output.chunks_exact_mut(width));
                for (row, elements) in numbered {
                    elements[outside((row % height) as isize, width)].fill(T::ZERO);
                }
            });
        })
    }
}

/// A column, or the end of the row that it lies outside of.
fn clamped(column: isize, width: usize) -> usize {
    column.max(0).unsigned_abs().min(width)
}

fn choose<T: Element>(
    op: &'static str,
    mask: &Tensor<bool>,
    if_true: &Tensor<T>,
    if_false: &Tensor<T>,
) -> Result<Tensor<T>> {
    let sizes = broadcast(op, if_true.shape(), if_false.shape())?;
    let sizes = broadcast(op, mask.shape(), &sizes)?;
    let mask = mask.stretched(op, &sizes)?;
    let (if_true, if_false) = (
        if_true.stretched(op, &sizes)?,
        if_false.stretched(op, &sizes)?,
    );
    let shape = Shape::contiguous(op, &sizes)?;
    let (mask, a, b) = (mask.view(op)?, if_true.view(op)?, if_false.view(op)?);
    Tensor::build(op, shape, |output| {
        cpu::elementwise::zip3(mask, a, b, output, |mask, a, b| if mask { a } else { b });
    })
}
