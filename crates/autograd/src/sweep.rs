//! The way back: from a result to the gradients of what it was computed from.
//!
//! Inputs stand before the operations they feed, so the way back is one loop from the last number
//! to the first. At each node the gradient of its value is complete, because everything that uses
//! the value has a larger number and has been passed.

use macula_tensor::shape::Sizes;
use macula_tensor::{Error, Float, Result, Tensor};

use crate::gradients::Gradients;
use crate::saved::{Kept, Saved};
use crate::tape::{Contributions, Kind, NodeId, Tape};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The gradients of this loss with respect to every parameter and leaf it was computed from.
    ///
    /// Uses up the tape: each node is emptied as the sweep passes it, so memory falls on the way
    /// back. For a second derivative, or to call it twice, see [`Var::grad`].
    ///
    /// # Errors
    /// The loss must have one element and depend on a parameter or leaf; the tape must not have
    /// been used up before.
    pub fn backward(self) -> Result<Gradients<T>> {
        let op = "backward";
        self.tape().check_usable(op)?;
        if self.value().count() != 1 {
            return Err(Error::Shape {
                op,
                expected: "a loss of one element; reduce it with mean or sum first".into(),
                found: Sizes::from_slice(self.shape()),
            });
        }
        let last = self.node().ok_or_else(|| no_dependence(op))?;
        let seed = Tensor::full(self.shape(), T::ONE)?;
        let mut gradients = Gradients::new(self.tape().identity());
        let mut nodes = self.tape().consume();
        // Rules run on a tape of their own that writes nothing.
        let tape = Tape::inference();
        let mut adjoints = Adjoints::new(0, last);
        adjoints.add(last, tape.constant(seed))?;
        nodes.truncate(last + 1);
        while let Some(node) = nodes.pop() {
            let id = nodes.len();
            let Some(upstream) = adjoints.take(id) else {
                continue;
            };
            match node.kind {
                Kind::Leaf => gradients.insert_leaf(id, upstream.into_value()),
                Kind::Param(param) => gradients.insert_param(param, upstream.into_value()),
                Kind::Op { inputs, kept, rule } => {
                    let saved = Saved {
                        op: node.name,
                        tape: tape.clone(),
                        kept,
                        inputs,
                        output: None,
                        recorded: false,
                    };
                    let contributions = rule(&upstream, &saved)?;
                    adjoints.pass_on(&saved.inputs, contributions, |id| &nodes[id].shape)?;
                }
            }
        }
        Ok(gradients)
    }

    /// The gradient of the sum of this variable's elements with respect to each variable of
    /// `with_respect_to`, as recorded variables: call it again on the result for higher orders.
    ///
    /// Keeps the tape.
    ///
    /// # Errors
    /// This variable must depend on each of `with_respect_to`.
    pub fn grad(&self, with_respect_to: &[&Self]) -> Result<Vec<Self>> {
        let ones = Tensor::full(self.shape(), T::ONE)?;
        let found = self.try_grad(&self.tape().constant(ones), with_respect_to)?;
        found
            .into_iter()
            .enumerate()
            .map(|(index, gradient)| {
                gradient.ok_or_else(|| Error::Gradient {
                    op: "grad",
                    message: format!(
                        "the result does not depend on variable {index} of those given, or only \
                         through values that were detached"
                    ),
                })
            })
            .collect()
    }

    /// The vector-Jacobian product: Σ upstream · ∂self/∂x for each x of `with_respect_to`, as
    /// recorded variables; zeros where this variable does not depend on x.
    ///
    /// # Errors
    /// `upstream` must have this variable's shape.
    pub fn vjp(&self, upstream: &Self, with_respect_to: &[&Self]) -> Result<Vec<Self>> {
        if upstream.shape() != self.shape() {
            return Err(Error::Shape {
                op: "vjp",
                expected: format!("an upstream gradient of shape {:?}", self.shape()),
                found: Sizes::from_slice(upstream.shape()),
            });
        }
        let found = self.try_grad(upstream, with_respect_to)?;
        found
            .into_iter()
            .zip(with_respect_to)
            .map(|(gradient, x)| match gradient {
                Some(gradient) => Ok(gradient),
                None => Ok(self.tape().constant(Tensor::zeros(x.shape())?)),
            })
            .collect()
    }

    /// Σ upstream · ∂self/∂x for each x, or none where self does not depend on x.
    pub(crate) fn try_grad(
        &self,
        upstream: &Self,
        with_respect_to: &[&Self],
    ) -> Result<Vec<Option<Self>>> {
        let tape = self.tape();
        tape.check_usable("grad")?;
        let targets: Vec<_> = with_respect_to.iter().map(|x| x.node()).collect();
        let mut found = vec![None; targets.len()];
        let (Some(last), Some(first)) = (self.node(), targets.iter().flatten().min().copied())
        else {
            return Ok(found);
        };
        if first > last {
            return Ok(found);
        }
        let mut adjoints = Adjoints::new(first, last);
        adjoints.add(last, upstream.clone())?;
        for id in (first..=last).rev() {
            let Some(upstream) = adjoints.take(id) else {
                continue;
            };
            for (target, slot) in targets.iter().zip(&mut found) {
                if *target == Some(id) {
                    *slot = Some(upstream.clone());
                }
            }
            // The rule runs while the tape grows under it, so it is taken out of the borrow.
            let op = tape.with_node(id, |node| match &node.kind {
                Kind::Leaf | Kind::Param(_) => None,
                Kind::Op { inputs, kept, rule } => {
                    Some((node.name, inputs.clone(), Kept::clone(kept), rule.clone()))
                }
            });
            if let Some((name, inputs, kept, rule)) = op {
                let saved = Saved {
                    op: name,
                    tape: tape.clone(),
                    kept,
                    inputs,
                    output: Some(id),
                    recorded: true,
                };
                let contributions = rule(&upstream, &saved)?;
                let shape = |id| tape.with_node(id, |node| node.shape.clone());
                adjoints.pass_on(&saved.inputs, contributions, shape)?;
            }
        }
        Ok(found)
    }
}

