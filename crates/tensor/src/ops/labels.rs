//! Class labels and counts: one-hot rows, and how often each integer occurs.

use super::dense;
use super::index::in_range;
use crate::cpu::fill::fill;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes};
use crate::tensor::Tensor;

impl Tensor<i64> {
    /// 1 (true) at the label and 0 (false) elsewhere, along a new last axis of `classes` elements.
    ///
    /// # Errors
    /// Every label must be in `0..classes`.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let hot = Tensor::from([1, 0]).one_hot::<f32>(3)?;
    /// assert_eq!(hot.shape(), [2, 3]);
    /// assert_eq!(hot.to_vec()?, [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn one_hot<T: Element>(&self, classes: usize) -> Result<Tensor<T>> {
        const OP: &str = "one_hot";
        let labels = self.in_order(OP)?;
        let labels = dense(OP, &labels)?;
        in_range(OP, labels, self.rank(), classes)?;
        let mut sizes = Sizes::from_slice(self.shape());
        sizes.push(classes);
        let shape = Shape::contiguous(OP, &sizes)?;
        Tensor::build(OP, shape, |output| {
            fill(output, T::ZERO);
            for (row, &label) in output.chunks_exact_mut(classes.max(1)).zip(labels) {
                row[label as usize] = T::ONE;
            }
        })
    }

    /// How often each of 0, 1, 2, … occurs: as many counts as the largest value asks for, and at
    /// least `least`.
    ///
    /// # Errors
    /// Every value must be at least 0 and below 2³².
    pub fn bincount(&self, least: usize) -> Result<Self> {
        const OP: &str = "bincount";
        let values = self.in_order(OP)?;
        // A stray large value would ask for more memory than there is.
        let outside = |value: &&i64| !(0..1 << 32).contains(*value);
        let values = dense(OP, &values)?;
        if let Some(&value) = values.iter().find(outside) {
            return Err(Error::Argument {
                op: OP,
                argument: "values",
                expected: "at least 0 and below 2^32".into(),
                found: value.to_string(),
            });
        }
        let counts = values.iter().max().map_or(0, |&value| value + 1);
        // On a machine of 32 bits, a count that is too large becomes the largest, which the shape
        // refuses.
        let counts = usize::try_from(counts).unwrap_or(usize::MAX);
        let shape = Shape::contiguous(OP, &[counts.max(least)])?;
        Self::build(OP, shape, |output| {
            output.fill(0);
            for &value in values {
                output[value as usize] += 1;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: Element>(result: Result<Tensor<T>>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_label_outside_the_classes_is_named() {
        assert_eq!(
            message(Tensor::from([1, 4]).one_hot::<f32>(4)),
            "one_hot: index 4 is out of range for axis 1 of size 4"
        );
    }

    #[test]
    fn a_value_that_cannot_be_counted_is_told() {
        assert_eq!(
            message(Tensor::from([1, -2]).bincount(0)),
            "bincount: values must be at least 0 and below 2^32, found -2"
        );
        assert!(Tensor::from([i64::MAX]).bincount(0).is_err());
    }
}
