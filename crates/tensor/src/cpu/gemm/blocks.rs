//! The product by blocks that fit the caches.
//!
//! ```text
//! for block of columns of c          its part of b, copied, fits the second cache
//!     for part of k
//!         copy b into panels         as wide as a tile
//!         for rows of a tile         they fit the first cache
//!             for panel of b
//!                 one tile of c
//! ```
//!
//! The panels stand in the innermost loop, so that a tile's rows of `a` and of `c` are walked from
//! left to right: the processor sees what comes next and fetches it from memory in time. That it
//! reads every panel from the second cache for each tile costs less.

use std::ops::Range;

use pulp::Simd;

use super::microkernel::{ByColumns, ByRows, COLUMN, Finish, store, tile};
use super::pack::{pack_panels, pack_tile};
use super::{GemmFloat, Matrix, Product, Scratch};

/// Bytes of a block of `b`, which with the rows of `a` and `c` that pass by fits a second cache of
/// 1 MiB.
const BLOCK_BYTES: usize = 512 * 1024;

/// The product by tiles.
///
/// Nine rows by three registers are 27 sums, which with three registers of `b` and one of `a` take
/// 31 of the 32 registers of AVX-512; six by two take 15 of the 16 of AVX2. An odd number of sums has
/// another merit. Measured on one processor, a loop of 24 sums keeps the two units that multiply
/// busy for 93 % or for 98 % of the time, as the rest of the loop happens to fall; one of 27 sums for
/// 98 %, as long as little else is in it. Flat tiles, of six by four registers or four by three, need
/// fewer addresses, and leave fewer tiles to begin and to end where `c` is as narrow as they are wide.
#[inline(always)]
pub(super) fn multiply<S: Simd, T: GemmFloat>(simd: S, product: &mut Product<'_, T>) {
    // Decided when this is compiled.
    if const { S::REGISTER_COUNT >= 32 } {
        by_tiles::<S, T, 9, 3, 6, 4, 3>(simd, product);
    } else {
        by_tiles::<S, T, 6, 2, 4, 3, 2>(simd, product);
    }
}

/// The product by tall tiles of `TALL` rows and up to `NARROW` registers where `b` is copied, or by
/// flat tiles of `FLAT` rows and up to `WIDE` registers. The last tiles have `SHORT` rows.
#[inline(always)]
fn by_tiles<
    S: Simd,
    T: GemmFloat,
    const TALL: usize,
    const NARROW: usize,
    const FLAT: usize,
    const WIDE: usize,
    const SHORT: usize,
