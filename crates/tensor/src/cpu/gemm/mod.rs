//! The matrix product: c[m, n] = a[m, k] · b[k, n], the loop that most of a training step is spent in.
//!
//! The plain version is three loops, and what follows changes only the order in which the same
//! products are summed:
//!
//! ```text
//! for i in 0..m { for j in 0..n { for p in 0..k { c[i][j] += a[i][p] * b[p][j] } } }
//! ```
//!
//! As it stands each product waits for the sum before it, reads two numbers from memory and uses one
//! lane of a register. The departures, in reading order:
//!
//! 1. **A tile of c stays in registers** ([`microkernel`]). Nine rows by up to three registers of
//!    columns: 27 sums that do not wait for each other, each number of `a` used for a whole row of
//!    the tile, each register of `b` for nine rows.
//! 2. **k is cut into blocks and `b` into panels** ([`blocks`]), so that what the tiles read of `a` and
//!    `b` stays in the nearer caches. After the first block a tile adds to `c`.
//! 3. **Operands are copied into the order in which they are read** ([`pack`]), unless they are
//!    stored in such an order already. Copying costs as much as a few rows of the product, so
//!    whether to copy depends on the shape.
//! 4. **A product with a few columns, or rows, has no tile to fill** ([`dots`]): its elements are
//!    dot products along k, where both operands are contiguous.
//! 5. **A product whose rows fit one register** has nothing to cut, and little to set out
//!    ([`narrow`]).
//! 6. **A product of very few rows** is as fast as `b` is read, front to back ([`few_rows`]).
//! 7. **A product may be computed transposed**, cᵀ = bᵀ · aᵀ: with few columns and `a` stored by
//!    columns the lanes run along m instead of n. Which way is faster is estimated in [`plan`].
//! 8. **Large products are split between threads** ([`parallel`]) by rows of `c`, or by columns
//!    where there are few rows or less is copied so; k is never split. One element is always summed
//!    in the same order, which depends on shape and strides alone, so any number of threads gives the
//!    same bits.
//! 9. **An activation is applied to rows as they are finished**, block by block, before they leave
//!    the cache.
//!
//! An infinity or a NaN in an operand reaches every element of `c` that the plain version would
//! make infinite or NaN: no product is skipped, not even with a zero.

#![allow(
    clippy::needless_range_loop,
    reason = "loops over registers keep them in registers only if they count to a constant"
)]

mod blocks;
mod dots;
mod few_rows;
mod microkernel;
mod narrow;
mod pack;
mod parallel;
mod plan;
mod rows;
#[cfg(test)]
mod tests;

use std::ops::AddAssign;

use pulp::{Simd, WithSimd};

use super::lanes::LaneMemory;
use super::scratch::{Lent, Scratch};
pub(crate) use parallel::matmul_batch;
use plan::Plan;

/// One operand: element (i, j) is `elements[i * row_stride + j * column_stride]`.
///
/// A stride of 0 repeats a row or a column.
#[derive(Clone, Copy, Debug)]
struct Matrix<'a, T> {
    elements: &'a [T],
    row_stride: usize,
    column_stride: usize,
}

impl<T: Copy> Matrix<'_, T> {
    /// The same elements with rows and columns exchanged.
    #[inline(always)]
    fn transposed(self) -> Self {
        Self {
            elements: self.elements,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    /// The same matrix with the stride that no element uses, that of a single row or column, set to
    /// what it would be in a matrix without gaps.
    #[inline(always)]
    fn with_shape(mut self, rows: usize, columns: usize) -> Self {
        if columns == 1 {
            self.column_stride = if self.row_stride == 1 { rows } else { 1 };
        } else if rows == 1 {
            self.row_stride = if self.column_stride == 1 { columns } else { 1 };
        }
        self
    }

    /// The same matrix `offset` elements further on.
    #[inline(always)]
    fn starting_at(self, offset: usize) -> Self {
        Self {
            // Past the end only where the matrix has no elements.
            elements: self.elements.get(offset..).unwrap_or(&[]),
            ..self
        }
    }

    /// The matrix from row `row` and column `column` on.
    #[inline(always)]
    fn from(self, row: usize, column: usize) -> Self {
        self.starting_at(row * self.row_stride + column * self.column_stride)
    }

    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> T {
        self.elements[row * self.row_stride + column * self.column_stride]
    }
}

/// One operand of a batch of products: matrix i begins `starts[i]` elements into `elements`.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a, T> {
    pub(crate) elements: &'a [T],
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
    pub(crate) starts: &'a [usize],
}

impl<'a, T> Batch<'a, T> {
    /// Matrix `number`.
    #[inline(always)]
    fn matrix(&self, number: usize) -> Matrix<'a, T> {
        Matrix {
            // Past the end only where the matrix has no elements.
            elements: self.elements.get(self.starts[number]..).unwrap_or(&[]),
            row_stride: self.row_stride,
            column_stride: self.column_stride,
        }
    }
}

/// What is done to elements in place.
pub(crate) type Then<'a, T> = &'a (dyn Fn(&mut [T]) + Sync);

/// What is done to a product on its way to memory: `c = then(product + c + bias)`, each part
/// optional.
#[derive(Clone, Copy)]
pub struct Epilogue<'a, T> {
    /// One number for each column of `c`, added to every row.
    pub(crate) bias: Option<&'a [T]>,
    /// The product is added to what `c` holds instead of replacing it.
    pub(crate) accumulate: bool,
    /// Called with finished rows, or parts of them, while they are in the cache: an activation.
    pub(crate) then: Option<Then<'a, T>>,
}

impl<T: GemmFloat> Epilogue<'_, T> {
    /// `sum` as it is written to column `column` of a place that holds `before`.
    #[inline(always)]
    fn finish(&self, sum: T, before: T, column: usize) -> T {
        let mut value = sum;
        if self.accumulate {
            value += before;
        }
        if let Some(bias) = self.bias {
            value += bias[column];
        }
        value
    }
}

impl<T> Epilogue<'_, T> {
    /// The product itself.
    pub(crate) const NONE: Self = Self {
        bias: None,
        accumulate: false,
        then: None,
    };
}

/// What the products need of a number type.
pub trait GemmFloat: Lent + LaneMemory + PartialOrd + AddAssign {}

impl<T: Lent + LaneMemory + PartialOrd + AddAssign> GemmFloat for T {}

/// One product, or the part of one that a thread computes.
struct Product<'a, T> {
    m: usize,
    k: usize,
    n: usize,
    a: Matrix<'a, T>,
    b: Matrix<'a, T>,
    /// Row-major, m × n, without gaps.
    c: &'a mut [T],
    epilogue: Epilogue<'a, T>,
    /// How to compute it: the same for all parts of a product.
    plan: Plan,
}

impl<T: GemmFloat> WithSimd for &mut Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.plan.path {
            Path::Tiles => blocks::multiply(simd, self),
            Path::Narrow if self.n <= T::width::<S>() => narrow::multiply(simd, self),
            Path::Narrow => blocks::multiply(simd, self),
            Path::Dots => dots::multiply(simd, self),
            Path::FewRows => few_rows::multiply(simd, self),
        }
    }
}

/// How a product is computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Path {
    /// Lanes along the columns of c.
    Tiles,
    /// Lanes along the columns of c, all of which fit one register.
    Narrow,
    /// Lanes along k.
    Dots,
    /// Lanes along the columns of c, which has at most [`few_rows::MOST`] rows.
    FewRows,
}
