//! Copies of parts of the operands in the order in which the tiles read them.

use pulp::Simd;

use super::{GemmFloat, Matrix};

/// Copies `depth` rows of the first `columns` columns of `source`, side by side and followed by
/// zeros up to a whole number of registers.
#[inline(always)]
pub(super) fn pack_panel<S: Simd, T: GemmFloat>(
    panel: &mut [T],
    source: Matrix<'_, T>,
    depth: usize,
    columns: usize,
) {
    let width = T::width::<S>();
    let stride = columns.next_multiple_of(width);
    let panel = &mut panel[..depth * stride];
    if source.column_stride == 1 && source.row_stride >= columns {
        let whole = columns - columns % width;
        let rows = source.elements.chunks(source.row_stride);
        for (row, source) in panel.chunks_exact_mut(stride).zip(rows) {
            // Register by register: a slice copy would call a function for each row.
            let registers = T::split_mut::<S>(row).0.iter_mut();
            for (register, source) in registers.zip(T::split::<S>(&source[..whole]).0) {
                *register = *source;
            }
            if whole < columns {
                let row = &mut row[whole..];
                let source = &source[whole..columns];
                for (place, j) in row.iter_mut().zip(0..) {
                    *place = if j < source.len() { source[j] } else { T::ZERO };
                }
            }
        }
        return;
    }
    if columns < stride {
        panel.fill(T::ZERO);
    }
    // Eight columns at a time, and a few rows at a time so that these stay in the cache until every
    // column has written its part.
    const ROWS: usize = 32;
    for (block, rows) in panel.chunks_mut(ROWS * stride).enumerate() {
        let source = source.from(block * ROWS, 0);
        let mut first = 0;
        while first + 8 <= columns {
            pack_columns::<T, 8>(rows, stride, first, source);
            first += 8;
        }
        while first < columns {
            pack_columns::<T, 1>(rows, stride, first, source);
            first += 1;
        }
    }
}

/// Copies the first `depth` columns of each of the first `rows` rows of `source`, `stride` apart.
#[inline(always)]
pub(super) fn pack_rows<T: GemmFloat>(
    place: &mut [T],
    stride: usize,
    source: Matrix<'_, T>,
    rows: usize,
    depth: usize,
) {
    let source = source.elements.chunks(source.row_stride);
    for (place, source) in place.chunks_mut(stride).zip(source).take(rows) {
        place[..depth].copy_from_slice(&source[..depth]);
    }
}

/// For each tile of `MR` rows of `source`, copies its first `depth` columns one after the other;
/// rows that the last tile lacks are zero.
#[inline(always)]
pub(super) fn pack_tiles<T: GemmFloat, const MR: usize>(
    place: &mut [T],
    source: Matrix<'_, T>,
    rows: usize,
    depth: usize,
) {
    let tiles = place.chunks_exact_mut(MR * depth);
    for (row, tile) in (0..rows).step_by(MR).zip(tiles) {
        let source = source.from(row, 0).transposed();
        if row + MR <= rows {
            pack_columns::<T, MR>(tile, MR, 0, source);
        } else {
            tile.fill(T::ZERO);
            for column in 0..rows - row {
                pack_columns::<T, 1>(tile, MR, column, source);
            }
        }
    }
}

/// Copies `N` columns from column `first` on to the same columns of `panel`.
#[inline(always)]
fn pack_columns<T: GemmFloat, const N: usize>(
    panel: &mut [T],
    stride: usize,
    first: usize,
    source: Matrix<'_, T>,
) {
    let depth = panel.len() / stride;
    let places = panel.chunks_exact_mut(stride);
    let places = places.filter_map(|row| row[first..].first_chunk_mut::<N>());
    if source.column_stride == 1 && source.row_stride >= first + N {
        let rows = source.elements.chunks(source.row_stride);
        for (place, row) in places.zip(rows) {
            if let Some(row) = row[first..].first_chunk::<N>() {
                *place = *row;
            }
        }
    } else if source.row_stride == 1 {
        let columns: [&[T]; N] = std::array::from_fn(|j| {
            &source.elements[(first + j) * source.column_stride..][..depth]
        });
        for (p, place) in places.enumerate() {
            for j in 0..N {
                place[j] = columns[j][p];
            }
        }
    } else {
        for (p, place) in places.enumerate() {
            for (j, place) in place.iter_mut().enumerate() {
                *place = source.at(p, first + j);
            }
        }
    }
}
