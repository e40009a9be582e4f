//! From tensors to checked rows: what every metric does first.

use macula_tensor::shape::Sizes;
use macula_tensor::{Element, Error, Float, Result, Tensor};

/// Scores of a binary problem, one a row, and whether the row is positive.
pub(super) struct BinaryRows {
    pub(super) scores: Vec<f64>,
    pub(super) positive: Vec<bool>,
}

/// Logits of a problem with classes, `classes` a row, and the class of each row.
pub(super) struct ClassRows {
    pub(super) classes: usize,
    pub(super) logits: Vec<f64>,
    pub(super) labels: Vec<usize>,
}

impl BinaryRows {
    /// Reads scores on any scale: `[N]` or `[N, 1]`, none of them NaN.
    pub(super) fn new<T: Float>(
        op: &'static str,
        scores: &Tensor<T>,
        labels: &Tensor<i64>,
    ) -> Result<Self> {
        let scores = column(op, scores)?;
        let labels = class_labels(op, labels, scores.len(), 2)?;
        let scores: Vec<f64> = scores.into_iter().map(T::to_f64).collect();
        if let Some(row) = scores.iter().position(|score| score.is_nan()) {
            return Err(not_finite(op, "the score", row, f64::NAN));
        }
        Ok(Self {
            scores,
            positive: labels.into_iter().map(|label| label == 1).collect(),
        })
    }

    /// Reads probabilities of class 1: like [`BinaryRows::new`], and all within 0 and 1.
    pub(super) fn of_probabilities<T: Float>(
        op: &'static str,
        probabilities: &Tensor<T>,
        labels: &Tensor<i64>,
    ) -> Result<Self> {
        let rows = Self::new(op, probabilities, labels)?;
        let outside = |score: &f64| !(0.0..=1.0).contains(score);
        match rows.scores.iter().position(outside) {
            Some(row) => Err(Error::Argument {
                op,
                argument: "probabilities",
                expected: "between 0 and 1".into(),
                found: format!("{} in row {row}", rows.scores[row]),
            }),
            None => Ok(rows),
        }
    }

    /// Score and truth, row by row.
    pub(super) fn iter(&self) -> impl Iterator<Item = (f64, bool)> {
        self.scores
            .iter()
            .copied()
            .zip(self.positive.iter().copied())
    }
}

impl ClassRows {
    /// Reads logits `[N, C]`. A logit of −∞ rules its class out; each row needs a finite largest.
    pub(super) fn new<T: Float>(
        op: &'static str,
        logits: &Tensor<T>,
        labels: &Tensor<i64>,
    ) -> Result<Self> {
        let (rows, classes) = match *logits.shape() {
            [rows, classes] if classes >= 2 => (rows, classes),
            _ => {
                return Err(Error::Shape {
                    op,
                    expected: "logits of shape [rows, classes] with at least 2 classes".into(),
                    found: Sizes::from_slice(logits.shape()),
                });
            }
        };
        not_empty(op, logits)?;
        let labels = class_labels(op, labels, rows, classes)?;
        let logits: Vec<f64> = logits.to_vec()?.into_iter().map(T::to_f64).collect();
        for (row, logits) in logits.chunks_exact(classes).enumerate() {
            let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if let Some(&nan) = logits.iter().find(|logit| logit.is_nan()) {
                return Err(not_finite(op, "a logit", row, nan));
            }
            if largest.is_infinite() {
                return Err(not_finite(op, "the largest logit", row, largest));
            }
        }
        Ok(Self {
            classes,
            logits,
            labels,
        })
    }

    /// Checks the number of logits a row.
    pub(super) fn expect_classes(&self, op: &'static str, classes: usize) -> Result<()> {
        if self.classes == classes {
            return Ok(());
        }
        Err(Error::Shape {
            op,
            expected: format!("logits of shape [rows, {classes}]"),
            found: Sizes::from_slice(&[self.labels.len(), self.classes]),
        })
    }

    /// Logits and class, row by row.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[f64], usize)> {
        self.logits
            .chunks_exact(self.classes)
            .zip(self.labels.iter().copied())
    }
}

/// Reads classes, `rows` of them, each one of `0 .. classes`.
pub(super) fn class_labels(
    op: &'static str,
    labels: &Tensor<i64>,
    rows: usize,
    classes: usize,
) -> Result<Vec<usize>> {
    let labels_read = column(op, labels)?;
    if labels_read.len() != rows {
        return Err(Error::Shape {
            op,
            expected: format!("labels of shape [{rows}], one a row"),
            found: Sizes::from_slice(labels.shape()),
        });
    }
    labels_read
        .into_iter()
        .enumerate()
        .map(|(row, label)| {
            usize::try_from(label)
                .ok()
                .filter(|&class| class < classes)
                .ok_or_else(|| {
                    let expected = match classes {
                        2 => "0 or 1".into(),
                        _ => format!("0 to {}", classes.saturating_sub(1)),
                    };
                    Error::label(op, label, row, labels.shape(), expected)
                })
        })
        .collect()
}

