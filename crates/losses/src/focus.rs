//! Where a loss looks: the share of loss and gradient that each class and each level of difficulty
//! has.

use std::fmt;

use macula_autograd::{Tape, Var};
use macula_tensor::{Error, Float, Result, Tensor};

use crate::cross_entropy::{SigmoidCrossEntropy, SoftmaxCrossEntropy};
use crate::formula::ElementLoss;
use crate::reduction::Reduction;
use crate::row_loss::RowLoss;
use crate::sigmoid_loss::SigmoidLoss;
use crate::softmax_loss::SoftmaxLoss;

/// One line of a [`FocusReport`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Focus {
    /// The share of the samples.
    pub samples: f64,
    /// The share of the loss.
    pub loss: f64,
    /// The share of the gradient: of the sum of the norms of each sample's gradient to its logits.
    pub gradient: f64,
}

/// For each class and for each tenth of the samples, from the hardest to the easiest, its share of
/// the loss and of the gradient.
///
/// The picture that explains what γ does: print it during training. With cross-entropy on
/// unbalanced data the easy tenths of the common class have most of both; focal loss takes it from
/// them. Made by [`SigmoidLoss::focus`] and [`SoftmaxLoss::focus`].
#[derive(Clone, Debug, PartialEq)]
pub struct FocusReport {
    classes: Vec<Focus>,
    deciles: Vec<Focus>,
    /// The losses, from the hardest sample to the easiest.
    losses: Vec<f64>,
}

/// What is known of a sample.
struct Sample {
    class: usize,
    /// Cross-entropy: how unlikely the truth was held to be.
    difficulty: f64,
    loss: f64,
    gradient: f64,
}

impl FocusReport {
    fn of(classes: usize, mut samples: Vec<Sample>) -> Self {
        samples.sort_by(|a, b| b.difficulty.total_cmp(&a.difficulty));
        let total = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>();
        let whole = Focus {
            samples: samples.len() as f64,
            loss: total(|sample| sample.loss),
            gradient: total(|sample| sample.gradient),
        };
        let mut report = Self {
            classes: vec![Focus::default(); classes],
            deciles: vec![Focus::default(); 10],
            losses: samples.iter().map(|sample| sample.loss).collect(),
        };
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        for (rank, sample) in samples.iter().enumerate() {
            let decile = rank * 10 / samples.len();
            let lines = [
                &mut report.classes[sample.class],
                &mut report.deciles[decile],
            ];
            for line in lines {
                line.samples += share(1.0, whole.samples);
                line.loss += share(sample.loss, whole.loss);
                line.gradient += share(sample.gradient, whole.gradient);
            }
        }
        report
    }

    /// The share of each class.
    pub fn classes(&self) -> &[Focus] {
        &self.classes
    }

    /// The share of each tenth of the samples, the hardest first.
    pub fn deciles(&self) -> &[Focus] {
        &self.deciles
    }

    /// The share of the loss that the `k + 1` hardest samples have, for each `k`: the curve of the
    /// focal-loss paper's figure 4.
    pub fn cumulative_loss(&self) -> Vec<f64> {
        let total: f64 = self.losses.iter().sum();
        let mut sum = 0.0;
        let share = |loss: &f64| {
            sum += loss;
            if total > 0.0 { sum / total } else { 0.0 }
        };
        self.losses.iter().map(share).collect()
    }
}

impl fmt::Display for FocusReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<16}{:>9}{:>9}{:>9}",
            "", "samples", "loss", "gradient"
        )?;
        let classes = self.classes.iter().enumerate();
        let classes = classes.map(|(class, focus)| (format!("class {class}"), focus));
        let deciles = self.deciles.iter().enumerate().map(|(decile, focus)| {
            let name = match decile {
                0 => "hardest tenth".into(),
                9 => "easiest tenth".into(),
                decile => format!("tenth {}", decile + 1),
            };
            (name, focus)
        });
        for (name, focus) in classes.chain(deciles) {
            let percent = [focus.samples, focus.loss, focus.gradient].map(|share| share * 100.0);
            let [samples, loss, gradient] = percent;
            writeln!(f, "{name:<16}{samples:>8.1}%{loss:>8.1}%{gradient:>8.1}%")?;
        }
        Ok(())
    }
}

