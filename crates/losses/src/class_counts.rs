//! `ClassCounts`: one scan of the targets, and everything that is derived from it.

use macula_tensor::{Device, Error, Result, Tensor};

use crate::checks::{bad_label, check_exponent};

/// How often each class occurs in the training targets.
///
/// Class weights, α, priors, logit offsets and the bias of the last layer all come from here, so
/// that they cannot disagree. Count the training part, never the test part.
///
/// # Example
///
/// ```
/// use macula_losses::ClassCounts;
/// use macula_tensor::Tensor;
///
/// let labels = Tensor::from([0_i64, 0, 0, 1]);
/// let counts = ClassCounts::of(&labels, 2)?;
/// assert_eq!(counts.prior(1), 0.25);
/// assert_eq!(counts.balanced_weights(), [4.0 / 6.0, 4.0 / 2.0]);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassCounts {
    counts: Vec<usize>,
}

impl ClassCounts {
    /// Counts the labels `0..classes`.
    ///
    /// # Errors
    /// There must be a label, and each must be one of the classes.
    pub fn of(labels: &Tensor<i64>, classes: usize) -> Result<Self> {
        let mut counts = Vec::new();
        let reserved = counts.try_reserve_exact(classes);
        reserved.map_err(|error| Error::Argument {
            op: "ClassCounts::of",
            argument: "classes",
            expected: format!("a number that memory has room for ({error})"),
            found: classes.to_string(),
        })?;
        counts.resize(classes, 0);
        for class in classes_of("ClassCounts::of", labels, classes)? {
            counts[class] += 1;
        }
        Self::from_counts(counts)
    }

    /// Counts that are known already.
    ///
    /// # Errors
    /// One of them must be positive, and their sum be a `usize`.
    pub fn from_counts(counts: impl Into<Vec<usize>>) -> Result<Self> {
        let counts = counts.into();
        let total = counts
            .iter()
            .try_fold(0_usize, |sum, &count| sum.checked_add(count));
        if matches!(total, None | Some(0)) {
            return Err(Error::Argument {
                op: "ClassCounts",
                argument: "counts",
                expected: "at least one element of one class, and no more than can be counted"
                    .into(),
                found: format!("{counts:?}"),
            });
        }
        Ok(Self { counts })
    }

    /// The counts.
    pub fn counts(&self) -> &[usize] {
        &self.counts
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.counts.len()
    }

    /// The sum of the counts.
    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The share π_c = n_c / n of a class; 0 for a class that does not exist.
    pub fn prior(&self, class: usize) -> f64 {
        self.counts.get(class).map_or(0.0, |&count| count as f64) / self.total() as f64
    }

    /// The shares of all classes.
    pub fn priors(&self) -> Vec<f64> {
        (0..self.classes()).map(|class| self.prior(class)).collect()
    }

    /// 1 − π_c, the α of a [`SigmoidLoss`](crate::SigmoidLoss) with which the class and the rest
    /// have the same total weight: α·π_c = (1 − α)·(1 − π_c).
    ///
    /// # Source
    /// Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", 2017,
    /// section 3.1: α by inverse class frequency.
    pub fn alpha(&self, class: usize) -> f64 {
        let count = self.counts.get(class).copied().unwrap_or_default();
        (self.total() - count) as f64 / self.total() as f64
    }

