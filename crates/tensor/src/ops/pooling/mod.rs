//! Pooling: the largest and the mean of windows. Windows are found here, the loops are in
//! [`cpu::pooling`](crate::cpu).

mod settings;
#[cfg(test)]
mod tests;

pub use settings::Pooling;

use crate::cpu;
use crate::cpu::pooling::Windows;
use crate::element::Float;
use crate::error::Result;
use crate::ops::spatial::{PerSpatialAxis, check_size, check_upstream};
use crate::shape::{Shape, Sizes};
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The largest element of each window over the last axis, and its place in the axis.
    ///
    /// # Shapes
    /// `[…, L]` → `[…, L']`, with L' as in [`Tensor::max_pool2d`].
    ///
    /// # Errors
    /// As in `max_pool2d`.
    pub fn max_pool1d(&self, pooling: &Pooling) -> Result<(Self, Tensor<i64>)> {
        max("max_pool1d", 1, self, pooling)
    }

    /// The largest element of each window over the last two axes, and its place in the plane,
    /// row · W + column.
    ///
    /// Of several largest elements the first is taken, and a NaN is larger than any number.
    ///
    /// # Shapes
    /// `[…, H, W]` → `[…, H', W']`; with kernel k, stride s, padding p and dilation d,
    /// H' = (H + 2p − d·(k − 1) − 1) / s + 1, rounded down, or up in `ceil_mode`.
    ///
    /// # Errors
    /// Kernel, stride and dilation must be at least 1, the dilated kernel at most the padded input,
    /// and every window must hold an element of the input.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Pooling, Tensor};
    ///
    /// let x = Tensor::from([[1.0_f32, 2.0, 5.0, 0.0], [4.0, 3.0, 1.0, 1.0]]);
    /// let (largest, places) = x.max_pool2d(&Pooling::new(2))?;
    /// assert_eq!(largest.to_vec()?, [4.0, 5.0]);
    /// assert_eq!(places.to_vec()?, [4, 2]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn max_pool2d(&self, pooling: &Pooling) -> Result<(Self, Tensor<i64>)> {
        max("max_pool2d", 2, self, pooling)
    }

    /// The largest element of each of `size` windows over the last axis, and its place, see
    /// [`Pooling::adaptive`].
    ///
    /// # Errors
    /// `size` must be at least 1, and the axis must not be empty.
    pub fn adaptive_max_pool1d(&self, size: usize) -> Result<(Self, Tensor<i64>)> {
        max("adaptive_max_pool1d", 1, self, &Pooling::adaptive(size))
    }

    /// The largest element of each of `size` windows over the last two axes, and its place in the
    /// plane, see [`Pooling::adaptive`].
    ///
    /// # Errors
    /// `size` must be at least 1, and the axes must not be empty.
    pub fn adaptive_max_pool2d(
        &self,
        size: impl Into<PerSpatialAxis>,
    ) -> Result<(Self, Tensor<i64>)> {
        max("adaptive_max_pool2d", 2, self, &Pooling::adaptive(size))
    }

    /// The mean of each window over the last axis.
    ///
    /// # Shapes
    /// `[…, L]` → `[…, L']`, with L' as in [`Tensor::max_pool2d`].
    ///
    /// # Errors
    /// As in `max_pool2d`.
    pub fn avg_pool1d(&self, pooling: &Pooling) -> Result<Self> {
        mean("avg_pool1d", 1, self, pooling)
    }

    /// The mean of each window over the last two axes.
    ///
    /// The divisor is the number of the window's elements in the padded input, or in the input alone
    /// if [`Pooling::count_include_pad`] says so.
    ///
    /// # Shapes
    /// `[…, H, W]` → `[…, H', W']`, with H' and W' as in [`Tensor::max_pool2d`].
    ///
    /// # Errors
    /// As in `max_pool2d`.
    ///
    /// # Numerics
    /// A window is summed in `f64`.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Pooling, Tensor};
    ///
    /// let x = Tensor::from([[1.0_f32, 2.0], [4.0, 5.0]]);
    /// let pooling = Pooling::new(2).padding(1);
    /// assert_eq!(x.avg_pool2d(&pooling)?.to_vec()?, [0.25, 0.5, 1.0, 1.25]);
    /// let inside = pooling.count_include_pad(false);
    /// assert_eq!(x.avg_pool2d(&inside)?.to_vec()?, [1.0, 2.0, 4.0, 5.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn avg_pool2d(&self, pooling: &Pooling) -> Result<Self> {
        mean("avg_pool2d", 2, self, pooling)
    }

    /// The mean of each of `size` windows over the last axis, see [`Pooling::adaptive`].
    ///
    /// # Errors
    /// `size` must be at least 1, and the axis must not be empty.
    pub fn adaptive_avg_pool1d(&self, size: usize) -> Result<Self> {
        mean("adaptive_avg_pool1d", 1, self, &Pooling::adaptive(size))
    }

    /// The mean of each of `size` windows over the last two axes, see [`Pooling::adaptive`]; with
    /// size 1 that of the whole plane.
    ///
    /// # Errors
    /// `size` must be at least 1, and the axes must not be empty.
    pub fn adaptive_avg_pool2d(&self, size: impl Into<PerSpatialAxis>) -> Result<Self> {
        mean("adaptive_avg_pool2d", 2, self, &Pooling::adaptive(size))
    }

    /// The gradient of a mean of windows to its input, from this upstream gradient: each element is
    /// shared out evenly among the elements of its window.
    ///
    /// # Shapes
    /// Upstream gradient `[…, H', W']`, and `size`, the input's `[H, W]` → `[…, H, W]`; likewise with
    /// one axis.
    ///
    /// # Errors
    /// The upstream gradient must have the shape of the pooling's result, and the rest be as in
    /// [`Tensor::avg_pool2d`].
    pub fn avg_pool_gradient(&self, size: impl AsRef<[usize]>, pooling: &Pooling) -> Result<Self> {
        const OP: &str = "avg_pool_gradient";
        let size = size.as_ref();
        check_size(OP, size)?;
        let axes = size.len();
        let windows = pooling.windows(OP, axes, size)?;
        let leading = self.rank().saturating_sub(axes);
        let mut shape = Sizes::from_slice(&self.shape()[..leading]);
        check_upstream(OP, self.shape(), &pooled(&shape, axes, &windows))?;
        shape.extend(size.iter().copied());
        let upstream = self.in_order(OP)?;
        let upstream = super::dense(OP, &upstream)?;
        Self::build(OP, Shape::contiguous(OP, &shape)?, |output| {
            cpu::pooling::spread(upstream, &windows, output);
        })
    }
}

