//! The gradient to the weight: dot products of the upstream gradient with the slices of the taps.
//!
//! ```text
//! for piece of the images                  on several threads
//!     for block of bands                   their planes fit the second cache
//!         for group of channels
//!             copy the planes, and the upstream gradient in rows as wide
//!             for eight output channels
//!                 for three taps
//!                     for place            the sums stay in registers, lane by lane
//! add up the pieces
//! ```
//!
//! Between its rows the upstream gradient is zero. What the slices have there belongs to no sum, and
//! were it infinite or NaN, zero times it would be NaN: a sum that is NaN is formed again, without.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::gemm::{GemmFloat, Scratch};
use super::super::lanes::dispatch;
use super::super::parallel::map_pieces;
use super::Geometry;
use super::axis::Axis;
use super::correlate::rows_of_a_band;
use super::planes::{Image, Layout, SLACK, spread_rows};
use super::tiles::{ROWS, WIDTH, dots};
use crate::element::Element;
use crate::storage::Buffer;
use crate::tensor::View;

/// Bytes of the planes and rows of a block, which stay in the second cache.
const BLOCK_BYTES: usize = 512 * 1024;

/// Products of numbers that are worth a piece of their own.
const PIECE: usize = 1 << 19;
/// Most pieces: the sums of each take the memory of a weight.
const PIECES: usize = 16;
/// Bytes that the sums of all pieces may take.
const SUMS_BYTES: usize = 64 * 1024 * 1024;

/// Σ over images and places of upstream · input.
pub(super) fn weight_gradient<T: Element + GemmFloat>(
    geometry: &Geometry,
    upstream: View<'_, T>,
    input: View<'_, T>,
    output: &mut [T],
) {
    output.fill(T::ZERO);
    let axes = geometry.axes.each_ref().map(Axis::of_output);
    let band = rows_of_a_band::<T>(&axes, geometry.inputs);
    let bands = axes[0].count().div_ceil(band);
    let units = geometry.batch * bands;
    if units == 0 || output.is_empty() {
        return;
    }
    let layout = Layout {
        axes: &axes,
        channels: geometry.inputs,
        band,
    };
    let mut starts = Vec::with_capacity(output.len() / (geometry.groups * geometry.outputs));
    for channel in 0..geometry.inputs {
        for &u in &axes[0].phases[0] {
            for &v in &axes[1].phases[0] {
                starts.push(layout.start(channel, u, v));
            }
        }
    }
    let plan = Plan {
        geometry,
        layout,
        bands,
        starts: &starts,
        upstream,
        input,
    };
    let work = output.len() * layout.places(band) * units;
    let most = (SUMS_BYTES / size_of_val(output)).clamp(1, PIECES);
    let pieces = work.div_ceil(PIECE).min(units).min(most);
    let length = units.div_ceil(pieces);
    if length == units {
        return compute(Piece {
            plan,
            units: 0..units,
            sums: output,
        });
    }
    let pieces = (0..units).step_by(length);
    let sums = map_pieces(pieces, |first| {
        let mut buffer = Buffer::with_count(output.len());
        let sums = &mut buffer.as_mut_slice()[..output.len()];
        sums.fill(T::ZERO);
        compute(Piece {
            plan,
            units: first..units.min(first + length),
            sums,
        });
        buffer
    });
    for sums in &sums {
        for (total, sum) in output.iter_mut().zip(sums.as_slice()) {
            *total += *sum;
        }
    }
}

/// What all pieces share.
#[derive(Clone, Copy)]
struct Plan<'a, T> {
    geometry: &'a Geometry,
    layout: Layout<'a>,
    /// Bands of an image.
    bands: usize,
    /// Where each tap finds its element for place 0.
    starts: &'a [usize],
    upstream: View<'a, T>,
    input: View<'a, T>,
}

/// Some bands, numbered through all images, and the sums over them.
struct Piece<'a, 'b, T> {
    plan: Plan<'a, T>,
    units: Range<usize>,
    sums: &'b mut [T],
}

/// The one caller of the loops, which the compiler would otherwise compile for each caller.
#[inline(never)]
fn compute<T: Element + GemmFloat>(piece: Piece<'_, '_, T>) {
    dispatch(piece);
}

impl<T: Element + GemmFloat> WithSimd for Piece<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Plan {
            geometry,
            layout,
            bands,
            starts,
            upstream,
            input,
        } = self.plan;
        let Geometry {
            groups,
            inputs,
            outputs,
            ..
        } = *geometry;
        let pitch = layout.places(layout.band).next_multiple_of(16);
        let planes_length = layout.len() + SLACK;
        let rows_length = outputs * pitch;
        let unit = rows_length + planes_length;
        let at_once = (BLOCK_BYTES / size_of::<T>() / unit).clamp(1, self.units.len());
        let mut scratch = Scratch::take(at_once * unit);
        let (rows, planes) = scratch.elements().split_at_mut(at_once * rows_length);
        let width = layout.axes[1].result;
        let mut first = self.units.start;
        while first < self.units.end {
            let units = first..self.units.end.min(first + at_once);
            first = units.end;
            for group in 0..groups {
                let blocks = rows
                    .chunks_exact_mut(rows_length)
                    .zip(planes.chunks_exact_mut(planes_length));
                for (unit, (rows, planes)) in units.clone().zip(blocks) {
                    let (image, row) = (unit / bands, unit % bands * layout.band);
                    let source = Image::new(input, image, group * inputs);
                    layout.fill(simd, source, row, planes);
                    let source = Image::new(upstream, image, group * outputs);
                    let band = row..layout.axes[0].result.min(row + layout.band);
                    let columns = layout.columns();
                    spread_rows(simd, source, [outputs, width], band, columns, pitch, rows);
                }
                let block = Block {
                    plan: self.plan,
                    rows,
                    planes,
                    pitch,
                    planes_length,
                    units: units.clone(),
                };
                let length = outputs * starts.len();
                block.multiply(simd, &mut self.sums[group * length..][..length]);
            }
        }
    }
}

