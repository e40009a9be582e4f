//! Do the numbers follow their distributions? With fixed seeds, so a run decides once and for all.
//!
//! Bounds are 5 standard errors, or the quantile that a true sample exceeds once in 1000 cases.

use super::Rng;
use super::distributions::Words;

const COUNT: usize = 1_000_000;

/// Compares the first four moments of standardised values with those of their distribution.
///
/// `moments[k]` is E zᵏ, so the mean of zᵏ has the variance (E z²ᵏ − (E zᵏ)²) / n.
fn assert_moments(standardised: impl Iterator<Item = f64> + Clone, moments: [f64; 9]) {
    let count = standardised.clone().count() as f64;
    for k in 1..=4 {
        let mean = standardised.clone().map(|z| z.powi(k as i32)).sum::<f64>() / count;
        let standard_error = ((moments[2 * k] - moments[k].powi(2)) / count).sqrt();
        let errors = (mean - moments[k]) / standard_error;
        assert!(
            errors.abs() < 5.0,
            "moment {k}: {errors:.1} standard errors off"
        );
    }
}

/// Σ (observed − expected)² / expected for counts that are all expected to be alike.
fn chi_square(counts: &[u32]) -> f64 {
    let expected = f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
    let squares = counts
        .iter()
        .map(|&count| (f64::from(count) - expected).powi(2));
    squares.sum::<f64>() / expected
}

/// Mean, variance, skewness and kurtosis of a uniform distribution: E zᵏ = 3^(k/2) / (k + 1).
const UNIFORM: [f64; 9] = [1.0, 0.0, 1.0, 0.0, 1.8, 0.0, 27.0 / 7.0, 0.0, 9.0];
/// The same of a normal distribution: E zᵏ = (k − 1)!!.
const NORMAL: [f64; 9] = [1.0, 0.0, 1.0, 0.0, 3.0, 0.0, 15.0, 0.0, 105.0];

#[test]
fn uniform_values_have_the_moments_of_a_uniform_distribution() {
    let deviation = 4.0 / 12f64.sqrt();
    let mut values = vec![0f64; COUNT];
    Rng::seed(1).fill_uniform(&mut values, -1.0, 3.0).unwrap();
    assert_moments(values.iter().map(|x| (x - 1.0) / deviation), UNIFORM);
    let mut values = vec![0f32; COUNT];
    Rng::seed(2).fill_uniform(&mut values, -1.0, 3.0).unwrap();
    let standardised = values.iter().map(|x| (f64::from(*x) - 1.0) / deviation);
    assert_moments(standardised, UNIFORM);
}

#[test]
fn normal_values_have_the_moments_of_a_normal_distribution() {
    let mut values = vec![0f64; COUNT];
    Rng::seed(3).fill_normal(&mut values, 2.0, 0.5).unwrap();
    assert_moments(values.iter().map(|x| (x - 2.0) / 0.5), NORMAL);
    let mut values = vec![0f32; COUNT];
    Rng::seed(4).fill_normal(&mut values, 2.0, 0.5).unwrap();
    let standardised = values.iter().map(|x| (f64::from(*x) - 2.0) / 0.5);
    assert_moments(standardised, NORMAL);
}

#[test]
fn the_two_normal_values_of_a_block_are_uncorrelated_and_so_are_their_squares() {
    let mut values = vec![0f64; COUNT];
    Rng::seed(5).fill_normal(&mut values, 0.0, 1.0).unwrap();
    let (pairs, _) = values.as_chunks::<2>();
    let bound = 5.0 / (pairs.len() as f64).sqrt();
    let products = pairs.iter().map(|[x, y]| x * y).sum::<f64>() / pairs.len() as f64;
    assert!(products.abs() < bound);
    // (x² − 1) / √2 has mean 0 and variance 1.
    let squares = pairs
        .iter()
        .map(|[x, y]| (x * x - 1.0) * (y * y - 1.0) / 2.0);
    assert!((squares.sum::<f64>() / pairs.len() as f64).abs() < bound);
}

