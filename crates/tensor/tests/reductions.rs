//! Reductions against the naive ones, on random views.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{
    Case, LARGE, assert_exact, cases, eighths, halves, large, max, noise, of_nothing, with_specials,
};
use macula_tensor::{
    Float, Number, Tensor, keep,
    ops::pointwise::{Mul, Square},
};
use proptest::prelude::*;

fn sums_agree<T: Float>(case: &Case, element: fn(u64) -> T) {
    let x = case.tensor(element);
    let (sizes, groups) = case.groups(&x);
    let check = |result: Tensor<T>, naive: &dyn Fn(&[f64]) -> f64| {
        let expected: Vec<f64> = groups
            .iter()
            .map(|group| naive(&group.iter().map(|x| x.to_f64()).collect::<Vec<_>>()))
            .collect();
        assert_exact(&result, &sizes, &expected);
    };
    let sum = |v: &[f64]| v.iter().sum::<f64>() + 0.0;
    check(x.sum(case.axes()).unwrap(), &sum);
    check(x.mean(case.axes()).unwrap(), &|v| sum(v) / v.len() as f64);
    check(x.map_sum(Square, case.axes()).unwrap(), &|v| {
        v.iter().map(|x| x * x).sum()
    });
    if !of_nothing(case, &x) {
        check(x.map_amax(Square, case.axes()).unwrap(), &|v| {
            max(&v.iter().map(|x| x * x).collect::<Vec<_>>())
        });
        check(x.map_amin(Square, case.axes()).unwrap(), &|v| {
            -max(&v.iter().map(|x| -x * x).collect::<Vec<_>>())
        });
    }
    // Powers of two, few enough for the product of a long axis to stay in range; where the sums
    // have NaN and infinities, so have the products.
    let x = case.tensor(|random| {
        let magnitude = match [2.0, 0.5].get((random / 2 % 64) as usize) {
            Some(magnitude) => *magnitude,
            None if element(random).is_finite() => 1.0,
            None => element(random).to_f64().abs(),
        };
        T::from_f64(if random % 2 == 0 {
            magnitude
        } else {
            -magnitude
        })
    });
    let (sizes, groups) = case.groups(&x);
    let products: Vec<f64> = groups
        .iter()
        .map(|g| g.iter().map(|x| x.to_f64()).product())
        .collect();
    assert_exact(&x.prod(case.axes()).unwrap(), &sizes, &products);
}

fn extremes_agree<T: Float>(case: &Case) {
    let x = case.tensor(with_specials::<T>);
    let (sizes, groups) = case.groups(&x);
    if of_nothing(case, &x) {
        assert!(x.amax(case.axes()).is_err() && x.amin(case.axes()).is_err());
        return;
    }
    let groups: Vec<Vec<f64>> = groups
        .iter()
        .map(|g| g.iter().map(|x| x.to_f64()).collect())
        .collect();
    let largest: Vec<f64> = groups.iter().map(|g| max(g)).collect();
    assert_exact(&x.amax(case.axes()).unwrap(), &sizes, &largest);
    let negated = |g: &Vec<f64>| -max(&g.iter().map(|x| -x).collect::<Vec<_>>());
    let smallest: Vec<f64> = groups.iter().map(negated).collect();
    assert_exact(&x.amin(case.axes()).unwrap(), &sizes, &smallest);
}

fn variances_agree<T: Float>(case: &Case, correction: usize, specials: bool) {
    let x = case.tensor(|random| {
        let special =
            [f64::INFINITY, f64::NEG_INFINITY, f64::NAN].get((random / 1000 % 64) as usize);
        T::from_f64(match special {
            Some(special) if specials => *special,
            _ => (random % 1000) as f64 / 250.0 + 1.0,
        })
    });
    let (sizes, groups) = case.groups(&x);
    let variance = x.var(case.axes(), correction).unwrap();
    let deviation = x.std(case.axes(), correction).unwrap();
    assert_eq!(variance.shape(), sizes);
    let results = variance
        .to_vec()
        .unwrap()
        .into_iter()
        .zip(deviation.to_vec().unwrap());
    for ((found, deviation), group) in results.zip(&groups) {
        let n = group.len() as f64;
        let mean = group.iter().map(|x| x.to_f64()).sum::<f64>() / n;
        let squares: f64 = group.iter().map(|x| (x.to_f64() - mean).powi(2)).sum();
        let expected = squares / (n - correction as f64).max(0.0);
        if group.len() <= correction || expected.is_nan() {
            assert!(found.to_f64().is_nan() && deviation.to_f64().is_nan());
        } else {
            // Rounding the mean (about 3) to T moves each distance by ε; squares are below 16.
            let tolerance = 60.0 * T::EPSILON * n / (n - correction as f64);
            assert!(
                (found.to_f64() - expected).abs() <= tolerance,
                "{found} {expected}"
            );
            let tolerance = tolerance.max(T::EPSILON).sqrt();
            assert!((deviation.to_f64() - expected.sqrt()).abs() <= tolerance);
        }
    }
}

