//! The gradient to the weight: dot products of the upstream gradient with the slices of the taps.
//!
//! ```text
//! for piece                                some images and output channels, on several threads
//!     for block of bands                   their copies fit the second cache
//!         for group of channels
//!             copy the planes, and the upstream gradient in rows as wide
//!             for four output channels     their rows fit the first cache
//!                 for six taps
//!                     for place            the sums stay in registers, lane by lane
//! add up the pieces
//! ```
//!
//! Between its rows the upstream gradient is zero. What the slices have there belongs to no sum, and
//! were it infinite or NaN, zero times it would be NaN: a sum that is NaN is formed again, without.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::gemm::GemmFloat;
use super::super::lanes::{Lanes, dispatch};
use super::super::parallel::map_pieces;
use super::super::scratch::Scratch;
use super::Geometry;
use super::axis::Axis;
use super::correlate::rows_of_a_band;
use super::planes::{Image, Layout, SLACK, spread_rows};
use crate::element::Element;
use crate::storage::Buffer;
use crate::tensor::View;

/// Rows of a tile: output channels.
const ROWS: usize = 4;

/// Bytes of a tile's rows of the upstream gradient in all bands of a block: they stay in the first
/// cache while the taps pass.
const ROWS_BYTES: usize = 32 * 1024;
/// Bytes of all rows and planes of a block.
const BLOCK_BYTES: usize = 1536 * 1024;

/// Products of numbers that are worth a piece of their own.
const PIECE: usize = 1 << 19;
/// Most pieces.
const PIECES: usize = 16;
/// Fewest places of a piece, so that adding up the pieces is nothing beside the sums in them.
const PLACES: usize = 1024;
/// Fewest output channels of a piece, so that copying the planes is nothing beside them.
const CHANNELS: usize = 64;
/// Bytes that the sums of all pieces may take, where one would take less.
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
    let longest = ROWS_BYTES / (ROWS * size_of::<T>());
    let band = rows_of_a_band::<T>(&axes, geometry.inputs, longest);
    let bands = axes[0].count().div_ceil(band);
    let units = geometry.batch * bands;
    if units == 0 {
        return;
    }
    let layout = Layout::new(&axes, geometry.inputs, band);
    let [height, width] = geometry.axes.map(|axis| axis.kernel);
    let mut starts = Vec::new();
    // Where each tap's weight is among those of an output channel.
    let mut weights = Vec::new();
    for channel in 0..geometry.inputs {
        for &u in &axes[0].phases[0] {
            for &v in &axes[1].phases[0] {
                starts.push(layout.start(channel, u, v));
                weights.push((channel * height + u.kernel) * width + v.kernel);
            }
        }
    }
    if starts.is_empty() {
        return;
    }
    let plan = Plan {
        geometry,
        layout,
        bands,
        starts: &starts,
        upstream,
        input,
    };
    let places = units * layout.places(band);
    let pieces = (output.len() * places / PIECE).clamp(1, PIECES);
    let most = (SUMS_BYTES / size_of_val(output)).max(1);
    let by_units = pieces.min(units).min(places.div_ceil(PLACES)).min(most);
    let by_channels = (pieces / by_units).clamp(1, geometry.outputs.div_ceil(CHANNELS));
    let channels = geometry
        .outputs
        .div_ceil(by_channels)
        .next_multiple_of(ROWS);
    let pieces = cut(geometry.outputs, channels).flat_map(|channels| {
        let units = cut(units, units.div_ceil(by_units));
        units.map(move |units| (channels.clone(), units))
    });
    let sums = map_pieces(pieces.clone(), |(channels, units)| {
        let count = geometry.groups * channels.len() * starts.len();
        let mut buffer = Buffer::with_count(count);
        let sums = &mut buffer.as_mut_slice()[..count];
        sums.fill(T::ZERO);
        compute(Piece {
            plan,
            channels,
            units,
            sums,
        });
        buffer
    });
    let row = geometry.inputs * height * width;
    for ((channels, _), sums) in pieces.zip(&sums) {
        let mut sums = sums.as_slice().chunks_exact(starts.len());
        for group in output.chunks_exact_mut(geometry.outputs * row) {
            let rows = group.chunks_exact_mut(row).skip(channels.start);
            for (row, sums) in rows.zip(sums.by_ref().take(channels.len())) {
                add(&weights, sums, row);
            }
        }
    }
}

/// Adds the sum of each tap to its weight.
fn add<T: GemmFloat>(weights: &[usize], sums: &[T], row: &mut [T]) {
    if sums.len() == row.len() {
        // All weights have a tap, and they are in order.
        row.iter_mut().zip(sums).for_each(|(to, sum)| *to += *sum);
    } else {
        for (&weight, sum) in weights.iter().zip(sums) {
            row[weight] += *sum;
        }
    }
}

