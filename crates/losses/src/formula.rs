//! What a member of the family has to write: one scalar formula.

use std::fmt::Debug;

use macula_tensor::dual::Dual;
use macula_tensor::{Pointwise, Scalar};

/// A loss of one margin, and its slope.
///
/// With labels 0 and 1 the margin of a logit `x` is `s = x` for class 1 and `s = −x` for class 0;
/// with `C` classes and logits `z` it is `s = z_t − ln Σ_{j≠t} e^{z_j}`, `t` the target. In both
/// cases `σ(s)` is the probability of the true class, and cross-entropy, focal loss and most of
/// their relatives are functions of `s` alone.
pub trait MarginLoss: Copy + Debug + Send + Sync + 'static {
    /// The name that error messages and tape listings show.
    const NAME: &'static str;

    /// `f(s)` and `f′(s)`.
    ///
    /// Both together, because they share the costly parts. Never form `1 − p` or `ln(1 − p)` by
    /// subtraction: [`Scalar::logistic`] gives `p`, `1 − p` and both logarithms to full accuracy.
    fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S);
}

/// A loss of one logit and its target, and its slope with respect to the logit.
///
/// The general form of a sigmoid loss, for members that are not functions of the margin alone:
/// soft targets, different treatment of the two classes.
pub trait ElementLoss: Copy + Debug + Send + Sync + 'static {
    /// The name that error messages and tape listings show.
    const NAME: &'static str;

    /// `ℓ(x, y)` and `∂ℓ/∂x`.
    fn value_and_slope<S: Scalar>(&self, logit: S, target: S) -> (S, S);
}

/// A margin loss as a loss of a logit and a hard target: `s = (2y − 1)·x`.
#[derive(Clone, Copy, Debug)]
pub struct Signed<L>(pub L);

impl<L: MarginLoss> ElementLoss for Signed<L> {
    const NAME: &'static str = L::NAME;

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, logit: S, target: S) -> (S, S) {
        let sign = target * 2.0 - 1.0;
        let (value, slope) = self.0.value_and_slope(sign * logit);
        (value, sign * slope)
    }
}

/// A weighted element loss as an ordinary formula of logit, target and weight: what the fused pass
/// evaluates, its composed twin, and the path to higher orders.
///
/// A weight of 0 gives a loss and a slope of exactly 0, whatever the logit is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighted<L>(pub(crate) L);

impl<L: ElementLoss> Weighted<L> {
    /// `w·ℓ(x, y)` and its slope with respect to `x`.
    #[inline(always)]
    pub(crate) fn value_and_slope<S: Scalar>(&self, [x, y, w]: [S; 3]) -> (S, S) {
        let (value, slope) = self.0.value_and_slope(x, y);
        let zero = w.constant(0.0);
        let absent = w.equal(zero);
        (
            S::select(absent, zero, w * value),
            S::select(absent, zero, w * slope),
        )
    }
}

impl<L: ElementLoss> Pointwise<3> for Weighted<L> {
    const NAME: &'static str = L::NAME;

    #[inline(always)]
    fn eval<S: Scalar>(&self, inputs: [S; 3]) -> S {
        self.value_and_slope(inputs).0
    }

    #[inline(always)]
    fn gradient<S: Scalar>(&self, inputs: [S; 3]) -> [S; 3] {
        let [_, by_target, by_weight] = self.eval(Dual::variables(inputs)).tangent;
        [self.value_and_slope(inputs).1, by_target, by_weight]
    }
}

/// A margin loss as an ordinary formula of the margin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfMargin<L>(pub(crate) L);

impl<L: MarginLoss> Pointwise<1> for OfMargin<L> {
    const NAME: &'static str = L::NAME;

    #[inline(always)]
    fn eval<S: Scalar>(&self, [margin]: [S; 1]) -> S {
        self.0.value_and_slope(margin).0
    }

    #[inline(always)]
    fn gradient<S: Scalar>(&self, [margin]: [S; 1]) -> [S; 1] {
        [self.0.value_and_slope(margin).1]
    }
}
