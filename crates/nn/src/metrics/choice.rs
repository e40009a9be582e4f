//! A threshold chosen for a purpose, from validation data.

use macula_tensor::{Error, Float, Result, Tensor};

use super::counts::Counts;
use super::input::BinaryRows;
use super::probability::Scale;
use super::ranking::Ranking;
use super::threshold::Threshold;

/// Choosing. Give these **validation data**, never the test part.
impl Threshold {
    /// The threshold of greatest F1.
    ///
    /// # Errors
    /// As for [`BinaryReport::from_logits`](super::BinaryReport::from_logits), and both classes
    /// must occur.
    pub fn best_f1<T: Float>(logits: &Tensor<T>, labels: &Tensor<i64>) -> Result<Self> {
        Self::choose("Threshold::best_f1", logits, labels, Counts::f1)
    }

    /// The threshold of greatest F-beta: recall weighs `beta` times as much as precision.
    ///
    /// # Errors
    /// As for [`Threshold::best_f1`], and `beta` must be finite and not negative.
    pub fn best_f_beta<T: Float>(
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
        beta: f64,
    ) -> Result<Self> {
        let op = "Threshold::best_f_beta";
        check_not_negative(op, "beta", beta)?;
        Self::choose(op, logits, labels, |counts| counts.f_beta(beta))
    }

    /// The threshold of greatest balanced accuracy, `(recall + specificity) / 2`.
    ///
    /// # Errors
    /// As for [`Threshold::best_f1`].
    ///
    /// # Source
    /// W. J. Youden, *Index for Rating Diagnostic Tests*, 1950: J is twice this, less 1.
    pub fn best_balanced_accuracy<T: Float>(
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
    ) -> Result<Self> {
        let op = "Threshold::best_balanced_accuracy";
        // Whole numbers, so that equal thresholds are seen to be equal.
        Self::choose(op, logits, labels, |counts| {
            let right = u128::from(counts.true_positives) * u128::from(counts.negatives())
                + u128::from(counts.true_negatives) * u128::from(counts.positives());
            right as f64
        })
    }

    /// The highest threshold whose recall is at least `minimum`: the fewest false alarms at the
    /// recall that is needed.
    ///
    /// # Errors
    /// As for [`Threshold::best_f1`], and `minimum` must be within 0 and 1.
    pub fn at_recall<T: Float>(
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
        minimum: f64,
    ) -> Result<Self> {
        let op = "Threshold::at_recall";
        check_share(op, minimum)?;
        Self::choose(op, logits, labels, |counts| {
            allowed_if(counts.recall() >= minimum, 0.0)
        })
    }

    /// The threshold of greatest recall among those whose precision is at least `minimum`.
    ///
    /// # Errors
    /// As for [`Threshold::best_f1`], and `minimum` must be within 0 and the best precision that
    /// any threshold reaches.
    pub fn at_precision<T: Float>(
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
        minimum: f64,
    ) -> Result<Self> {
        let op = "Threshold::at_precision";
        check_share(op, minimum)?;
        let ranking = ranking_of_both_classes(op, logits, labels)?;
        let best = ranking.cuts[ranking.best(Counts::precision)]
            .counts
            .precision();
        if best < minimum {
            return Err(Error::Argument {
                op,
                argument: "minimum",
                expected: format!("at most {best}, the best precision of these rows"),
                found: minimum.to_string(),
            });
        }
        let place = ranking.best(|counts| {
            let recall = counts.true_positives as f64;
            allowed_if(counts.precision() >= minimum, recall)
        });
        Ok(Self::below(&ranking, place, Scale::Logit))
    }

    /// The threshold of least total cost, where each missed positive costs `false_negative` and
    /// each false alarm `false_positive`.
    ///
    /// Were the probabilities calibrated, it would be near
    /// `false_positive / (false_positive + false_negative)`; this one needs no such trust.
    ///
    /// # Errors
    /// As for [`Threshold::best_f1`], and costs must be finite and not negative.
    ///
    /// # Source
    /// C. Elkan, *The Foundations of Cost-Sensitive Learning*, 2001, equation 2.
    pub fn least_cost<T: Float>(
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
        false_negative: f64,
        false_positive: f64,
    ) -> Result<Self> {
        let op = "Threshold::least_cost";
        check_not_negative(op, "false_negative", false_negative)?;
        check_not_negative(op, "false_positive", false_positive)?;
        Self::choose(op, logits, labels, |counts| {
            -(counts.false_negatives as f64 * false_negative
                + counts.false_positives as f64 * false_positive)
        })
    }

