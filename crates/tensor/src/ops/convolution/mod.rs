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

use crate::cpu::convolution::{Geometry, Kind, Pass, Toward};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes};
use crate::tensor::Tensor;
use geometry::Checked;

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
    /// of it, unless it meets nothing but padding.
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
    INPUT.check_rank(op, input.shape(), axes)?;
    WEIGHT.check_rank(op, weight.shape(), axes)?;
    let Checked { geometry, output } =
        geometry::check(op, input.shape(), weight.shape(), settings)?;
    correlate(op, geometry, Toward::Output, [input, weight], bias, &output)
}

/// A convolution of that geometry, or its gradient to the input, of shape `sizes`.
fn correlate<T: Float>(
    op: &'static str,
    geometry: Geometry,
    toward: Toward,
    [source, weight]: [&Tensor<T>; 2],
    bias: Option<&Tensor<T>>,
    sizes: &[usize],
) -> Result<Tensor<T>> {
    check_operands(op, [source, weight], bias, sizes[1])?;
    let (source, weight) = (planar(source)?, planar(weight)?);
    let bias = bias.map(Tensor::contiguous).transpose()?;
    let kind = Kind::Correlation {
        toward,
        source: source.view(op)?,
        weight: weight.view(op)?,
        bias: bias.as_ref().and_then(Tensor::as_slice),
    };
    let shape = Shape::contiguous(op, sizes)?;
    Tensor::build(op, shape, |output| {
        T::convolve(Pass { geometry, kind }, output);
    })
}

/// What an operand is, and what its first two axes are.
struct Operand {
    name: &'static str,
    axes: &'static str,
}

const INPUT: Operand = Operand {
    name: "an input",
    axes: "N, C",
};
const WEIGHT: Operand = Operand {
    name: "a weight",
    axes: "O, C / groups",
};
const UPSTREAM: Operand = Operand {
    name: "an upstream gradient",
    axes: "N, O",
};

impl Operand {
    /// Whether the operand has these two axes and so many spatial ones.
    fn check_rank(&self, op: &'static str, shape: &[usize], axes: usize) -> Result<()> {
        if shape.len() == axes + 2 {
            return Ok(());
        }
        let spatial = if axes == 1 { "L" } else { "H, W" };
        Err(Error::Shape {
            op,
            expected: format!("{} of shape [{}, {spatial}]", self.name, self.axes),
            found: Sizes::from_slice(shape),
        })
    }
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
