//! One tile of the product: `MR` rows by `NV` registers of columns, summed over a block of k.

use pulp::Simd;

use super::GemmFloat;

/// Distance of the columns of a tile of `a` that was copied: more than it has rows, so that whole
/// cache lines are copied.
pub(super) const COLUMN: usize = 16;

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

/// A tile's rows of `a`, as a sequence along k.
pub(super) trait TileRows<T, const MR: usize>: Copy {
    /// The first places along k, in groups.
    type Groups: Copy;
    /// Where the numbers of one group are. They are not read before they are used, since a number is
    /// copied to all lanes of a register for nothing only on its way from memory.
    type Group: Copy;

    /// The first `count` groups.
    fn groups(self, count: usize) -> Self::Groups;
    /// One of them.
    fn group(groups: &Self::Groups, number: usize) -> Option<Self::Group>;
    /// Row `i` at place `q` of a group.
    fn at(group: &Self::Group, q: usize, i: usize) -> T;
    /// All rows at place `p`.
    fn column(self, p: usize) -> Option<[T; MR]>;
}

/// Rows that are contiguous, all of the same length.
#[derive(Clone, Copy)]
pub(super) struct ByRows<'a, T, const MR: usize>(pub(super) [&'a [T]; MR]);

impl<'a, T: GemmFloat, const MR: usize> TileRows<T, MR> for ByRows<'a, T, MR> {
    type Groups = [&'a [[T; GROUP]]; MR];
    type Group = [&'a [T; GROUP]; MR];

    #[inline(always)]
    fn groups(self, count: usize) -> Self::Groups {
        let mut groups: Self::Groups = [&[]; MR];
        for i in 0..MR {
            groups[i] = &self.0[i].as_chunks().0[..count];
        }
        groups
    }

    #[inline(always)]
    fn group(groups: &Self::Groups, number: usize) -> Option<Self::Group> {
        let mut group = [&groups[0][number]; MR];
        for i in 1..MR {
            group[i] = &groups[i][number];
        }
        Some(group)
    }

    #[inline(always)]
    fn at(group: &Self::Group, q: usize, i: usize) -> T {
        group[i][q]
    }

    #[inline(always)]
    fn column(self, p: usize) -> Option<[T; MR]> {
        let mut column = [T::ZERO; MR];
        for i in 0..MR {
            column[i] = self.0[i][p];
        }
        Some(column)
    }
}

/// Columns that are contiguous and `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct ByColumns<'a, T> {
    pub(super) elements: &'a [T],
    pub(super) stride: usize,
}

impl<'a, T: GemmFloat, const MR: usize> TileRows<T, MR> for ByColumns<'a, T> {
    type Groups = Self;
    type Group = [&'a [T; MR]; GROUP];

    #[inline(always)]
    fn groups(self, _count: usize) -> Self {
        self
    }

    #[inline(always)]
    fn group(groups: &Self, number: usize) -> Option<Self::Group> {
        let Self { elements, stride } = *groups;
        // One test for the whole group. It ends with the rows of its last column, because no more
        // is there of the last group of a matrix.
        let group = elements
            .get(number * GROUP * stride..)?
            .get(..(GROUP - 1) * stride + MR)?;
        let mut columns = [group.first_chunk()?; GROUP];
        for q in 1..GROUP {
            columns[q] = group.get(q * stride..)?.first_chunk()?;
        }
        Some(columns)
    }

    #[inline(always)]
    fn at(group: &Self::Group, q: usize, i: usize) -> T {
        group[q][i]
    }

    #[inline(always)]
    fn column(self, p: usize) -> Option<[T; MR]> {
        self.elements.get(p * self.stride..)?.first_chunk().copied()
    }
}

/// Σ_p a[i, p] · b[p, j]. Row p of the tile's columns of `b` starts at `b[p * b_stride]`.
#[inline(always)]
pub(super) fn tile<S: Simd, T: GemmFloat, A: TileRows<T, MR>, const MR: usize, const NV: usize>(
    simd: S,
    a: A,
    b: &[T],
    b_stride: usize,
) -> [[T::Vector<S>; NV]; MR] {
    let mut sums = [[T::splat(simd, T::ZERO); NV]; MR];
    let groups = b.chunks_exact(GROUP * b_stride);
    // The last row of an operand that was not copied may end before the stride does.
    let rows = groups.remainder().chunks(b_stride);
    let count = groups.len();
    let a_groups = a.groups(count);
    for (number, b) in (0..count).zip(groups) {
        let (Some(a), Some(b)) = (
            A::group(&a_groups, number),
            row_group::<S, T, NV>(b, b_stride),
        ) else {
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
    for (p, b) in (count * GROUP..).zip(rows) {
        let (Some(a), Some(b)) = (a.column(p), row::<S, T, NV>(b)) else {
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
