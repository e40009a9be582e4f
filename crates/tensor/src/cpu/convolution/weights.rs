//! The weights of a convolution, and their copy in the order in which the tiles read them.

use super::super::gemm::GemmFloat;
use super::Geometry;
use super::tiles::{ROWS, height};
use crate::tensor::View;

/// The weights, as the matrix of a group: a row for each channel of the result.
pub(super) struct Weights<'a, T> {
    elements: &'a [T],
    offset: isize,
    /// Steps from one group to the next, one channel of the result, one channel of the source, and
    /// one row and column of the kernel.
    strides: [isize; 5],
}

impl<'a, T: GemmFloat> Weights<'a, T> {
    pub(super) fn of_output(weight: View<'a, T>, geometry: &Geometry) -> Self {
        Self::new(weight, |[output, input, down, across]| {
            let group = output * geometry.outputs as isize;
            [group, output, input, down, across]
        })
    }

    pub(super) fn of_input(weight: View<'a, T>, geometry: &Geometry) -> Self {
        Self::new(weight, |[output, input, down, across]| {
            let group = output * geometry.outputs as isize;
            [group, input, output, down, across]
        })
    }

    fn new(weight: View<'a, T>, order: impl FnOnce([isize; 4]) -> [isize; 5]) -> Self {
        Self {
            elements: weight.elements,
            offset: weight.shape.offset() as isize,
            strides: order(super::strides(&weight)),
        }
    }

    fn at(&self, index: [usize; 5]) -> T {
        let steps = index.iter().zip(self.strides);
        let place = steps.fold(self.offset, |place, (&index, stride)| {
            place + index as isize * stride
        });
        self.elements[place as usize]
    }

    /// Copies the weights of the taps given (channel of the source, row and column of the kernel) to
    /// `to`, and returns what is left of it: for each strip of up to eight channels of the result, for
    /// each tap, those channels side by side.
    pub(super) fn pack<'b>(
        &self,
        group: usize,
        results: usize,
        taps: &[[usize; 3]],
        mut to: &'b mut [T],
    ) -> &'b mut [T] {
        for first in (0..results).step_by(ROWS) {
            for &[channel, u, v] in taps {
                let (side_by_side, after) = to.split_at_mut(height(results, first));
                to = after;
                for (row, place) in (first..).zip(side_by_side) {
                    *place = if row < results {
                        self.at([group, row, channel, u, v])
                    } else {
                        T::ZERO
                    };
                }
            }
        }
        to
    }
}