fn truths_agree<T: Number>(case: &Case, element: impl Fn(u64) -> T) {
    let x = case.tensor(element);
    let (sizes, groups) = case.groups(&x);
    let (any, all) = (x.any(case.axes()).unwrap(), x.all(case.axes()).unwrap());
    assert_eq!((any.shape(), all.shape()), (&sizes[..], &sizes[..]));
    let expected = |truth: fn(&[T]) -> bool| groups.iter().map(|g| truth(g)).collect::<Vec<_>>();
    let found = any.to_vec().unwrap();
    assert_eq!(found, expected(|group| group.iter().any(|&x| x != T::ZERO)));
    let found = all.to_vec().unwrap();
    assert_eq!(found, expected(|group| group.iter().all(|&x| x != T::ZERO)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sums_products_and_norms_are_the_naive_ones(case in cases(6)) {
        sums_agree(&case, eighths::<f32>);
        sums_agree(&case, eighths::<f64>);
    }

    #[test]
    fn sums_with_nan_and_infinities_are_the_naive_ones(case in cases(6)) {
        sums_agree(&case, with_specials::<f32>);
        sums_agree(&case, with_specials::<f64>);
    }

    #[test]
    fn extremes_are_the_naive_ones_with_nan_and_infinities(case in cases(6)) {
        extremes_agree::<f32>(&case);
        extremes_agree::<f64>(&case);
    }

    #[test]
    fn variances_are_the_naive_ones(case in cases(6), correction in 0usize..3, specials: bool) {
        variances_agree::<f32>(&case, correction, specials);
        variances_agree::<f64>(&case, correction, specials);
    }

    #[test]
    fn integers_wrap_and_truth_values_are_counted(case in cases(6)) {
        let x = case.tensor(|random| (random as i64).wrapping_mul(0x1234_5678_9ABC));
        let (sizes, groups) = case.groups(&x);
        let all = |join: &dyn Fn(&[i64]) -> i64| groups.iter().map(|g| join(g)).collect::<Vec<_>>();
        let sum = x.sum(case.axes()).unwrap();
        prop_assert_eq!(sum.shape(), &sizes[..]);
        prop_assert_eq!(sum.to_vec().unwrap(), all(&|g| g.iter().fold(0, |a, &b| a.wrapping_add(b))));
        let product = x.prod(case.axes()).unwrap();
        prop_assert_eq!(product.to_vec().unwrap(), all(&|g| g.iter().fold(1, |a, &b| a.wrapping_mul(b))));
        if groups.iter().all(|group| !group.is_empty()) && !x.is_empty() {
            let largest = x.amax(case.axes()).unwrap();
            prop_assert_eq!(largest.to_vec().unwrap(), all(&|g| *g.iter().max().unwrap()));
            let smallest = x.amin(case.axes()).unwrap();
            prop_assert_eq!(smallest.to_vec().unwrap(), all(&|g| *g.iter().min().unwrap()));
        }
        let x = case.tensor(|random| random % 3 == 0);
        let (_, groups) = case.groups(&x);
        let any: Vec<bool> = groups.iter().map(|g| g.contains(&true)).collect();
        prop_assert_eq!(x.any(case.axes()).unwrap().to_vec().unwrap(), any);
        let every: Vec<bool> = groups.iter().map(|g| !g.contains(&false)).collect();
        prop_assert_eq!(x.all(case.axes()).unwrap().to_vec().unwrap(), every);
        let count: Vec<i64> = groups.iter().map(|g| g.iter().filter(|x| **x).count() as i64).collect();
        prop_assert_eq!(x.sum(case.axes()).unwrap().to_vec().unwrap(), &count[..]);
        prop_assert_eq!(x.count_nonzero(case.axes()).unwrap().to_vec().unwrap(), count);
    }

    #[test]
    fn numbers_are_true_unless_zero(case in cases(6)) {
        truths_agree(&case, |random| with_specials::<f32>(random / 2) * (random % 2) as f32);
        truths_agree(&case, |random| with_specials::<f64>(random / 2) * (random % 2) as f64);
        truths_agree(&case, |random| (random % 3) as i64 - 1);
    }

    #[test]
    fn summing_to_a_shape_reverses_expanding(case in cases(5), drop in 0usize..4) {
        let x = case.tensor(eighths::<f64>);
        let lead = drop.min(x.rank());
        let target: Vec<usize> = (lead..x.rank())
            .map(|axis| if case.reduced[axis] { 1 } else { x.shape()[axis] })
            .collect();
        let mut naive = case.clone();
        naive.keep = false;
        naive.reduced[..lead].fill(true);
        let (_, groups) = naive.groups(&x);
        let expected: Vec<f64> = groups.iter().map(|g| g.iter().sum::<f64>() + 0.0).collect();
        assert_exact(&x.sum_to(&target).unwrap(), &target, &expected);
    }
}

#[test]
fn long_and_short_axes_sliced_and_transposed_agree_too() {
    for (sizes, axes) in LARGE {
        let whole = large(sizes, axes);
        let mut sliced = whole.clone();
        sliced
            .axes
            .iter_mut()
            .for_each(|axis| (axis.1, axis.2) = (1, 2));
        let mut turned = whole.clone();
        turned.order.reverse();
        turned.reduced.reverse();
        for case in [whole, sliced, turned] {
            sums_agree(&case, halves::<f32>);
            extremes_agree::<f64>(&case);
            // In f32, next to which the naive sums in f64 are exact.
            variances_agree::<f32>(&case, 1, false);
        }
    }
}

#[test]
fn the_same_bits_come_out_for_any_number_of_threads() {
    for (sizes, axes) in LARGE {
        let case = large(sizes, axes);
        let x = case.tensor(|random| (random % 100_003) as f32 / 1e3);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                let results = [
                    x.sum(case.axes()),
                    x.var(case.axes(), 1),
                    x.logsumexp(case.axes()),
                ];
                results.map(|result| {
                    result
                        .unwrap()
                        .to_vec()
                        .unwrap()
                        .iter()
                        .map(|x| x.to_bits())
                        .collect::<Vec<_>>()
                })
            })
        };
        let single = run(1);
        for threads in [2, 3, 8] {
            assert_eq!(
                run(threads),
                single,
                "{sizes:?} over {axes:?} on {threads} threads"
            );
        }
    }
}

