//! The weights of a convolution, and their copy in the order in which the tiles read them.

use super::super::gemm::GemmFloat;
use super::tiles::{ROWS, height};
use super::{Geometry, Toward};
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
    pub(super) fn new(weight: View<'a, T>, toward: Toward, geometry: &Geometry) -> Self {
        let [output, input, down, across] = super::strides(&weight);
        let group = output * geometry.outputs as isize;
        Self {
            elements: weight.elements,
            offset: weight.shape.offset() as isize,
            strides: match toward {
                Toward::Output => [group, output, input, down, across],
                Toward::Input => [group, input, output, down, across],
            },
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
