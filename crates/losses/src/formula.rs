//! What a member of the family has to write: one scalar formula.
//!
//! [`SigmoidLoss`](crate::SigmoidLoss) and [`SoftmaxLoss`](crate::SoftmaxLoss) turn a formula into
//! a loss with weights, soft targets, reductions and gradients of any order. macula's own members
//! and yours go through the same door.

use std::fmt::Debug;

use macula_tensor::dual::Dual;
use macula_tensor::{Pointwise, Result, Scalar};

/// A loss of one margin, and its slope.
///
/// With labels 0 and 1 the margin of a logit `x` is `s = x` for class 1 and `s = −x` for class 0;
/// with `C` classes and logits `z` it is `s = z_t − ln Σ_{j≠t} e^{z_j}`, `t` the target. In both
/// cases `σ(s)` is the probability of the true class, and cross-entropy, focal loss and most of
/// their relatives are functions of `s` alone.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::SoftmaxLoss;
/// use macula_losses::formula::MarginLoss;
/// use macula_tensor::{Scalar, Tensor};
///
/// /// The squared error of the probability, q².
/// #[derive(Clone, Copy, Debug)]
/// struct Brier;
///
/// impl MarginLoss for Brier {
///     const NAME: &'static str = "brier";
///     #[inline(always)]
///     fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S) {
///         let logistic = margin.logistic();
///         let (p, q) = (logistic.sigmoid, logistic.complement);
///         (q * q, -(q * q * p) * 2.0)
///     }
/// }
///
/// let logits = Tape::new().var(Tensor::from([[0.0_f32, 0.0]]));
/// let loss = SoftmaxLoss::of(Brier).forward(&logits, &Tensor::from([0_i64]))?;
/// assert_eq!(loss.item()?, 0.25);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub trait MarginLoss: Copy + Debug + Send + Sync + 'static {
    /// The name that error messages and tape listings show.
    const NAME: &'static str;

    /// What the number that [`with_setting`](Self::with_setting) takes is called; none where the
    /// formula takes none.
    const SETTING: Option<&'static str> = None;

    /// Whether the formula's own parameters make sense.
    ///
    /// # Errors
    /// [`Error::Argument`](macula_tensor::Error::Argument) for one that does not.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Whether a setting of a class makes sense.
    ///
    /// # Errors
    /// [`Error::Argument`](macula_tensor::Error::Argument) for one that does not.
    fn check_setting(&self, setting: f64) -> Result<()> {
        let _ = setting;
        Ok(())
    }

    /// `f(s)` and `f′(s)`.
    ///
    /// Both together, because they share the costly parts. Never form `1 − p` or `ln(1 − p)` by
    /// subtraction: [`Scalar::logistic`] gives `p`, `1 − p` and both logarithms to full accuracy.
    /// Mark it `#[inline(always)]`, as [`Pointwise::eval`] says.
    fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S);

    /// The same with a number that depends on the class of the target, such as a γ for each class.
    #[inline(always)]
    fn with_setting<S: Scalar>(&self, margin: S, setting: S) -> (S, S) {
        let _ = setting;
        self.value_and_slope(margin)
    }
}

