//! Which way a product is computed: a function of its shape and strides, never of the number of
//! threads, so that the same product always has the same bits.

use super::{GemmFloat, Matrix, Path};

/// How to compute a product, and whether to compute cᵀ = bᵀ · aᵀ in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    pub(super) path: Path,
    pub(super) transposed: bool,
}

/// Longest block of k between two visits of the tiles to `c`. A panel of `b`, four registers of 64
/// bytes wide and so long, takes 128 KiB: what of it the first cache does not hold comes from the
/// second as fast as it is used, while every visit to a large `c` waits for memory.
pub(super) const DEPTH: usize = 512;

impl Plan {
    /// Chooses by an estimate of the cycles, with registers as wide as a cache line.
    #[inline(always)]
    pub(super) fn of<T: GemmFloat>(
        [m, k, n]: [usize; 3],
        a: &Matrix<'_, T>,
        b: &Matrix<'_, T>,
    ) -> Self {
        let width = 64 / size_of::<T>();
        let plan = |path, transposed| Self { path, transposed };

        // A row of tiles takes k/2 cycles if a register holds a row of c, and all of them some 400 to
        // set out. A dot product takes k/(2·width), and about 5 to add up the lanes.
        let dots = (m * n).saturating_mul(k + 10 * width);
        if a.column_stride == 1 && n < width && dots < width.saturating_mul(m * k + 800) {
            return plan(Path::Dots, false);
        }
        // Tiles would first have to transpose b, a cycle for each element, for few rows.
        if b.row_stride == 1 && b.column_stride >= k && m <= 8 && n > m && k > 5 * m {
            return plan(Path::Dots, true);
        }
        // Few columns and rows that need no transposing: lanes along m.
        if a.row_stride == 1 && a.column_stride >= m && n < width && 2 * n <= m {
            return plan(Path::Tiles, true);
        }
        plan(Path::Tiles, false)
    }
}
