//! Copies of parts of the operands in the order in which the tiles read them.
//!
//! A packed panel of `a` holds, for each p, the tile's rows side by side; a packed panel of `b`
//! holds, for each p, the tile's columns side by side. Both are the same thing seen from the two
//! sides: `length` runs of `size` numbers, the missing rows or columns of the last panel zero.

use super::{GemmFloat, Matrix};

/// Copies the first `length` rows and `size` columns of `source` to `panel`, whose rows have
/// `panel_stride` places; the places without a column become 0.
#[inline(always)]
pub(super) fn pack<T: GemmFloat>(
    panel: &mut [T],
    panel_stride: usize,
    source: Matrix<'_, T>,
    columns: usize,
) {
    if columns < panel_stride {
        for run in panel.chunks_exact_mut(panel_stride) {
            run[columns..].fill(T::ZERO);
        }
    }
    if source.column_stride == 1 && source.row_stride >= columns.max(1) {
        let runs = panel.chunks_exact_mut(panel_stride);
        for (run, source) in runs.zip(source.elements.chunks(source.row_stride)) {
            run[..columns].copy_from_slice(&source[..columns]);
        }
    } else if source.row_stride == 1 {
        pack_transposed(panel, panel_stride, source, columns);
    } else {
        for (p, run) in panel.chunks_exact_mut(panel_stride).enumerate() {
            for (j, place) in run[..columns].iter_mut().enumerate() {
                *place = source.at(p, j);
            }
        }
    }
}

/// [`pack`] for columns that are contiguous: reads along them, a few lines of the panel at a time
/// so that these stay in the cache until every column has written its part.
#[inline(always)]
fn pack_transposed<T: GemmFloat>(
    panel: &mut [T],
    panel_stride: usize,
    source: Matrix<'_, T>,
    columns: usize,
) {
    const RUNS: usize = 16;
    for (block, runs) in panel.chunks_mut(RUNS * panel_stride).enumerate() {
        for j in 0..columns {
            let column = &source.elements[block * RUNS + j * source.column_stride..];
            for (run, &value) in runs.chunks_exact_mut(panel_stride).zip(column) {
                run[j] = value;
            }
        }
    }
}