/// A loss of one logit and its target, and its slope with respect to the logit.
///
/// The general form of a sigmoid loss, for members that are not functions of the margin alone:
/// different treatment of the two classes, targets between 0 and 1. Every [`MarginLoss`] is one:
/// the label gives the margin its sign, `s = (2y − 1)·x`, and a soft target mixes the two.
pub trait ElementLoss: Copy + Debug + Send + Sync + 'static {
    /// The name that error messages and tape listings show.
    const NAME: &'static str;

    /// Whether a target `y` between 0 and 1 means `y` times the loss of label 1 plus `1 − y` times
    /// the loss of label 0; else the formula itself says what such a target means.
    const MIXES: bool = false;

    /// What the number that [`with_setting`](Self::with_setting) takes is called; none where the
    /// formula takes none.
    const SETTING: Option<&'static str> = None;

    /// The smallest target that [`MeanOverPositives`](crate::Reduction::MeanOverPositives) counts.
    const POSITIVE: f64 = f64::MIN_POSITIVE;

    /// Whether the formula's own parameters make sense.
    ///
    /// # Errors
    /// [`Error::Argument`](macula_tensor::Error::Argument) for one that does not.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Whether a setting of a column makes sense.
    ///
    /// # Errors
    /// [`Error::Argument`](macula_tensor::Error::Argument) for one that does not.
    fn check_setting(&self, setting: f64) -> Result<()> {
        let _ = setting;
        Ok(())
    }

    /// `ℓ(x, y)` and `∂ℓ/∂x`.
    fn value_and_slope<S: Scalar>(&self, logit: S, target: S) -> (S, S);

    /// The same for label 0 or 1 with a number that depends on the column, the index of the last
    /// axis, such as a γ for each of several labels. Soft targets then mix the two, whatever
    /// [`MIXES`](Self::MIXES) says.
    #[inline(always)]
    fn with_setting<S: Scalar>(&self, logit: S, label: S, setting: S) -> (S, S) {
        let _ = setting;
        self.value_and_slope(logit, label)
    }
}

impl<L: MarginLoss> ElementLoss for L {
    const NAME: &'static str = L::NAME;
    const MIXES: bool = true;
    const SETTING: Option<&'static str> = L::SETTING;

    fn check(&self) -> Result<()> {
        MarginLoss::check(self)
    }

    fn check_setting(&self, setting: f64) -> Result<()> {
        MarginLoss::check_setting(self, setting)
    }

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, logit: S, target: S) -> (S, S) {
        let positive = target.equal(target.constant(1.0));
        let margin = S::select(positive, logit, -logit);
        let (value, slope) = MarginLoss::value_and_slope(self, margin);
        (value, S::select(positive, slope, -slope))
    }

    #[inline(always)]
    fn with_setting<S: Scalar>(&self, logit: S, label: S, setting: S) -> (S, S) {
        let positive = label.equal(label.constant(1.0));
        let margin = S::select(positive, logit, -logit);
        let (value, slope) = MarginLoss::with_setting(self, margin, setting);
        (value, S::select(positive, slope, -slope))
    }
}

/// What the drivers evaluate: a formula of a logit or margin and more numbers, and its slope with
/// respect to the first. Also its composed twin and the path to higher orders.
pub(crate) trait Elementwise<const N: usize>: Pointwise<N> {
    fn value_and_slope<S: Scalar>(&self, inputs: [S; N]) -> (S, S);
    /// The slopes with respect to each.
    fn slopes<S: Scalar>(&self, inputs: [S; N]) -> [S; N];
}

/// `w·ℓ(x, y)` of logit, target and weight.
///
/// A weight of 0 gives a loss and a slope of exactly 0, whatever the logit is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighted<L>(pub(crate) L);

impl<L: ElementLoss> Elementwise<3> for Weighted<L> {
    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, [x, y, w]: [S; 3]) -> (S, S) {
        let (value, slope) = self.0.value_and_slope(x, y);
        (weighted(w, value), weighted(w, slope))
    }

    #[inline(always)]
    fn slopes<S: Scalar>(&self, [x, y, w]: [S; 3]) -> [S; 3] {
        let slope = self.value_and_slope([x, y, w]).1;
        let [y] = Dual::variables([y]);
        let loss = self.0.value_and_slope(fixed(x), y).0;
        let [by_target] = loss.tangent;
        [slope, weighted(w, by_target), loss.value]
    }
}

/// `a·ℓ(x, 1) + b·ℓ(x, 0)` of a logit and the weights of label 1 and of label 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mixed<L>(pub(crate) L);

impl<L: ElementLoss> Elementwise<3> for Mixed<L> {
    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, [x, a, b]: [S; 3]) -> (S, S) {
        let of_1 = self.0.value_and_slope(x, x.constant(1.0));
        let of_0 = self.0.value_and_slope(x, x.constant(0.0));
        mixture([a, b], [of_1, of_0])
    }

    #[inline(always)]
    fn slopes<S: Scalar>(&self, [x, a, b]: [S; 3]) -> [S; 3] {
        let slope = self.value_and_slope([x, a, b]).1;
        let loss = |label| self.0.value_and_slope(x, x.constant(label)).0;
        [slope, loss(1.0), loss(0.0)]
    }
}

