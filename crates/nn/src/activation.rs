//! Activations: layers without parameters, one formula each.
//!
//! Each is a formula for [`Var::map`] and a layer at once: `x.map(Silu)` and
//! `Sequential::new().then(Silu)` are the same. A formula of your own becomes a layer through
//! [`Map`].

use macula_autograd::Var;
use macula_tensor::{Float, Pointwise, Result, Scalar};

use crate::module::Module;

pub use macula_tensor::ops::pointwise::{Sigmoid, Softplus, Tanh};

/// max(x, 0), with slope 0 at 0.
#[derive(Clone, Copy, Debug)]
pub struct Relu;

impl<T: Float> Module<T> for Relu {
    #[track_caller]
    fn forward(&self, input: &Var<T>) -> Result<Var<T>> {
        input.relu()
    }
}

/// A formula as a layer.
///
/// # Example
///
/// ```
/// use macula_nn::{Module, activation::Map};
/// use macula_autograd::Tape;
/// use macula_tensor::{Pointwise, Scalar, Tensor};
///
/// #[derive(Clone, Copy, Debug)]
/// struct Cube;
///
/// impl Pointwise<1> for Cube {
///     const NAME: &'static str = "cube";
///     #[inline(always)]
///     fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
///         x * x * x
///     }
/// }
///
/// let y = Map(Cube).forward(&Tape::new().constant(Tensor::from([2.0_f32])))?;
/// assert_eq!(y.item()?, 8.0);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Map<F>(pub F);

impl<T: Float, F: Pointwise<1>> Module<T> for Map<F> {
    #[track_caller]
    fn forward(&self, input: &Var<T>) -> Result<Var<T>> {
        input.map(self.0)
    }
}

/// Makes layers of formulas.
macro_rules! layers {
    ($($Formula:ident),*) => {$(
        impl<T: Float> Module<T> for $Formula {
            #[track_caller]
            fn forward(&self, input: &Var<T>) -> Result<Var<T>> {
                input.map(*self)
            }
        }
    )*};
}

layers! { Sigmoid, Tanh, Softplus, Gelu, GeluTanh, Silu, Mish, LeakyRelu, Elu, Selu }

/// x · Φ(x) with the normal distribution function Φ(x) = (1 + erf(x/√2)) / 2.
///
/// # Numerics
/// For large negative x, 1 + erf cancels: the absolute error is 10⁻¹⁶ (10⁻⁷ in `f32`) times |x|,
/// but the relative one is not bounded.
///
/// # Source
/// D. Hendrycks and K. Gimpel, "Gaussian error linear units", 2016.
#[derive(Clone, Copy, Debug)]
pub struct Gelu;

impl Pointwise<1> for Gelu {
    const NAME: &'static str = "gelu";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        x * 0.5 * ((x * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0)
    }
}

/// x · σ(2u) with u = √(2/π) · (x + 0.044715·x³), the approximation of [`Gelu`] that is usually
/// written x/2 · (1 + tanh u).
///
/// # Numerics
/// (1 + tanh u) / 2 is σ(2u), which keeps its digits for large negative x.
///
/// # Source
/// D. Hendrycks and K. Gimpel, 2016, section 2.
#[derive(Clone, Copy, Debug)]
pub struct GeluTanh;

impl Pointwise<1> for GeluTanh {
    const NAME: &'static str = "gelu_tanh";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        // 2·√(2/π)
        let scale = std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::SQRT_2;
        x * ((x + x * x * x * 0.044715) * scale).sigmoid()
    }
}

/// x · σ(x), also called swish.
///
/// # Source
/// S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-weighted linear units", 2017.
#[derive(Clone, Copy, Debug)]
pub struct Silu;

impl Pointwise<1> for Silu {
    const NAME: &'static str = "silu";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        x * x.sigmoid()
    }
}

/// x · tanh(softplus(x)).
///
/// # Source
/// D. Misra, "Mish: a self regularized non-monotonic activation function", 2019.
#[derive(Clone, Copy, Debug)]
pub struct Mish;

