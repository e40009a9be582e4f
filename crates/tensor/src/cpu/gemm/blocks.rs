//! The product by blocks that fit the caches: loops around a column of tiles.
//!
//! ```text
//! for columns of c                         packed b fits the second cache
//!     for part of k                        a panel of b fits the first cache
//!         pack b
//!         for rows of c                    packed a fits the second cache
//!             pack a
//!             for panel of b               as wide as a tile
//!                 for tile of c            all rows of the block
//! ```

use std::ops::Range;

use pulp::Simd;

use super::microkernel::{
    ByColumns, ByRows, Finish, SHORT_TILE_ROWS, TILE_ROWS, store, tile, tile_vectors,
};
use super::pack::{pack_panel, pack_rows, pack_tiles};
use super::{GemmFloat, Matrix, Product, Scratch};

/// Bytes of a block of packed `a`, which stays in the second cache for all panels of `b`.
const ROWS_BYTES: usize = 256 * 1024;
/// Bytes of a block of packed `b`, which stays in the second cache for all rows.
const COLUMNS_BYTES: usize = 1024 * 1024;
/// With fewer rows of `c` than this, copying `b` costs more than reading it where it is.
const ROWS_WORTH_PACKING_B: usize = 48;
/// With fewer columns of `c` than this, copying `a` costs more than reading it where it is.
const COLUMNS_WORTH_PACKING_A: usize = 256;

/// The product by tiles.
#[inline(always)]
pub(super) fn multiply<S: Simd, T: GemmFloat>(simd: S, product: Product<'_, T>) {
    let blocking = Blocking::of::<S, T>(&product);
    let panel_width = panel_width::<S, T>();
    let Product {
        m, k, n, a, b, c, ..
    } = product;
    let epilogue = product.epilogue;
    let mut scratch = Scratch::take(blocking.a_places + blocking.b_places);
    let (a_scratch, b_scratch) = scratch.elements().split_at_mut(blocking.a_places);

    for columns in cut(0..n, blocking.columns) {
        for part in cut(0..k, blocking.depth) {
            let depth = part.len();
            for panel in cut(columns.clone(), panel_width) {
                if blocking.pack_b || panel.len() < panel_width {
                    let place = blocking.panel_start(&columns, &panel, depth);
                    let source = b.from(part.start, panel.start);
                    pack_panel::<S, T>(&mut b_scratch[place..], source, depth, panel.len());
                }
            }
            for rows in cut(0..m, blocking.rows) {
                let source = a.from(rows.start, part.start);
                let left = blocking.left(source, a_scratch, rows.len(), depth);
                for panel in cut(columns.clone(), panel_width) {
                    let packed = blocking.pack_b || panel.len() < panel_width;
                    let right = if packed {
                        let place = blocking.panel_start(&columns, &panel, depth);
                        let stride = panel.len().next_multiple_of(T::width::<S>());
                        Panel {
                            elements: &b_scratch[place..][..depth * stride],
                            stride,
                        }
                    } else {
                        let elements = b.from(part.start, panel.start).elements;
                        Panel {
                            elements: &elements[..elements.len().min(depth * b.row_stride)],
                            stride: b.row_stride,
                        }
                    };
                    let target = Target {
                        c: &mut c[rows.start * n + panel.start..],
                        stride: n,
                        rows: rows.len(),
                        columns: panel.len(),
                        depth,
                    };
                    let last = part.end == k;
                    let finish = Finish {
                        accumulate: epilogue.accumulate || part.start > 0,
                        bias: match epilogue.bias {
                            Some(bias) if last => Some(&bias[panel.start..]),
                            _ => None,
                        },
                    };
                    panel_of_tiles(simd, packed, left, right, target, finish);
                }
            }
        }
    }
}

/// All rows of `left` times one panel, by tiles of as many registers as the panel has.
///
/// Panels that were copied have loops of their own: there the step from row to row is known when
/// this is compiled. Only the widest panels are ever read in place.
#[inline(always)]
fn panel_of_tiles<S: Simd, T: GemmFloat>(
    simd: S,
    packed: bool,
    left: Left<'_, T>,
    right: Panel<'_, T>,
    target: Target<'_, T>,
    finish: Finish<'_, T>,
) {
    // Decided when this is compiled: the wide tiles exist only where they fit.
    let wide = const { S::REGISTER_COUNT >= 32 };
    match (target.columns.div_ceil(T::width::<S>()), packed) {
        (1, _) => column_of_tiles::<S, T, 1, true>(simd, left, right, target, finish),
        (2, true) => column_of_tiles::<S, T, 2, true>(simd, left, right, target, finish),
        (3, _) if wide => column_of_tiles::<S, T, 3, true>(simd, left, right, target, finish),
        (_, true) if wide => column_of_tiles::<S, T, 4, true>(simd, left, right, target, finish),
        (_, false) if wide => column_of_tiles::<S, T, 4, false>(simd, left, right, target, finish),
        _ => column_of_tiles::<S, T, 2, false>(simd, left, right, target, finish),
    }
}

