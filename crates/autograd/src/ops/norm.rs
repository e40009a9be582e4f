//! Norms.

use macula_tensor::shape::Sizes;
use macula_tensor::{Axes, Float, Norm, Result, Tensor};

use crate::rows::shares;
use crate::saved::{Keep, Saved};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The norm of the elements along `axes`.
    ///
    /// # Gradient
    /// 0 at elements of 0, so it is one of the slopes that there are where the norm has a kink. Of
    /// `Max` and `Min`, elements of equal size share it. The count of `NonZero` has slope 0
    /// everywhere.
    ///
    /// # Errors
    /// Each axis must exist and be named once. p must not be NaN, and of an order below 0 no reduced
    /// axis may have size 0.
    #[track_caller]
    pub fn norm(&self, order: Norm, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into();
        let kept = axes.kept_shape("norm", self.shape())?;
        let value = self.value().norm(order, axes)?;
        let order = order.named();
        let keep = match order {
            Norm::L1 => Keep::Inputs,
            _ => Keep::Both,
        };
        Self::record("norm", [self], value, keep, move |upstream, saved| {
            let slope = slope(order, &kept, saved)?;
            Ok([Some(slope.mul(&upstream.reshape(&kept)?)?)])
        })
    }
}

/// The slope of a norm to its elements.
fn slope<T: Float>(order: Norm, kept: &Sizes, saved: &Saved<'_, T>) -> Result<Var<T>> {
    let x = saved.input(0)?;
    if order == Norm::L1 {
        return x.signum();
    }
    let (zero, norm) = (Tensor::scalar(T::ZERO), saved.output()?.reshape(kept)?);
    // Where the norm is 0, any other divisor gives a slope of 0 too.
    let divisor = || norm.masked_fill(&norm.value().eq(&zero)?, 1.0);
    match order {
        Norm::L2 => x.div(&divisor()?),
        // |x / norm|^(p − 1), which at 0 may be infinite; the sign is 0 there.
        Norm::P(p) => {
            let ratio = x.div(&divisor()?)?.abs()?;
            let ratio = ratio.masked_fill(&x.value().eq(&zero)?, 1.0)?;
            ratio.powf(p - 1.0)?.mul(&x.signum()?)
        }
        Norm::NonZero => x.signum()?.mul_scalar(0.0),
        Norm::L1 | Norm::Max | Norm::Min => {
            let holders = x.value().abs()?.eq(norm.value())?;
            saved.constant(shares(&holders, kept)?).mul(&x.signum()?)
        }
    }
}
