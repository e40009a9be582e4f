//! The promises of the module: the error bound, the special values, the same bits everywhere.

use pulp::{Simd, WithSimd};

use crate::cpu::lanes::{InStep, InstructionSet, LaneFloat, LaneMemory, Lanes, single};
use crate::scalar::Scalar;

/// What every function keeps to.
const BOUND_IN_ULP: f64 = 2.0;

/// Defines the functions under test: how this crate computes them, how the standard library does.
macro_rules! functions {
    (|$x:ident, $y:ident| $($name:ident: $ours:expr, $theirs:expr;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[allow(non_camel_case_types, reason = "named as the functions are")]
        enum Function { $($name),* }

        const FUNCTIONS: &[Function] = &[$(Function::$name),*];

        impl Function {
            #[inline(always)]
            fn of_lanes<S: Simd, T: LaneFloat>(
                self,
                $x: Lanes<S, T>,
                $y: Lanes<S, T>,
            ) -> Lanes<S, T> {
                match self { $(Self::$name => $ours),* }
            }

            /// In `f64`, by the standard library: for results in `f32` as good as the true value.
            fn of_f64(self, $x: f64, $y: f64) -> f64 {
                match self { $(Self::$name => $theirs),* }
            }

            fn named(name: &str) -> Self {
                match name {
                    $(stringify!($name) => Self::$name,)*
                    _ => panic!("no function is called {name}"),
                }
            }
        }
    };
}

functions! { |x, y|
    exp: x.exp(), f64::exp(x);
    exp_of_negative: (-x.abs()).exp_of_negative(), f64::exp(-x.abs());
    exp_m1: x.exp_m1(), f64::exp_m1(x);
    ln: x.ln(), f64::ln(x);
    ln_1p: x.ln_1p(), f64::ln_1p(x);
    log2: x.log2(), f64::log2(x);
    tanh: x.tanh(), f64::tanh(x);
    sigmoid: x.sigmoid(), std_sigmoid(x);
    complement: x.logistic().complement, std_sigmoid(-x);
    softplus: x.softplus(), std_softplus(x);
    log_sigmoid: x.log_sigmoid(), -std_softplus(-x);
    // The standard library has none; that of this crate is held to the table in `f64`.
    erf: x.erf(), Scalar::erf(x);
    sin: x.sin(), f64::sin(x);
    cos: x.cos(), f64::cos(x);
    atan: x.atan(), f64::atan(x);
    pow: x.pow(y), f64::powf(x, y);
    to_the_half: x.powf(0.5), f64::powf(x, 0.5);
    cube: x.powf(3.0), f64::powf(x, 3.0);
    to_the_three_halves: x.powf(1.5), f64::powf(x, 1.5);
    inverse: x.powf(-1.0), f64::powf(x, -1.0);
    rsqrt: x.rsqrt(), f64::sqrt(x).recip();
    floor: x.floor(), f64::floor(x);
    ceil: x.ceil(), f64::ceil(x);
    round: x.round(), f64::round_ties_even(x);
}

fn std_sigmoid(x: f64) -> f64 {
    if x < 0.0 {
        x.exp() / (x.exp() + 1.0)
    } else {
        1.0 / ((-x).exp() + 1.0)
    }
}

fn std_softplus(x: f64) -> f64 {
    let tail = (-x.abs()).exp().ln_1p();
    if x > 0.0 { x + tail } else { tail }
}

/// Applies a function to slices: four registers in step, the rest one by one, and the tail through
/// a partial register.
struct Apply<'a, T> {
    function: Function,
    x: &'a [T],
    y: &'a [T],
    results: &'a mut [T],
}

impl<T: LaneMemory> WithSimd for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let fours = self.x.len() - self.x.len() % InStep::<T>::width::<S>();
        let (x, x_rest) = self.x.split_at(fours);
        let (y, y_rest) = self.y.split_at(fours);
        let (results, results_rest) = self.results.split_at_mut(fours);
        let (x, y) = (InStep::split::<S>(x).0, InStep::split::<S>(y).0);
        for ((&x, &y), result) in x.iter().zip(y).zip(InStep::split_mut::<S>(results).0) {
            let (x, y) = (Lanes::<S, InStep<T>>::new(simd, x), Lanes::new(simd, y));
            *result = self.function.of_lanes(x, y).vector;
        }

        let (x, x_tail) = T::split::<S>(x_rest);
        let (y, y_tail) = T::split::<S>(y_rest);
        let (results, results_tail) = T::split_mut::<S>(results_rest);
        for ((&x, &y), result) in x.iter().zip(y).zip(results) {
            let (x, y) = (Lanes::<S, T>::new(simd, x), Lanes::new(simd, y));
            *result = self.function.of_lanes(x, y).vector;
        }
        if !x_tail.is_empty() {
            let x = Lanes::<S, T>::load_partial(simd, x_tail);
            let y = Lanes::load_partial(simd, y_tail);
            self.function.of_lanes(x, y).store_partial(results_tail);
        }
    }
}

