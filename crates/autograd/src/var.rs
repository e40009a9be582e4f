//! `Var`: a tensor with, if it can have a gradient, its place on a tape.

use std::fmt;
use std::panic::Location;

use macula_tensor::{Element, Error, Float, Result, Tensor};

use crate::anomaly;
use crate::node::{HandOn, Memory, NodeId};
use crate::saved::{Keep, Saved};
use crate::tape::Tape;

/// A tensor in a pass: data, a leaf, or the result of an operation.
///
/// Operations are methods. One whose inputs are all constants is computed and not recorded.
#[derive(Clone)]
pub struct Var<T: Float = f32> {
    value: Tensor<T>,
    tape: Tape<T>,
    node: Option<NodeId>,
}

impl<T: Float> Var<T> {
    pub(crate) fn from_parts(value: Tensor<T>, tape: Tape<T>, node: Option<NodeId>) -> Self {
        Self { value, tape, node }
    }

    /// The elements.
    pub fn value(&self) -> &Tensor<T> {
        &self.value
    }

    /// The elements, taken out.
    pub fn into_value(self) -> Tensor<T> {
        self.value
    }

    /// Sizes along the axes.
    pub fn shape(&self) -> &[usize] {
        self.value.shape()
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.value.rank()
    }

    /// The one element of a variable that has exactly one, as `f64`.
    ///
    /// # Errors
    /// The variable must have one element.
    pub fn item(&self) -> Result<f64> {
        Ok(self.value.item()?.to_f64())
    }

    /// The tape this variable belongs to.
    pub fn tape(&self) -> &Tape<T> {
        &self.tape
    }

    /// The place on the tape; none for data.
    pub(crate) fn node(&self) -> Option<NodeId> {
        self.node
    }

    /// Whether a gradient can flow to this variable.
    pub fn has_gradient(&self) -> bool {
        self.node.is_some()
    }

    /// The same elements as data: no gradient flows past this point.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_autograd::Tape;
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tape::new().var(Tensor::scalar(3.0_f32));
    /// // The slope of c·x where c happens to be x.
    /// let gradients = x.detach().mul(&x)?.backward()?;
    /// assert_eq!(gradients.of(&x)?.item()?, 3.0);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "stop_gradient")]
    pub fn detach(&self) -> Self {
        self.tape.constant(self.value.clone())
    }

