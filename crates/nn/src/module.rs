//! What a layer is, and how its parameters are found and named.

use std::fmt;

use macula_autograd::{Param, Var};
use macula_tensor::{Float, Result};

/// A layer or a model: a function of a variable, with parameters.
///
/// One `forward` serves training and evaluation; which of the two it is, the input's
/// [`Tape`](macula_autograd::Tape) says.
///
/// # Example
///
/// ```
/// use macula_autograd::{Tape, Var};
/// use macula_nn::{Linear, Module, Visitor};
/// use macula_tensor::{Result, Rng, Tensor};
///
/// /// x + W·x + b
/// struct Residual {
///     inner: Linear,
/// }
///
/// impl Module for Residual {
///     fn forward(&self, input: &Var) -> Result<Var> {
///         input.add(&self.inner.forward(input)?)
///     }
///
///     fn visit(&self, visitor: &mut Visitor<'_>) {
///         visitor.child("inner", &self.inner);
///     }
/// }
///
/// let model = Residual { inner: Linear::new(3, 3, &mut Rng::seed(7)) };
/// let names: Vec<_> = model.parameters().iter().map(|(name, _)| name.to_string()).collect();
/// assert_eq!(names, ["inner.weight", "inner.bias"]);
/// let y = model.forward(&Tape::new().constant(Tensor::zeros([2, 3])?))?;
/// assert_eq!(y.shape(), [2, 3]);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub trait Module<T: Float = f32> {
    /// The result for one input, on the input's tape.
    ///
    /// # Errors
    /// The input must have a shape that the layer takes.
    fn forward(&self, input: &Var<T>) -> Result<Var<T>>;

    /// Shows the visitor every parameter and every child under its name.
    ///
    /// A layer without parameters shows nothing.
    fn visit(&self, visitor: &mut Visitor<'_, T>) {
        let _ = visitor;
    }

    /// The parameters of this layer and of all below it, in the order of [`visit`](Self::visit).
    fn parameters(&self) -> Parameters<T> {
        let mut found = Parameters::default();
        self.visit(&mut Visitor {
            prefix: String::new(),
            found: &mut found,
        });
        found
    }
}

/// Goes through a model and gives every parameter its full name, as in `0.weight`.
pub struct Visitor<'a, T: Float = f32> {
    prefix: String,
    found: &'a mut Parameters<T>,
}

impl<T: Float> Visitor<'_, T> {
    /// Shows a parameter of the layer that is being visited.
    pub fn param(&mut self, name: &str, param: &Param<T>) {
        let name = format!("{}{name}", self.prefix);
        self.found.push(name, param.clone());
    }

    /// Shows a layer inside the layer that is being visited.
    pub fn child(&mut self, name: &str, child: &(impl Module<T> + ?Sized)) {
        child.visit(&mut Visitor {
            prefix: format!("{}{name}.", self.prefix),
            found: self.found,
        });
    }
}

/// Handles to the parameters of a model, each under its full name, in a fixed order.
///
/// A parameter that a model uses in two places is listed once, under the first name.
///
/// # Example
///
/// Parameters with settings of their own get an optimizer of their own:
///
/// ```
/// use macula_nn::{Linear, Module, Sequential, activation::Relu, optim::AdamW};
/// use macula_tensor::Rng;
///
/// let mut rng = Rng::seed(7);
/// let model = Sequential::<f32>::new()
///     .then(Linear::new(6, 64, &mut rng))
///     .then(Relu)
///     .then(Linear::new(64, 1, &mut rng));
/// let (weights, biases) = model.parameters().partition(|name| name.ends_with("weight"));
/// assert_eq!((weights.len(), biases.element_count()), (2, 65));
/// let decayed = AdamW::new(weights).weight_decay(0.1);
/// let undecayed = AdamW::new(biases).weight_decay(0.0);
/// ```
#[derive(Clone)]
pub struct Parameters<T: Float = f32> {
    named: Vec<(String, Param<T>)>,
}

impl<T: Float> Parameters<T> {
    fn push(&mut self, name: String, param: Param<T>) {
        if !self.named.iter().any(|(_, known)| known.is_same(&param)) {
            self.named.push((name, param));
        }
    }

    /// Number of parameters.
    pub fn len(&self) -> usize {
        self.named.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Number of elements of all parameters together.
    pub fn element_count(&self) -> usize {
        self.iter().map(|(_, param)| param.value().count()).sum()
    }

    /// Full names and parameters, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Param<T>)> {
        self.named
            .iter()
            .map(|(name, param)| (name.as_str(), param))
    }

    /// The parameter of a full name.
    pub fn get(&self, name: &str) -> Option<&Param<T>> {
        self.iter()
            .find_map(|(known, param)| (known == name).then_some(param))
    }

    /// The parameters whose names are wanted.
    pub fn filter(self, wanted: impl Fn(&str) -> bool) -> Self {
        self.partition(wanted).0
    }

    /// The parameters whose names are wanted, and the others.
    pub fn partition(self, wanted: impl Fn(&str) -> bool) -> (Self, Self) {
        let (wanted, others) = self.named.into_iter().partition(|(name, _)| wanted(name));
        (Self { named: wanted }, Self { named: others })
    }
}

impl<T: Float> Default for Parameters<T> {
    fn default() -> Self {
        Self { named: Vec::new() }
    }
}

impl<T: Float> IntoIterator for Parameters<T> {
    type Item = (String, Param<T>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.named.into_iter()
    }
}

impl<T: Float> FromIterator<(String, Param<T>)> for Parameters<T> {
    fn from_iter<I: IntoIterator<Item = (String, Param<T>)>>(named: I) -> Self {
        let mut parameters = Self::default();
        for (name, param) in named {
            parameters.push(name, param);
        }
        parameters
    }
}

impl<T: Float> fmt::Debug for Parameters<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shapes = self.iter().map(|(name, param)| (name, param.value()));
        f.debug_map()
            .entries(shapes.map(|(name, value)| (name, value.shape().to_vec())))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use macula_tensor::Tensor;

    use super::*;

    struct Tied {
        first: Param,
        second: Param,
    }

    impl Module for Tied {
        fn forward(&self, input: &Var) -> Result<Var> {
            Ok(input.clone())
        }

        fn visit(&self, visitor: &mut Visitor<'_>) {
            visitor.param("first", &self.first);
            visitor.param("second", &self.second);
        }
    }

    #[test]
    fn a_parameter_used_twice_is_listed_once() {
        let weight = Param::new("weight", Tensor::from([1.0_f32, 2.0]));
        let tied = Tied {
            first: weight.clone(),
            second: weight.clone(),
        };
        let parameters = tied.parameters();
        assert_eq!(format!("{parameters:?}"), r#"{"first": [2]}"#);
        assert!(parameters.get("first").unwrap().is_same(&weight));
        assert!(parameters.get("second").is_none());
    }

    #[test]
    fn filtering_keeps_order_and_names() {
        let make = |name: &str| (name.to_string(), Param::new(name, Tensor::from([0.0_f32])));
        let parameters: Parameters = ["c", "a", "b"].map(make).into_iter().collect();
        let kept = parameters.filter(|name| name != "a");
        let names: Vec<_> = kept.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["c", "b"]);
    }
}
