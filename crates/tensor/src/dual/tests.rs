use super::*;

/// f(x), f′(x) and f″(x) of a formula, by duals of duals over plain numbers.
macro_rules! derivatives {
    (|$x:ident| $formula:expr, $at:expr) => {{
        let [inner] = Dual::variables([$at]);
        let [$x] = Dual::variables([inner]);
        let result: Dual<Dual<f64, 1>, 1> = $formula;
        [
            result.value.value,
            result.tangent[0].value,
            result.tangent[0].tangent[0],
        ]
    }};
}

/// The slope of `function`, by the central difference of fourth order.
fn difference(function: impl Fn(f64) -> f64, x: f64) -> f64 {
    let step = 1e-3 * x.abs().max(0.1);
    let pair = |h: f64| (function(x + h) - function(x - h)) / (2.0 * h);
    (4.0 * pair(step) - pair(2.0 * step)) / 3.0
}

/// Checks both derivatives of a formula at the points given.
macro_rules! check {
    ($($name:literal: |$x:ident| $formula:expr, at $points:expr;)*) => {$({
        for point in $points {
            let value = |at: f64| derivatives!(|$x| $formula, at)[0];
            let slope = |at: f64| derivatives!(|$x| $formula, at)[1];
            let [_, first, second] = derivatives!(|$x| $formula, point);
            // The difference errs by h⁴ and by rounding / h: some 1e-11 of a function of size 1.
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-8 * (1.0 + b.abs());
            let by_difference = (difference(value, point), difference(slope, point));
            assert!(close(first, by_difference.0), "{}′({point}): {first}, {by_difference:?}", $name);
            assert!(close(second, by_difference.1), "{}″({point}): {second}, {by_difference:?}", $name);
        }
    })*};
}

#[test]
fn first_and_second_derivatives_of_every_primitive_match_differences() {
    let any = [-2.3, -0.7, -0.04, 0.0, 0.31, 1.2, 2.9];
    let off_zero = [-2.3, -0.7, 0.31, 1.2, 2.9];
    let positive = [0.2, 0.71, 1.0, 1.9, 4.2];
    check! {
        "add": |x| x + x * 2.0 + 1.0, at any;
        "sub": |x| x * 3.0 - x - 1.0, at any;
        "mul": |x| x * x * x, at any;
        "div": |x| (x + 1.0) / (x * x + 2.0), at any;
        "neg": |x| -(x * x) / 2.0, at any;
        "mul_add": |x| x.mul_add(x * x, x), at any;
        "abs": |x| (x * x * x).abs(), at off_zero;
        "signum": |x| x.signum() * x * x, at off_zero;
        "sqrt": |x| x.sqrt(), at positive;
        "rsqrt": |x| x.rsqrt(), at positive;
        "recip": |x| x.recip(), at off_zero;
        "square": |x| x.square(), at any;
        "max": |x| (x * x).max(x * 0.5), at off_zero;
        "min": |x| (x * x).min(x * 0.5), at off_zero;
        "relu": |x| (x * x * x).relu(), at off_zero;
        "floor": |x| (x.floor() + 1.0) * x * x, at off_zero;
        "ceil": |x| (x.ceil() + 1.0) * x * x, at off_zero;
        "round": |x| (x.round() + 1.0) * x * x, at off_zero;
        "exp": |x| x.exp(), at any;
        "exp_m1": |x| x.exp_m1(), at any;
        "ln": |x| x.ln(), at positive;
        "ln_1p": |x| x.ln_1p(), at positive;
        "log2": |x| x.log2(), at positive;
        "tanh": |x| x.tanh(), at any;
        "sigmoid": |x| x.sigmoid(), at any;
        "complement": |x| x.logistic().complement, at any;
        "softplus": |x| x.softplus(), at any;
        "softplus_negated": |x| x.logistic().softplus_negated, at any;
        "log_sigmoid": |x| x.log_sigmoid(), at any;
        "erf": |x| x.erf(), at any;
        "sin": |x| x.sin(), at any;
        "cos": |x| x.cos(), at any;
        "atan": |x| x.atan(), at any;
        "x^y of x": |x| x.pow(x.constant(2.5)), at positive;
        "x^y of y": |x| x.constant(1.7).pow(x), at any;
        "x^x": |x| x.pow(x), at positive;
        "powf": |x| x.powf(1.5), at positive;
        "powf of a negative": |x| x.powf(3.0), at any;
        "powi": |x| x.powi(-3), at off_zero;
        "select": |x| Dual::select(x.less(x.constant(0.5)), x * x, x.exp()), at any;
    }
}