    /// Records an operation: the door through which every operation reaches the tape, macula's own
    /// and yours.
    ///
    /// `value` is the result, `keep` says which values stay alive for the way back, and `rule`
    /// turns the upstream gradient ∂L/∂value into the gradient ∂L/∂input for each input, or `None`
    /// where there is none. Rules are written with `Var` operations, so they can be
    /// differentiated again. They need not mention broadcasting: the sweep sums each gradient back
    /// to its input's shape.
    ///
    /// A rule may capture sizes, axes and index tensors, but no `Var` and no `Tape`; that does not
    /// compile, because they are not `Send`, and so a tape never holds itself alive. What it captures
    /// lives as long as what `keep` names; say so with [`Var::holding`].
    ///
    /// # Errors
    /// All inputs must be of one tape, which `backward` has not used up.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_autograd::{Keep, Tape, Var};
    /// use macula_tensor::{Result, Tensor};
    ///
    /// /// x² with the rule 2x · upstream.
    /// fn square(x: &Var) -> Result<Var> {
    ///     let value = x.value().mul(x.value())?;
    ///     Var::record("square", [x], value, Keep::Inputs, |upstream, saved| {
    ///         Ok([Some(upstream.mul(&saved.input(0)?)?.mul_scalar(2.0)?)])
    ///     })
    /// }
    ///
    /// let x = Tape::new().var(Tensor::scalar(3.0));
    /// let slope = square(&x)?.grad(&[&x])?.remove(0);
    /// let curvature = slope.grad(&[&x])?.remove(0);
    /// assert_eq!((slope.item()?, curvature.item()?), (6.0, 2.0));
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[track_caller]
    pub fn record<const N: usize>(
        name: &'static str,
        inputs: [&Self; N],
        value: Tensor<T>,
        keep: Keep,
        rule: impl Fn(&Self, &Saved<T>) -> Result<[Option<Self>; N]> + Send + 'static,
    ) -> Result<Self> {
        let rule = move |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            // By reference: what a rule returns is large, and moving it takes longer than many a
            // rule does.
            match &mut rule(&upstream, saved) {
                Ok(gradients) => {
                    for (index, gradient) in gradients.iter_mut().enumerate() {
                        if let Some(gradient) = gradient.take() {
                            hand_on(index, gradient)?;
                        }
                    }
                    Ok(())
                }
                Err(error) => Err(error.clone()),
            }
        };
        Self::record_any(name, &inputs, value, keep, rule)
    }

    /// The same variable, the rule of whose operation has captured this tensor: [`Tape::listing`]
    /// counts it with what the operation keeps.
    ///
    /// Nobody can look into a rule, so whoever records an operation says what it holds. Nothing but
    /// the listing asks.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_autograd::{Keep, Tape, Var};
    /// use macula_tensor::{Result, Tensor};
    ///
    /// /// The elements where the mask holds, 0 elsewhere.
    /// fn where_it_holds(x: &Var, mask: &Tensor<bool>) -> Result<Var> {
    ///     let unused = mask.not()?;
    ///     let value = x.value().masked_fill(&unused, 0.0)?;
    ///     let captured = unused.clone();
    ///     let result = Var::record("where_it_holds", [x], value, Keep::Nothing, move |upstream, _| {
    ///         Ok([Some(upstream.masked_fill(&captured, 0.0)?)])
    ///     })?;
    ///     Ok(result.holding(&unused))
    /// }
    ///
    /// let tape = Tape::new();
    /// where_it_holds(&tape.var([1.0, 2.0, 3.0]), &Tensor::from([true, false, true]))?;
    /// assert_eq!(tape.listing().total(), 3);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn holding<E: Element>(self, captured: &Tensor<E>) -> Self {
        if let Some(node) = self.node {
            self.tape.note_held(node, Memory::of(captured));
        }
        self
    }

    /// [`Var::record`] for a number of inputs known at run time, or for a rule that makes the last
    /// gradient of the upstream gradient itself: it is handed over, and each gradient is handed on
    /// with the number of its input.
    ///
    /// # Errors
    /// There must be at least one input, and all be of one tape, which `backward` has not used up.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_autograd::{Keep, Tape, Var};
    /// use macula_tensor::{Result, Tensor};
    ///
    /// /// The sum of any number of variables of one shape.
    /// fn total(terms: &[&Var]) -> Result<Var> {
    ///     let zero: Tensor = Tensor::zeros(terms[0].shape())?;
    ///     let value = terms.iter().try_fold(zero, |sum, term| sum.add(term.value()))?;
    ///     let count = terms.len();
    ///     Var::record_any("total", terms, value, Keep::Nothing, move |upstream, _, hand_on| {
    ///         (0..count).try_for_each(|term| hand_on(term, upstream.clone()))
    ///     })
    /// }
    ///
    /// let x = Tape::new().var(Tensor::scalar(3.0));
    /// let y = total(&[&x, &x, &x.square()?])?;
    /// assert_eq!(y.backward()?.of(&x)?.item()?, 8.0);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[track_caller]
    pub fn record_any(
        name: &'static str,
        inputs: &[&Self],
        value: Tensor<T>,
        keep: Keep,
        rule: impl Fn(Self, &Saved<T>, &mut HandOn<'_, T>) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let tape = Self::common_tape(name, inputs)?;
        let place = (name, tape.place_of(Location::caller()));
        if tape.detects() {
            anomaly::check_value(place, inputs, &value)?;
        }
        let is_data = inputs.iter().all(|input| input.node.is_none());
        let node = (!is_data).then(|| tape.operation(place, inputs, &value, keep, Box::new(rule)));
        Ok(Self::from_parts(value, tape.clone(), node))
    }

    /// The tape of all inputs, on which an operation can be recorded.
    fn common_tape<'a>(name: &'static str, inputs: &[&'a Self]) -> Result<&'a Tape<T>> {
        let Some((first, others)) = inputs.split_first() else {
            return Err(Error::Gradient {
                op: name,
                message: "an operation needs at least one input to know its tape".into(),
            });
        };
        first.tape.check_usable(name)?;
        match others.iter().all(|other| other.tape.is_same(&first.tape)) {
            true => Ok(&first.tape),
            false => Err(two_tapes(name)),
        }
    }

    /// This variable in another shape; itself where it has that shape.
    pub(crate) fn in_shape(&self, shape: &[usize]) -> Result<Self> {
        match self.shape() == shape {
            true => Ok(self.clone()),
            false => self.reshape(shape),
        }
    }

    /// Adds another gradient to this one; in its own memory, if it is data that nobody shares.
    pub(crate) fn accumulate(&mut self, other: &Self) -> Result<()> {
        if self.node.is_none() && other.node.is_none() {
            self.value.add_assign(&other.value)
        } else {
            *self = self.add(other)?;
            Ok(())
        }
    }

    /// constant · this; in its own memory, if it is data that nobody shares.
    #[track_caller]
    pub(crate) fn scaled(mut self, constant: f64) -> Result<Self> {
        if self.node.is_none() {
            self.value.scale(constant)?;
            Ok(self)
        } else {
            self.mul_scalar(constant)
        }
    }

    /// The elements of data, for a change in place.
    pub(crate) fn value_mut(&mut self) -> &mut Tensor<T> {
        debug_assert!(self.node.is_none(), "what is recorded does not change");
        &mut self.value
    }
}

#[cold]
pub(crate) fn two_tapes(op: &'static str) -> Error {
    Error::Gradient {
        op,
        message:
            "the variables belong to two different tapes; make those of one pass from one Tape"
                .into(),
    }
}

impl<T: Float> fmt::Debug for Var<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Var({:?}, node {:?})", self.shape(), self.node)
    }
}
