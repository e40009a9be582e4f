//! Convolution and its two gradients, as one product that reads the image itself.
//!
//! The plain version, for one image, stride 1 and no padding, is
//!
//! ```text
//! y[o, i, j] = bias[o] + Σ_c Σ_u Σ_v  weight[o, c, u, v] · x[c, i + u, j + v]
//! ```
//!
//! a matrix product: `weight` has a row for each output channel o, and one column for each *tap*
//! p = (c, u, v); the other matrix has a row for each tap and a column for each place (i, j). What is
//! done differently from writing out that second matrix, in reading order:
//!
//! 1. **A row of the matrix is a slice of the image** ([`planes`]). Over an image with a border of
//!    zeros, whose rows are W' wide, the place (i, j) is q = i·W' + j, and tap (c, u, v) finds its
//!    elements at `start + q`, with one `start` for each tap. Nothing is copied K·K times. The
//!    places between the end of one row and the start of the next are computed too and dropped: with
//!    padding few, because the zeros behind a row are the zeros before the next.
//! 2. **Strides are taken out of the way** ([`axis`]). An image is copied in as many planes as the
//!    stride has remainders, each with every s-th row and column, and in them a tap is a slice again.
//!    In the gradient to the input it is the result that comes in such planes.
//! 3. **A tile of the result stays in registers** ([`tiles`]): eight channels by three registers of
//!    places. The weights are stored in the order in which the tiles read them ([`weights`]).
//! 4. **Work is cut into bands** ([`correlate`]): some rows of the result of one image, whose
//!    planes fit the second cache. Bands are what threads share.
//! 5. **The gradient to the weight** ([`weight_gradient`]) is the product of the other two: each of
//!    its elements is a dot product of the upstream gradient, its rows W' wide with zeros in
//!    between, with a tap's slice. Images are added in pieces that depend on the sizes alone.
//!
//! The gradient to the input is the first kind of product with the channels' roles exchanged, so
//! both directions are one function. All bounds and orders of summation depend on sizes alone: any
//! number of threads gives the same bits.
//!
//! # Source
//! The matrix: K. Chellapilla, S. Puri and P. Simard, "High performance convolutional neural
//! networks for document processing", 2006. Reading its rows in place is the same idea as in
//! M. Dukhan, "The indirect convolution algorithm", 2019, with one pointer to a tap instead of one to
//! each of its elements.

#![allow(
    clippy::needless_range_loop,
    reason = "loops over registers keep them in registers only if they count to a constant"
)]

mod axis;
mod correlate;
mod planes;
mod tiles;
mod weight_gradient;
mod weights;

use super::gemm::GemmFloat;
use crate::element::Element;
use crate::tensor::View;

/// The sizes of a convolution, which have been found to fit each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Geometry {
    pub(crate) batch: usize,
    pub(crate) groups: usize,
    /// Channels of one group's input.
    pub(crate) inputs: usize,
    /// Channels of one group's output.
    pub(crate) outputs: usize,
    /// Height and width.
    pub(crate) axes: [Extent; 2],
}

/// The sizes of a convolution along one axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) input: usize,
    pub(crate) kernel: usize,
    pub(crate) output: usize,
    pub(crate) stride: usize,
    pub(crate) padding: usize,
    pub(crate) dilation: usize,
}

/// A convolution, or one of its gradients.
pub struct Pass<'a, T> {
    pub(crate) geometry: Geometry,
    pub(crate) kind: Kind<'a, T>,
}

/// Which of the three, and its operands: the input is `[N, C, H, W]`, the output and the upstream
/// gradient `[N, O, H', W']`, the weight `[O, C / groups, K, K']`, all with any strides.
pub(crate) enum Kind<'a, T> {
    /// The convolution or its gradient to the input, plus a bias for each channel of the result.
    Correlation {
        toward: Toward,
        /// The input, or the upstream gradient.
        source: View<'a, T>,
        weight: View<'a, T>,
        bias: Option<&'a [T]>,
    },
    /// The gradient to the weight.
    Weight {
        upstream: View<'a, T>,
        input: View<'a, T>,
    },
}

/// What a correlation results in.
#[derive(Clone, Copy)]
pub(crate) enum Toward {
    /// The output, from the input.
    Output,
    /// The gradient to the input, from the upstream gradient.
    Input,
}

/// Steps along the four axes that every operand has.
fn strides<T>(operand: &View<'_, T>) -> [isize; 4] {
    let mut strides = [0; 4];
    strides.copy_from_slice(&operand.shape.strides());
    strides
}

/// Computes a pass; `output` is row-major without gaps.
pub(crate) fn convolve<T: Element + GemmFloat>(pass: Pass<'_, T>, output: &mut [T]) {
    if output.is_empty() {
        return;
    }
    let geometry = &pass.geometry;
    match pass.kind {
        Kind::Correlation {
            toward,
            source,
            weight,
            bias,
        } => correlate::correlate(geometry, toward, source, weight, bias, output),
        Kind::Weight { upstream, input } => {
            weight_gradient::weight_gradient(geometry, upstream, input, output);
        }
    }
}
