//! What optimizers have in common: their parameters, what is remembered about each, and the
//! checks before a step.

use std::fmt;

use macula_autograd::{Gradients, Param};
use macula_tensor::shape::Sizes;
use macula_tensor::{Device, Error, Float, Result, Tensor, Update, update};

use crate::module::Parameters;

/// The parameters of an optimizer, with the buffers it keeps for each.
///
/// An optimizer is its settings and these slots; its step is a formula.
///
/// # Example
///
/// ```
/// use macula_autograd::{Gradients, Param, Tape};
/// use macula_nn::{Parameters, optim::Slots};
/// use macula_tensor::{Result, Scalar, Tensor, Update};
///
/// /// Lion, Chen et al. 2023: the sign of an interpolated momentum.
/// struct Lion {
///     slots: Slots,
///     learning_rate: f64,
/// }
///
/// #[derive(Clone, Copy)]
/// struct Rule {
///     learning_rate: f64,
/// }
///
/// impl Update<2> for Rule {
///     #[inline(always)]
///     fn eval<S: Scalar>(&self, [parameter, momentum]: [S; 2], gradient: S) -> [S; 2] {
///         let direction = (momentum * 0.9 + gradient * 0.1).signum();
///         [
///             parameter - direction * self.learning_rate,
///             momentum * 0.99 + gradient * 0.01,
///         ]
///     }
/// }
///
/// impl Lion {
///     fn step(&mut self, gradients: &Gradients) -> Result<()> {
///         let learning_rate = self.learning_rate;
///         self.slots.step(gradients, |_| Rule { learning_rate })
///     }
/// }
///
/// let weight = Param::new("weight", Tensor::from([1.0, 2.0]));
/// let parameters: Parameters = [("weight".to_string(), weight.clone())].into_iter().collect();
/// let mut lion = Lion { slots: Slots::new("Lion", parameters), learning_rate: 0.5 };
/// let loss = Tape::new().param(&weight).square()?.sum(..)?;
/// lion.step(&loss.backward()?)?;
/// assert_eq!(weight.value().to_vec()?, [0.5, 1.5]);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub struct Slots<T: Float = f32> {
    optimizer: &'static str,
    slots: Vec<Slot<T>>,
    /// Parameters without a gradient are left as they are instead of being an error.
    pub allow_missing_gradients: bool,
    /// Gradients that are infinite or NaN are applied instead of being an error.
    pub allow_non_finite_gradients: bool,
}

struct Slot<T: Float> {
    name: String,
    param: Param<T>,
    shape: Sizes,
    /// Steps this parameter has made.
    steps: u64,
    /// What the formula remembers, each as long as the parameter.
    buffers: Vec<Vec<T>>,
}

impl<T: Float> Slots<T> {
    /// Slots for parameters; `optimizer` is the name that error messages show.
    pub fn new(optimizer: &'static str, parameters: Parameters<T>) -> Self {
        let slot = |(name, param): (String, Param<T>)| Slot {
            name,
            shape: param.value().shape().into(),
            param,
            steps: 0,
            buffers: Vec::new(),
        };
        Self {
            optimizer,
            slots: parameters.into_iter().map(slot).collect(),
            allow_missing_gradients: false,
            allow_non_finite_gradients: false,
        }
    }

    /// Changes every parameter by `formula(k)`, where k = 1, 2, … counts the parameter's steps.
    ///
    /// The formula's first number is the parameter, its input the gradient; the others start at 0
    /// and are kept from step to step. Frozen parameters are passed over.
    ///
    /// # Errors
    /// [`Error::Gradient`] that names a parameter without a gradient or with one that is not
    /// finite, unless that is allowed. Nothing is changed then.
    pub fn step<F: Update<N>, const N: usize>(
        &mut self,
        gradients: &Gradients<T>,
        formula: impl Fn(u64) -> F,
    ) -> Result<()> {
        self.check(gradients)?;
        // Parameters mostly march in step, and a formula may cost powers of its decay rates.
        let mut latest: Option<(u64, F)> = None;
        for slot in &mut self.slots {
            let Some(gradient) = gradients
                .get(&slot.param)
                .filter(|_| slot.param.is_trainable())
            else {
                continue;
            };
            let gradient = gradient.contiguous()?;
            let gradient = gradient.as_slice().unwrap_or_default();
            slot.steps += 1;
            let formula = match &mut latest {
                Some((steps, formula)) if *steps == slot.steps => formula,
                other => &mut other.insert((slot.steps, formula(slot.steps))).1,
            };
            let buffers = &mut slot.buffers;
            buffers.resize_with(N - 1, || vec![T::ZERO; gradient.len()]);
            slot.param.update(|parameter| {
                let buffers = buffers.iter_mut().map(Vec::as_mut_slice);
                let mut state = std::iter::once(parameter).chain(buffers);
                let state = std::array::from_fn(|_| state.next().unwrap_or_default());
                update(formula, state, gradient)
            })??;
        }
        Ok(())
    }

    /// # Errors
    /// Whatever would stop a step half way, and gradients that are missing or not finite.
    fn check(&self, gradients: &Gradients<T>) -> Result<()> {
        for slot in self.slots.iter().filter(|slot| slot.param.is_trainable()) {
            let Some(gradient) = gradients.get(&slot.param) else {
                if self.allow_missing_gradients {
                    continue;
                }
                return Err(self.refusal(format!(
                    "no gradient for {:?}: the loss does not depend on it. Freeze it, leave it \
                     out of the optimizer, or allow missing gradients",
                    slot.name
                )));
            };
            if gradient.shape() != &slot.shape[..] {
                return Err(Error::Shape {
                    op: self.optimizer,
                    expected: format!("a gradient of shape {:?} for {:?}", slot.shape, slot.name),
                    found: gradient.shape().into(),
                });
            }
            if *gradient.device() != Device::Cpu {
                return Err(Error::Device {
                    op: self.optimizer,
                    device: gradient.device().to_string(),
                    message: format!("the gradient of {:?} must be on the cpu", slot.name),
                });
            }
            if !self.allow_non_finite_gradients && !gradient.all_finite()? {
                return Err(self.refusal(not_finite(&slot.name, gradient)?));
            }
        }
        Ok(())
    }

    fn refusal(&self, message: String) -> Error {
        Error::Gradient {
            op: self.optimizer,
            message,
        }
    }
}

/// Which elements of a gradient are infinite or NaN, in words.
fn not_finite<T: Float>(name: &str, gradient: &Tensor<T>) -> Result<String> {
    let elements = gradient.to_vec()?;
    let mut bad = elements.iter().enumerate().filter(|(_, x)| !x.is_finite());
    let first = bad
        .next()
        .map(|(index, x)| format!("{x} at element {index}"));
    Ok(format!(
        "the gradient of {name:?} is not finite: {} of its {} elements, the first is {}",
        1 + bad.count(),
        elements.len(),
        first.unwrap_or_default(),
    ))
}

impl<T: Float> fmt::Debug for Slots<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = self.slots.iter().map(|slot| (&slot.name, slot.steps));
        write!(f, "{} steps: ", self.optimizer)?;
        f.debug_map().entries(slots).finish()
    }
}
