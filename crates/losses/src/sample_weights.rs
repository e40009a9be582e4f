//! Weights that the caller gives to elements, rows or samples.

use macula_autograd::Var;
use macula_tensor::{Device, Error, Float, Result, Tensor};

use crate::checks::{check_shape, every};
use crate::reduction::{Reduction, Tally};

/// Sample weights, checked and in row-major order.
///
/// # Errors
/// They must have the shape of the targets and be finite and not negative.
pub(crate) fn check_sample_weights<T: Float>(
    op: &'static str,
    weights: &Tensor<T>,
    shape: &[usize],
) -> Result<Tensor<T>> {
    check_shape(op, "sample weights", shape, weights.shape())?;
    let weights = weights.to(&Device::Cpu)?.contiguous()?;
    let elements = weights.as_slice().unwrap_or_default();
    let valid = |&w: &T| w >= T::ZERO && w < T::from_f64(f64::INFINITY);
    if every(elements, valid) {
        return Ok(weights);
    }
    let row = elements.iter().position(|w| !valid(w)).unwrap_or(0);
    Err(Error::Argument {
        op,
        argument: "sample weights",
        expected: "finite and not negative".into(),
        found: format!("{} at element {row}", elements[row]),
    })
}

/// The weights of a loss that is composed of ordinary operations, if it was given any.
///
/// What has weight 0 contributes exactly 0 to loss and gradient, whatever it holds, as in the fused
/// drivers: its inputs are replaced before, and its loss is multiplied after.
pub(crate) struct SampleWeights<T: Float> {
    op: &'static str,
    weights: Option<Tensor<T>>,
    /// Where weights are 0; none if they are so nowhere.
    absent: Option<Tensor<bool>>,
}

impl<T: Float> SampleWeights<T> {
    /// # Errors
    /// Weights must have the shape of the targets and be finite and not negative.
    pub(crate) fn new(
        op: &'static str,
        weights: Option<&Tensor<T>>,
        shape: &[usize],
    ) -> Result<Self> {
        let check = |weights| check_sample_weights(op, weights, shape);
        let weights = weights.map(check).transpose()?;
        let mut absent = None;
        if let Some(weights) = &weights {
            let is_zero = |w: &T| *w == T::ZERO;
            if weights.as_slice().unwrap_or_default().iter().any(is_zero) {
                absent = Some(weights.eq(&Tensor::scalar(T::ZERO))?);
            }
        }
        Ok(Self {
            op,
            weights,
            absent,
        })
    }

    /// An input whose first axes are those of the weights, with `number` in the place of what does
    /// not count; the loss of that number must be finite.
    pub(crate) fn replace(&self, input: &Var<T>, number: f64) -> Result<Var<T>> {
        match &self.absent {
            None => Ok(input.clone()),
            Some(absent) => {
                input.masked_fill(&absent.reshape(first_axes(absent.shape(), input))?, number)
            }
        }
    }

    /// The losses times their weights, reduced; their first axes are those of the weights.
    #[track_caller]
    pub(crate) fn reduce(
        &self,
        reduction: Reduction,
        losses: &Var<T>,
        positives: impl FnOnce() -> Result<usize>,
    ) -> Result<Var<T>> {
        let count = losses.value().count();
        let (mut losses, mut weight) = (losses.clone(), count as f64);
        if let Some(weights) = &self.weights {
            let elements = weights.as_slice().unwrap_or_default();
            let losses_of_each = (count / elements.len().max(1)) as f64;
            weight = elements.iter().map(|w| w.to_f64()).sum::<f64>() * losses_of_each;
            let weights = weights.reshape(first_axes(weights.shape(), &losses))?;
            losses = losses.mul(&losses.tape().constant(weights))?;
        }
        reduction.reduce(self.op, &losses, || {
            Ok(Tally {
                count,
                weight,
                positives: positives()?,
            })
        })
    }
}

/// A shape with as many axes as `input` has; the last ones are of size 1.
fn first_axes<T: Float>(shape: &[usize], input: &Var<T>) -> Vec<usize> {
    let mut shape = shape.to_vec();
    shape.resize(input.rank(), 1);
    shape
}