    /// The class that occurs least, among those that occur.
    pub fn rarest(&self) -> usize {
        let occurring = self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0);
        occurring
            .min_by_key(|(_, count)| **count)
            .map_or(0, |(class, _)| class)
    }

    /// Weights n / (C·n_c), so that every class has the same total; 0 for an absent class.
    ///
    /// # Source
    /// King, Zeng, "Logistic regression in rare events data", 2001; scikit-learn's `balanced`.
    pub fn balanced_weights(&self) -> Vec<f64> {
        let scale = self.total() as f64 / self.classes() as f64;
        self.weights(|count| scale / count)
    }

    /// The square roots of the balanced weights: a milder correction, and a fair rival.
    pub fn square_root_weights(&self) -> Vec<f64> {
        self.balanced_weights().into_iter().map(f64::sqrt).collect()
    }

    /// Weights (1 − β) / (1 − β^n_c), scaled so that they sum to the number of classes that occur;
    /// 0 for an absent class.
    ///
    /// β = 0 weighs all classes alike, β → 1 by the inverse of their counts.
    ///
    /// # Errors
    /// β must be in [0, 1).
    ///
    /// # Numerics
    /// `1 − β^n` is formed as `−expm1(n·ln β)`, which keeps its digits for β near 1.
    ///
    /// # Source
    /// Cui, Jia, Lin, Song, Belongie, "Class-balanced loss based on effective number of samples",
    /// 2019, eq. 2 and section 4.
    pub fn effective_number_weights(&self, beta: f64) -> Result<Vec<f64>> {
        let weights = self.inverse_effective_numbers(beta)?;
        let present = weights.iter().filter(|&&weight| weight > 0.0).count() as f64;
        let sum: f64 = weights.iter().sum();
        Ok(weights
            .into_iter()
            .map(|weight| weight * present / sum)
            .collect())
    }

    /// (1 − β) / (1 − β^n_c) as it stands; 0 for an absent class.
    ///
    /// # Errors
    /// β must be in [0, 1).
    pub fn inverse_effective_numbers(&self, beta: f64) -> Result<Vec<f64>> {
        if !(0.0..1.0).contains(&beta) {
            return Err(Error::Argument {
                op: "ClassCounts",
                argument: "beta",
                expected: "in [0, 1)".into(),
                found: beta.to_string(),
            });
        }
        Ok(self.weights(|count| (1.0 - beta) / -(count * beta.ln()).exp_m1()))
    }

    /// τ·ln π_c, what logit adjustment adds to the logits; −∞ for an absent class unless τ is 0.
    ///
    /// # Errors
    /// τ must be finite and not negative.
    ///
    /// # Source
    /// Menon, Jayasumana, Rawat, Jain, Veit, Kumar, "Long-tail learning via logit adjustment",
    /// 2021, eq. 10.
    pub fn logit_offsets(&self, tau: f64) -> Result<Vec<f64>> {
        check_exponent("logit_offsets", "tau", tau)?;
        // τ = 0 adjusts nothing, not even an absent class.
        let offset = |prior: f64| if tau == 0.0 { 0.0 } else { tau * prior.ln() };
        Ok(self.priors().into_iter().map(offset).collect())
    }

    /// −ln((1 − π_c)/π_c) = ln n_c − ln(n − n_c), the bias with which a sigmoid starts at the
    /// class's share; −∞ for an absent class and +∞ for the only one.
    ///
    /// # Source
    /// Lin, Goyal, Girshick, He, Dollár, "Focal loss for dense object detection", 2017,
    /// section 4.1.
    pub fn prior_bias(&self, class: usize) -> f64 {
        let count = self.counts.get(class).copied().unwrap_or_default();
        (count as f64).ln() - ((self.total() - count) as f64).ln()
    }

    /// For each element the weight of its class, for a sampler.
    ///
    /// # Errors
    /// Each label must be one of the classes.
    pub fn sample_weights(&self, labels: &Tensor<i64>) -> Result<Vec<f64>> {
        let weights = self.balanced_weights();
        let classes = classes_of("ClassCounts::sample_weights", labels, weights.len())?;
        Ok(classes.into_iter().map(|class| weights[class]).collect())
    }

    /// `weight` of the count of each class that occurs, 0 for the others.
    fn weights(&self, weight: impl Fn(f64) -> f64) -> Vec<f64> {
        let of = |&count: &usize| {
            if count == 0 {
                0.0
            } else {
                weight(count as f64)
            }
        };
        self.counts.iter().map(of).collect()
    }
}

