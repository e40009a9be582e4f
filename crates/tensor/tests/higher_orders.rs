//! Derivatives of formulas above the first order, on the CPU.

use macula_tensor::ops::pointwise::pointwise;
use macula_tensor::pointwise::Derived;
use macula_tensor::program::Program;
use macula_tensor::{Pointwise, Scalar, Tensor};

/// The focal loss of a positive margin, σ(−x)^γ · ln(1 + e^−x), scaled by a weight.
#[derive(Clone, Copy, Debug)]
struct Focal(f64);

impl Pointwise<2> for Focal {
    const NAME: &'static str = "focal";
    fn eval<S: Scalar>(&self, [x, weight]: [S; 2]) -> S {
        let logistic = x.logistic();
        weight * logistic.complement.powf(self.0) * logistic.softplus_negated
    }
}

fn derived(by: &[usize]) -> Derived<Focal> {
    let focal = Derived::new(Focal(1.5));
    by.iter()
        .fold(focal, |derived, &input| derived.differentiate(input))
}

fn logits(count: usize) -> Vec<f64> {
    (0..count).map(|i| (i as f64 * 0.7).sin() * 6.0).collect()
}

#[test]
fn every_element_is_what_the_program_gives_for_it() {
    // Lengths around that of a register, of a block, and above that of a piece for one thread.
    for count in [1, 7, 16, 255, 40_000] {
        let x = Tensor::from(logits(count));
        let weight = Tensor::from(0.75);
        for by in [&[0, 0][..], &[1, 0], &[0, 0, 0], &[0; 5]] {
            let derived = derived(by);
            let program = Program::of(&derived);
            let found = pointwise(&derived, [&x, &weight.expand([count]).unwrap()], None);
            let expected: Vec<_> = logits(count)
                .iter()
                .map(|&x| program.eval(&[x, 0.75]).unwrap())
                .collect();
            assert_eq!(found.unwrap().to_vec().unwrap(), expected);
        }
    }
}

#[test]
fn a_seed_multiplies_the_derivative() {
    let (x, weight) = (Tensor::from(logits(33)), Tensor::from(2.0));
    let seed = Tensor::from(3.0);
    for by in [&[][..], &[0], &[0, 0], &[0, 1, 0]] {
        let plain = pointwise(&derived(by), [&x, &weight], None).unwrap();
        let seeded = pointwise(&derived(by), [&x, &weight], Some(&seed)).unwrap();
        assert_eq!(
            seeded.to_vec().unwrap(),
            plain.mul_scalar(3.0).unwrap().to_vec().unwrap()
        );
    }
}

#[test]
fn strided_operands_give_what_contiguous_ones_give() {
    let x = Tensor::from_vec(logits(600), [20, 30])
        .unwrap()
        .transpose(0, 1)
        .unwrap();
    let weight = Tensor::from_vec(logits(20), [20]).unwrap();
    let strided = pointwise(&derived(&[0, 0]), [&x, &weight], None).unwrap();
    let x = x.contiguous().unwrap();
    let weight = weight.expand([30, 20]).unwrap().contiguous().unwrap();
    let contiguous = pointwise(&derived(&[0, 0]), [&x, &weight], None).unwrap();
    assert_eq!(strided.to_vec().unwrap(), contiguous.to_vec().unwrap());
}

#[test]
fn single_precision_follows_double_precision() {
    let x = Tensor::from(logits(100));
    let single: Vec<_> = logits(100).into_iter().map(|x| x as f32).collect();
    let double: Vec<_> = single.iter().map(|&x| f64::from(x)).collect();
    assert_eq!(x.count(), double.len());
    let by = derived(&[0, 0, 0]);
    let double = pointwise(&by, [&Tensor::from(double), &Tensor::from(1.0)], None).unwrap();
    let single = pointwise(&by, [&Tensor::from(single), &Tensor::from(1.0)], None).unwrap();
    let pairs = single
        .to_vec()
        .unwrap()
        .into_iter()
        .zip(double.to_vec().unwrap());
    for (single, double) in pairs {
        // The terms of the third derivative cancel by up to a factor of 10 around its zeros.
        approx::assert_relative_eq!(
            f64::from(single),
            double,
            max_relative = 1e-5,
            epsilon = 1e-6
        );
    }
}

#[test]
fn an_input_that_is_not_there_is_told() {
    let x = Tensor::from([1.0]);
    let error = pointwise(&derived(&[2]), [&x, &x], None)
        .map(drop)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "focal: input to differentiate by must be below 2, found 2"
    );
}
