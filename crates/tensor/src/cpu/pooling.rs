//! The largest and the mean of windows over planes: three nested loops for each result.
//!
//! Which elements a window has is decided once for each axis ([`Windows`]), so that sliding and
//! adaptive windows, padding and dilation are one loop.

use std::hint::select_unpredictable;

use pulp::{Simd, WithSimd};

use super::lanes::dispatch;
use super::parallel::map_pieces;
use crate::element::Float;

/// Elements of the input that are worth a thread's attention.
const PIECE: usize = 32 * 1024;

/// The windows along one axis.
#[derive(Debug)]
pub(crate) struct Windows {
    /// Size of the axis.
    pub(crate) input: usize,
    /// Steps from one element of a window to the next.
    pub(crate) step: usize,
    pub(crate) windows: Vec<Window>,
}

/// The elements of the input in one window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) start: usize,
    /// At least one.
    pub(crate) count: usize,
    /// What the window's sum is divided by, along this axis.
    pub(crate) divisor: usize,
}

/// The largest element of each window, and its place in the plane: the first, if there are several.
/// A NaN is larger than any number.
pub(crate) fn max<T: Float>(
    input: &[T],
    axes: &[Windows; 2],
    values: &mut [T],
    places: &mut [i64],
) {
    let (plane, result, planes) = sizes(axes);
    let pieces = input
        .chunks(plane * planes)
        .zip(values.chunks_mut(result * planes))
        .zip(places.chunks_mut(result * planes));
    map_pieces(pieces, |((input, values), places)| {
        let planes = input.chunks_exact(plane);
        let results = values
            .chunks_exact_mut(result)
            .zip(places.chunks_exact_mut(result));
        for (plane, (values, places)) in planes.zip(results) {
            let width = axes[1].windows.len();
            let lines = values
                .chunks_exact_mut(width)
                .zip(places.chunks_exact_mut(width));
            for (&rows, (values, places)) in axes[0].windows.iter().zip(lines) {
                max_of_rows(plane, axes, rows, values, places);
            }
        }
    });
}

/// The largest elements of all windows over the same rows.
fn max_of_rows<T: Float>(
    plane: &[T],
    [down, across]: &[Windows; 2],
    rows: Window,
    values: &mut [T],
    places: &mut [i64],
) {
    for row in 0..rows.count {
        let start = (rows.start + row * down.step) * across.input;
        let results = values.iter_mut().zip(places.iter_mut());
        for ((value, place), window) in results.zip(&across.windows) {
            let first = start + window.start;
            let mut best = if row == 0 { first } else { *place as usize };
            for column in 0..window.count {
                let candidate = first + column * across.step;
                let (x, largest) = (plane[candidate], plane[best]);
                let larger = (x > largest) | (x.is_nan() & !largest.is_nan());
                // A processor that guesses which one is larger is wrong too often; and only a choice
                // between integers can be made without guessing everywhere.
                best = select_unpredictable(larger, candidate, best);
            }
            (*value, *place) = (plane[best], best as i64);
        }
    }
}

/// The mean of each window, summed in `f64`.
pub(crate) fn mean<T: Float>(input: &[T], axes: &[Windows; 2], output: &mut [T]) {
    let (plane, result, planes) = sizes(axes);
    let pieces = input
        .chunks(plane * planes)
        .zip(output.chunks_mut(result * planes));
    map_pieces(pieces, |(input, output)| {
        let planes = input.chunks_exact(plane);
        for (plane, output) in planes.zip(output.chunks_exact_mut(result)) {
            dispatch(Mean {
                plane,
                axes,
                output,
            });
        }
    });
}

/// The means of the windows of a plane. The compiler finds the registers itself.
struct Mean<'a, T> {
    plane: &'a [T],
    axes: &'a [Windows; 2],
    output: &'a mut [T],
}

impl<T: Float> WithSimd for Mean<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let [down, across] = self.axes;
        let lines = self.output.chunks_exact_mut(across.windows.len());
        for (&rows, line) in down.windows.iter().zip(lines) {
            for (&columns, mean) in across.windows.iter().zip(line) {
                let divisor = rows.divisor as f64 * columns.divisor as f64;
                let sum = sum(self.plane, self.axes, rows, columns);
                *mean = T::from_f64(sum / divisor);
            }
        }
    }
}

/// The sum of a window.
#[inline(always)]
fn sum<T: Float>(plane: &[T], [down, across]: &[Windows; 2], rows: Window, columns: Window) -> f64 {
    if down.step == 1 && columns.count == across.input {
        // Whole rows follow one another: the mean of a plane.
        return sum_of_row(&plane[rows.start * across.input..][..rows.count * across.input]);
    }
    let mut sum = 0.0;
    for row in 0..rows.count {
        let start = (rows.start + row * down.step) * across.input + columns.start;
        if across.step == 1 {
            sum += sum_of_row(&plane[start..start + columns.count]);
        } else {
            for column in 0..columns.count {
                sum += plane[start + column * across.step].to_f64();
            }
        }
    }
    sum
}

/// The sum of elements that follow one another, eight sums side by side, which do not wait for each other.
#[inline(always)]
fn sum_of_row<T: Float>(row: &[T]) -> f64 {
    let (eights, rest) = row.as_chunks::<8>();
    let mut sum = 0.0;
    if !eights.is_empty() {
        let mut sums = [0.0; 8];
        for eight in eights {
            for (sum, x) in sums.iter_mut().zip(eight) {
                *sum += x.to_f64();
            }
        }
        let [a, b, c, d, e, f, g, h] = sums;
        sum = ((a + e) + (c + g)) + ((b + f) + (d + h));
    }
    for x in rest {
        sum += x.to_f64();
    }
    sum
}

/// The way back of [`mean`]: each element of `upstream`, divided like its window's sum, is added to all
/// elements of the window.
pub(crate) fn spread<T: Float>(upstream: &[T], axes: &[Windows; 2], output: &mut [T]) {
    let (plane, result, planes) = sizes(axes);
    let [down, across] = axes;
    let pieces = upstream
        .chunks(result * planes)
        .zip(output.chunks_mut(plane * planes));
    map_pieces(pieces, |(upstream, output)| {
        output.fill(T::ZERO);
        let planes = output.chunks_exact_mut(plane);
        for (plane, upstream) in planes.zip(upstream.chunks_exact(result)) {
            let lines = upstream.chunks_exact(across.windows.len());
            for (&rows, line) in down.windows.iter().zip(lines) {
                for (&columns, &share) in across.windows.iter().zip(line) {
                    let divisor = rows.divisor as f64 * columns.divisor as f64;
                    add(share / T::from_f64(divisor), plane, axes, rows, columns);
                }
            }
        }
    });
}

/// Adds a number to all elements of a window.
#[inline(always)]
fn add<T: Float>(
    share: T,
    plane: &mut [T],
    [down, across]: &[Windows; 2],
    rows: Window,
    columns: Window,
) {
    for row in 0..rows.count {
        let start = (rows.start + row * down.step) * across.input + columns.start;
        for column in 0..columns.count {
            let element = &mut plane[start + column * across.step];
            *element = *element + share;
        }
    }
}

/// Elements of a plane and of its results, and planes of a piece.
fn sizes([down, across]: &[Windows; 2]) -> (usize, usize, usize) {
    let plane = down.input * across.input;
    let result = down.windows.len() * across.windows.len();
    (plane, result, PIECE.div_ceil(plane))
}