/// The labels as classes.
///
/// # Errors
/// Each must be one of `0..classes`.
fn classes_of(op: &'static str, labels: &Tensor<i64>, classes: usize) -> Result<Vec<usize>> {
    let shape = labels.shape();
    let labels = labels.to(&Device::Cpu)?.to_vec()?;
    let class = |(index, &label): (usize, &i64)| {
        let class = usize::try_from(label).ok().filter(|&class| class < classes);
        class.ok_or_else(|| bad_label(op, &labels, index, shape, classes, None))
    };
    labels.iter().enumerate().map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_is_no_class_is_named_with_its_row() {
        let error = ClassCounts::of(&Tensor::from([0_i64, 1, 7]), 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "ClassCounts::of: row 2 has label 7, expected 0 to 1"
        );
    }

    #[test]
    fn no_labels_are_an_error() {
        let none = Tensor::from(Vec::<i64>::new());
        assert!(ClassCounts::of(&none, 2).is_err());
    }

    #[test]
    fn counts_that_no_number_holds_are_an_error() {
        assert!(ClassCounts::from_counts([usize::MAX, 1]).is_err());
        let labels = Tensor::from([0_i64]);
        assert!(ClassCounts::of(&labels, usize::MAX).is_err());
    }

    #[test]
    fn the_two_ends_of_beta_are_equal_and_inverse_weights() -> Result<()> {
        let counts = ClassCounts::from_counts([10, 90, 0])?;
        assert_eq!(counts.effective_number_weights(0.0)?, [1.0, 1.0, 0.0]);
        let nearly_one = counts.effective_number_weights(1.0 - 1e-9)?;
        approx::assert_relative_eq!(nearly_one[0], 1.8, max_relative = 1e-6);
        approx::assert_relative_eq!(nearly_one[1], 0.2, max_relative = 1e-6);
        assert!(counts.effective_number_weights(1.0).is_err());
        assert!(counts.effective_number_weights(f64::NAN).is_err());
        Ok(())
    }

    #[test]
    fn alpha_gives_a_class_and_the_rest_the_same_total() -> Result<()> {
        let counts = ClassCounts::from_counts([970, 30])?;
        let alpha = counts.alpha(1);
        approx::assert_relative_eq!(alpha * 30.0, (1.0 - alpha) * 970.0, max_relative = 1e-12);
        // Balanced weights up to a factor.
        let weights = counts.balanced_weights();
        let ratio = alpha / (1.0 - alpha);
        approx::assert_relative_eq!(ratio, weights[1] / weights[0], max_relative = 1e-12);
        Ok(())
    }

    #[test]
    fn the_prior_bias_starts_a_sigmoid_at_the_share() -> Result<()> {
        let counts = ClassCounts::from_counts([99, 1])?;
        let bias = counts.prior_bias(1);
        approx::assert_relative_eq!(1.0 / (1.0 + (-bias).exp()), 0.01, max_relative = 1e-12);
        assert_eq!(counts.rarest(), 1);
        Ok(())
    }

    #[test]
    fn weights_are_those_of_the_formula() -> Result<()> {
        // 40 samples of 4 classes: 10/5, 10/20, 10/15 and no weight.
        let counts = ClassCounts::from_counts([5, 20, 15, 0])?;
        let balanced = [2.0, 0.5, 2.0 / 3.0, 0.0];
        let roots = [
            std::f64::consts::SQRT_2,
            std::f64::consts::FRAC_1_SQRT_2,
            0.816_496_580_927_726,
            0.0,
        ];
        let labels = Tensor::from([1_i64, 0, 2, 0, 1]);
        let samples = [0.5, 2.0, 2.0 / 3.0, 2.0, 0.5];
        let pairs = [
            (counts.balanced_weights(), &balanced[..]),
            (counts.square_root_weights(), &roots[..]),
            (counts.sample_weights(&labels)?, &samples[..]),
        ];
        for (found, wanted) in pairs {
            approx::assert_relative_eq!(found[..], *wanted, max_relative = 1e-15);
        }
        let none = Tensor::from([0_i64, 4]);
        assert!(counts.sample_weights(&none).is_err());
        Ok(())
    }
}
