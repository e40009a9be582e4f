//! The members, so that each test can go through all of them.

use macula_autograd::Var;
use macula_tensor::{Result, Tensor};

mod drivers;
mod others;

pub(crate) use drivers::{composed_members, sigmoid_members, softmax_members};
pub(crate) use others::other_members;

use macula_losses::Reduction;

/// A loss of logits, labels, and weights of the samples if there are any.
type Loss = Box<dyn Fn(&Var<f64>, &Tensor<i64>, Option<&Tensor<f64>>) -> Result<Var<f64>>>;

/// The logits of a row of three classes.
pub(crate) const ROW: &[usize] = &[3];

/// A member with a reduction, and what it promises.
pub(crate) struct Member {
    /// The public type, and after a comma what is special about it.
    pub(crate) name: &'static str,
    pub(crate) loss: Loss,
    /// The shape of one sample's logits.
    pub(crate) row: &'static [usize],
    /// The shape of one sample's labels.
    pub(crate) target: &'static [usize],
    /// Labels are `0..classes`.
    pub(crate) classes: i64,
    /// Whether a label outside the classes is an error.
    pub(crate) checks_labels: bool,
    /// Whether there are labels.
    pub(crate) has_labels: bool,
    /// Whether the label −1 is passed over.
    pub(crate) ignores: bool,
    /// Whether there is a choice of reductions.
    pub(crate) reduces: bool,
    /// Whether the loss of each sample depends on that sample alone.
    pub(crate) local: bool,
    /// Whether samples can have weights.
    pub(crate) weighs: bool,
    /// Whether an input that is NaN is an error.
    pub(crate) refuses_nan: bool,
}

impl Member {
    /// A loss of one logit each that promises everything.
    fn new(
        name: &'static str,
        loss: impl Fn(&Var<f64>, &Tensor<i64>, Option<&Tensor<f64>>) -> Result<Var<f64>> + 'static,
    ) -> Self {
        Self {
            name,
            loss: Box::new(loss),
            row: &[],
            target: &[],
            classes: 2,
            checks_labels: true,
            has_labels: true,
            ignores: true,
            reduces: true,
            local: true,
            weighs: true,
            refuses_nan: false,
        }
    }

    /// The shape of the logits of `n` samples.
    pub(crate) fn logits_shape(&self, n: usize) -> Vec<usize> {
        [&[n], self.row].concat()
    }

    /// The shape of the labels of `n` samples.
    pub(crate) fn labels_shape(&self, n: usize) -> Vec<usize> {
        [&[n], self.target].concat()
    }

    /// Logits of `n` samples, the same for the same seed.
    pub(crate) fn logits(&self, seed: u64, n: usize) -> Tensor<f64> {
        let shape = self.logits_shape(n);
        let count: usize = shape.iter().product();
        let numbers = (0..count).map(|i| (noise(seed, i).fract() - 0.2) * 6.0);
        Tensor::from_vec(numbers.collect(), shape).unwrap()
    }

    /// Labels of `n` samples, the same for the same seed.
    pub(crate) fn labels(&self, seed: u64, n: usize) -> Tensor<i64> {
        let shape = self.labels_shape(n);
        let count: usize = shape.iter().product();
        let labels = (0..count).map(|i| (noise(seed, i + 7).abs() as i64) % self.classes);
        Tensor::from_vec(labels.collect(), shape).unwrap()
    }

    /// The same label for all of `n` samples.
    pub(crate) fn same_labels(&self, label: i64, n: usize) -> Tensor<i64> {
        Tensor::full(self.labels_shape(n), label).unwrap()
    }
}

fn noise(seed: u64, index: usize) -> f64 {
    ((index as f64 + 1.0) * (seed as f64 + 12.9898)).sin() * 43758.5453
}

/// All members.
pub(crate) fn every_member(reduction: Reduction) -> Vec<Member> {
    let mut members = sigmoid_members(reduction);
    members.extend(softmax_members(reduction));
    members.extend(composed_members(reduction));
    members.extend(other_members(reduction));
    members
}

/// All reductions to one number.
pub(crate) const REDUCTIONS: [Reduction; 5] = [
    Reduction::Sum,
    Reduction::Mean,
    Reduction::WeightedMean,
    Reduction::MeanOverPositives,
    Reduction::DividedBy(7.0),
];

/// Logits away from every kink.
pub(crate) fn logits(shape: &[usize]) -> Tensor<f64> {
    let count = shape.iter().product();
    let numbers = (0..count).map(|i| (i as f64 * 1.7 + 0.3).sin() * 2.5 + 0.1);
    Tensor::from_vec(numbers.collect(), shape).unwrap()
}

/// Labels `0..classes`, and an ignored one.
pub(crate) fn labels(shape: &[usize], classes: i64) -> Tensor<i64> {
    let count: usize = shape.iter().product();
    let numbers = (0..count as i64).map(|i| if i == 3 { -1 } else { (i * i + 1) % classes });
    Tensor::from_vec(numbers.collect(), shape).unwrap()
}
