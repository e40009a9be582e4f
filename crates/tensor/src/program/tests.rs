use super::*;
use crate::scalar::Logistic;

/// A formula in which every method of `Scalar` occurs.
fn everything<S: Scalar>([x, y]: [S; 2]) -> S {
    let steps = x.floor() + x.ceil() + x.round() + x.signum();
    let powers = (x * y + 5.0).sqrt() + x.powf(3.0) + x.powi(-2) + (y + 3.0).pow(x);
    let logarithms = (x.square() + 1.0).ln() + (y.abs() + 0.25).log2() + x.abs().ln_1p();
    let exponentials = (-x).exp() - y.exp_m1() + x.tanh() + y.erf();
    let logistic = x.logistic();
    let logistics = logistic.sigmoid * logistic.complement
        + logistic.softplus / (logistic.softplus_negated + 1.0)
        + y.log_sigmoid() * y.softplus()
        + y.sigmoid();
    let turns = x.sin() * y.cos() + (x - y).atan() + (y.square() + 2.0).rsqrt();
    let choices = S::select(x.less(y), x, y * 2.0)
        + S::select(x.less_equal(y), y.recip(), x)
        + S::select(x.equal(y), x, x.constant(0.5))
        + x.max(y) * x.min(y)
        + x.relu();
    (steps + powers).mul_add(choices, logarithms + exponentials) + logistics * turns
}

const POINTS: [[f64; 2]; 5] = [
    [0.7, -1.3],
    [-0.4, 0.9],
    [1.5, 1.5],
    [-1.25, -0.75],
    [2.0, 0.1],
];

/// Equal, where NaN equals NaN.
fn same(left: f64, right: f64) -> bool {
    left == right || (left.is_nan() && right.is_nan())
}

#[test]
fn a_program_gives_the_bits_of_its_formula() {
    let program = Program::trace("everything", |x| everything(x));
    for point in POINTS {
        assert_eq!(program.eval(&point), Ok(everything(point)));
    }
}

#[test]
fn a_program_is_traced_from_a_program() {
    let program = Program::trace("everything", |x| everything(x));
    let again = Program::trace("everything", |x: [Symbol<'_>; 2]| {
        program.run(&x, &mut Vec::new())
    });
    assert_eq!(again, program);
}

#[test]
fn derivatives_as_data_equal_dual_numbers() {
    let program = Program::trace("everything", |x| everything(x));
    for i in 0..2 {
        let first = program.differentiate(i);
        for point in POINTS {
            let expected = everything(Dual::variables(point)).tangent[i];
            let found = first.eval(&point).unwrap();
            // Products with 0 and 1 are left out, which changes the order of a few roundings.
            approx::assert_relative_eq!(found, expected, max_relative = 1e-13);
        }
        for j in 0..2 {
            let second = first.differentiate(j);
            for point in POINTS {
                let duals = everything(Dual::variables(Dual::variables(point)));
                let (expected, found) = (duals.tangent[i].tangent[j], second.eval(&point).unwrap());
                approx::assert_relative_eq!(found, expected, max_relative = 1e-12);
            }
        }
    }
}

#[test]
fn derivatives_of_high_order_have_their_closed_forms() {
    let derivative = |program: Program, order| (0..order).fold(program, |p, _| p.differentiate(0));
    let exp = derivative(Program::trace("exp", |[x]| x.exp()), 30);
    assert_eq!(exp.eval(&[1.5]), Ok(Scalar::exp(1.5)));
    let sin = derivative(Program::trace("sin", |[x]| x.sin()), 12);
    assert_eq!(sin, Program::trace("sin", |[x]| x.sin()));
    let power = derivative(Program::trace("power", |[x]| x.powf(7.0)), 7);
    assert_eq!(power.eval(&[3.0]), Ok(5040.0));
    let gone = derivative(power, 1);
    assert_eq!(gone.to_string(), "power\n  %0 = constant 0\n");
}

