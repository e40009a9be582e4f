//! Pooling, the largest and the mean of windows; and the opposite, one element made a block.

use macula_tensor::shape::Sizes;
use macula_tensor::{Float, PerSpatialAxis, Pooling, Result, Tensor};

use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The largest element of each window over the last axis, and its place in the axis, see
    /// [`Tensor::max_pool1d`].
    ///
    /// # Gradient
    /// The upstream gradient, to the element that was taken.
    ///
    /// # Errors
    /// The settings must fit the shape.
    #[track_caller]
    pub fn max_pool1d(&self, pooling: &Pooling) -> Result<(Self, Tensor<i64>)> {
        let largest = self.value().max_pool1d(pooling)?;
        self.taken("max_pool1d", 1, largest)
    }

    /// The largest element of each window over the last two axes, and its place in the plane, see
    /// [`Tensor::max_pool2d`].
    ///
    /// # Gradient
    /// The upstream gradient, to the element that was taken.
    ///
    /// # Errors
    /// The settings must fit the shape.
    #[track_caller]
    pub fn max_pool2d(&self, pooling: &Pooling) -> Result<(Self, Tensor<i64>)> {
        let largest = self.value().max_pool2d(pooling)?;
        self.taken("max_pool2d", 2, largest)
    }

    /// The largest element of each of `size` windows over the last axis, and its place, see
    /// [`Pooling::adaptive`].
    ///
    /// # Errors
    /// `size` must be at least 1, and the axis must not be empty.
    #[track_caller]
    pub fn adaptive_max_pool1d(&self, size: usize) -> Result<(Self, Tensor<i64>)> {
        let largest = self.value().adaptive_max_pool1d(size)?;
        self.taken("adaptive_max_pool1d", 1, largest)
    }

    /// The largest element of each of `size` windows over the last two axes, and its place in the
    /// plane, see [`Pooling::adaptive`].
    ///
    /// # Errors
    /// `size` must be at least 1, and the axes must not be empty.
    #[track_caller]
    pub fn adaptive_max_pool2d(
        &self,
        size: impl Into<PerSpatialAxis>,
    ) -> Result<(Self, Tensor<i64>)> {
        let largest = self.value().adaptive_max_pool2d(size)?;
        self.taken("adaptive_max_pool2d", 2, largest)
    }

    /// The mean of each window over the last axis, see [`Tensor::avg_pool1d`].
    ///
    /// # Gradient
    /// [`Var::avg_pool_gradient`] of the upstream gradient.
    ///
    /// # Errors
    /// The settings must fit the shape.
    #[track_caller]
    pub fn avg_pool1d(&self, pooling: &Pooling) -> Result<Self> {
        let value = self.value().avg_pool1d(pooling)?;
        self.averaged("avg_pool1d", 1, pooling.clone(), value)
    }

    /// The mean of each window over the last two axes, see [`Tensor::avg_pool2d`].
    ///
    /// # Gradient
    /// [`Var::avg_pool_gradient`] of the upstream gradient.
    ///
    /// # Errors
    /// The settings must fit the shape.
    #[track_caller]
    pub fn avg_pool2d(&self, pooling: &Pooling) -> Result<Self> {
        let value = self.value().avg_pool2d(pooling)?;
        self.averaged("avg_pool2d", 2, pooling.clone(), value)
    }

    /// The mean of each of `size` windows over the last axis, see [`Pooling::adaptive`].
    ///
    /// # Errors
    /// `size` must be at least 1, and the axis must not be empty.
    #[track_caller]
    pub fn adaptive_avg_pool1d(&self, size: usize) -> Result<Self> {
        let value = self.value().adaptive_avg_pool1d(size)?;
        self.averaged("adaptive_avg_pool1d", 1, Pooling::adaptive(size), value)
    }

    /// The mean of each of `size` windows over the last two axes, see [`Pooling::adaptive`].
    ///
    /// # Errors
    /// `size` must be at least 1, and the axes must not be empty.
    #[track_caller]
    pub fn adaptive_avg_pool2d(&self, size: impl Into<PerSpatialAxis>) -> Result<Self> {
        let size = size.into();
        let value = self.value().adaptive_avg_pool2d(size.clone())?;
        self.averaged("adaptive_avg_pool2d", 2, Pooling::adaptive(size), value)
    }

    /// The gradient of a mean of windows to its input, as an operation of its own, see
    /// [`Tensor::avg_pool_gradient`].
    ///
    /// # Gradient
    /// The mean of the same windows of the upstream gradient.
    ///
    /// # Errors
    /// The settings must fit the shapes.
    #[track_caller]
    pub fn avg_pool_gradient(&self, size: impl AsRef<[usize]>, pooling: &Pooling) -> Result<Self> {
        let size = size.as_ref();
        let value = self.value().avg_pool_gradient(size, pooling)?;
        let (axes, pooling) = (size.len(), pooling.clone());
        Self::record(
            "avg_pool_gradient",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| {
                let mean = match axes {
                    1 => upstream.avg_pool1d(&pooling),
                    _ => upstream.avg_pool2d(&pooling),
                };
                Ok([Some(mean?)])
            },
        )
    }

    /// Each element as a block of `scale` rows and columns, see [`Tensor::upsample_nearest2d`].
    ///
    /// # Gradient
    /// The sum of the upstream gradient over each block.
    ///
    /// # Errors
    /// There must be two axes, and the scale at least 1.
    #[track_caller]
    pub fn upsample_nearest2d(&self, scale: impl Into<PerSpatialAxis>) -> Result<Self> {
        let value = self.value().upsample_nearest2d(scale)?;
        let mut blocks = Sizes::from_slice(self.shape());
        let rank = blocks.len();
        for axis in [rank - 1, rank - 2] {
            let scale = value.shape()[axis].checked_div(blocks[axis]);
            blocks.insert(axis + 1, scale.unwrap_or(1));
        }
        Self::record(
            "upsample_nearest2d",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.reshape(&blocks)?.sum([-3, -1])?)]),
        )
    }

    /// Records a mean of windows over the last axes.
    #[track_caller]
    fn averaged(
        &self,
        name: &'static str,
        axes: usize,
        pooling: Pooling,
        value: Tensor<T>,
    ) -> Result<Self> {
        let size = Sizes::from_slice(&self.shape()[self.rank() - axes..]);
        Self::record(name, [self], value, Keep::Nothing, move |upstream, _| {
            Ok([Some(upstream.avg_pool_gradient(&size, &pooling)?)])
        })
    }

    /// Records elements taken from the last axes, with their places in these as one.
    #[track_caller]
    fn taken(
        &self,
        name: &'static str,
        axes: usize,
        (value, places): (Tensor<T>, Tensor<i64>),
    ) -> Result<(Self, Tensor<i64>)> {
        let (leading, plane) = self.shape().split_at(self.rank() - axes);
        let planes = leading.iter().product();
        let windows = value.shape()[leading.len()..].iter().product();
        let index = places.reshape([planes, windows])?;
        let seen = [planes, plane.iter().product()];
        let taken = self.picked(name, value, (&seen, 1), &index)?;
        Ok((taken, places))
    }
}
