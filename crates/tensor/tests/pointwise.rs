//! Every pointwise operation against the naive one, element by element, on random views and
//! broadcasts: one table for each kind of operand.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{
    Binary, Case, anything, assert_within, cases, eighths, integer, large, operands, pairs,
    pairs_agree, same,
};
use macula_tensor::ops::apply::chain;
use macula_tensor::ops::pointwise::Square;
use macula_tensor::pointwise::Derived;
use macula_tensor::{Float, Pointwise, Result, Scalar, Tensor, keep};
use proptest::prelude::*;

/// An operation on one tensor: its name, the tensor's method, the naive function in `f64`, and how
/// many units in the last place they may differ.
type Unary<T> = (
    &'static str,
    fn(&Tensor<T>) -> Result<Tensor<T>>,
    fn(f64) -> f64,
    f64,
);

/// Rounded once, by both.
const EXACT: f64 = 0.5;
/// Two units of ours, and the one that the system's library may be off in `f64`.
const FUNCTION: f64 = 3.0;

fn unary<T: Float>() -> Vec<Unary<T>> {
    vec![
        ("neg", |x| x.neg(), |x| -x, EXACT),
        ("square", |x| x.square(), |x| x * x, EXACT),
        ("sqrt", |x| x.sqrt(), f64::sqrt, EXACT),
        ("rsqrt", |x| x.rsqrt(), |x| 1.0 / x.sqrt(), FUNCTION),
        ("recip", |x| x.recip(), |x| 1.0 / x, EXACT),
        ("abs", |x| x.abs(), f64::abs, EXACT),
        ("signum", |x| x.signum(), naive_signum, EXACT),
        ("floor", |x| x.floor(), f64::floor, EXACT),
        ("ceil", |x| x.ceil(), f64::ceil, EXACT),
        ("round", |x| x.round(), f64::round_ties_even, EXACT),
        ("trunc", |x| x.trunc(), f64::trunc, EXACT),
        ("exp", |x| x.exp(), f64::exp, FUNCTION),
        ("exp_m1", |x| x.exp_m1(), f64::exp_m1, FUNCTION),
        ("ln", |x| x.ln(), f64::ln, FUNCTION),
        ("ln_1p", |x| x.ln_1p(), f64::ln_1p, FUNCTION),
        ("log2", |x| x.log2(), f64::log2, FUNCTION),
        ("sin", |x| x.sin(), f64::sin, FUNCTION),
        ("cos", |x| x.cos(), f64::cos, FUNCTION),
        ("atan", |x| x.atan(), f64::atan, FUNCTION),
        // The standard library has none: this is the same polynomial on one number in `f64`, which
        // a table of true values holds to its bound.
        ("erf", |x| x.erf(), |x| Scalar::erf(x), FUNCTION),
        ("tanh", |x| x.tanh(), f64::tanh, FUNCTION),
        ("sigmoid", |x| x.sigmoid(), naive_sigmoid, FUNCTION),
        (
            "log_sigmoid",
            |x| x.log_sigmoid(),
            |x| -naive_softplus(-x),
            FUNCTION,
        ),
        ("softplus", |x| x.softplus(), naive_softplus, FUNCTION),
        (
            "relu",
            |x| x.relu(),
            |x| if x < 0.0 { 0.0 } else { x },
            EXACT,
        ),
        ("add_scalar", |x| x.add_scalar(1.5), |x| x + 1.5, EXACT),
        ("mul_scalar", |x| x.mul_scalar(-0.5), |x| x * -0.5, EXACT),
        ("powf", |x| x.powf(1.5), |x| x.powf(1.5), FUNCTION),
        (
            "clamp",
            |x| x.clamp(-1.0, 2.0),
            |x| x.clamp(-1.0, 2.0),
            EXACT,
        ),
        ("map", |x| x.map(Cube), |x| x * x * x, FUNCTION),
    ]
}

/// A formula of a user's.
#[derive(Clone, Copy, Debug)]
struct Cube;

impl Pointwise<1> for Cube {
    const NAME: &'static str = "cube";
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        x * x * x
    }
}

fn naive_signum(x: f64) -> f64 {
    match x {
        x if x > 0.0 => 1.0,
        x if x < 0.0 => -1.0,
        x => x,
    }
}

fn naive_sigmoid(x: f64) -> f64 {
    if x < 0.0 {
        x.exp() / (x.exp() + 1.0)
    } else {
        1.0 / ((-x).exp() + 1.0)
    }
}

fn naive_softplus(x: f64) -> f64 {
    let tail = (-x.abs()).exp().ln_1p();
    if x > 0.0 { x + tail } else { tail }
}

