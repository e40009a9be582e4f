//! The focus report: shares computed plainly, weights, soft targets and pixels.

use macula_losses::*;
use macula_tensor::{Result, Tensor};

use crate::bad_input::message;

/// Class, loss and norm of the gradient.
type Sample = (usize, f64, f64);

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

/// Asserts that the report has these samples, the hardest first.
fn assert_shares(report: &FocusReport, samples: &[Sample]) {
    let count = samples.len() as f64;
    let loss_sum: f64 = samples.iter().map(|sample| sample.1).sum();
    let gradient_sum: f64 = samples.iter().map(|sample| sample.2).sum();
    let assert_line = |line: &Focus, part: &[Sample]| {
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

/// Ranks of samples, from the hardest to the easiest, in an order that hides it.
fn shuffled() -> impl Iterator<Item = usize> {
    (0..20).map(|i| i * 7 % 20)
}

fn margin(rank: usize) -> f64 {
    -3.0 + 0.37 * rank as f64
}

fn class(rank: usize) -> usize {
    usize::from(rank.is_multiple_of(3))
}

fn labels() -> Tensor<i64> {
    Tensor::from(
        shuffled()
            .map(|rank| class(rank) as i64)
            .collect::<Vec<_>>(),
    )
}

/// Logits, and what the samples are with γ = 2, the hardest first.
fn sigmoid_samples() -> (Tensor<f64>, Vec<Sample>) {
    let logit = |rank| [-margin(rank), margin(rank)][class(rank)];
    let logits = Tensor::from(shuffled().map(logit).collect::<Vec<_>>());
    (logits, (0..20).map(focal).collect())
}

/// The same for three classes.
fn softmax_samples() -> Result<(Tensor<f64>, Vec<Sample>)> {
    // Two other classes of equal logits: the truth is ln 2 above them at margin 0, and the slopes
    // are those of the margin by 1, −½ and −½.
    let row = |rank| {
        let truth = margin(rank) + 2.0_f64.ln();
        (0..3).map(move |c| if c == class(rank) { truth } else { 0.0 })
    };
    let rows = Tensor::from(shuffled().flat_map(row).collect::<Vec<_>>());
    let samples = (0..20).map(|rank| {
        let (class, loss, slope) = focal(rank);
        (class, loss, slope * 1.5_f64.sqrt())
    });
    Ok((rows.reshape([20, 3])?, samples.collect()))
}

/// Class, loss and size of the slope by the margin: q²·(−ln p) and q²·(q + 2·p·(−ln p)).
fn focal(rank: usize) -> Sample {
    let p = 1.0 / (1.0 + (-margin(rank)).exp());
    let (q, loss) = (1.0 - p, -p.ln());
    (class(rank), q * q * loss, q * q * (q + 2.0 * p * loss))
}

#[test]
fn shares_are_those_of_the_losses_and_of_the_norms_of_the_gradients() -> Result<()> {
    let (logits, samples) = sigmoid_samples();
    assert_shares(
        &SigmoidFocalLoss::new().focus(&logits, &labels())?,
        &samples,
    );
    let (rows, samples) = softmax_samples()?;
    assert_shares(&SoftmaxFocalLoss::new().focus(&rows, &labels())?, &samples);
    Ok(())
}

fn weighted(samples: Vec<Sample>, weight: impl Fn(usize) -> f64) -> Vec<Sample> {
    let samples = samples.into_iter().enumerate();
    samples
        .map(|(i, (class, loss, slope))| (class, loss * weight(i), slope * weight(i)))
        .collect()
}

#[test]
fn a_weight_multiplies_loss_and_gradient_of_what_counts_as_one_sample() -> Result<()> {
    let weights = Tensor::from(shuffled().map(weight).collect::<Vec<_>>());
    let (logits, samples) = sigmoid_samples();
    let report = SigmoidFocalLoss::new().focus_weighted(&logits, &labels(), &weights)?;
    assert_shares(&report, &weighted(samples, weight));
    let (rows, samples) = softmax_samples()?;
    let report = SoftmaxFocalLoss::new().focus_weighted(&rows, &labels(), &weights)?;
    assert_shares(&report, &weighted(samples, weight));
    Ok(())
}

#[test]
fn a_sample_of_weight_0_is_passed_over_whatever_it_holds() -> Result<()> {
    let (logits, labels) = (Tensor::from([0.5, 1.0, -1.0]), Tensor::from([0_i64, 1, 0]));
    let more = Tensor::from([0.5, f64::NAN, 1.0, -1.0]);
    let (more_labels, weights) = (
        Tensor::from([0_i64, 1, 1, 0]),
        Tensor::from([1.0, 0.0, 1.0, 1.0]),
    );
    let loss = SigmoidFocalLoss::new();
    let report = loss.focus(&logits, &labels)?;
    assert_eq!(loss.focus_weighted(&more, &more_labels, &weights)?, report);
    let soft = more_labels.cast::<f64>()?;
    assert_eq!(loss.focus_soft_weighted(&more, &soft, &weights)?, report);

    let pairs = |logits: &Tensor<f64>| Tensor::stack(&[&logits.neg()?, logits], 1);
    let loss = SoftmaxFocalLoss::new();
    let report = loss.focus(&pairs(&logits)?, &labels)?;
    let more = pairs(&more)?;
    assert_eq!(loss.focus_weighted(&more, &more_labels, &weights)?, report);
    let soft = Tensor::stack(&[&soft.neg()?.add_scalar(1.0)?, &soft], 1)?;
    assert_eq!(loss.focus_soft_weighted(&more, &soft, &weights)?, report);
    Ok(())
}

/// Samples in the order of their difficulty.
fn hardest_first(samples: &[Sample], difficulty: &[f64]) -> Vec<Sample> {
    let mut samples: Vec<_> = samples.iter().zip(difficulty).collect();
    samples.sort_by(|a, b| b.1.total_cmp(a.1));
    samples.into_iter().map(|(sample, _)| *sample).collect()
}

fn share(i: usize) -> f64 {
    [0.0, 0.2, 0.5, 0.7, 1.0][i % 5]
}

fn logit(i: usize) -> f64 {
    (i as f64 * 1.7).sin() * 3.0
}

fn weight(i: usize) -> f64 {
    0.5 + (i % 3) as f64
}

fn each(of: impl Fn(usize) -> f64) -> Tensor<f64> {
    Tensor::from((0..20).map(of).collect::<Vec<_>>())
}

/// A term of cross-entropy, −y·ln p.
fn term(y: f64, p: f64) -> f64 {
    if y > 0.0 { -y * p.ln() } else { 0.0 }
}

#[test]
fn a_target_from_0_to_1_is_as_hard_as_the_probability_is_far_from_it() -> Result<()> {
    let (mut samples, mut difficulty) = (Vec::new(), Vec::new());
    for i in 0..20 {
        let (y, p) = (share(i), 1.0 / (1.0 + (-logit(i)).exp()));
        let loss = term(y, p) + term(1.0 - y, 1.0 - p);
        samples.push((usize::from(y > 0.5), loss, (p - y).abs()));
        difficulty.push(loss - term(y, y) - term(1.0 - y, 1.0 - y));
    }
    let (logits, targets, loss) = (each(logit), each(share), SigmoidCrossEntropy::new());
    let report = loss.focus_soft(&logits, &targets)?;
    assert_shares(&report, &hardest_first(&samples, &difficulty));
    let report = loss.focus_soft_weighted(&logits, &targets, &each(weight))?;
    let samples = weighted(samples, weight);
    assert_shares(&report, &hardest_first(&samples, &difficulty));
    Ok(())
}

#[test]
fn a_row_of_shares_is_of_the_class_with_the_largest() -> Result<()> {
    // The shares of a row sum to 2, and two of them may be the largest.
    let shares = |i: usize| [share(i), 1.0 - share(i), 1.0];
    let row = |i: usize| [logit(i), logit(i + 20), 0.5];
    let (mut samples, mut difficulty) = (Vec::new(), Vec::new());
    for i in 0..20 {
        let (y, e) = (shares(i), row(i).map(f64::exp));
        let sum: f64 = e.iter().sum();
        let p = e.map(|e| e / sum);
        let loss: f64 = (0..3).map(|c| term(y[c], p[c])).sum();
        let least: f64 = (0..3).map(|c| term(y[c], y[c] / 2.0)).sum();
        let slope = (0..3).map(|c| 2.0 * p[c] - y[c]).fold(0.0, f64::hypot);
        let class = y.iter().position(|&y| y == 1.0).unwrap_or(0);
        samples.push((class, loss, slope));
        difficulty.push(loss - least);
    }
    let rows = |of: &dyn Fn(usize) -> [f64; 3]| {
        Tensor::from((0..20).flat_map(of).collect::<Vec<_>>()).reshape([20, 3])
    };
    let (logits, targets, loss) = (rows(&row)?, rows(&shares)?, SoftmaxCrossEntropy::new());
    let report = loss.focus_soft(&logits, &targets)?;
    assert_shares(&report, &hardest_first(&samples, &difficulty));
    let report = loss.focus_soft_weighted(&logits, &targets, &each(weight))?;
    let samples = weighted(samples, weight);
    assert_shares(&report, &hardest_first(&samples, &difficulty));
    Ok(())
}

#[test]
fn a_formula_that_reads_targets_itself_has_the_positives_that_its_mean_counts() -> Result<()> {
    let (logits, targets) = (
        Tensor::from([0.5, -1.0, 2.0]),
        Tensor::from([0.0, 0.3, 1.0]),
    );
    let positives = |report: FocusReport| (report.classes()[1].samples * 3.0).round();
    let quality = QualityFocalLoss::new().focus_soft(&logits, &targets)?;
    assert_eq!(positives(quality), 2.0);
    let gaussian = GaussianFocalLoss::new().focus_soft(&logits, &targets)?;
    assert_eq!(positives(gaussian), 1.0);
    let mixed = SigmoidFocalLoss::new().focus_soft(&logits, &targets)?;
    assert_eq!(positives(mixed), 1.0);
    Ok(())
}

#[test]
fn a_pixel_is_a_sample() -> Result<()> {
    let loss = SoftmaxFocalLoss::new().class_weights([1.0, 2.0, 3.0]);
    let (rows, _) = softmax_samples()?;
    let labels = labels();
    let weights = Tensor::from((0..20).map(|i| f64::from(i % 4)).collect::<Vec<_>>());
    let shares = rows.exp()?;
    let image = |rows: &Tensor<f64>| rows.reshape([2, 2, 5, 3])?.permute([0, 3, 1, 2]);
    let (logits, soft) = (image(&rows)?, image(&shares)?);
    let (flags, w) = (labels.reshape([2, 2, 5])?, weights.reshape([2, 2, 5])?);
    // The classes of a pixel may lie side by side or a plane apart.
    for logits in [&logits, &logits.contiguous()?] {
        assert_eq!(loss.focus(logits, &flags)?, loss.focus(&rows, &labels)?);
        assert_eq!(
            loss.focus_weighted(logits, &flags, &w)?,
            loss.focus_weighted(&rows, &labels, &weights)?
        );
        assert_eq!(
            loss.focus_soft(logits, &soft)?,
            loss.focus_soft(&rows, &shares)?
        );
        assert_eq!(
            loss.focus_soft_weighted(logits, &soft.contiguous()?, &w)?,
            loss.focus_soft_weighted(&rows, &shares, &weights)?
        );
        let dual = DualFocalLoss::new();
        assert_eq!(dual.focus(logits, &flags)?, dual.focus(&rows, &labels)?);
    }
    Ok(())
}

#[test]
fn gradients_whose_squares_are_no_numbers_have_shares() -> Result<()> {
    // Losses and slopes of 10⁻¹⁷⁴ and less.
    let logit = |i: usize| -400.0 - 0.1 * i as f64;
    let logits = Tensor::from((0..20).map(logit).collect::<Vec<_>>());
    let report = SigmoidCrossEntropy::new().focus(&logits, &Tensor::zeros([20])?)?;
    let samples = (0..20).map(|i| (0, logit(i).exp(), logit(i).exp()));
    assert_shares(&report, &samples.collect::<Vec<_>>());
    Ok(())
}

#[test]
fn bad_input_to_a_report_is_that_of_the_loss() {
    let (logits, labels) = (logits(), Tensor::from([0_i64, 1]));
    let (rows, images) = (logits.reshape([20, 2]), logits.reshape([5, 2, 4]));
    let (rows, images) = (rows.unwrap(), images.unwrap());
    let ones = |shape: &[usize]| Tensor::full(shape, 1.0).unwrap();
    let (sigmoid, softmax) = (SigmoidFocalLoss::new(), SoftmaxFocalLoss::new());
    for (report, expected) in [
        (
            sigmoid.focus(&logits, &labels),
            "focal_loss: expected targets of the logits' shape [40], found shape [2]",
        ),
        (
            softmax.focus(&images, &labels),
            "focal_loss: expected labels of shape [5, 4] for logits of shape [5, 2, 4], found \
             shape [2]",
        ),
        (
            softmax.focus_soft(&images, &ones(&[5, 3, 4])),
            "focal_loss: expected targets of shape [5, 2, 4] for logits of shape [5, 2, 4], found \
             shape [5, 3, 4]",
        ),
        (
            softmax.focus_weighted(&rows, &Tensor::full([20], 1).unwrap(), &ones(&[40])),
            "focal_loss: expected sample weights of shape [20], found shape [40]",
        ),
        (
            sigmoid.focus_soft(&logits, &ones(&[40]).mul_scalar(2.0).unwrap()),
            "focal_loss: targets must be between 0 and 1, found 2 at element 0",
        ),
        (
            sigmoid.ignore_index(-1).focus_soft(&logits, &ones(&[40])),
            "focal_loss: ignore_index must be left out: soft targets are no labels (a weight of 0 \
             takes one out), found -1",
        ),
    ] {
        assert_eq!(message(report), expected);
    }
}
