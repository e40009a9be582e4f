//! Limits on gradients.

use macula_autograd::Gradients;
use macula_tensor::{Error, Float, Norm, Pointwise, Result, Scalar};

/// Scales all gradients by one number so that their norm together is at most `max_norm`, and
/// returns the norm they had.
///
/// The number is min(1, `max_norm` / (norm + 10⁻⁶)); gradients within the limit stay as they are.
///
/// # Source
/// R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
/// networks", 2013, algorithm 1.
///
/// # Errors
/// `max_norm` must be at least 0. A norm that is not finite is an error too: scaling by it would
/// make every gradient 0 or NaN.
///
/// # Example
///
/// ```
/// use macula_autograd::{Param, Tape};
/// use macula_nn::optim::clip_grad_norm;
/// use macula_tensor::{Norm, Tensor};
///
/// let x = Param::new("x", Tensor::from([3.0_f64, 4.0]));
/// let loss = Tape::new().param(&x).square()?.sum(..)?;
/// let mut gradients = loss.backward()?;
/// assert_eq!(clip_grad_norm(&mut gradients, 1.0, Norm::L2)?, 10.0);
/// assert!((gradients.get(&x).unwrap().norm(Norm::L2, ..)?.item()? - 1.0).abs() < 1e-6);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub fn clip_grad_norm<T: Float>(
    gradients: &mut Gradients<T>,
    max_norm: f64,
    norm: Norm,
) -> Result<f64> {
    let op = "clip_grad_norm";
    check_limit(op, "max_norm", max_norm)?;
    let mut norms = Vec::new();
    for (param, gradient) in gradients.iter() {
        let value = gradient.norm(norm, ..)?.item()?.to_f64();
        if !value.is_finite() {
            return Err(Error::NotFinite {
                op,
                what: format!("the norm of the gradient of {:?}", param.name()),
                value,
            });
        }
        norms.push(value);
    }
    // Gradients come in the order of their parameters in memory, which differs from run to run.
    norms.sort_by(f64::total_cmp);
    let total = norm.of_parts(norms);
    let factor = max_norm / (total + 1e-6);
    if factor < 1.0 {
        gradients.scale(factor)?;
    }
    Ok(total)
}

/// Moves every element of every gradient into [−limit, limit].
///
/// # Errors
/// The limit must be at least 0.
pub fn clip_grad_value<T: Float>(gradients: &mut Gradients<T>, limit: f64) -> Result<()> {
    check_limit("clip_grad_value", "limit", limit)?;
    let params: Vec<_> = gradients.iter().map(|(param, _)| param.clone()).collect();
    for param in params {
        if let Some(gradient) = gradients.get_mut(&param) {
            *gradient = gradient.map(Clamp(limit))?;
        }
    }
    Ok(())
}

fn check_limit(op: &'static str, argument: &'static str, limit: f64) -> Result<()> {
    if limit >= 0.0 {
        return Ok(());
    }
    Err(Error::Argument {
        op,
        argument,
        expected: "at least 0".into(),
        found: limit.to_string(),
    })
}

/// max(−limit, min(x, limit)); NaN stays NaN.
#[derive(Clone, Copy, Debug)]
struct Clamp(f64);

impl Pointwise<1> for Clamp {
    const NAME: &'static str = "clamp";

    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        x.min(x.constant(self.0)).max(x.constant(-self.0))
    }
}