fn functions_agree<T: Float>(case: &Case) {
    let x = case.tensor(anything::<T>);
    let elements = x.to_vec().unwrap();
    for (name, ours, naive, ulp) in unary::<T>() {
        let result = ours(&x).unwrap();
        assert_eq!(result.shape(), x.shape(), "{name}");
        let expected: Vec<f64> = elements.iter().map(|x| naive(x.to_f64())).collect();
        assert_within(name, &result.to_vec().unwrap(), &expected, ulp);
    }
    let finite: Vec<bool> = elements.iter().map(|x| x.is_finite()).collect();
    let all = finite.iter().all(|&finite| finite);
    assert_eq!(x.is_finite().unwrap().to_vec().unwrap(), finite);
    let infinite: Vec<bool> = elements.iter().map(|x| x.to_f64().is_infinite()).collect();
    assert_eq!(x.is_inf().unwrap().to_vec().unwrap(), infinite);
    let numbers = x.nan_to_num(7.0).unwrap().to_vec().unwrap();
    for (found, x) in numbers.into_iter().zip(&elements) {
        let kept = found == *x;
        let replaced = match x.to_f64() {
            x if x.is_nan() => found.to_f64() == 7.0,
            x => found.is_finite() && (found + found).to_f64() == x,
        };
        assert!(
            if x.is_finite() { kept } else { replaced },
            "nan_to_num({x}): {found}"
        );
    }
    assert_eq!(x.all_finite(), Ok(all));
}

fn arithmetic_agrees<T: Float>(case: &Case) {
    let arithmetic: [Binary<T, T>; 7] = [
        ("add", |a, b| a.add(b), |a, b| a + b),
        ("sub", |a, b| a.sub(b), |a, b| a - b),
        ("mul", |a, b| a.mul(b), |a, b| a * b),
        ("div", |a, b| a.div(b), |a, b| a / b),
        (
            "remainder",
            |a, b| a.remainder(b),
            |a, b| T::from_f64(naive_remainder(a.to_f64(), b.to_f64())),
        ),
        (
            "maximum",
            |a, b| a.maximum(b),
            |a, b| if a.is_nan() || a > b { a } else { b },
        ),
        (
            "minimum",
            |a, b| a.minimum(b),
            |a, b| if a.is_nan() || a < b { a } else { b },
        ),
    ];
    let operands = operands(case, anything::<T>);
    pairs_agree(&arithmetic, &operands, |a, b| same(a, b.to_f64()));

    let (a, b) = &operands;
    let (sizes, pairs) = pairs(a, b);
    let expected = |naive: fn(f64, f64) -> f64| -> Vec<f64> {
        let naive = |&(a, b): &(T, T)| naive(a.to_f64(), b.to_f64());
        pairs.iter().map(naive).collect()
    };
    let powers = a.pow(b).unwrap().to_vec().unwrap();
    assert_within("pow", &powers, &expected(f64::powf), FUNCTION);
    for axis in (0..sizes.len()).filter(|&axis| sizes[axis] > 0) {
        let axes = keep(axis as isize);
        let wanted = a
            .zip(b, Midpoint)
            .and_then(|middles| middles.sum(axes.clone()));
        let found = a.zip_sum(b, Midpoint, axes);
        let bits = |x: Result<Tensor<T>>| format!("{:?}", x.unwrap().to_vec().unwrap());
        assert_eq!(bits(found), bits(wanted));
    }
    let angles = a.atan2(b).unwrap().to_vec().unwrap();
    // Three units of ours, and one of the system's.
    assert_within("atan2", &angles, &expected(f64::atan2), 4.0);
    let signs = |x: f64| x.is_sign_negative();
    for (&found, wanted) in angles.iter().zip(expected(f64::atan2)) {
        assert!(found.is_nan() || signs(found.to_f64()) == signs(wanted));
    }
    let quotients = a.floor_divide(b).unwrap().to_vec().unwrap();
    // Past the integers that are exact, each of the two rounds its quotient.
    assert_within(
        "floor_divide",
        &quotients,
        &expected(naive_floor_divide),
        1.0,
    );
    let zipped = a.zip(b, Midpoint).unwrap();
    assert_eq!(zipped.shape(), sizes);
    // One rounding, and half of a subnormal number is rounded too.
    let middles = expected(|a, b| a * 0.5 + b * 0.5);
    assert_within("zip", &zipped.to_vec().unwrap(), &middles, 2.0);
    let sums = a.logaddexp(b).unwrap().to_vec().unwrap();
    for (&found, &(a, b)) in sums.iter().zip(&pairs) {
        let (a, b) = (a.to_f64(), b.to_f64());
        let wanted = if a == b {
            a + 2_f64.ln()
        } else {
            a.max(b) + naive_softplus(-(a - b).abs())
        };
        let wanted = if a.is_nan() || b.is_nan() {
            f64::NAN
        } else {
            wanted
        };
        // Where the two terms cancel, what counts is their own size; and the distance of the two
        // numbers is rounded, which its exponential shows as that many times ε/2.
        let (gap, scale) = ((a - b).abs(), wanted.abs().max(a.max(b).abs()));
        let tolerance = T::EPSILON * (4.0 * scale + 0.5 * gap * naive_softplus(-gap));
        let close = (found.to_f64() - wanted).abs() <= tolerance;
        assert!(
            close || same(found, wanted),
            "logaddexp({a}, {b}): {found} instead of {wanted}"
        );
    }
    if a.shape() == sizes {
        let (mut sum, mut product) = (a.clone(), a.clone());
        sum.add_assign(b).unwrap();
        product.mul_assign(b).unwrap();
        let bits = |x: Tensor<T>| format!("{:?}", x.to_vec().unwrap());
        assert_eq!(bits(sum), bits(a.add(b).unwrap()));
        assert_eq!(bits(product), bits(a.mul(b).unwrap()));
    }
}

