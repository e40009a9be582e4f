//! Tensors made from a rule.

use crate::element::{Element, Float, Number};
use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::Tensor;

impl<T: Element> Tensor<T> {
    /// A tensor of the shape of this one, whose elements are all `value`.
    pub fn full_like(&self, value: T) -> Result<Self> {
        Self::full(self.shape(), value)?.to(self.device())
    }
}

impl<T: Number> Tensor<T> {
    /// A tensor of zeros of the shape of this one.
    pub fn zeros_like(&self) -> Result<Self> {
        self.full_like(T::ZERO)
    }

    /// A tensor of ones of the shape of this one.
    pub fn ones_like(&self) -> Result<Self> {
        self.full_like(T::ONE)
    }

    /// The identity matrix of `size` rows.
    ///
    /// # Errors
    /// The number of elements must be one that memory can address.
    pub fn eye(size: usize) -> Result<Self> {
        let shape = Shape::contiguous("eye", &[size, size])?;
        Ok(Self::build(shape, |output| {
            output.fill(T::ZERO);
            output
                .iter_mut()
                .step_by(size + 1)
                .for_each(|element| *element = T::ONE);
        }))
    }
}

impl<T: Float> Tensor<T> {
    /// start, start + step, start + 2·step, … as far as the numbers lie before `end`:
    /// ⌈(end − start) / step⌉ of them.
    ///
    /// # Errors
    /// `step` must not be 0, and all three must be finite.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::<f32>::arange(1.0, 2.0, 0.25)?;
    /// assert_eq!(x.to_vec()?, [1.0, 1.25, 1.5, 1.75]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn arange(start: f64, end: f64, step: f64) -> Result<Self> {
        let count = ((end - start) / step).ceil().max(0.0);
        if step == 0.0 || !(start.is_finite() && end.is_finite() && step.is_finite()) {
            return Err(Error::Argument {
                op: "arange",
                argument: "start, end, step",
                expected: "finite, and step not 0".into(),
                found: format!("{start}, {end}, {step}"),
            });
        }
        // A count that is too large becomes the largest, which the shape refuses.
        let shape = Shape::contiguous("arange", &[count as usize])?;
        Ok(Self::build(shape, |output| {
            for (k, element) in output.iter_mut().enumerate() {
                *element = T::from_f64(start + k as f64 * step);
            }
        }))
    }

    /// `count` numbers at even distances from `start` to `end`, both included; 1 number is `start`.
    ///
    /// # Errors
    /// The ends must be at a finite distance.
    pub fn linspace(start: f64, end: f64, count: usize) -> Result<Self> {
        let distance = end - start;
        if !distance.is_finite() {
            return Err(Error::Argument {
                op: "linspace",
                argument: "start, end",
                expected: "at a finite distance".into(),
                found: format!("{start}, {end}"),
            });
        }
        let shape = Shape::contiguous("linspace", &[count])?;
        let last = count.saturating_sub(1);
        let step = distance / last.max(1) as f64;
        Ok(Self::build(shape, |output| {
            for (k, element) in output.iter_mut().enumerate() {
                // Counted from the nearer end, so that both ends are met exactly.
                *element = T::from_f64(match k <= last / 2 {
                    true => start + k as f64 * step,
                    false => end - (last - k) as f64 * step,
                });
            }
        }))
    }
}

impl Tensor<i64> {
    /// start, start + step, start + 2·step, … as far as the numbers lie before `end`.
    ///
    /// # Errors
    /// `step` must not be 0.
    pub fn arange(start: i64, end: i64, step: i64) -> Result<Self> {
        if step == 0 {
            return Err(Error::Argument {
                op: "arange",
                argument: "step",
                expected: "not 0".into(),
                found: "0".into(),
            });
        }
        let (first, last, by) = (i128::from(start), i128::from(end), i128::from(step));
        // Rounded up: the distance plus one step, less one, divided by the step.
        let count = ((last - first + by - by.signum()) / by).max(0);
        let shape = Shape::contiguous("arange", &[usize::try_from(count).unwrap_or(usize::MAX)])?;
        Ok(Self::build(shape, |output| {
            let numbers = (0..).map(|k: i64| start.wrapping_add(k.wrapping_mul(step)));
            output.iter_mut().zip(numbers).for_each(|(to, n)| *to = n);
        }))
    }
}
