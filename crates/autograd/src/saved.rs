//! What an operation keeps for its way back.

use macula_tensor::{Error, Float, Result, Tensor};

use crate::node::{HandOn, NodeId};
use crate::tape::Tape;
use crate::var::Var;

/// What stays alive for the way back: an operation's memory cost, in its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: the rule needs the upstream gradient only.
    Nothing,
    /// The values of the inputs.
    Inputs,
    /// The values of the inputs of these numbers.
    Only(&'static [usize]),
    /// The value of the result.
    Output,
    /// The values of the inputs and of the result.
    Both,
}

impl Keep {
    /// What a product of its first two inputs needs on its way back: for each of them that has a
    /// gradient, the other one.
    pub(crate) fn factors<T: Float>(first: &Var<T>, second: &Var<T>) -> Self {
        match (first.has_gradient(), second.has_gradient()) {
            (true, true) => Self::Only(&[0, 1]),
            (true, false) => Self::Only(&[1]),
            (false, true) => Self::Only(&[0]),
            (false, false) => Self::Nothing,
        }
    }

    /// Adds what is kept of an operation to a list: inputs in their order, then the result.
    pub(crate) fn store<T: Float>(
        self,
        inputs: &[&Var<T>],
        output: &Tensor<T>,
        kept: &mut Vec<Tensor<T>>,
    ) {
        match self {
            Self::Inputs | Self::Both => {
                kept.extend(inputs.iter().map(|input| input.value().clone()));
            }
            Self::Only(numbers) => {
                let chosen = numbers.iter().filter_map(|&number| inputs.get(number));
                kept.extend(chosen.map(|input| input.value().clone()));
            }
            Self::Nothing | Self::Output => {}
        }
        if matches!(self, Self::Output | Self::Both) {
            kept.push(output.clone());
        }
    }
}

/// What a rule may look at: the values that were kept, as variables of the sweep.
///
/// In `backward` they are constants and the rule's own operations leave no trace. In `grad` they
/// are the variables of the forward pass, so the rule is recorded and can be differentiated again.
pub struct Saved<'a, T: Float> {
    pub(crate) op: &'static str,
    pub(crate) tape: &'a Tape<T>,
    pub(crate) inputs: &'a [Option<NodeId>],
    pub(crate) keep: Keep,
    /// As [`Keep::store`] has ordered them.
    pub(crate) kept: &'a [Tensor<T>],
    /// The operation's own node, where the sweep is recorded.
    pub(crate) output: Option<NodeId>,
}

impl<T: Float> Saved<'_, T> {
    /// Whether the sweep is recorded.
    pub(crate) fn recorded(&self) -> bool {
        self.output.is_some()
    }

    /// Input number `index`.
    ///
    /// # Errors
    /// The operation must have kept it.
    pub fn input(&self, index: usize) -> Result<Var<T>> {
        let value = self.value(index)?.clone();
        let node = self.inputs[index].filter(|_| self.recorded());
        Ok(Var::from_parts(value, self.tape.clone(), node))
    }

    /// The value of input number `index`.
    ///
    /// # Errors
    /// The operation must have kept it.
    pub(crate) fn value(&self, index: usize) -> Result<&Tensor<T>> {
        let place = match self.keep {
            Keep::Inputs | Keep::Both => Some(index).filter(|&index| index < self.inputs.len()),
            Keep::Only(numbers) => numbers.iter().position(|&number| number == index),
            Keep::Nothing | Keep::Output => None,
        };
        let kept = place.and_then(|place| self.kept.get(place));
        kept.ok_or_else(|| self.not_kept("input"))
    }

    /// The result.
    ///
    /// # Errors
    /// The operation must have been recorded with [`Keep::Output`] or [`Keep::Both`].
    pub fn output(&self) -> Result<Var<T>> {
        let value = self.output_value()?.clone();
        Ok(Var::from_parts(value, self.tape.clone(), self.output))
    }

    /// The values of the first `N` inputs.
    ///
    /// # Errors
    /// The operation must have kept all inputs.
    pub(crate) fn values<const N: usize>(&self) -> Result<&[Tensor<T>; N]> {
        let keeps_all = matches!(self.keep, Keep::Inputs | Keep::Both) && N <= self.inputs.len();
        let kept = self.kept.first_chunk().filter(|_| keeps_all);
        kept.ok_or_else(|| self.not_kept("input"))
    }

    /// The value of the result.
    ///
    /// # Errors
    /// The operation must have kept it.
    pub(crate) fn output_value(&self) -> Result<&Tensor<T>> {
        let has_output = matches!(self.keep, Keep::Output | Keep::Both);
        let kept = self.kept.last().filter(|_| has_output);
        kept.ok_or_else(|| self.not_kept("output"))
    }

    /// Whether input number `index` needs a gradient; a rule may skip the work where it does not.
    pub fn needs(&self, index: usize) -> bool {
        self.inputs.get(index).is_some_and(Option::is_some)
    }

    /// upstream · input number `index`; in the memory of upstream, if nobody shares that and the sweep
    /// is not recorded.
    ///
    /// # Errors
    /// Those of [`input`](Self::input) and of the product.
    pub(crate) fn times_input(&self, mut upstream: Var<T>, index: usize) -> Result<Var<T>> {
        if self.recorded() {
            return upstream.mul(&self.input(index)?);
        }
        upstream.value_mut().mul_assign(self.value(index)?)?;
        Ok(upstream)
    }

    /// Hands on the gradients of a product of the first two inputs, of whatever kind: for each of
    /// the two that needs one, what is said of the other one.
    ///
    /// # Errors
    /// Those of [`input`](Self::input) and of the two gradients.
    pub(crate) fn factors(
        &self,
        hand_on: &mut HandOn<'_, T>,
        to_first: impl FnOnce(&Var<T>) -> Result<Var<T>>,
        to_second: impl FnOnce(&Var<T>) -> Result<Var<T>>,
    ) -> Result<()> {
        if self.needs(0) {
            hand_on(0, to_first(&self.input(1)?)?)?;
        }
        if self.needs(1) {
            hand_on(1, to_second(&self.input(0)?)?)?;
        }
        Ok(())
    }

    /// Data for the rule's own operations.
    pub fn constant(&self, value: Tensor<T>) -> Var<T> {
        self.tape.constant(value)
    }

    fn not_kept(&self, what: &str) -> Error {
        Error::Gradient {
            op: self.op,
            message: format!("the rule asks for an {what} that the operation did not keep"),
        }
    }
}
