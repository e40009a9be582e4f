//! Stochastic gradient descent.

use macula_autograd::Gradients;
use macula_tensor::{Error, Float, Result, Scalar, Update};

use super::{Optimizer, Slots, check_not_negative};
use crate::module::Parameters;

/// Stochastic gradient descent with momentum.
///
/// With g the gradient plus `weight_decay` · θ, at step k:
///
/// b₁ = g, bₖ = `momentum` · bₖ₋₁ + (1 − `dampening`) · g, θ ← θ − `learning_rate` · bₖ;
/// with `nesterov` θ ← θ − `learning_rate` · (g + `momentum` · bₖ).
///
/// # Source
/// I. Sutskever, J. Martens, G. Dahl and G. Hinton, "On the importance of initialization and
/// momentum in deep learning", 2013; the learning rate stands outside the momentum, so that
/// changing it acts at once.
///
/// # Example
///
/// ```
/// use macula_autograd::{Param, Tape};
/// use macula_nn::Parameters;
/// use macula_nn::optim::{Optimizer, Sgd};
/// use macula_tensor::Tensor;
///
/// let x = Param::new("x", Tensor::scalar(3.0_f32));
/// let parameters: Parameters = [("x".to_string(), x.clone())].into_iter().collect();
/// let mut optimizer = Sgd::new(parameters).learning_rate(0.25);
/// let loss = Tape::new().param(&x).square()?;
/// optimizer.step(&loss.backward()?)?;
/// assert_eq!(x.value().item()?, 1.5);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Debug)]
pub struct Sgd<T: Float = f32> {
    slots: Slots<T>,
    learning_rate: f64,
    momentum: f64,
    dampening: f64,
    weight_decay: f64,
    nesterov: bool,
    maximize: bool,
}

impl<T: Float> Sgd<T> {
    /// Learning rate 10⁻³ a step, everything else off.
    pub fn new(parameters: Parameters<T>) -> Self {
        Self {
            slots: Slots::new("Sgd", parameters),
            learning_rate: 1e-3,
            momentum: 0.0,
            dampening: 0.0,
            weight_decay: 0.0,
            nesterov: false,
            maximize: false,
        }
    }

    /// How far a step goes along the gradient.
    pub fn learning_rate(mut self, learning_rate: f64) -> Self {
        self.learning_rate = learning_rate;
        self
    }

    /// How much of the previous direction is kept; 0 is off.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// How much of each new gradient is left out of the momentum, from the second step on.
    pub fn dampening(mut self, dampening: f64) -> Self {
        self.dampening = dampening;
        self
    }

    /// The factor of the parameter that is added to its gradient.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }

    /// Momentum that looks one step ahead; needs momentum and no dampening.
    pub fn nesterov(mut self) -> Self {
        self.nesterov = true;
        self
    }

    /// Steps uphill instead of downhill.
    pub fn maximize(mut self) -> Self {
        self.maximize = true;
        self
    }

    /// Leaves parameters without a gradient as they are.
    pub fn allow_missing_gradients(mut self) -> Self {
        self.slots.allow_missing_gradients = true;
        self
    }

    /// Applies gradients even where they are infinite or NaN.
    pub fn allow_non_finite_gradients(mut self) -> Self {
        self.slots.allow_non_finite_gradients = true;
        self
    }

    fn check_settings(&self) -> Result<()> {
        let settings = [
            ("learning_rate", self.learning_rate),
            ("momentum", self.momentum),
            ("dampening", self.dampening),
            ("weight_decay", self.weight_decay),
        ];
        check_not_negative("Sgd", &settings)?;
        if self.nesterov && (self.momentum == 0.0 || self.dampening != 0.0) {
            return Err(Error::Argument {
                op: "Sgd",
                argument: "nesterov",
                expected: "with a momentum above 0 and without dampening".into(),
                found: format!("momentum {}, dampening {}", self.momentum, self.dampening),
            });
        }
        Ok(())
    }
}

impl<T: Float> Optimizer<T> for Sgd<T> {
    fn step(&mut self, gradients: &Gradients<T>) -> Result<()> {
        self.check_settings()?;
        let plain = Plain {
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            sign: if self.maximize { -1.0 } else { 1.0 },
        };
        if self.momentum == 0.0 {
            return self.slots.step(gradients, |_| plain);
        }
        let (momentum, dampening, nesterov) = (self.momentum, self.dampening, self.nesterov);
        self.slots.step(gradients, |step| Momentum {
            plain,
            momentum,
            share: if step == 1 { 1.0 } else { 1.0 - dampening },
            nesterov,
        })
    }

    fn current_learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }
}

#[derive(Clone, Copy)]
struct Plain {
    learning_rate: f64,
    weight_decay: f64,
    /// −1 to go uphill.
    sign: f64,
}

impl Plain {
    /// The gradient to go down, with the weight decay in it.
    #[inline(always)]
    fn decayed<S: Scalar>(&self, parameter: S, gradient: S) -> S {
        let gradient = gradient * self.sign;
        // Without decay a parameter that is infinite does not make its gradient NaN.
        if self.weight_decay == 0.0 {
            gradient
        } else {
            parameter.mul_add(parameter.constant(self.weight_decay), gradient)
        }
    }

    #[inline(always)]
    fn moved<S: Scalar>(&self, parameter: S, direction: S) -> S {
        direction.mul_add(parameter.constant(-self.learning_rate), parameter)
    }
}

impl Update<1> for Plain {
    #[inline(always)]
    fn eval<S: Scalar>(&self, [parameter]: [S; 1], gradient: S) -> [S; 1] {
        [self.moved(parameter, self.decayed(parameter, gradient))]
    }
}

#[derive(Clone, Copy)]
struct Momentum {
    plain: Plain,
    momentum: f64,
    /// The share of the new gradient.
    share: f64,
    nesterov: bool,
}

impl Update<2> for Momentum {
    #[inline(always)]
    fn eval<S: Scalar>(&self, [parameter, buffer]: [S; 2], gradient: S) -> [S; 2] {
        let gradient = self.plain.decayed(parameter, gradient);
        let momentum = parameter.constant(self.momentum);
        // At the first step the buffer is 0, so it becomes the gradient.
        let buffer = buffer.mul_add(momentum, gradient * self.share);
        let direction = match self.nesterov {
            true => buffer.mul_add(momentum, gradient),
            false => buffer,
        };
        [self.plain.moved(parameter, direction), buffer]
    }
}
