//! The matrix product: c[m, n] = a[m, k] · b[k, n], the loop that most of a training step is spent in.
//!
//! The plain version is three loops, and what follows changes only the order in which the same
//! products are summed:
//!
//! ```text
//! for i in 0..m { for j in 0..n { for p in 0..k { c[i][j] += a[i][p] * b[p][j] } } }
//! ```
//!
//! It runs at a fiftieth of what a core can do: each product waits for the sum before it, reads
//! two numbers from memory and uses one lane of a register. The departures, in reading order:
//!
//! 1. **A tile of c stays in registers** ([`microkernel`]). Six rows by up to four registers of
//!    columns: 24 sums that do not wait for each other, each number of `a` used for a whole row of
//!    the tile, each register of `b` for six rows.
//! 2. **k is cut into blocks and `b` into panels** ([`blocks`]), so that the part of `b` that a
//!    column of tiles reads stays in the nearest cache. After the first block a tile adds to `c`.
//! 3. **Operands are copied into the order in which they are read** ([`pack`]), unless they are
//!    stored in such an order already. Copying costs as much as a few rows of the product, so
//!    whether to copy depends on the shape.
//! 4. **Products with one row, one column or a few** ([`vector`]) have no tile to fill: they are
//!    dot products along k, or sums of scaled rows of `b`.
//! 5. **A narrow product whose `a` is stored by columns is computed transposed**, cᵀ = bᵀ · aᵀ:
//!    the lanes run along m instead of n, of which there are too few to fill a register.
//! 6. **Large products are split between threads** by rows of `c`, or by columns where there are
//!    few rows; k is never split. One element is always summed in the same order, which depends
//!    on the shape alone, so any number of threads gives the same bits.
//!
//! An infinity or a NaN in an operand reaches every element of `c` that the plain version would
//! make infinite or NaN: no product is skipped, not even with a zero.

mod blocks;
mod microkernel;
mod pack;
mod parallel;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::thread::LocalKey;

use pulp::{Simd, WithSimd};

use super::lanes::LaneFloat;
pub(crate) use parallel::matmul;

/// One operand: element (i, j) is `elements[i * row_stride + j * column_stride]`.
///
/// A stride of 0 repeats a row or a column.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    pub(crate) elements: &'a [T],
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// The same elements with rows and columns exchanged.
    #[inline(always)]
    fn transposed(self) -> Self {
        Self {
            elements: self.elements,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    /// The matrix from row `row` and column `column` on.
    #[inline(always)]
    fn from(self, row: usize, column: usize) -> Self {
        let start = row * self.row_stride + column * self.column_stride;
        Self {
            // Past the end only where the matrix that is left has no elements.
            elements: self.elements.get(start..).unwrap_or(&[]),
            ..self
        }
    }

    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> T
    where
        T: Copy,
    {
        self.elements[row * self.row_stride + column * self.column_stride]
    }
}

/// What is done to a product on its way to memory: `c = relu(product + c + bias)`, each part optional.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a, T> {
    /// One number for each column of `c`, added to every row.
    pub(crate) bias: Option<&'a [T]>,
    /// Negative elements become 0; a NaN stays.
    pub(crate) relu: bool,
    /// The product is added to what `c` holds instead of replacing it.
    pub(crate) accumulate: bool,
}

impl<T> Epilogue<'_, T> {
    /// The product itself.
    pub(crate) const NONE: Self = Self {
        bias: None,
        relu: false,
        accumulate: false,
    };
}

/// What the products need of a number type beyond its lanes.
pub(crate) trait GemmFloat: LaneFloat + PartialOrd + 'static {
    const ZERO: Self;

    /// The sum of the lanes of a register.
    fn sum_lanes<S: Simd>(simd: S, vector: Self::Vector<S>) -> Self;

    /// Memory that a thread keeps for packed operands, at most [`SCRATCH_KEPT`] numbers of it.
    fn scratch() -> &'static LocalKey<Cell<Vec<Self>>>;
}

/// Longest buffer, in elements, that a thread keeps between products.
const SCRATCH_KEPT: usize = 1 << 20;

macro_rules! gemm_float {
    ($T:ident, $sum:ident) => {
        impl GemmFloat for $T {
            const ZERO: Self = 0.0;

            #[inline(always)]
            fn sum_lanes<S: Simd>(simd: S, vector: Self::Vector<S>) -> Self {
                simd.$sum(vector)
            }

            #[inline(always)]
            fn scratch() -> &'static LocalKey<Cell<Vec<Self>>> {
                thread_local!(static SCRATCH: Cell<Vec<$T>> = const { Cell::new(Vec::new()) });
                &SCRATCH
            }
        }
    };
}

gemm_float!(f32, reduce_sum_f32s);
gemm_float!(f64, reduce_sum_f64s);

/// Elements of unspecified content that start on a cache line, lent by the thread.
///
/// The buffer is taken out of its thread's cell while in use, so a product that runs inside
/// another one on the same thread (a thread that waits for its share may be given other work)
/// finds an empty cell and makes a buffer of its own.
struct Scratch<T: GemmFloat> {
    buffer: Vec<T>,
    start: usize,
}

impl<T: GemmFloat> Scratch<T> {
    #[inline(always)]
    fn take(length: usize) -> Self {
        const LINE: usize = 64;
        let slack = LINE / size_of::<T>();
        let mut buffer = T::scratch().take();
        if buffer.len() < length + slack {
            buffer = vec![T::ZERO; length + slack];
        }
        let start = buffer.as_ptr().align_offset(LINE).min(slack);
        Self { buffer, start }
    }

    #[inline(always)]
    fn elements(&mut self) -> &mut [T] {
        &mut self.buffer[self.start..]
    }
}

impl<T: GemmFloat> Drop for Scratch<T> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.buffer.len() <= SCRATCH_KEPT {
            T::scratch().set(std::mem::take(&mut self.buffer));
        }
    }
}

/// One product, computed by one thread.
pub(super) struct Product<'a, T> {
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) a: Matrix<'a, T>,
    pub(super) b: Matrix<'a, T>,
    /// Row-major, m × n, without gaps.
    pub(super) c: &'a mut [T],
    pub(super) epilogue: Epilogue<'a, T>,
}

impl<T: GemmFloat> WithSimd for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.m == 0 || self.n == 0 {
            return;
        }
        if self.k == 0 {
            // A sum of nothing is a sum of one zero.
            let zero = [T::ZERO];
            let zeros = Matrix {
                elements: &zero[..],
                row_stride: 0,
                column_stride: 0,
            };
            let product: Product<'_, T> = self;
            let product = Product {
                k: 1,
                a: zeros,
                b: zeros,
                ..product
            };
            return blocks::multiply(simd, product);
        }
        blocks::multiply(simd, self);
    }
}
