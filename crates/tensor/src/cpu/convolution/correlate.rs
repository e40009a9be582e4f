//! The output of a convolution, and its gradient to the input: weights times planes.
//!
//! ```text
//! for band of results                      on several threads
//!     for group of channels
//!         copy the planes                  they fit the second cache
//!         for phase of the results         one, but for a gradient with strides
//!             for eight channels
//!                 for three registers of places
//!                     for tap              the sums stay in registers
//!                 copy the results out, with the bias
//! ```

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::gemm::GemmFloat;
use super::super::lanes::dispatch;
use super::super::parallel::map_pieces;
use super::super::scratch::Scratch;
use super::axis::Axis;
use super::planes::{Image, Layout, SLACK, copy_row};
use super::tiles::{ROWS, Strip, height};
use super::weights::Weights;
use super::{Geometry, Toward};
use crate::element::Element;
use crate::storage::Buffer;
use crate::tensor::View;

/// Bytes of the planes of a band, which stay in the second cache.
const BAND_BYTES: usize = 256 * 1024;

/// Products of numbers below which a second thread costs more than it does, and that a thread
/// should get at a time.
const WORTH_SHARING: usize = 1 << 20;

/// The results of a convolution, or of its gradient to the input, plus a bias for each channel.
pub(super) fn correlate<T: Element + GemmFloat>(
    geometry: &Geometry,
    toward: Toward,
    source: View<'_, T>,
    weight: View<'_, T>,
    bias: Option<&[T]>,
    output: &mut [T],
) {
    let (inputs, outputs) = (geometry.inputs, geometry.outputs);
    let (axes, channels) = match toward {
        Toward::Output => (
            geometry.axes.each_ref().map(Axis::of_output),
            [outputs, inputs],
        ),
        Toward::Input => (
            geometry.axes.each_ref().map(Axis::of_input),
            [inputs, outputs],
        ),
    };
    let weights = Weights::new(weight, toward, geometry);
    Correlation::new(axes, geometry.groups, channels, weights, bias).run(source, output);
}

/// A convolution in either direction, set out: which elements meet, and the weights in the order
/// in which they are read.
struct Correlation<'a, T: Element> {
    axes: [Axis; 2],
    groups: usize,
    /// Channels of a group's result and of its source.
    channels: [usize; 2],
    /// Rows of results in a band.
    band: usize,
    phases: Vec<Phase>,
    /// For each group and each phase the weights of its taps, in the order of the tiles.
    weights: Buffer<T>,
    group_weights: usize,
    bias: Option<&'a [T]>,
}

/// Results that share their taps: every `spacing`-th row and column.
struct Phase {
    row: usize,
    column: usize,
    /// Where each tap finds its element for place 0.
    starts: Vec<usize>,
    /// Its weights, in those of a group.
    weights: Range<usize>,
}

impl<'a, T: Element + GemmFloat> Correlation<'a, T> {
    /// Lists the taps and copies the weights.
    fn new(
        axes: [Axis; 2],
        groups: usize,
        [results, sources]: [usize; 2],
        from: Weights<'_, T>,
        bias: Option<&'a [T]>,
    ) -> Self {
        let band = rows_of_a_band::<T>(&axes, sources, usize::MAX);
        let layout = Layout::new(&axes, sources, band);
        let mut taps = Vec::new();
        let mut phases = Vec::new();
        let mut group_weights = 0;
        for (row, down) in axes[0].phases.iter().enumerate() {
            for (column, across) in axes[1].phases.iter().enumerate() {
                let mut starts = Vec::with_capacity(sources * down.len() * across.len());
                for channel in 0..sources {
                    for &u in down {
                        for &v in across {
                            starts.push(layout.start(channel, u, v));
                            taps.push([channel, u.kernel, v.kernel]);
                        }
                    }
                }
                let end = group_weights + results.next_multiple_of(2) * starts.len();
                phases.push(Phase {
                    row,
                    column,
                    starts,
                    weights: group_weights..end,
                });
                group_weights = end;
            }
        }
        let mut weights = Buffer::with_count(groups * group_weights);
        let mut to = weights.as_mut_slice();
        for group in 0..groups {
            let mut taps = taps.as_slice();
            for phase in &phases {
                let (taps_of_phase, others) = taps.split_at(phase.starts.len());
                taps = others;
                to = from.pack(group, results, taps_of_phase, to);
            }
        }
        Self {
            axes,
            groups,
            channels: [results, sources],
            band,
            phases,
            weights,
            group_weights,
            bias,
        }
    }

