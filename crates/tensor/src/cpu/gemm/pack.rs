//! Copies of parts of the operands in the order in which the tiles read them.
//!
//! A packed panel of `a` holds, for each p, the tile's rows side by side; a packed panel of `b`
//! holds, for each p, the tile's columns side by side. Both are the same thing seen from the two
//! sides: the first columns of a matrix, row after row, the columns that are missing in the last
//! panel being zero.

use pulp::Simd;

use super::{GemmFloat, Matrix};

/// Copies the first `columns` columns of `source` to the rows of `panel`, which are `NV` registers long.
#[inline(always)]
pub(super) fn pack_registers<S: Simd, T: GemmFloat, const NV: usize>(
    panel: &mut [T],
    source: Matrix<'_, T>,
    columns: usize,
) {
    let stride = NV * T::width::<S>();
    if columns == stride && source.column_stride == 1 && source.row_stride >= columns {
        // Whole registers: a slice copy would call a function for each row.
        let rows = T::split_mut::<S>(panel).0.as_chunks_mut::<NV>().0;
        for (row, source) in rows
            .iter_mut()
            .zip(source.elements.chunks(source.row_stride))
        {
            if let Some(source) = T::split::<S>(source).0.first_chunk::<NV>() {
                *row = *source;
            }
        }
        return;
    }
    if columns < stride {
        for row in panel.chunks_exact_mut(stride) {
            row[columns..].fill(T::ZERO);
        }
    }
    // Eight columns at a time, and a few rows at a time so that these stay in the cache until every
    // column has written its part.
    const ROWS: usize = 32;
    for (block, rows) in panel.chunks_mut(ROWS * stride).enumerate() {
        let source = source.from(block * ROWS, 0);
        let mut first = 0;
        while first < columns {
            if columns - first >= 8 {
                pack_columns::<T, 8>(rows, stride, first, source);
                first += 8;
            } else {
                pack_columns::<T, 1>(rows, stride, first, source);
                first += 1;
            }
        }
    }
}

/// Copies the first `rows` rows of `source` to the columns of `panel`, which are `MR` long.
#[inline(always)]
pub(super) fn pack_rows<T: GemmFloat, const MR: usize>(
    panel: &mut [T],
    source: Matrix<'_, T>,
    rows: usize,
) {
    if rows < MR {
        panel.fill(T::ZERO);
        for row in 0..rows {
            pack_columns::<T, 1>(panel, MR, row, source.transposed());
        }
    } else {
        pack_columns::<T, MR>(panel, MR, 0, source.transposed());
    }
}

/// Copies `N` columns from `first` on to the same columns of `panel`.
#[inline(always)]
fn pack_columns<T: GemmFloat, const N: usize>(
    panel: &mut [T],
    stride: usize,
    first: usize,
    source: Matrix<'_, T>,
) {
    let rows = panel.len() / stride;
    let places = panel.chunks_exact_mut(stride);
    if source.column_stride == 1 && source.row_stride >= first + N {
        for (place, source) in places.zip(source.elements.chunks(source.row_stride)) {
            let place = place[first..].first_chunk_mut::<N>();
            let source = source[first..].first_chunk::<N>();
            if let (Some(place), Some(source)) = (place, source) {
                *place = *source;
            }
        }
    } else if source.row_stride == 1 {
        let columns: [&[T]; N] =
            std::array::from_fn(|j| &source.elements[(first + j) * source.column_stride..][..rows]);
        for (p, place) in places.enumerate() {
            if let Some(place) = place[first..].first_chunk_mut::<N>() {
                for j in 0..N {
                    place[j] = columns[j][p];
                }
            }
        }
    } else {
        for (p, place) in places.enumerate() {
            for (j, place) in place[first..first + N].iter_mut().enumerate() {
                *place = source.at(p, first + j);
            }
        }
    }
}
