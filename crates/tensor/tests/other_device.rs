//! A backend from outside the crate, and what tensors do on it.
//!
//! It keeps elements in vectors and runs programs with the plain interpreter, so what it computes
//! must be what the CPU computes, bit for bit in `f64`.

use std::sync::Arc;

use macula_tensor::device::{Backend, Kernels, Memory, Operand};
use macula_tensor::ops::apply::chain;
use macula_tensor::pointwise::Derived;
use macula_tensor::program::Program;
use macula_tensor::{Device, Element, Error, Pointwise, Result, Scalar, Tensor};

#[derive(Debug)]
struct Other;

impl Backend for Other {
    fn name(&self) -> &str {
        "other"
    }
}

/// An operand's elements in row-major order.
fn elements<T: Element>(operand: Operand<'_>) -> Result<Vec<T>> {
    let memory: &Vec<T> = operand.memory_as("read", &Other)?;
    Ok(operand.positions().map(|place| memory[place]).collect())
}

/// The kernels that all element types share.
macro_rules! kernels {
    ($T:ty $(, $formulas:item)?) => {
        impl Kernels<$T> for Other {
            fn upload(&self, elements: &[$T]) -> Result<Memory> {
                Ok(Arc::new(elements.to_vec()))
            }

            fn download(&self, operand: Operand<'_>, into: &mut [$T]) -> Result<()> {
                into.copy_from_slice(&elements(operand)?);
                Ok(())
            }

            fn fill(&self, value: $T, sizes: &[usize]) -> Result<Memory> {
                Ok(Arc::new(vec![value; sizes.iter().product()]))
            }

            fn copy(&self, operand: Operand<'_>) -> Result<Memory> {
                Ok(Arc::new(elements::<$T>(operand)?))
            }

            $($formulas)?
        }
    };
}

