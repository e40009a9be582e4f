//! Views: no data moves on the way there, nor, but for a copy that `reshape` may need, on the way
//! back.

use macula_tensor::shape::Sizes;
use macula_tensor::{Float, NewShape, Result};

use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The same elements, in row-major order, in another shape; one size may be −1, see
    /// [`Tensor::reshape`](macula_tensor::Tensor::reshape).
    ///
    /// # Errors
    /// Both shapes must have the same number of elements.
    #[track_caller]
    pub fn reshape(&self, shape: impl NewShape) -> Result<Self> {
        let before = Sizes::from_slice(self.shape());
        let value = self.value().reshape(shape)?;
        Self::record(
            "reshape",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.reshape(&before)?)]),
        )
    }

    /// All elements in one axis, in row-major order.
    ///
    /// # Errors
    /// The tape must not have been used up.
    #[track_caller]
    pub fn flatten(&self) -> Result<Self> {
        self.reshape([self.value().count()])
    }

    /// The axes from `first` to `last`, both included, as one axis.
    ///
    /// # Errors
    /// Both must be axes of the variable, and `first` must not come after `last`.
    #[track_caller]
    pub fn flatten_range(&self, first: isize, last: isize) -> Result<Self> {
        let value = self.value().flatten_range(first, last)?;
        self.reshape(value.shape())
    }

    /// The variable with two axes exchanged; negative axes count from the end.
    ///
    /// # Errors
    /// Both axes must exist.
    #[track_caller]
    pub fn transpose(&self, first: isize, second: isize) -> Result<Self> {
        let value = self.value().transpose(first, second)?;
        Self::record(
            "transpose",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.transpose(first, second)?)]),
        )
    }

    /// The variable with its axes in the order given: axis `k` of the result is axis `axes[k]`.
    ///
    /// # Errors
    /// Every axis must be named exactly once.
    #[track_caller]
    pub fn permute(&self, axes: impl AsRef<[isize]>) -> Result<Self> {
        let axes = axes.as_ref();
        let value = self.value().permute(axes)?;
        let rank = axes.len() as isize;
        let mut inverse = vec![0; axes.len()];
        for (to, &from) in axes.iter().enumerate() {
            inverse[from.rem_euclid(rank) as usize] = to as isize;
        }
        Self::record(
            "permute",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.permute(&inverse)?)]),
        )
    }

    /// The variable with axis `from` at place `to`, the others in their order.
    ///
    /// # Errors
    /// Both must be axes of the variable.
    #[track_caller]
    pub fn move_axis(&self, from: isize, to: isize) -> Result<Self> {
        let value = self.value().move_axis(from, to)?;
        Self::record(
            "move_axis",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.move_axis(to, from)?)]),
        )
    }

    /// The variable with a new axis of size 1 before axis `axis`; −1 puts it last.
    ///
    /// # Errors
    /// `axis` must be at most the rank.
    #[track_caller]
    pub fn unsqueeze(&self, axis: isize) -> Result<Self> {
        let value = self.value().unsqueeze(axis)?;
        Self::record(
            "unsqueeze",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.squeeze(axis)?)]),
        )
    }

    /// The variable without axis `axis`, which must have size 1.
    ///
    /// # Errors
    /// The axis must exist and have size 1.
    #[track_caller]
    pub fn squeeze(&self, axis: isize) -> Result<Self> {
        let before = Sizes::from_slice(self.shape());
        let value = self.value().squeeze(axis)?;
        Self::record(
            "squeeze",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.reshape(&before)?)]),
        )
    }

    /// The variable without its axes of size 1.
    ///
    /// # Errors
    /// The tape must not have been used up.
    #[track_caller]
    pub fn squeeze_all(&self) -> Result<Self> {
        self.reshape(self.value().squeeze_all().shape())
    }
}