    fn choose<T: Float>(
        op: &'static str,
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
        utility: impl Fn(&Counts) -> f64,
    ) -> Result<Self> {
        let ranking = ranking_of_both_classes(op, logits, labels)?;
        Ok(Self::below(&ranking, ranking.best(utility), Scale::Logit))
    }
}

/// A utility that only some decisions have.
fn allowed_if(allowed: bool, utility: f64) -> f64 {
    if allowed { utility } else { f64::NEG_INFINITY }
}

fn ranking_of_both_classes<T: Float>(
    op: &'static str,
    logits: &Tensor<T>,
    labels: &Tensor<i64>,
) -> Result<Ranking> {
    let rows = BinaryRows::new(op, logits, labels)?;
    let positives = rows.positive.iter().filter(|positive| **positive).count();
    let negatives = rows.positive.len() - positives;
    if positives == 0 || negatives == 0 {
        return Err(Error::Argument {
            op,
            argument: "labels",
            expected: "of both classes".into(),
            found: format!("{positives} positive and {negatives} negative rows"),
        });
    }
    Ok(Ranking::new(rows.iter()))
}

fn check_share(op: &'static str, minimum: f64) -> Result<()> {
    if (0.0..=1.0).contains(&minimum) {
        return Ok(());
    }
    Err(Error::Argument {
        op,
        argument: "minimum",
        expected: "between 0 and 1".into(),
        found: minimum.to_string(),
    })
}

