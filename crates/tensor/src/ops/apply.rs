//! The two doors of formulas: new elements from a formula, and a gradient through a formula.
//!
//! Each has a usual case, in few steps, because for a small tensor the steps are the whole cost: all
//! operands have one shape and lie in main memory in row-major order. Lists of operands go by
//! reference there: a copy of a whole list has to wait until its entries, written one by one, have
//! reached the cache.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::cpu;
use crate::cpu::lanes::InstructionSet;
use crate::device::Accelerator;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::pointwise::{Derived, Pointwise};
use crate::program::Program;
use crate::shape::{Shape, Sizes, broadcast};
use crate::storage::FEW;
use crate::tensor::Tensor;

/// `formula` of the elements of `inputs`, broadcast to one shape.
///
/// # Errors
/// The shapes must broadcast, all tensors must be on one device, and the formula must have the
/// inputs it is differentiated by.
pub fn apply<T: Float, F: Pointwise<N>, const N: usize>(
    formula: &Derived<F>,
    inputs: [&Tensor<T>; N],
) -> Result<Tensor<T>> {
    let first = *inputs.first().ok_or_else(|| Error::Argument {
        op: F::NAME,
        argument: "inputs",
        expected: "at least one".into(),
        found: "none".into(),
    })?;
    check_derivative(formula)?;
    let mut slices: [&[T]; N] = [&[]; N];
    if let Some(length) = line_up(first, &inputs, &mut slices) {
        let write = |output: &mut [T]| cpu::pointwise::apply(formula, &slices, output);
        let shape = first.shape.fresh();
        return Ok(Tensor::build_padded(F::NAME, shape, length, write)?.0);
    }
    in_any_layout(formula, &inputs, None)
}

/// The chain rule: multiplies `seed` by `formula` of the elements of `inputs`, all broadcast to one
/// shape.
///
/// One pass, in the memory of the seed where nobody shares it: the slope of a formula is never written
/// down, and a gradient that flows through many operations stays where it is.
///
/// # Errors
/// Those of [`apply`].
pub fn chain<T: Float, F: Pointwise<N>, const N: usize>(
    formula: &Derived<F>,
    inputs: [&Tensor<T>; N],
    seed: &mut Tensor<T>,
) -> Result<()> {
    check_derivative(formula)?;
    let mut slices: [&[T]; N] = [&[]; N];
    if let Some(length) = line_up(seed, &inputs, &mut slices) {
        if let Some(product) = seed.elements_mut(length) {
            cpu::pointwise::chain(formula, &slices, product);
            return Ok(());
        }
        if let Some(elements) = seed.elements(length) {
            let write = |output: &mut [T]| {
                cpu::pointwise::chain_from(formula, &slices, elements, output);
            };
            let shape = seed.shape.fresh();
            *seed = Tensor::build_padded(F::NAME, shape, length, write)?.0;
            return Ok(());
        }
    }
    *seed = in_any_layout(formula, &inputs, Some(seed))?;
    Ok(())
}

/// A formula may be differentiated by the inputs that it has.
fn check_derivative<F: Pointwise<N>, const N: usize>(formula: &Derived<F>) -> Result<()> {
    match formula.by.iter().find(|&&input| usize::from(input) >= N) {
        None => Ok(()),
        Some(input) => Err(Error::Argument {
            op: F::NAME,
            argument: "input to differentiate by",
            expected: format!("below {N}"),
            found: input.to_string(),
        }),
    }
}