fn max<T: Float>(
    op: &'static str,
    axes: usize,
    input: &Tensor<T>,
    pooling: &Pooling,
) -> Result<(Tensor<T>, Tensor<i64>)> {
    let (windows, shape) = results(op, axes, input, pooling)?;
    let input = input.in_order(op)?;
    let input = super::dense(op, &input)?;
    let (values, places) = Tensor::build_with(op, shape.clone(), |values| {
        Tensor::build(op, shape, |places| {
            cpu::pooling::max(input, &windows, values, places);
        })
    })?;
    Ok((values, places?))
}

fn mean<T: Float>(
    op: &'static str,
    axes: usize,
    input: &Tensor<T>,
    pooling: &Pooling,
) -> Result<Tensor<T>> {
    let (windows, shape) = results(op, axes, input, pooling)?;
    let input = input.in_order(op)?;
    let input = super::dense(op, &input)?;
    Tensor::build(op, shape, |output| {
        cpu::pooling::mean(input, &windows, output);
    })
}

/// The windows of a pooling, and the shape of what they give.
fn results<T: Float>(
    op: &'static str,
    axes: usize,
    input: &Tensor<T>,
    pooling: &Pooling,
) -> Result<([Windows; 2], Shape)> {
    let windows = pooling.windows(op, axes, input.shape())?;
    let leading = &input.shape()[..input.rank() - axes];
    let shape = Shape::contiguous(op, &pooled(leading, axes, &windows))?;
    Ok((windows, shape))
}

/// The leading sizes, and the numbers of windows along the last axes.
fn pooled(leading: &[usize], axes: usize, windows: &[Windows; 2]) -> Sizes {
    let counts = windows[2 - axes..].iter();
    let counts = counts.map(|windows| windows.windows.len());
    leading.iter().copied().chain(counts).collect()
}
