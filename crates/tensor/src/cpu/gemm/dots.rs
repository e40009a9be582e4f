//! Products of a few rows with a few columns: dot products, lanes along k.

use pulp::Simd;

use super::super::lanes::{AHEAD, WIDEST, first_lanes, prefetch_after, sum_registers};
use super::rows::Rows;
use super::{Epilogue, GemmFloat, Matrix, Product, Scratch};

/// The product by dot products. The rows of `a` must be contiguous.
///
/// Rows and columns are read in whole registers, of which the last is cut. What has no room for that is
/// copied.
#[inline(always)]
pub(super) fn multiply<S: Simd, T: GemmFloat>(simd: S, product: &mut Product<'_, T>) {
    let Product { k, n, a, b, .. } = *product;
    let padded = k.next_multiple_of(T::width::<S>());
    let in_place = b.row_stride == 1 && (n - 1) * b.column_stride + padded <= b.elements.len();
    let copied = if in_place { 0 } else { n * padded };
    let ends = if padded == k { 0 } else { 2 * padded };
    let mut scratch = Scratch::take(copied + ends);
    let (copy, end) = scratch.elements().split_at_mut(copied);

    let rows = Rows::of(a, k, padded, end);
    if in_place {
        return columns(simd, product, rows, b);
    }
    for (j, column) in copy.chunks_exact_mut(padded).enumerate() {
        for (p, place) in column[..k].iter_mut().enumerate() {
            *place = b.at(p, j);
        }
    }
    let copy = Matrix {
        elements: &*copy,
        row_stride: 1,
        column_stride: padded,
    };
    columns(simd, product, rows, copy);
}

/// All columns: four or two at a time share what is loaded of `a`.
#[inline(always)]
fn columns<S: Simd, T: GemmFloat>(
    simd: S,
    product: &mut Product<'_, T>,
    rows: Rows<'_, T>,
    b: Matrix<'_, T>,
) {
    let mut column = 0;
    while column < product.n {
        column += match product.n - column {
            1 => tiles::<S, T, 8, 1>(simd, product, rows, b, column),
            2 | 3 => tiles::<S, T, 4, 2>(simd, product, rows, b, column),
            _ => tiles::<S, T, 4, 4>(simd, product, rows, b, column),
        };
    }
}

/// `COLUMNS` columns from `column` on. The number of columns.
///
/// The lanes of [`WIDEST`] sums are added up together. `ROWS` rows, all or half of these, are summed at
/// a time: more would have too many addresses to keep.
#[inline(always)]
fn tiles<S: Simd, T: GemmFloat, const ROWS: usize, const COLUMNS: usize>(
    simd: S,
    product: &mut Product<'_, T>,
    rows: Rows<'_, T>,
    b: Matrix<'_, T>,
    column: usize,
) -> usize {
    let Product { k, n, .. } = *product;
    let epilogue = product.epilogue;
    let mut ys: [&[T]; COLUMNS] = [&[]; COLUMNS];
    for j in 0..COLUMNS {
        ys[j] = &b.elements[(column + j) * b.column_stride..][..rows.padded];
    }
    let last = first_lanes::<S, T>(simd, k + T::width::<S>() - rows.padded);
    let zeros = [T::splat(simd, T::ZERO); WIDEST];
    let mut place = 0;
    let mut groups = product.c.chunks_exact_mut(WIDEST / COLUMNS * n);
    for c in &mut groups {
        // Sums of this group alone, and twice the same without a loop: an index that is not known when
        // this is compiled, here or below, would keep them in memory.
        let mut sums = zeros;
        let half = half_group::<S, T, ROWS, COLUMNS>(simd, rows, &mut place, ys, last);
        put(&mut sums, 0, half);
        if ROWS * COLUMNS < WIDEST {
            let half = half_group::<S, T, ROWS, COLUMNS>(simd, rows, &mut place, ys, last);
            put(&mut sums, ROWS * COLUMNS, half);
        }
        store::<S, T, COLUMNS>(simd, sums, c, n, column, epilogue);
    }
    let c = groups.into_remainder();
    if !c.is_empty() {
        let mut sums = zeros;
        for sums in sums.chunks_exact_mut(COLUMNS).take(c.len() / n) {
            let [row] = dots::<S, T, 1, COLUMNS>(simd, [rows.at(place)], ys, last);
            sums.copy_from_slice(&row);
            place += rows.stride;
        }
        store::<S, T, COLUMNS>(simd, sums, c, n, column, epilogue);
    }
    COLUMNS
}