#[test]
fn slopes_at_kinks_are_those_that_scalar_promises() {
    let slope = |program: Program, at: &[f64]| {
        (0..at.len())
            .map(|i| program.differentiate(i).eval(at).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(slope(Program::trace("abs", |[x]| x.abs()), &[0.0]), [0.0]);
    assert_eq!(slope(Program::trace("relu", |[x]| x.relu()), &[0.0]), [0.0]);
    let max = Program::trace("max", |[a, b]| a.max(b));
    assert_eq!(slope(max.clone(), &[2.0, 2.0]), [0.5, 0.5]);
    assert_eq!(slope(max, &[2.0, 3.0]), [0.0, 1.0]);
    let min = Program::trace("min", |[a, b]| a.min(b));
    assert_eq!(slope(min, &[2.0, 2.0]), [0.5, 0.5]);
    let softplus = Program::trace("softplus", |[x]| x.softplus());
    assert_eq!(slope(softplus.clone(), &[0.0]), [0.5]);
    assert_eq!(slope(softplus.differentiate(0), &[0.0]), [0.25]);
    let chosen = Program::trace("chosen", |[a, b]| Scalar::select(a.less(b), a * 3.0, b));
    assert_eq!(slope(chosen.clone(), &[0.0, 1.0]), [3.0, 0.0]);
    assert_eq!(slope(chosen, &[1.0, 1.0]), [0.0, 1.0]);
}

#[test]
fn a_slope_is_not_spoiled_by_an_infinite_one_beside_it() {
    // ∂/∂a of a·√b is √b: the slope of √b, infinite at 0, has no part in it.
    let program = Program::trace("f", |[a, b]| a * b.sqrt()).differentiate(0);
    assert_eq!(program.eval(&[2.0, 0.0]), Ok(0.0));
}

#[test]
fn a_formula_is_kept_as_written() {
    let product = Program::trace("f", |[x]| x * 0.0);
    assert!(product.eval(&[f64::INFINITY]).unwrap().is_nan());
    let negative_zero = Program::trace("f", |[x]| (x * 0.0 + 0.0) / (x * 0.0 + -0.0));
    assert!(same(negative_zero.eval(&[1.0]).unwrap(), f64::NAN));
    assert_eq!(negative_zero.instructions().len(), 7);
}

#[test]
fn nothing_is_computed_twice_or_in_vain() {
    let program = Program::trace("f", |[x, y]| {
        let _unused = y.exp();
        let Logistic { sigmoid, .. } = x.logistic();
        x.sigmoid() * sigmoid
    });
    assert_eq!(
        program.to_string(),
        "f\n  %0 = input 0\n  %1 = sigmoid %0\n  %2 = mul %1 %1\n"
    );
    assert_eq!(program.inputs(), 2);
}

#[test]
fn a_listing_shows_every_kind_of_instruction() {
    let program = Program::trace("f", |[x, y]| {
        Scalar::select(x.less_equal(y), x.mul_add(y, -x), y.powf(2.5))
    });
    assert_eq!(
        program.to_string(),
        "f\n  %0 = input 0\n  %1 = input 1\n  %2 = neg %0\n  %3 = mul_add %0 %1 %2\n  \
         %4 = powf %1 2.5\n  %5 = select %0 <= %1 ? %3 : %4\n"
    );
}

#[test]
fn the_number_of_inputs_is_checked() {
    let program = Program::trace("f", |[x, y]| x + y);
    assert_eq!(
        program.eval(&[1.0]).unwrap_err().to_string(),
        "f: number of inputs must be 2, found 1"
    );
}

#[test]
fn an_overridden_gradient_is_the_one_that_is_differentiated() {
    /// A step with a slope of its own.
    #[derive(Clone, Copy, Debug)]
    struct StraightThrough;
    impl Pointwise<1> for StraightThrough {
        const NAME: &'static str = "straight_through";
        fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
            x.signum()
        }
        fn gradient<S: Scalar>(&self, [x]: [S; 1]) -> [S; 1] {
            [x.square()]
        }
    }
    let step = Derived::new(StraightThrough);
    let at = |derived: &Derived<_>| Program::of(derived).eval(&[3.0]);
    assert_eq!(at(&step), Ok(1.0));
    assert_eq!(at(&step.clone().differentiate(0)), Ok(9.0));
    assert_eq!(at(&step.clone().differentiate(0).differentiate(0)), Ok(6.0));
    assert_eq!(at(&step.differentiate(1)), Ok(0.0));
}
