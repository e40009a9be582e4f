//! The door to the product, and its division between threads.

use super::super::lanes::dispatch;
use super::{Epilogue, GemmFloat, Matrix, Product};

/// c[m, n] = a[m, k] · b[k, n], finished as `epilogue` says; `c` is row-major without gaps.
pub(crate) fn matmul<T: GemmFloat>(
    [m, k, n]: [usize; 3],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    c: &mut [T],
    epilogue: Epilogue<'_, T>,
) {
    dispatch(Product {
        m,
        k,
        n,
        a,
        b,
        c,
        epilogue,
    });
}
