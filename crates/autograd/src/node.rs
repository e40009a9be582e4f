//! What a tape consists of: one line for each leaf and operation, and the values they keep.

use std::num::NonZero;
use std::panic::Location;

use macula_tensor::shape::Sizes;
use macula_tensor::{Element, Error, Float, Result, Tensor};
use smallvec::SmallVec;

use crate::param::Param;
use crate::saved::{Keep, Saved};
use crate::var::Var;

/// A node's place on its tape. Inputs have smaller places than the node they feed.
///
/// Counted from 1, so that "no node" is the number 0 and takes no room of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(NonZero<usize>);

impl NodeId {
    /// The node number `index`, from 0.
    pub(crate) fn new(index: usize) -> Self {
        Self(NonZero::<usize>::MIN.saturating_add(index))
    }

    /// Its number, from 0.
    pub(crate) fn index(self) -> usize {
        self.0.get() - 1
    }
}

/// How the way back of one operation is computed: from the upstream gradient and what was kept,
/// a gradient for some of the inputs, each handed on by the number of its input.
pub(crate) type Rule<T> = dyn Fn(Var<T>, &Saved<'_, T>, &mut HandOn<'_, T>) -> Result<()>;

/// Takes the gradient for the input of a number; where that needs none, it is dropped. See
/// [`Var::record_any`].
pub type HandOn<'a, T> = dyn FnMut(usize, Var<T>) -> Result<()> + 'a;

/// One line of the tape. There may be millions, so it is small.
pub(crate) struct Node<T: Float> {
    pub(crate) name: &'static str,
    /// Where the user's code called the operation.
    pub(crate) location: &'static Location<'static>,
    /// The sizes of the value, which are those of its gradient.
    pub(crate) shape: Sizes,
    /// Where its inputs begin in [`Nodes::inputs`].
    pub(crate) inputs: usize,
    pub(crate) keep: Keep,
    /// Where the values it keeps begin in [`Nodes::kept`].
    pub(crate) kept: usize,
    pub(crate) kind: Kind<T>,
}

pub(crate) enum Kind<T: Float> {
    /// A variable whose gradient is wanted.
    Leaf,
    /// A parameter whose gradient is wanted.
    Param(Param<T>),
    /// The result of an operation. A rule that captures nothing, as most do, takes no memory.
    Op(Box<Rule<T>>),
    /// The same while its rule runs, which is elsewhere.
    Running,
}

/// The error for a sweep that comes to an operation whose rule is running: the rule asks for the
/// gradient of its own result, or it has panicked.
pub(crate) fn runs_already(op: &'static str) -> Error {
    Error::Gradient {
        op,
        message: "the gradient is asked for while the operation's own rule is running, or after \
                  it has panicked"
            .into(),
    }
}

/// What a tensor takes of memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Where it is, by which what several operations keep is told; unknown of a view.
    pub(crate) address: Option<usize>,
    pub(crate) bytes: usize,
}

impl Memory {
    /// Elements that are repeated along an axis take their bytes once.
    pub(crate) fn of<E: Element>(tensor: &Tensor<E>) -> Self {
        let strides = tensor.strides();
        let axes = tensor.shape().iter().zip(&strides);
        let stored = axes.filter(|&(&size, &stride)| size == 0 || stride != 0);
        let count: usize = stored.map(|(size, _)| size).product();
        Self {
            address: tensor.as_slice().map(|elements| elements.as_ptr() as usize),
            bytes: count * size_of::<E>(),
        }
    }
}

/// All nodes, in the order they were recorded, with their inputs and what they keep.
///
/// Inputs and kept values stand in one list each, node after node: it costs nothing to have none, and
/// the way back takes them off the end.
pub(crate) struct Nodes<T: Float> {
    pub(crate) nodes: Vec<Node<T>>,
    /// None where an input is a constant.
    pub(crate) inputs: Vec<Option<NodeId>>,
    pub(crate) kept: Vec<Tensor<T>>,
    /// What rules hold themselves, such as indices, by node: few do.
    pub(crate) held: Vec<(NodeId, Memory)>,
}

impl<T: Float> Nodes<T> {
    /// Adds a node.
    pub(crate) fn push(&mut self, node: Node<T>) -> NodeId {
        self.nodes.push(node);
        NodeId::new(self.nodes.len() - 1)
    }

    /// The nodes of a node's inputs; none where an input is a constant.
    pub(crate) fn inputs(&self, id: NodeId) -> &[Option<NodeId>] {
        self.part(&self.inputs, id, |node| node.inputs)
    }

    /// What a node keeps.
    pub(crate) fn kept(&self, id: NodeId) -> &[Tensor<T>] {
        self.part(&self.kept, id, |node| node.kept)
    }

    /// A node's part of a list in which each node's part begins where `start` says.
    fn part<'a, E>(&self, list: &'a [E], id: NodeId, start: fn(&Node<T>) -> usize) -> &'a [E] {
        let end = self.nodes.get(id.index() + 1).map_or(list.len(), start);
        &list[start(&self.nodes[id.index()])..end]
    }

    /// Takes the nodes behind `last` off, and what belongs to them.
    pub(crate) fn truncate(&mut self, last: NodeId) {
        if let Some(next) = self.nodes.get(last.index() + 1) {
            self.inputs.truncate(next.inputs);
            self.kept.truncate(next.kept);
            self.nodes.truncate(last.index() + 1);
        }
    }
}

impl<T: Float> Default for Nodes<T> {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            inputs: Vec::new(),
            kept: Vec::new(),
            held: Vec::new(),
        }
    }
}

/// An operation taken off the tape, so that the tape can grow while its rule runs.
pub(crate) struct Lent<T: Float> {
    pub(crate) name: &'static str,
    pub(crate) location: &'static Location<'static>,
    pub(crate) inputs: SmallVec<[Option<NodeId>; 3]>,
    pub(crate) keep: Keep,
    pub(crate) kept: SmallVec<[Tensor<T>; 3]>,
    pub(crate) rule: Box<Rule<T>>,
}
