//! Picking elements by index and by mask.

use macula_tensor::shape::Sizes;
use macula_tensor::{Float, Result, Tensor};

use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The elements that `index` names along one axis, see [`Tensor::gather`].
    ///
    /// # Errors
    /// Every index must lie inside the axis, and `index` inside the other axes.
    #[track_caller]
    pub fn gather(&self, axis: isize, index: &Tensor<i64>) -> Result<Self> {
        let value = self.value().gather(axis, index)?;
        let (shape, index) = (Sizes::from_slice(self.shape()), index.clone());
        Self::record(
            "gather",
            [self],
            value,
            Keep::Nothing,
            move |upstream, saved| {
                let zeros = saved.constant(Tensor::zeros(&shape)?);
                Ok([Some(zeros.scatter_add(axis, &index, upstream)?)])
            },
        )
    }

    /// This variable with the elements of `source` added where `index` says, see
    /// [`Tensor::scatter_add`].
    ///
    /// # Errors
    /// Every index must lie inside the axis, and `source` have the shape of `index`.
    #[track_caller]
    pub fn scatter_add(&self, axis: isize, index: &Tensor<i64>, source: &Self) -> Result<Self> {
        let value = self.value().scatter_add(axis, index, source.value())?;
        let index = index.clone();
        Self::record(
            "scatter_add",
            [self, source],
            value,
            Keep::Nothing,
            move |upstream, saved| {
                let picked = saved
                    .needs(1)
                    .then(|| upstream.gather(axis, &index))
                    .transpose()?;
                Ok([Some(upstream.clone()), picked])
            },
        )
    }

    /// The variable with `value` where the mask, broadcast to its shape, is true; no gradient
    /// flows there.
    ///
    /// # Errors
    /// The mask must broadcast to this variable's shape.
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor<bool>, value: f64) -> Result<Self> {
        let filled = self.value().masked_fill(mask, T::from_f64(value))?;
        let mask = mask.clone();
        Self::record(
            "masked_fill",
            [self],
            filled,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.masked_fill(&mask, 0.0)?)]),
        )
    }
}
