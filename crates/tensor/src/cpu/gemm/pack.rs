//! Copies of parts of the operands in the order in which the tiles read them.

use pulp::Simd;

use super::microkernel::COLUMN;
use super::{GemmFloat, Matrix};

/// Copies the first `columns` columns of `depth` rows of `source` to panels of `width` columns, one
/// after the other, the last one followed by any numbers up to a whole number of registers.
///
/// A few rows at a time: what they have in one cache line, or follow each other in, is in the cache
/// until the next panel reads it.
#[inline(always)]
pub(super) fn pack_panels<S: Simd, T: GemmFloat>(
    panels: &mut [T],
    source: Matrix<'_, T>,
    depth: usize,
    columns: usize,
    width: usize,
) {
    const ROWS: usize = 16;
    for p in (0..depth).step_by(ROWS) {
        let rows = ROWS.min(depth - p);
        for first in (0..columns).step_by(width) {
            let columns = width.min(columns - first);
            let stride = columns.next_multiple_of(T::width::<S>());
            let places = &mut panels[first * depth + p * stride..][..rows * stride];
            let source = source.from(p, first);
            let in_rows = source.column_stride == 1 && source.row_stride >= columns;
            match stride / T::width::<S>() {
                1 if in_rows => copy_rows::<S, T, 1>(places, source, columns),
                2 if in_rows => copy_rows::<S, T, 2>(places, source, columns),
                3 if in_rows => copy_rows::<S, T, 3>(places, source, columns),
                4 if in_rows => copy_rows::<S, T, 4>(places, source, columns),
                _ => copy_columns(places, stride, source, columns),
            }
        }
    }
}

/// Copies rows to `N` registers each, since a slice copy would call a function for each row. Where a row
/// does not fill them, what follows it in memory is copied too; sums with that are not stored.
#[inline(always)]
fn copy_rows<S: Simd, T: GemmFloat, const N: usize>(
    places: &mut [T],
    source: Matrix<'_, T>,
    columns: usize,
) {
    let stride = N * T::width::<S>();
    let room = source.elements.len().checked_sub(stride);
    let whole = room.map_or(0, |room| room / source.row_stride + 1);
    let (places, last) = places.split_at_mut(whole.min(places.len() / stride) * stride);
    let places = T::split_mut::<S>(places).0.as_chunks_mut::<N>().0;
    for (p, place) in places.iter_mut().enumerate() {
        let row = &source.elements[p * source.row_stride..];
        if let Some(row) = T::split::<S>(row).0.first_chunk() {
            *place = *row;
        }
    }
    let first = places.len();
    for (p, place) in (first..).zip(last.chunks_exact_mut(stride)) {
        place[..columns].copy_from_slice(&source.from(p, 0).elements[..columns]);
    }
}

/// Copies `columns` columns, eight at a time, to rows that are `stride` long.
#[inline(always)]
fn copy_columns<T: GemmFloat>(
    places: &mut [T],
    stride: usize,
    source: Matrix<'_, T>,
    columns: usize,
) {
    if columns < stride {
        places.fill(T::ZERO);
    }
    let mut first = 0;
    while first + 8 <= columns {
        pack_columns::<T, 8>(places, stride, first, source);
        first += 8;
    }
    while first < columns {
        pack_columns::<T, 1>(places, stride, first, source);
        first += 1;
    }
}

/// Copies the first `depth` columns of the first `rows` rows of `source`, column after column.
#[inline(always)]
pub(super) fn pack_tile<T: GemmFloat>(
    place: &mut [T],
    source: Matrix<'_, T>,
    rows: usize,
    depth: usize,
) {
    let columns = place.as_chunks_mut::<COLUMN>().0;
    if source.row_stride != 1 {
        let places = columns[..depth].as_flattened_mut();
        return copy_columns(places, COLUMN, source.transposed(), rows);
    }
    for (p, place) in columns[..depth].iter_mut().enumerate() {
        let column = source.from(0, p).elements;
        // What follows in memory does no harm, and a whole line is copied at once.
        match column.first_chunk() {
            Some(column) => *place = *column,
            None => place[..rows].copy_from_slice(&column[..rows]),
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
