//! `Gradients`: what one sweep returns.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use macula_tensor::{Error, Float, Result, Tensor};

use crate::param::Param;
use crate::node::NodeId;
use crate::var::Var;

/// The gradients of one loss: for every parameter it depends on, and for the leaves of its tape.
///
/// A value like any other: it can be sent to another thread, and gradients of several batches or
/// threads are added with [`Gradients::add`]. There is nothing to zero.
#[derive(Clone)]
pub struct Gradients<T: Float = f32> {
    params: BTreeMap<usize, (Param<T>, Tensor<T>)>,
    /// The tape the leaves belong to, and their gradients.
    tape: Option<Arc<()>>,
    leaves: BTreeMap<NodeId, Tensor<T>>,
}

impl<T: Float> Gradients<T> {
    pub(crate) fn new(tape: Option<Arc<()>>) -> Self {
        Self {
            params: BTreeMap::new(),
            tape,
            leaves: BTreeMap::new(),
        }
    }

    pub(crate) fn insert_param(&mut self, param: Param<T>, gradient: Tensor<T>) {
        self.params.insert(param.id(), (param, gradient));
    }

    pub(crate) fn insert_leaf(&mut self, leaf: NodeId, gradient: Tensor<T>) {
        self.leaves.insert(leaf, gradient);
    }

    /// The gradient of a parameter, if the loss depends on it.
    pub fn get(&self, param: &Param<T>) -> Option<&Tensor<T>> {
        self.params.get(&param.id()).map(|(_, gradient)| gradient)
    }

    /// The gradient of a parameter for changing it, as clipping does.
    pub fn get_mut(&mut self, param: &Param<T>) -> Option<&mut Tensor<T>> {
        self.params
            .get_mut(&param.id())
            .map(|(_, gradient)| gradient)
    }

    /// The gradient of a leaf made by [`Tape::var`](crate::Tape::var).
    ///
    /// # Errors
    /// The leaf must be of the tape that the loss was computed on, and the loss depend on it.
    pub fn of(&self, leaf: &Var<T>) -> Result<&Tensor<T>> {
        let same_tape = match (&self.tape, leaf.tape().identity()) {
            (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, &theirs),
            _ => false,
        };
        leaf.node()
            .filter(|_| same_tape)
            .and_then(|node| self.leaves.get(&node))
            .ok_or_else(|| Error::Gradient {
                op: "Gradients::of",
                message: "the loss does not depend on this variable, or it is not a leaf of the \
                          loss's tape"
                    .into(),
            })
    }

    /// The parameters that have a gradient, in no particular order, with their gradients.
    pub fn iter(&self) -> impl Iterator<Item = (&Param<T>, &Tensor<T>)> {
        self.params
            .values()
            .map(|(param, gradient)| (param, gradient))
    }

    /// Adds the gradients of another loss, for accumulation over batches or threads.
    ///
    /// Leaves are dropped: those of two tapes have nothing to do with each other.
    ///
    /// # Errors
    /// Both must be on one device.
    pub fn add(&mut self, other: Self) -> Result<()> {
        self.leaves.clear();
        for (id, (param, gradient)) in other.params {
            match self.params.get_mut(&id) {
                Some((_, sum)) => sum.add_assign(&gradient)?,
                None => {
                    self.params.insert(id, (param, gradient));
                }
            }
        }
        Ok(())
    }

    /// Multiplies every gradient by a number.
    ///
    /// # Errors
    /// The gradients must be on a device that runs formulas.
    pub fn scale(&mut self, factor: f64) -> Result<()> {
        for (_, gradient) in self.params.values_mut() {
            *gradient = gradient.mul_scalar(factor)?;
        }
        Ok(())
    }
}

impl<T: Float> fmt::Debug for Gradients<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = self
            .iter()
            .map(|(param, gradient)| (param.name(), gradient.shape()));
        f.debug_map().entries(params).finish()
    }
}
