//! Tensors made from a rule.

use crate::cpu::fill::{fill, fill_with};
use crate::device::Device;
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::Tensor;

impl<T: Element> Tensor<T> {
    /// A tensor whose elements are all `value`.
    ///
    /// # Errors
    /// The number of elements must be one that memory can address.
    pub fn full(shape: impl AsRef<[usize]>, value: T) -> Result<Self> {
        Self::filled("full", shape.as_ref(), value)
    }

    fn filled(op: &'static str, shape: &[usize], value: T) -> Result<Self> {
        let shape = Shape::contiguous(op, shape)?;
        Self::build(op, shape, |output| fill(output, value))
    }

    /// A tensor on a device whose elements are all `value`.
    ///
    /// # Errors
    /// The number of elements must be one that memory can address, and the device must offer it.
    pub fn full_on(device: &Device, shape: impl AsRef<[usize]>, value: T) -> Result<Self> {
        let Some(accelerator) = device.as_accelerator() else {
            return Self::full(shape, value);
        };
        let shape = Shape::contiguous("full", shape.as_ref())?;
        let memory = T::kernels(accelerator.as_ref()).fill(value, shape.sizes())?;
        Ok(Self::from_memory(accelerator, memory, shape))
    }

    /// A tensor of the shape of this one, on its device, whose elements are all `value`.
    ///
    /// # Errors
    /// There must be room for it, and the device must offer it.
    pub fn full_like(&self, value: T) -> Result<Self> {
        Self::full_on(self.device(), self.shape(), value)
    }
}

impl<T: Element> Tensor<T> {
    /// A tensor of zeros; of booleans, all false.
    ///
    /// # Errors
    /// The number of elements must be one that memory can address.
    pub fn zeros(shape: impl AsRef<[usize]>) -> Result<Self> {
        Self::filled("zeros", shape.as_ref(), T::ZERO)
    }

    /// A tensor of ones; of booleans, all true.
    ///
    /// # Errors
    /// The number of elements must be one that memory can address.
    pub fn ones(shape: impl AsRef<[usize]>) -> Result<Self> {
        Self::filled("ones", shape.as_ref(), T::ONE)
    }

    /// A tensor of zeros of the shape of this one.
    ///
    /// # Errors
    /// Those of [`full_like`](Tensor::full_like).
    pub fn zeros_like(&self) -> Result<Self> {
        self.full_like(T::ZERO)
    }

    /// A tensor of ones of the shape of this one.
    ///
    /// # Errors
    /// Those of [`full_like`](Tensor::full_like).
    pub fn ones_like(&self) -> Result<Self> {
        self.full_like(T::ONE)
    }

    /// The identity matrix of `size` rows; of booleans, true on the diagonal.
    ///
    /// # Errors
    /// The number of elements must be one that memory can address.
    #[doc(alias = "identity")]
    pub fn eye(size: usize) -> Result<Self> {
        let shape = Shape::contiguous("eye", &[size, size])?;
        Self::build("eye", shape, |output| {
            fill(output, T::ZERO);
            output
                .iter_mut()
                .step_by(size + 1)
                .for_each(|element| *element = T::ONE);
        })
    }
}

impl<T: Float> Tensor<T> {
    /// start, start + step, start + 2·step, …: ⌈(end − start) / step⌉ numbers, so that they lie
    /// before `end`.
    ///
    /// # Numerics
    /// The distance and its quotient are rounded. With a step that is no binary fraction the last
    /// number may so be `end` or next to it: from 1.0 to 1.3 by 0.1 there are four numbers.
    /// [`linspace`](Self::linspace) is told how many there are.
    ///
    /// # Errors
    /// `step` must not be 0, and all three must be finite, `start` and `end` in `T` as well.
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
        if step == 0.0 || !(finite_in::<T>([start, end]) && step.is_finite()) {
            return Err(Error::Argument {
                op: "arange",
                argument: "start, end, step",
                expected: format!("finite, the first two in {}, and step not 0", T::NAME),
                found: format!("{start:?}, {end:?}, {step:?}"),
            });
        }
        // A count that is too large becomes the largest, which the shape refuses.
        let shape = Shape::contiguous("arange", &[count as usize])?;
        Self::build("arange", shape, |output| {
            fill_with(output, |k| T::from_f64(start + k as f64 * step));
        })
    }

    /// `count` numbers at even distances from `start` to `end`, both included; 1 number is `start`.
    ///
    /// # Errors
    /// The ends must be finite in `T`, and at a finite distance.
    pub fn linspace(start: f64, end: f64, count: usize) -> Result<Self> {
        let distance = end - start;
        if !(finite_in::<T>([start, end]) && distance.is_finite()) {
            return Err(Error::Argument {
                op: "linspace",
                argument: "start, end",
                expected: format!("finite in {} and at a finite distance", T::NAME),
                found: format!("{start:?}, {end:?}"),
            });
        }
        let shape = Shape::contiguous("linspace", &[count])?;
        let last = count.saturating_sub(1);
        let step = distance / last.max(1) as f64;
        Self::build("linspace", shape, |output| {
            // Counted from the nearer end, so that both ends are met exactly.
            fill_with(output, |k| {
                T::from_f64(if k <= last / 2 {
                    start + k as f64 * step
                } else {
                    end - (last - k) as f64 * step
                })
            });
        })
    }
}