/// The class of each label that counts, with its place.
fn counted(labels: &Tensor<i64>, ignore: Option<i64>) -> Result<Vec<(usize, usize)>> {
    let labels = labels.to_vec()?.into_iter().enumerate();
    let counted = labels.filter(|(_, label)| Some(*label) != ignore);
    Ok(counted
        .filter_map(|(place, label)| Some((place, usize::try_from(label).ok()?)))
        .collect())
}

/// The report on losses that come one from each row of logits `x`.
///
/// # Errors
/// Losses and gradients must be finite: of an infinite sum no part is a share.
fn report<T: Float>(
    op: &'static str,
    classes: usize,
    counted: Vec<(usize, usize)>,
    x: &Var<T>,
    losses: &Var<T>,
    difficulty: &Var<T>,
) -> Result<FocusReport> {
    let loss_of = losses.value().to_vec()?;
    let difficulty_of = difficulty.value().to_vec()?;
    let gradient = losses.sum(..)?.backward()?.of(x)?.to_vec()?;
    let width = gradient.len() / loss_of.len().max(1);
    let norm = |row: usize| {
        let row = gradient[row * width..(row + 1) * width].iter();
        row.fold(0.0, |norm, g| f64::hypot(norm, g.to_f64()))
    };
    let sample = |(row, class): (usize, usize)| {
        let sample = Sample {
            class,
            difficulty: difficulty_of[row].to_f64(),
            loss: loss_of[row].to_f64(),
            gradient: norm(row),
        };
        // An infinite difficulty has a place, before all others, but only if its loss has a share.
        let wrong = [
            ("loss", sample.loss, sample.loss.is_finite()),
            ("gradient", sample.gradient, sample.gradient.is_finite()),
            ("difficulty", sample.difficulty, !sample.difficulty.is_nan()),
        ];
        match wrong.into_iter().find(|(_, _, good)| !good) {
            None => Ok(sample),
            Some((what, value, _)) => Err(Error::NotFinite {
                op,
                what: format!("the {what} of sample {row}"),
                value,
            }),
        }
    };
    let samples: Result<Vec<_>> = counted.into_iter().map(sample).collect();
    Ok(FocusReport::of(classes, samples?))
}

impl<F: ElementLoss> SigmoidLoss<F> {
    /// Where this loss looks, for logits and labels 0 and 1.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and a sample whose loss or gradient is not finite, or whose
    /// logit is NaN (with its place).
    pub fn focus<T: Float>(&self, logits: &Tensor<T>, labels: &Tensor<i64>) -> Result<FocusReport> {
        let x = Tape::new().var(logits.clone());
        let each = self.clone().reduction(Reduction::None);
        let mut difficulty = SigmoidCrossEntropy::new().reduction(Reduction::None);
        difficulty.ignore = self.ignore;
        let (losses, difficulty) = (each.forward(&x, labels)?, difficulty.forward(&x, labels)?);
        let counted = counted(labels, self.ignore)?;
        report(F::NAME, 2, counted, &x, &losses, &difficulty)
    }
}

