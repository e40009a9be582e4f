//! Tensors made from a rule, against that rule.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Case, assert_exact, cases, rarely_special};
use macula_tensor::{Element, Float, Tensor};
use proptest::prelude::*;

/// Whether a tensor has this shape and nothing but this value.
fn is_full<T: Element>(tensor: &Tensor<T>, sizes: &[usize], value: T) -> bool {
    let text = format!("{value:?}");
    let elements = tensor.to_vec().unwrap();
    // As text, so that NaN is NaN and −0 is not 0.
    tensor.shape() == sizes
        && elements.len() == sizes.iter().product::<usize>()
        && elements.iter().all(|x| format!("{x:?}") == text)
}

fn constants_agree<T: Float>(case: &Case, number: f64) {
    let view = case.tensor(rarely_special::<T>);
    let (sizes, value) = (view.shape(), T::from_f64(number));
    assert!(is_full(&Tensor::full(sizes, value).unwrap(), sizes, value));
    assert!(is_full(&view.full_like(value).unwrap(), sizes, value));
    assert!(is_full(&Tensor::<T>::zeros(sizes).unwrap(), sizes, T::ZERO));
    assert!(is_full(&view.zeros_like().unwrap(), sizes, T::ZERO));
    assert!(is_full(&Tensor::<T>::ones(sizes).unwrap(), sizes, T::ONE));
    assert!(is_full(&view.ones_like().unwrap(), sizes, T::ONE));
    let (no, yes) = (Tensor::<bool>::zeros(sizes), Tensor::<bool>::ones(sizes));
    assert!(is_full(&no.unwrap(), sizes, false) && is_full(&yes.unwrap(), sizes, true));
}

fn ranges_agree<T: Float>(start: f64, end: f64, step: f64) {
    // Counted by walking, not by dividing.
    let before = |x: f64| if step > 0.0 { x < end } else { x > end };
    let numbers: Vec<f64> = (0..)
        .map(|k| start + f64::from(k) * step)
        .take_while(|&x| before(x))
        .collect();
    let range = Tensor::<T>::arange(start, end, step).unwrap();
    assert_exact(&range, &[numbers.len()], &numbers);
}

/// Each number is off by the rounding of the step, of its product and of the sum, and of the type.
fn spaces_agree<T: Float>(start: f64, end: f64, count: usize) {
    let line = Tensor::<T>::linspace(start, end, count).unwrap();
    let found = line.to_vec().unwrap();
    assert_eq!(found.len(), count);
    for (k, &x) in found.iter().enumerate() {
        let part = k as f64 / count.saturating_sub(1).max(1) as f64;
        let wanted = start * (1.0 - part) + end * part;
        let most = start.abs().max(end.abs());
        let off = (x.to_f64() - wanted).abs();
        assert!(
            off <= 8.0 * f64::EPSILON * most + T::EPSILON * wanted.abs(),
            "{x} instead of {wanted}"
        );
    }
    if count > 1 {
        let ends = [found[0].to_f64(), found[count - 1].to_f64()];
        assert_eq!(ends, [start, end].map(|x| T::from_f64(x).to_f64()));
    }
}

/// Every number there is: NaN, infinities and both zeros among them.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        1 => prop::sample::select(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0][..]),
        2 => -8.0..8.0,
    ]
}

/// Eighths, so that ranges of them are exact.
fn eighth(range: std::ops::Range<i32>) -> impl Strategy<Value = f64> {
    range.prop_map(|x| f64::from(x) / 8.0)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn constants_fill_any_shape_and_that_of_any_view(
        case in cases(5),
        number in number(),
        integer: i64,
        truth: bool,
    ) {
        constants_agree::<f32>(&case, number);
        constants_agree::<f64>(&case, number);
        let view = case.tensor(|random| random as i64);
        let sizes = view.shape();
        prop_assert!(is_full(&Tensor::full(sizes, integer).unwrap(), sizes, integer));
        prop_assert!(is_full(&view.full_like(integer).unwrap(), sizes, integer));
        prop_assert!(is_full(&Tensor::full(sizes, truth).unwrap(), sizes, truth));
        prop_assert!(is_full(&view.ones_like().unwrap(), sizes, 1));
    }

    #[test]
    fn ranges_of_floats_walk_until_their_end(
        start in eighth(-80..80),
        end in eighth(-80..80),
        step in prop_oneof![eighth(-40..0), eighth(1..40)],
    ) {
        ranges_agree::<f32>(start, end, step);
        ranges_agree::<f64>(start, end, step);
    }

    #[test]
    fn ranges_of_integers_walk_until_their_end(
        start in prop_oneof![-50..50_i64, Just(i64::MAX - 20), Just(i64::MIN)],
        distance in -60..60_i64,
        step in prop_oneof![-9..0_i64, 1..9_i64, Just(i64::MIN), Just(i64::MAX)],
    ) {
        let end = start.saturating_add(distance);
        let before = |x: &i128| if step > 0 { *x < end.into() } else { *x > end.into() };
        let walk = (0..).map(|k: i128| i128::from(start) + k * i128::from(step));
        let wanted: Vec<i64> = walk.take_while(before).map(|x| x.try_into().unwrap()).collect();
        prop_assert_eq!(Tensor::<i64>::arange(start, end, step).unwrap().to_vec().unwrap(), wanted);
    }

    #[test]
    fn linspace_divides_the_distance_evenly(
        start in -1e3..1e3_f64,
        end in -1e3..1e3_f64,
        count in 0..40_usize,
    ) {
        spaces_agree::<f32>(start, end, count);
        spaces_agree::<f64>(start, end, count);
    }

    #[test]
    fn the_identity_leaves_a_matrix_as_it_is(size in 0..12_usize) {
        let identity = Tensor::<i64>::eye(size).unwrap();
        let elements = identity.to_vec().unwrap();
        prop_assert_eq!(identity.shape(), [size, size]);
        for (place, &x) in elements.iter().enumerate() {
            prop_assert_eq!(x, i64::from(place / size == place % size));
        }
    }
}
