//! The two loops that do the arithmetic: sums of up to eight channels by three registers or taps.
//!
//! Eight by three is 24 sums that do not wait for each other, and 24 + 3 + 1 = 28 of the 32
//! registers of AVX-512 and NEON; with half as many rows it is 4 · 3 + 3 + 1 = 16 of the 16 of AVX2.

use pulp::Simd;

use super::super::gemm::GemmFloat;

/// Rows that are stored side by side: those of the tallest tile.
pub(super) const ROWS: usize = 8;

/// Registers, or taps, of the widest tile.
pub(super) const WIDTH: usize = 3;

/// Rows of the tallest tile that fits the registers.
#[inline(always)]
pub(super) fn tallest<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 {
        ROWS
    } else {
        ROWS / 2
    }
}

/// Rows in the order of the tiles: `height` of them, for each p side by side.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    pub(super) elements: &'a [T],
    pub(super) height: usize,
}

/// Σ_p weights[p][row + i] · planes[starts[p] + place + j], for `MR` rows i and `NV` registers of
/// places j.
#[inline(always)]
pub(super) fn tile<S: Simd, T: GemmFloat, const MR: usize, const NV: usize>(
    simd: S,
    weights: Rows<'_, T>,
    row: usize,
    planes: &[T],
    starts: &[usize],
    place: usize,
) -> [[T::Vector<S>; NV]; MR] {
    let mut sums = [[T::splat(simd, T::ZERO); NV]; MR];
    let weights = weights.elements.chunks_exact(weights.height);
    for (weights, start) in weights.zip(starts) {
        // Both are always there: the planes have slack behind them.
        let x = &planes[start + place..][..NV * T::width::<S>()];
        let (Some(weights), Some(x)) = (
            weights[row..].first_chunk::<MR>(),
            T::split::<S>(x).0.first_chunk::<NV>(),
        ) else {
            break;
        };
        for i in 0..MR {
            let weight = T::splat(simd, weights[i]);
            for j in 0..NV {
                sums[i][j] = T::mul_add(simd, weight, x[j], sums[i][j]);
            }
        }
    }
    sums
}

/// Adds Σ_q rows[i][q] · columns[j][q] to the sums, lane by lane. All have the same length, a whole
/// number of registers.
#[inline(always)]
pub(super) fn dots<S: Simd, T: GemmFloat, const MR: usize, const NC: usize>(
    simd: S,
    mut sums: [[T::Vector<S>; NC]; MR],
    rows: [&[T]; MR],
    columns: [&[T]; NC],
) -> [[T::Vector<S>; NC]; MR] {
    let registers = T::split::<S>(rows[0]).0.len();
    let mut x: [&[T::Vector<S>]; MR] = [&[]; MR];
    let mut y: [&[T::Vector<S>]; NC] = [&[]; NC];
    for i in 0..MR {
        x[i] = &T::split::<S>(rows[i]).0[..registers];
    }
    for j in 0..NC {
        y[j] = &T::split::<S>(columns[j]).0[..registers];
    }
    for q in 0..registers {
        for i in 0..MR {
            for j in 0..NC {
                sums[i][j] = T::mul_add(simd, x[i][q], y[j][q], sums[i][j]);
            }
        }
    }
    sums
}