impl<F: RowLoss> SoftmaxLoss<F> {
    /// Where this loss looks, for logits `[N, C]` and class labels `[N]`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), logits with pixels, and a sample whose loss or gradient is
    /// not finite, or whose logits are NaN (with its row).
    pub fn focus<T: Float>(&self, logits: &Tensor<T>, labels: &Tensor<i64>) -> Result<FocusReport> {
        let [_, classes] = *logits.shape() else {
            return Err(Error::Shape {
                op: F::NAME,
                expected: "logits of shape [N, C]".into(),
                found: logits.shape().into(),
            });
        };
        let x = Tape::new().var(logits.clone());
        let each = self.clone().reduction(Reduction::None);
        let mut difficulty = SoftmaxCrossEntropy::new().reduction(Reduction::None);
        difficulty.options.ignore = self.options.ignore;
        let (losses, difficulty) = (each.forward(&x, labels)?, difficulty.forward(&x, labels)?);
        let counted = counted(labels, self.options.ignore)?;
        report(F::NAME, classes, counted, &x, &losses, &difficulty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SigmoidFocalLoss, SoftmaxFocalLoss};

    fn logits() -> Tensor<f64> {
        let logits = (0..40).map(|i| (i as f64 * 0.37).sin() * 3.0 - 2.0);
        Tensor::from(logits.collect::<Vec<_>>())
    }

    #[test]
    fn shares_add_up_to_1() -> Result<()> {
        let labels = Tensor::from((0..40).map(|i| i64::from(i % 9 == 0)).collect::<Vec<_>>());
        let report = SigmoidFocalLoss::new().focus(&logits(), &labels)?;
        for lines in [report.classes(), report.deciles()] {
            let sum = |of: fn(&Focus) -> f64| lines.iter().map(of).sum::<f64>();
            approx::assert_relative_eq!(sum(|line| line.samples), 1.0, max_relative = 1e-12);
            approx::assert_relative_eq!(sum(|line| line.loss), 1.0, max_relative = 1e-12);
            approx::assert_relative_eq!(sum(|line| line.gradient), 1.0, max_relative = 1e-12);
        }
        approx::assert_relative_eq!(report.cumulative_loss()[39], 1.0, max_relative = 1e-12);
        Ok(())
    }

    #[test]
    fn gamma_moves_the_loss_to_the_hardest_samples() -> Result<()> {
        let logits = logits().reshape([20, 2])?;
        let labels = Tensor::from((0..20).map(|i| i64::from(i % 5 == 0)).collect::<Vec<_>>());
        let hardest = |gamma: f64| -> Result<f64> {
            let report = SoftmaxFocalLoss::new()
                .gamma(gamma)
                .focus(&logits, &labels)?;
            Ok(report.deciles()[0].loss)
        };
        assert!(hardest(0.0)? < hardest(1.0)?);
        assert!(hardest(1.0)? < hardest(5.0)?);
        Ok(())
    }

    #[test]
    fn a_sample_that_no_share_can_be_given_is_an_error_that_names_it() {
        let message = |result: Result<FocusReport>| match result {
            Ok(report) => report.to_string(),
            Err(error) => error.to_string(),
        };
        let labels = Tensor::from([0_i64, -1, 1, 0]);
        for (wrong, what) in [
            (f64::NAN, "the loss of sample 2 is not finite (NaN)"),
            (
                f64::NEG_INFINITY,
                "the loss of sample 2 is not finite (inf)",
            ),
        ] {
            let logits = Tensor::from([0.5, 1.0, wrong, -1.0]);
            let loss = SigmoidFocalLoss::new().ignore_index(-1);
            let found = message(loss.focus(&logits, &labels));
            assert_eq!(found, format!("focal_loss: {what}"));
            let rows = Tensor::from([[0.5, 0.0], [1.0, 0.0], [0.0, wrong], [-1.0, 0.0]]);
            let loss = SoftmaxFocalLoss::new().ignore_index(-1);
            let found = message(loss.focus(&rows, &labels));
            assert_eq!(found, format!("focal_loss: {what}"));
        }
        // A weight of 0 hides the loss, but the sample has no place among the others.
        let logits = Tensor::from([0.5, 1.0, f64::NAN, -1.0]);
        let loss = SigmoidFocalLoss::new().ignore_index(-1).alpha(0.0);
        assert_eq!(
            message(loss.focus(&logits, &labels)),
            "focal_loss: the difficulty of sample 2 is not finite (NaN)"
        );
    }

    #[test]
    fn where_nothing_counts_every_share_is_0() -> Result<()> {
        let nothing = [
            (Tensor::<f64>::zeros([0])?, Tensor::zeros([0])?),
            (Tensor::zeros([2])?, Tensor::from([-1_i64, -1])),
        ];
        for (logits, labels) in nothing {
            let loss = SigmoidFocalLoss::new().ignore_index(-1);
            let report = loss.focus(&logits, &labels)?;
            let mut lines = report.classes().iter().chain(report.deciles());
            assert!(lines.all(|line| *line == Focus::default()));
            assert!(report.cumulative_loss().is_empty());
        }
        Ok(())
    }

    #[test]
    fn a_report_prints_a_line_for_each_class_and_tenth() -> Result<()> {
        let labels = Tensor::from(vec![0_i64; 40]);
        let report = SigmoidFocalLoss::new().focus(&logits(), &labels)?;
        assert_eq!(report.to_string().lines().count(), 1 + 2 + 10);
        Ok(())
    }

    /// Asserts that the report has these samples: class, loss and norm of the gradient, from
    /// the hardest to the easiest.
    fn assert_shares(report: &FocusReport, samples: &[(usize, f64, f64)]) {
        let count = samples.len() as f64;
        let loss_sum: f64 = samples.iter().map(|sample| sample.1).sum();
        let gradient_sum: f64 = samples.iter().map(|sample| sample.2).sum();
        let assert_line = |line: &Focus, part: &[(usize, f64, f64)]| {
            let loss: f64 = part.iter().map(|sample| sample.1).sum();
            let gradient: f64 = part.iter().map(|sample| sample.2).sum();
            let found = [line.samples, line.loss, line.gradient];
            let wanted = [
                part.len() as f64 / count,
                loss / loss_sum,
                gradient / gradient_sum,
            ];
            approx::assert_relative_eq!(found[..], wanted[..], max_relative = 1e-12);
        };
        for (class, line) in report.classes().iter().enumerate() {
            let of_class = samples.iter().filter(|sample| sample.0 == class);
            assert_line(line, &of_class.copied().collect::<Vec<_>>());
        }
        // Twice as many samples as tenths.
        assert_eq!(samples.len(), 20);
        for (line, part) in report.deciles().iter().zip(samples.chunks(2)) {
            assert_line(line, part);
        }
        let mut sum = 0.0;
        for (found, sample) in report.cumulative_loss().iter().zip(samples) {
            sum += sample.1;
            approx::assert_relative_eq!(*found, sum / loss_sum, max_relative = 1e-12);
        }
    }

    #[test]
    fn shares_are_those_of_the_losses_and_of_the_norms_of_the_gradients() -> Result<()> {
        // Margins from the hardest sample to the easiest, and an order that hides it.
        let margins: Vec<f64> = (0..20).map(|i| -3.0 + 0.37 * f64::from(i)).collect();
        let shuffled: Vec<usize> = (0..20).map(|i| i * 7 % 20).collect();
        let class = |rank: usize| usize::from(rank.is_multiple_of(3));
        // q²·(−ln p), and for its slope by the margin −q²·(q + 2·p·(−ln p)).
        let focal = |margin: f64| {
            let p = 1.0 / (1.0 + (-margin).exp());
            let (q, loss) = (1.0 - p, -p.ln());
            (q * q * loss, q * q * (q + 2.0 * p * loss))
        };
        let labels: Vec<i64> = shuffled.iter().map(|&rank| class(rank) as i64).collect();
        let labels = Tensor::from(labels);

        let logit = |&rank: &usize| [-margins[rank], margins[rank]][class(rank)];
        let logits = Tensor::from(shuffled.iter().map(logit).collect::<Vec<_>>());
        let report = SigmoidFocalLoss::new().gamma(2.0).focus(&logits, &labels)?;
        let samples = (0..20).map(|rank| {
            let (loss, slope) = focal(margins[rank]);
            (class(rank), loss, slope)
        });
        assert_shares(&report, &samples.collect::<Vec<_>>());

        // Two other classes of equal logits: the truth is ln 2 above them at margin 0, and the
        // slopes are those of the margin by 1, −½ and −½.
        let row = |&rank: &usize| {
            let truth = margins[rank] + 2.0_f64.ln();
            (0..3).map(move |c| if c == class(rank) { truth } else { 0.0 })
        };
        let rows: Vec<f64> = shuffled.iter().flat_map(row).collect();
        let rows = Tensor::from(rows).reshape([20, 3])?;
        let report = SoftmaxFocalLoss::new().gamma(2.0).focus(&rows, &labels)?;
        let samples = (0..20).map(|rank| {
            let (loss, slope) = focal(margins[rank]);
            (class(rank), loss, slope * 1.5_f64.sqrt())
        });
        assert_shares(&report, &samples.collect::<Vec<_>>());
        Ok(())
    }
}
