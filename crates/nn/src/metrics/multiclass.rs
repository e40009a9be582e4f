//! Everything about a classifier with several classes at once.

use macula_tensor::{Error, Float, Result, Tensor};

use super::binary::BINS;
use super::calibration::Calibration;
use super::confusion::ConfusionMatrix;
use super::counts::Counts;
use super::input::ClassRows;
use super::probability::{Softmax, argmax};
use super::ranking::Ranking;
use super::running::Mean;

/// How well a classifier tells several classes apart, each class counting by itself.
///
/// Decisions are the largest logit of each row, the first one on a tie. Print it for a table of
/// all classes.
///
/// # Example
///
/// ```
/// use macula_nn::metrics::MulticlassReport;
/// use macula_tensor::Tensor;
///
/// let logits = Tensor::from([[2.0_f32, 0.0, 1.0], [0.5, 0.0, 1.0], [0.0, 3.0, 1.0], [0.0, 1.0, 2.0]]);
/// let labels = Tensor::from([0, 0, 1, 2]);
/// let report = MulticlassReport::from_logits(&logits, &labels)?.with_names(["a", "b", "c"])?;
/// assert_eq!(report.class(0).recall(), 0.5);
/// assert_eq!(report.balanced_accuracy(), (0.5 + 1.0 + 1.0) / 3.0);
/// println!("{report}");
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MulticlassReport {
    names: Vec<String>,
    confusion: ConfusionMatrix,
    /// How often the true class was the most likely one, the second most likely, …
    ranks: Vec<u64>,
    average_precisions: Vec<f64>,
    roc_aucs: Vec<f64>,
    log_loss: f64,
    brier: f64,
    calibration: Calibration,
}

impl MulticlassReport {
    /// The report of logits.
    ///
    /// # Shapes
    /// `logits [N, C]` in nats with `C ≥ 2`, `labels [N]` or `[N, 1]`.
    ///
    /// # Errors
    /// At least one row, as many labels as rows, no logit NaN and in each row a finite largest
    /// one (the error names the row), labels within `0 .. C` (the error names row and value). A
    /// logit of −∞ rules its class out.
    ///
    /// # Numerics
    /// Classes are ranked by `ln p`, which tells rows apart where `p` is 1 in floating point.
    pub fn from_logits<T: Float>(logits: &Tensor<T>, labels: &Tensor<i64>) -> Result<Self> {
        let rows = ClassRows::new("MulticlassReport::from_logits", logits, labels)?;
        let classes = rows.classes;

        let mut confusion = ConfusionMatrix::new(classes);
        let mut ranks = vec![0; classes];
        let mut scores = Vec::with_capacity(rows.logits.len());
        let mut outcomes = Vec::with_capacity(rows.labels.len());
        let mut log_loss = Mean::new();
        let mut brier = Mean::new();
        let mut softmax = Softmax::default();
        for (logits, truth) in rows.iter() {
            let predicted = argmax(logits);
            confusion.record(truth, predicted);
            ranks[rank(logits, truth)] += 1;

            softmax.read(logits, predicted);
            scores.extend_from_slice(&softmax.logarithms);
            outcomes.push((softmax.probabilities[predicted], predicted == truth));
            log_loss.add(-softmax.logarithms[truth]);
            brier.add(squared_error(&softmax, truth));
        }

        let (average_precisions, roc_aucs) = (0..classes)
            .map(|class| {
                let column = scores.iter().skip(class).step_by(classes).copied();
                let truths = rows.labels.iter().map(|truth| *truth == class);
                let ranking = Ranking::new(column.zip(truths));
                (ranking.average_precision(), ranking.roc_auc())
            })
            .unzip();
        Ok(Self {
            names: (0..classes).map(|class| class.to_string()).collect(),
            confusion,
            ranks,
            average_precisions,
            roc_aucs,
            log_loss: log_loss.value(),
            brier: brier.value(),
            calibration: Calibration::of(BINS, outcomes.into_iter()),
        })
    }

