//! The two gradients of a convolution, as operations of their own.

use super::geometry::{self, Checked};
use super::{Convolution, INPUT, UPSTREAM, WEIGHT, check_operands, correlate, planar};
use crate::cpu::convolution::{Kind, Pass, Toward};
use crate::element::Float;
use crate::error::Result;
use crate::ops::spatial::{check_size, check_upstream};
use crate::shape::{Shape, Sizes};
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The gradient of a convolution to its input, from this upstream gradient: every element of
    /// the output, times the kernel, added where the kernel was. Also known as the transposed
    /// convolution.
    ///
    /// ∂x\[n, c, h, w\] = Σ w\[o, c, u, v\] · g\[n, o, i, j\] over all o, u, v, i, j with i·s + u·d − p
    /// = h and j·s + v·d − p = w.
    ///
    /// # Shapes
    /// Upstream gradient `[N, O, H', W']`, weight `[O, C / groups, K, K']`, and `size`, the input's
    /// `[H, W]` → `[N, C, H, W]`; likewise with one spatial axis. The size is given because several
    /// of them lead to the same output.
    ///
    /// # Errors
    /// The upstream gradient must have the shape of the convolution's output, and the rest be as
    /// in [`Tensor::conv2d`].
    ///
    /// # Numerics
    /// As in [`Tensor::conv2d`], a weight that is infinite or NaN makes NaN of the zeros beyond the
    /// upstream gradient's bounds.
    #[doc(alias = "conv2d_input")]
    pub fn conv_input_gradient(
        &self,
        weight: &Self,
        size: impl AsRef<[usize]>,
        settings: &Convolution,
    ) -> Result<Self> {
        const OP: &str = "conv_input_gradient";
        let size = size.as_ref();
        check_size(OP, size)?;
        UPSTREAM.check_rank(OP, self.shape(), size.len())?;
        WEIGHT.check_rank(OP, weight.shape(), size.len())?;
        input_gradient(OP, self, weight, None, size, settings)
    }

    /// The gradient of a convolution to its weight, from this upstream gradient:
    /// ∂w\[o, c, u, v\] = Σₙ Σᵢ Σⱼ g\[n, o, i, j\] · x\[n, c, i·s + u·d − p, j·s + v·d − p\].
    ///
    /// # Shapes
    /// Upstream gradient `[N, O, H', W']`, input `[N, C, H, W]`, and `size`, the kernel's `[K, K']` →
    /// `[O, C / groups, K, K']`; likewise with one spatial axis.
    ///
    /// # Errors
    /// The upstream gradient must have the shape of the convolution's output, and the rest be as
    /// in [`Tensor::conv2d`].
    #[doc(alias = "conv2d_weight")]
    pub fn conv_weight_gradient(
        &self,
        input: &Self,
        size: impl AsRef<[usize]>,
        settings: &Convolution,
    ) -> Result<Self> {
        const OP: &str = "conv_weight_gradient";
        let size = size.as_ref();
        check_size(OP, size)?;
        UPSTREAM.check_rank(OP, self.shape(), size.len())?;
        INPUT.check_rank(OP, input.shape(), size.len())?;
        let channels = input.shape()[1];
        let mut weight = Sizes::from_slice(&[self.shape()[1]]);
        weight.push(channels.checked_div(settings.groups).unwrap_or(channels));
        weight.extend(size.iter().copied());
        let Checked { geometry, output } = geometry::check(OP, input.shape(), &weight, settings)?;
        check_upstream(OP, self.shape(), &output)?;
        check_operands(OP, [self, input], None, 0)?;
        let (upstream, input) = (planar(self)?, planar(input)?);
        let kind = Kind::Weight {
            upstream: upstream.view(OP)?,
            input: input.view(OP)?,
        };
        let shape = Shape::contiguous(OP, &weight)?;
        Self::build(OP, shape, |output| {
            T::convolve(Pass { geometry, kind }, output);
        })
    }
}

/// The gradient to an input of that size, plus a bias for each of its channels; the ranks fit.
pub(super) fn input_gradient<T: Float>(
    op: &'static str,
    upstream: &Tensor<T>,
    weight: &Tensor<T>,
    bias: Option<&Tensor<T>>,
    size: &[usize],
    settings: &Convolution,
) -> Result<Tensor<T>> {
    let channels = weight.shape()[1].saturating_mul(settings.groups);
    let mut input = Sizes::from_slice(&[upstream.shape()[0], channels]);
    input.extend(size.iter().copied());
    let Checked { geometry, output } = geometry::check(op, &input, weight.shape(), settings)?;
    check_upstream(op, upstream.shape(), &output)?;
    let operands = [upstream, weight];
    correlate(op, geometry, Toward::Input, operands, bias, &input)
}
