//! Slices: every so many elements of an axis, forwards or backwards.

use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use crate::element::Element;
use crate::error::{Error, Result};
use crate::ops::axes::Axes;
use crate::storage::room_for;
use crate::tensor::Tensor;

/// Which elements of an axis to take: from `start` on, up to but without `end`, every `step`-th; or a
/// single one, whose axis is dropped.
///
/// Ranges convert to it. Negative bounds count from the end of the axis, and bounds outside it are
/// moved to its end, as in Python. With a negative step the elements run backwards, and the bounds
/// left out are the last element and past the first. A bound after `..=` is taken too, in either
/// direction.
///
/// An integer converts to the slice of the one element that stands there, counted from the end if it
/// is negative. It must be inside the axis, and a step does not matter to it.
///
/// # Example
///
/// ```
/// use macula_tensor::{Slice, Tensor};
///
/// let x = Tensor::from([0, 1, 2, 3, 4, 5]);
/// assert_eq!(x.slice(0, 1..-1)?.to_vec()?, [1, 2, 3, 4]);
/// assert_eq!(x.slice(0, 1..=3)?.to_vec()?, [1, 2, 3]);
/// assert_eq!(x.slice(0, Slice::from(1..).step(2))?.to_vec()?, [1, 3, 5]);
/// assert_eq!(x.slice(0, Slice::from(..).step(-2))?.to_vec()?, [5, 3, 1]);
/// assert_eq!(x.slice(0, -1)?.item()?, 5);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    One(isize),
    Walk(Walk),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Walk {
    start: Option<isize>,
    end: Option<isize>,
    /// Whether the end is taken too.
    inclusive: bool,
    step: isize,
}

impl Slice {
    fn new(start: Option<isize>, end: Option<isize>, inclusive: bool) -> Self {
        Self(Kind::Walk(Walk {
            start,
            end,
            inclusive,
            step: 1,
        }))
    }

    /// The same bounds with another step.
    pub fn step(self, step: isize) -> Self {
        match self.0 {
            Kind::One(_) => self,
            Kind::Walk(walk) => Self(Kind::Walk(Walk { step, ..walk })),
        }
    }
}

impl Walk {
    /// The first element and the number of elements on an axis of `size`; the step is not 0.
    fn resolve(self, size: usize) -> (usize, usize) {
        let size = size as isize;
        // Where a walk may begin and where it ends: forwards 0 and size, backwards size − 1 and −1.
        let (least, most) = if self.step > 0 {
            (0, size)
        } else {
            (-1, size - 1)
        };
        let past = isize::from(self.inclusive) * self.step.signum();
        let place = |bound: isize, past: isize| {
            let bound = if bound < 0 {
                bound.saturating_add(size)
            } else {
                bound
            };
            bound.saturating_add(past).clamp(least, most)
        };
        let start = |otherwise| self.start.map_or(otherwise, |start| place(start, 0));
        let end = |otherwise| self.end.map_or(otherwise, |end| place(end, past));
        let (start, distance) = if self.step > 0 {
            (start(0), end(size) - start(0))
        } else {
            (start(most), start(most) - end(-1))
        };
        let length = if distance > 0 {
            (distance as usize).div_ceil(self.step.unsigned_abs())
        } else {
            0
        };
        (start.max(0) as usize, length)
    }
}

impl From<isize> for Slice {
    fn from(place: isize) -> Self {
        Self(Kind::One(place))
    }
}

impl From<Range<isize>> for Slice {
    fn from(range: Range<isize>) -> Self {
        Self::new(Some(range.start), Some(range.end), false)
    }
}

impl From<RangeInclusive<isize>> for Slice {
    fn from(range: RangeInclusive<isize>) -> Self {
        Self::new(Some(*range.start()), Some(*range.end()), true)
    }
}

impl From<RangeFrom<isize>> for Slice {
    fn from(range: RangeFrom<isize>) -> Self {
        Self::new(Some(range.start), None, false)
    }
}

impl From<RangeTo<isize>> for Slice {
    fn from(range: RangeTo<isize>) -> Self {
        Self::new(None, Some(range.end), false)
    }
}

impl From<RangeToInclusive<isize>> for Slice {
    fn from(range: RangeToInclusive<isize>) -> Self {
        Self::new(None, Some(range.end), true)
    }
}

impl From<RangeFull> for Slice {
    fn from(_: RangeFull) -> Self {
        Self::new(None, None, false)
    }
}

