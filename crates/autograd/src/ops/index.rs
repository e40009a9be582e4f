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

    /// This variable with the elements of `source` put where `index` says, see [`Tensor::scatter`].
    ///
    /// # Gradient
    /// What has been overwritten gets none, be it of this variable or of the source.
    ///
    /// # Errors
    /// Every index must lie inside the axis, and `index` inside the axes of `source`.
    #[track_caller]
    pub fn scatter(&self, axis: isize, index: &Tensor<i64>, source: &Self) -> Result<Self> {
        let value = self.value().scatter(axis, index, source.value())?;
        // Which element of the index stands in each place, counted from 1; 0 where none does.
        let numbers = Tensor::<i64>::arange(1, 1 + index.count() as i64, 1)?;
        let numbers = numbers.reshape(index.shape())?;
        let nobody = Tensor::<i64>::zeros(self.shape())?;
        let owners = nobody.scatter(axis, index, &numbers)?;
        let overwritten = owners.cast::<bool>()?;
        let lost = owners.gather(axis, index)?.ne(&numbers)?;
        let (used, places) = (Sizes::from_slice(source.shape()), index.clone());
        let rule = move |upstream: &Self, saved: &Saved<T>| {
            let kept = || upstream.masked_fill(&overwritten, 0.0);
            let put = || {
                let picked = upstream.gather(axis, &places)?.masked_fill(&lost, 0.0)?;
                picked.beyond(&used)
            };
            Ok([
                saved.needs(0).then(kept).transpose()?,
                saved.needs(1).then(put).transpose()?,
            ])
        };
        let put = Self::record("scatter", [self, source], value, Keep::Nothing, rule)?;
        Ok(put.holding(index).holding(&owners))
    }

    /// The variable, with zeros up to larger sizes: the gradient to a source that has more elements
    /// than were used.
    fn beyond(&self, sizes: &[usize]) -> Result<Self> {
        let margins = sizes.iter().zip(self.shape());
        let margins: Vec<_> = margins.map(|(all, used)| (0, all - used)).collect();
        self.pad(margins, 0.0)
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
            let picked = upstream.gather(axis, &places)?;
            Ok([Some(upstream.clone()), Some(picked.beyond(&used)?)])
        };
        let sum = Self::record("scatter_add", [self, source], value, Keep::Nothing, rule)?;
        Ok(sum.holding(index))
    }
}
