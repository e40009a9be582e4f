//! Products of very few rows: rows of `b`, each scaled by a number of `a`, are added to those of `c`.
//!
//! Such a product takes as long as reading `b`. So `b` is read as it lies, some rows side by side, each
//! from front to back; a tile would read a piece of every row, and wait for each.

use pulp::Simd;

use super::rows::Rows;
use super::{GemmFloat, Matrix, Product, Scratch};

/// Rows of `c`, at most: for more, tiles are as fast where `b` is in a cache.
pub(super) const MOST: usize = 5;

/// Columns summed at a time, which stay in the nearer caches.
const COLUMNS: usize = 8192;

/// The product of up to [`MOST`] rows. The rows of `b` must be contiguous.
#[inline(always)]
pub(super) fn multiply<S: Simd, T: GemmFloat>(simd: S, product: &mut Product<'_, T>) {
    match product.m {
        1 => sum_of_rows::<S, T, 1, 8>(simd, product),
        2 => sum_of_rows::<S, T, 2, 8>(simd, product),
        3 => sum_of_rows::<S, T, 3, 8>(simd, product),
        4 => sum_of_rows::<S, T, 4, 6>(simd, product),
        _ => sum_of_rows::<S, T, MOST, 5>(simd, product),
    }
}

/// The product of `M` rows, a part of the columns at a time, summed in scratch memory that has room for
/// whole registers. `TOGETHER` rows of `b` are read side by side, so many that 32 registers hold their
/// scales and a sum for each row of `c`.
#[inline(always)]
fn sum_of_rows<S: Simd, T: GemmFloat, const M: usize, const TOGETHER: usize>(
    simd: S,
    product: &mut Product<'_, T>,
) {
    let Product { k, n, a, b, .. } = *product;
    let epilogue = product.epilogue;
    let most = n.min(COLUMNS).next_multiple_of(T::width::<S>());
    let mut scratch = Scratch::take((M + 2) * most);
    for start in (0..n).step_by(COLUMNS) {
        let columns = COLUMNS.min(n - start);
        let padded = columns.next_multiple_of(T::width::<S>());
        let (sums, end) = scratch.elements().split_at_mut(M * padded);
        sums.fill(T::ZERO);
        let rows = Rows::of(b.from(0, start), columns, padded, end);
        let mut p = 0;
        while p < k {
            p += match k - p < TOGETHER {
                true => add_rows::<S, T, M, 1>(simd, a, rows, p, sums),
                false => add_rows::<S, T, M, TOGETHER>(simd, a, rows, p, sums),
            };
        }
        let c = product.c.chunks_exact_mut(n);
        for (c, sums) in c.zip(sums.chunks_exact(padded)) {
            let places = c[start..].iter_mut().zip(sums);
            for (j, (place, &sum)) in (start..).zip(places) {
                *place = epilogue.finish(sum, *place, j);
            }
        }
    }
}

/// Adds `R` rows of `b` from `p` on, scaled, to each of the `M` rows of sums. The number of rows.
#[inline(always)]
fn add_rows<S: Simd, T: GemmFloat, const M: usize, const R: usize>(
    simd: S,
    a: Matrix<'_, T>,
    rows: Rows<'_, T>,
    p: usize,
    sums: &mut [T],
) -> usize {
    let zero = T::splat(simd, T::ZERO);
    let registers = rows.padded / T::width::<S>();
    let mut sources: [&[T::Vector<S>]; R] = [&[]; R];
    let mut scales = [[zero; M]; R];
    for q in 0..R {
        let row = rows.at((p + q) * rows.stride);
        sources[q] = &T::split::<S>(row).0[..registers];
        for i in 0..M {
            scales[q][i] = T::splat(simd, a.at(i, p + q));
        }
    }
    let mut sums = sums.chunks_exact_mut(rows.padded);
    let targets: [&mut [T::Vector<S>]; M] = std::array::from_fn(|_| {
        let row = sums.next().unwrap_or_default();
        &mut T::split_mut::<S>(row).0[..registers]
    });
    for j in 0..registers {
        let mut totals = [zero; M];
        for i in 0..M {
            totals[i] = targets[i][j];
        }
        for q in 0..R {
            let x = sources[q][j];
            for i in 0..M {
                totals[i] = T::mul_add(simd, x, scales[q][i], totals[i]);
            }
        }
        for i in 0..M {
            targets[i][j] = totals[i];
        }
    }
    R
}
