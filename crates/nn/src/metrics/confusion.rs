//! Which class was taken for which, and the summaries of that table.

use macula_tensor::{Float, Result, Tensor};

use super::counts::Counts;
use super::input::{ClassRows, class_labels, column};
use super::probability::argmax;
use super::running::Mean;

/// How often each class was taken for each other one; batches can be added one after the other.
///
/// Printed as a table with the true classes downwards and the predicted ones across. Before the
/// first row every mean is NaN.
///
/// # Example
///
/// ```
/// use macula_nn::metrics::ConfusionMatrix;
/// use macula_tensor::Tensor;
///
/// let mut confusion = ConfusionMatrix::new(2);
/// let labels = Tensor::from([0, 0, 0, 1, 1]);
/// let predicted = Tensor::from([0, 0, 1, 1, 0]);
/// confusion.add(&predicted, &labels)?;
/// confusion.add(&predicted, &labels)?;
///
/// assert_eq!(confusion.count(0, 1), 2); // truly 0, taken for 1
/// assert_eq!(confusion.class(1).recall(), 0.5);
/// assert_eq!(confusion.balanced_accuracy(), (2.0 / 3.0 + 0.5) / 2.0);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    /// Row-major: true class, then predicted class.
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// An empty table for the classes `0 .. classes`.
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            counts: vec![0; classes * classes],
        }
    }

    /// Adds a batch of predicted and true classes.
    ///
    /// # Shapes
    /// Both `[N]` or `[N, 1]`.
    ///
    /// # Errors
    /// As many predictions as labels, at least one, all of them classes of this table; a batch
    /// with an error adds nothing.
    pub fn add(&mut self, predicted: &Tensor<i64>, labels: &Tensor<i64>) -> Result<()> {
        let op = "ConfusionMatrix::add";
        let rows = column(op, predicted)?.len();
        let labels = class_labels(op, labels, rows, self.classes)?;
        let predicted = class_labels(op, predicted, rows, self.classes)?;
        for (truth, predicted) in labels.into_iter().zip(predicted) {
            self.record(truth, predicted);
        }
        Ok(())
    }

    /// Adds a batch of logits, of which the largest of each row is the prediction (the first one
    /// on a tie).
    ///
    /// # Shapes
    /// `logits [N, C]`, `labels [N]` or `[N, 1]`.
    ///
    /// # Errors
    /// As for [`MulticlassReport::from_logits`](super::MulticlassReport::from_logits), and there
    /// must be as many logits a row as classes; a batch with an error adds nothing.
    pub fn add_logits<T: Float>(&mut self, logits: &Tensor<T>, labels: &Tensor<i64>) -> Result<()> {
        let op = "ConfusionMatrix::add_logits";
        let rows = ClassRows::new(op, logits, labels)?;
        rows.expect_classes(op, self.classes)?;
        for (logits, truth) in rows.iter() {
            self.record(truth, argmax(logits));
        }
        Ok(())
    }

    /// Adds one row; both classes have been checked.
    pub(super) fn record(&mut self, truth: usize, predicted: usize) {
        self.counts[truth * self.classes + predicted] += 1;
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Number of rows added.
    pub fn rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many rows of class `truth` were taken for `predicted`; 0 for a class that is not in
    /// the table.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        if predicted >= self.classes {
            return 0;
        }
        self.counts
            .get(truth * self.classes + predicted)
            .copied()
            .unwrap_or(0)
    }

    /// One class against all others: its precision, recall, F and support.
    pub fn class(&self, class: usize) -> Counts {
        let of_truth: u64 = (0..self.classes)
            .map(|other| self.count(class, other))
            .sum();
        let of_prediction: u64 = (0..self.classes)
            .map(|other| self.count(other, class))
            .sum();
        let both = self.count(class, class);
        Counts {
            true_positives: both,
            false_positives: of_prediction - both,
            false_negatives: of_truth - both,
            true_negatives: self.rows() + both - of_truth - of_prediction,
        }
    }

    /// Each class against all others, in order.
    pub fn each_class(&self) -> impl Iterator<Item = Counts> {
        (0..self.classes).map(|class| self.class(class))
    }

    fn right(&self) -> u64 {
        (0..self.classes)
            .map(|class| self.count(class, class))
            .sum()
    }

    /// The share of rows that were right. The common classes alone decide it.
    pub fn accuracy(&self) -> f64 {
        self.right() as f64 / self.rows() as f64
    }

    /// The mean recall of the classes that occur: every class counts the same, however rare.
    pub fn balanced_accuracy(&self) -> f64 {
        self.recalls_that_occur().collect::<Mean>().value()
    }

    /// The geometric mean of the recalls of the classes that occur: 0 as soon as one class is
    /// never found.
    ///
    /// # Source
    /// M. Kubat and S. Matwin, *Addressing the Curse of Imbalanced Training Sets*, 1997.
    pub fn g_mean(&self) -> f64 {
        let logarithms = self.recalls_that_occur().map(f64::ln);
        logarithms.collect::<Mean>().value().exp()
    }

    fn recalls_that_occur(&self) -> impl Iterator<Item = f64> {
        self.each_class()
            .filter(|counts| counts.positives() > 0)
            .map(|counts| counts.recall())
    }

    /// The plain mean over classes of a rate such as [`Counts::f1`]. A class that neither occurs
    /// nor was predicted has no say.
    pub fn macro_average(&self, rate: impl Fn(&Counts) -> f64) -> f64 {
        self.each_class()
            .filter(|counts| counts.positives() + counts.predicted_positives() > 0)
            .map(|counts| rate(&counts))
            .collect::<Mean>()
            .value()
    }

    /// The mean over classes of a rate such as [`Counts::f1`], weighted by how often they occur.
    pub fn weighted_average(&self, rate: impl Fn(&Counts) -> f64) -> f64 {
        let mut mean = Mean::new();
        for counts in self.each_class() {
            mean.add_weighted(rate(&counts), counts.positives() as f64);
        }
        mean.value()
    }

    /// F1 of the summed counts of all classes. Where every row has exactly one class, as here,
    /// this is the accuracy.
    pub fn micro_f1(&self) -> f64 {
        self.accuracy()
    }

    /// Matthews' correlation between truth and prediction: 1 for a perfect answer, 0 for one that
    /// knows nothing, and 0 where only one class occurs or is predicted.
    ///
    /// With `s` rows, `c` of them right, `tₖ` of class k and `pₖ` taken for it:
    /// `(c·s − Σ tₖpₖ) / √((s² − Σ pₖ²)(s² − Σ tₖ²))`.
    ///
    /// # Source
    /// J. Gorodkin, *Comparing two K-category assignments by a K-category correlation
    /// coefficient*, 2004, equation 8.
    pub fn mcc(&self) -> f64 {
        let Agreement {
            surplus,
            truths_vary,
            predictions_vary,
            ..
        } = self.agreement();
        if truths_vary == 0.0 || predictions_vary == 0.0 {
            return if self.rows() == 0 { f64::NAN } else { 0.0 };
        }
        surplus / (truths_vary * predictions_vary).sqrt()
    }

    /// Cohen's kappa: how much of the agreement that chance leaves open was reached,
    /// `(c·s − Σ tₖpₖ) / (s² − Σ tₖpₖ)` with the letters of [`ConfusionMatrix::mcc`].
    ///
    /// NaN where all rows are of one class and were taken for it: chance leaves nothing open.
    ///
    /// # Source
    /// J. Cohen, *A Coefficient of Agreement for Nominal Scales*, 1960.
    pub fn kappa(&self) -> f64 {
        let agreement = self.agreement();
        agreement.surplus / agreement.left_by_chance
    }

    fn agreement(&self) -> Agreement {
        let whole = i128::from(self.rows());
        let sum_of = |product: fn(i128, i128) -> i128| -> i128 {
            self.each_class()
                .map(|counts| {
                    product(
                        i128::from(counts.positives()),
                        i128::from(counts.predicted_positives()),
                    )
                })
                .sum()
        };
        let by_chance = sum_of(|truths, predictions| truths * predictions);
        let square = whole * whole;
        Agreement {
            surplus: (i128::from(self.right()) * whole - by_chance) as f64,
            left_by_chance: (square - by_chance) as f64,
            truths_vary: (square - sum_of(|truths, _| truths * truths)) as f64,
            predictions_vary: (square - sum_of(|_, predictions| predictions * predictions)) as f64,
        }
    }
}