/// A Euclidean division, whose rest is never below 0; with both signs turned where the divisor is.
fn naive_remainder(a: f64, b: f64) -> f64 {
    if b < 0.0 {
        -(-a).rem_euclid(b)
    } else {
        a.rem_euclid(b)
    }
}

fn naive_floor_divide(a: f64, b: f64) -> f64 {
    if b == 0.0 {
        a / b
    } else if a.is_finite() && b.is_infinite() {
        // A little below 0, or from 0 on.
        if a * b < 0.0 { -1.0 } else { 0.0 }
    } else {
        ((a - naive_remainder(a, b)) / b).round()
    }
}

#[derive(Clone, Copy, Debug)]
struct Midpoint;

impl Pointwise<2> for Midpoint {
    const NAME: &'static str = "midpoint";
    fn eval<S: Scalar>(&self, [a, b]: [S; 2]) -> S {
        a * 0.5 + b * 0.5
    }
}

/// Operands with an axis that is long enough for its elements to be read where they lie.
fn long_rows_agree<T: Float>(operands: &(Tensor<T>, Tensor<T>)) {
    let arithmetic: [Binary<T, T>; 2] = [
        ("sub", |a, b| a.sub(b), |a, b| a - b),
        ("mul", |a, b| a.mul(b), |a, b| a * b),
    ];
    pairs_agree(&arithmetic, operands, |a, b| a == b);
    pairs_agree(&comparisons(), operands, |a: bool, b| a == b);
    let selections: [Binary<T, T>; 1] = [(
        "select",
        |a, b| Tensor::select(&a.lt(&Tensor::from(T::ONE))?, b, a),
        |a, b| if a < T::ONE { b } else { a },
    )];
    pairs_agree(&selections, operands, |a, b| a == b);
    let slopes: [Binary<T, T>; 1] = [(
        "slope times seed",
        |a, b| {
            let mut seed = b.clone();
            chain(&Derived::new(Square).differentiate(0), [a], &mut seed)?;
            Ok(seed)
        },
        |a, b| (a + a) * b,
    )];
    pairs_agree(&slopes, operands, |a, b| a == b);
}

/// Results that no cache holds, for which shorter rows are read where they lie too.
#[test]
fn rows_and_columns_in_memory_are_their_copies() {
    for columns in [64, 100, 129] {
        let sizes = [(9 << 20) / columns, columns];
        let tensor = |sizes: &[usize]| large(sizes, &[]).tensor(eighths::<f32>);
        let x = tensor(&sizes);
        for other in [tensor(&[columns]), tensor(&[sizes[0], 1])] {
            let copy = other.expand(sizes).unwrap().contiguous().unwrap();
            let bits = |x: Result<Tensor<f32>>| x.unwrap().to_vec().unwrap();
            assert!(bits(x.sub(&other)) == bits(x.sub(&copy)), "{columns}");
            let less = |other| x.lt(other).unwrap().to_vec().unwrap();
            assert!(less(&other) == less(&copy), "{columns}");
        }
    }
}

/// More elements than one thread computes at a time, so that a piece begins within a row.
#[test]
fn pieces_of_long_rows_and_columns_are_the_naive_ones() {
    for [rows, columns] in [[50, 1000], [700, 65], [1, 40_000], [40_000, 1], [2000, 20]] {
        let tensor = |sizes: &[usize]| large(sizes, &[]).tensor(eighths::<f32>);
        let all = tensor(&[rows, columns]);
        let transposed = tensor(&[columns, rows]).transpose(0, 1).unwrap();
        let others = [
            tensor(&[columns]),
            tensor(&[rows, 1]),
            tensor(&[]),
            transposed,
        ];
        for other in others {
            long_rows_agree(&(all.clone(), other.clone()));
            long_rows_agree(&(other, all.clone()));
        }
    }
}

