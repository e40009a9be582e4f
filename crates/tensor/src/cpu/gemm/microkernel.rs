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
}

/// Places along k that are summed between two tests for the end: what counts and compares would
/// take the units that multiply.
const GROUP: usize = 4;

/// A tile's rows of `a`, as a sequence of columns along k.
pub(super) trait Columns<T, const MR: usize> {
    /// Where the numbers of [`GROUP`] columns are. They are not read before they are used, since a
    /// number is copied to all lanes of a register for nothing only on its way from memory.
    type Group: Copy;

    /// The next [`GROUP`] columns, as long as there are so many.
    fn group(&mut self) -> Option<Self::Group>;
    /// Row `i` of column `q` of a group.
    fn at(group: &Self::Group, q: usize, i: usize) -> T;
    /// The next column.
    fn column(&mut self) -> Option<[T; MR]>;
}

/// Columns of rows that are contiguous.
pub(super) struct ByRows<'a, T, const MR: usize> {
    rows: [&'a [T]; MR],
    groups: [&'a [[T; GROUP]]; MR],
    groups_done: usize,
    columns_done: usize,
}

impl<'a, T: Copy, const MR: usize> ByRows<'a, T, MR> {
    /// The rows of a tile; all have the same length.
    #[inline(always)]
    pub(super) fn new(rows: [&'a [T]; MR]) -> Self {
        let mut groups: [&[[T; GROUP]]; MR] = [&[]; MR];
        for i in 0..MR {
            groups[i] = rows[i].as_chunks().0;
        }
        Self {
            rows,
            groups,
            groups_done: 0,
            columns_done: 0,
        }
    }
}

impl<'a, T: GemmFloat, const MR: usize> Columns<T, MR> for ByRows<'a, T, MR> {
    type Group = [&'a [T; GROUP]; MR];

    #[inline(always)]
    fn group(&mut self) -> Option<Self::Group> {
        let mut group = [self.groups[0].get(self.groups_done)?; MR];
        for i in 1..MR {
            group[i] = self.groups[i].get(self.groups_done)?;
        }
        self.groups_done += 1;
        Some(group)
    }

    #[inline(always)]
    fn at(group: &Self::Group, q: usize, i: usize) -> T {
        group[i][q]
    }

    #[inline(always)]
    fn column(&mut self) -> Option<[T; MR]> {
        let mut column = [T::ZERO; MR];
        for i in 0..MR {
            column[i] = *self.rows[i].get(self.groups_done * GROUP + self.columns_done)?;
        }
        self.columns_done += 1;
        Some(column)
    }
}

/// Columns that are contiguous: each piece starts with the rows of the tile.
pub(super) struct ByColumns<I>(pub(super) I);

impl<'a, T: GemmFloat, I: Iterator<Item = &'a [T]>, const MR: usize> Columns<T, MR>
    for ByColumns<I>
{
    type Group = [&'a [T; MR]; GROUP];

    #[inline(always)]
    fn group(&mut self) -> Option<Self::Group> {
        let mut group = [self.0.next()?.first_chunk()?; GROUP];
        for q in 1..GROUP {
            group[q] = self.0.next()?.first_chunk()?;
        }
        Some(group)
    }

    #[inline(always)]
    fn at(group: &Self::Group, q: usize, i: usize) -> T {
        group[q][i]
    }

    #[inline(always)]
    fn column(&mut self) -> Option<[T; MR]> {
        self.0.next()?.first_chunk().copied()
    }
}

/// Σ_p a[i, p] · b[p, j]. Row p of the tile's columns of `b` starts at `b[p * b_stride]`.
#[inline(always)]
pub(super) fn tile<S: Simd, T: GemmFloat, A: Columns<T, MR>, const MR: usize, const NV: usize>(
    simd: S,
    mut a: A,
    b: &[T],
    b_stride: usize,
) -> [[T::Vector<S>; NV]; MR] {
    let mut sums = [[T::splat(simd, T::ZERO); NV]; MR];
    let groups = b.chunks_exact(GROUP * b_stride);
    // The last row of an operand that was not copied may end before the stride does.
    let rows = groups.remainder().chunks(b_stride);
    for b in groups {
        let (Some(a), Some(b)) = (a.group(), row_group::<S, T, NV>(b, b_stride)) else {
            break;
        };
        for q in 0..GROUP {
            for i in 0..MR {
                let a = T::splat(simd, A::at(&a, q, i));
                for j in 0..NV {
                    sums[i][j] = T::mul_add(simd, a, b[q][j], sums[i][j]);
                }
            }
        }
    }
    for b in rows {
        let (Some(a), Some(b)) = (a.column(), row::<S, T, NV>(b)) else {
            break;
        };
        for i in 0..MR {
            let a = T::splat(simd, a[i]);
            for j in 0..NV {
                sums[i][j] = T::mul_add(simd, a, b[j], sums[i][j]);
            }
        }
    }
    sums
}

/// The registers of a row of `b`: always there, since a row is at least as long as they are.
#[inline(always)]
fn row<S: Simd, T: GemmFloat, const NV: usize>(b: &[T]) -> Option<&[T::Vector<S>; NV]> {
    T::split::<S>(b).0.first_chunk()
}

/// The registers of [`GROUP`] rows.
#[inline(always)]
fn row_group<S: Simd, T: GemmFloat, const NV: usize>(
    b: &[T],
    b_stride: usize,
) -> Option<[&[T::Vector<S>; NV]; GROUP]> {
    let mut rows = [row::<S, T, NV>(b)?; GROUP];
    for q in 1..GROUP {
        rows[q] = row::<S, T, NV>(b.get(q * b_stride..)?)?;
    }
    Some(rows)
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
    if finish.accumulate && whole {
        let mut rows = c.chunks(c_stride);
        for i in 0..MR {
            let Some(c) = rows.next().and_then(row::<S, T, NV>) else {
                break;
            };
            for j in 0..NV {
                sums[i][j] = T::add(simd, sums[i][j], c[j]);
            }
        }
    } else if finish.accumulate {
        let mut rows = c.chunks(c_stride);
        for i in 0..MR {
            let Some(row) = rows.next() else { break };
            let (row, part) = T::split::<S>(&row[..columns]);
            for j in 0..NV - 1 {
                if let Some(&c) = row.get(j) {
                    sums[i][j] = T::add(simd, sums[i][j], c);
                }
            }
            let last = T::load_partial(simd, part);
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
    let mut rows = c.chunks_mut(c_stride);
    if whole {
        for i in 0..MR {
            let Some(row) = rows.next() else { break };
            if let Some(row) = T::split_mut::<S>(row).0.first_chunk_mut::<NV>() {
                *row = sums[i];
            }
        }
        return;
    }
    for i in 0..MR {
        let Some(row) = rows.next() else { break };
        let (row, part) = T::split_mut::<S>(&mut row[..columns]);
        for j in 0..NV - 1 {
            if let Some(c) = row.get_mut(j) {
                *c = sums[i][j];
            }
        }
        T::store_partial(simd, part, sums[i][NV - 1]);
    }
}
