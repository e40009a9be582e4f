//! Formulas: one rule for all of them.
//!
//! With `f` a formula and `u` the upstream gradient, the gradient for input `i` is `∂ᵢf(x) · u`,
//! one pass over memory. That product is itself an operation of the same kind, a derived formula
//! with a seed, so its rule is this rule again, for every order.

use macula_tensor::ops::apply::{apply, chain};
use macula_tensor::ops::compare::{Clamp, NanToNum};
use macula_tensor::ops::pointwise as formulas;
use macula_tensor::pointwise::{Derived, Pointwise};
use macula_tensor::shape::{Sizes, broadcast};
use macula_tensor::{Axes, Float, Result, Tensor};
use smallvec::SmallVec;

use crate::fused::try_from_fn;
use crate::node::HandOn;
use crate::rows::shares;
use crate::saved::{Keep, Saved};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// `formula` of every element.
    ///
    /// # Errors
    /// The tape must not have been used up.
    #[track_caller]
    pub fn map<F: Pointwise<1>>(&self, formula: F) -> Result<Self> {
        Self::pointwise(formula, [self])
    }

    /// `formula` of the elements of two variables, broadcast to one shape.
    ///
    /// # Errors
    /// The shapes must broadcast, and both variables be of one tape.
    #[track_caller]
    pub fn zip<F: Pointwise<2>>(&self, other: &Self, formula: F) -> Result<Self> {
        Self::pointwise(formula, [self, other])
    }

    /// `formula` of the elements of `N` variables, broadcast to one shape.
    ///
    /// # Errors
    /// The shapes must broadcast, and all variables be of one tape.
    #[track_caller]
    pub fn pointwise<F: Pointwise<N>, const N: usize>(
        formula: F,
        inputs: [&Self; N],
    ) -> Result<Self> {
        let value = apply(&Derived::new(formula), inputs.map(Var::value))?;
        // The formula alone is captured, which mostly takes no memory.
        let rule = move |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            slopes(&Derived::new(formula), false, upstream, saved, hand_on)
        };
        Self::record_any(F::NAME, &inputs, value, Keep::Inputs, rule)
    }

    /// The sum of `formula` of the elements along `axes`, without a tensor in between.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    #[track_caller]
    pub fn map_sum<F: Pointwise<1>>(&self, formula: F, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into();
        let wide = Sizes::from_slice(self.shape());
        let kept = axes.kept_shape("map_sum", &wide)?;
        let value = self.value().map_sum(formula, axes)?;
        let rule = move |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            let each = upstream.reshape(&kept)?.expand(&wide)?;
            let slope = Derived::new(formula).differentiate(0);
            hand_on(0, derived(slope, [&saved.input(0)?], Some(&each))?)
        };
        Self::record_any("map_sum", &[self], value, Keep::Inputs, rule)
    }

    /// The sum along `axes` of `formula` of the elements of two variables, broadcast to one shape,
    /// see [`Tensor::zip_sum`].
    ///
    /// # Errors
    /// The shapes must broadcast, and both variables be of one tape. Each axis must exist and be
    /// named once.
    #[track_caller]
    pub fn zip_sum<F: Pointwise<2>>(
        &self,
        other: &Self,
        formula: F,
        axes: impl Into<Axes>,
    ) -> Result<Self> {
        let axes = axes.into();
        let wide = broadcast("zip_sum", self.shape(), other.shape())?;
        let kept = axes.kept_shape("zip_sum", &wide)?;
        let value = self.value().zip_sum(other.value(), formula, axes)?;
        let rule = move |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            let each = upstream.reshape(&kept)?.expand(&wide)?;
            slopes(&Derived::new(formula), false, each, saved, hand_on)
        };
        Self::record_any("zip_sum", &[self, other], value, Keep::Inputs, rule)
    }

    /// The largest `formula` of an element along `axes`, without a tensor in between; elements whose
    /// values are equal share the gradient.
    ///
    /// # Errors
    /// Each axis must exist, be named once and have at least one element.
    #[track_caller]
    pub fn map_amax<F: Pointwise<1>>(&self, formula: F, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into();
        let value = self.value().map_amax(formula, axes.clone())?;
        self.map_extreme("map_amax", formula, axes, value)
    }

    /// The smallest `formula` of an element along `axes`, without a tensor in between; elements whose
    /// values are equal share the gradient.
    ///
    /// # Errors
    /// Each axis must exist, be named once and have at least one element.
    #[track_caller]
    pub fn map_amin<F: Pointwise<1>>(&self, formula: F, axes: impl Into<Axes>) -> Result<Self> {
        let axes = axes.into();
        let value = self.value().map_amin(formula, axes.clone())?;
        self.map_extreme("map_amin", formula, axes, value)
    }

    #[track_caller]
    fn map_extreme<F: Pointwise<1>>(
        &self,
        name: &'static str,
        formula: F,
        axes: Axes,
        value: Tensor<T>,
    ) -> Result<Self> {
        let kept = axes.kept_shape(name, self.shape())?;
        let rule = move |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            let (x, extreme) = (saved.input(0)?, saved.output_value()?.reshape(&kept)?);
            let holders = x.value().map(formula)?.eq(&extreme)?;
            let shares = saved.constant(shares(&holders, &kept)?);
            let each = upstream.reshape(&kept)?.mul(&shares)?;
            let slope = Derived::new(formula).differentiate(0);
            hand_on(0, derived(slope, [&x], Some(&each))?)
        };
        Self::record_any(name, &[self], value, Keep::Both, rule)
    }

    /// max(x, 0), with slope 0 at 0.
    ///
    /// # Gradient
    /// The slope is that of the result, so the result is kept and the input is not.
    #[track_caller]
    pub fn relu(&self) -> Result<Self> {
        let value = self.value().relu()?;
        let rule = |mut upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            let slope = Derived::new(formulas::Relu).differentiate(0);
            if saved.recorded() {
                let output = saved.output()?;
                return hand_on(0, derived(slope, [&output], Some(&upstream))?);
            }
            chain(&slope, [saved.output_value()?], upstream.value_mut())?;
            hand_on(0, upstream)
        };
        Self::record_any("relu", &[self], value, Keep::Output, rule)
    }
}

