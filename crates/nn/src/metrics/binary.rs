//! Everything about a yes/no classifier at once.

use macula_tensor::{Float, Result, Tensor};

use super::calibration::Calibration;
use super::confusion::ConfusionMatrix;
use super::counts::Counts;
use super::input::BinaryRows;
use super::probability::Scale;
use super::ranking::Ranking;
use super::running::Mean;
use super::threshold::Threshold;

/// Bins of the calibration error that reports print.
pub(super) const BINS: usize = 15;

/// How well a classifier finds the rows of class 1.
///
/// Three kinds of numbers that answer three questions: the decisions at one threshold (recall,
/// precision, F, …), the order of the scores at all thresholds (average precision, ROC area, best
/// F1), and the probabilities themselves (log loss, Brier score, calibration). A loss made for
/// imbalance usually moves the first a lot, the second a little, and worsens the third.
///
/// Print it to see all of them, each beside what no model at all would get.
///
/// # Example
///
/// ```
/// use macula_nn::metrics::BinaryReport;
/// use macula_tensor::Tensor;
///
/// let logits = Tensor::from([2.0_f32, -1.0, 0.5, -3.0, -2.0]);
/// let labels = Tensor::from([1, 1, 0, 0, 0]);
/// let report = BinaryReport::from_logits(&logits, &labels)?;
/// assert_eq!(report.recall(), 0.5); // one of two found
/// assert_eq!(report.precision(), 0.5); // one of two alarms right
/// assert_eq!(report.roc_auc(), 5.0 / 6.0); // of 6 pairs, 5 are in the right order
///
/// let lower = BinaryReport::from_logits_at(&logits, &labels, 0.25)?;
/// assert_eq!(lower.recall(), 1.0);
/// println!("{lower}");
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BinaryReport {
    confusion: ConfusionMatrix,
    threshold: Threshold,
    roc_auc: f64,
    average_precision: f64,
    best_f1: f64,
    best_f1_threshold: Threshold,
    log_loss: f64,
    brier: f64,
    calibration: Calibration,
}

impl BinaryReport {
    /// The report of logits, decided at probability 0.5: positive above logit 0.
    ///
    /// # Shapes
    /// `logits [N]` or `[N, 1]` in nats, `labels [N]` or `[N, 1]`.
    ///
    /// # Errors
    /// At least one row, as many labels as logits, no logit NaN (the error names the row), labels
    /// 0 or 1 (the error names row and value). Infinite logits are certain, and are allowed.
    pub fn from_logits<T: Float>(logits: &Tensor<T>, labels: &Tensor<i64>) -> Result<Self> {
        Self::from_logits_at(logits, labels, 0.5)
    }

    /// The report of logits, decided at a threshold: a probability such as `0.3`, or a
    /// [`Threshold`] that was chosen on validation data.
    ///
    /// # Errors
    /// As for [`BinaryReport::from_logits`], and a threshold must be within 0 and 1.
    pub fn from_logits_at<T: Float>(
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
        threshold: impl Into<Threshold>,
    ) -> Result<Self> {
        let op = "BinaryReport::from_logits";
        let threshold = threshold.into().checked(op)?;
        let rows = BinaryRows::new(op, logits, labels)?;
        Ok(Self::new(&rows, Scale::Logit, threshold))
    }

    /// The report of probabilities of class 1, decided at 0.5.
    ///
    /// # Errors
    /// As for [`BinaryReport::from_logits`], and probabilities must be within 0 and 1.
    ///
    /// # Numerics
    /// Prefer logits where there are any: a probability that was rounded to 0 or 1 makes the log
    /// loss of a mistake infinite, and equal to its neighbours in rank.
    pub fn from_probabilities<T: Float>(
        probabilities: &Tensor<T>,
        labels: &Tensor<i64>,
    ) -> Result<Self> {
        Self::from_probabilities_at(probabilities, labels, 0.5)
    }

    /// The report of probabilities of class 1, decided at a threshold.
    ///
    /// # Errors
    /// As for [`BinaryReport::from_probabilities`], and a threshold must be within 0 and 1.
    pub fn from_probabilities_at<T: Float>(
        probabilities: &Tensor<T>,
        labels: &Tensor<i64>,
        threshold: impl Into<Threshold>,
    ) -> Result<Self> {
        let op = "BinaryReport::from_probabilities";
        let threshold = threshold.into().checked(op)?;
        let rows = BinaryRows::of_probabilities(op, probabilities, labels)?;
        Ok(Self::new(&rows, Scale::Probability, threshold))
    }