#[test]
fn sums_of_pairs_are_cut_into_pieces_along_any_axis() {
    let sizes: [&[usize]; 5] = [
        &[100_000],
        &[5, 70_000],
        &[70_000, 3],
        &[2, 3, 40_000],
        &[90, 1, 900],
    ];
    for sizes in sizes {
        for axes in [&[0][..], &[sizes.len() as isize - 1], &[], &[0, -1]] {
            if sizes.len() == 1 && axes.len() > 1 {
                continue;
            }
            let (x, y) = (large(sizes, &[]), large(&sizes[sizes.len() - 1..], &[]));
            let (x, y) = (
                x.tensor(halves::<f32>),
                y.tensor(|random| halves(random / 3)),
            );
            // Sums of quarters, which are exact in any order.
            let found = x.zip_sum(&y, Mul, axes).unwrap();
            let wanted = x.mul(&y).unwrap().sum(axes).unwrap();
            assert_eq!(found.shape(), wanted.shape());
            assert_eq!(
                found.to_vec().unwrap(),
                wanted.to_vec().unwrap(),
                "{sizes:?} over {axes:?}"
            );
        }
    }
}

#[test]
fn the_error_of_a_long_sum_stays_within_its_bound() {
    let mut noise = noise(3);
    let elements: Vec<f32> = (0..3_000_000)
        .map(|_| (noise() % 1_000_003) as f32 * 1e-3)
        .collect();
    let exact: f64 = elements.iter().map(|&x| f64::from(x)).sum();
    let x = Tensor::from(elements);
    let bound = 100.0 * f64::from(f32::EPSILON) * exact;
    assert!((f64::from(x.sum(..).unwrap().item().unwrap()) - exact).abs() < bound);
    let columns = x
        .reshape([1_000_000, 3])
        .unwrap()
        .sum(0)
        .unwrap()
        .sum(..)
        .unwrap();
    assert!((f64::from(columns.item().unwrap()) - exact).abs() < bound);
}

#[test]
fn empty_reductions_give_the_value_of_nothing_or_say_why_not() {
    let x = Tensor::<f32>::zeros([2, 0]).unwrap();
    assert_eq!(x.sum(1).unwrap().to_vec().unwrap(), [0.0, 0.0]);
    assert_eq!(x.prod(1).unwrap().to_vec().unwrap(), [1.0, 1.0]);
    assert!(x.mean(..).unwrap().item().unwrap().is_nan());
    assert_eq!(
        x.logsumexp(1).unwrap().to_vec().unwrap(),
        [f32::NEG_INFINITY; 2]
    );
    assert_eq!(x.amax(0).unwrap().shape(), [0]);
    assert_eq!(
        x.amax(keep(1)).map(drop).unwrap_err().to_string(),
        "amax: expected at least one element along the reduced axes, found shape [2, 0]"
    );
}

#[test]
fn summing_to_the_same_shape_copies_nothing() {
    let x = Tensor::<f32>::zeros([40, 3]).unwrap();
    let same = x.sum_to([40, 3]).unwrap();
    assert_eq!(
        same.as_slice().unwrap().as_ptr(),
        x.as_slice().unwrap().as_ptr()
    );
    assert!(x.sum_to([4, 3]).is_err());
    assert!(x.sum_to([1, 40, 3]).is_err());
}
