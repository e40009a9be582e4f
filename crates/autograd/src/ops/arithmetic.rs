//! Arithmetic, whose rules are simpler than those of a general formula: a sum keeps nothing.

use std::ops;

use macula_tensor::{Float, Result};

use crate::node::HandOn;
use crate::saved::{Keep, Saved};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// a + b, broadcast.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn add(&self, other: &Self) -> Result<Self> {
        let value = self.value().add(other.value())?;
        let rule = |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            to_both(upstream, saved, hand_on, Ok, Ok)
        };
        Self::record_any("add", &[self, other], value, Keep::Nothing, rule)
    }

    /// a − b, broadcast.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn sub(&self, other: &Self) -> Result<Self> {
        let value = self.value().sub(other.value())?;
        let rule = |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            to_both(upstream, saved, hand_on, Ok, |upstream| {
                upstream.scaled(-1.0)
            })
        };
        Self::record_any("sub", &[self, other], value, Keep::Nothing, rule)
    }

    /// a · b, broadcast.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn mul(&self, other: &Self) -> Result<Self> {
        let value = self.value().mul(other.value())?;
        let rule = |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            let times = |input| move |upstream| saved.times_input(upstream, input);
            to_both(upstream, saved, hand_on, times(1), times(0))
        };
        let keep = Keep::factors(self, other);
        Self::record_any("mul", &[self, other], value, keep, rule)
    }

    /// a / b, broadcast.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn div(&self, other: &Self) -> Result<Self> {
        self.zip(other, macula_tensor::ops::pointwise::Div)
    }

    /// a − b·⌊a / b⌋, which has the sign of b, see
    /// [`Tensor::remainder`](macula_tensor::Tensor::remainder).
    ///
    /// # Gradient
    /// 1 to a and −⌊a / b⌋ to b.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn remainder(&self, other: &Self) -> Result<Self> {
        let value = self.value().remainder(other.value())?;
        let rule = |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            to_both(upstream, saved, hand_on, Ok, |upstream| {
                let quotient = saved.input(0)?.floor_divide(&saved.input(1)?)?;
                upstream.mul(&quotient)?.scaled(-1.0)
            })
        };
        Self::record_any("remainder", &[self, other], value, Keep::Inputs, rule)
    }

    /// ⌊a / b⌋, see [`Tensor::floor_divide`](macula_tensor::Tensor::floor_divide), with slope 0
    /// everywhere.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn floor_divide(&self, other: &Self) -> Result<Self> {
        let value = self.value().floor_divide(other.value())?;
        let rule = |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            let nothing = |upstream: Self| upstream.scaled(0.0);
            to_both(upstream, saved, hand_on, nothing, nothing)
        };
        Self::record_any("floor_divide", &[self, other], value, Keep::Nothing, rule)
    }

    /// −x.
    #[track_caller]
    pub fn neg(&self) -> Result<Self> {
        let value = self.value().neg()?;
        let rule = |upstream: Self, _: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            hand_on(0, upstream.scaled(-1.0)?)
        };
        Self::record_any("neg", &[self], value, Keep::Nothing, rule)
    }

    /// x + constant.
    #[track_caller]
    pub fn add_scalar(&self, constant: f64) -> Result<Self> {
        let value = self.value().add_scalar(constant)?;
        let rule = |upstream: Self, _: &Saved<T>, hand_on: &mut HandOn<'_, T>| hand_on(0, upstream);
        Self::record_any("add_scalar", &[self], value, Keep::Nothing, rule)
    }

    /// constant · x.
    #[track_caller]
    pub fn mul_scalar(&self, constant: f64) -> Result<Self> {
        let value = self.value().mul_scalar(constant)?;
        let rule = move |upstream: Self, _: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            hand_on(0, upstream.scaled(constant)?)
        };
        Self::record_any("mul_scalar", &[self], value, Keep::Nothing, rule)
    }
}

/// Hands on a gradient to each of two inputs that needs one. The last is made of the upstream
/// gradient itself, in whose memory it may stand.
#[inline(always)]
fn to_both<T: Float>(
    upstream: Var<T>,
    saved: &Saved<'_, T>,
    hand_on: &mut HandOn<'_, T>,
    to_first: impl FnOnce(Var<T>) -> Result<Var<T>>,
    to_second: impl FnOnce(Var<T>) -> Result<Var<T>>,
) -> Result<()> {
    if !saved.needs(1) {
        return hand_on(0, to_first(upstream)?);
    }
    if saved.needs(0) {
        hand_on(0, to_first(upstream.clone())?)?;
    }
    hand_on(1, to_second(upstream)?)
}

/// Operators are sugar for examples, tests and formulas: they panic, at the caller's line, where
/// the method of the same name returns an error. `&x / c` multiplies by the reciprocal of `c`.
macro_rules! operator {
    ($($Trait:ident $method:ident, $scalar:ident($as_operand:expr), $from_left:expr;)*) => {$(
        impl<T: Float> ops::$Trait for &Var<T> {
            type Output = Var<T>;
            /// # Panics
            /// Where the method of the same name returns an error.
            #[track_caller]
            fn $method(self, other: Self) -> Var<T> {
                match Var::$method(self, other) {
                    Ok(result) => result,
                    Err(error) => panic!("{error}"),
                }
            }
        }

        impl<T: Float> ops::$Trait<f64> for &Var<T> {
            type Output = Var<T>;
            /// # Panics
            /// Where the method of the same name returns an error.
            #[track_caller]
            fn $method(self, constant: f64) -> Var<T> {
                let operand: fn(f64) -> f64 = $as_operand;
                match self.$scalar(operand(constant)) {
                    Ok(result) => result,
                    Err(error) => panic!("{error}"),
                }
            }
        }

        impl<T: Float> ops::$Trait<&Var<T>> for f64 {
            type Output = Var<T>;
            /// # Panics
            /// Where the method of the same name returns an error.
            #[track_caller]
            fn $method(self, x: &Var<T>) -> Var<T> {
                let apply: fn(f64, &Var<T>) -> Result<Var<T>> = $from_left;
                match apply(self, x) {
                    Ok(result) => result,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    )*};
}

operator! {
    Add add, add_scalar(|c| c), |c, x| x.add_scalar(c);
    Sub sub, add_scalar(|c| -c), |c, x| Var::neg(x)?.add_scalar(c);
    Mul mul, mul_scalar(|c| c), |c, x| x.mul_scalar(c);
    Div div, mul_scalar(|c| 1.0 / c), |c, x| x.recip()?.mul_scalar(c);
}

impl<T: Float> ops::Neg for &Var<T> {
    type Output = Var<T>;
    /// # Panics
    /// Where [`Var::neg`] returns an error.
    #[track_caller]
    fn neg(self) -> Var<T> {
        match Var::neg(self) {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }
}
