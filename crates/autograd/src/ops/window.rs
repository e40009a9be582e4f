//! Views that leave out, repeat or reorder elements.
//!
//! Their ways back put each element of the gradient where it came from. Where that is, the same
//! view of the numbers 0, 1, 2, … says.

use macula_tensor::shape::Sizes;
use macula_tensor::{Float, Result, Slice, Tensor};

use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// `length` elements from `start` on along one axis.
    ///
    /// # Gradient
    /// The upstream gradient between zeros, of this variable's size: to cut a variable into many
    /// pieces, [`split`](Self::split) takes less.
    ///
    /// # Errors
    /// The range must lie inside the axis.
    #[track_caller]
    pub fn narrow(&self, axis: isize, start: usize, length: usize) -> Result<Self> {
        let value = self.value().narrow(axis, start, length)?;
        let along = axis.rem_euclid(self.rank() as isize) as usize;
        let mut margins = vec![(0, 0); self.rank()];
        margins[along] = (start, self.shape()[along] - start - length);
        Self::record(
            "narrow",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.pad(&margins, 0.0)?)]),
        )
    }

    /// The elements of a [`Slice`] of one axis.
    ///
    /// # Errors
    /// The axis must exist, and the step must not be 0. A single element must be inside the axis.
    #[track_caller]
    pub fn slice(&self, axis: isize, slice: impl Into<Slice>) -> Result<Self> {
        let slice = slice.into();
        let value = self.value().slice(axis, slice)?;
        let before = Sizes::from_slice(self.shape());
        let along = axis.rem_euclid(self.rank() as isize) as usize;
        let rule = move |upstream: &Self, saved: &crate::Saved<T>| {
            let places = numbers(&[before[along]])?.slice(0, slice)?.flatten()?;
            let zeros = saved.constant(Tensor::zeros(&before)?);
            // A single element has lost its axis.
            let mut sizes = before.clone();
            sizes[along] = places.count();
            let slices = upstream.in_shape(&sizes)?;
            Ok([Some(zeros.index_add(axis, &places, &slices)?)])
        };
        Self::record("slice", [self], value, Keep::Nothing, rule)
    }

    /// The elements of one [`Slice`] for each of the first axes; the others stay whole.
    ///
    /// # Errors
    /// There must be at most as many slices as axes, and no step may be 0. A single element must be
    /// inside its axis.
    #[track_caller]
    pub fn slices(&self, slices: impl AsRef<[Slice]>) -> Result<Self> {
        self.value().slices(slices.as_ref())?;
        let mut view = self.clone();
        for (axis, &slice) in slices.as_ref().iter().enumerate().rev() {
            view = view.slice(axis as isize, slice)?;
        }
        Ok(view)
    }

    /// The variable with the order of its elements reversed along some axes.
    ///
    /// # Errors
    /// Every axis must be one of the variable's.
    #[track_caller]
    pub fn flip(&self, axes: impl AsRef<[isize]>) -> Result<Self> {
        let axes = axes.as_ref().to_vec();
        let value = self.value().flip(&axes)?;
        Self::record("flip", [self], value, Keep::Nothing, move |upstream, _| {
            Ok([Some(upstream.flip(&axes)?)])
        })
    }

    /// The windows of `size` elements along one axis, every `step` elements one, with their
    /// elements in a new last axis.
    ///
    /// # Shapes
    /// An axis of size L becomes (L − size) / step + 1 windows, rounded down.
    ///
    /// # Errors
    /// `size` must be at most the size of the axis, and `step` at least 1.
    #[track_caller]
    pub fn unfold(&self, axis: isize, size: usize, step: usize) -> Result<Self> {
        let value = self.value().unfold(axis, size, step)?;
        self.window("unfold", value, move |numbers| {
            numbers.unfold(axis, size, step)
        })
    }

    /// The diagonal of two axes, as a new last axis; the two axes are gone.
    ///
    /// `offset` 0 is the main diagonal; a positive one moves along `second`, a negative one along
    /// `first`.
    ///
    /// # Errors
    /// Both must be axes of the variable, and different ones.
    #[track_caller]
    pub fn diagonal(&self, offset: isize, first: isize, second: isize) -> Result<Self> {
        let value = self.value().diagonal(offset, first, second)?;
        self.window("diagonal", value, move |numbers| {
            numbers.diagonal(offset, first, second)
        })
    }

    /// The diagonal of a matrix; or, from a vector, the matrix that has it on its diagonal and 0
    /// elsewhere.
    ///
    /// # Errors
    /// The variable must have one or two axes.
    #[track_caller]
    pub fn diag(&self, offset: isize) -> Result<Self> {
        let value = self.value().diag(offset)?;
        if self.rank() == 2 {
            return self.diagonal(offset, 0, 1);
        }
        Self::record("diag", [self], value, Keep::Nothing, move |upstream, _| {
            Ok([Some(upstream.diagonal(offset, 0, 1)?)])
        })
    }

    /// Records a view that may show an element several times or not at all.
    #[track_caller]
    fn window(
        &self,
        name: &'static str,
        value: Tensor<T>,
        view: impl Fn(&Tensor<i64>) -> Result<Tensor<i64>> + Send + 'static,
    ) -> Result<Self> {
        let before = Sizes::from_slice(self.shape());
        Self::record(
            name,
            [self],
            value,
            Keep::Nothing,
            move |upstream, saved| {
                let places = view(&numbers(&before)?)?.flatten()?;
                let zeros = saved.constant(Tensor::zeros([before.iter().product()])?);
                let sum = zeros.index_add(0, &places, &upstream.flatten()?)?;
                Ok([Some(sum.reshape(&before)?)])
            },
        )
    }
}

/// 0, 1, 2, … in a shape.
fn numbers(shape: &[usize]) -> Result<Tensor<i64>> {
    let count: usize = shape.iter().product();
    Tensor::from((0..count as i64).collect::<Vec<_>>()).reshape(shape)
}
