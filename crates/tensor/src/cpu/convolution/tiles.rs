//! The loop that does the arithmetic: sums of up to eight channels by three registers of places.
//!
//! Eight by three is 24 sums that do not wait for each other, and 24 + 3 + 1 = 28 of the 32
//! registers of AVX-512 and NEON; with half as many rows it is 4 · 3 + 3 + 1 = 16 of the 16 of AVX2.

use pulp::Simd;

use super::super::gemm::GemmFloat;

/// Rows of the tallest tile.
pub(super) const ROWS: usize = 8;

/// Registers of the widest tile.
const WIDTH: usize = 3;

/// Rows of the tile that begins at row `first`: an even number, the last row may be of zeros.
pub(super) fn height(rows: usize, first: usize) -> usize {
    (rows - first).next_multiple_of(2).min(ROWS)
}

/// Up to eight channels of the result: their weights, and the planes with the elements of the taps.
#[derive(Clone, Copy)]
pub(super) struct Strip<'a, T> {
    /// For each tap the weights of the channels, side by side.
    pub(super) weights: &'a [T],
    /// Channels, an even number.
    pub(super) height: usize,
    /// With slack behind them.
    pub(super) planes: &'a [T],
    /// Where each tap finds its element for place 0.
    pub(super) starts: &'a [usize],
    pub(super) places: usize,
}

impl<T: GemmFloat> Strip<'_, T> {
    /// The product for all places, in rows that are `pitch` apart.
    #[inline(always)]
    pub(super) fn multiply<S: Simd>(self, simd: S, wide: &mut [T], pitch: usize) {
        let width = T::width::<S>();
        let mut place = 0;
        while place < self.places {
            // Two registers are faster as three of which one is dropped.
            if self.places - place > width {
                self.column_of_tiles::<S, WIDTH>(simd, place, &mut wide[place..], pitch);
                place += WIDTH * width;
            } else {
                self.column_of_tiles::<S, 1>(simd, place, &mut wide[place..], pitch);
                place += width;
            }
        }
    }

    #[inline(always)]
    fn column_of_tiles<S: Simd, const NV: usize>(
        self,
        simd: S,
        place: usize,
        wide: &mut [T],
        pitch: usize,
    ) {
        let mut row = 0;
        while row < self.height {
            let wide = &mut wide[row * pitch..];
            match self.height - row {
                // Decided when this is compiled: the tall tile exists only where it fits.
                ROWS if const { S::REGISTER_COUNT >= 32 } => {
                    self.tile::<S, ROWS, NV>(simd, row, place, wide, pitch);
                    row += ROWS;
                }
                4.. => {
                    self.tile::<S, 4, NV>(simd, row, place, wide, pitch);
                    row += 4;
                }
                _ => {
                    self.tile::<S, 2, NV>(simd, row, place, wide, pitch);
                    row += 2;
                }
            }
        }
    }

    /// wide[i][j] = Σ_p weights[p][row + i] · planes[starts[p] + place + j], for `MR` rows i and `NV`
    /// registers of places j.
    #[inline(always)]
    fn tile<S: Simd, const MR: usize, const NV: usize>(
        self,
        simd: S,
        row: usize,
        place: usize,
        wide: &mut [T],
        pitch: usize,
    ) {
        let mut sums = [[T::splat(simd, T::ZERO); NV]; MR];
        for (weights, start) in self.weights.chunks_exact(self.height).zip(self.starts) {
            let x = &self.planes[start + place..][..NV * T::width::<S>()];
            // Both are always there.
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
        let mut rows = wide.chunks_mut(pitch);
        for i in 0..MR {
            let row = rows.next().map(|row| T::split_mut::<S>(row).0);
            if let Some(registers) = row.and_then(|row| row.first_chunk_mut::<NV>()) {
                *registers = sums[i];
            }
        }
    }
}