    /// The same report, printed with the names of the classes.
    ///
    /// # Errors
    /// There must be as many names as classes.
    pub fn with_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != self.confusion.classes() {
            return Err(Error::Argument {
                op: "MulticlassReport::with_names",
                argument: "names",
                expected: format!("{}, one a class", self.confusion.classes()),
                found: names.len().to_string(),
            });
        }
        self.names = names;
        Ok(self)
    }

    /// The names of the classes: their numbers, unless others were given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The table of true and predicted classes.
    pub fn confusion(&self) -> &ConfusionMatrix {
        &self.confusion
    }

    /// One class against all others: its precision, recall, F and support.
    pub fn class(&self, class: usize) -> Counts {
        self.confusion.class(class)
    }

    /// The class that is found least often, of those that occur, and its recall; the first of
    /// them on a tie.
    pub fn worst_recall(&self) -> (usize, f64) {
        self.confusion
            .each_class()
            .enumerate()
            .filter(|(_, counts)| counts.positives() > 0)
            .map(|(class, counts)| (class, counts.recall()))
            .fold((0, f64::INFINITY), |worst, this| {
                if this.1 < worst.1 { this } else { worst }
            })
    }

    /// The share of rows that were right.
    pub fn accuracy(&self) -> f64 {
        self.confusion.accuracy()
    }

    /// The share of rows whose true class is among the `k` largest logits; the first of equal
    /// logits counts as the larger.
    pub fn top_k_accuracy(&self, k: usize) -> f64 {
        let right: u64 = self.ranks.iter().take(k).sum();
        right as f64 / self.confusion.rows() as f64
    }

    /// The mean recall of the classes that occur; see [`ConfusionMatrix::balanced_accuracy`].
    pub fn balanced_accuracy(&self) -> f64 {
        self.confusion.balanced_accuracy()
    }

    /// The geometric mean of the recalls; see [`ConfusionMatrix::g_mean`].
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

    /// The plain mean of F1 over classes; see [`ConfusionMatrix::macro_average`].
    pub fn macro_f1(&self) -> f64 {
        self.confusion.macro_average(Counts::f1)
    }

    /// The plain mean of F-beta over classes.
    pub fn macro_f_beta(&self, beta: f64) -> f64 {
        self.confusion.macro_average(|counts| counts.f_beta(beta))
    }

    /// F1 of the summed counts, which is the accuracy.
    pub fn micro_f1(&self) -> f64 {
        self.confusion.micro_f1()
    }

    /// The mean of F1, each class weighted by how often it occurs.
    pub fn weighted_f1(&self) -> f64 {
        self.confusion.weighted_average(Counts::f1)
    }

    /// Average precision of each class against all others; NaN for a class that does not occur.
    pub fn average_precisions(&self) -> &[f64] {
        &self.average_precisions
    }

    /// ROC area of each class against all others; NaN for a class that does not occur, or is the
    /// only one.
    pub fn roc_aucs(&self) -> &[f64] {
        &self.roc_aucs
    }

    /// The mean of [`MulticlassReport::average_precisions`] over the classes that have one.
    pub fn macro_average_precision(&self) -> f64 {
        mean_of_defined(&self.average_precisions)
    }

    /// The mean of [`MulticlassReport::roc_aucs`] over the classes that have one.
    pub fn macro_roc_auc(&self) -> f64 {
        mean_of_defined(&self.roc_aucs)
    }

    /// The mean of `−ln` of the probability of the true class, in nats, unclipped.
    pub fn log_loss(&self) -> f64 {
        self.log_loss
    }

    /// The mean over rows of `Σⱼ (pⱼ − yⱼ)²`: for two classes, twice the binary score.
    ///
    /// # Source
    /// G. W. Brier, *Verification of Forecasts Expressed in Terms of Probability*, 1950.
    pub fn brier(&self) -> f64 {
        self.brier
    }

    /// The largest probability of a row against how often it was right, in 15 bins.
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

/// How many classes come before one, in the order by which [`argmax`] takes the first.
fn rank(logits: &[f64], class: usize) -> usize {
    let own = logits[class];
    logits
        .iter()
        .enumerate()
        .filter(|&(other, &logit)| logit > own || (logit == own && other < class))
        .count()
}

/// `Σⱼ (pⱼ − yⱼ)²`, with `1 − p` of the true class from the other ones.
fn squared_error(softmax: &Softmax, truth: usize) -> f64 {
    let miss = softmax.without(truth);
    let others = softmax
        .probabilities
        .iter()
        .enumerate()
        .filter(|(class, _)| *class != truth)
        .map(|(_, p)| p * p);
    miss * miss + others.sum::<f64>()
}