    fn new(rows: &BinaryRows, scale: Scale, threshold: Threshold) -> Self {
        let mut confusion = ConfusionMatrix::new(2);
        let mut log_loss = Mean::new();
        let mut brier = Mean::new();
        let mut outcomes = Vec::with_capacity(rows.scores.len());
        for (score, positive) in rows.iter() {
            let predicted = threshold.accepts(score, scale);
            confusion.record(usize::from(positive), usize::from(predicted));
            let verdict = scale.verdict(score, positive);
            log_loss.add(verdict.surprise);
            brier.add(verdict.miss * verdict.miss);
            outcomes.push((verdict.probability, positive));
        }
        let ranking = Ranking::new(rows.iter());
        let best = ranking.best(Counts::f1);
        Self {
            confusion,
            threshold,
            roc_auc: ranking.roc_auc(),
            average_precision: ranking.average_precision(),
            best_f1: ranking.cuts[best].counts.f1(),
            best_f1_threshold: Threshold::below(&ranking, best, scale),
            log_loss: log_loss.value(),
            brier: brier.value(),
            calibration: Calibration::of(BINS, outcomes.into_iter()),
        }
    }

    /// The threshold the decisions were made at.
    pub fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// True and false positives and negatives.
    pub fn counts(&self) -> Counts {
        self.confusion.class(1)
    }

    /// The table of true and predicted classes.
    pub fn confusion(&self) -> &ConfusionMatrix {
        &self.confusion
    }

    /// The share of positive rows that were found; 0 if there are none.
    pub fn recall(&self) -> f64 {
        self.counts().recall()
    }

    /// The share of alarms that were right; 0 if there were none.
    pub fn precision(&self) -> f64 {
        self.counts().precision()
    }

    /// The share of negative rows left in peace; 0 if there are none.
    pub fn specificity(&self) -> f64 {
        self.counts().specificity()
    }

