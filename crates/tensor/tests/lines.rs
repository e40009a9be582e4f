//! Operations along one axis (softmax, running sums, places of extremes) against the naive ones.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Case, along, assert_exact, cases, eighths, rarely_special, same, with_specials};
use macula_tensor::{Float, Tensor, keep};
use proptest::prelude::*;

fn naive_softmax(line: &[f64]) -> Vec<f64> {
    let m = line.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = line.iter().map(|x| (x - m).exp()).sum();
    line.iter().map(|x| (x - m).exp() / sum).collect()
}

fn naive_log_softmax(line: &[f64]) -> Vec<f64> {
    let m = line.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = line.iter().map(|x| (x - m).exp()).sum();
    line.iter().map(|x| x - m - sum.ln()).collect()
}

fn widened<T: Float>(line: &[T]) -> Vec<f64> {
    line.iter().map(|x| x.to_f64()).collect()
}

/// Results within `tolerance` of the naive ones, relative to those plus `scale`.
fn assert_close<T: Float>(
    result: &Tensor<T>,
    sizes: &[usize],
    expected: &[f64],
    tolerance: f64,
    scale: f64,
) {
    assert_eq!(result.shape(), sizes);
    for (&found, &wanted) in result.to_vec().unwrap().iter().zip(expected) {
        let close = (found.to_f64() - wanted).abs() <= tolerance * (wanted.abs() + scale);
        assert!(close || same(found, wanted), "{found} instead of {wanted}");
    }
}

fn softmaxes_agree<T: Float>(x: &Tensor<T>, axis: usize) {
    let given = axis as isize - x.rank() as isize;
    // x − m is rounded: for |x − m| ≤ 16 that moves a probability by up to 16 half units. Then two
    // units for exp, some for the sum, one for the quotient.
    let softmax = along(x, axis, |line| naive_softmax(&widened(line)));
    assert_close(
        &x.softmax(given).unwrap(),
        x.shape(),
        &softmax,
        20.0 * T::EPSILON,
        0.0,
    );
    // Rounded three times on the way, to units of at most |x − m| and ln n.
    let logs = along(x, axis, |line| naive_log_softmax(&widened(line)));
    assert_close(
        &x.log_softmax(given).unwrap(),
        x.shape(),
        &logs,
        8.0 * T::EPSILON,
        4.0,
    );
}

fn logsumexps_agree<T: Float>(case: &Case, x: &Tensor<T>) {
    let (sizes, groups) = case.groups(x);
    let naive = |group: &Vec<T>| {
        let m = group
            .iter()
            .map(|x| x.to_f64())
            .fold(f64::NEG_INFINITY, f64::max);
        let nan = group.iter().any(|x| x.to_f64().is_nan());
        match m {
            _ if nan => f64::NAN,
            m if m.is_infinite() => m,
            m => {
                m + group
                    .iter()
                    .map(|x| (x.to_f64() - m).exp())
                    .sum::<f64>()
                    .ln()
            }
        }
    };
    let expected: Vec<f64> = groups.iter().map(naive).collect();
    assert_close(
        &x.logsumexp(case.axes()).unwrap(),
        &sizes,
        &expected,
        8.0 * T::EPSILON,
        4.0,
    );
}

fn scans_agree<T: Float>(case: &Case, axis: usize) {
    let x = case.tensor(eighths::<T>);
    let running = |line: &[T]| {
        let mut sum = 0.0;
        line.iter()
            .map(|x| {
                sum += x.to_f64();
                sum
            })
            .collect()
    };
    let sums = along(&x, axis, running);
    assert_exact(&x.cumsum(axis as isize).unwrap(), x.shape(), &sums);
    let products = |line: &[T]| {
        let mut product = 1.0;
        line.iter()
            .map(|x| {
                product *= x.to_f64();
                product
            })
            .collect()
    };
    let expected = along(&x, axis, products);
    assert_exact(&x.cumprod(axis as isize).unwrap(), x.shape(), &expected);

    let x = case.tensor(with_specials::<T>);
    let (values, places) = x.cummax(axis as isize).unwrap();
    extremes_agree(&x, axis, (values, places), |x, best| x >= best);
    let (values, places) = x.cummin(axis as isize).unwrap();
    extremes_agree(&x, axis, (values, places), |x, best| x <= best);
}

/// Running extremes and their places: from the first NaN on, the last NaN.
fn extremes_agree<T: Float>(
    x: &Tensor<T>,
    axis: usize,
    (values, places): (Tensor<T>, Tensor<i64>),
    beats: fn(f64, f64) -> bool,
) {
    let best = |line: &[T]| {
        let mut at = 0;
        let mut places = Vec::new();
        for (k, x) in line.iter().enumerate() {
            if x.is_nan() || beats(x.to_f64(), line[at].to_f64()) {
                at = k;
            }
            places.push(at);
        }
        places
    };
    let expected: Vec<usize> = along(x, axis, best);
    let found = places.to_vec().unwrap();
    assert!(found.iter().map(|&place| place as usize).eq(expected));
    let best_values = along(x, axis, |line| {
        let places = best(line).into_iter();
        places.map(|k| line[k].to_f64()).collect()
    });
    assert_exact(&values, x.shape(), &best_values);
}

