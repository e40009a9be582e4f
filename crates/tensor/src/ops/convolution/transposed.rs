//! Transposed convolutions: the gradient of a convolution to its input, as a layer's forward pass.

use super::gradient::input_gradient;
use super::{Convolution, check_rank};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::ops::spatial::PerSpatialAxis;
use crate::shape::Sizes;
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The transposed convolution over one axis, see [`Tensor::conv_transpose2d`].
    ///
    /// # Shapes
    /// Input `[N, C, L]`, weight `[C, O / groups, K]`, bias `[O]` → `[N, O, L']`, with L' as for
    /// `conv_transpose2d`.
    ///
    /// # Errors
    /// Those of `conv_transpose2d`.
    pub fn conv_transpose1d(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        settings: &Convolution,
        output_padding: impl Into<PerSpatialAxis>,
    ) -> Result<Self> {
        let op = "conv_transpose1d";
        let added = output_padding.into();
        let size = transposed_size(op, 1, [self, weight].map(Self::shape), settings, &added)?;
        input_gradient(op, self, weight, bias, &size, settings)
    }

    /// The transposed convolution over height and width: every element of the input, times the
    /// kernel, added where the kernel is. It is the gradient to the input of the convolution with the
    /// same settings, plus a bias.
    ///
    /// # Shapes
    /// Input `[N, C, H, W]`, weight `[C, O / groups, K, K']`, bias `[O]` → `[N, O, H', W']`, with
    /// H' = (H − 1)·s − 2p + d·(K − 1) + 1 + `output_padding`, and W' likewise. With a stride above 1
    /// several sizes are convolved to the same one; `output_padding` says which it is.
    ///
    /// # Errors
    /// The shapes must be these, there must be at least one row and column, `output_padding` must be
    /// less than the stride, and the rest as in [`Tensor::conv2d`].
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Convolution, Tensor};
    ///
    /// let x = Tensor::from([[[1.0_f32, 10.0]]]);
    /// let twice = Tensor::from([[[1.0, 1.0]]]);
    /// let y = x.conv_transpose1d(&twice, None, &Convolution::new().stride(2), 0)?;
    /// assert_eq!(y.to_vec()?, [1.0, 1.0, 10.0, 10.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn conv_transpose2d(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        settings: &Convolution,
        output_padding: impl Into<PerSpatialAxis>,
    ) -> Result<Self> {
        let op = "conv_transpose2d";
        let added = output_padding.into();
        let size = transposed_size(op, 2, [self, weight].map(Self::shape), settings, &added)?;
        input_gradient(op, self, weight, bias, &size, settings)
    }
}

fn transposed_size(
    op: &'static str,
    axes: usize,
    [input, weight]: [&[usize]; 2],
    settings: &Convolution,
    output_padding: &PerSpatialAxis,
) -> Result<Sizes> {
    check_rank(op, "an input", input, axes)?;
    check_rank(op, "a weight", weight, axes)?;
    let stride = settings.stride.resolve(op, "stride", axes, 1)?;
    let padding = settings.padding.resolve(op, "padding", axes, 0)?;
    let dilation = settings.dilation.resolve(op, "dilation", axes, 1)?;
    let added = output_padding.resolve(op, "output_padding", axes, 0)?;
    let size = |axis: usize| {
        let covered = weight[2 + axis]
            .checked_sub(1)?
            .checked_mul(dilation[axis])?;
        let steps = input[2 + axis].checked_sub(1)?.checked_mul(stride[axis])?;
        let size = steps
            .checked_add(covered)?
            .checked_add(1)?
            .checked_add(added[axis])?;
        size.checked_sub(padding[axis].checked_mul(2)?)
    };
    let mut sizes = Sizes::new();
    for axis in 0..axes {
        if added[axis] >= stride[axis] {
            return Err(Error::Argument {
                op,
                argument: "output_padding",
                expected: format!("less than the stride, {}", stride[axis]),
                found: added[axis].to_string(),
            });
        }
        sizes.push(size(axis).ok_or_else(|| Error::Shape {
            op,
            expected: format!(
                "an input whose axis {} becomes at least as long as the padding that is taken off",
                2 + axis
            ),
            found: Sizes::from_slice(input),
        })?);
    }
    Ok(sizes)
}
