//! The four counts of a yes/no decision, and the rates made of them.

/// How often a yes/no decision was right and wrong, in both directions.
///
/// "Positive" is the class looked for: class 1 of a binary problem, or one class against all
/// others.
///
/// # Example
///
/// ```
/// use macula_nn::metrics::Counts;
///
/// let counts = Counts {
///     true_positives: 6,
///     false_positives: 2,
///     false_negatives: 4,
///     true_negatives: 88,
/// };
/// assert_eq!(counts.recall(), 0.6);
/// assert_eq!(counts.precision(), 0.75);
/// assert_eq!(counts.f1(), 12.0 / 18.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Positive rows called positive.
    pub true_positives: u64,
    /// Negative rows called positive: false alarms.
    pub false_positives: u64,
    /// Positive rows called negative: misses.
    pub false_negatives: u64,
    /// Negative rows called negative.
    pub true_negatives: u64,
}

impl Counts {
    /// Rows that are positive, also called the support of the class.
    pub fn positives(&self) -> u64 {
        self.true_positives + self.false_negatives
    }

    /// Rows that are negative.
    pub fn negatives(&self) -> u64 {
        self.true_negatives + self.false_positives
    }

    /// Rows that were called positive.
    pub fn predicted_positives(&self) -> u64 {
        self.true_positives + self.false_positives
    }

    /// The share of positive rows that were found: `tp / (tp + fn)`, 0 without positive rows.
    pub fn recall(&self) -> f64 {
        share(self.true_positives, self.positives())
    }

    /// The share of alarms that were right: `tp / (tp + fp)`, 0 without alarms.
    pub fn precision(&self) -> f64 {
        share(self.true_positives, self.predicted_positives())
    }

    /// The share of negative rows left in peace: `tn / (tn + fp)`, 0 without negative rows.
    pub fn specificity(&self) -> f64 {
        share(self.true_negatives, self.negatives())
    }

    /// The harmonic mean of precision and recall: `2·tp / (2·tp + fp + fn)`, 0 where that is 0/0.
    pub fn f1(&self) -> f64 {
        self.f_beta(1.0)
    }

    /// The mean of precision and recall in which recall weighs `beta` times as much:
    /// `(1 + β²)·tp / ((1 + β²)·tp + β²·fn + fp)`, 0 where that is 0/0.
    ///
    /// # Source
    /// C. J. van Rijsbergen, *Information Retrieval*, 1979, chapter 7.
    pub fn f_beta(&self, beta: f64) -> f64 {
        let square = beta * beta;
        let found = (1.0 + square) * self.true_positives as f64;
        let wrong = square * self.false_negatives as f64 + self.false_positives as f64;
        if found == 0.0 {
            0.0
        } else {
            found / (found + wrong)
        }
    }
}

/// `part / whole`, and 0 where that is 0/0.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_without_rows_are_zero() {
        let none = Counts::default();
        assert_eq!(none.recall(), 0.0);
        assert_eq!(none.precision(), 0.0);
        assert_eq!(none.specificity(), 0.0);
        assert_eq!(none.f1(), 0.0);
        assert_eq!(none.f_beta(0.0), 0.0);
    }

    #[test]
    fn a_large_beta_turns_f_into_recall_and_zero_into_precision() {
        let counts = Counts {
            true_positives: 3,
            false_positives: 5,
            false_negatives: 1,
            true_negatives: 7,
        };
        // At β = 10⁸, precision still weighs 10⁻¹⁶ of recall.
        assert!((counts.f_beta(1e8) - counts.recall()).abs() < 1e-15);
        assert_eq!(counts.f_beta(0.0), counts.precision());
    }
}
