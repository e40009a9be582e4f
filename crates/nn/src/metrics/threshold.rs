//! Where to draw the line between "no" and "yes".

use std::fmt;

use macula_tensor::{Error, Float, Result, Scalar, Tensor};

use super::probability::Scale;
use super::ranking::Ranking;

/// A decision rule: positive above this probability.
///
/// Make one from a probability (`0.3.into()`), or choose it with [`Threshold::best_f1`] and the
/// functions beside it. Choose it on **validation data**: the rows it was chosen on always look
/// better than those to come, and a threshold chosen on the test part makes that part worthless.
///
/// A chosen threshold lies halfway, in logits, between two neighbouring scores. Of thresholds
/// that serve equally well, the highest is taken: the fewest alarms.
///
/// A row is positive if its probability is *above* the threshold; the threshold 0 accepts every
/// row and 1 none.
///
/// # Numerics
/// The logit is what decides, and not the probability, which is 1 in floating point from logit 37
/// on.
///
/// # Example
///
/// ```
/// use macula_nn::metrics::{BinaryReport, Threshold};
/// use macula_tensor::Tensor;
///
/// let validation = Tensor::from([-3.0, -1.0, -2.0, 0.5]);
/// let threshold = Threshold::best_f1(&validation, &Tensor::from([0, 1, 0, 1]))?;
/// assert_eq!(threshold.logit(), -1.5);
///
/// let test = Tensor::from([-4.0, -1.25]);
/// let report = BinaryReport::from_logits_at(&test, &Tensor::from([0, 1]), threshold)?;
/// assert_eq!(report.recall(), 1.0);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    logit: f64,
    probability: f64,
}

impl From<f64> for Threshold {
    /// The threshold at a probability. One outside 0 and 1 is an error where it is used.
    fn from(probability: f64) -> Self {
        Self {
            logit: (probability / (1.0 - probability)).ln(),
            probability,
        }
    }
}

/// Prints the probability.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.probability, f)
    }
}

impl Threshold {
    /// The threshold at a logit.
    pub fn from_logit(logit: f64) -> Self {
        Self {
            logit,
            probability: logit.sigmoid(),
        }
    }

    /// The logit above which a row is positive.
    pub fn logit(&self) -> f64 {
        self.logit
    }

    /// The probability above which a row is positive.
    pub fn probability(&self) -> f64 {
        self.probability
    }

    /// Class 1 where a logit is above the threshold and class 0 elsewhere, in the shape of the
    /// logits.
    ///
    /// # Errors
    /// The threshold must be a probability within 0 and 1; no logit may be NaN.
    pub fn predict<T: Float>(&self, logits: &Tensor<T>) -> Result<Tensor<i64>> {
        let op = "Threshold::predict";
        let threshold = self.checked(op)?;
        let decisions = logits
            .to_vec()?
            .into_iter()
            .enumerate()
            .map(|(place, logit)| {
                let logit = logit.to_f64();
                if logit.is_nan() {
                    return Err(Error::NotFinite {
                        op,
                        what: format!("element {place}"),
                        value: logit,
                    });
                }
                Ok(i64::from(threshold.accepts(logit, Scale::Logit)))
            })
            .collect::<Result<Vec<i64>>>()?;
        Tensor::from_vec(decisions, logits.shape())
    }

    /// Whether a score is positive.
    pub(super) fn accepts(&self, score: f64, scale: Scale) -> bool {
        let (bar, everything) = match scale {
            Scale::Logit => (self.logit, f64::NEG_INFINITY),
            Scale::Probability => (self.probability, 0.0),
        };
        score > bar || bar == everything
    }

    /// The same threshold if it is one.
    pub(super) fn checked(self, op: &'static str) -> Result<Self> {
        if self.logit.is_nan() || !(0.0..=1.0).contains(&self.probability) {
            return Err(Error::Argument {
                op,
                argument: "threshold",
                expected: "a probability between 0 and 1".into(),
                found: self.probability.to_string(),
            });
        }
        Ok(self)
    }

    /// The threshold that accepts what a cut accepts: halfway to the next score below.
    pub(super) fn below(ranking: &Ranking, place: usize, scale: Scale) -> Self {
        if place == 0 {
            return Self::from(1.0);
        }
        let Some(next) = ranking.cuts.get(place + 1) else {
            return Self::from(0.0);
        };
        let upper = ranking.cuts[place].score;
        // −∞ would accept everything.
        let lower = next.score.max(f64::MIN);
        let middle = lower.midpoint(upper);
        // Between neighbouring floats the middle rounds to one of them; the upper one must pass.
        let bar = if middle < upper { middle } else { lower };
        match scale {
            Scale::Logit => Self::from_logit(bar),
            Scale::Probability => Self::from(bar),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_accepts_everything_and_one_nothing() {
        let logits = Tensor::from([f64::NEG_INFINITY, 0.0, f64::INFINITY]);
        let at = |p: f64| {
            Threshold::from(p)
                .predict(&logits)
                .unwrap()
                .to_vec()
                .unwrap()
        };
        assert_eq!(at(0.0), [1, 1, 1]);
        assert_eq!(at(0.5), [0, 0, 1]);
        assert_eq!(at(1.0), [0, 0, 0]);
    }

    #[test]
    fn a_threshold_that_is_no_probability_is_an_error() {
        for outside in [-0.5, 1.5, f64::NAN] {
            assert_eq!(
                Threshold::from(outside)
                    .predict(&Tensor::from([0.0]))
                    .err()
                    .unwrap()
                    .to_string(),
                format!(
                    "Threshold::predict: threshold must be a probability between 0 and 1, found \
                     {outside}"
                )
            );
        }
    }

    #[test]
    fn a_logit_that_is_nan_has_no_prediction() {
        let logits = Tensor::from([0.0_f32, f32::NAN]);
        assert_eq!(
            Threshold::from(0.5)
                .predict(&logits)
                .err()
                .unwrap()
                .to_string(),
            "Threshold::predict: element 1 is not finite (NaN)"
        );
    }

    #[test]
    fn a_probability_and_its_logit_are_one_threshold() {
        let threshold = Threshold::from(0.75);
        assert_eq!(threshold.logit(), 3.0_f64.ln());
        assert_eq!(threshold.to_string(), "0.75");
        assert_eq!(Threshold::from(0.5), Threshold::from_logit(0.0));
    }
}
