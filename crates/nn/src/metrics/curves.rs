//! What every possible threshold would give: the two curves, and the areas under them.

use macula_tensor::{Float, Result, Tensor};

use super::input::BinaryRows;
use super::ranking::Ranking;

/// Recall against false alarms, one point for each distinct score.
///
/// Scores may be on any scale, since only their order counts.
///
/// # Example
///
/// ```
/// use macula_nn::metrics::RocCurve;
/// use macula_tensor::Tensor;
///
/// let scores = Tensor::from([0.1, 0.4, 0.35, 0.8]);
/// let curve = RocCurve::new(&scores, &Tensor::from([0, 0, 1, 1]))?;
/// assert_eq!(curve.area(), 0.75); // of 4 pairs, 3 are in the right order
/// assert_eq!(curve.points()[1].threshold, 0.8);
/// assert_eq!(curve.points()[1].true_positive_rate, 0.5);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RocCurve {
    points: Vec<RocPoint>,
    area: f64,
}

/// One threshold of a [`RocCurve`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// Rows that score at least this are called positive; ∞ calls none.
    pub threshold: f64,
    /// The share of negative rows called positive; NaN without negative rows.
    pub false_positive_rate: f64,
    /// The share of positive rows called positive: recall; NaN without positive rows.
    pub true_positive_rate: f64,
}

impl RocCurve {
    /// The curve of scores `[N]` or `[N, 1]` and labels 0 or 1.
    ///
    /// # Errors
    /// As for [`BinaryReport::from_logits`](super::BinaryReport::from_logits).
    pub fn new<T: Float>(scores: &Tensor<T>, labels: &Tensor<i64>) -> Result<Self> {
        let rows = BinaryRows::new("RocCurve::new", scores, labels)?;
        let ranking = Ranking::new(rows.iter());
        let points = ranking.cuts.iter().map(|cut| RocPoint {
            threshold: cut.score,
            false_positive_rate: cut.counts.false_positives as f64 / cut.counts.negatives() as f64,
            true_positive_rate: cut.counts.true_positives as f64 / cut.counts.positives() as f64,
        });
        Ok(Self {
            points: points.collect(),
            area: ranking.roc_auc(),
        })
    }

    /// The points by falling threshold, from (0, 0) to (1, 1).
    pub fn points(&self) -> &[RocPoint] {
        &self.points
    }

    /// The area under the curve by trapezoids: the chance that a positive row scores above a
    /// negative one, ties counting half. NaN without rows of both classes.
    ///
    /// Where positives are rare this flatters: a false alarm rate that looks small can still bury
    /// the few true alarms. Read it next to the average precision.
    ///
    /// # Source
    /// J. A. Hanley and B. J. McNeil, *The Meaning and Use of the Area under a ROC Curve*, 1982.
    pub fn area(&self) -> f64 {
        self.area
    }
}

/// Precision against recall, one point for each distinct score.
///
/// Scores may be on any scale, since only their order counts.
///
/// # Example
///
/// ```
/// use macula_nn::metrics::PrecisionRecallCurve;
/// use macula_tensor::Tensor;
///
/// let scores = Tensor::from([0.1, 0.4, 0.35, 0.8]);
/// let curve = PrecisionRecallCurve::new(&scores, &Tensor::from([0, 0, 1, 1]))?;
/// // Half the positives at precision 1, the other half at 2/3.
/// assert_eq!(curve.average_precision(), (1.0 + 2.0 / 3.0) / 2.0);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PrecisionRecallCurve {
    points: Vec<PrecisionRecallPoint>,
    average_precision: f64,
}

/// One threshold of a [`PrecisionRecallCurve`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrecisionRecallPoint {
    /// Rows that score at least this are called positive; ∞ calls none.
    pub threshold: f64,
    /// The share of alarms that are right; 1 without alarms, by convention.
    pub precision: f64,
    /// The share of positive rows found; NaN without positive rows.
    pub recall: f64,
}

impl PrecisionRecallCurve {
    /// The curve of scores `[N]` or `[N, 1]` and labels 0 or 1.
    ///
    /// # Errors
    /// As for [`BinaryReport::from_logits`](super::BinaryReport::from_logits).
    pub fn new<T: Float>(scores: &Tensor<T>, labels: &Tensor<i64>) -> Result<Self> {
        let rows = BinaryRows::new("PrecisionRecallCurve::new", scores, labels)?;
        let ranking = Ranking::new(rows.iter());
        let points = ranking.cuts.iter().rev().map(|cut| PrecisionRecallPoint {
            threshold: cut.score,
            precision: match cut.counts.predicted_positives() {
                0 => 1.0,
                _ => cut.counts.precision(),
            },
            recall: cut.counts.true_positives as f64 / cut.counts.positives() as f64,
        });
        Ok(Self {
            points: points.collect(),
            average_precision: ranking.average_precision(),
        })
    }

    /// The points by rising threshold, from "all rows are positive" to (precision 1, recall 0).
    pub fn points(&self) -> &[PrecisionRecallPoint] {
        &self.points
    }

    /// The area under the curve in steps: Σ (recallₖ − recallₖ₋₁)·precisionₖ by falling threshold,
    /// without interpolation, which would promise too much. NaN without positive rows.
    ///
    /// Scores that know nothing get the share of positive rows.
    pub fn average_precision(&self) -> f64 {
        self.average_precision
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tied_scores_make_one_point() {
        let scores = Tensor::from([1.0_f32, 1.0, 1.0, 0.0]);
        let labels = Tensor::from([1, 0, 0, 0]);
        let roc = RocCurve::new(&scores, &labels).unwrap();
        assert_eq!(roc.points().len(), 3);
        assert_eq!(roc.points()[1].false_positive_rate, 2.0 / 3.0);
        assert_eq!(roc.area(), 2.0 / 3.0);
        let curve = PrecisionRecallCurve::new(&scores, &labels).unwrap();
        assert_eq!(curve.average_precision(), 1.0 / 3.0);
    }

    #[test]
    fn scores_that_know_nothing_get_chance() {
        let scores = Tensor::from([2.0; 8]);
        let labels = Tensor::from([1, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(RocCurve::new(&scores, &labels).unwrap().area(), 0.5);
        let curve = PrecisionRecallCurve::new(&scores, &labels).unwrap();
        assert_eq!(curve.average_precision(), 0.25);
    }

    #[test]
    fn one_class_alone_has_curves_without_an_area() {
        let scores = Tensor::from([1.0, 2.0]);
        let roc = RocCurve::new(&scores, &Tensor::from([0, 0])).unwrap();
        assert!(roc.area().is_nan());
        assert!(roc.points()[0].true_positive_rate.is_nan());
        assert_eq!(roc.points()[2].false_positive_rate, 1.0);
        let curve = PrecisionRecallCurve::new(&scores, &Tensor::from([0, 0])).unwrap();
        assert!(curve.average_precision().is_nan());
        assert_eq!(curve.points()[2].precision, 1.0);
    }
}
