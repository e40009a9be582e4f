//! Means that take one value at a time.

use std::fmt;

/// The mean of the values seen so far, for a loss over the batches of an epoch.
///
/// # Numerics
/// A compensated sum: the error does not grow with the number of values.
///
/// # Source
/// A. Neumaier, *Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen*, 1974,
/// algorithm IV.
///
/// # Example
///
/// ```
/// use macula_nn::metrics::Mean;
///
/// let mut loss = Mean::new();
/// loss.add_weighted(0.5_f32, 128.0); // a batch of 128 rows
/// loss.add_weighted(0.25_f32, 64.0); // the last one, of 64
/// assert_eq!(loss.value(), 80.0 / 192.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mean {
    sum: f64,
    /// What rounding took from `sum`.
    lost: f64,
    weight: f64,
}

impl Mean {
    /// The mean of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value.
    pub fn add(&mut self, value: impl Into<f64>) {
        self.add_weighted(value, 1.0);
    }

    /// Adds a value that counts `weight` times, such as a batch mean with the size of the batch.
    /// A value of weight 0 changes nothing.
    pub fn add_weighted(&mut self, value: impl Into<f64>, weight: f64) {
        if weight == 0.0 {
            return;
        }
        let term = value.into() * weight;
        let sum = self.sum + term;
        self.lost += if self.sum.abs() >= term.abs() {
            (self.sum - sum) + term
        } else {
            (term - sum) + self.sum
        };
        self.sum = sum;
        self.weight += weight;
    }

    /// The mean so far: Σ weight·value / Σ weight; NaN before the first value.
    pub fn value(&self) -> f64 {
        // Once the sum is infinite, what rounding lost is ∞ − ∞ and says nothing.
        let sum = if self.sum.is_finite() {
            self.sum + self.lost
        } else {
            self.sum
        };
        sum / self.weight
    }
}

impl FromIterator<f64> for Mean {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut mean = Self::new();
        values.into_iter().for_each(|value| mean.add(value));
        mean
    }
}

/// Mean and standard deviation of the values seen so far, for one result over several seeds.
///
/// Printed as `0.672 ± 0.058`, with three decimals unless the format asks for others; a single
/// value has no deviation and is printed alone.
///
/// # Numerics
/// The squares of distances to the mean are updated, never the squares of the values, so that a
/// small deviation of large values keeps its digits.
///
/// # Source
/// B. P. Welford, *Note on a Method for Calculating Corrected Sums of Squares and Products*, 1962.
///
/// # Example
///
/// ```
/// use macula_nn::metrics::MeanAndDeviation;
///
/// let recall: MeanAndDeviation = [0.60, 0.70, 0.65].into_iter().collect();
/// assert_eq!(recall.to_string(), "0.650 ± 0.050");
/// assert_eq!(format!("{recall:.2}"), "0.65 ± 0.05");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeanAndDeviation {
    count: u64,
    mean: f64,
    /// Σ (value − mean)².
    squares: f64,
}

impl MeanAndDeviation {
    /// The mean of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value.
    pub fn add(&mut self, value: impl Into<f64>) {
        let value = value.into();
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// Number of values so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean; NaN before the first value.
    pub fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.mean }
    }

    /// The standard deviation of a sample, `√(Σ (value − mean)² / (count − 1))`; NaN before the
    /// second value.
    pub fn deviation(&self) -> f64 {
        match self.count {
            0 | 1 => f64::NAN,
            count => (self.squares / (count - 1) as f64).sqrt(),
        }
    }
}

impl FromIterator<f64> for MeanAndDeviation {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut summary = Self::new();
        values.into_iter().for_each(|value| summary.add(value));
        summary
    }
}

impl fmt::Display for MeanAndDeviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(3);
        match self.count {
            0 => write!(f, "–"),
            1 => write!(f, "{:.digits$}", self.mean),
            _ => write!(f, "{:.digits$} ± {:.digits$}", self.mean, self.deviation()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_nothing_is_nan() {
        assert!(Mean::new().value().is_nan());
        assert!(MeanAndDeviation::new().mean().is_nan());
        assert!(MeanAndDeviation::new().deviation().is_nan());
        assert_eq!(MeanAndDeviation::new().to_string(), "–");
    }

    #[test]
    fn a_mean_does_not_drift_over_many_values() {
        let mean: Mean = std::iter::repeat_n(0.1, 1_000_000).collect();
        assert_eq!(mean.value(), 0.1);
    }

    #[test]
    fn a_mean_survives_cancellation() {
        let mean: Mean = [1e100, 1.0, -1e100, 1.0].into_iter().collect();
        assert_eq!(mean.value(), 0.5);
    }

    #[test]
    fn an_infinite_value_makes_the_mean_infinite_and_not_nan() {
        let mean: Mean = [1.0, f64::INFINITY, 2.0].into_iter().collect();
        assert_eq!(mean.value(), f64::INFINITY);
    }

    #[test]
    fn a_weight_counts_like_so_many_values() {
        let mut weighted = Mean::new();
        weighted.add_weighted(2.0, 3.0);
        weighted.add_weighted(f64::NAN, 0.0);
        weighted.add(6.0);
        let plain: Mean = [2.0, 2.0, 2.0, 6.0].into_iter().collect();
        assert_eq!(weighted.value(), plain.value());
    }

    #[test]
    fn a_small_deviation_of_large_values_keeps_its_digits() {
        let summary: MeanAndDeviation = [4.0, 7.0, 13.0, 16.0]
            .map(|x| x + 1e9)
            .into_iter()
            .collect();
        assert_eq!(summary.mean(), 1e9 + 10.0);
        assert_eq!(summary.deviation(), 30.0_f64.sqrt());
    }

    #[test]
    fn one_value_has_no_deviation() {
        let summary: MeanAndDeviation = [0.5].into_iter().collect();
        assert!(summary.deviation().is_nan());
        assert_eq!(summary.to_string(), "0.500");
    }
}