fn mean_of_defined(values: &[f64]) -> f64 {
    let defined = values.iter().copied().filter(|value| !value.is_nan());
    defined.collect::<Mean>().value()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::BinaryReport;

    proptest! {
        #[test]
        fn two_classes_agree_with_the_binary_report(
            rows in prop::collection::vec((-3.0_f64..3.0, any::<bool>()), 1..50),
        ) {
            let (mut margins, mut labels): (Vec<f64>, Vec<i64>) = rows
                .into_iter()
                .map(|(margin, positive)| (margin, i64::from(positive)))
                .unzip();
            margins.extend([1.0, -1.0]);
            labels.extend([0, 1]);
            let logits = margins.iter().flat_map(|margin| [0.0, *margin]).collect();
            let logits = Tensor::from_vec(logits, [margins.len(), 2]).unwrap();
            let labels = Tensor::from(labels);
            let binary = BinaryReport::from_logits(&Tensor::from(margins), &labels).unwrap();
            let several = MulticlassReport::from_logits(&logits, &labels).unwrap();

            prop_assert_eq!(binary.confusion(), several.confusion());
            prop_assert_eq!(several.roc_aucs(), [binary.roc_auc(), binary.roc_auc()]);
            prop_assert_eq!(several.average_precisions()[1], binary.average_precision());
            // Means of at most 52 numbers, each within a few units in its last place.
            prop_assert!((several.log_loss() - binary.log_loss()).abs() < 1e-14);
            prop_assert!((several.brier() - 2.0 * binary.brier()).abs() < 1e-14);
        }

        #[test]
        fn adding_a_constant_to_a_row_changes_nothing(
            logits in prop::collection::vec(-8_i32..8, 30),
            labels in prop::collection::vec(0_i64..3, 10),
            shifts in prop::collection::vec(-50_i32..50, 10),
        ) {
            // Quarters, so that the sums are exact.
            let plain: Vec<f64> = logits.iter().map(|&logit| f64::from(logit) / 4.0).collect();
            let shifted: Vec<f64> = plain
                .iter()
                .enumerate()
                .map(|(place, logit)| logit + f64::from(shifts[place / 3]))
                .collect();
            let labels = Tensor::from(labels);
            let report = |logits: Vec<f64>| {
                MulticlassReport::from_logits(&Tensor::from_vec(logits, [10, 3]).unwrap(), &labels)
                    .unwrap()
                    .to_string()
            };
            prop_assert_eq!(report(plain), report(shifted));
        }
    }

    fn example() -> MulticlassReport {
        // Class 2 never occurs.
        let logits = Tensor::from([
            [2.0, 1.0, 0.0],
            [0.0, 2.0, 1.0],
            [1.0, 1.0, 0.0],
            [0.0, 1.0, 2.0],
        ]);
        MulticlassReport::from_logits(&logits, &Tensor::from([0, 1, 1, 0])).unwrap()
    }

    #[test]
    fn a_class_that_never_occurs_is_left_out_of_the_means() {
        let report = example();
        assert!(report.average_precisions()[2].is_nan());
        assert!(report.roc_aucs()[2].is_nan());
        let mean = (report.roc_aucs()[0] + report.roc_aucs()[1]) / 2.0;
        assert_eq!(report.macro_roc_auc(), mean);
        assert_eq!(report.balanced_accuracy(), 0.5);
    }

    #[test]
    fn top_k_accuracy_grows_from_accuracy_to_one() {
        let report = example();
        assert_eq!(report.top_k_accuracy(0), 0.0);
        assert_eq!(report.top_k_accuracy(1), report.accuracy());
        assert_eq!(report.top_k_accuracy(2), 0.75);
        assert_eq!(report.top_k_accuracy(3), 1.0);
        assert_eq!(report.top_k_accuracy(9), 1.0);
    }

    #[test]
    fn the_worst_class_is_the_first_of_equals() {
        assert_eq!(example().worst_recall(), (0, 0.5));
    }

    #[test]
    fn a_class_ruled_out_has_no_probability() {
        let logits = Tensor::from([[0.0, f64::NEG_INFINITY, 0.0]]);
        let report = MulticlassReport::from_logits(&logits, &Tensor::from([0])).unwrap();
        assert_eq!(report.log_loss(), 2.0_f64.ln());
        let report = MulticlassReport::from_logits(&logits, &Tensor::from([1])).unwrap();
        assert_eq!(report.log_loss(), f64::INFINITY);
    }

    #[test]
    fn names_are_one_a_class() {
        assert_eq!(
            example().with_names(["a", "b"]).unwrap_err().to_string(),
            "MulticlassReport::with_names: names must be 3, one a class, found 2"
        );
    }
}