/// The elements of operands of one shape, that of `first`, all in main memory in row-major order, and
/// how many of them to compute; none where it is not so.
///
/// A register that is partly filled takes longer than a full one. Few elements mostly have room to the
/// end of their last register; what is computed there is nobody's.
#[inline]
pub(super) fn line_up<'a, T: Float, const N: usize>(
    first: &Tensor<T>,
    inputs: &[&'a Tensor<T>; N],
    slices: &mut [&'a [T]; N],
) -> Option<usize> {
    let mut length = first.count();
    if length < FEW {
        let registers = length.next_multiple_of(InstructionSet::widest().lanes::<T>());
        let has_room = |x: &Tensor<T>| x.elements(registers).is_some();
        if has_room(first) && inputs.iter().all(|x| has_room(x)) {
            length = registers;
        }
    }
    // Number by number: a call that compares memory takes longer than a shape has sizes.
    let sizes = first.shape();
    let alike = |x: &[usize]| x.len() == sizes.len() && x.iter().zip(sizes).all(|(x, y)| x == y);
    for (slice, &input) in slices.iter_mut().zip(inputs) {
        *slice = input.elements(length).filter(|_| alike(input.shape()))?;
    }
    Some(length)
}

/// Any operands: broadcast, in any order, on an accelerator.
#[inline(never)]
fn in_any_layout<T: Float, F: Pointwise<N>, const N: usize>(
    formula: &Derived<F>,
    inputs: &[&Tensor<T>; N],
    seed: Option<&Tensor<T>>,
) -> Result<Tensor<T>> {
    let operands: SmallVec<[&Tensor<T>; 4]> = inputs.iter().copied().chain(seed).collect();
    let shape = Shape::contiguous(F::NAME, &common_sizes(F::NAME, &operands)?)?;
    if let Some(accelerator) = operands[0].device().as_accelerator() {
        let program = match seed {
            Some(_) => Program::of(formula).seeded(),
            None => Program::of(formula),
        };
        return elsewhere(accelerator, &program, &operands, shape);
    }
    if shape.count() <= FEW {
        return few(formula, inputs, seed, shape);
    }
    let operands = expanded(&operands, &shape)?;
    let views = operands.iter().map(|operand| operand.view(F::NAME));
    let views: SmallVec<[_; 4]> = views.collect::<Result<_>>()?;
    Tensor::build(F::NAME, shape, |output| {
        cpu::pointwise::strided(formula, &views, output);
    })
}

/// The shape of the result, where all operands are on one device.
fn common_sizes<T: Float>(op: &'static str, operands: &[&Tensor<T>]) -> Result<Sizes> {
    let mut sizes = Sizes::from_slice(operands[0].shape());
    for other in &operands[1..] {
        operands[0].device().check_same(op, other.device())?;
        sizes = broadcast(op, &sizes, other.shape())?;
    }
    Ok(sizes)
}

fn expanded<T: Float>(operands: &[&Tensor<T>], to: &Shape) -> Result<SmallVec<[Tensor<T>; 4]>> {
    let expanded = operands.iter().map(|operand| operand.expand(to.sizes()));
    expanded.collect()
}

/// Operands of few elements, unpacked one by one: finding out how they lie in blocks takes longer.
fn few<T: Float, F: Pointwise<N>, const N: usize>(
    formula: &Derived<F>,
    inputs: &[&Tensor<T>; N],
    seed: Option<&Tensor<T>>,
    shape: Shape,
) -> Result<Tensor<T>> {
    let count = shape.count();
    let length = count.next_multiple_of(InstructionSet::widest().lanes::<T>());
    let mut unpacked = [[T::ZERO; FEW]; N];
    for (input, to) in inputs.iter().zip(&mut unpacked) {
        cpu::copy::broadcast_few(input.view(F::NAME)?, shape.sizes(), to);
    }
    let mut slices: [&[T]; N] = [&[]; N];
    for (slice, elements) in slices.iter_mut().zip(&unpacked) {
        *slice = &elements[..length];
    }
    let seed = seed.map(|seed| seed.view(F::NAME)).transpose()?;
    let sizes = Sizes::from_slice(shape.sizes());
    let write = |output: &mut [T]| match seed {
        Some(seed) => {
            cpu::copy::broadcast_few(seed, &sizes, output);
            cpu::pointwise::chain(formula, &slices, output);
        }
        None => cpu::pointwise::apply(formula, &slices, output),
    };
    Ok(Tensor::build_padded(F::NAME, shape, length, write)?.0)
}

/// A program run on an accelerator, where its operands are, all of one shape.
fn elsewhere<T: Float>(
    accelerator: &Arc<dyn Accelerator>,
    program: &Program,
    operands: &[&Tensor<T>],
    shape: Shape,
) -> Result<Tensor<T>> {
    let operands = expanded(operands, &shape)?;
    let operands = operands.iter().map(|x| x.operand(program.name()));
    let operands: Vec<_> = operands.collect::<Result<_>>()?;
    let kernels = T::kernels(accelerator.as_ref());
    let memory = kernels.pointwise(program, &operands, shape.sizes())?;
    Ok(Tensor::from_memory(accelerator, memory, shape))
}
