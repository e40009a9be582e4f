//! Tensors put together, and tensors repeated, shifted and padded.

use crate::cpu;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes, Strides, resolve_axis};
use crate::tensor::Tensor;

impl<T: Element> Tensor<T> {
    /// The tensors one after the other along an axis.
    ///
    /// # Errors
    /// There must be at least one tensor, and their shapes may differ along the axis only.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let (a, b) = (Tensor::from([[1], [2]]), Tensor::from([[3], [4]]));
    /// let joined = Tensor::concatenate(&[&a, &b], 1)?;
    /// assert_eq!(joined.to_vec()?, [1, 3, 2, 4]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "cat")]
    #[doc(alias = "hstack")]
    #[doc(alias = "vstack")]
    pub fn concatenate(tensors: &[&Self], axis: isize) -> Result<Self> {
        Self::joined("concatenate", tensors, axis)
    }

    fn joined(op: &'static str, tensors: &[&Self], axis: isize) -> Result<Self> {
        let first = *tensors.first().ok_or_else(|| none(op))?;
        let axis = first.shape.axis(op, axis)?;
        let mut sizes = Sizes::from_slice(first.shape());
        sizes[axis] = 0;
        for tensor in tensors {
            let fits = tensor.rank() == first.rank()
                && (0..first.rank()).all(|k| k == axis || tensor.shape()[k] == sizes[k]);
            if !fits {
                return Err(Error::Shape {
                    op,
                    expected: format!("shape {:?} but for axis {axis}", first.shape()),
                    found: Sizes::from_slice(tensor.shape()),
                });
            }
            sizes[axis] = sizes[axis].saturating_add(tensor.shape()[axis]);
        }
        let shape = Shape::contiguous(op, &sizes)?;
        let whole = shape.clone();
        Self::try_build(op, shape, |output| {
            let mut start = 0;
            for tensor in tensors {
                let length = tensor.shape()[axis];
                let window = whole.slice(axis, start, 1, length);
                cpu::copy::copy_into(tensor.view(op)?, output, &window);
                start += length;
            }
            Ok(())
        })
    }

    /// The tensors along a new axis, which stands before axis `axis`; −1 puts it last.
    ///
    /// # Errors
    /// There must be at least one tensor, and their shapes must be equal.
    pub fn stack(tensors: &[&Self], axis: isize) -> Result<Self> {
        const OP: &str = "stack";
        let first = *tensors.first().ok_or_else(|| none(OP))?;
        let axis = resolve_axis(OP, axis, first.rank() + 1)? as isize;
        if let Some(other) = tensors.iter().find(|other| other.shape() != first.shape()) {
            return Err(Error::Shape {
                op: OP,
                expected: format!("shape {:?}", first.shape()),
                found: Sizes::from_slice(other.shape()),
            });
        }
        let slices = tensors
            .iter()
            .map(|tensor| tensor.unsqueeze(axis))
            .collect::<Result<Vec<_>>>()?;
        Self::joined(OP, &slices.iter().collect::<Vec<_>>(), axis)
    }

    /// The tensor repeated along its axes, as a whole: `repeats[k]` times along axis `k`.
    ///
    /// More repeats than axes add leading axes.
    ///
    /// # Errors
    /// There must be at least as many repeats as axes.
    #[doc(alias = "tile")]
    pub fn repeat(&self, repeats: impl AsRef<[usize]>) -> Result<Self> {
        const OP: &str = "repeat";
        let repeats = repeats.as_ref();
        let Some(added) = repeats.len().checked_sub(self.rank()) else {
            return Err(Error::Argument {
                op: OP,
                argument: "repeats",
                expected: format!("at least {}, one for each axis", self.rank()),
                found: format!("{repeats:?}"),
            });
        };
        // Each axis becomes two, and a stride of 0 along the outer one repeats the inner one.
        let steps = self.strides();
        let (mut sizes, mut doubled, mut strides) = (Sizes::new(), Sizes::new(), Strides::new());
        for (axis, &times) in repeats.iter().enumerate() {
            let own = axis.checked_sub(added);
            let size = own.map_or(1, |own| self.shape()[own]);
            sizes.push(times.saturating_mul(size));
            doubled.extend([times, size]);
            strides.extend([0, own.map_or(0, |own| steps[own])]);
        }
        let shape = Shape::contiguous(OP, &sizes)?;
        if shape.count() == 0 {
            // The two axes for each may have more places than can be counted.
            return Ok(self.with_shape(shape));
        }
        let doubled = Shape::from_parts(doubled, strides, self.shape.offset());
        let doubled = self.with_shape(doubled);
        if doubled.is_contiguous() {
            doubled.reshape(sizes)
        } else {
            doubled.copied(OP, &sizes)
        }
    }