/// Reads `[N]` or `[N, 1]` with at least one row.
pub(super) fn column<T: Element>(op: &'static str, tensor: &Tensor<T>) -> Result<Vec<T>> {
    if !matches!(tensor.shape(), [_] | [_, 1]) {
        return Err(Error::Shape {
            op,
            expected: "shape [rows] or [rows, 1]".into(),
            found: Sizes::from_slice(tensor.shape()),
        });
    }
    not_empty(op, tensor)?;
    tensor.to_vec()
}

fn not_empty<T: Element>(op: &'static str, tensor: &Tensor<T>) -> Result<()> {
    if tensor.is_empty() {
        return Err(Error::Shape {
            op,
            expected: "at least one row".into(),
            found: Sizes::from_slice(tensor.shape()),
        });
    }
    Ok(())
}

fn not_finite(op: &'static str, what: &str, row: usize, value: f64) -> Error {
    Error::NotFinite {
        op,
        what: format!("{what} of row {row}"),
        value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary_error(scores: &Tensor<f64>, labels: &Tensor<i64>) -> String {
        BinaryRows::new("report", scores, labels)
            .err()
            .unwrap()
            .to_string()
    }

    fn class_error(logits: &Tensor<f64>, labels: &Tensor<i64>) -> String {
        ClassRows::new("report", logits, labels)
            .err()
            .unwrap()
            .to_string()
    }

    #[test]
    fn a_column_is_as_good_as_a_vector() {
        let scores = Tensor::from([[1.0_f32], [2.0]]);
        let labels = Tensor::from([[0_i64], [1]]);
        let rows = BinaryRows::new("report", &scores, &labels).unwrap();
        assert_eq!(rows.scores, [1.0, 2.0]);
        assert_eq!(rows.positive, [false, true]);
    }

    #[test]
    fn no_rows_are_an_error() {
        let none = Tensor::<f64>::zeros([0]).unwrap();
        let labels = Tensor::<i64>::zeros([0]).unwrap();
        assert_eq!(
            binary_error(&none, &labels),
            "report: expected at least one row, found shape [0]"
        );
        let none = Tensor::<f64>::zeros([0, 3]).unwrap();
        assert_eq!(
            class_error(&none, &labels),
            "report: expected at least one row, found shape [0, 3]"
        );
    }

    #[test]
    fn lengths_that_differ_are_an_error() {
        let labels = Tensor::from([0_i64, 1, 0]);
        assert_eq!(
            binary_error(&Tensor::from([1.0, 2.0]), &labels),
            "report: expected labels of shape [2], one a row, found shape [3]"
        );
        assert_eq!(
            class_error(&Tensor::from([[1.0, 2.0]]), &labels),
            "report: expected labels of shape [1], one a row, found shape [3]"
        );
    }

    #[test]
    fn wrong_ranks_are_an_error() {
        let labels = Tensor::from([0_i64]);
        assert_eq!(
            binary_error(&Tensor::from([[1.0, 2.0]]), &labels),
            "report: expected shape [rows] or [rows, 1], found shape [1, 2]"
        );
        assert_eq!(
            class_error(&Tensor::from([[1.0]]), &labels),
            "report: expected logits of shape [rows, classes] with at least 2 classes, \
             found shape [1, 1]"
        );
    }

    #[test]
    fn nan_is_an_error_that_names_the_row() {
        let labels = Tensor::from([0_i64, 1]);
        assert_eq!(
            binary_error(&Tensor::from([1.0, f64::NAN]), &labels),
            "report: the score of row 1 is not finite (NaN)"
        );
        assert_eq!(
            class_error(&Tensor::from([[1.0, 2.0], [f64::NAN, 0.0]]), &labels),
            "report: a logit of row 1 is not finite (NaN)"
        );
    }

    #[test]
    fn a_row_of_logits_needs_a_finite_largest() {
        let labels = Tensor::from([0_i64]);
        let below = f64::NEG_INFINITY;
        assert!(ClassRows::new("report", &Tensor::from([[1.0, below]]), &labels).is_ok());
        assert_eq!(
            class_error(&Tensor::from([[below, below]]), &labels),
            "report: the largest logit of row 0 is not finite (-inf)"
        );
        assert_eq!(
            class_error(&Tensor::from([[1.0, f64::INFINITY]]), &labels),
            "report: the largest logit of row 0 is not finite (inf)"
        );
    }

    #[test]
    fn a_label_outside_the_classes_is_an_error_that_names_row_and_value() {
        assert_eq!(
            binary_error(&Tensor::from([1.0, 2.0]), &Tensor::from([0_i64, 2])),
            "report: row 1 has label 2, expected 0 or 1"
        );
        assert_eq!(
            class_error(
                &Tensor::from([[1.0, 2.0, 3.0]; 2]),
                &Tensor::from([-1_i64, 0])
            ),
            "report: row 0 has label -1, expected 0 to 2"
        );
    }

    #[test]
    fn probabilities_lie_between_zero_and_one() {
        let labels = Tensor::from([0_i64, 1]);
        let error = BinaryRows::of_probabilities("report", &Tensor::from([0.5, 1.5]), &labels);
        assert_eq!(
            error.err().unwrap().to_string(),
            "report: probabilities must be between 0 and 1, found 1.5 in row 1"
        );
    }
}
