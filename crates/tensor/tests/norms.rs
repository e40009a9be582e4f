//! Norms against the naive ones, on random views.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{
    Case, LARGE, assert_exact, assert_within, cases, eighths, halves, large, max, of_nothing,
    with_specials,
};
use macula_tensor::{Float, Norm};
use proptest::prelude::*;

fn naive_norm<T: Float>(norm: Norm, group: &[T]) -> f64 {
    let sizes = group.iter().map(|x| x.to_f64().abs());
    match norm {
        Norm::L1 => sizes.sum::<f64>() + 0.0,
        Norm::L2 => sizes.map(|x| x * x).sum::<f64>().sqrt(),
        Norm::P(p) => sizes.map(|x| x.powf(p)).sum::<f64>().powf(1.0 / p),
        Norm::Max => max(&[0.0].into_iter().chain(sizes).collect::<Vec<_>>()),
        Norm::Min => -max(&sizes.map(|x| -x).collect::<Vec<_>>()),
        Norm::NonZero => sizes.filter(|&x| x != 0.0).count() as f64,
    }
}

fn norms_agree<T: Float>(case: &Case, element: fn(u64) -> T) {
    let x = case.tensor(element);
    let (sizes, groups) = case.groups(&x);
    for norm in [Norm::L1, Norm::L2, Norm::Max, Norm::Min, Norm::NonZero] {
        let found = x.norm(norm, case.axes());
        if norm == Norm::Min && of_nothing(case, &x) {
            assert!(found.is_err());
            continue;
        }
        let expected: Vec<f64> = groups.iter().map(|group| naive_norm(norm, group)).collect();
        assert_exact(&found.unwrap(), &sizes, &expected);
    }
}

/// Of few elements: the naive sum of powers is rounded at each of them.
fn norms_of_any_power_agree<T: Float>(case: &Case, element: fn(u64) -> T) {
    let x = case.tensor(element);
    let (sizes, groups) = case.groups(&x);
    for p in [-1.5, 0.5, 3.0] {
        let found = x.norm(Norm::P(p), case.axes());
        if p < 0.0 && of_nothing(case, &x) {
            assert!(found.is_err());
            continue;
        }
        let found = found.unwrap();
        assert_eq!(found.shape(), sizes);
        for (found, group) in found.to_vec().unwrap().into_iter().zip(&groups) {
            // Powers, their sum and its root are within 2 units each, and the root of order 1/p has
            // 1/p times the error of the sum; a naive sum adds half a unit for each element.
            let units = 2.0 + (4.0 + group.len() as f64 / 2.0) / p.abs();
            assert_within("norm", &[found], &[naive_norm(Norm::P(p), group)], units);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn norms_of_every_order_are_the_naive_ones(case in cases(6)) {
        norms_agree(&case, eighths::<f32>);
        norms_agree(&case, eighths::<f64>);
        norms_agree(&case, with_specials::<f32>);
        norms_agree(&case, with_specials::<f64>);
        norms_of_any_power_agree(&case, eighths::<f32>);
        norms_of_any_power_agree(&case, with_specials::<f64>);
    }
}

#[test]
fn norms_along_long_and_short_axes_agree_too() {
    for (sizes, axes) in LARGE {
        let mut turned = large(sizes, axes);
        norms_agree(&turned, halves::<f32>);
        turned.order.reverse();
        turned.reduced.reverse();
        norms_agree(&turned, halves::<f64>);
    }
}