    /// The tensor with each element along one axis repeated `times` times, one after the other.
    ///
    /// # Errors
    /// The axis must exist.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([1, 2]).repeat_interleave(2, 0)?;
    /// assert_eq!(x.to_vec()?, [1, 1, 2, 2]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn repeat_interleave(&self, times: usize, axis: isize) -> Result<Self> {
        const OP: &str = "repeat_interleave";
        let axis = self.shape.axis(OP, axis)?;
        // The axis becomes two, and a stride of 0 along the inner one repeats each element.
        let mut sizes = Sizes::from_slice(self.shape());
        let (mut doubled, mut strides) = (sizes.clone(), self.strides());
        sizes[axis] = sizes[axis].saturating_mul(times);
        Shape::contiguous(OP, &sizes)?;
        doubled.insert(axis + 1, times);
        strides.insert(axis + 1, 0);
        Shape::contiguous(OP, &doubled)?;
        let doubled = Shape::from_parts(doubled, strides, self.shape.offset());
        self.with_shape(doubled).copied(OP, &sizes)
    }

    /// The tensor shifted along one axis by `shift` places, where what leaves at one end comes in
    /// at the other.
    ///
    /// # Errors
    /// The axis must exist.
    pub fn roll(&self, shift: isize, axis: isize) -> Result<Self> {
        const OP: &str = "roll";
        let axis = self.shape.axis(OP, axis)?;
        let size = self.shape()[axis];
        if size == 0 {
            return Ok(self.clone());
        }
        let tail = shift.rem_euclid(size as isize) as usize;
        let axis = axis as isize;
        let head = self.narrow(axis, 0, size - tail)?;
        Self::joined(OP, &[&self.narrow(axis, size - tail, tail)?, &head], axis)
    }

    /// The tensor with a margin of `value`: `(before, after)` elements along each axis.
    ///
    /// # Errors
    /// There must be one pair for each axis.
    #[doc(alias = "constant_pad_nd")]
    pub fn pad(&self, margins: impl AsRef<[(usize, usize)]>, value: T) -> Result<Self> {
        const OP: &str = "pad";
        let margins = margins.as_ref();
        if margins.len() != self.rank() {
            return Err(Error::Argument {
                op: OP,
                argument: "margins",
                expected: format!("one pair for each of the {} axes", self.rank()),
                found: format!("{margins:?}"),
            });
        }
        let sizes: Sizes = self
            .shape()
            .iter()
            .zip(margins)
            .map(|(size, (before, after))| size.saturating_add(*before).saturating_add(*after))
            .collect();
        let shape = Shape::contiguous(OP, &sizes)?;
        let mut window = shape.clone();
        for (axis, (&size, &(before, _))) in self.shape().iter().zip(margins).enumerate() {
            window = window.slice(axis, before, 1, size);
        }
        let from = self.view(OP)?;
        Self::build(OP, shape, |output| {
            cpu::fill::fill(output, value);
            cpu::copy::copy_into(from, output, &window);
        })
    }
}

fn none(op: &'static str) -> Error {
    Error::Argument {
        op,
        argument: "tensors",
        expected: "one or more".into(),
        found: "none".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(result: Result<Tensor<i64>>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn shapes_that_do_not_join_are_told() {
        let (a, b) = (Tensor::from([[1, 2]]), Tensor::from([[1], [2]]));
        assert_eq!(
            message(Tensor::concatenate(&[&a, &b], 0)),
            "concatenate: expected shape [1, 2] but for axis 0, found shape [2, 1]"
        );
        assert_eq!(
            message(Tensor::stack(&[&a, &b], 0)),
            "stack: expected shape [1, 2], found shape [2, 1]"
        );
        assert_eq!(
            message(Tensor::stack(&[], 0)),
            "stack: tensors must be one or more, found none"
        );
        assert!(Tensor::concatenate(&[&Tensor::scalar(1)], 0).is_err());
    }

    #[test]
    fn results_larger_than_memory_are_refused() {
        let huge = Tensor::scalar(1).expand([isize::MAX as usize / 8]).unwrap();
        assert!(matches!(
            Tensor::concatenate(&[&huge, &huge, &huge], 0),
            Err(Error::TooLarge { .. })
        ));
        assert!(huge.repeat([3]).is_err() && huge.repeat_interleave(usize::MAX, 0).is_err());
        let nothing = Tensor::<f32>::zeros([3, 0]).unwrap();
        assert!(nothing.repeat_interleave(usize::MAX, 0).is_err());
        assert!(huge.pad([(usize::MAX, usize::MAX)], 0).is_err());
    }

    #[test]
    fn arguments_need_one_entry_for_each_axis() {
        let x = Tensor::from([[1, 2]]);
        assert_eq!(
            message(x.pad([(1, 1)], 0)),
            "pad: margins must be one pair for each of the 2 axes, found [(1, 1)]"
        );
        assert_eq!(
            message(x.repeat([2])),
            "repeat: repeats must be at least 2, one for each axis, found [2]"
        );
    }
}