/// The gradients that have arrived so far, by node.
struct Adjoints<T: Float> {
    first: NodeId,
    arrived: Vec<Option<Var<T>>>,
}

impl<T: Float> Adjoints<T> {
    /// For the nodes `first..=last`.
    fn new(first: NodeId, last: NodeId) -> Self {
        Self {
            first,
            arrived: vec![None; last + 1 - first],
        }
    }

    fn take(&mut self, id: NodeId) -> Option<Var<T>> {
        self.arrived[id - self.first].take()
    }

    fn add(&mut self, id: NodeId, gradient: Var<T>) -> Result<()> {
        match &mut self.arrived[id - self.first] {
            Some(sum) => sum.accumulate(&gradient),
            none => {
                *none = Some(gradient);
                Ok(())
            }
        }
    }

    /// Adds each contribution to its input's gradient, summed back to the input's shape.
    fn pass_on<S: AsRef<[usize]>>(
        &mut self,
        inputs: &[Option<NodeId>],
        contributions: Contributions<T>,
        shape: impl Fn(NodeId) -> S,
    ) -> Result<()> {
        for (input, contribution) in inputs.iter().zip(contributions) {
            if let (&Some(id), Some(gradient)) = (input, contribution)
                && id >= self.first
            {
                let shape = shape(id);
                let gradient = if gradient.shape() == shape.as_ref() {
                    gradient
                } else {
                    gradient.sum_to(shape)?
                };
                self.add(id, gradient)?;
            }
        }
        Ok(())
    }
}

fn no_dependence(op: &'static str) -> Error {
    Error::Gradient {
        op,
        message: "the loss does not depend on any parameter or variable: it is data, or was \
                  computed on an inference tape"
            .into(),
    }
}
