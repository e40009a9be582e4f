//! Whether a probability of 0.8 comes true in 8 of 10 cases.

use macula_tensor::{Error, Float, Result, Scalar, Tensor};

use super::input::{BinaryRows, ClassRows};
use super::probability::{Softmax, argmax};
use super::running::Mean;

/// Stated confidence against what happened, in bins of equal width: the data of a reliability
/// diagram.
///
/// Bins hold their upper edge and not their lower one; the first also holds 0. Focal loss and
/// class weights trade calibration for recall, so look here before reading a probability aloud.
///
/// # Source
/// M. P. Naeini, G. F. Cooper and M. Hauskrecht, *Obtaining Well Calibrated Probabilities Using
/// Bayesian Binning*, 2015, for both errors.
///
/// # Example
///
/// ```
/// use macula_nn::metrics::Calibration;
/// use macula_tensor::Tensor;
///
/// // Four times "75 % sure", and three times right: ln 3 is the logit of 0.75.
/// let logits = Tensor::from([3.0_f64.ln(); 4]);
/// let calibration = Calibration::binary(&logits, &Tensor::from([1, 1, 0, 1]), 10)?;
/// assert!(calibration.ece() < 1e-15);
/// assert_eq!(calibration.bins()[7].rows, 4);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    bins: Vec<Bin>,
}

/// One bin of a [`Calibration`]: the rows with a confidence in (lower, upper].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Lower edge, outside the bin but for 0.
    pub lower: f64,
    /// Upper edge, inside the bin.
    pub upper: f64,
    /// Rows in the bin.
    pub rows: u64,
    /// Their mean confidence; NaN in an empty bin.
    pub confidence: f64,
    /// The share of them that came true; NaN in an empty bin.
    pub accuracy: f64,
}

impl Bin {
    /// |confidence − accuracy|; NaN in an empty bin.
    pub fn gap(&self) -> f64 {
        (self.confidence - self.accuracy).abs()
    }
}

impl Calibration {
    /// The probability of class 1 against how often the row is of class 1.
    ///
    /// # Shapes
    /// `logits [N]` or `[N, 1]`, `labels [N]` or `[N, 1]`.
    ///
    /// # Errors
    /// As for [`BinaryReport::from_logits`](super::BinaryReport::from_logits), and there must be
    /// at least one bin.
    pub fn binary<T: Float>(logits: &Tensor<T>, labels: &Tensor<i64>, bins: usize) -> Result<Self> {
        let op = "Calibration::binary";
        check_bins(op, bins)?;
        let rows = BinaryRows::new(op, logits, labels)?;
        let outcomes = rows
            .iter()
            .map(|(logit, positive)| (logit.sigmoid(), positive));
        Ok(Self::of(bins, outcomes))
    }

    /// The largest probability of each row against how often that class is the true one.
    ///
    /// # Shapes
    /// `logits [N, C]`, `labels [N]` or `[N, 1]`.
    ///
    /// # Errors
    /// As for [`MulticlassReport::from_logits`](super::MulticlassReport::from_logits), and there
    /// must be at least one bin.
    pub fn multiclass<T: Float>(
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
        bins: usize,
    ) -> Result<Self> {
        let op = "Calibration::multiclass";
        check_bins(op, bins)?;
        let rows = ClassRows::new(op, logits, labels)?;
        let mut softmax = Softmax::default();
        let outcomes = rows.iter().map(|(logits, truth)| {
            let predicted = argmax(logits);
            softmax.read(logits, predicted);
            (softmax.probabilities[predicted], predicted == truth)
        });
        Ok(Self::of(bins, outcomes))
    }

    /// Sorts pairs of confidence and outcome into bins.
    pub(super) fn of(bins: usize, outcomes: impl Iterator<Item = (f64, bool)>) -> Self {
        let edge = |place: usize| place as f64 / bins as f64;
        let uppers: Vec<f64> = (1..=bins).map(edge).collect();
        let mut confidence = vec![Mean::new(); bins];
        let mut accuracy = vec![Mean::new(); bins];
        let mut rows = vec![0; bins];
        for (stated, came_true) in outcomes {
            // A search and not ⌈p · bins⌉, whose product can round across an edge.
            let bin = uppers
                .partition_point(|upper| *upper < stated)
                .min(bins - 1);
            confidence[bin].add(stated);
            accuracy[bin].add(u8::from(came_true));
            rows[bin] += 1;
        }
        let bins = (0..bins).map(|bin| Bin {
            lower: edge(bin),
            upper: uppers[bin],
            rows: rows[bin],
            confidence: confidence[bin].value(),
            accuracy: accuracy[bin].value(),
        });
        Self {
            bins: bins.collect(),
        }
    }

    /// The bins by rising confidence, empty ones included.
    pub fn bins(&self) -> &[Bin] {
        &self.bins
    }

    /// The expected calibration error: the mean gap, each bin weighing as many rows as it holds.
    ///
    /// It depends on the bins: compare only values with the same number of them.
    pub fn ece(&self) -> f64 {
        let mut mean = Mean::new();
        for bin in &self.bins {
            mean.add_weighted(bin.gap(), bin.rows as f64);
        }
        mean.value()
    }

    /// The maximum calibration error: the widest gap of a bin that is not empty.
    pub fn mce(&self) -> f64 {
        self.bins.iter().map(Bin::gap).fold(f64::NAN, f64::max)
    }
}

fn check_bins(op: &'static str, bins: usize) -> Result<()> {
    if bins == 0 {
        return Err(Error::Argument {
            op,
            argument: "bins",
            expected: "at least 1".into(),
            found: "0".into(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_belongs_to_the_bin_below_and_zero_to_the_first() {
        for bins in [1, 3, 10, 15, 49] {
            for place in 1..=bins {
                let edge = place as f64 / bins as f64;
                let held = Calibration::of(bins, [(edge, true)].into_iter());
                assert_eq!(held.bins()[place - 1].rows, 1, "{edge} of {bins}");
            }
            let zero = Calibration::of(bins, [(0.0, true)].into_iter());
            assert_eq!(zero.bins()[0].rows, 1);
        }
    }

    #[test]
    fn the_errors_are_the_mean_and_the_widest_gap() {
        let outcomes = [(0.25, false), (0.25, true), (0.25, true), (1.0, true)];
        let calibration = Calibration::of(2, outcomes.into_iter());
        let gap = 2.0 / 3.0 - 0.25;
        // One product and one quotient.
        assert!((calibration.ece() - 0.75 * gap).abs() < 1e-16);
        assert_eq!(calibration.mce(), gap);
    }

    #[test]
    fn confidence_of_many_classes_is_the_largest_probability() {
        let ln3 = 3.0_f64.ln();
        let logits = Tensor::from([[ln3, 0.0], [0.0, ln3]]);
        let calibration = Calibration::multiclass(&logits, &Tensor::from([0, 0]), 4).unwrap();
        // 0.75 itself may come out one rounding above, so both bins that touch it are looked at.
        let rows = calibration.bins()[2].rows + calibration.bins()[3].rows;
        assert_eq!(rows, 2);
        assert!((calibration.ece() - 0.25).abs() < 1e-15);
    }

    #[test]
    fn no_bins_are_an_error() {
        let error = Calibration::binary(&Tensor::from([1.0]), &Tensor::from([1]), 0);
        assert_eq!(
            error.unwrap_err().to_string(),
            "Calibration::binary: bins must be at least 1, found 0"
        );
    }
}