impl<T: Element> Tensor<T> {
    /// The elements of a [`Slice`] of one axis.
    ///
    /// # Errors
    /// The axis must exist, and the step must not be 0. A single element must be inside the axis.
    pub fn slice(&self, axis: isize, slice: impl Into<Slice>) -> Result<Self> {
        self.sliced("slice", axis, slice.into())
    }

    /// The elements of one [`Slice`] for each of the first axes; the others stay whole.
    ///
    /// # Errors
    /// There must be at most as many slices as axes, and no step may be 0. A single element must be
    /// inside its axis.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Slice, Tensor};
    ///
    /// let x = Tensor::from([[1, 2, 3], [4, 5, 6]]);
    /// let reversed = Slice::from(..).step(-1);
    /// assert_eq!(x.slices([(1..).into(), reversed])?.to_vec()?, [6, 5, 4]);
    /// // One element drops its axis.
    /// assert_eq!(x.slices([1.into(), reversed])?.shape(), [3]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn slices(&self, slices: impl AsRef<[Slice]>) -> Result<Self> {
        let mut view = self.clone();
        // From the last on: an axis that is dropped does not move those before it.
        for (axis, &slice) in slices.as_ref().iter().enumerate().rev() {
            view = view.sliced("slices", axis as isize, slice)?;
        }
        Ok(view)
    }

    /// The tensor with the order of its elements reversed along some axes.
    ///
    /// # Errors
    /// Every axis must be one of the tensor's, and be named once.
    pub fn flip(&self, axes: impl AsRef<[isize]>) -> Result<Self> {
        let flipped = Axes::from(axes.as_ref()).resolve("flip", self.shape())?;
        let mut view = self.clone();
        for axis in (0..self.rank()).filter(|&axis| flipped.flags[axis]) {
            view = view.sliced("flip", axis as isize, Slice::from(..).step(-1))?;
        }
        Ok(view)
    }

    fn sliced(&self, op: &'static str, axis: isize, slice: Slice) -> Result<Self> {
        let axis = self.shape.axis(op, axis)?;
        let size = self.shape()[axis];
        let walk = match slice.0 {
            Kind::Walk(walk) => walk,
            Kind::One(place) => {
                let counted = if place < 0 {
                    place.checked_add_unsigned(size)
                } else {
                    Some(place)
                };
                let start = counted.and_then(|place| usize::try_from(place).ok());
                let start = start.filter(|&start| start < size).ok_or(Error::Index {
                    op,
                    index: place as i64,
                    axis,
                    size,
                })?;
                let one = self.with_shape(self.shape.slice(axis, start, 1, 1));
                return one.squeeze(axis as isize);
            }
        };
        if walk.step == 0 {
            return Err(Error::Argument {
                op,
                argument: "step",
                expected: "a number other than 0".into(),
                found: "0".into(),
            });
        }
        let (start, length) = walk.resolve(size);
        // A step past the end is never taken, and may be too large to multiply.
        let step = if length > 1 { walk.step } else { 1 };
        Ok(self.with_shape(self.shape.slice(axis, start, step, length)))
    }

    /// The tensor cut along one axis into pieces of the given sizes.
    ///
    /// # Errors
    /// The sizes must add up to the size of the axis.
    #[doc(alias = "split_with_sizes")]
    pub fn split(&self, axis: isize, sizes: impl AsRef<[usize]>) -> Result<Vec<Self>> {
        let axis = self.shape.axis("split", axis)?;
        let (size, sizes) = (self.shape()[axis], sizes.as_ref());
        let sum = sizes.iter().fold(0, |sum: usize, &n| sum.saturating_add(n));
        if sum != size {
            return Err(Error::Argument {
                op: "split",
                argument: "sizes",
                expected: format!("numbers that add up to {size}, the size of axis {axis}"),
                found: format!("{sizes:?}"),
            });
        }
        self.pieces("split", axis, sizes.iter().copied())
    }

    /// The tensor cut along one axis into pieces of `size` elements, of which the last may have fewer.
    ///
    /// An axis of size 0 is one piece.
    ///
    /// # Errors
    /// `size` must be at least 1.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let pieces = Tensor::from([1, 2, 3, 4, 5]).split_every(0, 2)?;
    /// assert_eq!(pieces[0].to_vec()?, [1, 2]);
    /// assert_eq!(pieces[2].to_vec()?, [5]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "split")]
    pub fn split_every(&self, axis: isize, size: usize) -> Result<Vec<Self>> {
        let axis = self.shape.axis("split_every", axis)?;
        if size == 0 {
            return Err(Error::Argument {
                op: "split_every",
                argument: "size",
                expected: "at least 1".into(),
                found: "0".into(),
            });
        }
        self.pieces("split_every", axis, equal_lengths(self.shape()[axis], size))
    }

    /// The tensor cut along one axis into at most `count` pieces of ⌈size / count⌉ elements, of
    /// which the last may have fewer.
    ///
    /// # Errors
    /// `count` must be at least 1.
    #[doc(alias = "array_split")]
    pub fn chunk(&self, axis: isize, count: usize) -> Result<Vec<Self>> {
        let axis = self.shape.axis("chunk", axis)?;
        if count == 0 {
            return Err(Error::Argument {
                op: "chunk",
                argument: "count",
                expected: "at least 1".into(),
                found: "0".into(),
            });
        }
        let size = self.shape()[axis];
        let length = size.div_ceil(count).max(1);
        self.pieces("chunk", axis, equal_lengths(size, length))
    }

    /// Pieces of the given lengths, which add up to the size of the axis.
    fn pieces(
        &self,
        op: &'static str,
        axis: usize,
        lengths: impl ExactSizeIterator<Item = usize>,
    ) -> Result<Vec<Self>> {
        let count = lengths.len();
        let mut pieces = room_for(count).ok_or_else(|| Error::Argument {
            op,
            argument: "pieces",
            expected: "as few as memory has room for".into(),
            found: count.to_string(),
        })?;
        let mut start = 0;
        pieces.extend(lengths.map(|length| {
            let piece = self.shape.slice(axis, start, 1, length);
            start += length;
            self.with_shape(piece)
        }));
        Ok(pieces)
    }
}