/// Columns of a panel of `b`, as many as the widest tile has.
#[inline(always)]
fn panel_width<S: Simd, T: GemmFloat>() -> usize {
    tile_vectors::<S>() * T::width::<S>()
}

/// Cuts a range into pieces of `length`, the last one shorter if need be.
#[inline(always)]
fn cut(range: Range<usize>, length: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = range.start;
    std::iter::from_fn(move || {
        let piece = start..range.end.min(start + length);
        start = piece.end;
        (!piece.is_empty()).then_some(piece)
    })
}

/// The length of a piece when `length` is cut into the fewest equal pieces of at most `longest`.
#[inline(always)]
fn even_piece(length: usize, longest: usize) -> usize {
    if length <= longest {
        length
    } else {
        length.div_ceil(length.div_ceil(longest))
    }
}

/// How `a` gets into the order of the tiles.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Its rows are contiguous, and read in place.
    RowsInPlace,
    /// Its rows are contiguous, and copied so that they are close together.
    RowsCopied,
    /// Its columns are contiguous, and read in place.
    ColumnsInPlace,
    /// For each tile and each p the tile's rows are copied side by side.
    TilesCopied,
}

/// The sizes of the blocks, and what is copied.
struct Blocking {
    columns: usize,
    depth: usize,
    rows: usize,
    pack_b: bool,
    order: Order,
    a_places: usize,
    b_places: usize,
}

impl Blocking {
    #[inline(always)]
    fn of<S: Simd, T: GemmFloat>(product: &Product<'_, T>) -> Self {
        let Product { m, k, n, a, b, .. } = *product;
        let size = size_of::<T>();
        let panel_width = panel_width::<S, T>();
        let depth = even_piece(k, product.depth);

        let pack_b = m >= ROWS_WORTH_PACKING_B || b.column_stride != 1 || b.row_stride < n;
        let (columns, b_places) = if !pack_b {
            // Only the last panel, if it is narrower than the others.
            (n, depth * panel_width)
        } else {
            let longest = COLUMNS_BYTES / (product.depth * size);
            let columns = even_piece(n, longest).next_multiple_of(panel_width);
            (
                columns,
                depth * columns.min(n.next_multiple_of(panel_width)),
            )
        };

        let worth_it = n >= COLUMNS_WORTH_PACKING_A;
        let order = if a.column_stride == 1 && a.row_stride >= k {
            if worth_it {
                Order::RowsCopied
            } else {
                Order::RowsInPlace
            }
        } else if a.row_stride == 1
            && a.column_stride >= m
            && m.is_multiple_of(SHORT_TILE_ROWS)
            && !worth_it
        {
            Order::ColumnsInPlace
        } else {
            Order::TilesCopied
        };
        let (rows, a_places) = match order {
            Order::RowsInPlace | Order::ColumnsInPlace => (m, 0),
            Order::RowsCopied | Order::TilesCopied => {
                let longest = ROWS_BYTES / (product.depth * size);
                let rows = even_piece(m, longest).next_multiple_of(TILE_ROWS);
                (rows, rows * Self::row_stride::<T>(depth))
            }
        };
        Self {
            columns,
            depth,
            rows,
            pack_b,
            order,
            a_places,
            b_places,
        }
    }

    /// Distance of copied rows: one cache line more than needed, or rows whose length is a power of
    /// two would compete for the same places of the cache.
    #[inline(always)]
    fn row_stride<T>(depth: usize) -> usize {
        let line = 64 / size_of::<T>();
        depth.next_multiple_of(line) + line
    }

    /// Where a packed panel starts among those of a block.
    #[inline(always)]
    fn panel_start(&self, columns: &Range<usize>, panel: &Range<usize>, depth: usize) -> usize {
        if self.pack_b {
            (panel.start - columns.start) * depth
        } else {
            0
        }
    }