fn comparisons<T: macula_tensor::Number>() -> [Binary<T, bool>; 6] {
    [
        ("eq", |a, b| a.eq(b), |a, b| a == b),
        ("ne", |a, b| a.ne(b), |a, b| a != b),
        ("lt", |a, b| a.lt(b), |a, b| a < b),
        ("le", |a, b| a.le(b), |a, b| a <= b),
        ("gt", |a, b| a.gt(b), |a, b| a > b),
        ("ge", |a, b| a.ge(b), |a, b| a >= b),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_function_of_one_tensor_is_the_naive_one(case in cases(5)) {
        functions_agree::<f32>(&case);
        functions_agree::<f64>(&case);
    }

    #[test]
    fn arithmetic_of_two_tensors_is_the_naive_one(case in cases(5)) {
        arithmetic_agrees::<f32>(&case);
        arithmetic_agrees::<f64>(&case);
    }

    #[test]
    fn long_rows_and_columns_are_the_naive_ones(
        mut case in cases(3),
        long in any::<prop::sample::Index>(),
        length in 300_usize..900,
    ) {
        if !case.axes.is_empty() {
            let axis = long.index(case.axes.len());
            case.axes[axis].0 = length;
        }
        long_rows_agree(&operands(&case, eighths::<f32>));
        long_rows_agree(&operands(&case, eighths::<f64>));
    }

    #[test]
    fn comparisons_of_any_type_are_the_naive_ones(case in cases(5)) {
        let equal = |a: bool, b: bool| a == b;
        pairs_agree(&comparisons(), &operands(&case, anything::<f32>), equal);
        pairs_agree(&comparisons(), &operands(&case, anything::<f64>), equal);
        pairs_agree(&comparisons(), &operands(&case, integer), equal);
        let logic: [Binary<bool, bool>; 5] = [
            ("and", |a, b| a.and(b), |a, b| a && b),
            ("or", |a, b| a.or(b), |a, b| a || b),
            ("xor", |a, b| a.xor(b), |a, b| a != b),
            ("eq", |a, b| a.eq(b), |a, b| a == b),
            ("ne", |a, b| a.ne(b), |a, b| a != b),
        ];
        pairs_agree(&logic, &operands(&case, |random| random % 2 == 0), equal);
    }

    #[test]
    fn casts_are_those_of_the_language_but_for_truth(case in cases(5)) {
        let x = case.tensor(anything::<f64>);
        let elements = x.to_vec().unwrap();
        let cast = x.cast::<f32>().unwrap().to_vec().unwrap();
        let expected: Vec<f64> = elements.iter().map(|&x| f64::from(x as f32)).collect();
        assert_within("cast", &cast, &expected, 0.0);
        let expected: Vec<i64> = elements.iter().map(|&x| x as i64).collect();
        prop_assert_eq!(x.cast::<i64>().unwrap().to_vec().unwrap(), expected);
        let expected: Vec<bool> = elements.iter().map(|&x| x != 0.0).collect();
        prop_assert_eq!(x.cast::<bool>().unwrap().to_vec().unwrap(), expected);
        let x = case.tensor(integer);
        let elements = x.to_vec().unwrap();
        let expected: Vec<f32> = elements.iter().map(|&k| k as f32).collect();
        prop_assert_eq!(x.cast::<f32>().unwrap().to_vec().unwrap(), expected);
        let expected: Vec<bool> = elements.iter().map(|&k| k != 0).collect();
        let truth = x.cast::<bool>().unwrap();
        prop_assert_eq!(truth.to_vec().unwrap(), &expected[..]);
        let expected: Vec<i64> = expected.into_iter().map(i64::from).collect();
        prop_assert_eq!(truth.cast::<i64>().unwrap().to_vec().unwrap(), expected);
    }

    #[test]
    fn shapes_broadcast_exactly_if_sizes_are_equal_or_one(
        left in prop::collection::vec(0_usize..4, 0..5),
        right in prop::collection::vec(0_usize..4, 0..5),
    ) {
        let (a, b) = (Tensor::<f32>::ones(&left).unwrap(), Tensor::<f32>::ones(&right).unwrap());
        let fits = left.iter().rev().zip(right.iter().rev()).all(|(a, b)| a == b || *a == 1 || *b == 1);
        prop_assert_eq!(a.add(&b).is_ok(), fits);
        prop_assert_eq!(a.lt(&b).is_ok(), fits);
    }
}
