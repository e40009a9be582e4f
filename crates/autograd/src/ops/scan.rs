//! Running sums, products and extremes along an axis.

use macula_tensor::{Float, Result, Tensor};

use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The sum of each element and those before it along `axis`.
    ///
    /// # Errors
    /// The axis must exist.
    #[track_caller]
    pub fn cumsum(&self, axis: isize) -> Result<Self> {
        let value = self.value().cumsum(axis)?;
        Self::record(
            "cumsum",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.flip([axis])?.cumsum(axis)?.flip([axis])?)]),
        )
    }

    /// The product of each element and those before it along `axis`.
    ///
    /// # Gradient
    /// With y the result and u the upstream gradient, the gradient is λₖ · yₖ₋₁ where
    /// λₖ = uₖ + xₖ₊₁ · λₖ₊₁: nothing is divided, so zeros among the elements do no harm.
    ///
    /// # Errors
    /// The axis must exist.
    #[track_caller]
    pub fn cumprod(&self, axis: isize) -> Result<Self> {
        let value = self.value().cumprod(axis)?;
        let rule = move |upstream: &Self, saved: &crate::Saved<T>| {
            let carried = upstream.recurrence_from_the_end(&saved.input(0)?, axis)?;
            Ok([Some(carried.mul(&saved.output()?.shifted(axis, 1.0)?)?)])
        };
        Self::record("cumprod", [self], value, Keep::Both, rule)
    }

    /// The linear recurrence yₖ = factorₖ · yₖ₋₁ + xₖ along `axis`, from y₋₁ = 0 on.
    ///
    /// # Gradient
    /// To x, the recurrence λₖ = uₖ + factorₖ₊₁ · λₖ₊₁ of the upstream gradient u from the end; to
    /// the factors, λₖ · yₖ₋₁.
    ///
    /// # Errors
    /// The axis must exist, and the factors have the shape of the variable.
    #[track_caller]
    pub fn recurrence(&self, factors: &Self, axis: isize) -> Result<Self> {
        let value = self.value().recurrence(factors.value(), axis)?;
        let rule = move |upstream: &Self, saved: &crate::Saved<T>| {
            let carried = upstream.recurrence_from_the_end(&saved.input(1)?, axis)?;
            let before = saved.output()?.shifted(axis, 0.0)?;
            let to_factors = saved.needs(1).then(|| carried.mul(&before)).transpose()?;
            Ok([Some(carried), to_factors])
        };
        Self::record("recurrence", [self, factors], value, Keep::Both, rule)
    }

    /// The largest of each element and those before it along `axis`, and where along the axis it
    /// stands: of equal elements the last, which gets the gradient.
    ///
    /// # Errors
    /// The axis must exist.
    #[track_caller]
    pub fn cummax(&self, axis: isize) -> Result<(Self, Tensor<i64>)> {
        let (value, places) = self.value().cummax(axis)?;
        let largest = self.picked("cummax", value, (self.shape(), axis), &places)?;
        Ok((largest, places))
    }

    /// The smallest of each element and those before it along `axis`, and where along the axis it
    /// stands: of equal elements the last, which gets the gradient.
    ///
    /// # Errors
    /// The axis must exist.
    #[track_caller]
    pub fn cummin(&self, axis: isize) -> Result<(Self, Tensor<i64>)> {
        let (value, places) = self.value().cummin(axis)?;
        let smallest = self.picked("cummin", value, (self.shape(), axis), &places)?;
        Ok((smallest, places))
    }

    /// λₖ = xₖ + factorₖ₊₁ · λₖ₊₁.
    fn recurrence_from_the_end(&self, factors: &Self, axis: isize) -> Result<Self> {
        let (x, factors) = (self.flip([axis])?, factors.flip([axis])?);
        // The factor of the first step meets y₋₁ = 0, so what stands there does not matter.
        let factors = factors.shifted(axis, 0.0)?;
        x.recurrence(&factors, axis)?.flip([axis])
    }

    /// The elements one place further along `axis`, with `first` at the start.
    fn shifted(&self, axis: isize, first: f64) -> Result<Self> {
        let along = axis.rem_euclid(self.rank() as isize) as usize;
        let Some(length) = self.shape()[along].checked_sub(1) else {
            return Ok(self.clone());
        };
        let mut margins = vec![(0, 0); self.rank()];
        margins[along] = (1, 0);
        self.narrow(axis, 0, length)?.pad(margins, first)
    }
}
