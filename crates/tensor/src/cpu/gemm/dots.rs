//! Products of a few rows with a few columns: dot products, lanes along k.

use pulp::Simd;

use super::{GemmFloat, Matrix, Product, Scratch};

/// The product by dot products. The rows of `a` must be contiguous.
#[inline(always)]
pub(super) fn multiply<S: Simd, T: GemmFloat>(simd: S, product: Product<'_, T>) {
    let Product { k, n, b, .. } = product;
    if b.row_stride == 1 {
        return columns(simd, product, b);
    }
    let mut scratch = Scratch::take(k * n);
    let copy = &mut scratch.elements()[..k * n];
    for (j, column) in copy.chunks_exact_mut(k).enumerate() {
        for (p, place) in column.iter_mut().enumerate() {
            *place = b.at(p, j);
        }
    }
    let copy = Matrix {
        elements: &*copy,
        row_stride: 1,
        column_stride: k,
    };
    columns(simd, product, copy);
}

/// All columns: four or two at a time share what is loaded of `a`.
#[inline(always)]
fn columns<S: Simd, T: GemmFloat>(simd: S, mut product: Product<'_, T>, b: Matrix<'_, T>) {
    let mut column = 0;
    while column < product.n {
        match product.n - column {
            1 => {
                tiles::<S, T, 4, 1>(simd, &mut product, b, column);
                column += 1;
            }
            2 | 3 => {
                tiles::<S, T, 4, 2>(simd, &mut product, b, column);
                column += 2;
            }
            _ => {
                tiles::<S, T, 4, 4>(simd, &mut product, b, column);
                column += 4;
            }
        }
    }
}

/// `COLUMNS` columns from `column` on, `ROWS` rows at a time.
#[inline(always)]
fn tiles<S: Simd, T: GemmFloat, const ROWS: usize, const COLUMNS: usize>(
    simd: S,
    product: &mut Product<'_, T>,
    b: Matrix<'_, T>,
    column: usize,
) {
    let Product { m, k, n, a, .. } = *product;
    let epilogue = product.epilogue;
    let plain = !epilogue.accumulate && epilogue.bias.is_none();
    let mut ys: [&[T]; COLUMNS] = [&[]; COLUMNS];
    for j in 0..COLUMNS {
        ys[j] = &b.elements[(column + j) * b.column_stride..][..k];
    }
    for row in (0..m).step_by(ROWS) {
        // Rows past the last repeat it; their sums are not stored.
        let mut xs: [&[T]; ROWS] = [&[]; ROWS];
        for i in 0..ROWS {
            xs[i] = &a.elements[(row + i).min(m - 1) * a.row_stride..][..k];
        }
        let sums = dots::<S, T, ROWS, COLUMNS>(simd, xs, ys);
        let mut rows = product.c[row * n..].chunks_exact_mut(n);
        for i in 0..ROWS {
            let Some(row) = rows.next() else { break };
            let places = &mut row[column..][..COLUMNS];
            for j in 0..COLUMNS {
                places[j] = if plain {
                    sums[i][j]
                } else {
                    epilogue.finish(sums[i][j], places[j], column + j)
                };
            }
        }
    }
}

/// Every x with every y; all have the same length.
#[inline(always)]
fn dots<S: Simd, T: GemmFloat, const ROWS: usize, const COLUMNS: usize>(
    simd: S,
    xs: [&[T]; ROWS],
    ys: [&[T]; COLUMNS],
) -> [[T; COLUMNS]; ROWS] {
    let mut sums = [[T::splat(simd, T::ZERO); COLUMNS]; ROWS];
    let registers = T::split::<S>(ys[0]).0.len();
    let mut x_whole: [&[T::Vector<S>]; ROWS] = [&[]; ROWS];
    let mut y_whole: [&[T::Vector<S>]; COLUMNS] = [&[]; COLUMNS];
    for i in 0..ROWS {
        x_whole[i] = &T::split::<S>(xs[i]).0[..registers];
    }
    for j in 0..COLUMNS {
        y_whole[j] = &T::split::<S>(ys[j]).0[..registers];
    }
    for p in 0..registers {
        for i in 0..ROWS {
            for j in 0..COLUMNS {
                sums[i][j] = T::mul_add(simd, x_whole[i][p], y_whole[j][p], sums[i][j]);
            }
        }
    }
    let rest = registers * T::width::<S>();
    if rest < ys[0].len() {
        let mut y_part = [T::splat(simd, T::ZERO); COLUMNS];
        for j in 0..COLUMNS {
            y_part[j] = T::load_partial(simd, &ys[j][rest..]);
        }
        for i in 0..ROWS {
            let x = T::load_partial(simd, &xs[i][rest..]);
            for j in 0..COLUMNS {
                sums[i][j] = T::mul_add(simd, x, y_part[j], sums[i][j]);
            }
        }
    }
    let mut totals = [[T::ZERO; COLUMNS]; ROWS];
    for i in 0..ROWS {
        for j in 0..COLUMNS {
            totals[i][j] = T::sum_lanes(simd, sums[i][j]);
        }
    }
    totals
}
