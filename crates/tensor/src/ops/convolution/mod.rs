//! Convolutions: shapes are checked here, the arithmetic is in [`cpu::convolution`](crate::cpu).
//!
//! A convolution over one axis is one over two, of which the first has one element.

mod geometry;
mod gradient;
mod settings;
#[cfg(test)]
mod tests;
mod transposed;

pub use settings::Convolution;

use crate::cpu::convolution::{Kind, Pass};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes};
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The convolution over one axis, see [`Tensor::conv2d`].
    ///
    /// # Shapes
    /// Input `[N, C, L]`, weight `[O, C / groups, K]`, bias `[O]` → `[N, O, L']`, with L' as for
    /// `conv2d`.
    ///
    /// # Errors
    /// Those of `conv2d`.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Convolution, Tensor};
    ///
    /// let x = Tensor::from([[[1.0_f32, 2.0, 4.0, 8.0]]]);
    /// let difference = Tensor::from([[[-1.0, 1.0]]]);
    /// let y = x.conv1d(&difference, None, &Convolution::new())?;
    /// assert_eq!(y.to_vec()?, [1.0, 2.0, 4.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn conv1d(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        settings: &Convolution,
    ) -> Result<Self> {
        convolve("conv1d", 1, self, weight, bias, settings)
    }

    /// The convolution over height and width: with stride s, padding p, dilation d and the input
    /// zero outside its bounds,
    /// y\[n, o, i, j\] = b\[o\] + Σ\_c Σᵤ Σᵥ w\[o, c, u, v\] · x\[n, c, i·s + u·d − p, j·s + v·d − p\].
    ///
    /// This is a cross-correlation: the kernel is not flipped. Views are read where they lie.
    ///
    /// # Shapes
    /// Input `[N, C, H, W]`, weight `[O, C / groups, K, K']`, bias `[O]` → `[N, O, H', W']`, with
    /// H' = (H + 2p − d·(K − 1) − 1) / s + 1, rounded down, and W' likewise.
    ///
    /// # Errors
    /// The shapes must be these, stride, dilation and groups at least 1, `groups` must divide C and
    /// O, the dilated kernel must not be larger than the padded input, and all operands must be on
    /// one device.
    ///
    /// # Numerics
    /// The padding is multiplied like any other number: a weight that is infinite or NaN makes NaN
    /// of it.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Convolution, Tensor};
    ///
    /// let x: Tensor = Tensor::full([1, 1, 3, 3], 1.0)?;
    /// let ones = Tensor::full([1, 1, 3, 3], 1.0)?;
    /// let y = x.conv2d(&ones, None, &Convolution::new().padding(1))?;
    /// // How many neighbours each place has, itself included.
    /// assert_eq!(y.to_vec()?, [4.0, 6.0, 4.0, 6.0, 9.0, 6.0, 4.0, 6.0, 4.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn conv2d(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        settings: &Convolution,
    ) -> Result<Self> {
        convolve("conv2d", 2, self, weight, bias, settings)
    }
}

fn convolve<T: Float>(
    op: &'static str,
    axes: usize,
    input: &Tensor<T>,
    weight: &Tensor<T>,
    bias: Option<&Tensor<T>>,
    settings: &Convolution,
) -> Result<Tensor<T>> {
    check_rank(op, "an input", input.shape(), axes)?;
    check_rank(op, "a weight", weight.shape(), axes)?;
    let checked = geometry::check(op, input.shape(), weight.shape(), settings)?;
    check_operands(op, [input, weight], bias, weight.shape()[0])?;
    let (input, weight) = (planar(input)?, planar(weight)?);
    let bias = bias.map(Tensor::contiguous).transpose()?;
    let kind = Kind::Output {
        input: input.view(op)?,
        weight: weight.view(op)?,
        bias: bias.as_ref().and_then(Tensor::as_slice),
    };
    let shape = Shape::contiguous(op, &checked.output)?;
    let geometry = checked.geometry;
    Ok(Tensor::build(shape, |output| {
        T::convolve(Pass { geometry, kind }, output);
    }))
}

/// Whether an operand has a batch, channels, and so many spatial axes.
fn check_rank(op: &'static str, what: &str, shape: &[usize], axes: usize) -> Result<()> {
    if shape.len() == axes + 2 {
        return Ok(());
    }
    let leading = if what == "a weight" { "O, C" } else { "N, C" };
    let spatial = if axes == 1 { "L" } else { "H, W" };
    Err(Error::Shape {
        op,
        expected: format!("{what} of shape [{leading}, {spatial}]"),
        found: Sizes::from_slice(shape),
    })
}

/// Whether all operands are on one device, and the bias has a number for each channel.
fn check_operands<T: Float>(
    op: &'static str,
    [first, second]: [&Tensor<T>; 2],
    bias: Option<&Tensor<T>>,
    channels: usize,
) -> Result<()> {
    for other in std::iter::once(second).chain(bias) {
        first.device().check_same(op, other.device())?;
    }
    match bias {
        Some(bias) if bias.shape() != [channels] => Err(Error::Shape {
            op,
            expected: format!("a bias of shape [{channels}]"),
            found: Sizes::from_slice(bias.shape()),
        }),
        _ => Ok(()),
    }
}

/// The operand with two spatial axes.
fn planar<T: Float>(operand: &Tensor<T>) -> Result<Tensor<T>> {
    match operand.rank() {
        3 => operand.unsqueeze(2),
        _ => Ok(operand.clone()),
    }
}
