//! The doors to the product, and its division between threads.

use rayon::prelude::*;

use super::super::lanes::dispatch;
use super::plan::Plan;
use super::{Epilogue, GemmFloat, Matrix, Product, Scratch};

/// Products of numbers (m · k · n) below which a second thread costs more than it does: waking one
/// takes several microseconds, in which one thread does a million products.
const WORTH_SHARING: usize = 1 << 22;

/// Fewest rows of c that are worth a thread: each thread packs `b` for itself.
const ROWS_FOR_A_THREAD: usize = 32;

/// c[m, n] = a[m, k] · b[k, n], finished as `epilogue` says; `c` is row-major without gaps.
#[inline]
pub(crate) fn matmul<T: GemmFloat>(
    shape: [usize; 3],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    c: &mut [T],
    epilogue: Epilogue<'_, T>,
) {
    let [m, k, n] = shape;
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        // A sum of nothing is a sum of one zero.
        let zeros = Matrix {
            elements: &[T::ZERO][..],
            row_stride: 0,
            column_stride: 0,
        };
        return matmul([m, 1, n], zeros, zeros, c, epilogue);
    }
    let (a, b) = (a.with_shape(m, k), b.with_shape(k, n));
    let plan = Plan::of(shape, &a, &b);
    if !plan.transposed {
        return share(Product {
            m,
            k,
            n,
            a,
            b,
            c,
            epilogue,
            path: plan.path,
            depth: plan.depth,
        });
    }
    let mut scratch = Scratch::take(m * n);
    let transposed = &mut scratch.elements()[..m * n];
    share(Product {
        m: n,
        k,
        n: m,
        a: b.transposed(),
        b: a.transposed(),
        c: &mut *transposed,
        epilogue: Epilogue::NONE,
        path: plan.path,
        depth: plan.depth,
    });
    for (i, row) in c.chunks_exact_mut(n).enumerate() {
        for (j, place) in row.iter_mut().enumerate() {
            *place = epilogue.finish(transposed[j * m + i], *place, j);
        }
    }
}

/// Computes a product, on several threads if it is large.
fn share<T: GemmFloat>(product: Product<'_, T>) {
    let Product { m, k, n, .. } = product;
    let work = m.saturating_mul(k).saturating_mul(n);
    if work < WORTH_SHARING {
        return dispatch(product);
    }
    let parts = rayon::current_num_threads().min(2 * work / WORTH_SHARING);
    if parts <= 1 {
        dispatch(product);
    } else if m >= parts * ROWS_FOR_A_THREAD || m >= n {
        share_rows(product, parts);
    } else {
        share_columns(product, parts);
    }
}

fn share_rows<T: GemmFloat>(product: Product<'_, T>, parts: usize) {
    let Product {
        m,
        k,
        n,
        a,
        b,
        c,
        epilogue,
        path,
        depth,
    } = product;
    let rows = m
        .div_ceil(parts)
        .next_multiple_of(super::microkernel::TILE_ROWS);
    c.par_chunks_mut(rows * n)
        .enumerate()
        .for_each(|(part, c)| {
            dispatch(Product {
                m: c.len() / n,
                k,
                n,
                a: a.from(part * rows, 0),
                b,
                c,
                epilogue,
                path,
                depth,
            });
        });
}

/// Each thread computes its columns in memory of its own, from which they are copied: the rows of
/// `c` interleave the columns of all.
fn share_columns<T: GemmFloat>(product: Product<'_, T>, parts: usize) {
    let Product {
        m,
        k,
        n,
        a,
        b,
        c,
        epilogue,
        path,
        depth,
    } = product;
    let columns = n.div_ceil(parts).next_multiple_of(64);
    let starts: Vec<usize> = (0..n).step_by(columns).collect();
    let target = &*c;
    let blocks: Vec<Vec<T>> = starts
        .par_iter()
        .map(|&start| {
            let columns = columns.min(n - start);
            let mut block = Vec::with_capacity(m * columns);
            for row in target.chunks_exact(n) {
                block.extend_from_slice(&row[start..start + columns]);
            }
            let bias = epilogue.bias.map(|bias| &bias[start..]);
            dispatch(Product {
                m,
                k,
                n: columns,
                a,
                b: b.from(0, start),
                c: &mut block,
                epilogue: Epilogue { bias, ..epilogue },
                path,
                depth,
            });
            block
        })
        .collect();
    for (start, block) in starts.into_iter().zip(blocks) {
        let columns = columns.min(n - start);
        for (row, block) in c.chunks_exact_mut(n).zip(block.chunks_exact(columns)) {
            row[start..start + columns].copy_from_slice(block);
        }
    }
}

/// `c[i] = a[i] · b[i]` for matrices that begin at the given offsets of two operands; `c` holds the
/// products one after the other. Small products are divided between threads whole.
pub(crate) fn matmul_batch<T: GemmFloat>(
    shape: [usize; 3],
    a: (Matrix<'_, T>, &[usize]),
    b: (Matrix<'_, T>, &[usize]),
    c: &mut [T],
    epilogue: Epilogue<'_, T>,
) {
    let [m, k, n] = shape;
    let batch = a.1.len();
    let length = m * n;
    if length == 0 || batch == 0 {
        return;
    }
    let run = |first: usize, c: &mut [T]| {
        for (i, c) in c.chunks_exact_mut(length).enumerate() {
            let i = first + i;
            let (a, b) = (a.0.starting_at(a.1[i]), b.0.starting_at(b.1[i]));
            matmul(shape, a, b, c, epilogue);
        }
    };
    let work = length.saturating_mul(k);
    let total = work.saturating_mul(batch);
    if work >= WORTH_SHARING || total < WORTH_SHARING {
        return run(0, c);
    }
    let parts = rayon::current_num_threads()
        .min(2 * total / WORTH_SHARING)
        .max(1);
    let group = batch.div_ceil(parts);
    c.par_chunks_mut(group * length)
        .enumerate()
        .for_each(|(part, c)| run(part * group, c));
}