/// Whether numbers are finite once they are elements.
fn finite_in<T: Float>(numbers: [f64; 2]) -> bool {
    numbers.iter().all(|&x| T::from_f64(x).to_f64().is_finite())
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
                expected: "a number other than 0".into(),
                found: "0".into(),
            });
        }
        let (first, last, by) = (i128::from(start), i128::from(end), i128::from(step));
        // Rounded up: the distance plus one step, less one, divided by the step.
        let count = ((last - first + by - by.signum()) / by).max(0);
        let shape = Shape::contiguous("arange", &[usize::try_from(count).unwrap_or(usize::MAX)])?;
        Self::build("arange", shape, |output| {
            fill_with(output, |k| {
                start.wrapping_add((k as i64).wrapping_mul(step))
            });
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_stop_before_their_end() {
        let floats = |a, b, c| Tensor::<f64>::arange(a, b, c).unwrap().to_vec().unwrap();
        assert_eq!(floats(0.0, 1.0, 0.5), [0.0, 0.5]);
        assert_eq!(floats(0.0, 1.1, 0.5), [0.0, 0.5, 1.0]);
        assert_eq!(floats(1.0, -1.0, -1.0), [1.0, 0.0]);
        assert!(floats(1.0, 0.0, 1.0).is_empty());
        let integers = |a, b, c| Tensor::<i64>::arange(a, b, c).unwrap().to_vec().unwrap();
        assert_eq!(integers(0, 5, 2), [0, 2, 4]);
        assert_eq!(integers(0, 4, 2), [0, 2]);
        assert_eq!(integers(3, 0, -2), [3, 1]);
        assert!(integers(0, 3, -1).is_empty());
        assert_eq!(
            integers(i64::MIN, i64::MAX, i64::MAX),
            [i64::MIN, -1, i64::MAX - 1]
        );
    }

    #[test]
    fn ranges_without_an_end_are_refused() {
        assert!(Tensor::<f32>::arange(0.0, 1.0, 0.0).is_err());
        assert!(Tensor::<f32>::arange(0.0, f64::NAN, 1.0).is_err());
        assert!(Tensor::<f32>::arange(-1e308, 1e308, 1e-300).is_err());
        assert!(Tensor::<i64>::arange(0, 1, 0).is_err());
        assert!(Tensor::<i64>::arange(i64::MIN, i64::MAX, 1).is_err());
    }

    #[test]
    fn linspace_meets_both_ends_exactly() {
        let x = Tensor::<f64>::linspace(0.1, 0.7, 7)
            .unwrap()
            .to_vec()
            .unwrap();
        assert_eq!((x.len(), x[0], x[6]), (7, 0.1, 0.7));
        let steps = x.windows(2).map(|pair| pair[1] - pair[0]);
        // One rounding of each number below 1.
        assert!(steps.into_iter().all(|step| (step - 0.1).abs() < 2.3e-16));
        assert_eq!(
            Tensor::<f32>::linspace(2.0, 3.0, 1).unwrap().item(),
            Ok(2.0)
        );
        assert!(Tensor::<f32>::linspace(2.0, 3.0, 0).unwrap().is_empty());
        assert!(Tensor::<f32>::linspace(0.0, f64::INFINITY, 3).is_err());
    }

    #[test]
    fn the_identity_has_ones_on_its_diagonal() {
        let x = Tensor::<i64>::eye(2).unwrap();
        assert_eq!(x.to_vec().unwrap(), [1, 0, 0, 1]);
        assert!(Tensor::<i64>::eye(0).unwrap().is_empty());
        let mask = Tensor::<bool>::eye(2).unwrap();
        assert_eq!(mask.to_vec().unwrap(), [true, false, false, true]);
    }

    #[test]
    fn likes_take_the_shape_alone() {
        let x = Tensor::from([[1, 2, 3]]);
        assert_eq!(x.ones_like().unwrap().to_vec().unwrap(), [1, 1, 1]);
        assert_eq!(x.zeros_like().unwrap().shape(), [1, 3]);
        assert_eq!(x.full_like(7).unwrap().to_vec().unwrap(), [7, 7, 7]);
    }
}