fn recurrences_agree<T: Float>(case: &Case, axis: usize) {
    // Factors of powers of two and eighths: few enough for the exact result to fit.
    let x = case.tensor(eighths::<f64>);
    let mut other = case.clone();
    other.seed ^= 1;
    let factors = other.tensor(|random| [0.5, 1.0, -1.0, 0.0, 2.0][(random % 5) as usize]);
    let pairs: Vec<(f64, f64)> = factors
        .to_vec()
        .unwrap()
        .into_iter()
        .zip(x.to_vec().unwrap())
        .collect();
    let numbered = Tensor::from_vec((0..pairs.len() as i64).collect(), x.shape()).unwrap();
    let expected = along(&numbered, axis, |line| {
        let mut y = 0.0;
        line.iter()
            .map(|&at| {
                let (factor, x) = pairs[at as usize];
                y = factor * y + x;
                y
            })
            .collect()
    });
    let as_t = |x: &Tensor<f64>| {
        let elements = x.to_vec().unwrap().into_iter().map(T::from_f64).collect();
        Tensor::from_vec(elements, x.shape()).unwrap()
    };
    let found = as_t(&x).recurrence(&as_t(&factors), axis as isize).unwrap();
    assert_exact(&found, x.shape(), &expected);
}

/// The first place that nothing beats.
fn first_best(line: &[f64], sign: f64) -> i64 {
    if let Some(place) = line.iter().position(|x| x.is_nan()) {
        return place as i64;
    }
    let best = line
        .iter()
        .map(|x| x * sign)
        .fold(f64::NEG_INFINITY, f64::max);
    line.iter().position(|x| x * sign == best).unwrap() as i64
}

