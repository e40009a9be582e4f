//! `Tape`: what one forward pass writes down.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::sync::Arc;

use macula_tensor::shape::Sizes;
use macula_tensor::{Error, Float, Result, Tensor};

use crate::node::{Kind, Lent, Memory, Node, NodeId, Nodes, Rule, runs_already};
use crate::param::Param;
use crate::saved::Keep;
use crate::var::Var;

/// The context of one pass: the operations recorded so far, and how the pass behaves.
///
/// A tape is a cheap handle; the variables made from it hold it too, so that it never has to be
/// passed along. It is a value of one thread: there is no global tape.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_tensor::Tensor;
///
/// let tape = Tape::new();
/// let x = tape.var(Tensor::scalar(3.0_f32));
/// let y = x.mul(&x)?;
/// let gradients = y.backward()?;
/// assert_eq!(gradients.of(&x)?.item()?, 6.0);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone)]
pub struct Tape<T: Float = f32> {
    inner: Rc<Inner<T>>,
}

struct Inner<T: Float> {
    records: bool,
    trains: bool,
    consumed: Cell<bool>,
    /// Whether every value and gradient is looked at for numbers that are not finite.
    detects: Cell<bool>,
    /// What is called at the first place counts as called at the second.
    called: Cell<Option<(Place, Place)>>,
    nodes: RefCell<Nodes<T>>,
    /// Where each parameter became a leaf: twice used is still one leaf.
    params: RefCell<BTreeMap<usize, NodeId>>,
    /// Made when the first [`Tape::var`] is: it tells the leaves of this tape from all others.
    identity: RefCell<Option<Arc<()>>>,
}

/// A line of source code.
type Place = &'static Location<'static>;

impl<T: Float> Tape<T> {
    /// A tape that records, for training.
    pub fn new() -> Self {
        Self::with_mode(true, true)
    }

    /// A tape that writes nothing and turns training behaviour (dropout, batch statistics) off.
    ///
    /// The same `forward` serves training and evaluation; there is no switch on the model to
    /// forget.
    pub fn inference() -> Self {
        Self::with_mode(false, false)
    }

    /// A tape that records while training behaviour is off: gradients of a model as it predicts.
    pub fn evaluation() -> Self {
        Self::with_mode(true, false)
    }

    /// The same tape, on which the first operation whose value or gradient is infinite or NaN is
    /// an error: it names the operation, the line of your program that called it, the shapes and
    /// the range of the inputs.
    ///
    /// Every value is read once more, so this is for finding a fault. A tape without it only asks
    /// whether it is on. Where infinities are meant, as −∞ in a mask, it finds those too.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_autograd::Tape;
    /// use macula_tensor::Tensor;
    ///
    /// let tape = Tape::new().detect_anomalies();
    /// let x = tape.var(Tensor::from([0.0_f32, 2.0]));
    /// let error = x.ln().unwrap_err().to_string();
    /// assert!(error.starts_with("ln: the value of shape [2] at "));
    /// assert!(error.ends_with("from [2] between 0 and 2, is not finite (-inf)"));
    /// ```
    pub fn detect_anomalies(self) -> Self {
        self.inner.detects.set(true);
        self
    }

    /// Whether values and gradients are looked at for numbers that are not finite.
    pub(crate) fn detects(&self) -> bool {
        self.inner.detects.get()
    }

    /// Runs `work` with the search for numbers that are not finite on or off.
    pub(crate) fn detecting<R>(&self, on: bool, work: impl FnOnce() -> R) -> R {
        let before = self.inner.detects.replace(on);
        let result = work();
        self.inner.detects.set(before);
        result
    }