    /// The harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        self.counts().f1()
    }

    /// F-beta: recall weighs `beta` times as much as precision; see [`Counts::f_beta`].
    pub fn f_beta(&self, beta: f64) -> f64 {
        self.counts().f_beta(beta)
    }

    /// The share of rows that were right.
    pub fn accuracy(&self) -> f64 {
        self.confusion.accuracy()
    }

    /// The mean recall of the classes that occur: `(recall + specificity) / 2`.
    pub fn balanced_accuracy(&self) -> f64 {
        self.confusion.balanced_accuracy()
    }

    /// The geometric mean of recall and specificity; see [`ConfusionMatrix::g_mean`].
    pub fn g_mean(&self) -> f64 {
        self.confusion.g_mean()
    }

    /// Matthews' correlation; see [`ConfusionMatrix::mcc`].
    pub fn mcc(&self) -> f64 {
        self.confusion.mcc()
    }

    /// Cohen's kappa; see [`ConfusionMatrix::kappa`].
    pub fn kappa(&self) -> f64 {
        self.confusion.kappa()
    }

    /// The area under the precision-recall curve; see
    /// [`PrecisionRecallCurve::average_precision`](super::PrecisionRecallCurve::average_precision).
    pub fn average_precision(&self) -> f64 {
        self.average_precision
    }

    /// The area under the ROC curve; see [`RocCurve::area`](super::RocCurve::area).
    pub fn roc_auc(&self) -> f64 {
        self.roc_auc
    }

    /// The greatest F1 of all thresholds *on these rows*: what the scores could do, and more than
    /// a threshold chosen beforehand will reach.
    pub fn best_f1(&self) -> f64 {
        self.best_f1
    }

    /// The threshold of [`BinaryReport::best_f1`]. To decide with it, it must come from the
    /// report of validation data.
    pub fn best_f1_threshold(&self) -> Threshold {
        self.best_f1_threshold
    }

    /// The mean of `−ln` of the probability of the true class, in nats, unclipped: infinite as
    /// soon as one row is certain and wrong.
    pub fn log_loss(&self) -> f64 {
        self.log_loss
    }

    /// The mean of `(p − y)²`.
    ///
    /// # Source
    /// G. W. Brier, *Verification of Forecasts Expressed in Terms of Probability*, 1950; his sum
    /// over both classes is twice this.
    pub fn brier(&self) -> f64 {
        self.brier
    }

    /// The probability of class 1 against what happened, in 15 bins.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// The expected calibration error in 15 bins; see [`Calibration::ece`].
    pub fn ece(&self) -> f64 {
        self.calibration.ece()
    }

    /// The maximum calibration error in 15 bins; see [`Calibration::mce`].
    pub fn mce(&self) -> f64 {
        self.calibration.mce()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(logits: &[f64], labels: &[i64]) -> BinaryReport {
        BinaryReport::from_logits(
            &Tensor::from(logits.to_vec()),
            &Tensor::from(labels.to_vec()),
        )
        .unwrap()
    }

    #[test]
    fn logits_and_their_probabilities_give_one_report() {
        let logits = [-2.0, 0.5, 1.5, -0.25, 0.5, -3.0];
        let labels = Tensor::from([0, 1, 1, 1, 0, 0]);
        let probabilities = logits.map(|logit: f64| 1.0 / (1.0 + (-logit).exp()));
        let one = BinaryReport::from_logits_at(&Tensor::from(logits), &labels, 0.45).unwrap();
        let two = BinaryReport::from_probabilities_at(&Tensor::from(probabilities), &labels, 0.45)
            .unwrap();
        assert_eq!(one.confusion(), two.confusion());
        assert_eq!(one.roc_auc(), two.roc_auc());
        assert_eq!(one.average_precision(), two.average_precision());
        assert_eq!(one.best_f1(), two.best_f1());
        // Rounding a probability moves each of these by some units in its last place.
        assert!((one.log_loss() - two.log_loss()).abs() < 1e-15);
        assert!((one.brier() - two.brier()).abs() < 1e-15);
        assert!((one.ece() - two.ece()).abs() < 1e-15);
    }

    #[test]
    fn a_logit_of_zero_is_negative_at_one_half() {
        assert_eq!(report(&[0.0, 1.0], &[1, 1]).recall(), 0.5);
    }

    #[test]
    fn certain_and_wrong_costs_an_infinite_log_loss() {
        let certain = Tensor::from([1.0_f32, 0.5]);
        let report = BinaryReport::from_probabilities(&certain, &Tensor::from([0, 1])).unwrap();
        assert_eq!(report.log_loss(), f64::INFINITY);
        assert_eq!(report.brier(), 0.625);
    }

    #[test]
    fn large_logits_keep_their_rank_where_probabilities_saturate() {
        let report = report(&[40.0, 50.0, 60.0], &[0, 1, 1]);
        assert_eq!(report.roc_auc(), 1.0);
        assert_eq!(report.best_f1(), 1.0);
        assert_eq!(report.best_f1_threshold().logit(), 45.0);
        assert_eq!(report.best_f1_threshold().probability(), 1.0);
    }

    #[test]
    fn without_positive_rows_nothing_can_be_found() {
        let report = report(&[1.0, -2.0], &[0, 0]);
        assert!(report.roc_auc().is_nan());
        assert!(report.average_precision().is_nan());
        assert_eq!(report.recall(), 0.0);
        assert_eq!(report.best_f1(), 0.0);
        assert_eq!(report.specificity(), 0.5);
        assert_eq!(report.balanced_accuracy(), 0.5);
    }

    #[test]
    fn bad_input_is_an_error() {
        let logits = Tensor::from([1.0_f32, f32::NAN]);
        let labels = Tensor::from([0, 1]);
        assert_eq!(
            BinaryReport::from_logits(&logits, &labels)
                .unwrap_err()
                .to_string(),
            "BinaryReport::from_logits: the score of row 1 is not finite (NaN)"
        );
        let logits = Tensor::from([1.0_f32, 2.0]);
        assert_eq!(
            BinaryReport::from_logits_at(&logits, &labels, 2.0)
                .unwrap_err()
                .to_string(),
            "BinaryReport::from_logits: threshold must be a probability between 0 and 1, found 2"
        );
        assert_eq!(
            BinaryReport::from_probabilities(&logits, &labels)
                .unwrap_err()
                .to_string(),
            "BinaryReport::from_probabilities: probabilities must be between 0 and 1, found 2 in \
             row 1"
        );
    }
}