/// A derived formula of the inputs, times `seed` if there is one.
#[track_caller]
fn derived<T: Float, F: Pointwise<N>, const N: usize>(
    formula: Derived<F>,
    inputs: [&Var<T>; N],
    seed: Option<&Var<T>>,
) -> Result<Var<T>> {
    let elements = inputs.map(Var::value);
    let value = match seed {
        Some(seed) => {
            let mut product = seed.value().clone();
            chain(&formula, elements, &mut product)?;
            product
        }
        None => apply(&formula, elements)?,
    };
    let seeded = seed.is_some();
    let operands: SmallVec<[&Var<T>; 3]> = inputs.into_iter().chain(seed).collect();
    let rule = move |upstream: Var<T>, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
        slopes(&formula, seeded, upstream, saved, hand_on)
    };
    Var::record_any(F::NAME, &operands, value, Keep::Inputs, rule)
}

/// The rule: L depends on the seed through upstream · formula, and on input i through
/// u = upstream · seed · ∂ᵢ(formula).
fn slopes<T: Float, F: Pointwise<N>, const N: usize>(
    formula: &Derived<F>,
    seeded: bool,
    upstream: Var<T>,
    saved: &Saved<'_, T>,
    hand_on: &mut HandOn<'_, T>,
) -> Result<()> {
    if seeded && saved.needs(N) {
        hand_on(N, times(formula, upstream.clone(), saved)?)?;
    }
    let through = match seeded {
        true => saved.times_input(upstream, N)?,
        false => upstream,
    };
    let Some(last) = (0..N).rev().find(|&index| saved.needs(index)) else {
        return Ok(());
    };
    for index in (0..last).filter(|&index| saved.needs(index)) {
        let slope = formula.differentiate(index);
        hand_on(index, times(&slope, through.clone(), saved)?)?;
    }
    let slope = formula.differentiate(last);
    hand_on(last, times(&slope, through, saved)?)
}

