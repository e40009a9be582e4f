//! Where the largest or smallest element along an axis is.

use super::axes::Axes;
use super::dense;
use crate::cpu::arg::{Contest, Largest, Smallest, winner};
use crate::element::Number;
use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::Tensor;

impl<T: Number> Tensor<T> {
    /// The place of the largest element along one axis, or, for `..`, in row-major order among all.
    ///
    /// Of equal elements the first counts; a NaN is larger than any number.
    ///
    /// # Errors
    /// `axes` must be one axis of at least one element, or `..`.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let logits = Tensor::from([[0.1_f32, 2.0, -1.0], [3.0, 0.0, 3.0]]);
    /// assert_eq!(logits.argmax(1)?.to_vec()?, [1, 0]);
    /// assert_eq!(logits.argmax(..)?.item()?, 3);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn argmax(&self, axes: impl Into<Axes>) -> Result<Tensor<i64>> {
        self.place_of("argmax", axes.into(), Largest)
    }

    /// The place of the smallest element along one axis, or, for `..`, in row-major order among
    /// all.
    ///
    /// Of equal elements the first counts; a NaN is smaller than any number.
    ///
    /// # Errors
    /// `axes` must be one axis of at least one element, or `..`.
    pub fn argmin(&self, axes: impl Into<Axes>) -> Result<Tensor<i64>> {
        self.place_of("argmin", axes.into(), Smallest)
    }

    fn place_of<C: Contest>(
        &self,
        op: &'static str,
        axes: Axes,
        contest: C,
    ) -> Result<Tensor<i64>> {
        let reduced = axes.resolve(op, self.shape())?;
        let reduced = reduced.not_empty(op, self.shape())?;
        let mut chosen = (0..self.rank()).filter(|&axis| reduced.flags[axis]);
        let (axis, inner) = match (chosen.next(), chosen.next()) {
            _ if axes.is_all() => (self.count(), 1),
            (Some(axis), None) => (
                self.shape()[axis],
                self.shape()[axis + 1..].iter().product(),
            ),
            _ => {
                return Err(Error::Argument {
                    op,
                    argument: "axes",
                    expected: "one axis, or all (..)".into(),
                    found: format!(
                        "{} axes",
                        reduced.flags.iter().filter(|flag| **flag).count()
                    ),
                });
            }
        };
        let shape = Shape::contiguous(op, &reduced.sizes)?;
        let tensor = self.in_order(op)?;
        let elements = dense(op, &tensor)?;
        let (places, won) = Tensor::build_with(op, shape, |output| {
            winner(contest, elements, axis, inner, output)
        })?;
        won.ok_or_else(|| Error::no_room(op, self.shape()))?;
        Ok(places)
    }
}