fn apply<T: LaneMemory>(set: InstructionSet, function: Function, x: &[T], y: &[T]) -> Vec<T> {
    let mut results = x.to_vec();
    set.run(Apply {
        function,
        x,
        y,
        results: &mut results,
    });
    results
}

/// The distance to the next larger magnitude in `f64`.
fn ulp_f64(x: f64) -> f64 {
    x.abs().next_up() - x.abs()
}

/// The distance of two numbers of `f32` in the neighbourhood of x.
fn ulp_f32(x: f64) -> f64 {
    let exponent = (x.abs().to_bits() >> 52) as i32 - 1023;
    2.0_f64.powi(exponent.max(f32::MIN_EXP - 1) - 23)
}

/// Numbers from all over the range of `f32`, the special ones and their neighbours included.
fn f32_arguments() -> Vec<f32> {
    // A stride that is prime visits all exponents, signs and trailing digits.
    let all_over = (0..=u32::MAX).step_by(65_521);
    let notable = [
        0.0,
        f32::MIN_POSITIVE,
        1.0,
        0.5,
        2.0,
        0.55,
        std::f32::consts::SQRT_2,
        std::f32::consts::FRAC_1_SQRT_2,
        88.722_84,
        87.336_54,
        103.972_08,
        30_000.0,
        8_388_608.0,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
    ];
    let around = notable.iter().flat_map(|x| {
        let bits = x.to_bits();
        (bits.saturating_sub(3)..=bits + 3).flat_map(|bits| [bits, bits | 1 << 31])
    });
    // Most of what a network computes lies here.
    let common = (0..40_000_u32).map(|i| (i as f32 / 1000.0 - 20.0 + 1e-5).to_bits());
    let bits = all_over.chain(around).chain(common);
    bits.map(f32::from_bits).collect()
}

fn exponents_for(x: &[f32]) -> Vec<f32> {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        3.0,
        0.5,
        -1.5,
        f32::INFINITY,
        f32::NAN,
    ];
    let exponent = |(i, x): (usize, &f32)| match i % 4 {
        0 => special[i / 4 % special.len()],
        1 => (i / 4 % 41) as f32 - 20.0,
        // Spreads the results over the whole range of the type.
        _ => (i as f32 * 0.618_034).fract().mul_add(196.0, -106.0) / x.abs().ln(),
    };
    x.iter().enumerate().map(exponent).collect()
}

/// Whether `got` may stand for `true_value` in `f32`.
fn is_within_bound_f32(got: f32, true_value: f64) -> bool {
    let nearest = true_value as f32;
    if true_value.is_nan() || true_value.is_infinite() || true_value == 0.0 {
        let same_sign = got.is_sign_negative() == nearest.is_sign_negative();
        return got.is_nan() && nearest.is_nan() || got == nearest && same_sign;
    }
    if nearest.is_infinite() || got.is_infinite() {
        // Rounding may go either way at the last number before infinity.
        return got == nearest || got.abs() == f32::MAX || nearest.abs() == f32::MAX;
    }
    (f64::from(got) - true_value).abs() <= BOUND_IN_ULP * ulp_f32(true_value)
}

#[test]
fn every_function_is_within_two_ulp_over_the_whole_range_of_f32() {
    let x = f32_arguments();
    let y = exponents_for(&x);
    let set = InstructionSet::widest();
    for &function in FUNCTIONS {
        for ((&x, &y), got) in x.iter().zip(&y).zip(apply(set, function, &x, &y)) {
            let expected = function.of_f64(x.into(), y.into());
            assert!(
                is_within_bound_f32(got, expected),
                "{function:?}({x:e}, {y:e}) = {got:e}, not {expected:e}"
            );
        }
    }
}

/// One line of the table: function, arguments, true value as a double and the rest in ulp.
struct Reference {
    function: Function,
    x: f64,
    y: f64,
    nearest: f64,
    rest: f64,
}

fn references() -> Vec<Reference> {
    let parse = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let double = |hex| f64::from_bits(u64::from_str_radix(hex, 16).expect("hexadecimal"));
        let [function, arguments @ .., nearest, rest] = &fields[..] else {
            panic!("too short: {line}");
        };
        Reference {
            function: Function::named(function),
            x: double(arguments[0]),
            y: arguments.get(1).map_or(0.0, |y| double(y)),
            nearest: double(nearest),
            rest: rest.parse().expect("a number"),
        }
    };
    let lines = include_str!("reference.txt").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .map(parse)
        .collect()
}

#[test]
fn every_function_is_within_two_ulp_of_the_true_values_in_f64() {
    let set = InstructionSet::widest();
    for reference in references() {
        let Reference {
            function,
            x,
            y,
            nearest,
            rest,
        } = reference;
        let got = apply(set, function, &[x], &[y])[0];
        let error = (got - nearest) / ulp_f64(nearest) - rest;
        assert!(
            error.abs() <= BOUND_IN_ULP,
            "{function:?}({x:e}, {y:e}) = {got:e}, off by {error:.2} ulp"
        );
        // Odd functions of a tiny argument, rounded to 0, keep its sign.
        assert_eq!(
            got.is_sign_negative(),
            nearest.is_sign_negative(),
            "{function:?}({x:e})"
        );
    }
}