    fn layout(&self) -> Layout<'_> {
        Layout::new(&self.axes, self.channels[1], self.band)
    }

    /// Computes the results of every image of a batch.
    fn run(&self, source: View<'_, T>, output: &mut [T]) {
        let plane = self.axes[0].result * self.axes[1].result;
        let bands = self.axes[0].count().div_ceil(self.band);
        let planes = self.groups * self.channels[0];
        let images = output.len() / (planes * plane);
        let mut units: Vec<Unit<'_, T>> = Vec::with_capacity(images * bands);
        for image in 0..images {
            units.extend((0..bands).map(|band| Unit {
                image,
                first: band * self.band,
                output: Vec::with_capacity(planes),
            }));
        }
        let length = self.band * self.axes[0].spacing * self.axes[1].result;
        for (number, plane) in output.chunks_exact_mut(plane).enumerate() {
            let units = units[number / planes * bands..].iter_mut();
            for (unit, piece) in units.zip(plane.chunks_mut(length)) {
                unit.output.push(piece);
            }
        }
        let work = self.groups * self.group_weights * self.layout().places(self.band);
        let share = if work * units.len() < WORTH_SHARING {
            units.len()
        } else {
            WORTH_SHARING.div_ceil(work.max(1))
        };
        map_pieces(units.chunks_mut(share), |units| {
            for unit in units {
                compute(Work {
                    correlation: self,
                    source,
                    unit,
                });
            }
        });
    }
}

/// As many rows of results as have planes that fit, and at most so many places; the rows that two
/// bands both need are not to be more than those of a band.
pub(super) fn rows_of_a_band<T>(axes: &[Axis; 2], channels: usize, places: usize) -> usize {
    let [down, across] = axes;
    let planes = channels * down.remainders.len() * across.remainders.len();
    let columns = across.pitch();
    let row = planes * columns * size_of::<T>();
    let rows = (BAND_BYTES / row.max(1)).saturating_sub(down.reach);
    let rows = rows.max(down.reach);
    let rows = rows.min(places / columns).max(1);
    // Bands of about the same height.
    let bands = down.count().div_ceil(rows).max(1);
    down.count().div_ceil(bands).max(1)
}

/// A band of the results of one image.
struct Unit<'a, T> {
    image: usize,
    /// First row of results.
    first: usize,
    /// Its rows of each channel.
    output: Vec<&'a mut [T]>,
}

/// A unit to be computed.
struct Work<'a, 'b, T: Element> {
    correlation: &'a Correlation<'a, T>,
    source: View<'a, T>,
    unit: &'a mut Unit<'b, T>,
}

/// The one caller of the loops, which the compiler would otherwise compile for each caller.
#[inline(never)]
fn compute<T: Element + GemmFloat>(work: Work<'_, '_, T>) {
    dispatch(work);
}

impl<T: Element + GemmFloat> WithSimd for Work<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let plan = self.correlation;
        let layout = plan.layout();
        let [results, sources] = plan.channels;
        let places = layout.places(plan.band);
        let pitch = (places + SLACK).next_multiple_of(16);
        let mut scratch = Scratch::take(ROWS * pitch + layout.len() + SLACK);
        let (wide, planes) = scratch.elements().split_at_mut(ROWS * pitch);
        let planes = &mut planes[..layout.len() + SLACK];
        let none = T::from_f64(-0.0);
        for group in 0..plan.groups {
            let image = Image::new(self.source, self.unit.image, group * sources);
            layout.fill(simd, image, self.unit.first, planes);
            let weights = &plan.weights.as_slice()[group * plan.group_weights..];
            for phase in &plan.phases {
                let mut weights = &weights[phase.weights.clone()];
                for first in (0..results).step_by(ROWS) {
                    let height = height(results, first);
                    let (rows, after) = weights.split_at(height * phase.starts.len());
                    weights = after;
                    let strip = Strip {
                        weights: rows,
                        height,
                        planes,
                        starts: &phase.starts,
                        places,
                    };
                    strip.multiply(simd, wide, pitch);
                    let channels = group * results + first..group * results + results;
                    for (channel, wide) in channels.zip(wide.chunks_exact(pitch).take(height)) {
                        let bias = plan.bias.map_or(none, |bias| bias[channel]);
                        let output = &mut *self.unit.output[channel];
                        plan.narrow(simd, phase, wide, layout.columns, bias, output);
                    }
                }
            }
        }
    }
}

impl<T: Element + GemmFloat> Correlation<'_, T> {
    /// Copies the results of a phase out of the rows of a plane, and adds the bias.
    #[inline(always)]
    fn narrow<S: Simd>(
        &self,
        simd: S,
        phase: &Phase,
        wide: &[T],
        columns: usize,
        bias: T,
        output: &mut [T],
    ) {
        let [down, across] = &self.axes;
        let wide = wide.chunks(columns);
        let rows = output.chunks_exact_mut(across.result);
        let rows = rows.skip(phase.row).step_by(down.spacing);
        for (output, wide) in rows.zip(wide) {
            if across.spacing == 1 {
                copy_row(simd, &wide[..output.len()], bias, output);
            } else {
                let places = output[phase.column..].iter_mut().step_by(across.spacing);
                for (to, from) in places.zip(wide) {
                    *to = *from;
                    *to += bias;
                }
            }
        }
    }
}
