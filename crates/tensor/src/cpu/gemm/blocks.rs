//! The product by blocks that fit the caches: three loops around a column of tiles.

use pulp::Simd;

use super::microkernel::{Finish, SHORT_TILE_ROWS, TILE_ROWS, store, tile, tile_vectors};
use super::pack::pack;
use super::{GemmFloat, Matrix, Product, Scratch};

/// Longest block of k, in bytes of one row: a panel of `b` this long and four registers wide is
/// 32 KiB on AVX-512 and stays in the first cache while a column of tiles passes over it.
const DEPTH_BYTES: usize = 512;
/// Bytes of a block of packed `a`, which stays in the second cache for all panels of `b`.
const ROWS_BYTES: usize = 256 * 1024;
/// Bytes of a block of packed `b`, which stays in the second or third cache for all rows.
const COLUMNS_BYTES: usize = 1024 * 1024;
/// With fewer rows than this, copying `b` costs more than reading it where it is.
const ROWS_WORTH_PACKING_B: usize = 48;
/// With fewer columns than this, copying `a` costs more than reading it where it is.
const COLUMNS_WORTH_PACKING_A: usize = 256;

/// Cuts `length` into the fewest equal blocks of at most `longest`: the length of one.
#[inline(always)]
fn even_block(length: usize, longest: usize) -> usize {
    length.div_ceil(length.div_ceil(longest).max(1)).max(1)
}

