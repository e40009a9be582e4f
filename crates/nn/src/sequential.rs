//! Layers one after the other.

use std::fmt;
use std::panic::Location;

use macula_autograd::Var;
use macula_tensor::{Float, Result};

use crate::module::{Module, Visitor};

/// A model that gives each layer's result to the next; its layers are named `0`, `1`, ….
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_nn::{Linear, Module, Sequential, activation::Relu};
/// use macula_tensor::{Rng, Tensor};
///
/// let mut rng = Rng::seed(7);
/// let model = Sequential::new()
///     .then(Linear::new(6, 64, &mut rng))
///     .then(Relu)
///     .then(Linear::new(64, 1, &mut rng));
/// let inputs = Tensor::<f32>::zeros([128, 6])?;
/// let logits = model.forward(&Tape::inference().constant(inputs))?;
/// assert_eq!(logits.shape(), [128, 1]);
/// assert!(model.parameters().get("2.bias").is_some());
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub struct Sequential<T: Float = f32> {
    layers: Vec<Box<dyn Layer<T>>>,
}

/// A layer that is told who calls it.
trait Layer<T: Float>: Send + Sync {
    fn forward_from(&self, place: &'static Location<'static>, input: &Var<T>) -> Result<Var<T>>;
    fn visit(&self, name: &str, visitor: &mut Visitor<'_, T>);
}

impl<T: Float, M: Module<T> + Send + Sync> Layer<T> for M {
    // Both calls hand on the same place, which is what makes the second a call from `place`.
    #[track_caller]
    fn forward_from(&self, place: &'static Location<'static>, input: &Var<T>) -> Result<Var<T>> {
        let _called = input.tape().called_at(place);
        self.forward(input)
    }

    fn visit(&self, name: &str, visitor: &mut Visitor<'_, T>) {
        visitor.child(name, self);
    }
}

impl<T: Float> Sequential<T> {
    /// A model without layers, which returns its input.
    pub fn new() -> Self {
        Self { layers: Vec::new() }
    }

    /// This model with one more layer at its end.
    pub fn then(mut self, layer: impl Module<T> + Send + Sync + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self
    }
}

impl<T: Float> Module<T> for Sequential<T> {
    #[track_caller]
    fn forward(&self, input: &Var<T>) -> Result<Var<T>> {
        let place = input.tape().place_of(Location::caller());
        let Some((first, others)) = self.layers.split_first() else {
            return Ok(input.clone());
        };
        let result = first.forward_from(place, input)?;
        others
            .iter()
            .try_fold(result, |result, layer| layer.forward_from(place, &result))
    }

    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        for (index, layer) in self.layers.iter().enumerate() {
            layer.visit(&index.to_string(), visitor);
        }
    }
}

impl<T: Float> Default for Sequential<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Float> fmt::Debug for Sequential<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Sequential({} layers, {:?})",
            self.layers.len(),
            self.parameters()
        )
    }
}

#[cfg(test)]
mod tests {
    use macula_autograd::Tape;
    use macula_tensor::{Rng, Tensor};

    use super::*;
    use crate::Linear;

    #[test]
    fn a_model_can_be_shared_between_threads() {
        fn shareable<M: Send + Sync>(_: &M) {}
        shareable(&Sequential::<f32>::new());
    }

    #[test]
    fn without_layers_the_input_comes_back() {
        let input = Tape::inference().constant(Tensor::from([1.0_f32, 2.0]));
        let output = Sequential::new().forward(&input).unwrap();
        assert_eq!(output.value().to_vec(), input.value().to_vec());
    }

    #[test]
    fn models_nest_and_their_names_with_them() {
        let mut rng = Rng::seed(7);
        let inner = Sequential::<f64>::new().then(Linear::new(2, 3, &mut rng).without_bias());
        let model = Sequential::new()
            .then(inner)
            .then(Linear::new(3, 1, &mut rng));
        assert_eq!(
            format!("{model:?}"),
            r#"Sequential(2 layers, {"0.0.weight": [3, 2], "1.weight": [1, 3], "1.bias": [1]})"#
        );
    }
}
