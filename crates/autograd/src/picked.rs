//! Elements picked by their index: `gather`, sorting and pooling have one way back.

use macula_tensor::shape::Sizes;
use macula_tensor::{Float, Result, Tensor};

use crate::saved::{Keep, Saved};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// Records elements of this variable that stood at `index` along an axis of the shape `seen`,
    /// which has the same number of elements. The gradient of each goes to where it stood.
    #[track_caller]
    pub(crate) fn picked(
        &self,
        name: &'static str,
        value: Tensor<T>,
        (seen, axis): (&[usize], isize),
        index: &Tensor<i64>,
    ) -> Result<Self> {
        let before = Sizes::from_slice(self.shape());
        let (seen, places) = (Sizes::from_slice(seen), index.clone());
        let rule = move |upstream: &Self, saved: &Saved<T>| {
            let zeros = saved.constant(Tensor::zeros(&seen)?);
            let upstream = upstream.in_shape(places.shape())?;
            let sum = zeros.scatter_add(axis, &places, &upstream)?;
            Ok([Some(sum.in_shape(&before)?)])
        };
        let picked = Self::record(name, [self], value, Keep::Nothing, rule)?;
        Ok(picked.holding(index))
    }
}