/// A block of rows of `a`, as the tiles read it.
#[derive(Clone, Copy)]
enum Left<'a, T> {
    /// Row-major, in place.
    Rows { elements: &'a [T], stride: usize },
    /// For each p the rows of a tile side by side; p + 1 is `stride` further.
    Panels {
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
    vectors: usize,
}

/// The product by tiles, lanes along n.
#[inline(always)]
pub(super) fn multiply<S: Simd, T: GemmFloat>(simd: S, product: Product<'_, T>) {
    let Product {
        m,
        k,
        n,
        a,
        b,
        c,
        epilogue,
    } = product;
    let width = T::width::<S>();
    let vectors = n.div_ceil(width);
    let depth = even_block(k, DEPTH_BYTES / size_of::<T>());

    let pack_b = m >= ROWS_WORTH_PACKING_B || b.column_stride != 1 || b.row_stride < n;
    let block_vectors = if pack_b {
        let longest = COLUMNS_BYTES / (depth * width * size_of::<T>());
        even_block(vectors, longest).next_multiple_of(tile_vectors::<S>())
    } else {
        vectors
    };
    let a_in_rows = a.column_stride == 1 && a.row_stride >= k;
    let a_in_columns = a.row_stride == 1 && a.column_stride >= m;
    let pack_a =
        !(a_in_rows || a_in_columns && m.is_multiple_of(TILE_ROWS)) || n >= COLUMNS_WORTH_PACKING_A;
    let block_rows = if pack_a {
        let longest = (ROWS_BYTES / (depth * size_of::<T>())).next_multiple_of(TILE_ROWS);
        even_block(m, longest).next_multiple_of(TILE_ROWS)
    } else {
        m
    };

    // A ragged last panel is packed even where the others are not.
    let b_places = depth
        * width
        * if pack_b {
            block_vectors
        } else {
            tile_vectors::<S>()
        };
    let a_places = if pack_a {
        depth * block_rows.min(m.next_multiple_of(TILE_ROWS))
    } else {
        0
    };
    let mut scratch = Scratch::take(b_places + a_places);
    let (b_scratch, a_scratch) = scratch.elements().split_at_mut(b_places);
    {
        for first_vector in (0..vectors).step_by(block_vectors) {
            let block_vectors = block_vectors.min(vectors - first_vector);
            for first_p in (0..k).step_by(depth) {
                let depth = depth.min(k - first_p);
                let last = first_p + depth == k;
                // Panels: as equal as they can be.
                let panels = block_vectors.div_ceil(tile_vectors::<S>());
                let vector_of = |panel: usize| first_vector + panel * block_vectors / panels;
                let b_block = b.from(first_p, 0);
                if pack_b {
                    for panel in 0..panels {
                        let (from, to) = (vector_of(panel), vector_of(panel + 1));
                        let stride = (to - from) * width;
                        let start = (from - first_vector) * width * depth;
                        let columns = (n - from * width).min(stride);
                        pack(
                            &mut b_scratch[start..start + stride * depth],
                            stride,
                            b.from(first_p, from * width),
                            columns,
                        );
                    }
                } else if n % width != 0 {
                    let (from, to) = (vector_of(panels - 1), vectors);
                    let stride = (to - from) * width;
                    pack(
                        &mut b_scratch[..stride * depth],
                        stride,
                        b.from(first_p, from * width),
                        n - from * width,
                    );
                }
                for first_row in (0..m).step_by(block_rows) {
                    let rows = block_rows.min(m - first_row);
                    let a_block = a.from(first_row, first_p);
                    let left = if pack_a {
                        for (tile, panel) in a_scratch
                            .chunks_exact_mut(TILE_ROWS * depth)
                            .take(rows.div_ceil(TILE_ROWS))
                            .enumerate()
                        {
                            let row = tile * TILE_ROWS;
                            pack(
                                panel,
                                TILE_ROWS,
                                a_block.from(row, 0).transposed(),
                                TILE_ROWS.min(rows - row),
                            );
                        }
                        Left::Panels {
                            elements: &*a_scratch,
                            stride: TILE_ROWS,
                            tile_stride: TILE_ROWS * depth,
                        }
                    } else if a_in_rows {
                        Left::Rows {
                            elements: a_block.elements,
                            stride: a_block.row_stride,
                        }
                    } else {
                        Left::Panels {
                            elements: a_block.elements,
                            stride: a_block.column_stride,
                            tile_stride: TILE_ROWS,
                        }
                    };
                    for panel in 0..panels {
                        let (from, to) = (vector_of(panel), vector_of(panel + 1));
                        let stride = (to - from) * width;
                        let column = from * width;
                        let columns = (n - column).min(stride);
                        let right = if pack_b {
                            let start = (from - first_vector) * width * depth;
                            Panel {
                                elements: &b_scratch[start..start + stride * depth],
                                stride,
                                vectors: to - from,
                            }
                        } else if columns < stride {
                            Panel {
                                elements: &b_scratch[..stride * depth],
                                stride,
                                vectors: to - from,
                            }
                        } else {
                            Panel {
                                elements: b_block.from(0, column).elements,
                                stride: b.row_stride,
                                vectors: to - from,
                            }
                        };
                        let finish = Finish {
                            accumulate: epilogue.accumulate || first_p > 0,
                            bias: match epilogue.bias {
                                Some(bias) if last => Some(&bias[column..]),
                                _ => None,
                            },
                            relu: epilogue.relu && last,
                        };
                        let target = Target {
                            c: &mut c[first_row * n + column..],
                            stride: n,
                            rows,
                            columns,
                        };
                        match right.vectors {
                            1 => {
                                column_of_tiles::<S, T, 1>(simd, depth, left, right, target, finish)
                            }
                            2 => {
                                column_of_tiles::<S, T, 2>(simd, depth, left, right, target, finish)
                            }
                            3 => {
                                column_of_tiles::<S, T, 3>(simd, depth, left, right, target, finish)
                            }
                            _ => {
                                column_of_tiles::<S, T, 4>(simd, depth, left, right, target, finish)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Part of `c`: rows start `stride` apart.
struct Target<'a, T> {
    c: &'a mut [T],
    stride: usize,
    rows: usize,
    columns: usize,
}

/// All rows of `left` times one panel.
#[inline(always)]
fn column_of_tiles<S: Simd, T: GemmFloat, const NV: usize>(
    simd: S,
    depth: usize,
    left: Left<'_, T>,
    right: Panel<'_, T>,
    target: Target<'_, T>,
    finish: Finish<'_, T>,
) {
    let Target {
        c,
        stride,
        rows,
        columns,
    } = target;
    let mut row = 0;
    while row < rows {
        let left_rows = rows - row;
        let c = &mut c[row * stride..];
        // With 6 rows or more, or 5, which are one row short of a whole tile.
        if left_rows + 1 >= TILE_ROWS {
            let sums = tile_at::<S, T, TILE_ROWS, NV>(simd, depth, left, row, rows, right);
            store(simd, sums, c, stride, columns, finish);
            row += TILE_ROWS;
        } else {
            let sums = tile_at::<S, T, SHORT_TILE_ROWS, NV>(simd, depth, left, row, rows, right);
            store(simd, sums, c, stride, columns, finish);
            row += SHORT_TILE_ROWS;
        }
    }
}

#[inline(always)]
fn tile_at<S: Simd, T: GemmFloat, const MR: usize, const NV: usize>(
    simd: S,
    depth: usize,
    left: Left<'_, T>,
    row: usize,
    rows: usize,
    right: Panel<'_, T>,
) -> [[T::Vector<S>; NV]; MR] {
    let Panel {
        elements: b,
        stride: b_stride,
        ..
    } = right;
    match left {
        Left::Rows { elements, stride } => {
            // Rows past the last repeat it; their sums are not stored.
            let rows: [&[T]; MR] =
                std::array::from_fn(|i| &elements[(row + i).min(rows - 1) * stride..][..depth]);
            let columns = (0..depth).map(|p| std::array::from_fn(|i| rows[i][p]));
            tile(simd, columns, b, b_stride)
        }
        Left::Panels {
            elements,
            stride,
            tile_stride,
        } => {
            let start = row / TILE_ROWS * tile_stride + row % TILE_ROWS;
            let columns = elements[start..]
                .chunks(stride)
                .take(depth)
                .map_while(|column| column.first_chunk::<MR>().copied());
            tile(simd, columns, b, b_stride)
        }
    }
}
