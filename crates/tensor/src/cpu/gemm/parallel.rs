//! The doors to the product, and its division between threads.

use super::super::lanes::dispatch;
use super::super::parallel::{PIECE, for_each_piece, map_pieces};
use super::super::scratch::BUFFER_KEPT;
use super::plan::Plan;
use super::{Batch, Epilogue, GemmFloat, Matrix, Product, Scratch};

/// [`work`] below which a second thread costs more than it does: waking one takes several microseconds,
/// in which one thread does a million products, or reads a megabyte.
const WORTH_SHARING: usize = 1 << 21;

/// Products of numbers, or bytes of the larger operand where these are more: with few rows or columns,
/// reading it takes longer than the arithmetic.
fn work<T>([m, k, n]: [usize; 3]) -> usize {
    let (few, many) = (m.min(n), m.max(n));
    many.saturating_mul(k)
        .saturating_mul(few.max(size_of::<T>()))
}

/// Fewest rows of c that are worth a thread.
const ROWS_FOR_A_THREAD: usize = 32;

/// The rows of a part are a multiple of this: short tiles, of two or three rows, are full.
const ROWS_TOGETHER: usize = 6;

/// The columns of a part are a multiple of this: its rows begin with a register.
const COLUMNS_TOGETHER: usize = 16;

/// Bytes of c that are computed before an activation is applied to them: they are still in the
/// second cache.
const FINISHED_TOGETHER: usize = 512 * 1024;
/// Fewest rows of such a block: `b` is packed again for each.
const FEWEST_FINISHED_TOGETHER: usize = 128;

/// c[m, n] = a[m, k] · b[k, n], finished as `epilogue` says; `c` is row-major without gaps.
#[inline]
pub(super) fn matmul<T: GemmFloat>(
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
            plan,
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
        plan,
    });
    for (i, row) in c.chunks_exact_mut(n).enumerate() {
        for (j, place) in row.iter_mut().enumerate() {
            *place = epilogue.finish(transposed[j * m + i], *place, j);
        }
    }
    if let Some(then) = epilogue.then {
        for_each_piece(c, PIECE, |_, c| then(c));
    }
}

/// Computes a product, on several threads if it is large.
fn share<T: GemmFloat>(mut product: Product<'_, T>) {
    let Product { m, k, n, plan, .. } = product;
    let work = work::<T>([m, k, n]);
    let parts = match work < WORTH_SHARING {
        true => 1,
        false => rayon::current_num_threads().min(2 * work / WORTH_SHARING),
    };
    // Threads that share the rows copy b each for itself, those that share the columns copy c.
    // Memory for c is kept from call to call only if it is not large.
    let copies_less = plan.copy_b && (parts - 1) * k > m && m * n <= parts * BUFFER_KEPT;
    if parts > 1 && m < n && (m < parts * ROWS_FOR_A_THREAD || copies_less) {
        return share_columns(product, parts);
    }
    let mut rows = m.div_ceil(parts);
    if product.epilogue.then.is_some() {
        let in_cache = FINISHED_TOGETHER / (n * size_of::<T>());
        rows = rows.min(in_cache.max(FEWEST_FINISHED_TOGETHER));
    }
    let rows = rows.next_multiple_of(ROWS_TOGETHER);
    if rows < m {
        share_rows(product, rows);
    } else {
        compute(&mut product);
    }
}

/// Computes a product on this thread.
///
/// The one caller of the loops: each part of the crate that the compiler works on separately and
/// that calls them directly would compile them again.
#[inline(never)]
fn compute<T: GemmFloat>(product: &mut Product<'_, T>) {
    dispatch(&mut *product);
    if let Some(then) = product.epilogue.then {
        then(product.c);
    }
}

fn share_rows<T: GemmFloat>(product: Product<'_, T>, rows: usize) {
    let Product {
        k,
        n,
        a,
        b,
        c,
        epilogue,
        plan,
        ..
    } = product;
    for_each_piece(c, rows * n, |start, c| {
        compute(&mut Product {
            m: c.len() / n,
            k,
            n,
            a: a.from(start / n, 0),
            b,
            c,
            epilogue,
            plan,
        });
    });
}

/// Each thread computes its columns in memory of its own, from which it copies them to its parts of the
/// rows of `c`.
fn share_columns<T: GemmFloat>(product: Product<'_, T>, parts: usize) {
    let Product {
        m,
        k,
        n,
        a,
        b,
        c,
        epilogue,
        plan,
    } = product;
    let columns = n.div_ceil(parts).next_multiple_of(COLUMNS_TOGETHER);
    let starts = (0..n).step_by(columns);
    let mut shares: Vec<_> = starts.map(|start| (start, Vec::with_capacity(m))).collect();
    for row in c.chunks_exact_mut(n) {
        for ((_, rows), part) in shares.iter_mut().zip(row.chunks_mut(columns)) {
            rows.push(part);
        }
    }
    map_pieces(shares, |(start, rows)| {
        let columns = columns.min(n - start);
        let mut scratch = Scratch::take(m * columns);
        let block = &mut scratch.elements()[..m * columns];
        if epilogue.accumulate {
            for (block, row) in block.chunks_exact_mut(columns).zip(&rows) {
                block.copy_from_slice(row);
            }
        }
        let bias = epilogue.bias.map(|bias| &bias[start..]);
        compute(&mut Product {
            m,
            k,
            n: columns,
            a,
            b: b.from(0, start),
            c: &mut *block,
            epilogue: Epilogue { bias, ..epilogue },
            plan,
        });
        for (row, block) in rows.into_iter().zip(block.chunks_exact(columns)) {
            row.copy_from_slice(block);
        }
    });
}

/// `c[i] = a[i] · b[i]` for the matrices of a batch; `c` holds the products one after the other.
/// Small products are divided between threads whole.
pub(crate) fn matmul_batch<T: GemmFloat>(
    shape: [usize; 3],
    a: Batch<'_, T>,
    b: Batch<'_, T>,
    c: &mut [T],
    epilogue: Epilogue<'_, T>,
) {
    let [m, _, n] = shape;
    let batch = a.starts.len();
    let length = m * n;
    if length == 0 || batch == 0 {
        return;
    }
    if batch == 1 {
        // The usual case, without divisions.
        return matmul(shape, a.matrix(0), b.matrix(0), c, epilogue);
    }
    let run = |start: usize, c: &mut [T]| {
        for (number, c) in (start / length..).zip(c.chunks_exact_mut(length)) {
            matmul(shape, a.matrix(number), b.matrix(number), c, epilogue);
        }
    };
    let work = work::<T>(shape);
    let total = work.saturating_mul(batch);
    if work >= WORTH_SHARING || total < WORTH_SHARING {
        return run(0, c);
    }
    let parts = rayon::current_num_threads().min(2 * total / WORTH_SHARING);
    for_each_piece(c, batch.div_ceil(parts) * length, run);
}