/// upstream · formula(inputs); in the memory of upstream, if nobody shares that and the sweep is not
/// recorded.
fn times<T: Float, F: Pointwise<N>, const N: usize>(
    formula: &Derived<F>,
    mut upstream: Var<T>,
    saved: &Saved<'_, T>,
) -> Result<Var<T>> {
    if saved.recorded() {
        let inputs = try_from_fn::<_, N>(|index| saved.input(index))?;
        return derived(formula.clone(), inputs.each_ref(), Some(&upstream));
    }
    chain(formula, saved.values()?.each_ref(), upstream.value_mut())?;
    Ok(upstream)
}

/// Gives a variable the methods of formulas without parameters.
macro_rules! formula_methods {
    ($($Formula:ident $method:ident;)*) => {
        impl<T: Float> Var<T> {$(
            #[doc = concat!("See [`", stringify!($Formula), "`](formulas::", stringify!($Formula), ").")]
            #[track_caller]
            pub fn $method(&self) -> Result<Self> {
                self.map(formulas::$Formula)
            }
        )*}
    };
}

formula_methods! {
    Square square;
    Sqrt sqrt;
    Rsqrt rsqrt;
    Recip recip;
    Abs abs;
    Signum signum;
    Floor floor;
    Ceil ceil;
    Round round;
    Trunc trunc;
    Exp exp;
    ExpM1 exp_m1;
    Ln ln;
    Ln1p ln_1p;
    Log2 log2;
    Sin sin;
    Cos cos;
    Atan atan;
    Erf erf;
    Tanh tanh;
    Sigmoid sigmoid;
    LogSigmoid log_sigmoid;
    Softplus softplus;
}

impl<T: Float> Var<T> {
    /// x^exponent, as IEEE 754 `pow`: x^0 = 1 for every x.
    #[track_caller]
    pub fn powf(&self, exponent: f64) -> Result<Self> {
        self.map(formulas::Powf(exponent))
    }

    /// The elements, kept between `low` and `high`, with slope 1 from one to the other, both
    /// included, and 0 outside; NaN stays NaN.
    ///
    /// # Errors
    /// `low` must be at most `high`, and neither may be NaN.
    #[track_caller]
    pub fn clamp(&self, low: f64, high: f64) -> Result<Self> {
        self.map(Clamp::new(low, high)?)
    }

    /// The elements with `nan` in the place of NaN, and the nearest finite number in that of an
    /// infinity; no gradient flows there.
    #[track_caller]
    pub fn nan_to_num(&self, nan: f64) -> Result<Self> {
        self.map(NanToNum::new::<T>(nan))
    }

    /// The angle of the point (x, y), see [`Atan2`](formulas::Atan2); this is y.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn atan2(&self, x: &Self) -> Result<Self> {
        self.zip(x, formulas::Atan2)
    }

    /// a^b, see [`Pow`](formulas::Pow).
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn pow(&self, exponent: &Self) -> Result<Self> {
        self.zip(exponent, formulas::Pow)
    }

    /// ln(e^a + e^b), see [`LogAddExp`](formulas::LogAddExp).
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn logaddexp(&self, other: &Self) -> Result<Self> {
        self.zip(other, formulas::LogAddExp)
    }

    /// The larger of each two elements; on a tie each side gets half the gradient.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn maximum(&self, other: &Self) -> Result<Self> {
        self.zip(other, formulas::Maximum)
    }

    /// The smaller of each two elements; on a tie each side gets half the gradient.
    ///
    /// # Errors
    /// The shapes must broadcast.
    #[track_caller]
    pub fn minimum(&self, other: &Self) -> Result<Self> {
        self.zip(other, formulas::Minimum)
    }
}
