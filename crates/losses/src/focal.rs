//! Focal loss, the reason for this crate.

use macula_tensor::Scalar;

use crate::formula::MarginLoss;

/// `(1 − p)^γ · (−ln p)` as a function of the margin, `p = σ(s)`.
///
/// With `q = σ(−s)` and `L = softplus(−s) = −ln p`:
///
/// ```text
/// f   = q^γ · L
/// f′  = −q^γ · (q + γ·p·L)
/// ```
///
/// No `q^(γ−1)` occurs, so γ below 1 gives no `0·∞`, and γ = 0 is cross-entropy to the bit. Both
/// ends keep full relative accuracy: `q` is a sigmoid of its own, not `1 − p`.
///
/// # Source
/// Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", 2017, eq. 4. The
/// paper writes it with `p`; in the margin its derivative needs no division.
#[derive(Clone, Copy, Debug)]
pub struct Focal {
    /// The focusing exponent γ ≥ 0.
    pub gamma: f64,
}

impl MarginLoss for Focal {
    const NAME: &'static str = "focal_loss";

    #[inline(always)]
    fn value_and_slope<S: Scalar>(&self, margin: S) -> (S, S) {
        let logistic = margin.logistic();
        let (p, q) = (logistic.sigmoid, logistic.complement);
        let loss = logistic.softplus_negated;
        let zero = margin.constant(0.0);
        // −p·ln p, which is 0 at p = 0 although ln 0 is not finite.
        let entropy = S::select(p.equal(zero), zero, p * loss);
        let modulator = self.modulator(q, logistic.softplus);
        (
            modulator * loss,
            -modulator * entropy.mul_add(margin.constant(self.gamma), q),
        )
    }
}

impl Focal {
    /// `q^γ`, from `q` or from `−ln q`.
    ///
    /// The exponents that people use need no exponential. The choice is the same for every
    /// element, so the compiler takes it out of the loop.
    #[inline(always)]
    fn modulator<S: Scalar>(&self, q: S, minus_ln_q: S) -> S {
        match self.gamma {
            0.0 => q.constant(1.0),
            1.0 => q,
            2.0 => q * q,
            3.0 => q * q * q,
            gamma => (minus_ln_q * -gamma).exp(),
        }
    }
}
