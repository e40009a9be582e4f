//! Samplers that show a rare class more often than it occurs.
//!
//! They change what the model is trained on and so what its probabilities mean: a classifier that
//! saw both classes equally often says 0.5 where the odds are those of the classes. A loss with
//! class weights does the same without drawing rows twice.

use macula_tensor::{Error, Result, Rng, Tensor};

use super::sampler::Sampler;

/// Rows drawn with replacement, each with a probability of its own.
///
/// # Numerics
/// Weights are summed in `f64`; a row's probability is exact to about the number of rows · 10⁻¹⁶.
#[derive(Clone, Debug)]
pub struct WeightedSampler {
    /// Sum of the weights up to and including each row.
    sums: Vec<f64>,
    draws: usize,
    rng: Rng,
}

impl WeightedSampler {
    /// A sampler that draws `draws` rows an epoch, row i in proportion to `weights[i]`.
    ///
    /// # Errors
    /// Weights must be finite and not negative, and one of them above 0.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_nn::data::{Sampler, WeightedSampler};
    ///
    /// let rows = WeightedSampler::new(&[1.0, 0.0, 3.0], 1000, 7)?.indices(0);
    /// assert!(!rows.contains(&1));
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn new(weights: &[f64], draws: usize, seed: u64) -> Result<Self> {
        let wrong = |found: String| Error::Argument {
            op: "WeightedSampler",
            argument: "weights",
            expected: "finite and not negative, with a finite sum above 0".into(),
            found,
        };
        let mut sum = 0.0;
        let mut sums = Vec::with_capacity(weights.len());
        for (row, &weight) in weights.iter().enumerate() {
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(wrong(format!("{weight} for row {row}")));
            }
            sum += weight;
            sums.push(sum);
        }
        if !(sum.is_finite() && sum > 0.0) {
            return Err(wrong(format!("a sum of {sum}")));
        }
        let rng = Rng::seed(seed);
        Ok(Self { sums, draws, rng })
    }

    /// A sampler that draws `draws` rows an epoch, of class c in proportion to
    /// `class_weights[c]`, and all rows of a class equally often.
    ///
    /// Equal weights draw all classes equally often on average ([`BalancedSampler`] does so
    /// exactly); the numbers of rows as weights change nothing, their square roots are between.
    ///
    /// # Errors
    /// The targets must have one axis, labels must be class numbers of 0 to C − 1, a class without a row must have weight 0, and
    /// the weights obey the rules of [`new`](Self::new).
    ///
    /// # Example
    ///
    /// ```
    /// use macula_nn::data::{Sampler, WeightedSampler};
    /// use macula_tensor::Tensor;
    ///
    /// let targets = Tensor::from([0, 0, 0, 0, 0, 0, 0, 0, 1]);
    /// let rows = WeightedSampler::by_class(&targets, &[1.0, 1.0], 1000, 7)?.indices(0);
    /// let rare = rows.iter().filter(|&&row| row == 8).count();
    /// assert!(rare > 400 && rare < 600);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn by_class(
        targets: &Tensor<i64>,
        class_weights: &[f64],
        draws: usize,
        seed: u64,
    ) -> Result<Self> {
        const OP: &str = "WeightedSampler::by_class";
        let labels = labels(OP, targets)?;
        let mut counts = vec![0; class_weights.len()];
        for (row, &label) in labels.iter().enumerate() {
            let count = usize::try_from(label).ok().and_then(|c| counts.get_mut(c));
            *count.ok_or_else(|| {
                let expected = format!("one of the {} classes with a weight", class_weights.len());
                Error::label(OP, label, row, targets.shape(), expected)
            })? += 1;
        }
        let mut classes = class_weights.iter().zip(&counts).enumerate();
        if let Some((class, (weight, _))) =
            classes.find(|(_, (w, count))| **w > 0.0 && **count == 0)
        {
            return Err(Error::Argument {
                op: OP,
                argument: "class_weights",
                expected: "0 for a class without a row".into(),
                found: format!("{weight} for class {class}"),
            });
        }
        let row_weight =
            |&label: &i64| class_weights[label as usize] / counts[label as usize] as f64;
        let weights: Vec<f64> = labels.iter().map(row_weight).collect();
        Self::new(&weights, draws, seed)
    }
}