/// What correlation and kappa are made of; differences of whole numbers, so nothing cancels.
struct Agreement {
    /// `c·s − Σ tₖpₖ`.
    surplus: f64,
    /// `s² − Σ tₖpₖ`.
    left_by_chance: f64,
    /// `s² − Σ tₖ²`.
    truths_vary: f64,
    /// `s² − Σ pₖ²`.
    predictions_vary: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(classes: usize, rows: &[(usize, usize)]) -> ConfusionMatrix {
        let mut confusion = ConfusionMatrix::new(classes);
        for &(truth, predicted) in rows {
            confusion.record(truth, predicted);
        }
        confusion
    }

    proptest! {
        #[test]
        fn every_class_counts_every_row(rows in prop::collection::vec((0..4_usize, 0..4_usize), 1..80)) {
            let confusion = filled(4, &rows);
            let total = rows.len() as u64;
            prop_assert_eq!(confusion.rows(), total);
            let mut supports = 0;
            for (class, counts) in confusion.each_class().enumerate() {
                prop_assert_eq!(counts.positives() + counts.negatives(), total);
                let predicted = rows.iter().filter(|row| row.1 == class).count() as u64;
                prop_assert_eq!(counts.predicted_positives(), predicted);
                supports += counts.positives();
            }
            prop_assert_eq!(supports, total);
        }

        #[test]
        fn micro_f1_is_the_f1_of_the_summed_counts(rows in prop::collection::vec((0..3_usize, 0..3_usize), 1..40)) {
            let confusion = filled(3, &rows);
            let mut sum = Counts::default();
            for counts in confusion.each_class() {
                sum.true_positives += counts.true_positives;
                sum.false_positives += counts.false_positives;
                sum.false_negatives += counts.false_negatives;
            }
            // Two quotients of equal value: one rounding each.
            prop_assert!((confusion.micro_f1() - sum.f1()).abs() < 1e-15);
        }

        #[test]
        fn two_classes_have_the_textbook_correlation(tp in 1..50_u64, fp in 1..50_u64, fn_ in 1..50_u64, tn in 1..50_u64) {
            let confusion = ConfusionMatrix { classes: 2, counts: vec![tn, fp, fn_, tp] };
            let [p, q, r, s] = [tp, fp, fn_, tn].map(|count| count as f64);
            let textbook = (p * s - q * r) / ((p + q) * (p + r) * (s + q) * (s + r)).sqrt();
            // Whole numbers, then one root and one quotient.
            prop_assert!((confusion.mcc() - textbook).abs() < 1e-15);
        }
    }