/// Cuts 0..count into ranges of some length; the last may be shorter.
fn cut(count: usize, length: usize) -> impl Iterator<Item = Range<usize>> + Clone {
    let ranges = (0..count).step_by(length);
    ranges.map(move |start| start..count.min(start + length))
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

/// Some output channels of each group and some bands, numbered through all images, and the sums
/// over them.
struct Piece<'a, 'b, T> {
    plan: Plan<'a, T>,
    channels: Range<usize>,
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
        let [down, across] = layout.axes;
        let channels = self.channels.len();
        let pitch = layout.places(layout.band).next_multiple_of(16);
        let rows_length = channels * pitch;
        let planes_length = layout.len() + SLACK;
        let fitting = [
            BLOCK_BYTES / size_of::<T>() / (rows_length + planes_length),
            ROWS_BYTES / size_of::<T>() / (ROWS * pitch),
            self.units.len(),
        ];
        let at_once = fitting[0].min(fitting[1]).clamp(1, fitting[2]);
        let mut scratch = Scratch::take(at_once * (rows_length + planes_length));
        let (rows, planes) = scratch.elements().split_at_mut(at_once * rows_length);
        let mut first = self.units.start;
        while first < self.units.end {
            let units = first..self.units.end.min(first + at_once);
            first = units.end;
            for group in 0..geometry.groups {
                let channel = group * geometry.outputs + self.channels.start;
                let rows_of_units = rows.chunks_exact_mut(rows_length);
                let planes_of_units = planes.chunks_exact_mut(planes_length);
                let copies = rows_of_units.zip(planes_of_units);
                for (unit, (rows, planes)) in units.clone().zip(copies) {
                    let (image, row) = (unit / bands, unit % bands * layout.band);
                    let source = Image::new(input, image, group * geometry.inputs);
                    layout.fill(simd, source, row, planes);
                    let source = Image::new(upstream, image, channel);
                    let band = row..down.result.min(row + layout.band);
                    let sizes = [channels, across.result];
                    spread_rows(simd, source, sizes, band, layout.columns, pitch, rows);
                }
                let block = Block {
                    plan: self.plan,
                    rows,
                    planes,
                    channels,
                    pitch,
                    planes_length,
                    units: units.clone(),
                };
                let length = channels * starts.len();
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
    channels: usize,
    pitch: usize,
    planes_length: usize,
    units: Range<usize>,
}

impl<T: GemmFloat> Block<'_, T> {
    /// Adds the products to the sums, a row for each output channel.
    #[inline(always)]
    fn multiply<S: Simd>(&self, simd: S, sums: &mut [T]) {
        let mut row = 0;
        while row < self.channels {
            if self.channels - row > 2 {
                self.row_of_tiles::<S, ROWS>(simd, row, sums);
                row += ROWS;
            } else {
                self.row_of_tiles::<S, 2>(simd, row, sums);
                row += 2;
            }
        }
    }

    #[inline(always)]
    fn row_of_tiles<S: Simd, const MR: usize>(&self, simd: S, row: usize, sums: &mut [T]) {
        let taps = self.plan.starts.len();
        let mut tap = 0;
        while tap < taps {
            // Decided when this is compiled: the wide tile exists only where it fits.
            if const { S::REGISTER_COUNT >= 32 } && taps - tap > 3 {
                self.tile::<S, MR, 6>(simd, row, tap, sums);
                tap += 6;
            } else {
                self.tile::<S, MR, 3>(simd, row, tap, sums);
                tap += 3;
            }
        }
    }

    /// Adds the products of `MR` output channels with `NC` taps; those past the last repeat it and
    /// are dropped.
    #[inline(always)]
    fn tile<S: Simd, const MR: usize, const NC: usize>(
        &self,
        simd: S,
        row: usize,
        tap: usize,
        sums: &mut [T],
    ) {
        let starts = self.plan.starts;
        let mut tile = [[T::splat(simd, T::ZERO); NC]; MR];
        for (_, rows, planes) in self.units() {
            let mut x: [&[T]; MR] = [&[]; MR];
            let mut y: [&[T]; NC] = [&[]; NC];
            for i in 0..MR {
                let row = (row + i).min(self.channels - 1);
                x[i] = &rows[row * self.pitch..][..self.pitch];
            }
            for j in 0..NC {
                let tap = (tap + j).min(starts.len() - 1);
                y[j] = &planes[starts[tap]..][..self.pitch];
            }
            tile = dots(simd, tile, x, y);
        }
        let mut rows = sums.chunks_exact_mut(starts.len()).skip(row);
        for i in 0..MR {
            let Some(sums) = rows.next() else { break };
            for j in 0..NC {
                let Some(place) = sums.get_mut(tap + j) else {
                    break;
                };
                let sum = Lanes::<S, T>::new(simd, tile[i][j]).sum();
                *place += if sum.to_f64().is_nan() {
                    self.sum_without_gaps(row + i, tap + j)
                } else {
                    sum
                };
            }
        }
    }

    /// The bands with their rows and planes.
    #[inline(always)]
    fn units(&self) -> impl Iterator<Item = (usize, &[T], &[T])> {
        let rows = self.rows.chunks_exact(self.channels * self.pitch);
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
                let first = line * layout.columns;
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

/// Adds Σ_q rows[i][q] · columns[j][q] to the sums, lane by lane. All have the same length, a whole
/// number of registers.
#[inline(always)]
fn dots<S: Simd, T: GemmFloat, const MR: usize, const NC: usize>(
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