impl Sampler for WeightedSampler {
    fn indices(&self, epoch: usize) -> Vec<usize> {
        let mut rng = self.rng.stream(epoch as u64);
        let sum = self.sums.last().copied().unwrap_or_default();
        // Where u · sum rounds up to the sum, it belongs to the last row that has a weight.
        let last = self.sums.partition_point(|&upper| upper < sum);
        (0..self.draws)
            .map(|_| {
                let place = rng.uniform() * sum;
                self.sums.partition_point(|&upper| upper <= place).min(last)
            })
            .collect()
    }
}

/// All classes equally often, in every run of C rows: a batch of k · C rows has k of each class.
///
/// An epoch has as many rows as the data. The rows of a class come in random order, all of them
/// before the first comes again, and so do the classes in a run: a rare class is repeated, a frequent one shows another part of
/// itself in each epoch. Within an epoch, the visits to two rows of a class differ by at most one.
///
/// # Example
///
/// ```
/// use macula_nn::data::{BalancedSampler, Sampler};
/// use macula_tensor::Tensor;
///
/// let targets = Tensor::from([0, 0, 0, 0, 0, 1]);
/// let rows = BalancedSampler::new(&targets, 7)?.indices(0);
/// assert_eq!(rows.iter().filter(|&&row| row == 5).count(), 3);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BalancedSampler {
    /// The rows of each class that occurs.
    classes: Vec<Vec<usize>>,
    rows: usize,
    rng: Rng,
}

impl BalancedSampler {
    /// A sampler for rows with these labels `[N]`; a class without a row is left out.
    ///
    /// # Errors
    /// The targets must have one axis.
    pub fn new(targets: &Tensor<i64>, seed: u64) -> Result<Self> {
        let labels = labels("BalancedSampler", targets)?;
        let mut by_class = std::collections::BTreeMap::<i64, Vec<usize>>::new();
        for (row, &label) in labels.iter().enumerate() {
            by_class.entry(label).or_default().push(row);
        }
        Ok(Self {
            classes: by_class.into_values().collect(),
            rows: labels.len(),
            rng: Rng::seed(seed),
        })
    }
}

impl Sampler for BalancedSampler {
    fn indices(&self, epoch: usize) -> Vec<usize> {
        let mut rng = self.rng.stream(epoch as u64);
        let mut decks: Vec<Deck> = self.classes.iter().map(|rows| Deck::new(rows)).collect();
        let mut order: Vec<usize> = (0..decks.len()).collect();
        let mut indices = Vec::with_capacity(self.rows);
        while indices.len() < self.rows {
            rng.shuffle(&mut order);
            let missing = self.rows - indices.len();
            for &class in order.iter().take(missing) {
                indices.push(decks[class].draw(&mut rng));
            }
        }
        indices
    }
}

/// The labels of targets `[N]`.
fn labels(op: &'static str, targets: &Tensor<i64>) -> Result<Vec<i64>> {
    if targets.rank() != 1 {
        return Err(Error::Shape {
            op,
            expected: "targets [N]".into(),
            found: targets.shape().into(),
        });
    }
    targets.to_vec()
}

/// Rows that are dealt out in random order, and shuffled again when all are gone.
struct Deck {
    rows: Vec<usize>,
    dealt: usize,
}

impl Deck {
    fn new(rows: &[usize]) -> Self {
        Self {
            rows: rows.to_vec(),
            dealt: rows.len(),
        }
    }