    /// The first `rows` rows and `depth` columns of `source` in the order of the tiles.
    #[inline(always)]
    fn left<'a, T: GemmFloat>(
        &self,
        source: Matrix<'a, T>,
        scratch: &'a mut [T],
        rows: usize,
        depth: usize,
    ) -> Left<'a, T> {
        match self.order {
            Order::RowsInPlace => Left::Rows {
                elements: source.elements,
                stride: source.row_stride,
            },
            Order::RowsCopied => {
                let stride = Self::row_stride::<T>(depth);
                pack_rows(scratch, stride, source, rows, depth);
                Left::Rows {
                    elements: scratch,
                    stride,
                }
            }
            Order::ColumnsInPlace => Left::Columns {
                elements: source.elements,
                stride: source.column_stride,
                tile_stride: TILE_ROWS,
            },
            Order::TilesCopied => {
                pack_tiles::<T, TILE_ROWS>(scratch, source, rows, depth);
                Left::Columns {
                    elements: scratch,
                    stride: TILE_ROWS,
                    tile_stride: TILE_ROWS * depth,
                }
            }
        }
    }
}

/// A block of rows of `a`, as the tiles read it.
#[derive(Clone, Copy)]
enum Left<'a, T> {
    /// Rows are contiguous and `stride` apart.
    Rows { elements: &'a [T], stride: usize },
    /// For each p the rows of a tile are side by side; those of p + 1 are `stride` further, those
    /// of the next tile `tile_stride`.
    Columns {
        elements: &'a [T],
        stride: usize,
        tile_stride: usize,
    },
}

/// A tile's columns of `b`: row p starts at `elements[p * stride]`.
#[derive(Clone, Copy)]
struct Panel<'a, T> {
    elements: &'a [T],
    stride: usize,
}

/// A column of tiles of `c`, whose rows start `stride` apart, and the length of its sums.
struct Target<'a, T> {
    c: &'a mut [T],
    stride: usize,
    rows: usize,
    columns: usize,
    depth: usize,
}

/// All rows of `left` times one panel.
#[inline(always)]
fn column_of_tiles<S: Simd, T: GemmFloat, const NV: usize, const PACKED: bool>(
    simd: S,
    left: Left<'_, T>,
    right: Panel<'_, T>,
    mut target: Target<'_, T>,
    finish: Finish<'_, T>,
) {
    let mut row = 0;
    while row < target.rows {
        // Five rows, too, are faster as a whole tile that is not full.
        if target.rows - row + 1 >= TILE_ROWS {
            one_tile::<S, T, TILE_ROWS, NV, PACKED>(simd, row, left, right, &mut target, finish);
            row += TILE_ROWS;
        } else {
            one_tile::<S, T, SHORT_TILE_ROWS, NV, PACKED>(
                simd,
                row,
                left,
                right,
                &mut target,
                finish,
            );
            row += SHORT_TILE_ROWS;
        }
    }
}

/// The tile that starts at row `row`. Rows past the last are computed and not stored.
#[inline(always)]
fn one_tile<S: Simd, T: GemmFloat, const MR: usize, const NV: usize, const PACKED: bool>(
    simd: S,
    row: usize,
    left: Left<'_, T>,
    right: Panel<'_, T>,
    target: &mut Target<'_, T>,
    finish: Finish<'_, T>,
) {
    let Target { rows, depth, .. } = *target;
    let b = right.elements;
    let b_stride = if PACKED {
        NV * T::width::<S>()
    } else {
        right.stride
    };
    let sums = match left {
        Left::Rows { elements, stride } => {
            let mut slices: [&[T]; MR] = [&[]; MR];
            for i in 0..MR {
                slices[i] = &elements[(row + i).min(rows - 1) * stride..][..depth];
            }
            tile::<S, T, _, MR, NV>(simd, ByRows::new(slices), b, b_stride)
        }
        Left::Columns {
            elements,
            stride,
            tile_stride,
        } => {
            let elements = &elements[row / TILE_ROWS * tile_stride + row % TILE_ROWS..];
            let columns = elements.chunks(stride).take(depth);
            tile::<S, T, _, MR, NV>(simd, ByColumns(columns), b, b_stride)
        }
    };
    let c = &mut target.c[row * target.stride..];
    store(simd, sums, c, target.stride, target.columns, finish);
}
