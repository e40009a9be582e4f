//! Derivatives of formulas above the first order, on the CPU.

use macula_tensor::ops::apply::{apply, chain};
use macula_tensor::pointwise::Derived;
use macula_tensor::program::Program;
use macula_tensor::{Pointwise, Result, Scalar, Tensor};

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
fn every_element_is_what_the_program_gives_for_it() -> Result<()> {
    // Lengths around that of a register, of a block, and above that of a piece for one thread.
    for count in [1, 7, 16, 255, 40_000] {
        let x = Tensor::from(logits(count));
        let weight = Tensor::from(0.75);
        for by in [&[0, 0][..], &[1, 0], &[0, 0, 0], &[0; 5]] {
            let derived = derived(by);
            let program = Program::of(&derived);
            let found = apply(&derived, [&x, &weight.expand([count])?]);
            let expected: Vec<f64> = logits(count)
                .iter()
                .map(|&x| program.eval(&[x, 0.75]))
                .collect::<Result<_>>()?;
            assert_eq!(found?.to_vec()?, expected);
        }
    }
    Ok(())
}

#[test]
fn a_seed_multiplies_the_derivative() -> Result<()> {
    let (x, weight) = (Tensor::from(logits(33)), Tensor::from(2.0));
    let seed = Tensor::from(3.0);
    for by in [&[][..], &[0], &[0, 0], &[0, 1, 0]] {
        let plain = apply(&derived(by), [&x, &weight])?;
        let mut seeded = seed.clone();
        chain(&derived(by), [&x, &weight], &mut seeded)?;
        assert_eq!(seeded.to_vec()?, plain.mul_scalar(3.0)?.to_vec()?);
    }
    Ok(())
}

#[test]
fn strided_operands_give_what_contiguous_ones_give() -> Result<()> {
    let x = Tensor::from_vec(logits(600), [20, 30])?.transpose(0, 1)?;
    let weight = Tensor::from_vec(logits(20), [20])?;
    let strided = apply(&derived(&[0, 0]), [&x, &weight])?;
    let x = x.contiguous()?;
    let weight = weight.expand([30, 20])?.contiguous()?;
    let contiguous = apply(&derived(&[0, 0]), [&x, &weight])?;
    assert_eq!(strided.to_vec()?, contiguous.to_vec()?);
    Ok(())
}

#[test]
fn single_precision_follows_double_precision() -> Result<()> {
    let single: Vec<_> = logits(100).into_iter().map(|x| x as f32).collect();
    let double: Vec<_> = single.iter().map(|&x| f64::from(x)).collect();
    let by = derived(&[0, 0, 0]);
    let double = apply(&by, [&Tensor::from(double), &Tensor::from(1.0)])?;
    let single = apply(&by, [&Tensor::from(single), &Tensor::from(1.0)])?;
    let pairs = single.to_vec()?.into_iter().zip(double.to_vec()?);
    for (single, double) in pairs {
        // Some 60 operations of 6·10⁻⁸ each. Near a zero of the derivative the error is that of
        // its terms, which are about 1.
        approx::assert_relative_eq!(
            f64::from(single),
            double,
            max_relative = 1e-5,
            epsilon = 1e-6
        );
    }
    Ok(())
}

#[test]
fn an_input_that_is_not_there_is_told() -> Result<()> {
    let x = Tensor::from([1.0]);
    let error = apply(&derived(&[2]), [&x, &x]).map(drop);
    assert_eq!(
        error.map_err(|error| error.to_string()),
        Err("focal: input to differentiate by must be below 2, found 2".into())
    );
    Ok(())
}
