//! Softmax and its logarithm.

use super::dense;
use crate::cpu;
use crate::cpu::softmax::Kind;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The softmax along one axis, eˣⱼ / Σₖ eˣₖ: positive numbers that sum to 1.
    ///
    /// # Numerics
    /// The largest element is subtracted first, so no exponential overflows. An element of −∞ has
    /// the value 0; where all are −∞, or one is +∞ or NaN, the result is NaN.
    ///
    /// # Errors
    /// The axis must exist.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let logits = Tensor::from([[0.0_f64, 3.0_f64.ln()], [1000.0, 1000.0]]);
    /// let p = logits.softmax(1)?.to_vec()?;
    /// assert!((p[1] - 0.75).abs() < 1e-15);
    /// assert_eq!(p[2..], [0.5, 0.5]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn softmax(&self, axis: isize) -> Result<Self> {
        self.softmax_of("softmax", Kind::Softmax, axis)
    }

    /// The logarithm of the softmax along one axis, xⱼ − ln Σₖ eˣₖ.
    ///
    /// # Numerics
    /// Computed as (xⱼ − m) − ln Σₖ e^(xₖ − m) with the largest element m: no exponential
    /// overflows, and no logarithm of a rounded 0 is taken. An element of −∞ has the value −∞;
    /// where all are −∞, or one is +∞ or NaN, the result is NaN.
    ///
    /// # Errors
    /// The axis must exist.
    pub fn log_softmax(&self, axis: isize) -> Result<Self> {
        self.softmax_of("log_softmax", Kind::LogSoftmax, axis)
    }

    fn softmax_of(&self, op: &'static str, kind: Kind, axis: isize) -> Result<Self> {
        let axis = self.shape.axis(op, axis)?;
        let sizes = self.shape();
        let shape = Shape::contiguous(op, sizes)?;
        let inner = sizes[axis + 1..].iter().product();
        let tensor = self.in_order(op)?;
        let input = dense(op, &tensor)?;
        Tensor::try_build(op, shape, |output| {
            if output.is_empty() {
                return Ok(());
            }
            cpu::softmax::softmax(kind, input, sizes[axis], inner, output)
                .ok_or_else(|| Error::no_room(op, sizes))
        })
    }
}