/// The bits, one pattern for all NaNs.
fn bits<T: LaneMemory>(x: T) -> u64 {
    let x = x.to_f64();
    if x.is_nan() {
        f64::NAN.to_bits()
    } else {
        x.to_bits()
    }
}

fn assert_same_bits_everywhere<T: LaneMemory>(x: &[T], y: &[T]) {
    for &function in FUNCTIONS {
        let one_by_one = |(&x, &y)| bits(function.of_lanes(single(x), single(y)).value());
        let expected: Vec<u64> = x.iter().zip(y).map(one_by_one).collect();
        for set in InstructionSet::available() {
            // Another start puts every number into another lane, and others into the tail.
            for start in [0, 1, 5] {
                let got = apply(set, function, &x[start..], &y[start..]);
                let got: Vec<u64> = got.into_iter().map(bits).collect();
                assert_eq!(
                    got,
                    expected[start..],
                    "{function:?} on {set:?} from {start}"
                );
            }
        }
    }
}

#[test]
fn every_instruction_set_and_lane_gives_the_same_bits() {
    let x: Vec<f32> = f32_arguments().into_iter().step_by(23).collect();
    let y = exponents_for(&x);
    assert_same_bits_everywhere(&x, &y);

    let references = references();
    let x: Vec<f64> = references.iter().map(|reference| reference.x).collect();
    let y: Vec<f64> = references.iter().map(|reference| reference.y).collect();
    assert_same_bits_everywhere(&x, &y);
}

#[test]
fn exp_of_a_negative_number_has_the_bits_of_exp() {
    fn check<T: LaneMemory>(x: &[T]) {
        for set in InstructionSet::available() {
            let found = apply(set, Function::exp_of_negative, x, x);
            let of_any = apply(set, Function::exp, x, x);
            for ((x, found), of_any) in x.iter().zip(found).zip(of_any) {
                assert_eq!(bits(found), bits(of_any), "{} on {set:?}", x.to_f64());
            }
        }
    }
    let x = f32_arguments().into_iter().map(|x| -x.abs());
    check(&x.clone().collect::<Vec<_>>());
    // Where the results are subnormal in double precision.
    let beyond = (0..60_000).map(|i| -700.0 - f64::from(i) / 1000.0);
    check(&x.map(f64::from).chain(beyond).collect::<Vec<_>>());
}

#[test]
fn special_values_are_those_of_ieee_754() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let special = [
        0.0, -0.0, 1.0, -1.0, inf, -inf, nan, 0.5, -0.5, 2.5, 3.5, -2.5, 1e300, 5e-324,
    ];
    for &function in FUNCTIONS {
        for x in special {
            for y in [
                0.0, -0.0, 1.0, -1.0, 2.0, 3.0, -3.0, 0.5, -0.5, inf, -inf, nan, 1e300,
            ] {
                let got = apply(InstructionSet::widest(), function, &[x], &[y])[0];
                let expected = function.of_f64(x, y);
                let close = (got - expected).abs() <= 4.0 * ulp_f64(expected);
                assert!(
                    bits(got) == bits(expected) || expected != 0.0 && close,
                    "{function:?}({x:e}, {y:e}) = {got:e}, not {expected:e}"
                );
            }
        }
    }
}

#[test]
fn logistic_is_right_at_infinity_and_nan() {
    let fields = |x: f64| {
        let l = x.logistic();
        [l.sigmoid, l.complement, l.softplus, l.softplus_negated]
    };
    let inf = f64::INFINITY;
    assert_eq!(fields(inf), [1.0, 0.0, inf, 0.0]);
    assert_eq!(fields(-inf), [0.0, 1.0, 0.0, inf]);
    assert!(fields(f64::NAN).into_iter().all(f64::is_nan));
    let ln_2 = std::f64::consts::LN_2;
    assert_eq!(fields(0.0), [0.5, 0.5, ln_2, ln_2]);
}

#[test]
fn log2_of_a_power_of_two_is_its_exponent() {
    for exponent in -149..=127 {
        let power = 2.0_f64.powi(exponent) as f32;
        assert_eq!(single(power).log2().value(), exponent as f32);
    }
}

#[test]
fn signum_and_abs_and_relu_treat_every_class_of_number() {
    let inf = f64::INFINITY;
    for (x, signum, relu) in [
        (-inf, -1.0, 0.0),
        (-2.0, -1.0, 0.0),
        (0.0, 0.0, 0.0),
        (inf, 1.0, inf),
    ] {
        assert_eq!(Scalar::signum(single(x)).value(), signum);
        assert_eq!(single(x).relu().value(), relu);
    }
    assert!(single(f64::NAN).signum().value().is_nan());
    assert!(single(f64::NAN).relu().value().is_nan());
}