/// The same with a setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MixedWithSetting<L>(pub(crate) L);

impl<L: ElementLoss> Elementwise<4> for MixedWithSetting<L> {
    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, [x, a, b, setting]: [S; 4]) -> (S, S) {
        let of_1 = self.0.with_setting(x, x.constant(1.0), setting);
        let of_0 = self.0.with_setting(x, x.constant(0.0), setting);
        mixture([a, b], [of_1, of_0])
    }

    #[inline(always)]
    fn slopes<S: Scalar>(&self, [x, a, b, setting]: [S; 4]) -> [S; 4] {
        let slope = self.value_and_slope([x, a, b, setting]).1;
        let [setting] = Dual::variables([setting]);
        let loss = |label| {
            self.0
                .with_setting(fixed(x), fixed(x.constant(label)), setting)
                .0
        };
        let (of_1, of_0) = (loss(1.0), loss(0.0));
        let [by_setting_1] = of_1.tangent;
        let [by_setting_0] = of_0.tangent;
        let by_setting = weighted(a, by_setting_1) + weighted(b, by_setting_0);
        [slope, of_1.value, of_0.value, by_setting]
    }
}

/// The weighted sum of two losses, and that of their slopes.
#[inline(always)]
fn mixture<S: Scalar>([a, b]: [S; 2], [of_1, of_0]: [(S, S); 2]) -> (S, S) {
    (
        weighted(a, of_1.0) + weighted(b, of_0.0),
        weighted(a, of_1.1) + weighted(b, of_0.1),
    )
}

/// `w·x`; exactly 0 for a weight of 0.
#[inline(always)]
fn weighted<S: Scalar>(w: S, x: S) -> S {
    let zero = w.constant(0.0);
    S::select(w.equal(zero), zero, w * x)
}

/// `w·f(s)` of margin, setting and weight; exactly 0 for a weight of 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfMargin<L> {
    pub(crate) formula: L,
    /// Whether the setting counts.
    pub(crate) set: bool,
}

impl<L: MarginLoss> Elementwise<3> for OfMargin<L> {
    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, [margin, setting, weight]: [S; 3]) -> (S, S) {
        let (value, slope) = if const { L::SETTING.is_some() } && self.set {
            self.formula.with_setting(margin, setting)
        } else {
            self.formula.value_and_slope(margin)
        };
        (weighted(weight, value), weighted(weight, slope))
    }

    #[inline(always)]
    fn slopes<S: Scalar>(&self, [margin, setting, weight]: [S; 3]) -> [S; 3] {
        let slope = self.value_and_slope([margin, setting, weight]).1;
        let loss = if const { L::SETTING.is_some() } && self.set {
            let [setting] = Dual::variables([setting]);
            self.formula.with_setting(fixed(margin), setting).0
        } else {
            fixed(self.formula.value_and_slope(margin).0)
        };
        let [by_setting] = loss.tangent;
        [slope, weighted(weight, by_setting), loss.value]
    }
}

/// A number that depends on no variable.
#[inline(always)]
fn fixed<S: Scalar>(value: S) -> Dual<S, 1> {
    let tangent = [value.constant(0.0)];
    Dual { value, tangent }
}

/// The partial derivatives of an [`Elementwise`].
macro_rules! pointwise_of_elementwise {
    ($($Formula:ident: $Loss:ident, $inputs:literal;)*) => {$(
        impl<L: $Loss> Pointwise<$inputs> for $Formula<L> {
            const NAME: &'static str = L::NAME;

            #[inline(always)]
            fn eval<S: Scalar>(&self, inputs: [S; $inputs]) -> S {
                self.value_and_slope(inputs).0
            }

            #[inline(always)]
            fn gradient<S: Scalar>(&self, inputs: [S; $inputs]) -> [S; $inputs] {
                self.slopes(inputs)
            }
        }
    )*};
}

pointwise_of_elementwise! {
    Weighted: ElementLoss, 3;
    Mixed: ElementLoss, 3;
    MixedWithSetting: ElementLoss, 4;
    OfMargin: MarginLoss, 3;
}
