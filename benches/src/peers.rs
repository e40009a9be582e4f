//! The crates that products are compared with.
#![allow(unsafe_code, reason = "neither crate has a safe door")]

use gemm::Parallelism;
use macula::tensor::random::RandomFloat;
use rayon::prelude::*;

/// A product c = a · b of row-major matrices; `a` may be stored transposed.
#[derive(Clone, Copy)]
pub struct Product<'a, T> {
    /// Rows of c, the inner size, columns of c.
    pub sizes: [usize; 3],
    /// The left operand.
    pub a: &'a [T],
    /// Whether `a` is stored transposed.
    pub transposed: bool,
    /// The right operand.
    pub b: &'a [T],
}

impl<T: PeerFloat> Product<'_, T> {
    /// Computes `c` by the crate `gemm`, on the threads of the pool it is called in.
    pub fn gemm(&self, c: &mut [T]) {
        self.check(c);
        // SAFETY: every element lies inside its slice, as was checked.
        unsafe { T::gemm(self.sizes, self.a.as_ptr(), self.strides(), self.b, c) }
    }

    /// Computes `c` by the crate `matrixmultiply`; of several threads each gets as many rows.
    pub fn matrixmultiply(&self, c: &mut [T]) {
        self.check(c);
        let [m, k, n] = self.sizes;
        let rows = m.div_ceil(rayon::current_num_threads());
        let part = |(part, c): (usize, &mut [T])| {
            let a = &self.a[part * rows * self.strides()[0] as usize..];
            let sizes = [c.len() / n, k, n];
            // SAFETY: the rows of this part are among those that were checked.
            unsafe { T::matrixmultiply(sizes, a.as_ptr(), self.strides(), self.b, c) }
        };
        if rows == m {
            part((0, c));
        } else {
            c.par_chunks_mut(rows * n).enumerate().for_each(part);
        }
    }

    fn check(&self, c: &[T]) {
        let [m, k, n] = self.sizes;
        let lengths = [self.a.len(), self.b.len(), c.len()];
        assert_eq!(lengths, [m * k, k * n, m * n]);
    }

    /// Steps from row to row and from column to column of `a`.
    fn strides(&self) -> [isize; 2] {
        let [m, k, _] = self.sizes.map(|size| size as isize);
        if self.transposed { [1, m] } else { [k, 1] }
    }
}

/// A number type that both crates multiply.
pub trait PeerFloat: RandomFloat {
    /// # Safety
    /// All elements that the sizes and the strides of `a` reach must exist.
    #[doc(hidden)]
    unsafe fn gemm(
        sizes: [usize; 3],
        a: *const Self,
        strides: [isize; 2],
        b: &[Self],
        c: &mut [Self],
    );

    /// # Safety
    /// All elements that the sizes and the strides of `a` reach must exist.
    #[doc(hidden)]
    unsafe fn matrixmultiply(
        sizes: [usize; 3],
        a: *const Self,
        strides: [isize; 2],
        b: &[Self],
        c: &mut [Self],
    );
}

macro_rules! peer_float {
    ($T:ident, $matrixmultiply:path) => {
        impl PeerFloat for $T {
            unsafe fn gemm(
                [m, k, n]: [usize; 3],
                a: *const $T,
                [row, column]: [isize; 2],
                b: &[$T],
                c: &mut [$T],
            ) {
                let (b, c, width) = (b.as_ptr(), c.as_mut_ptr(), n as isize);
                let parallelism = match rayon::current_num_threads() {
                    1 => Parallelism::None,
                    threads => Parallelism::Rayon(threads),
                };
                // SAFETY: the caller's.
                unsafe {
                    gemm::gemm(
                        m,
                        n,
                        k,
                        c,
                        1,
                        width,
                        false,
                        a,
                        column,
                        row,
                        b,
                        1,
                        width,
                        0.0,
                        1.0,
                        false,
                        false,
                        false,
                        parallelism,
                    );
                }
            }

            unsafe fn matrixmultiply(
                [m, k, n]: [usize; 3],
                a: *const $T,
                [row, column]: [isize; 2],
                b: &[$T],
                c: &mut [$T],
            ) {
                let (b, c, width) = (b.as_ptr(), c.as_mut_ptr(), n as isize);
                // SAFETY: the caller's.
                unsafe {
                    $matrixmultiply(m, k, n, 1.0, a, row, column, b, width, 1, 0.0, c, width, 1);
                }
            }
        }
    };
}

peer_float!(f32, matrixmultiply::sgemm);
peer_float!(f64, matrixmultiply::dgemm);