    fn draw(&mut self, rng: &mut Rng) -> usize {
        if self.dealt == self.rows.len() {
            rng.shuffle(&mut self.rows);
            self.dealt = 0;
        }
        self.dealt += 1;
        self.rows[self.dealt - 1]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_are_drawn_in_proportion_to_their_weights() {
        let weights = [0.0, 1.0, 0.0, 2.0, 5.0, 0.0];
        let draws = 80_000;
        let rows = WeightedSampler::new(&weights, draws, 3).unwrap().indices(0);
        assert_eq!(rows.len(), draws);
        for (row, weight) in weights.into_iter().enumerate() {
            let p = weight / 8.0;
            let count = rows.iter().filter(|&&other| other == row).count() as f64;
            // Five standard deviations of a binomial count.
            let tolerance = 5.0 * (draws as f64 * p * (1.0 - p)).sqrt();
            assert!((count - draws as f64 * p).abs() <= tolerance, "row {row}");
        }
    }

    #[test]
    fn class_weights_are_shared_by_the_rows_of_a_class() {
        let targets = Tensor::from([2, 0, 0, 2, 2, 2]);
        let sampler = WeightedSampler::by_class(&targets, &[1.0, 0.0, 3.0], 9, 0).unwrap();
        // Class 0: 1 / 2 each of 2 rows; class 2: 3 / 4 each of 4.
        let expected = [0.75, 1.25, 1.75, 2.5, 3.25, 4.0];
        assert_eq!(sampler.sums, expected);

        let message = |weights: &[f64]| {
            let error = WeightedSampler::by_class(&targets, weights, 9, 0).unwrap_err();
            error.to_string()
        };
        assert_eq!(
            message(&[1.0, 1.0]),
            "WeightedSampler::by_class: row 0 has label 2, \
             expected one of the 2 classes with a weight"
        );
        assert_eq!(
            message(&[1.0, 0.5, 1.0]),
            "WeightedSampler::by_class: class_weights must be 0 for a class without a row, \
             found 0.5 for class 1"
        );
    }

    #[test]
    fn weights_without_a_meaning_are_refused() {
        let message = |weights: &[f64]| {
            let error = WeightedSampler::new(weights, 1, 0).unwrap_err();
            let text = error.to_string();
            text.rsplit("found ").next().map(String::from)
        };
        assert_eq!(message(&[1.0, -1.0]).unwrap(), "-1 for row 1");
        assert_eq!(message(&[f64::NAN]).unwrap(), "NaN for row 0");
        assert_eq!(message(&[0.0, 0.0]).unwrap(), "a sum of 0");
        assert_eq!(message(&[]).unwrap(), "a sum of 0");
        assert_eq!(message(&[f64::MAX, f64::MAX]).unwrap(), "a sum of inf");
    }

    proptest! {
        #[test]
        fn every_run_of_classes_is_balanced_and_no_row_is_favoured(
            labels in prop::collection::vec(-1_i64..4, 1..100),
            seed: u64,
            epoch in 0_usize..5,
        ) {
            let sampler = BalancedSampler::new(&Tensor::from(labels.clone()), seed).unwrap();
            let rows = sampler.indices(epoch);
            prop_assert_eq!(rows.len(), labels.len());
            prop_assert_eq!(&rows, &sampler.indices(epoch));

            let mut classes = labels.clone();
            classes.sort();
            classes.dedup();
            for run in rows.chunks_exact(classes.len()) {
                let mut seen: Vec<i64> = run.iter().map(|&row| labels[row]).collect();
                seen.sort();
                prop_assert_eq!(&seen, &classes);
            }
            for class in classes {
                let of_class = (0..labels.len()).filter(|&row| labels[row] == class);
                let visits: Vec<usize> = of_class
                    .map(|row| rows.iter().filter(|&&other| other == row).count())
                    .collect();
                prop_assert!(visits.iter().max().unwrap() - visits.iter().min().unwrap() <= 1);
            }
        }
    }

    #[test]
    fn targets_must_be_labels() {
        let targets = Tensor::from([[0, 1], [1, 0]]);
        let weighted = WeightedSampler::by_class(&targets, &[1.0, 1.0], 1, 0);
        let balanced = BalancedSampler::new(&targets, 0);
        for error in [weighted.unwrap_err(), balanced.unwrap_err()] {
            let text = error.to_string();
            assert!(
                text.ends_with("expected targets [N], found shape [2, 2]"),
                "{text}"
            );
        }
    }

    #[test]
    fn no_class_is_favoured_where_an_epoch_is_not_a_multiple_of_the_classes() {
        let sampler = BalancedSampler::new(&Tensor::from([0, 0, 1]), 1).unwrap();
        let rare = |epoch| {
            sampler
                .indices(epoch)
                .iter()
                .filter(|&&row| row == 2)
                .count()
        };
        let total: usize = (0..1000).map(rare).sum();
        // 1 or 2 in an epoch, equally probable: a standard deviation of 16 in the total.
        assert!(total.abs_diff(1500) <= 80, "{total}");
    }

    #[test]
    fn another_epoch_shows_another_part_of_a_frequent_class() {
        let labels = [vec![0; 90], vec![1; 10]].concat();
        let sampler = BalancedSampler::new(&Tensor::from(labels), 1).unwrap();
        assert_ne!(sampler.indices(0), sampler.indices(1));
    }
}