fn check_not_negative(op: &'static str, argument: &'static str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::Argument {
        op,
        argument,
        expected: "finite and not negative".into(),
        found: value.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::BinaryReport;

    const LOGITS: [f64; 8] = [-3.0, -2.0, -1.0, -0.5, 0.0, 1.0, 2.0, 3.0];
    const LABELS: [i64; 8] = [0, 0, 1, 0, 0, 1, 0, 1];

    fn rows() -> (Tensor<f64>, Tensor<i64>) {
        (Tensor::from(LOGITS), Tensor::from(LABELS))
    }

    #[test]
    fn at_recall_takes_the_highest_threshold_that_finds_enough() {
        let (logits, labels) = rows();
        let at = |minimum| Threshold::at_recall(&logits, &labels, minimum).unwrap();
        assert_eq!(at(0.0).logit(), f64::INFINITY);
        assert_eq!(at(1.0 / 3.0).logit(), 2.5);
        assert_eq!(at(0.5).logit(), 0.5);
        assert_eq!(at(1.0).logit(), -1.5);
    }

    #[test]
    fn at_precision_finds_as_much_as_it_may() {
        let (logits, labels) = rows();
        let at = |minimum| Threshold::at_precision(&logits, &labels, minimum).unwrap();
        assert_eq!(at(0.9).logit(), 2.5);
        assert_eq!(at(0.6).logit(), 0.5);
        assert_eq!(at(0.5).logit(), -1.5); // exactly 3 of 6
    }

    #[test]
    fn a_precision_out_of_reach_is_told() {
        let error = Threshold::at_precision(&Tensor::from([1.0, 1.0]), &Tensor::from([0, 1]), 0.75);
        assert_eq!(
            error.unwrap_err().to_string(),
            "Threshold::at_precision: minimum must be at most 0.5, the best precision of these \
             rows, found 0.75"
        );
    }

    #[test]
    fn cost_moves_the_threshold_to_the_cheaper_mistake() {
        let (logits, labels) = rows();
        let at = |miss, alarm| Threshold::least_cost(&logits, &labels, miss, alarm).unwrap();
        assert_eq!(at(1.0, 100.0).logit(), 2.5);
        assert_eq!(at(100.0, 1.0).logit(), -1.5);
        assert_eq!(at(0.0, 1.0).logit(), f64::INFINITY);
    }

    #[test]
    fn balanced_accuracy_of_a_single_threshold_is_best_where_it_says() {
        let (logits, labels) = rows();
        let best = Threshold::best_balanced_accuracy(&logits, &labels).unwrap();
        // Recall 2/3 and specificity 4/5.
        assert_eq!(best.logit(), 0.5);
    }

    #[test]
    fn equal_scores_stay_together() {
        let logits = Tensor::from([1.0, 1.0, 1.0, 0.0]);
        let best = Threshold::best_f1(&logits, &Tensor::from([1, 0, 0, 0])).unwrap();
        assert_eq!(best.logit(), 0.5);
    }

    #[test]
    fn neighbouring_floats_are_told_apart() {
        for lower in [1.0_f64, 1.0_f64.next_up(), -1.0, 0.0, f64::MIN_POSITIVE] {
            let upper = lower.next_up();
            let logits = Tensor::from([lower, upper]);
            let best = Threshold::best_f1(&logits, &Tensor::from([0, 1])).unwrap();
            assert_eq!(best.predict(&logits).unwrap().to_vec().unwrap(), [0, 1]);
        }
    }

    #[test]
    fn infinite_scores_are_told_apart() {
        let (below, above) = (f64::NEG_INFINITY, f64::INFINITY);
        for pair in [[below, 0.0], [0.0, above], [below, above]] {
            let logits = Tensor::from(pair);
            let best = Threshold::best_f1(&logits, &Tensor::from([0, 1])).unwrap();
            assert_eq!(best.predict(&logits).unwrap().to_vec().unwrap(), [0, 1]);
        }
    }

    #[test]
    fn a_threshold_needs_both_classes() {
        let error = Threshold::best_f1(&Tensor::from([1.0, 2.0]), &Tensor::from([0, 0]));
        assert_eq!(
            error.unwrap_err().to_string(),
            "Threshold::best_f1: labels must be of both classes, found 0 positive and 2 negative \
             rows"
        );
    }

    #[test]
    fn arguments_without_meaning_are_errors() {
        let (logits, labels) = rows();
        assert!(Threshold::at_recall(&logits, &labels, 1.5).is_err());
        assert!(Threshold::at_precision(&logits, &labels, f64::NAN).is_err());
        assert!(Threshold::best_f_beta(&logits, &labels, -1.0).is_err());
        assert!(Threshold::least_cost(&logits, &labels, f64::INFINITY, 1.0).is_err());
    }

    proptest! {
        #[test]
        fn no_threshold_between_scores_beats_the_chosen_one(
            rows in prop::collection::vec((-8_i32..8, any::<bool>()), 2..40),
            beta in 0.25_f64..4.0,
        ) {
            let (mut logits, mut labels): (Vec<f64>, Vec<i64>) = rows
                .iter()
                .map(|&(score, positive)| (f64::from(score) / 4.0, i64::from(positive)))
                .unzip();
            logits.extend([0.0, 0.25]);
            labels.extend([0, 1]);
            let (logits, labels) = (Tensor::from(logits), Tensor::from(labels));
            let report = |threshold: Threshold| {
                BinaryReport::from_logits_at(&logits, &labels, threshold).unwrap()
            };

            let f_beta = report(Threshold::best_f_beta(&logits, &labels, beta).unwrap()).f_beta(beta);
            let balanced =
                report(Threshold::best_balanced_accuracy(&logits, &labels).unwrap()).balanced_accuracy();
            let best_f1 = report(Threshold::best_f1(&logits, &labels).unwrap());
            prop_assert_eq!(best_f1.f1(), best_f1.best_f1());
            for step in -17..=17 {
                let other = report(Threshold::from_logit(f64::from(step) / 8.0));
                prop_assert!(other.f_beta(beta) <= f_beta);
                prop_assert!(other.f1() <= best_f1.f1());
                // Two rounded quotients on either side.
                prop_assert!(other.balanced_accuracy() <= balanced + 1e-15);
            }
        }
    }
}
