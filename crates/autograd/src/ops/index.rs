//! Picking elements by their index, and adding elements where an index says: each is the way back
//! of the other.

use macula_tensor::shape::Sizes;
use macula_tensor::{Float, Result, Tensor};

use crate::saved::{Keep, Saved};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The slices at the given places along one axis, see [`Tensor::index_select`].
    ///
    /// # Errors
    /// `index` must have one axis, and its values must lie inside `axis`.
    #[track_caller]
    pub fn index_select(&self, axis: isize, index: &Tensor<i64>) -> Result<Self> {
        let value = self.value().index_select(axis, index)?;
        let (shape, places) = (Sizes::from_slice(self.shape()), index.clone());
        let rule = move |upstream: &Self, saved: &Saved<T>| {
            let zeros = saved.constant(Tensor::zeros(&shape)?);
            Ok([Some(zeros.index_add(axis, &places, upstream)?)])
        };
        let slices = Self::record("index_select", [self], value, Keep::Nothing, rule)?;
        Ok(slices.holding(index))
    }

    /// This variable with slice `k` of `source` added to slice `index[k]`, see
    /// [`Tensor::index_add`].
    ///
    /// # Errors
    /// The shapes must fit, and the index values must lie inside `axis`.
    #[track_caller]
    pub fn index_add(&self, axis: isize, index: &Tensor<i64>, source: &Self) -> Result<Self> {
        let value = self.value().index_add(axis, index, source.value())?;
        let places = index.clone();
        let rule = move |upstream: &Self, saved: &Saved<T>| {
            let picked = || upstream.index_select(axis, &places);
            let picked = saved.needs(1).then(picked).transpose()?;
            Ok([Some(upstream.clone()), picked])
        };
        let sum = Self::record("index_add", [self, source], value, Keep::Nothing, rule)?;
        Ok(sum.holding(index))
    }

    /// The elements that `index` names along one axis, see [`Tensor::gather`].
    ///
    /// # Errors
    /// Every index must lie inside the axis, and `index` inside the other axes.
    #[track_caller]
    pub fn gather(&self, axis: isize, index: &Tensor<i64>) -> Result<Self> {
        let value = self.value().gather(axis, index)?;
        self.picked("gather", value, (self.shape(), axis), index)
    }

    /// This variable with the elements of `source` added where `index` says, see
    /// [`Tensor::scatter_add`].
    ///
    /// # Errors
    /// Every index must lie inside the axis, and `index` inside the axes of `source`.
    #[track_caller]
    pub fn scatter_add(&self, axis: isize, index: &Tensor<i64>, source: &Self) -> Result<Self> {
        let value = self.value().scatter_add(axis, index, source.value())?;
        let (used, places) = (Sizes::from_slice(source.shape()), index.clone());
        let rule = move |upstream: &Self, saved: &Saved<T>| {
            if !saved.needs(1) {
                return Ok([Some(upstream.clone()), None]);
            }
            // What the source has beyond the index was not used.
            let picked = upstream.gather(axis, &places)?;
            let beyond = used.iter().zip(places.shape());
            let margins: Vec<_> = beyond.map(|(all, used)| (0, all - used)).collect();
            Ok([Some(upstream.clone()), Some(picked.pad(margins, 0.0)?)])
        };
        let sum = Self::record("scatter_add", [self, source], value, Keep::Nothing, rule)?;
        Ok(sum.holding(index))
    }
}