/// The copies of a group's channels in some bands.
struct Block<'a, T> {
    plan: Plan<'a, T>,
    /// For each band the upstream gradient: a row for each output channel, `pitch` apart.
    rows: &'a [T],
    /// For each band the planes of the input, `planes_length` apart.
    planes: &'a [T],
    pitch: usize,
    planes_length: usize,
    units: Range<usize>,
}

impl<T: GemmFloat> Block<'_, T> {
    /// Adds the products to the sums, a row for each output channel.
    #[inline(always)]
    fn multiply<S: Simd>(&self, simd: S, sums: &mut [T]) {
        let outputs = self.plan.geometry.outputs;
        let mut row = 0;
        while row < outputs {
            match outputs - row {
                // Seven rows are faster as eight of which one is dropped.
                7.. if const { S::REGISTER_COUNT >= 32 } => {
                    self.row_of_tiles::<S, ROWS>(simd, row, sums);
                    row += ROWS;
                }
                3.. => {
                    self.row_of_tiles::<S, 4>(simd, row, sums);
                    row += 4;
                }
                _ => {
                    self.row_of_tiles::<S, 2>(simd, row, sums);
                    row += 2;
                }
            }
        }
    }

    #[inline(always)]
    fn row_of_tiles<S: Simd, const MR: usize>(&self, simd: S, row: usize, sums: &mut [T]) {
        let taps = self.plan.starts.len();
        for tap in (0..taps).step_by(WIDTH) {
            let tile = self.tile::<S, MR>(simd, row, tap);
            let mut rows = sums.chunks_exact_mut(taps).skip(row);
            for i in 0..MR {
                let Some(sums) = rows.next() else { break };
                for j in 0..WIDTH {
                    let Some(place) = sums.get_mut(tap + j) else {
                        break;
                    };
                    let sum = T::sum_lanes(simd, tile[i][j]);
                    *place += if sum == sum {
                        sum
                    } else {
                        self.sum_without_gaps(row + i, tap + j)
                    };
                }
            }
        }
    }

    /// `MR` output channels with `WIDTH` taps; those past the last repeat it and are dropped.
    #[inline(always)]
    fn tile<S: Simd, const MR: usize>(
        &self,
        simd: S,
        row: usize,
        tap: usize,
    ) -> [[T::Vector<S>; WIDTH]; MR] {
        let mut sums = [[T::splat(simd, T::ZERO); WIDTH]; MR];
        let (starts, outputs) = (self.plan.starts, self.plan.geometry.outputs);
        for (_, rows, planes) in self.units() {
            let mut x: [&[T]; MR] = [&[]; MR];
            let mut y: [&[T]; WIDTH] = [&[]; WIDTH];
            for i in 0..MR {
                let row = (row + i).min(outputs - 1);
                x[i] = &rows[row * self.pitch..][..self.pitch];
            }
            for j in 0..WIDTH {
                let tap = (tap + j).min(starts.len() - 1);
                y[j] = &planes[starts[tap]..][..self.pitch];
            }
            sums = dots(simd, sums, x, y);
        }
        sums
    }

    /// The bands with their rows and planes.
    #[inline(always)]
    fn units(&self) -> impl Iterator<Item = (usize, &[T], &[T])> {
        let rows = self.plan.geometry.outputs * self.pitch;
        let rows = self.rows.chunks_exact(rows);
        let planes = self.planes.chunks_exact(self.planes_length);
        let units = self.units.clone().zip(rows.zip(planes));
        units.map(|(unit, (rows, planes))| (unit, rows, planes))
    }

    /// The sum for one output channel and tap, one row of results after the other.
    #[cold]
    #[inline(never)]
    fn sum_without_gaps(&self, row: usize, tap: usize) -> T {
        let Plan {
            layout,
            bands,
            starts,
            ..
        } = self.plan;
        let [down, across] = layout.axes;
        let mut sum = T::ZERO;
        for (unit, rows, planes) in self.units() {
            let band = layout.band.min(down.result - unit % bands * layout.band);
            for line in 0..band {
                let first = line * layout.columns();
                let x = &rows[row * self.pitch + first..][..across.result];
                let y = &planes[starts[tap] + first..][..across.result];
                for (x, y) in x.iter().zip(y) {
                    sum += T::from_f64(x.to_f64() * y.to_f64());
                }
            }
        }
        sum
    }
}