impl Pointwise<1> for Mish {
    const NAME: &'static str = "mish";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        x * x.softplus().tanh()
    }
}

/// x for x > 0 and slope · x otherwise.
///
/// # Source
/// A. Maas, A. Hannun and A. Ng, "Rectifier nonlinearities improve neural network acoustic
/// models", 2013.
#[derive(Clone, Copy, Debug)]
pub struct LeakyRelu(
    /// The slope on the left, usually 0.01.
    pub f64,
);

impl Pointwise<1> for LeakyRelu {
    const NAME: &'static str = "leaky_relu";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        let positive = x.constant(0.0).less(x);
        S::select(positive, x, x * self.0)
    }
}

/// x for x > 0 and alpha · (e^x − 1) otherwise.
///
/// # Source
/// D.-A. Clevert, T. Unterthiner and S. Hochreiter, "Fast and accurate deep network learning by
/// exponential linear units", 2015, equation 15.
#[derive(Clone, Copy, Debug)]
pub struct Elu(
    /// How far down the curve goes, usually 1.
    pub f64,
);

impl Pointwise<1> for Elu {
    const NAME: &'static str = "elu";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        let zero = x.constant(0.0);
        // The side that is not taken is computed too: held at 0 it does not overflow.
        let left = S::select(zero.less(x), zero, x);
        S::select(zero.less(x), x, left.exp_m1() * self.0)
    }
}

/// λ · ELU(x) with the λ and α that keep mean 0 and variance 1 from layer to layer.
///
/// # Source
/// G. Klambauer, T. Unterthiner, A. Mayr and S. Hochreiter, "Self-normalizing neural networks",
/// 2017, equation 2; the constants solve its equations 4 and 5.
#[derive(Clone, Copy, Debug)]
pub struct Selu;

impl Pointwise<1> for Selu {
    const NAME: &'static str = "selu";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        const LAMBDA: f64 = 1.050_700_987_355_480_5;
        const ALPHA: f64 = 1.673_263_242_354_377_2;
        Elu(ALPHA).eval([x]) * LAMBDA
    }
}

#[cfg(test)]
mod tests {
    use macula_autograd::{Tape, check_gradients};
    use macula_tensor::Tensor;

    use super::*;

    /// Both sides of the kink, in memory by columns.
    fn strided() -> Tensor<f64> {
        let x = Tensor::from([[-3.0, -0.7], [0.2, 1.1], [4.0, -0.01]]);
        x.transpose(0, 1).unwrap()
    }

    #[test]
    fn gradients_of_first_and_second_order() {
        let layers: [(&'static str, Box<dyn Module<f64>>); 11] = [
            ("Relu", Box::new(Relu)),
            ("Sigmoid", Box::new(Sigmoid)),
            ("Tanh", Box::new(Tanh)),
            ("Softplus", Box::new(Softplus)),
            ("Gelu", Box::new(Gelu)),
            ("GeluTanh", Box::new(GeluTanh)),
            ("Silu", Box::new(Silu)),
            ("Mish", Box::new(Mish)),
            ("LeakyRelu", Box::new(LeakyRelu(0.1))),
            ("Elu", Box::new(Elu(0.5))),
            ("Selu", Box::new(Selu)),
        ];
        for (name, layer) in layers {
            check_gradients(name, &[strided()], |x| layer.forward(&x[0])).unwrap();
        }
    }

    #[test]
    fn gradients_stay_finite_where_the_other_side_would_overflow() {
        for layer in [&Elu(1.0) as &dyn Module, &Selu, &LeakyRelu(0.01), &Softplus] {
            let x = Tape::new().var(Tensor::from([-1e4, -100.0, 100.0, 1e4]));
            let total = layer.forward(&x).unwrap().sum(..).unwrap();
            let gradients = total.backward().unwrap();
            assert!(gradients.of(&x).unwrap().all_finite().unwrap());
        }
    }
}
