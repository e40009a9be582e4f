//! The largest and the mean of windows over planes: three nested loops for each result.
//!
//! Which elements a window has is decided once for each axis ([`Windows`]), so that sliding and
//! adaptive windows, padding and dilation are one loop.

use std::hint::select_unpredictable;

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
    let [down, across] = axes;
    let pieces = input
        .chunks(plane * planes)
        .zip(output.chunks_mut(result * planes));
    map_pieces(pieces, |(input, output)| {
        let planes = input.chunks_exact(plane);
        for (plane, output) in planes.zip(output.chunks_exact_mut(result)) {
            let mut results = output.iter_mut();
            for_each_window(axes, |rows, columns| {
                let mut sum = 0.0;
                for row in 0..rows.count {
                    let start = (rows.start + row * down.step) * across.input + columns.start;
                    for column in 0..columns.count {
                        sum += plane[start + column * across.step].to_f64();
                    }
                }
                let divisor = rows.divisor as f64 * columns.divisor as f64;
                if let Some(result) = results.next() {
                    *result = T::from_f64(sum / divisor);
                }
            });
        }
    });
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
            let mut upstream = upstream.iter();
            for_each_window(axes, |rows, columns| {
                let Some(&share) = upstream.next() else {
                    return;
                };
                let divisor = rows.divisor as f64 * columns.divisor as f64;
                let share = share / T::from_f64(divisor);
                for row in 0..rows.count {
                    let start = (rows.start + row * down.step) * across.input + columns.start;
                    for column in 0..columns.count {
                        let element = &mut plane[start + column * across.step];
                        *element = *element + share;
                    }
                }
            });
        }
    });
}

/// Elements of a plane and of its results, and planes of a piece.
fn sizes([down, across]: &[Windows; 2]) -> (usize, usize, usize) {
    let plane = down.input * across.input;
    let result = down.windows.len() * across.windows.len();
    (plane, result, PIECE.div_ceil(plane))
}

/// Calls `visit` with the rows and columns of each window in row-major order.
#[inline(always)]
fn for_each_window([down, across]: &[Windows; 2], mut visit: impl FnMut(Window, Window)) {
    for &rows in &down.windows {
        for &columns in &across.windows {
            visit(rows, columns);
        }
    }
}
