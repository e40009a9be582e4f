//! Masks: choosing between elements by tensors of booleans, which have no gradient.

use macula_tensor::shape::Sizes;
use macula_tensor::{Float, Result, Tensor};

use crate::saved::{Keep, Saved};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The elements of `if_true` where the mask holds, of `if_false` elsewhere, all broadcast to
    /// one shape.
    ///
    /// # Errors
    /// The shapes must broadcast, and both variables be of one tape.
    #[track_caller]
    pub fn select(mask: &Tensor<bool>, if_true: &Self, if_false: &Self) -> Result<Self> {
        let value = Tensor::select(mask, if_true.value(), if_false.value())?;
        let chosen = mask.clone();
        let rule = move |upstream: &Self, saved: &Saved<T>| {
            let side = |index, unused: &Tensor<bool>| {
                let side = || upstream.masked_fill(unused, 0.0);
                saved.needs(index).then(side).transpose()
            };
            Ok([side(0, &chosen.not()?)?, side(1, &chosen)?])
        };
        let sides = [if_true, if_false];
        let selected = Self::record("select", sides, value, Keep::Nothing, rule)?;
        Ok(selected.holding(mask))
    }

    /// The variable with `value` where the mask holds, the two broadcast to one shape; no gradient
    /// flows there.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor<bool>, value: f64) -> Result<Self> {
        let filled = self.value().masked_fill(mask, T::from_f64(value))?;
        let unused = mask.clone();
        let rule =
            move |upstream: &Self, _: &Saved<T>| Ok([Some(upstream.masked_fill(&unused, 0.0)?)]);
        let filled = Self::record("masked_fill", [self], filled, Keep::Nothing, rule)?;
        Ok(filled.holding(mask))
    }

    /// The elements where the mask holds, as a vector in row-major order; the two are broadcast to
    /// one shape first.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn masked_select(&self, mask: &Tensor<bool>) -> Result<Self> {
        let value = self.value().masked_select(mask)?;
        // Comparing broadcasts without asking what the elements are.
        let wide = Sizes::from_slice(self.value().is_nan()?.or(mask)?.shape());
        let chosen = mask.clone();
        let rule = move |upstream: &Self, saved: &Saved<T>| {
            let chosen = chosen.expand(&wide)?.to_vec()?;
            let places = (0..).zip(chosen);
            let places = places.filter_map(|(place, holds)| holds.then_some(place));
            let places = Tensor::from(places.collect::<Vec<i64>>());
            let zeros = saved.constant(Tensor::zeros([wide.iter().product()])?);
            let scattered = zeros.index_add(0, &places, upstream)?;
            Ok([Some(scattered.reshape(&wide)?)])
        };
        let selected = Self::record("masked_select", [self], value, Keep::Nothing, rule)?;
        Ok(selected.holding(mask))
    }

    /// The lower triangle of each matrix, the last two axes: 0 where `column − row > diagonal`.
    ///
    /// # Errors
    /// The variable must have at least two axes.
    #[track_caller]
    pub fn tril(&self, diagonal: isize) -> Result<Self> {
        let value = self.value().tril(diagonal)?;
        Self::record("tril", [self], value, Keep::Nothing, move |upstream, _| {
            Ok([Some(upstream.tril(diagonal)?)])
        })
    }

    /// The upper triangle of each matrix, the last two axes: 0 where `column − row < diagonal`.
    ///
    /// # Errors
    /// The variable must have at least two axes.
    #[track_caller]
    pub fn triu(&self, diagonal: isize) -> Result<Self> {
        let value = self.value().triu(diagonal)?;
        Self::record("triu", [self], value, Keep::Nothing, move |upstream, _| {
            Ok([Some(upstream.triu(diagonal)?)])
        })
    }
}
