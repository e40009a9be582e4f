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

/// An element loss as an ordinary formula of logit and target: the composed twin of the fused pass
/// and the path to higher orders.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ElementFormula<L>(pub(crate) L);

impl<L: ElementLoss> Pointwise<2> for ElementFormula<L> {
    const NAME: &'static str = L::NAME;

    #[inline(always)]
    fn eval<S: Scalar>(&self, [logit, target]: [S; 2]) -> S {
        self.0.value_and_slope(logit, target).0
    }

    #[inline(always)]
    fn gradient<S: Scalar>(&self, [logit, target]: [S; 2]) -> [S; 2] {
        let [x, y] = Dual::variables([logit, target]);
        let by_target = self.0.value_and_slope(x, y).0.tangent[1];
        [self.0.value_and_slope(logit, target).1, by_target]
    }
}

/// A margin loss as an ordinary formula of the margin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MarginFormula<L>(pub(crate) L);

impl<L: MarginLoss> Pointwise<1> for MarginFormula<L> {
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
