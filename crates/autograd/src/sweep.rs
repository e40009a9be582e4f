//! The way back: from a result to the gradients of what it was computed from.
//!
//! Inputs stand before the operations they feed, so the way back is one loop from the last number
//! to the first. At each node the gradient of its value is complete, because everything that uses
//! the value has a larger number and has been passed.

use macula_tensor::shape::Sizes;
use macula_tensor::{Error, Float, Result, Tensor};

use crate::anomaly;
use crate::gradients::Gradients;
use crate::node::{Kind, NodeId, Nodes, runs_already};
use crate::saved::Saved;
use crate::tape::Tape;
use crate::var::{Var, two_tapes};

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
        let detects = self.tape().detects();
        // The loss is not needed on the way back; nobody else may hold what it holds.
        drop(self);
        let mut adjoints = Adjoints::new(NodeId::new(0), last);
        adjoints.add(last, tape.constant(seed))?;
        nodes.truncate(last);
        let Nodes {
            mut nodes,
            mut inputs,
            mut kept,
            held: _,
        } = nodes;
        while let Some(node) = nodes.last() {
            let id = NodeId::new(nodes.len() - 1);
            if let Some(upstream) = adjoints.take(id) {
                match &node.kind {
                    Kind::Leaf => gradients.insert_leaf(id, upstream.into_value()),
                    Kind::Param(param) => {
                        gradients.insert_param(param.clone(), upstream.into_value());
                    }
                    Kind::Op(rule) => {
                        let saved = Saved {
                            op: node.name,
                            tape: &tape,
                            inputs: &inputs[node.inputs..],
                            keep: node.keep,
                            kept: &kept[node.kept..],
                            output: None,
                        };
                        let looked_at = detects.then(|| upstream.clone());
                        rule(upstream, &saved, &mut |index, gradient| {
                            if let Some(upstream) = &looked_at {
                                let place = (node.name, node.location);
                                let kept = saved.kept;
                                anomaly::check_gradient(place, kept, upstream, index, &gradient)?;
                            }
                            let input = saved.inputs.get(index).copied().flatten();
                            let shape = |id: NodeId| &nodes[id.index()].shape;
                            adjoints.pass_on((node.name, index), input, gradient, shape)
                        })?;
                    }
                    Kind::Running => return Err(runs_already(node.name)),
                }
            }
            // Nothing needs the node any more, nor what it has kept.
            inputs.truncate(node.inputs);
            kept.truncate(node.kept);
            nodes.truncate(id.index());
        }
        Ok(gradients)
    }

    /// The gradient of the sum of this variable's elements with respect to each variable of
    /// `with_respect_to`, as recorded variables: call it again on the result for higher orders.
    ///
    /// Keeps the tape.
    ///
    /// # Errors
    /// This variable must depend on each of `with_respect_to`, and all be of one tape, which
    /// `backward` has not used up.
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
                        "the result does not depend on variable {index} of those given: one of \
                         them is data or of an inference tape, or a value on the way was detached"
                    ),
                })
            })
            .collect()
    }

    /// The vector-Jacobian product: Σ upstream · ∂self/∂x for each x of `with_respect_to`, as
    /// recorded variables; zeros where this variable does not depend on x.
    ///
    /// # Errors
    /// `upstream` must have this variable's shape, and all be of one tape, which `backward` has not
    /// used up.
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
        let mut others = with_respect_to.iter().chain([&upstream]);
        if !others.all(|x| x.tape().is_same(tape)) {
            return Err(two_tapes("grad"));
        }
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
        for id in (first.index()..=last.index()).rev().map(NodeId::new) {
            let Some(upstream) = adjoints.take(id) else {
                continue;
            };
            for (target, slot) in targets.iter().zip(&mut found) {
                if *target == Some(id) {
                    *slot = Some(upstream.clone());
                }
            }
            // The rule runs while the tape grows under it, so it is taken out of the borrow.
            if let Some(op) = tape.lend(id)? {
                let saved = Saved {
                    op: op.name,
                    tape,
                    inputs: &op.inputs,
                    keep: op.keep,
                    kept: &op.kept,
                    output: Some(id),
                };
                let shape =
                    |id: NodeId| tape.with_nodes(|nodes| nodes.nodes[id.index()].shape.clone());
                let looked_at = tape.detects().then(|| upstream.clone());
                let mut hand_on = |index: usize, gradient: Self| {
                    if let Some(upstream) = &looked_at {
                        let place = (op.name, op.location);
                        anomaly::check_gradient(place, saved.kept, upstream, index, &gradient)?;
                    }
                    let input = saved.inputs.get(index).copied().flatten();
                    adjoints.pass_on((op.name, index), input, gradient, shape)
                };
                // What the rule computes on its way is not what the user's line computes.
                let run = || (op.rule)(upstream, &saved, &mut hand_on);
                let done = tape.detecting(false, run);
                tape.give_back(id, op.rule);
                done?;
            }
        }
        Ok(found)
    }
}

/// The gradients that have arrived so far, by node.
///
/// Few nodes have one at any moment, and a tape may have millions: each node has the number of a
/// place, 0 for none, and the places are used again.
struct Adjoints<T: Float> {
    first: NodeId,
    place_of: Vec<u32>,
    places: Vec<Option<Var<T>>>,
    free: Vec<u32>,
}

impl<T: Float> Adjoints<T> {
    /// For the nodes `first..=last`.
    fn new(first: NodeId, last: NodeId) -> Self {
        Self {
            first,
            place_of: vec![0; last.index() + 1 - first.index()],
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    #[inline]
    fn take(&mut self, id: NodeId) -> Option<Var<T>> {
        let place = self.place_of[id.index() - self.first.index()];
        let index = place.checked_sub(1)? as usize;
        self.free.push(place);
        self.places[index].take()
    }

    #[inline(always)]
    fn add(&mut self, id: NodeId, gradient: Var<T>) -> Result<()> {
        let place = &mut self.place_of[id.index() - self.first.index()];
        if *place == 0 {
            *place = self.free.pop().unwrap_or_else(|| {
                self.places.push(None);
                self.places.len() as u32
            });
        }
        match &mut self.places[*place as usize - 1] {
            Some(sum) => sum.accumulate(&gradient),
            none => {
                *none = Some(gradient);
                Ok(())
            }
        }
    }

    /// Adds the gradient for an input, summed back to the input's shape.
    #[inline]
    fn pass_on<S: AsRef<[usize]>>(
        &mut self,
        (op, index): (&'static str, usize),
        input: Option<NodeId>,
        gradient: Var<T>,
        shape: impl Fn(NodeId) -> S,
    ) -> Result<()> {
        let Some(id) = input.filter(|&id| id >= self.first) else {
            return Ok(());
        };
        let shape = shape(id);
        if gradient.shape().iter().eq(shape.as_ref()) {
            self.add(id, gradient)
        } else {
            let summed = gradient.sum_to(&shape).map_err(|error| match error {
                Error::Shape { .. } => wrong_shape(op, index, shape.as_ref(), gradient.shape()),
                other => other,
            })?;
            self.add(id, summed)
        }
    }
}

fn wrong_shape(op: &'static str, index: usize, input: &[usize], gradient: &[usize]) -> Error {
    Error::Gradient {
        op,
        message: format!(
            "the rule gives input {index} of shape {input:?} a gradient of shape {gradient:?}"
        ),
    }
}

fn no_dependence(op: &'static str) -> Error {
    Error::Gradient {
        op,
        message: "the loss does not depend on any parameter or variable: it is data, was computed \
                  on an inference tape, or all its parameters are frozen"
            .into(),
    }
}