#[test]
fn kinks_have_the_slopes_that_are_promised() {
    assert_eq!(derivatives!(|x| x.abs(), 0.0)[1], 0.0);
    assert_eq!(derivatives!(|x| x.relu(), 0.0)[1], 0.0);
    assert_eq!(derivatives!(|x| x.signum(), 0.0)[1], 0.0);
    assert_eq!(derivatives!(|x| x.floor(), 2.0)[1], 0.0);
    assert_eq!(derivatives!(|x| x.softplus(), 0.0)[1..], [0.5, 0.25]);
    assert_eq!(derivatives!(|x| x.log_sigmoid(), 0.0)[1..], [0.5, -0.25]);
}

#[test]
fn a_tie_gives_half_the_gradient_to_each_side() {
    let [x, y] = Dual::variables([3.0, 3.0]);
    assert_eq!(x.max(y).tangent, [0.5, 0.5]);
    assert_eq!(x.min(y).tangent, [0.5, 0.5]);
    let [x, y] = Dual::variables([2.0, 3.0]);
    assert_eq!(x.max(y).tangent, [0.0, 1.0]);
    assert_eq!(x.min(y).tangent, [1.0, 0.0]);
}

#[test]
fn powers_are_smooth_at_zero_where_the_exponent_allows() {
    assert_eq!(derivatives!(|x| x.powf(2.0), 0.0), [0.0, 0.0, 2.0]);
    assert_eq!(derivatives!(|x| x.powf(1.0), 0.0), [0.0, 1.0, 0.0]);
    assert_eq!(derivatives!(|x| x.powf(0.0), 0.0), [1.0, 0.0, 0.0]);
    let zero_of = |exponent: f64| {
        let [x] = Dual::variables([0.0]);
        x.pow(x.constant(exponent))
    };
    for (exponent, value, slope) in [(0.0, 1.0, 0.0), (1.0, 0.0, 1.0), (2.0, 0.0, 0.0)] {
        assert_eq!(zero_of(exponent).value, value);
        assert_eq!(zero_of(exponent).tangent, [slope]);
    }
}

#[test]
fn a_power_of_a_negative_number_has_a_slope_for_a_constant_exponent() {
    let [x] = Dual::variables([-2.0]);
    assert_eq!(x.pow(x.constant(3.0)).tangent, [12.0]);
}

#[test]
fn slopes_keep_their_digits_where_the_value_saturates() {
    // At x = 40 the values round to 1; the slopes are e^−40 and 4 e^−80.
    let close = |a: f64, b: f64| ((a - b) / b).abs() < 1e-14;
    assert!(close(
        derivatives!(|x| x.sigmoid(), 40.0)[1],
        (-40.0_f64).exp()
    ));
    assert!(close(
        derivatives!(|x| x.tanh(), 40.0)[1],
        4.0 * (-80.0_f64).exp()
    ));
}

#[test]
fn logistic_shares_one_set_of_derivatives() {
    let [x] = Dual::variables([0.7]);
    let l = x.logistic();
    let (p, q) = (l.sigmoid.value, l.complement.value);
    assert_eq!(l.sigmoid.tangent, [p * q]);
    assert_eq!(l.complement.tangent, [-(p * q)]);
    assert_eq!(l.softplus.tangent, [p]);
    assert_eq!(l.softplus_negated.tangent, [-q]);
}