kernels!(i64);
kernels!(bool);
kernels!(
    f32,
    fn pointwise(
        &self,
        program: &Program,
        operands: &[Operand<'_>],
        sizes: &[usize],
    ) -> Result<Memory> {
        let columns = operands.iter().map(|&operand| elements::<f32>(operand));
        let columns = columns.map(|column| Ok(column?.into_iter().map(f64::from).collect()));
        let results = run(program, &columns.collect::<Result<Vec<_>>>()?, sizes)?;
        Ok(Arc::new(
            results.into_iter().map(|x| x as f32).collect::<Vec<_>>(),
        ))
    }
);
kernels!(
    f64,
    fn pointwise(
        &self,
        program: &Program,
        operands: &[Operand<'_>],
        sizes: &[usize],
    ) -> Result<Memory> {
        let columns = operands.iter().map(|&operand| elements(operand));
        Ok(Arc::new(run(
            program,
            &columns.collect::<Result<Vec<_>>>()?,
            sizes,
        )?))
    }
);

fn run(program: &Program, columns: &[Vec<f64>], sizes: &[usize]) -> Result<Vec<f64>> {
    let row = |index: usize| {
        columns
            .iter()
            .map(|column| column[index])
            .collect::<Vec<_>>()
    };
    (0..sizes.iter().product())
        .map(|index| program.eval(&row(index)))
        .collect()
}

/// a · σ(b) + max(a, b).
#[derive(Clone, Copy, Debug)]
struct Gate;

impl Pointwise<2> for Gate {
    const NAME: &'static str = "gate";
    fn eval<S: Scalar>(&self, [a, b]: [S; 2]) -> S {
        a * b.sigmoid() + a.max(b)
    }
}

/// Numbers between −2 and 2 in some disorder.
fn numbers(shape: &[usize]) -> Result<Tensor<f64>> {
    let count = shape.iter().product::<usize>();
    let elements = (0..count).map(|i| ((i * 37 + 11) % 101) as f64 / 25.0 - 2.0);
    Tensor::from_vec(elements.collect(), shape)
}

fn assert_same<T: Element>(found: Result<Tensor<T>>, expected: Result<Tensor<T>>) -> Result<()> {
    let (found, expected) = (found?, expected?);
    assert_eq!(found.shape(), expected.shape());
    assert_eq!(found.to_vec()?, expected.to_vec()?);
    Ok(())
}

#[test]
fn every_element_type_goes_there_and_back() -> Result<()> {
    fn check<T: Element>(tensor: Tensor<T>) -> Result<()> {
        let there = tensor.to(&Device::accelerator(Other))?;
        assert_eq!(there.device().to_string(), "other");
        assert_eq!(there.as_slice(), None);
        assert_same(there.to(&Device::Cpu), Ok(tensor))
    }
    check(Tensor::from([[1.5_f32, -2.0], [0.0, 4.0]]))?;
    check(Tensor::from([1.5_f64, f64::INFINITY]))?;
    check(Tensor::from([1_i64, -7]))?;
    check(Tensor::from([true, false, true]))?;
    check(Tensor::from(2.5_f64))?;
    check(Tensor::<f32>::zeros([0, 3])?)
}

#[test]
fn long_tensors_there_print_as_on_the_cpu() -> Result<()> {
    let here = Tensor::<f64>::arange(0.0, 1200.0, 1.0)?.reshape([3, 400])?;
    let there = here.to(&Device::accelerator(Other))?;
    let expected = here.to_string().replace("on cpu", "on other");
    assert_eq!(there.to_string(), expected);
    Ok(())
}

#[test]
fn views_there_move_no_data_and_read_as_on_the_cpu() -> Result<()> {
    let x = numbers(&[4, 6])?;
    let there = x.to(&Device::accelerator(Other))?;
    let view = |x: &Tensor<f64>| x.narrow(0, 1, 2)?.transpose(0, 1)?.narrow(0, 2, 3);
    assert_same(view(&there), view(&x))?;
    let flat = |x: &Tensor<f64>| view(x)?.reshape([6]);
    assert_same(flat(&there), flat(&x))?;
    let copy = |x: &Tensor<f64>| view(x)?.contiguous();
    assert!(!view(&there)?.is_contiguous() && copy(&there)?.is_contiguous());
    assert_same(copy(&there), copy(&x))?;
    let one = |x: &Tensor<f64>| view(x)?.narrow(0, 1, 1)?.narrow(1, 1, 1)?.item();
    assert_eq!(one(&there), one(&x));
    Ok(())
}

#[test]
fn formulas_give_there_what_they_give_on_the_cpu() -> Result<()> {
    let other = Device::accelerator(Other);
    let (a, b, row) = (numbers(&[3, 5])?, numbers(&[5, 3])?, numbers(&[5])?);
    let column = row.reshape([5, 1])?;
    let empty = Tensor::zeros([0, 5])?;
    let there = |x: &Tensor<f64>| x.to(&other);
    assert_same(there(&a)?.tanh(), a.tanh())?;
    assert_same(there(&a)?.powf(3.0), a.powf(3.0))?;
    assert_same(there(&a)?.add_scalar(0.1), a.add_scalar(0.1))?;
    assert_same(there(&a)?.zip(&there(&row)?, Gate), a.zip(&row, Gate))?;
    assert_same(
        there(&column)?.zip(&there(&row)?, Gate),
        column.zip(&row, Gate),
    )?;
    let turned = |b: &Tensor<f64>| b.transpose(0, 1);
    assert_same(
        there(&a)?.zip(&turned(&there(&b)?)?, Gate),
        a.zip(&turned(&b)?, Gate),
    )?;
    assert_same(there(&empty)?.add(&there(&row)?), empty.add(&row))?;
    assert_eq!(there(&a)?.tanh()?.device(), &other);
    assert!(matches!(
        there(&a)?.add(&there(&b)?),
        Err(Error::Broadcast { op: "add", .. })
    ));
    Ok(())
}

#[test]
fn single_precision_agrees_to_its_last_places() -> Result<()> {
    let a = Tensor::from([-3.0_f32, -0.5, 0.0, 0.25, 7.0]);
    let found = a.to(&Device::accelerator(Other))?.sigmoid()?.to_vec()?;
    for (found, expected) in found.into_iter().zip(a.sigmoid()?.to_vec()?) {
        // This backend rounds once, from f64; the CPU's σ is within 2 units in the last place.
        approx::assert_relative_eq!(found, expected, max_relative = 2.0 * f32::EPSILON);
    }
    Ok(())
}

#[test]
fn derivatives_of_any_order_run_there() -> Result<()> {
    let other = Device::accelerator(Other);
    let (a, b, seed) = (numbers(&[3, 5])?, numbers(&[5])?, numbers(&[3, 1])?);
    let (a_there, b_there, seed_there) = (a.to(&other)?, b.to(&other)?, seed.to(&other)?);
    for by in [&[][..], &[0], &[1], &[1, 0], &[1, 1, 1, 0], &[1; 5]] {
        let gate = Derived::new(Gate);
        let derived = by.iter().fold(gate, |gate, &i| gate.differentiate(i));
        let mut found = seed_there.clone();
        chain(&derived, [&a_there, &b_there], &mut found)?;
        let mut expected = seed.clone();
        chain(&derived, [&a, &b], &mut expected)?;
        assert_eq!(found.shape(), [3, 5]);
        for (found, expected) in found.to_vec()?.into_iter().zip(expected.to_vec()?) {
            // The compiled first derivative has more operations, products with 0 and 1, and so
            // another order of a few roundings of 10⁻¹⁶.
            approx::assert_relative_eq!(found, expected, max_relative = 1e-14, epsilon = 1e-15);
        }
    }
    Ok(())
}

#[test]
fn tensors_are_made_there() -> Result<()> {
    let other = Device::accelerator(Other);
    let ones = Tensor::full_on(&other, [2, 3], 1.0_f32)?;
    assert_eq!(ones.device(), &other);
    assert_same(Ok(ones), Tensor::full([2, 3], 1.0))?;
    assert_same(
        Tensor::full_on(&Device::Cpu, [2], 7_i64),
        Tensor::full([2], 7),
    )
}

#[test]
fn devices_do_not_mix() -> Result<()> {
    let x = numbers(&[3])?;
    let there = x.to(&Device::accelerator(Other))?;
    assert!(matches!(
        there.add(&x),
        Err(Error::Devices { op: "add", .. })
    ));
    assert!(matches!(
        x.zip(&there, Gate),
        Err(Error::Devices { op: "gate", .. })
    ));
    // A second handle is a second device, whatever its type.
    let elsewhere = x.to(&Device::accelerator(Other))?;
    assert!(matches!(there.add(&elsewhere), Err(Error::Devices { .. })));
    assert_same(there.add(&elsewhere.to(there.device())?), x.add(&x))
}

/// A backend with nothing that can be left out.
#[derive(Debug)]
struct Bare;

impl Backend for Bare {
    fn name(&self) -> &str {
        "bare"
    }
}

macro_rules! bare {
    ($($T:ty),*) => {$(
        impl Kernels<$T> for Bare {
            fn upload(&self, elements: &[$T]) -> Result<Memory> {
                Ok(Arc::new(elements.to_vec()))
            }

            fn download(&self, operand: Operand<'_>, into: &mut [$T]) -> Result<()> {
                into.copy_from_slice(&elements(operand)?);
                Ok(())
            }
        }
    )*};
}

bare!(f32, f64, i64, bool);

#[test]
fn what_is_not_offered_says_so() -> Result<()> {
    let bare = Device::accelerator(Bare);
    let mut x = numbers(&[2, 3])?.to(&bare)?;
    let says = |result: Result<Tensor<f64>>| result.map(drop).map_err(|error| error.to_string());
    let answer = |op: &str| Err(format!("{op}: bare: not offered by this device for f64"));
    assert_eq!(says(x.exp()), answer("exp"));
    assert_eq!(says(x.zip(&x, Gate)), answer("gate"));
    assert_eq!(says(x.transpose(0, 1)?.contiguous()), answer("copy"));
    assert_eq!(says(Tensor::full_on(&bare, [2], 0.0)), answer("fill"));
    let written = x.make_mut().map(drop).map_err(|error| error.to_string());
    assert_eq!(written, answer("make_mut"));
    assert_eq!(says(x.add(&x)), answer("add"));
    Ok(())
}
