//! Variables put together and cut apart, repeated, shifted and padded.

use macula_tensor::shape::Sizes;
use macula_tensor::{Float, Result, Tensor};

use crate::node::HandOn;
use crate::saved::{Keep, Saved};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The variables one after the other along an axis.
    ///
    /// # Errors
    /// There must be at least one variable, all of one tape, and their shapes may differ along the
    /// axis only.
    #[track_caller]
    pub fn concatenate(variables: &[&Self], axis: isize) -> Result<Self> {
        let values: Vec<_> = variables.iter().map(|x| x.value()).collect();
        let value = Tensor::concatenate(&values, axis)?;
        let along = axis.rem_euclid(value.rank() as isize) as usize;
        let lengths: Sizes = values.iter().map(|value| value.shape()[along]).collect();
        let rule = move |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            let mut start = 0;
            for (index, &length) in lengths.iter().enumerate() {
                if saved.needs(index) {
                    hand_on(index, upstream.narrow(axis, start, length)?)?;
                }
                start += length;
            }
            Ok(())
        };
        Self::record_any("concatenate", variables, value, Keep::Nothing, rule)
    }

    /// The variables along a new axis, which stands before axis `axis`; −1 puts it last.
    ///
    /// # Errors
    /// There must be at least one variable, all of one tape, and their shapes must be equal.
    #[track_caller]
    pub fn stack(variables: &[&Self], axis: isize) -> Result<Self> {
        let values: Vec<_> = variables.iter().map(|x| x.value()).collect();
        let value = Tensor::stack(&values, axis)?;
        let count = variables.len();
        let rule = move |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            for index in (0..count).filter(|&index| saved.needs(index)) {
                hand_on(index, upstream.narrow(axis, index, 1)?.squeeze(axis)?)?;
            }
            Ok(())
        };
        Self::record_any("stack", variables, value, Keep::Nothing, rule)
    }

    /// The variable cut along one axis into pieces of the given sizes.
    ///
    /// # Gradient
    /// The gradient of a piece is padded to the size of what it was cut from. The variable is cut in
    /// halves, and these again, so n elements in k pieces come together in n · log₂ k steps; with k
    /// times [`narrow`](Self::narrow) it would be n · k.
    ///
    /// # Errors
    /// The sizes must add up to the size of the axis.
    #[track_caller]
    pub fn split(&self, axis: isize, sizes: impl AsRef<[usize]>) -> Result<Vec<Self>> {
        let sizes = sizes.as_ref();
        self.value().split(axis, sizes)?;
        let mut pieces = Vec::with_capacity(sizes.len());
        self.halve(axis, sizes, &mut pieces)?;
        Ok(pieces)
    }

    /// Adds the pieces of the variable to `pieces`.
    #[track_caller]
    fn halve(&self, axis: isize, sizes: &[usize], pieces: &mut Vec<Self>) -> Result<()> {
        match sizes.len() {
            0 => {}
            1 => pieces.push(self.clone()),
            count => {
                let (first, second) = sizes.split_at(count / 2);
                let [start, rest] = [first, second].map(|sizes| sizes.iter().sum());
                self.narrow(axis, 0, start)?.halve(axis, first, pieces)?;
                self.narrow(axis, start, rest)?
                    .halve(axis, second, pieces)?;
            }
        }
        Ok(())
    }

    /// The variable cut along one axis into pieces of `size` elements, of which the last may have
    /// fewer.
    ///
    /// # Errors
    /// `size` must be at least 1.
    #[track_caller]
    pub fn split_every(&self, axis: isize, size: usize) -> Result<Vec<Self>> {
        let pieces = self.value().split_every(axis, size)?;
        self.split_like(axis, &pieces)
    }

    /// The variable cut along one axis into at most `count` pieces of ⌈size / count⌉ elements, of
    /// which the last may have fewer.
    ///
    /// # Errors
    /// `count` must be at least 1.
    #[track_caller]
    pub fn chunk(&self, axis: isize, count: usize) -> Result<Vec<Self>> {
        let pieces = self.value().chunk(axis, count)?;
        self.split_like(axis, &pieces)
    }

    /// The variable cut as its value has been.
    #[track_caller]
    fn split_like(&self, axis: isize, pieces: &[Tensor<T>]) -> Result<Vec<Self>> {
        let along = axis.rem_euclid(self.rank() as isize) as usize;
        let sizes: Sizes = pieces.iter().map(|piece| piece.shape()[along]).collect();
        self.split(axis, sizes)
    }

    /// The variable repeated along its axes, as a whole: `repeats[k]` times along axis `k`.
    ///
    /// More repeats than axes add leading axes.
    ///
    /// # Errors
    /// There must be at least as many repeats as axes.
    #[track_caller]
    pub fn repeat(&self, repeats: impl AsRef<[usize]>) -> Result<Self> {
        let repeats = repeats.as_ref();
        let value = self.value().repeat(repeats)?;
        // Each axis as two: which copy, and where in it. The copies are summed.
        let added = repeats.len() - self.rank();
        let mut doubled = Sizes::new();
        for (axis, &times) in repeats.iter().enumerate() {
            let own = axis.checked_sub(added).map_or(1, |own| self.shape()[own]);
            doubled.extend([times, own]);
        }
        let copies: Vec<isize> = (0..repeats.len() as isize).map(|axis| 2 * axis).collect();
        let shape = Sizes::from_slice(self.shape());
        Self::record(
            "repeat",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| {
                let sum = upstream.reshape(&doubled)?.sum(&copies[..])?;
                Ok([Some(sum.reshape(&shape)?)])
            },
        )
    }

    /// The variable with each element along one axis repeated `times` times, one after the other.
    ///
    /// # Errors
    /// The axis must exist.
    #[track_caller]
    pub fn repeat_interleave(&self, times: usize, axis: isize) -> Result<Self> {
        let value = self.value().repeat_interleave(times, axis)?;
        // The axis as two: which element, and which copy. The copies are summed.
        let copies = axis.rem_euclid(self.rank() as isize) + 1;
        let mut doubled = Sizes::from_slice(self.shape());
        doubled.insert(copies as usize, times);
        let rule = move |upstream: &Self, _: &Saved<T>| {
            Ok([Some(upstream.reshape(&doubled)?.sum(copies)?)])
        };
        Self::record("repeat_interleave", [self], value, Keep::Nothing, rule)
    }

    /// The variable shifted along one axis by `shift` places, where what leaves at one end comes in
    /// at the other.
    ///
    /// # Errors
    /// The axis must exist.
    #[track_caller]
    pub fn roll(&self, shift: isize, axis: isize) -> Result<Self> {
        let value = self.value().roll(shift, axis)?;
        Self::record("roll", [self], value, Keep::Nothing, move |upstream, _| {
            // wrapping: the opposite of the smallest number is itself.
            let size = upstream.shape()[axis.rem_euclid(upstream.rank() as isize) as usize];
            let back = match size {
                0 => 0,
                size => -shift.rem_euclid(size as isize),
            };
            Ok([Some(upstream.roll(back, axis)?)])
        })
    }

    /// The variable with a margin of `value`: `(before, after)` elements along each axis.
    ///
    /// # Errors
    /// There must be one pair for each axis.
    #[track_caller]
    pub fn pad(&self, margins: impl AsRef<[(usize, usize)]>, value: f64) -> Result<Self> {
        let margins = margins.as_ref();
        let padded = self.value().pad(margins, T::from_f64(value))?;
        let inside = margins.iter().zip(self.shape());
        let inside: Vec<_> = inside.map(|(&(before, _), &size)| (before, size)).collect();
        Self::record("pad", [self], padded, Keep::Nothing, move |upstream, _| {
            let mut gradient = upstream.clone();
            for (axis, &(before, size)) in inside.iter().enumerate() {
                if gradient.shape()[axis] != size {
                    gradient = gradient.narrow(axis as isize, before, size)?;
                }
            }
            Ok([Some(gradient)])
        })
    }
}