fn places_agree<T: Float>(x: &Tensor<T>, axis: usize) {
    for sign in [1.0, -1.0] {
        let find = |axes: macula_tensor::Axes| {
            if sign > 0.0 {
                x.argmax(axes)
            } else {
                x.argmin(axes)
            }
        };
        let all = widened(&x.to_vec().unwrap());
        if x.shape()[axis] == 0 {
            assert!(find((axis as isize).into()).is_err());
            continue;
        }
        let kept = find(keep(axis as isize)).unwrap();
        let expanded = kept.expand(x.shape()).unwrap();
        let expected = along(x, axis, |line| {
            vec![first_best(&widened(line), sign); line.len()]
        });
        assert_eq!(expanded.to_vec().unwrap(), expected);
        if !all.is_empty() {
            assert_eq!(
                find((..).into()).unwrap().item(),
                Ok(first_best(&all, sign))
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn softmax_of_any_view_is_the_naive_one(case in cases(7), axis in 0usize..4, specials in any::<bool>()) {
        prop_assume!(!case.axes.is_empty());
        let axis = axis % case.axes.len();
        if specials {
            softmaxes_agree(&case.tensor(with_specials::<f32>), axis);
            softmaxes_agree(&case.tensor(with_specials::<f64>), axis);
        } else {
            softmaxes_agree(&case.tensor(eighths::<f32>), axis);
            softmaxes_agree(&case.tensor(eighths::<f64>), axis);
        }
    }

    #[test]
    fn logsumexp_of_any_view_is_the_naive_one(case in cases(6), specials in any::<bool>()) {
        if specials {
            logsumexps_agree(&case, &case.tensor(with_specials::<f32>));
            logsumexps_agree(&case, &case.tensor(with_specials::<f64>));
        } else {
            logsumexps_agree(&case, &case.tensor(eighths::<f32>));
            logsumexps_agree(&case, &case.tensor(eighths::<f64>));
        }
    }

    #[test]
    fn running_sums_products_and_maxima_are_the_naive_ones(case in cases(6), axis in 0usize..4) {
        prop_assume!(!case.axes.is_empty());
        scans_agree::<f32>(&case, axis % case.axes.len());
        scans_agree::<f64>(&case, axis % case.axes.len());
    }

    #[test]
    fn recurrences_are_the_naive_ones(case in cases(6), axis in 0usize..4) {
        prop_assume!(!case.axes.is_empty());
        recurrences_agree::<f32>(&case, axis % case.axes.len());
        recurrences_agree::<f64>(&case, axis % case.axes.len());
    }

    #[test]
    fn integers_scan_modulo_their_range_on_any_view(case in cases(6), axis in 0usize..4) {
        prop_assume!(!case.axes.is_empty());
        let axis = axis % case.axes.len();
        let x = case.tensor(|random| (random as i64).wrapping_mul(0x1234_5678_9ABC));
        let running = |start: i64, join: fn(i64, i64) -> i64| {
            along(&x, axis, |line| {
                let mut so_far = start;
                line.iter().map(|&k| { so_far = join(so_far, k); so_far }).collect()
            })
        };
        let sums = x.cumsum(axis as isize).unwrap();
        prop_assert_eq!(sums.to_vec().unwrap(), running(0, i64::wrapping_add));
        let products = x.cumprod(axis as isize).unwrap();
        prop_assert_eq!(products.to_vec().unwrap(), running(1, i64::wrapping_mul));
        let largest = x.cummax(axis as isize).unwrap().0;
        prop_assert_eq!(largest.to_vec().unwrap(), running(i64::MIN, i64::max));
        let smallest = x.cummin(axis as isize).unwrap().0;
        prop_assert_eq!(smallest.to_vec().unwrap(), running(i64::MAX, i64::min));
        if x.shape()[axis] > 0 {
            let place = |line: &[i64], best: i64| line.iter().position(|&k| k == best).unwrap() as i64;
            let first = along(&x, axis, |line| vec![place(line, *line.iter().max().unwrap()); line.len()]);
            let found = x.argmax(keep(axis as isize)).and_then(|place| place.expand(x.shape()));
            prop_assert_eq!(found.unwrap().to_vec().unwrap(), first);
        }
    }

    #[test]
    fn places_of_extremes_are_the_first_with_nan_above_all(case in cases(6), axis in 0usize..4) {
        prop_assume!(!case.axes.is_empty());
        places_agree(&case.tensor(with_specials::<f32>), axis % case.axes.len());
        places_agree(&case.tensor(eighths::<f64>), axis % case.axes.len());
    }
}

const LARGE: [(&[usize], usize); 13] = [
    (&[3, 5000], 1),
    (&[5000, 3], 1),
    (&[5000, 3], 0),
    (&[130, 40, 37], 1),
    (&[2, 21, 5000], 1),
    (&[70, 300], 0),
    (&[1000, 17], 1),
    (&[33, 129], 1),
    // Cut along the axis, along what follows it, and along both.
    (&[300_000], 0),
    (&[2, 1000, 130], 1),
    (&[1100, 600], 0),
    (&[7, 3, 1100], 1),
    (&[70, 2500], 0),
];

fn large(sizes: &[usize]) -> Case {
    Case {
        axes: sizes.iter().map(|&size| (size, 0, 0, false)).collect(),
        order: (0..sizes.len() as u32).collect(),
        reduced: vec![false; sizes.len()],
        keep: false,
        seed: 11,
    }
}

#[test]
fn long_lines_and_many_lines_agree_too() {
    for (sizes, axis) in LARGE {
        let mut case = large(sizes);
        case.reduced[axis] = true;
        let x = case.tensor(eighths::<f32>);
        softmaxes_agree(&x, axis);
        softmaxes_agree(&case.tensor(rarely_special::<f32>), axis);
        softmaxes_agree(&case.tensor(rarely_special::<f64>), axis);
        logsumexps_agree(&case, &x);
        places_agree(&x, axis);
        places_agree(&case.tensor(with_specials::<f64>), axis);
        if sizes[axis] < 200 {
            scans_agree::<f64>(&case, axis);
        }
    }
}

#[test]
fn softmax_has_the_same_bits_for_any_number_of_threads() {
    for (sizes, axis) in LARGE {
        let x = large(sizes).tensor(|random| (random % 100_003) as f32 / 1e4);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                let axis = axis as isize;
                let results = [x.softmax(axis), x.log_softmax(axis), x.cumsum(axis)];
                results.map(|y| {
                    y.unwrap()
                        .to_vec()
                        .unwrap()
                        .iter()
                        .map(|y| y.to_bits())
                        .collect::<Vec<_>>()
                })
            })
        };
        let single = run(1);
        for threads in [2, 3, 8] {
            assert_eq!(run(threads), single, "{sizes:?} on {threads} threads");
        }
    }
}

#[test]
fn integers_scan_modulo_their_range() {
    let x = Tensor::from([i64::MAX, 1, 2]);
    assert_eq!(
        x.cumsum(0).unwrap().to_vec().unwrap(),
        [i64::MAX, i64::MIN, i64::MIN + 2]
    );
    assert_eq!(
        Tensor::from([3_i64, 4, -5])
            .cumprod(-1)
            .unwrap()
            .to_vec()
            .unwrap(),
        [3, 12, -60]
    );
    assert_eq!(
        Tensor::from([[4_i64, 9], [5, 9]])
            .argmax(0)
            .unwrap()
            .to_vec()
            .unwrap(),
        [1, 0]
    );
}

#[test]
fn places_need_one_axis_that_is_not_empty() {
    let x = Tensor::<f32>::zeros([2, 0, 3]).unwrap();
    assert_eq!(
        x.argmax([0, 2]).map(drop).unwrap_err().to_string(),
        "argmax: axes must be one axis, or all (..), found 2 axes"
    );
    assert!(x.argmax(1).is_err() && x.argmin(..).is_err());
    assert_eq!(x.argmax(0).unwrap().shape(), [0, 3]);
}