/// The sums of `ROWS` rows from a place on, which moves on behind them.
#[inline(always)]
fn half_group<S: Simd, T: GemmFloat, const ROWS: usize, const COLUMNS: usize>(
    simd: S,
    rows: Rows<'_, T>,
    place: &mut usize,
    ys: [&[T]; COLUMNS],
    last: T::Mask<S>,
) -> [[T::Vector<S>; COLUMNS]; ROWS] {
    let mut xs: [&[T]; ROWS] = [&[]; ROWS];
    for i in 0..ROWS {
        xs[i] = rows.at(*place);
        *place += rows.stride;
    }
    dots::<S, T, ROWS, COLUMNS>(simd, xs, ys, last)
}

#[inline(always)]
fn put<V: Copy, const ROWS: usize, const COLUMNS: usize>(
    sums: &mut [V; WIDEST],
    first: usize,
    part: [[V; COLUMNS]; ROWS],
) {
    for i in 0..ROWS {
        for j in 0..COLUMNS {
            sums[first + i * COLUMNS + j] = part[i][j];
        }
    }
}

/// Adds up the lanes of the sums of some rows and columns and finishes them in `c`.
#[inline(always)]
fn store<S: Simd, T: GemmFloat, const COLUMNS: usize>(
    simd: S,
    sums: [T::Vector<S>; WIDEST],
    c: &mut [T],
    n: usize,
    column: usize,
    epilogue: Epilogue<'_, T>,
) {
    if n == COLUMNS
        && !epilogue.accumulate
        && epilogue.bias.is_none()
        && let Some(c) = c.first_chunk_mut()
    {
        return sum_registers::<S, T>(simd, sums, c);
    }
    let mut totals = [T::ZERO; WIDEST];
    sum_registers::<S, T>(simd, sums, &mut totals);
    for (row, sums) in c.chunks_exact_mut(n).zip(totals.as_chunks::<COLUMNS>().0) {
        let places = &mut row[column..][..COLUMNS];
        for j in 0..COLUMNS {
            places[j] = epilogue.finish(sums[j], places[j], column + j);
        }
    }
}

/// Every x with every y, in lanes. All have the same number of registers, of the last of which the
/// lanes in `last` count.
#[inline(always)]
fn dots<S: Simd, T: GemmFloat, const ROWS: usize, const COLUMNS: usize>(
    simd: S,
    xs: [&[T]; ROWS],
    ys: [&[T]; COLUMNS],
    last: T::Mask<S>,
) -> [[T::Vector<S>; COLUMNS]; ROWS] {
    let zero = T::splat(simd, T::ZERO);
    let mut sums = [[zero; COLUMNS]; ROWS];
    let registers = T::split::<S>(ys[0]).0.len();
    let mut xs_in_registers: [&[T::Vector<S>]; ROWS] = [&[]; ROWS];
    let mut ys_in_registers: [&[T::Vector<S>]; COLUMNS] = [&[]; COLUMNS];
    for i in 0..ROWS {
        xs_in_registers[i] = &T::split::<S>(xs[i]).0[..registers];
    }
    for j in 0..COLUMNS {
        ys_in_registers[j] = &T::split::<S>(ys[j]).0[..registers];
    }
    let whole = registers - 1;
    // So far ahead of a long row is another that is read already.
    let prefetches = ROWS * size_of_val(xs[0]) <= AHEAD;
    for p in 0..whole {
        for i in 0..ROWS {
            if prefetches {
                prefetch_after(simd, &xs_in_registers[i][p], 1);
            }
            for j in 0..COLUMNS {
                let (x, y) = (xs_in_registers[i][p], ys_in_registers[j][p]);
                sums[i][j] = T::mul_add(simd, x, y, sums[i][j]);
            }
        }
    }
    let mut y_last = [zero; COLUMNS];
    for j in 0..COLUMNS {
        y_last[j] = T::select(simd, last, ys_in_registers[j][whole], zero);
    }
    for i in 0..ROWS {
        let x = T::select(simd, last, xs_in_registers[i][whole], zero);
        for j in 0..COLUMNS {
            sums[i][j] = T::mul_add(simd, x, y_last[j], sums[i][j]);
        }
    }
    sums
}
