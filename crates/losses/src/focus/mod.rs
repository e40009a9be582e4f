//! Where a loss looks: the share of loss and gradient that each class and each level of difficulty
//! has.

use std::fmt;

mod samples;

use samples::Sample;

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
/// The picture that explains what γ does: print it during training. The easy tenths of unbalanced
/// data are many samples with a little of both each; focal loss takes it from them. Made by [`SigmoidLoss::focus`](crate::SigmoidLoss::focus),
/// [`SoftmaxLoss::focus`](crate::SoftmaxLoss::focus) and their siblings, which take what the
/// siblings of `forward` take.
///
/// A sample is what has a loss of its own: a logit of a sigmoid loss, a row or pixel of a softmax
/// loss. It is the harder the further its logits are from its target: by their cross-entropy,
/// without any weight or option, above the least that a soft target leaves (the divergence of
/// Kullback and Leibler). Weights of all kinds multiply its loss and its gradient, but it counts as
/// one sample, so that the report shows what weights do; one that is ignored, or given a weight of
/// 0 in an argument, is passed over.
///
/// # Example
///
/// ```
/// use macula_losses::SigmoidFocalLoss;
/// use macula_tensor::Tensor;
///
/// let logits = Tensor::from([-3.0_f32, -2.0, -4.0, 0.5]);
/// let labels = Tensor::from([0_i64, 0, 0, 1]);
/// let of_class_1 = |gamma: f64| {
///     let report = SigmoidFocalLoss::new().gamma(gamma).focus(&logits, &labels)?;
///     Ok(report.classes()[1].gradient)
/// };
/// assert!(of_class_1(0.0)? < 0.7);
/// assert!(of_class_1(2.0)? > 0.9);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FocusReport {
    classes: Vec<Focus>,
    deciles: Vec<Focus>,
    /// The losses, from the hardest sample to the easiest.
    losses: Vec<f64>,
}

impl FocusReport {
    fn of(classes: usize, mut samples: Vec<Sample>) -> Self {
        samples.sort_by(|a, b| b.difficulty.total_cmp(&a.difficulty));
        let mut whole = Focus::default();
        let mut report = Self {
            classes: vec![Focus::default(); classes],
            deciles: vec![Focus::default(); 10],
            losses: samples.iter().map(|sample| sample.loss).collect(),
        };
        for (rank, sample) in samples.iter().enumerate() {
            let decile = rank * 10 / samples.len();
            let lines = [
                &mut whole,
                &mut report.classes[sample.class],
                &mut report.deciles[decile],
            ];
            for line in lines {
                line.samples += 1.0;
                line.loss += sample.loss;
                line.gradient += sample.gradient;
            }
        }
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        for line in report.classes.iter_mut().chain(&mut report.deciles) {
            *line = Focus {
                samples: share(line.samples, whole.samples),
                loss: share(line.loss, whole.loss),
                gradient: share(line.gradient, whole.gradient),
            };
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
    /// focal-loss paper's figure 4, which begins with the easiest.
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
