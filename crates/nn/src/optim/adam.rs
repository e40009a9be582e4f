//! Adam, with weight decay in the gradient or beside it.

use macula_autograd::Gradients;
use macula_tensor::{Float, Result, Scalar, Update};

use super::{Optimizer, Slots, check_below_one, check_not_negative};
use crate::module::Parameters;

/// Adam: steps scaled by running moments of the gradient; weight decay is added to the gradient.
///
/// # Source
/// D. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2014, algorithm 1.
///
/// See [`AdamWith`] for the formulas and settings.
pub type Adam<T = f32> = AdamWith<T, false>;

/// Adam with decoupled weight decay: the parameter shrinks by `learning_rate · weight_decay` of
/// itself, whatever its gradient.
///
/// # Source
/// I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", 2017, algorithm 2.
///
/// See [`AdamWith`] for the formulas and settings.
pub type AdamW<T = f32> = AdamWith<T, true>;

/// What [`Adam`] and [`AdamW`] are.
///
/// With g the gradient and (β₁, β₂) the `betas`, at step k:
///
/// m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g²,
/// θ ← θ − `learning_rate` · m̂ / (√v̂ + `eps`), where m̂ = m / (1 − β₁ᵏ), v̂ = v / (1 − β₂ᵏ).
///
/// Weight decay: Adam adds `weight_decay` · θ to g; AdamW first multiplies θ by
/// 1 − `learning_rate` · `weight_decay`. Steps are counted for each parameter on its own.
///
/// # Example
///
/// ```
/// use macula_autograd::{Param, Tape};
/// use macula_nn::Parameters;
/// use macula_nn::optim::{Adam, Optimizer};
/// use macula_tensor::Tensor;
///
/// let x = Param::new("x", Tensor::scalar(3.0_f64));
/// let parameters: Parameters<f64> = [("x".to_string(), x.clone())].into_iter().collect();
/// let mut optimizer = Adam::new(parameters).learning_rate(0.25);
/// let loss = Tape::new().param(&x).square()?;
/// optimizer.step(&loss.backward()?)?;
/// // The first step goes by the learning rate in the direction of the sign.
/// assert!((x.value().item()? - 2.75).abs() < 1e-8);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Debug)]
pub struct AdamWith<T: Float, const DECOUPLED: bool> {
    slots: Slots<T>,
    learning_rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    amsgrad: bool,
    maximize: bool,
}

impl<T: Float, const DECOUPLED: bool> AdamWith<T, DECOUPLED> {
    const NAME: &'static str = if DECOUPLED { "AdamW" } else { "Adam" };

    /// Learning rate 10⁻³, betas (0.9, 0.999), eps 10⁻⁸; weight decay 0 for Adam and 0.01 for
    /// AdamW.
    pub fn new(parameters: Parameters<T>) -> Self {
        Self {
            slots: Slots::new(Self::NAME, parameters),
            learning_rate: 1e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: if DECOUPLED { 0.01 } else { 0.0 },
            amsgrad: false,
            maximize: false,
        }
    }

    /// About how far an element moves in a step while its gradient keeps its sign.
    pub fn learning_rate(mut self, learning_rate: f64) -> Self {
        self.learning_rate = learning_rate;
        self
    }

    /// How much of the two moments is kept from step to step, each in [0, 1).
    pub fn betas(mut self, first: f64, second: f64) -> Self {
        self.betas = (first, second);
        self
    }

    /// What is added to the root of the second moment, against division by 0.
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// The strength of the pull towards 0.
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = weight_decay;
        self
    }

    /// Divides by the largest second moment so far instead of the present one.
    ///
    /// # Source
    /// S. Reddi, S. Kale and S. Kumar, "On the convergence of Adam and beyond", 2018,
    /// algorithm 2, with the bias correction of Adam applied to the maximum.
    pub fn amsgrad(mut self) -> Self {
        self.amsgrad = true;
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
}

impl<T: Float, const DECOUPLED: bool> Optimizer<T> for AdamWith<T, DECOUPLED> {
    fn step(&mut self, gradients: &Gradients<T>) -> Result<()> {
        let settings = [
            ("learning_rate", self.learning_rate),
            ("eps", self.eps),
            ("weight_decay", self.weight_decay),
        ];
        check_not_negative(Self::NAME, &settings)?;
        let (beta1, beta2) = self.betas;
        check_below_one(Self::NAME, &[("beta1", beta1), ("beta2", beta2)])?;
        let (learning_rate, decay) = (self.learning_rate, self.weight_decay);
        let (eps, maximize) = (self.eps, self.maximize);
        let moments = |step: u64| {
            let correction = |beta: f64| 1.0 - beta.powf(step as f64);
            Moments {
                shrink: if DECOUPLED {
                    1.0 - learning_rate * decay
                } else {
                    1.0
                },
                decay: if DECOUPLED { 0.0 } else { decay },
                sign: if maximize { -1.0 } else { 1.0 },
                beta1,
                beta2,
                eps,
                step_size: learning_rate / correction(beta1),
                root_scale: correction(beta2).sqrt().recip(),
            }
        };
        if self.amsgrad {
            self.slots.step(gradients, |step| Largest(moments(step)))
        } else {
            self.slots.step(gradients, moments)
        }
    }

    fn current_learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }
}

#[derive(Clone, Copy)]
struct Moments {
    /// What the parameter is multiplied by first.
    shrink: f64,
    /// The factor of the parameter that is added to its gradient.
    decay: f64,
    /// −1 to go uphill.
    sign: f64,
    beta1: f64,
    beta2: f64,
    eps: f64,
    /// learning rate / (1 − β₁ᵏ)
    step_size: f64,
    /// 1 / √(1 − β₂ᵏ)
    root_scale: f64,
}

impl Moments {
    /// The moments with a new gradient in them.
    #[inline(always)]
    fn updated<S: Scalar>(&self, [parameter, first, second]: [S; 3], gradient: S) -> [S; 2] {
        let mut gradient = gradient * self.sign;
        // Without decay a parameter that is infinite does not make its gradient NaN.
        if self.decay != 0.0 {
            gradient = parameter.mul_add(parameter.constant(self.decay), gradient);
        }
        let mixed = |old: S, beta: f64, new: S| old.mul_add(old.constant(beta), new * (1.0 - beta));
        [
            mixed(first, self.beta1, gradient),
            mixed(second, self.beta2, gradient * gradient),
        ]
    }

    /// The parameter after its step along `first`, scaled by the root of `second`.
    #[inline(always)]
    fn moved<S: Scalar>(&self, parameter: S, first: S, second: S) -> S {
        let root = second.sqrt().mul_add(
            parameter.constant(self.root_scale),
            parameter.constant(self.eps),
        );
        (parameter * self.shrink) - first * self.step_size / root
    }
}

impl Update<3> for Moments {
    #[inline(always)]
    fn eval<S: Scalar>(&self, state @ [parameter, ..]: [S; 3], gradient: S) -> [S; 3] {
        let [first, second] = self.updated(state, gradient);
        [self.moved(parameter, first, second), first, second]
    }
}

/// AMSGrad: the largest second moment so far is what counts.
#[derive(Clone, Copy)]
struct Largest(Moments);

impl Update<4> for Largest {
    #[inline(always)]
    fn eval<S: Scalar>(&self, [parameter, first, second, largest]: [S; 4], gradient: S) -> [S; 4] {
        let [first, second] = self.0.updated([parameter, first, second], gradient);
        let largest = largest.max(second);
        [
            self.0.moved(parameter, first, largest),
            first,
            second,
            largest,
        ]
    }
}
