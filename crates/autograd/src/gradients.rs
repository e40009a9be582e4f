//! `Gradients`: what one sweep returns.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use macula_tensor::{Error, Float, Result, Tensor};

use crate::node::NodeId;
use crate::param::Param;
use crate::var::Var;

/// The gradients of one loss: for every parameter it depends on, and for the leaves of its tape.
///
/// A value like any other: it can be sent to another thread, and gradients of several batches or
/// threads are added with [`Gradients::sum`]. There is nothing to zero.
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
                message: "the loss does not depend on this variable, or it is not a leaf made by \
                          Tape::var of the loss's tape; for a parameter call get, for a value on \
                          the way Var::grad"
                    .into(),
            })
    }

    /// The parameters that have a gradient, in no particular order, with their gradients.
    pub fn iter(&self) -> impl Iterator<Item = (&Param<T>, &Tensor<T>)> {
        self.params
            .values()
            .map(|(param, gradient)| (param, gradient))
    }

    /// The sum of several gradients, added in the order given: the gradients of the sum of their
    /// losses.
    ///
    /// This is how a batch is spread over threads: cut it into shards, give each a tape of its own
    /// on whatever thread is free, and add the results in the order of the shards. The bits depend
    /// on how the batch was cut and not on the threads. Where the losses are means, scale the
    /// gradients of each shard by its share of the rows first.
    ///
    /// # Errors
    /// All must be on one device.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_autograd::{Gradients, Param, Tape};
    /// use macula_tensor::{Result, Tensor};
    ///
    /// let weight = Param::new("weight", Tensor::from([0.5_f32, -1.0]));
    /// let batch = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]);
    ///
    /// let of_shard = |rows: Tensor| -> Result<Gradients> {
    ///     let tape = Tape::new();
    ///     let outputs = tape.constant(rows).mul(&tape.param(&weight))?;
    ///     outputs.square()?.sum(..)?.backward()
    /// };
    /// let shards = batch.chunk(0, 2)?;
    /// let found: Vec<Result<Gradients>> = std::thread::scope(|scope| {
    ///     let shards = shards.into_iter();
    ///     let threads: Vec<_> = shards.map(|rows| scope.spawn(|| of_shard(rows))).collect();
    ///     threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    /// });
    /// let gradients = Gradients::sum(found.into_iter().collect::<Result<Vec<_>>>()?)?;
    ///
    /// // Σ 2·x²·w of each column.
    /// let gradient = gradients.get(&weight).expect("the loss depends on it");
    /// assert_eq!(gradient.to_vec()?, [84.0, -240.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn sum(parts: impl IntoIterator<Item = Self>) -> Result<Self> {
        let mut sum = Self::new(None);
        for part in parts {
            sum.add(part)?;
        }
        Ok(sum)
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
        let params = self.params.values_mut().map(|(_, gradient)| gradient);
        for gradient in params.chain(self.leaves.values_mut()) {
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
