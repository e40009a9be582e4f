//! One tile of the product: `MR` rows by `NV` registers of columns, summed over a block of k.

use pulp::Simd;

use super::GemmFloat;

/// Rows of a tile. With four registers of columns there are 24 sums, and 6 · 4 + 4 + 1 = 29 of the
/// 32 registers of AVX-512 are in use; with two, 6 · 2 + 2 + 1 = 15 of the 16 of AVX2.
pub(super) const TILE_ROWS: usize = 6;

/// Rows of the tiles that fill up a remainder of one to four rows.
pub(super) const SHORT_TILE_ROWS: usize = 2;

/// Registers of columns in the widest tile.
#[inline(always)]
pub(super) fn tile_vectors<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 4 } else { 2 }
}

/// What is done to a tile when the sums of this block of k are complete.
#[derive(Clone, Copy)]
pub(super) struct Finish<'a, T> {
    /// The sums are added to `c`; otherwise they replace it.
    pub(super) accumulate: bool,
    /// Added to every row; starts at the first column of the tile.
    pub(super) bias: Option<&'a [T]>,
    pub(super) relu: bool,
}

/// Σ_p a[i, p] · b[p, j]. `a` yields a column of the tile's rows for each p; row p of the tile's
/// columns starts at `b[p * b_stride]`.
#[inline(always)]
pub(super) fn tile<S: Simd, T: GemmFloat, const MR: usize, const NV: usize>(
    simd: S,
    mut a: impl Iterator<Item = [T; MR]>,
    b: &[T],
    b_stride: usize,
) -> [[T::Vector<S>; NV]; MR] {
    let mut sums = [[T::splat(simd, T::ZERO); NV]; MR];
    // The last row of an operand that was not copied may end before the stride does.
    let rows = b.chunks_exact(b_stride);
    let last = rows.remainder();
    for (b, a) in rows.zip(a.by_ref()) {
        accumulate(simd, &mut sums, a, b);
    }
    if let Some(a) = a.next() {
        accumulate(simd, &mut sums, a, last);
    }
    sums
}

/// Adds the product of a column of `a` and a row of `b` to the sums.
#[inline(always)]
fn accumulate<S: Simd, T: GemmFloat, const MR: usize, const NV: usize>(
    simd: S,
    sums: &mut [[T::Vector<S>; NV]; MR],
    a: [T; MR],
    b: &[T],
) {
    // Always there: a row of a panel is at least as long as its registers.
    let Some(b) = T::split::<S>(b).0.first_chunk::<NV>() else {
        return;
    };
    for i in 0..MR {
        let a = T::splat(simd, a[i]);
        for j in 0..NV {
            sums[i][j] = T::mul_add(simd, a, b[j], sums[i][j]);
        }
    }
}

/// Writes the first `columns` columns of a tile to `c`, whose rows are `c_stride` apart, and as many
/// rows as `c` has.
///
/// The steps are separate loops, short enough to be unrolled, because the sums can only live in
/// registers where every index to them is known when this is compiled.
#[inline(always)]
pub(super) fn store<S: Simd, T: GemmFloat, const MR: usize, const NV: usize>(
    simd: S,
    mut sums: [[T::Vector<S>; NV]; MR],
    c: &mut [T],
    c_stride: usize,
    columns: usize,
    finish: Finish<'_, T>,
) {
    let whole = columns == NV * T::width::<S>();
    if finish.accumulate {
        let mut rows = c.chunks(c_stride);
        for i in 0..MR {
            let Some(row) = rows.next() else { break };
            let (row, part) = T::split::<S>(&row[..columns]);
            for j in 0..NV - 1 {
                if let Some(&c) = row.get(j) {
                    sums[i][j] = T::add(simd, sums[i][j], c);
                }
            }
            let last = match row.get(NV - 1) {
                Some(&last) => last,
                None => T::load_partial(simd, part),
            };
            sums[i][NV - 1] = T::add(simd, sums[i][NV - 1], last);
        }
    }
    if let Some(bias) = finish.bias {
        let (bias, part) = T::split::<S>(&bias[..columns]);
        for j in 0..NV {
            let bias = match bias.get(j) {
                Some(&bias) => bias,
                None => T::load_partial(simd, part),
            };
            for i in 0..MR {
                sums[i][j] = T::add(simd, sums[i][j], bias);
            }
        }
    }
    if finish.relu {
        let zero = T::splat(simd, T::ZERO);
        for i in 0..MR {
            for j in 0..NV {
                let negative = T::less_equal(simd, sums[i][j], zero);
                sums[i][j] = T::select(simd, negative, zero, sums[i][j]);
            }
        }
    }
    let mut rows = c.chunks_mut(c_stride);
    for i in 0..MR {
        let Some(row) = rows.next() else { break };
        let (row, part) = T::split_mut::<S>(&mut row[..columns]);
        if whole {
            if let Some(row) = row.first_chunk_mut::<NV>() {
                *row = sums[i];
            }
        } else {
            for j in 0..NV - 1 {
                if let Some(c) = row.get_mut(j) {
                    *c = sums[i][j];
                }
            }
            T::store_partial(simd, part, sums[i][NV - 1]);
        }
    }
}
