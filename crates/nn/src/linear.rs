//! The fully connected layer.

use macula_autograd::{Param, Var};
use macula_tensor::{Error, Float, Result, Rng, Tensor};

use crate::init;
use crate::module::{Module, Visitor};

/// A linear map with a bias: y = x · Wᵀ + b.
///
/// The weight `[out, in]` and the bias `[out]` start uniform within ±1/√in;
/// [`with_init`](Self::with_init) draws another weight.
///
/// # Shapes
/// `[…, in]` → `[…, out]`.
///
/// # Errors
/// What is wrong with the way a layer was made (a prior outside (0, 1), a weight larger than
/// memory) is told by its first `forward`, so that layers can be chained without handling errors.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_nn::{Linear, Module};
/// use macula_tensor::{Rng, Tensor};
///
/// let layer = Linear::new(3, 1, &mut Rng::seed(7)).with_prior(0.2);
/// let logit = layer.forward(&Tape::new().constant(Tensor::from([[0.0, 0.0, 0.0]])))?;
/// let probability = 1.0 / (1.0 + (-logit.item()?).exp());
/// assert!((probability - 0.2).abs() < 1e-7);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Linear<T: Float = f32> {
    weight: Param<T>,
    bias: Option<Param<T>>,
    /// The first thing that was wrong with how the layer was made.
    defect: Option<Error>,
}

impl<T: Float> Linear<T> {
    /// A layer from `inputs` to `outputs` features.
    pub fn new(inputs: usize, outputs: usize, rng: &mut Rng) -> Self {
        let mut defect = None;
        let shape = [outputs, inputs];
        let weight = made(init::fan_in_uniform(&shape, rng), &mut defect);
        let bound = 1.0 / (init::fans(&shape).0 as f64).sqrt();
        let bias = made(init::uniform(&[outputs], bound, rng), &mut defect);
        let nothing = || Tensor::from(Vec::new());
        Self {
            weight: Param::new("weight", weight.unwrap_or_else(nothing)),
            bias: Some(Param::new("bias", bias.unwrap_or_else(nothing))),
            defect,
        }
    }

    /// The layer without a bias: y = x · Wᵀ.
    pub fn without_bias(mut self) -> Self {
        self.bias = None;
        self
    }

    /// The layer with its weight drawn by a function of [`init`](mod@crate::init), or one of your own.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_nn::{Linear, init};
    /// use macula_tensor::Rng;
    ///
    /// let mut rng = Rng::seed(7);
    /// let layer = Linear::<f32>::new(6, 64, &mut rng).with_init(init::he_normal, &mut rng);
    /// assert_eq!(layer.weight().value().shape(), [64, 6]);
    /// ```
    pub fn with_init(
        mut self,
        init: impl FnOnce(&[usize], &mut Rng) -> Result<Tensor<T>>,
        rng: &mut Rng,
    ) -> Self {
        let shape = self.weight.value();
        let set = init(shape.shape(), rng).and_then(|weight| self.weight.set(weight));
        made(set, &mut self.defect);
        self
    }

    /// The layer with every bias at −ln((1 − π) / π), so that with inputs of 0 it predicts the
    /// probability π.
    ///
    /// At the start a classifier then errs as much as one that knows how rare its class is,
    /// instead of spending its first steps, and with many negatives its stability, on learning
    /// that.
    ///
    /// # Errors
    /// π must lie inside (0, 1), and the layer have a bias; `forward` says so otherwise.
    ///
    /// # Source
    /// T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollár, "Focal loss for dense object
    /// detection", 2017, section 4.1.
    pub fn with_prior(mut self, prior: f64) -> Self {
        let set = self.set_prior(prior);
        made(set, &mut self.defect);
        self
    }

    fn set_prior(&self, prior: f64) -> Result<()> {
        let refuse = |argument, expected: &str, found: String| {
            Err(Error::Argument {
                op: "Linear::with_prior",
                argument,
                expected: expected.into(),
                found,
            })
        };
        let Some(bias) = &self.bias else {
            return refuse("bias", "there to hold the prior", "none".into());
        };
        if !(prior > 0.0 && prior < 1.0) {
            return refuse("prior", "inside (0, 1)", prior.to_string());
        }
        // ln(1 − π) through ln_1p: 1 − π would lose the digits of a small π.
        let logit = prior.ln() - (-prior).ln_1p();
        bias.set(Tensor::full(bias.value().shape(), T::from_f64(logit))?)
    }

    /// The weight, `[out, in]`.
    pub fn weight(&self) -> &Param<T> {
        &self.weight
    }

    /// The bias, `[out]`, if there is one.
    pub fn bias(&self) -> Option<&Param<T>> {
        self.bias.as_ref()
    }
}

/// What was made; where that failed, nothing, and the first failure is the defect.
fn made<R>(result: Result<R>, defect: &mut Option<Error>) -> Option<R> {
    result.map_err(|error| defect.get_or_insert(error)).ok()
}