/// The lengths of pieces of `length` elements of an axis, of which the last may have fewer; of an axis
/// of none, one of 0.
fn equal_lengths(size: usize, length: usize) -> impl ExactSizeIterator<Item = usize> {
    let starts = (0..size.max(1)).step_by(length);
    starts.map(move |start| length.min(size - start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_zero_and_sizes_that_do_not_add_up_are_told() {
        let x = Tensor::from([1, 2, 3]);
        let message = x.slice(0, Slice::from(..).step(0)).unwrap_err().to_string();
        assert_eq!(
            message,
            "slice: step must be a number other than 0, found 0"
        );
        assert_eq!(
            x.split(0, [1, 1]).unwrap_err().to_string(),
            "split: sizes must be numbers that add up to 3, the size of axis 0, found [1, 1]"
        );
        assert!(x.split(0, [usize::MAX, 4]).is_err());
        assert!(x.chunk(0, 0).is_err() && x.split_every(0, 0).is_err());
        assert!(x.flip([1]).is_err());
        assert!(x.slices([Slice::from(..), Slice::from(..)]).is_err());
    }

    #[test]
    fn an_element_outside_its_axis_is_named() {
        let x = Tensor::from([[1, 2, 3], [4, 5, 6]]);
        for (axis, place, named) in [
            (1, 3, 1),
            (-1, -4, 1),
            (0, isize::MIN, 0),
            (0, isize::MAX, 0),
        ] {
            let size = x.shape()[named];
            assert_eq!(
                x.slice(axis, place).unwrap_err().to_string(),
                format!("slice: index {place} is out of range for axis {named} of size {size}")
            );
        }
        // The axis is counted in the whole tensor.
        assert_eq!(
            x.slices([0.into(), 3.into()]).unwrap_err().to_string(),
            "slices: index 3 is out of range for axis 1 of size 3"
        );
        assert_eq!(x.slices([1.into(), (-1).into()]).unwrap().item(), Ok(6));
        assert!(Tensor::<f32>::zeros([0]).unwrap().slice(0, 0).is_err());
    }

    #[test]
    fn extreme_bounds_and_steps_do_not_overflow() {
        let x = Tensor::from([1, 2, 3]);
        for step in [isize::MIN, -1, 1, isize::MAX] {
            let slice = Slice::from(isize::MIN..isize::MAX).step(step);
            let expected: &[i64] = match step {
                1 => &[1, 2, 3],
                isize::MAX => &[1],
                _ => &[],
            };
            assert_eq!(x.slice(0, slice).unwrap().to_vec().unwrap(), expected);
        }
        let backwards = Slice::from(..).step(isize::MIN);
        assert_eq!(x.slice(0, backwards).unwrap().to_vec().unwrap(), [3]);
    }
}
