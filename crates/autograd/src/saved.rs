//! What an operation keeps for its way back.

use std::rc::Rc;

use macula_tensor::{Error, Float, Result, Tensor};

use crate::tape::{Inputs, NodeId, Operation, Tape};
use crate::var::Var;

/// What stays alive for the way back: an operation's memory cost, in its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: the rule needs the upstream gradient only.
    Nothing,
    /// The values of the inputs.
    Inputs,
    /// The value of the result.
    Output,
    /// The values of the inputs and of the result.
    Both,
}

impl Keep {
    pub(crate) fn inputs(self) -> bool {
        matches!(self, Self::Inputs | Self::Both)
    }

    pub(crate) fn output(self) -> bool {
        matches!(self, Self::Output | Self::Both)
    }
}

/// The tensors a node holds on to: the inputs, if they are kept, then the output, if it is.
pub(crate) struct Kept<T: Float> {
    keep: Keep,
    tensors: Vec<Tensor<T>>,
}

impl<T: Float> Kept<T> {
    pub(crate) fn new(keep: Keep, inputs: &[&Var<T>], output: &Tensor<T>) -> Self {
        let inputs = if keep.inputs() { inputs } else { &[] };
        let mut tensors = Vec::with_capacity(inputs.len() + usize::from(keep.output()));
        tensors.extend(inputs.iter().map(|input| input.value().clone()));
        tensors.extend(keep.output().then(|| output.clone()));
        Self { keep, tensors }
    }

    fn input(&self, index: usize) -> Option<&Tensor<T>> {
        let last = self.tensors.len() - usize::from(self.keep.output());
        self.tensors[..last].get(index)
    }

    fn output(&self) -> Option<&Tensor<T>> {
        self.tensors.last().filter(|_| self.keep.output())
    }

    /// All of them.
    pub(crate) fn tensors(&self) -> &[Tensor<T>] {
        &self.tensors
    }
}

/// What a rule may look at: the values that were kept, as variables of the sweep.
///
/// In `backward` they are constants and the rule's own operations leave no trace. In `grad` they
/// are the variables of the forward pass, so the rule is recorded and can be differentiated again.
pub struct Saved<T: Float> {
    pub(crate) op: &'static str,
    pub(crate) tape: Tape<T>,
    pub(crate) operation: Rc<Operation<T>>,
    pub(crate) inputs: Inputs,
    pub(crate) output: Option<NodeId>,
    /// Whether the sweep is recorded.
    pub(crate) recorded: bool,
}

impl<T: Float> Saved<T> {
    /// Input number `index`.
    ///
    /// # Errors
    /// The operation must have been recorded with [`Keep::Inputs`] or [`Keep::Both`].
    pub fn input(&self, index: usize) -> Result<Var<T>> {
        let value = self.value(index)?;
        let node = self.inputs[index].filter(|_| self.recorded);
        Ok(Var::from_parts(value.clone(), self.tape.clone(), node))
    }

    /// The value of input number `index`.
    ///
    /// # Errors
    /// The operation must have kept its inputs.
    pub(crate) fn value(&self, index: usize) -> Result<&Tensor<T>> {
        let kept = self.operation.kept.input(index);
        kept.ok_or_else(|| self.not_kept("input"))
    }

    /// The result.
    ///
    /// # Errors
    /// The operation must have been recorded with [`Keep::Output`] or [`Keep::Both`].
    pub fn output(&self) -> Result<Var<T>> {
        let kept = &self.operation.kept;
        let value = kept.output().ok_or_else(|| self.not_kept("output"))?;
        let node = self.output.filter(|_| self.recorded);
        Ok(Var::from_parts(value.clone(), self.tape.clone(), node))
    }

    /// Whether input number `index` needs a gradient; a rule may skip the work where it does not.
    pub fn needs(&self, index: usize) -> bool {
        self.inputs.get(index).is_some_and(Option::is_some)
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