    #[test]
    fn a_perfect_answer_is_one_everywhere() {
        let confusion = filled(3, &[(0, 0), (0, 0), (1, 1), (2, 2), (0, 0)]);
        assert_eq!(confusion.accuracy(), 1.0);
        assert_eq!(confusion.balanced_accuracy(), 1.0);
        assert_eq!(confusion.g_mean(), 1.0);
        assert_eq!(confusion.mcc(), 1.0);
        assert_eq!(confusion.kappa(), 1.0);
        assert_eq!(confusion.macro_average(Counts::f1), 1.0);
    }

    #[test]
    fn always_the_common_class_earns_nothing_but_accuracy() {
        let confusion = filled(2, &[(0, 0), (0, 0), (0, 0), (1, 0)]);
        assert_eq!(confusion.accuracy(), 0.75);
        assert_eq!(confusion.balanced_accuracy(), 0.5);
        assert_eq!(confusion.g_mean(), 0.0);
        assert_eq!(confusion.mcc(), 0.0);
        assert_eq!(confusion.kappa(), 0.0);
    }

    #[test]
    fn one_class_alone_leaves_kappa_undefined() {
        let confusion = filled(2, &[(0, 0), (0, 0)]);
        assert!(confusion.kappa().is_nan());
        assert_eq!(confusion.mcc(), 0.0);
        assert_eq!(confusion.balanced_accuracy(), 1.0);
    }

    #[test]
    fn averages_leave_out_what_never_occurs() {
        // Class 2 neither occurs nor is predicted; class 1 is predicted only.
        let confusion = filled(3, &[(0, 0), (0, 1)]);
        assert_eq!(confusion.balanced_accuracy(), 0.5);
        assert_eq!(confusion.macro_average(Counts::recall), 0.25);
        assert_eq!(confusion.weighted_average(Counts::recall), 0.5);
    }

    #[test]
    fn an_empty_table_has_no_means() {
        let empty = ConfusionMatrix::new(2);
        assert!(empty.accuracy().is_nan());
        assert!(empty.balanced_accuracy().is_nan());
        assert!(empty.mcc().is_nan());
        assert!(empty.kappa().is_nan());
    }

    #[test]
    fn batches_add_up_and_a_bad_batch_adds_nothing() {
        let mut batches = ConfusionMatrix::new(3);
        let logits = Tensor::from([[1.0_f32, 0.0, 0.0], [0.0, 2.0, 2.0]]);
        batches.add_logits(&logits, &Tensor::from([0, 2])).unwrap();
        batches.add(&Tensor::from([2]), &Tensor::from([1])).unwrap();
        assert_eq!(batches, filled(3, &[(0, 0), (2, 1), (1, 2)]));

        let error = batches.add(&Tensor::from([0, 3]), &Tensor::from([0, 0]));
        assert_eq!(
            error.unwrap_err().to_string(),
            "ConfusionMatrix::add: row 1 has label 3, expected 0 to 2"
        );
        let two = Tensor::from([[1.0_f32, 0.0]]);
        assert_eq!(
            batches
                .add_logits(&two, &Tensor::from([0]))
                .unwrap_err()
                .to_string(),
            "ConfusionMatrix::add_logits: expected logits of shape [rows, 3], found shape [1, 2]"
        );
        assert_eq!(batches.rows(), 3);
    }

    #[test]
    fn a_class_outside_the_table_counts_nothing() {
        let confusion = filled(2, &[(0, 0), (1, 0)]);
        assert_eq!(confusion.count(0, 2), 0);
        assert_eq!(confusion.count(2, 0), 0);
        assert_eq!(confusion.class(2).positives(), 0);
        assert_eq!(confusion.class(2).true_negatives, 2);
    }
}