#[test]
fn every_byte_of_a_random_word_is_uniform() {
    let mut words = vec![0u64; COUNT];
    Rng::seed(6).fill(Words, &mut words);
    for byte in 0..8 {
        let mut counts = [0; 256];
        for word in &words {
            counts[usize::from(word.to_le_bytes()[byte])] += 1;
        }
        // 255 degrees of freedom: mean 255, variance 510.
        let errors = (chi_square(&counts) - 255.0) / 510f64.sqrt();
        assert!(
            errors.abs() < 5.0,
            "byte {byte}: {errors:.1} standard errors off"
        );
    }
}

/// Φ(x) = ½ + φ(x) · (x + x³/3 + x⁵/(3·5) + …): G. Marsaglia, "Evaluating the normal
/// distribution", Journal of Statistical Software 11, 2004.
fn normal_cdf(x: f64) -> f64 {
    let (mut sum, mut term, mut odd) = (0.0, x, 1.0);
    while sum + term != sum {
        sum += term;
        odd += 2.0;
        term *= x * x / odd;
    }
    0.5 + sum * (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

#[test]
fn normal_values_pass_the_kolmogorov_smirnov_test() {
    let mut values = vec![0f64; 100_000];
    Rng::seed(7).fill_normal(&mut values, 0.0, 1.0).unwrap();
    values.sort_by(f64::total_cmp);
    let count = values.len() as f64;
    let distances = values.iter().enumerate().map(|(i, &x)| {
        let below = i as f64 / count;
        (normal_cdf(x) - below).max(below + 1.0 / count - normal_cdf(x))
    });
    let largest = distances.fold(0.0, f64::max);
    assert!(largest * count.sqrt() < 1.949, "D = {largest}");
}

#[test]
fn true_is_as_frequent_as_its_probability() {
    for probability in [0.01, 0.3, 0.5] {
        let mut values = vec![false; COUNT];
        Rng::seed(8)
            .fill_bernoulli(&mut values, probability)
            .unwrap();
        let found = values.iter().filter(|&&value| value).count() as f64 / COUNT as f64;
        let standard_error = (probability * (1.0 - probability) / COUNT as f64).sqrt();
        assert!((found - probability).abs() < 5.0 * standard_error);
    }
}

#[test]
fn integers_of_a_range_are_equally_frequent() {
    let mut values = vec![0i64; COUNT];
    Rng::seed(9).fill_integers(&mut values, -3, 8).unwrap();
    let mut counts = [0; 11];
    for value in values {
        counts[(value + 3) as usize] += 1;
    }
    // The 99.9 % quantile for 10 degrees of freedom.
    assert!(chi_square(&counts) < 29.59, "{counts:?}");
}

#[test]
fn all_orders_of_four_values_are_equally_frequent() {
    let mut rng = Rng::seed(10);
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..240_000 {
        *counts.entry(rng.permutation(4)).or_insert(0) += 1;
    }
    let counts: Vec<u32> = counts.into_values().collect();
    assert_eq!(counts.len(), 24);
    // The 99.9 % quantile for 23 degrees of freedom.
    assert!(chi_square(&counts) < 49.73, "{counts:?}");
}

#[test]
fn parents_children_and_neighbouring_seeds_are_uncorrelated() {
    let mut parent = Rng::seed(7);
    let mut child = parent.split();
    let streams = [
        parent.split(),
        child.split(),
        child.stream(0),
        parent.stream(0),
        parent.stream(1),
        Rng::seed(8),
        parent,
        child,
    ];
    let samples = streams.map(|mut rng| {
        let mut values = vec![0f64; 100_000];
        let half_width = 3f64.sqrt();
        rng.fill_uniform(&mut values, -half_width, half_width)
            .unwrap();
        values
    });
    for (i, first) in samples.iter().enumerate() {
        for second in &samples[..i] {
            let products = first.iter().zip(second).map(|(x, y)| x * y).sum::<f64>();
            // Each product has mean 0 and variance 1.
            assert!(products.abs() < 5.0 * (first.len() as f64).sqrt());
        }
    }
}
