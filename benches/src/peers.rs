//! What products are compared with: `ndarray`, which multiplies by the crate `matrixmultiply`.

use macula::tensor::random::RandomFloat;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, LinalgScalar};
use rayon::prelude::*;

/// A number type that `ndarray` multiplies.
pub trait PeerFloat: RandomFloat + LinalgScalar {}

impl<T: RandomFloat + LinalgScalar> PeerFloat for T {}

/// A product c = a · b of row-major matrices; `a` may be stored transposed.
#[derive(Clone, Copy, Debug)]
pub struct Product<'a, T> {
    a: ArrayView2<'a, T>,
    b: ArrayView2<'a, T>,
}

impl<'a, T: PeerFloat> Product<'a, T> {
    /// Of `sizes` m, k, n.
    pub fn new([m, k, n]: [usize; 3], a: &'a [T], transposed: bool, b: &'a [T]) -> Self {
        let fits = "as many elements as the sizes say";
        let a = match transposed {
            true => ArrayView2::from_shape((k, m), a)
                .expect(fits)
                .reversed_axes(),
            false => ArrayView2::from_shape((m, k), a).expect(fits),
        };
        let b = ArrayView2::from_shape((k, n), b).expect(fits);
        Self { a, b }
    }

    /// Computes `c`; of several threads each gets as many rows.
    pub fn compute(&self, c: &mut [T]) {
        let (rows, columns) = (self.a.nrows(), self.b.ncols());
        let c = ArrayViewMut2::from_shape((rows, columns), c);
        let mut c = c.expect("as many elements as the product");
        let part = rows.div_ceil(rayon::current_num_threads());
        if part == rows {
            general_mat_mul(T::one(), &self.a, &self.b, T::zero(), &mut c);
            return;
        }
        let a = self.a.axis_chunks_iter(Axis(0), part);
        let parts: Vec<_> = a.zip(c.axis_chunks_iter_mut(Axis(0), part)).collect();
        parts.into_par_iter().for_each(|(a, mut c)| {
            general_mat_mul(T::one(), &a, &self.b, T::zero(), &mut c);
        });
    }
}