impl<T: Float> Module<T> for Linear<T> {
    #[track_caller]
    fn forward(&self, input: &Var<T>) -> Result<Var<T>> {
        if let Some(defect) = &self.defect {
            return Err(defect.clone());
        }
        let tape = input.tape();
        let weight = tape.param(&self.weight);
        match &self.bias {
            Some(bias) => input.linear(&weight, Some(&tape.param(bias))),
            None => input.linear(&weight, None),
        }
    }

    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        visitor.param("weight", &self.weight);
        if let Some(bias) = &self.bias {
            visitor.param("bias", bias);
        }
    }
}

#[cfg(test)]
mod tests {
    use macula_autograd::{Tape, check_gradients};

    use super::*;

    fn told(layer: Linear<f64>) -> String {
        let input = Tape::new().constant(Tensor::zeros([1, 2]).unwrap());
        layer.forward(&input).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn forward_is_the_product_with_the_transposed_weight_plus_the_bias() {
        let layer = Linear::new(2, 3, &mut Rng::seed(7));
        let weight = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        layer.weight().set(weight).unwrap();
        layer
            .bias()
            .unwrap()
            .set(Tensor::from([0.0, 0.0, 0.5]))
            .unwrap();
        let input = Tape::new().constant(Tensor::from([[1.0_f32, 10.0]]));
        let output = layer.forward(&input).unwrap();
        assert_eq!(output.value().to_vec().unwrap(), [21.0, 43.0, 65.5]);
    }

    #[test]
    fn first_values_lie_within_one_over_the_root_of_fan_in() {
        let layer = Linear::<f64>::new(16, 100, &mut Rng::seed(7));
        let weight = layer.weight().value().to_vec().unwrap();
        let bias = layer.bias().unwrap().value().to_vec().unwrap();
        for values in [weight, bias] {
            let largest = values
                .iter()
                .fold(0.0_f64, |largest, x| largest.max(x.abs()));
            // All of 100 values below 0.9 of the bound have a probability of 3·10⁻⁵.
            assert!(largest <= 0.25 && largest > 0.225);
        }
    }

    #[test]
    fn a_prior_is_the_logit_of_the_probability() {
        // Reference values of −ln((1 − π)/π), to 15 digits.
        for (prior, expected) in [
            (0.01, -4.595_119_850_134_59),
            (0.05, -2.944_438_979_166_44),
            (0.5, 0.0),
        ] {
            let layer = Linear::<f64>::new(2, 3, &mut Rng::seed(7)).with_prior(prior);
            for bias in layer.bias().unwrap().value().to_vec().unwrap() {
                assert!((bias - expected).abs() < 1e-14, "{bias} {expected}");
            }
        }
    }

    #[test]
    fn a_prior_without_meaning_is_told_by_forward() {
        let layer = || Linear::new(2, 1, &mut Rng::seed(7));
        for prior in [0.0, 1.0, -0.1, f64::NAN] {
            assert_eq!(
                told(layer().with_prior(prior)),
                format!("Linear::with_prior: prior must be inside (0, 1), found {prior}")
            );
        }
        assert_eq!(
            told(layer().without_bias().with_prior(0.1)),
            "Linear::with_prior: bias must be there to hold the prior, found none"
        );
    }

    #[test]
    fn a_weight_larger_than_memory_is_told_by_forward() {
        let layer = Linear::new(usize::MAX, 2, &mut Rng::seed(7));
        assert!(told(layer).contains("more elements than memory"));
    }

    #[test]
    fn an_init_of_another_shape_is_told_by_forward() {
        let mut rng = Rng::seed(7);
        let layer = Linear::new(2, 3, &mut rng);
        let layer = layer.with_init(|_, _| Tensor::zeros([2, 3]), &mut rng);
        assert!(told(layer).contains("expected shape [3, 2]"));
    }

    #[test]
    fn gradients_reach_weight_and_bias() {
        let layer = Linear::<f64>::new(2, 3, &mut Rng::seed(7));
        let tape = Tape::new();
        let x = tape.constant(Tensor::from([[1.0, 2.0], [30.0, 40.0]]));
        let loss = layer.forward(&x).unwrap().sum(..).unwrap();
        let gradients = loss.backward().unwrap();
        let of = |param| gradients.get(param).unwrap().to_vec().unwrap();
        assert_eq!(of(layer.weight()), [31.0, 42.0, 31.0, 42.0, 31.0, 42.0]);
        assert_eq!(of(layer.bias().unwrap()), [2.0, 2.0, 2.0]);
    }

    #[test]
    fn gradients_reach_the_input_at_every_order() {
        let layer = Linear::<f64>::new(3, 2, &mut Rng::seed(7));
        let x = Tensor::from([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
            .transpose(0, 1)
            .unwrap();
        check_gradients("Linear", &[x], |inputs| layer.forward(&inputs[0])?.square()).unwrap();
    }
}
