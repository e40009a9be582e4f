//! Comparing gradients with finite differences.

use macula_tensor::{Error, Result, Tensor};

use crate::tape::Tape;
use crate::var::Var;

/// Relative and absolute distance allowed between a gradient and its finite difference.
///
/// Central differences with a step of ∛ε are good to about ε^⅔ ≈ 4·10⁻¹¹ of the function's own
/// scale; 10⁻⁶ leaves room for functions that are a thousand times steeper than large.
const TOLERANCE: f64 = 1e-6;

/// Checks the gradients of first and second order of `function` at `inputs`.
///
/// `function` may return any shape. Its elements are weighted with fixed numbers and summed, and
/// the gradient of that sum is compared with central differences, element by element; then a
/// weighted sum of the gradient is checked in the same way.
///
/// # Errors
/// [`Error::Gradient`] that names the order, the input and the element, with both values; and
/// whatever `function` returns. There must be an input.
///
/// # Example
///
/// ```
/// use macula_autograd::check_gradients;
/// use macula_tensor::Tensor;
///
/// let x = Tensor::from([0.5, 1.0, 2.0]);
/// check_gradients("ln", &[x], |inputs| inputs[0].ln())?;
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub fn check_gradients(
    op: &'static str,
    inputs: &[Tensor<f64>],
    function: impl Fn(&[Var<f64>]) -> Result<Var<f64>>,
) -> Result<()> {
    if inputs.is_empty() {
        return Err(Error::Gradient {
            op,
            message: "there is no input to check a gradient for".into(),
        });
    }
    let value = |inputs: &[Var<f64>]| weighted_sum(&function(inputs)?);
    compare(op, "first", inputs, value)?;
    compare(op, "second", inputs, |inputs| {
        let gradients = gradients(&value(inputs)?, inputs)?;
        let mut total = inputs[0].tape().constant(Tensor::scalar(0.0));
        for gradient in &gradients {
            total = total.add(&weighted_sum(gradient)?)?;
        }
        Ok(total)
    })
}

/// The gradient of a scalar for each input; zeros where it does not depend on one.
fn gradients(scalar: &Var<f64>, inputs: &[Var<f64>]) -> Result<Vec<Var<f64>>> {
    let one = scalar.tape().constant(Tensor::full(scalar.shape(), 1.0)?);
    scalar.vjp(&one, &inputs.iter().collect::<Vec<_>>())
}

/// Σ wₖ·xₖ with weights that differ from element to element, so that errors cannot cancel.
fn weighted_sum(x: &Var<f64>) -> Result<Var<f64>> {
    let weights = (0..x.value().count()).map(|k| 0.4 + (k as f64 * 0.618_033_988_749).fract());
    let weights = Tensor::from_vec(weights.collect(), x.shape())?;
    x.mul(&x.tape().constant(weights))?.sum(..)
}

/// Compares the gradient of a scalar function with central differences.
fn compare(
    op: &'static str,
    order: &str,
    inputs: &[Tensor<f64>],
    scalar: impl Fn(&[Var<f64>]) -> Result<Var<f64>>,
) -> Result<()> {
    let on_tape = |inputs: &[Tensor<f64>]| {
        let tape = Tape::new();
        inputs
            .iter()
            .map(|x| tape.var(x.clone()))
            .collect::<Vec<_>>()
    };
    let vars = on_tape(inputs);
    let found = gradients(&scalar(&vars)?, &vars)?;
    for (number, (input, gradient)) in inputs.iter().zip(&found).enumerate() {
        let (elements, gradient) = (input.to_vec()?, gradient.value().to_vec()?);
        for (index, &x) in elements.iter().enumerate() {
            let step = f64::EPSILON.cbrt() * x.abs().max(1.0);
            let moved = |x: f64| -> Result<f64> {
                let mut elements = elements.clone();
                elements[index] = x;
                let mut inputs = inputs.to_vec();
                // The function sees the strides it was given.
                inputs[number] = with_strides_of(input, &elements)?;
                scalar(&on_tape(&inputs))?.item()
            };
            let (above, below) = (x + step, x - step);
            let difference = (moved(above)? - moved(below)?) / (above - below);
            let distance = (gradient[index] - difference).abs();
            let allowed = TOLERANCE * (1.0 + difference.abs().max(gradient[index].abs()));
            if distance > allowed || distance.is_nan() {
                return Err(Error::Gradient {
                    op,
                    message: format!(
                        "{order} order, input {number}, element {index}: the gradient is {}, but \
                         finite differences give {difference}",
                        gradient[index]
                    ),
                });
            }
        }
    }
    Ok(())
}

/// The elements given, in row-major order, in a tensor that is laid out as `like` is: transposed
/// where it is, contiguous where it is.
fn with_strides_of(like: &Tensor<f64>, elements: &[f64]) -> Result<Tensor<f64>> {
    let row_major = Tensor::from_slice(elements, like.shape())?;
    if like.rank() < 2 || like.is_contiguous() {
        return Ok(row_major);
    }
    let swapped = row_major.transpose(0, -1)?;
    let copy = Tensor::from_vec(swapped.to_vec()?, swapped.shape())?;
    copy.transpose(0, -1)
}
