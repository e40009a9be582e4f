//! Which way a product is computed: a function of its shape and strides, never of the number of
//! threads, so that the same product always has the same bits.

use super::{GemmFloat, Matrix, Path, few_rows};

/// With fewer rows of `c` than this, copying `b` costs more than a tenth of the product.
const WORTH_COPYING: usize = 48;

/// Longest block of k between two visits of the tiles to `c`, in bytes. Nine rows of `a` so long leave
/// room in a first cache of 32 or 48 KiB.
const LONGEST: usize = 2048;

/// Bytes of `b`, or of a block of it, that tiles read in place from the first cache.
const IN_PLACE: usize = 32 * 1024;

/// How to compute a product, and whether to compute cᵀ = bᵀ · aᵀ in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    pub(super) path: Path,
    pub(super) transposed: bool,
    /// Whether tiles read a copy of the right operand.
    pub(super) copy_b: bool,
    /// Longest block of k.
    pub(super) depth: usize,
}

impl Plan {
    /// Chooses by an estimate of the cycles, with registers as wide as a cache line.
    #[inline(always)]
    pub(super) fn of<T: GemmFloat>(
        shape: [usize; 3],
        a: &Matrix<'_, T>,
        b: &Matrix<'_, T>,
    ) -> Self {
        let [m, k, n] = shape;
        let width = 64 / size_of::<T>();
        let transposed = |path| Self {
            transposed: true,
            ..Self::with_path(path, [n, k, m], &a.transposed())
        };

        // A row of tiles takes k/2 cycles if a register holds a row of c, and all of them some 400 to
        // set out. A dot product takes k/(2·width), and about 5 to add up the lanes.
        let dots = (m * n).saturating_mul(k + 10 * width);
        if a.column_stride == 1 && n < width && dots < width.saturating_mul(m * k + 800) {
            return Self::with_path(Path::Dots, shape, b);
        }
        // Few enough columns for one register, and few enough of their elements for the first cache.
        if a.column_stride == 1 && n <= width && k <= LONGEST / size_of::<T>() {
            return Self::with_path(Path::Narrow, shape, b);
        }
        // Tiles would read a piece of each row of b, or column of a, and wait for it.
        if b.column_stride == 1 && m <= few_rows::MOST && n >= width {
            return Self::with_path(Path::FewRows, shape, b);
        }
        if a.row_stride == 1 && n <= few_rows::MOST && m >= width {
            return transposed(Path::FewRows);
        }
        // Tiles would first have to transpose b, a cycle for each element, for few rows.
        if b.row_stride == 1 && b.column_stride >= k && m <= 8 && n > m && k > 5 * m {
            return transposed(Path::Dots);
        }
        // Few columns, and columns of a to be read as rows: lanes along m.
        if a.row_stride == 1 && a.column_stride >= m && n < WORTH_COPYING && 2 * n <= m {
            return transposed(Path::Tiles);
        }
        Self::with_path(Path::Tiles, shape, b)
    }

    /// The product as it stands, on a given path.
    #[inline(always)]
    pub(super) fn with_path<T: GemmFloat>(
        path: Path,
        [m, k, n]: [usize; 3],
        b: &Matrix<'_, T>,
    ) -> Self {
        let near = (k * n).saturating_mul(size_of::<T>()) <= IN_PLACE;
        let in_rows = b.column_stride == 1 && b.row_stride >= n;
        let in_place = in_rows && (near || m < WORTH_COPYING);
        let longest = LONGEST / size_of::<T>();
        let depth = match in_place && m > 6 {
            true => (IN_PLACE / (n * size_of::<T>())).clamp(longest / 8, longest),
            false => longest,
        };
        Self {
            path,
            transposed: false,
            copy_b: !in_place,
            depth,
        }
    }
}