    /// While what is returned lives, operations that are called where this is called stand on the
    /// tape as called at `place`.
    ///
    /// For containers of layers: a layer that is called through `dyn` does not see who called it,
    /// so the container says it. Operations that a layer calls in lines of its own keep those.
    #[track_caller]
    pub fn called_at(&self, place: &'static Location<'static>) -> CalledAt<'_, T> {
        let before = self.inner.called.replace(Some((Location::caller(), place)));
        CalledAt { tape: self, before }
    }

    /// The line that an operation called at `place` is told to stand in.
    pub fn place_of(&self, place: &'static Location<'static>) -> &'static Location<'static> {
        match self.inner.called.get() {
            Some((inside, outside)) if inside == place => outside,
            _ => place,
        }
    }

    pub(crate) fn with_mode(records: bool, trains: bool) -> Self {
        Self {
            inner: Rc::new(Inner {
                records,
                trains,
                consumed: Cell::new(false),
                detects: Cell::new(false),
                called: Cell::new(None),
                nodes: RefCell::default(),
                params: RefCell::new(BTreeMap::new()),
                identity: RefCell::new(None),
            }),
        }
    }

    /// Data: no gradient is computed toward it.
    pub fn constant(&self, value: impl Into<Tensor<T>>) -> Var<T> {
        Var::from_parts(value.into(), self.clone(), None)
    }

    /// A leaf: a variable whose gradient is wanted.
    #[track_caller]
    pub fn var(&self, value: impl Into<Tensor<T>>) -> Var<T> {
        let value = value.into();
        self.inner
            .identity
            .borrow_mut()
            .get_or_insert_with(|| Arc::new(()));
        let node = self.leaf("var", &value, Kind::Leaf, Location::caller());
        Var::from_parts(value, self.clone(), node)
    }

    /// A parameter as a variable of this pass; used twice it is still one leaf.
    ///
    /// A frozen parameter is a constant.
    #[track_caller]
    pub fn param(&self, param: &Param<T>) -> Var<T> {
        let value = param.value();
        if !self.inner.records || !param.is_trainable() {
            return self.constant(value);
        }
        let mut params = self.inner.params.borrow_mut();
        let node = match params.get(&param.id()) {
            Some(&node) => Some(node),
            None => {
                let kind = Kind::Param(param.clone());
                let node = self.leaf("param", &value, kind, Location::caller());
                if let Some(node) = node {
                    params.insert(param.id(), node);
                }
                node
            }
        };
        Var::from_parts(value, self.clone(), node)
    }

    fn leaf(
        &self,
        name: &'static str,
        value: &Tensor<T>,
        kind: Kind<T>,
        location: &'static Location<'static>,
    ) -> Option<NodeId> {
        self.inner.records.then(|| {
            let location = self.place_of(location);
            let mut nodes = self.inner.nodes.borrow_mut();
            let (inputs, kept) = (nodes.inputs.len(), nodes.kept.len());
            nodes.push(Node {
                name,
                location,
                shape: Sizes::from_slice(value.shape()),
                inputs,
                keep: Keep::Nothing,
                kept,
                kind,
            })
        })
    }

    /// The node of an operation, whose inputs have been found to be of this tape.
    pub(crate) fn operation(
        &self,
        (name, location): (&'static str, &'static Location<'static>),
        inputs: &[&Var<T>],
        value: &Tensor<T>,
        keep: Keep,
        rule: Box<Rule<T>>,
    ) -> NodeId {
        let mut nodes = self.inner.nodes.borrow_mut();
        let (first_input, first_kept) = (nodes.inputs.len(), nodes.kept.len());
        nodes.inputs.extend(inputs.iter().map(|input| input.node()));
        keep.store(inputs, value, &mut nodes.kept);
        nodes.push(Node {
            name,
            location,
            shape: Sizes::from_slice(value.shape()),
            inputs: first_input,
            keep,
            kept: first_kept,
            kind: Kind::Op(rule),
        })
    }

    /// Notes what the rule of an operation holds.
    pub(crate) fn note_held(&self, id: NodeId, memory: Memory) {
        self.inner.nodes.borrow_mut().held.push((id, memory));
    }

    /// Whether operations on this tape are recorded.
    pub fn records(&self) -> bool {
        self.inner.records
    }

    /// Whether layers behave as in training.
    pub fn trains(&self) -> bool {
        self.inner.trains
    }

    /// Number of operations and leaves recorded.
    pub fn len(&self) -> usize {
        self.inner.nodes.borrow().nodes.len()
    }

    /// Whether nothing has been recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether two handles are the same tape.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.inner, &other.inner)
    }

    /// Runs `work` while each of these parameters is the variable given.
    pub(crate) fn with_params<R>(
        &self,
        stand_ins: &[(Param<T>, NodeId)],
        work: impl FnOnce() -> R,
    ) -> R {
        let exchange = |nodes: Vec<Option<NodeId>>| -> Vec<Option<NodeId>> {
            let mut params = self.inner.params.borrow_mut();
            let exchanged = stand_ins
                .iter()
                .zip(nodes)
                .map(|((param, _), node)| match node {
                    Some(node) => params.insert(param.id(), node),
                    None => params.remove(&param.id()),
                });
            exchanged.collect()
        };
        let before = exchange(stand_ins.iter().map(|&(_, node)| Some(node)).collect());
        let result = work();
        exchange(before);
        result
    }

    /// The parameters that were used on this tape, in the order of their first use.
    pub(crate) fn params(&self) -> Vec<Param<T>> {
        let nodes = self.inner.nodes.borrow();
        let params = nodes.nodes.iter().filter_map(|node| match &node.kind {
            Kind::Param(param) => Some(param.clone()),
            _ => None,
        });
        params.collect()
    }

    /// What tells the leaves of this tape from those of every other.
    pub(crate) fn identity(&self) -> Option<Arc<()>> {
        self.inner.identity.borrow().clone()
    }

    /// Looks at the nodes.
    pub(crate) fn with_nodes<R>(&self, look: impl FnOnce(&Nodes<T>) -> R) -> R {
        look(&self.inner.nodes.borrow())
    }

    /// Takes an operation off the tape until it is given back; none if the node is a leaf.
    ///
    /// # Errors
    /// Its rule must not be running.
    pub(crate) fn lend(&self, id: NodeId) -> Result<Option<Lent<T>>> {
        let mut nodes = self.inner.nodes.borrow_mut();
        let kept = nodes.kept(id).iter().cloned().collect();
        let inputs = nodes.inputs(id).iter().copied().collect();
        let node = &mut nodes.nodes[id.index()];
        match std::mem::replace(&mut node.kind, Kind::Running) {
            Kind::Op(rule) => Ok(Some(Lent {
                name: node.name,
                location: node.location,
                inputs,
                keep: node.keep,
                kept,
                rule,
            })),
            Kind::Running => Err(runs_already(node.name)),
            leaf => {
                node.kind = leaf;
                Ok(None)
            }
        }
    }

    /// Puts a rule that was lent back in its place.
    pub(crate) fn give_back(&self, id: NodeId, rule: Box<Rule<T>>) {
        self.inner.nodes.borrow_mut().nodes[id.index()].kind = Kind::Op(rule);
    }

    /// Takes all nodes off the tape, which is used up by that.
    pub(crate) fn consume(&self) -> Nodes<T> {
        self.inner.consumed.set(true);
        self.inner.params.borrow_mut().clear();
        self.inner.nodes.take()
    }

    /// # Errors
    /// A tape whose nodes `backward` has taken cannot be recorded on.
    pub(crate) fn check_usable(&self, op: &'static str) -> Result<()> {
        if self.inner.consumed.get() {
            return Err(Error::Gradient {
                op,
                message: "backward has already used up this tape; start a new Tape for each step, \
                          or call grad, which keeps it"
                    .into(),
            });
        }
        Ok(())
    }
}

/// See [`Tape::called_at`].
#[must_use = "operations keep their own lines once this is dropped"]
pub struct CalledAt<'a, T: Float> {
    tape: &'a Tape<T>,
    before: Option<(Place, Place)>,
}

impl<T: Float> Drop for CalledAt<'_, T> {
    fn drop(&mut self) {
        self.tape.inner.called.set(self.before);
    }
}

impl<T: Float> fmt::Debug for CalledAt<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CalledAt({:?})", self.tape.inner.called.get())
    }
}

impl<T: Float> Default for Tape<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Float> fmt::Debug for Tape<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tape({} nodes)", self.len())
    }
}
