//! `Stack`: what a sample and its target can be, so that many of them make one tensor.

use macula_tensor::shape::Sizes;
use macula_tensor::{Element, Error, Result, Tensor};

/// A value that stands for one row of a tensor: a number, an array, a vector or a tensor.
///
/// A batch puts the values of its rows side by side along a new first axis:
///
/// | one value | a batch of N |
/// | --- | --- |
/// | `i64`, `f32`, `f64`, `bool` | `[N]` |
/// | `[f32; D]`, or a `Vec` of length D | `[N, D]` |
/// | a `Tensor` of shape `[C, H, W]` | `[N, C, H, W]` |
///
/// An array is the fastest, because it needs no memory of its own; a vector or a tensor is for
/// shapes that are known at run time. All rows must have the same shape.
pub trait Stack: Send + 'static {
    /// The element type of the batch.
    type Element: Element;

    /// The shape of one value.
    fn shape(&self) -> impl AsRef<[usize]>;

    /// Writes the elements in row-major order; `row` has as many as the shape says.
    ///
    /// # Errors
    /// Where the elements cannot be read.
    fn write(&self, row: &mut [Self::Element]) -> Result<()>;
}

macro_rules! number {
    ($($T:ident),*) => {$(
        impl Stack for $T {
            type Element = Self;

            fn shape(&self) -> impl AsRef<[usize]> {
                []
            }

            fn write(&self, row: &mut [Self]) -> Result<()> {
                row.fill(*self);
                Ok(())
            }
        }
    )*};
}
number!(f32, f64, i64, bool);

impl<T: Element, const D: usize> Stack for [T; D] {
    type Element = T;

    fn shape(&self) -> impl AsRef<[usize]> {
        [D]
    }

    fn write(&self, row: &mut [T]) -> Result<()> {
        row.copy_from_slice(self);
        Ok(())
    }
}

impl<T: Element> Stack for Vec<T> {
    type Element = T;

    fn shape(&self) -> impl AsRef<[usize]> {
        [self.len()]
    }

    fn write(&self, row: &mut [T]) -> Result<()> {
        row.copy_from_slice(self);
        Ok(())
    }
}

impl<T: Element> Stack for Tensor<T> {
    type Element = T;

    fn shape(&self) -> impl AsRef<[usize]> {
        Tensor::shape(self)
    }

    fn write(&self, row: &mut [T]) -> Result<()> {
        match self.as_slice() {
            Some(elements) => row.copy_from_slice(elements),
            None => row.copy_from_slice(&self.to_vec()?),
        }
        Ok(())
    }
}

/// The values of `rows` side by side along a new first axis; `what` names them in errors.
pub(super) fn stack<'a, S: Stack>(
    what: &str,
    rows: &[usize],
    values: impl Iterator<Item = &'a S> + Clone,
) -> Result<Tensor<S::Element>> {
    let mut sizes = Sizes::from_slice(&[rows.len()]);
    if let Some(first) = values.clone().next() {
        sizes.extend(first.shape().as_ref().iter().copied());
    }
    let shape = Sizes::from_slice(&sizes[1..]);
    let count = shape.iter().product::<usize>();
    Tensor::write(sizes, |output| {
        for (i, (value, &row)) in values.zip(rows).enumerate() {
            if value.shape().as_ref() != &shape[..] {
                let found = value.shape();
                let (found, first) = (found.as_ref(), rows[0]);
                return Err(Error::Row {
                    row,
                    message: format!("{what} of shape {found:?}, where row {first} has {shape:?}"),
                });
            }
            value.write(&mut output[i * count..][..count])?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stacked<S: Stack>(values: &[S]) -> Result<(Vec<usize>, Vec<S::Element>)> {
        let rows: Vec<usize> = (0..values.len()).collect();
        let tensor = stack("inputs", &rows, values.iter())?;
        Ok((tensor.shape().to_vec(), tensor.to_vec()?))
    }

    #[test]
    fn values_of_every_kind_become_rows() {
        assert_eq!(stacked(&[3_i64, 4]).unwrap(), (vec![2], vec![3, 4]));
        let pairs = (vec![2, 2], vec![1.0, 2.0, 3.0, 4.0]);
        assert_eq!(stacked(&[[1.0_f32, 2.0], [3.0, 4.0]]).unwrap(), pairs);
        assert_eq!(
            stacked(&[vec![1.0_f32, 2.0], vec![3.0, 4.0]]).unwrap(),
            pairs
        );
        let image = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
        let turned = image.transpose(0, 1).unwrap();
        assert_eq!(
            stacked(&[image, turned]).unwrap(),
            (vec![2, 2, 2], vec![1.0, 2.0, 3.0, 4.0, 1.0, 3.0, 2.0, 4.0])
        );
    }

    #[test]
    fn a_row_of_another_shape_is_named() {
        let error = stacked(&[vec![1.0_f32], vec![2.0], vec![3.0, 4.0]]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "row 2 of the data set: inputs of shape [2], where row 0 has [1]"
        );
    }
}
