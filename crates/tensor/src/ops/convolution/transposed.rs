//! Transposed convolutions: the gradient of a convolution to its input, as a layer's forward pass.

use super::gradient::input_gradient;
use super::{Convolution, INPUT, Operand};
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
        let added = output_padding.into();
        transposed(
            "conv_transpose1d",
            1,
            [self, weight],
            bias,
            settings,
            &added,
        )
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
        let added = output_padding.into();
        transposed(
            "conv_transpose2d",
            2,
            [self, weight],
            bias,
            settings,
            &added,
        )
    }
}

fn transposed<T: Float>(
    op: &'static str,
    axes: usize,
    [input, weight]: [&Tensor<T>; 2],
    bias: Option<&Tensor<T>>,
    settings: &Convolution,
    output_padding: &PerSpatialAxis,
) -> Result<Tensor<T>> {
    let shapes = [input.shape(), weight.shape()];
    let size = check(op, axes, shapes, settings, output_padding)?;
    input_gradient(op, input, weight, bias, &size, settings)
}

/// The weight of a convolution, whose output is the input here.
const WEIGHT: Operand = Operand {
    name: "a weight",
    axes: "C, O / groups",
};

/// Checks the operands, and returns the spatial sizes of the result.
fn check(
    op: &'static str,
    axes: usize,
    [input, weight]: [&[usize]; 2],
    settings: &Convolution,
    output_padding: &PerSpatialAxis,
) -> Result<Sizes> {
    INPUT.check_rank(op, input, axes)?;
    WEIGHT.check_rank(op, weight, axes)?;
    let channels = input[1];
    if weight[0] != channels {
        return Err(Error::Shape {
            op,
            expected: format!("a weight with the {channels} input channels on axis 0"),
            found: Sizes::from_slice(weight),
        });
    }
    if channels.checked_rem(settings.groups) != Some(0) {
        return Err(Error::Argument {
            op,
            argument: "groups",
            expected: format!("a divisor of the {channels} input channels"),
            found: settings.groups.to_string(),
        });
    }
    if [input, weight].iter().any(|shape| shape[2..].contains(&0)) {
        let (what, found) = match weight[2..].contains(&0) {
            true => (WEIGHT.name, weight),
            false => (INPUT.name, input),
        };
        return Err(Error::Shape {
            op,
            expected: format!("{what} with at least one element along each spatial axis"),
            found: Sizes::from_slice(found),
        });
    }
    let steps = settings.steps(op, axes)?;
    let added = output_padding.resolve(op, "output_padding", axes, 0)?;
    let mut sizes = Sizes::new();
    for axis in 0..axes {
        if added[axis] >= steps[axis].stride {
            return Err(Error::Argument {
                op,
                argument: "output_padding",
                expected: format!("less than the stride, {}", steps[axis].stride),
                found: added[axis].to_string(),
            });
        }
        let size = steps[axis].spread(input[2 + axis], weight[2 + axis], added[axis]);
        sizes.push(size.ok_or_else(|| Error::Shape {
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
