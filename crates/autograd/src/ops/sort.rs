//! Order. The gradient goes to the elements that were chosen; the places have none.

use macula_tensor::{Float, Result, Tensor};

use crate::var::Var;

impl<T: Float> Var<T> {
    /// The elements sorted along one axis, and where each was.
    ///
    /// # Errors
    /// The axis must exist.
    #[track_caller]
    pub fn sort(&self, axis: isize, descending: bool) -> Result<(Self, Tensor<i64>)> {
        let sorted = self.value().sort(axis, descending)?;
        self.chosen("sort", axis, sorted)
    }

    /// The `k` largest elements along one axis, or the `k` smallest, sorted from the outermost on,
    /// and where each was.
    ///
    /// # Errors
    /// `k` must be at most the size of the axis.
    #[track_caller]
    pub fn topk(&self, k: usize, axis: isize, largest: bool) -> Result<(Self, Tensor<i64>)> {
        let chosen = self.value().topk(k, axis, largest)?;
        self.chosen("topk", axis, chosen)
    }

    /// The `k`-th smallest element along one axis, counted from 1, and where it was; the axis is
    /// gone.
    ///
    /// # Errors
    /// `k` must be from 1 to the size of the axis.
    #[track_caller]
    pub fn kthvalue(&self, k: usize, axis: isize) -> Result<(Self, Tensor<i64>)> {
        let chosen = self.value().kthvalue(k, axis)?;
        self.chosen("kthvalue", axis, chosen)
    }

    /// The median along one axis, the lower one of two, and where it was; the axis is gone.
    ///
    /// # Errors
    /// The axis must not be empty.
    #[track_caller]
    pub fn median(&self, axis: isize) -> Result<(Self, Tensor<i64>)> {
        let chosen = self.value().median(axis)?;
        self.chosen("median", axis, chosen)
    }

    /// Records values that stood at the places given along `axis`, which may be gone.
    #[track_caller]
    fn chosen(
        &self,
        name: &'static str,
        axis: isize,
        (value, places): (Tensor<T>, Tensor<i64>),
    ) -> Result<(Self, Tensor<i64>)> {
        let index = match value.rank() < self.rank() {
            true => places.unsqueeze(axis)?,
            false => places.clone(),
        };
        let chosen = self.picked(name, value, (self.shape(), axis), &index)?;
        Ok((chosen, places))
    }
}