>(
    simd: S,
    product: &mut Product<'_, T>,
) {
    let Product { m, k, n, a, b, .. } = *product;
    let epilogue = product.epilogue;
    let depth = even_piece(k, product.plan.depth);
    let blocking = Blocking::of::<S, T, NARROW, WIDE>(product, depth);
    let mut scratch = Scratch::take(COLUMN * depth + blocking.places(depth));
    // Here, because through the product it would be looked up again for every tile.
    let c = &mut *product.c;
    let (a_scratch, b_scratch) = scratch.elements().split_at_mut(COLUMN * depth);

    for block in cut(0..n, blocking.columns) {
        for part in cut(0..k, depth) {
            let depth = part.len();
            let copied = blocking.copied(&block);
            let source = b.from(part.start, copied.start);
            pack_panels::<S, T>(b_scratch, source, depth, copied.len(), blocking.panel);
            let mut row = 0;
            while row < m {
                let left = m - row;
                let height = match blocking.flat {
                    false if left + SHORT > TALL => TALL,
                    true if left > SHORT => FLAT,
                    _ => SHORT,
                };
                let rows = height.min(left);
                let source = a.from(row, part.start);
                let left = if a.column_stride == 1 {
                    let mut slices: [&[T]; TALL] = [&[]; TALL];
                    for i in 0..TALL {
                        // Rows past the last repeat it; their sums are not stored.
                        slices[i] = &source.from(i.min(rows - 1), 0).elements[..depth];
                    }
                    Left::Rows(slices)
                } else if a.row_stride == 1 && blocking.flat && rows == height {
                    Left::Columns(ByColumns {
                        elements: source.elements,
                        stride: a.column_stride,
                    })
                } else {
                    pack_tile(a_scratch, source, rows, depth);
                    Left::Columns(ByColumns {
                        elements: a_scratch,
                        stride: COLUMN,
                    })
                };
                for panel in cut(block.clone(), blocking.panel) {
                    let right = if panel.start < copied.start {
                        Panel::in_place(b.from(part.start, panel.start), depth)
                    } else {
                        let place = (panel.start - copied.start) * depth;
                        Panel::copied::<S>(&b_scratch[place..], panel.len(), depth)
                    };
                    let bias = epilogue.bias.filter(|_| part.end == k);
                    let target = Target {
                        c: &mut c[row * n + panel.start..],
                        stride: n,
                        columns: panel.len(),
                        finish: Finish {
                            accumulate: epilogue.accumulate || part.start > 0,
                            bias: bias.map(|bias| &bias[panel.start..]),
                        },
                    };
                    match (blocking.flat, height == SHORT) {
                        (false, false) => {
                            any_width::<S, T, TALL, TALL, NARROW, true>(simd, left, right, target);
                        }
                        (false, true) => {
                            any_width::<S, T, TALL, SHORT, NARROW, true>(simd, left, right, target);
                        }
                        (true, false) => {
                            any_width::<S, T, TALL, FLAT, WIDE, false>(simd, left, right, target);
                        }
                        (true, true) => {
                            any_width::<S, T, TALL, SHORT, WIDE, false>(simd, left, right, target);
                        }
                    }
                }
                row += height;
            }
        }
    }
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

/// How `b` is cut, and whether it is copied.
struct Blocking {
    /// Columns of a block.
    columns: usize,
    /// Columns of a panel.
    panel: usize,
    copy_b: bool,
    /// Whether the tiles are flat.
    flat: bool,
}

impl Blocking {
    #[inline(always)]
    fn of<S: Simd, T: GemmFloat, const NARROW: usize, const WIDE: usize>(
        product: &Product<'_, T>,
        depth: usize,
    ) -> Self {
        let copy_b = product.plan.copy_b;
        let (n, width) = (product.n, T::width::<S>());
        let registers = n.div_ceil(width);
        let flat = !copy_b || registers == WIDE;
        let panel = even_piece(registers, if flat { WIDE } else { NARROW }) * width;
        let longest = (BLOCK_BYTES / (depth * size_of::<T>())).max(panel);
        let columns = match copy_b {
            true => even_piece(n, longest).next_multiple_of(panel),
            false => n,
        };
        Self {
            columns,
            panel,
            copy_b,
            flat,
        }
    }

    /// The columns of a block that are copied: if not all, then those of a last panel that does not
    /// fill its registers.
    #[inline(always)]
    fn copied(&self, block: &Range<usize>) -> Range<usize> {
        match self.copy_b {
            true => block.clone(),
            false => block.end - block.len() % self.panel..block.end,
        }
    }

    /// Elements of the copies of a block.
    #[inline(always)]
    fn places(&self, depth: usize) -> usize {
        depth
            * if self.copy_b {
                self.columns
            } else {
                self.panel
            }
    }
}

/// A tile's rows of `a`.
#[derive(Clone, Copy)]
enum Left<'a, T, const TALL: usize> {
    /// Contiguous rows, as many as a tall tile has.
    Rows([&'a [T]; TALL]),
    /// Contiguous columns.
    Columns(ByColumns<'a, T>),
}

/// A tile's columns of `b`: row p starts at `elements[p * stride]`.
#[derive(Clone, Copy)]
struct Panel<'a, T> {
    elements: &'a [T],
    stride: usize,
}

impl<'a, T: GemmFloat> Panel<'a, T> {
    #[inline(always)]
    fn in_place(b: Matrix<'a, T>, depth: usize) -> Self {
        // The last row may end before the stride does.
        let length = b.elements.len().min(depth * b.row_stride);
        Self {
            elements: &b.elements[..length],
            stride: b.row_stride,
        }
    }

    #[inline(always)]
    fn copied<S: Simd>(elements: &'a [T], columns: usize, depth: usize) -> Self {
        let stride = columns.next_multiple_of(T::width::<S>());
        Self {
            elements: &elements[..depth * stride],
            stride,
        }
    }
}

/// A tile of `c`, whose rows start `stride` apart.
struct Target<'a, T> {
    c: &'a mut [T],
    stride: usize,
    columns: usize,
    finish: Finish<'a, T>,
}

/// A tile of as many registers as the panel has.
#[inline(always)]
fn any_width<
    S: Simd,
    T: GemmFloat,
    const TALL: usize,
    const MR: usize,
    const NV: usize,
    const TIGHT: bool,
>(
    simd: S,
    left: Left<'_, T, TALL>,
    right: Panel<'_, T>,
    target: Target<'_, T>,
) {
    match target.columns.div_ceil(T::width::<S>()) {
        1 => one_tile::<S, T, TALL, MR, 1, TIGHT>(simd, left, right, target),
        2 if NV > 2 => one_tile::<S, T, TALL, MR, 2, TIGHT>(simd, left, right, target),
        3 if NV > 3 => one_tile::<S, T, TALL, MR, 3, TIGHT>(simd, left, right, target),
        _ => one_tile::<S, T, TALL, MR, NV, TIGHT>(simd, left, right, target),
    }
}

/// One tile. If the operands are `TIGHT`, without gaps, their steps along k are known when this is
/// compiled.
#[inline(always)]
fn one_tile<
    S: Simd,
    T: GemmFloat,
    const TALL: usize,
    const MR: usize,
    const NV: usize,
    const TIGHT: bool,
>(
    simd: S,
    left: Left<'_, T, TALL>,
    right: Panel<'_, T>,
    target: Target<'_, T>,
) {
    let b = right.elements;
    let b_stride = match TIGHT {
        true => NV * T::width::<S>(),
        false => right.stride,
    };
    let sums = match left {
        Left::Rows(slices) => {
            let mut rows: [&[T]; MR] = [&[]; MR];
            rows.copy_from_slice(&slices[..MR]);
            tile::<S, T, _, MR, NV>(simd, ByRows(rows), b, b_stride)
        }
        Left::Columns(mut columns) => {
            if TIGHT {
                columns.stride = COLUMN;
            }
            tile::<S, T, _, MR, NV>(simd, columns, b, b_stride)
        }
    };
    let Target {
        c, stride, columns, ..
    } = target;
    store(simd, sums, c, stride, columns, target.finish);
}
