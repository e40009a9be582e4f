//! Arithmetic of integers against the naive one, on random views and broadcasts.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Binary, cases, integer, operands, pairs_agree};
use macula_tensor::Tensor;
use proptest::prelude::*;

fn floor_divide(a: i64, b: i64) -> i64 {
    // Where nothing can overflow.
    let (a, b) = (i128::from(a), i128::from(b));
    let quotient = a / b - i128::from(a % b != 0 && (a < 0) != (b < 0));
    quotient as i64
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn integer_arithmetic_wraps_around_and_divides_downwards(case in cases(5)) {
        let equal = |a: i64, b: i64| a == b;
        let table: [Binary<i64, i64>; 5] = [
            ("add", |a, b| a.add(b), i64::wrapping_add),
            ("sub", |a, b| a.sub(b), i64::wrapping_sub),
            ("mul", |a, b| a.mul(b), i64::wrapping_mul),
            ("maximum", |a, b| a.maximum(b), Ord::max),
            ("minimum", |a, b| a.minimum(b), Ord::min),
        ];
        let operands = operands(&case, integer);
        pairs_agree(&table, &operands, equal);
        let (a, b) = operands;
        let divisors = b.eq(&Tensor::scalar(0)).and_then(|zero| b.masked_fill(&zero, 7)).unwrap();
        let divisions: [Binary<i64, i64>; 2] = [
            ("floor_divide", |a, b| a.floor_divide(b), floor_divide),
            ("remainder", |a, b| a.remainder(b), |a, b| {
                (i128::from(a) - i128::from(b) * i128::from(floor_divide(a, b))) as i64
            }),
        ];
        pairs_agree(&divisions, &(a.clone(), divisors), equal);
        let elements = a.to_vec().unwrap();
        let each = |naive: fn(i64) -> i64| elements.iter().map(|&k| naive(k)).collect::<Vec<_>>();
        prop_assert_eq!(a.neg().unwrap().to_vec().unwrap(), each(i64::wrapping_neg));
        prop_assert_eq!(a.abs().unwrap().to_vec().unwrap(), each(i64::wrapping_abs));
        prop_assert_eq!(a.square().unwrap().to_vec().unwrap(), each(|k| k.wrapping_mul(k)));
        prop_assert_eq!(a.signum().unwrap().to_vec().unwrap(), each(i64::signum));
        let more = each(|k| k.wrapping_add(i64::MAX));
        prop_assert_eq!(a.add_scalar(i64::MAX).unwrap().to_vec().unwrap(), more);
        let times = each(|k| k.wrapping_mul(-3));
        prop_assert_eq!(a.mul_scalar(-3).unwrap().to_vec().unwrap(), times);
        let exponents = b.remainder(&Tensor::scalar(70)).unwrap();
        let powers: [Binary<i64, i64>; 1] =
            [("pow", |a, b| a.pow(b), |a, b| a.wrapping_pow(b as u32))];
        pairs_agree(&powers, &(a.clone(), exponents), equal);
        prop_assert_eq!(a.clamp(-3, 2).unwrap().to_vec().unwrap(), each(|k| k.clamp(-3, 2)));
    }
}
