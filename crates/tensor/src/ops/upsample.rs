//! Images made larger.

use super::dense;
use crate::cpu;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::ops::spatial::PerSpatialAxis;
use crate::shape::{Shape, Sizes};
use crate::tensor::Tensor;

impl<T: Element> Tensor<T> {
    /// Each element as a block of `scale` rows and columns: element (i, j) of a plane of the result
    /// is the nearest of the input, (⌊i / s⌋, ⌊j / s⌋).
    ///
    /// # Shapes
    /// `[…, H, W]` → `[…, H·s, W·s]`, with one scale or one for each axis.
    ///
    /// # Errors
    /// There must be two axes, and the scale at least 1.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1, 2]]);
    /// let y = x.upsample_nearest2d(2)?;
    /// assert_eq!(y.shape(), [2, 4]);
    /// assert_eq!(y.to_vec()?, [1, 1, 2, 2, 1, 1, 2, 2]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "interpolate")]
    pub fn upsample_nearest2d(&self, scale: impl Into<PerSpatialAxis>) -> Result<Self> {
        const OP: &str = "upsample_nearest2d";
        let scale = scale.into().resolve(OP, "scale", 2, 1)?;
        let &[ref leading @ .., _, width] = self.shape() else {
            return Err(Error::Shape {
                op: OP,
                expected: "at least two axes".into(),
                found: Sizes::from_slice(self.shape()),
            });
        };
        let size = |axis: usize| self.shape()[self.rank() - 2 + axis].saturating_mul(scale[axis]);
        let sizes = [leading, &[size(0), size(1)]].concat();
        let shape = Shape::contiguous(OP, &sizes)?;
        let input = self.in_order(OP)?;
        let input = dense(OP, &input)?;
        Self::build(OP, shape, |output| {
            if !output.is_empty() {
                cpu::upsample::nearest(input, width, [scale[0], scale[1]], output);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_element_is_the_nearest_of_the_input(
            leading in prop::collection::vec(0usize..3, 0..3),
            sizes in prop::array::uniform2(0usize..5),
            scale in prop::array::uniform2(1usize..5),
            transposed in any::<bool>(),
        ) {
            let [height, width] = sizes;
            let shape = [&leading[..], &[height, width]].concat();
            let count = shape.iter().product::<usize>() as i64;
            let x = Tensor::<i64>::arange(0, count, 1).unwrap().reshape(shape).unwrap();
            let x = if transposed { x.transpose(-1, -2).unwrap() } else { x };
            let y = x.upsample_nearest2d(scale).unwrap();
            let mut expected = x.clone();
            for (axis, scale) in [(-2, scale[0]), (-1, scale[1])] {
                let size = expected.shape()[(expected.rank() as isize + axis) as usize];
                let places = (0..size * scale).map(|place| (place / scale) as i64);
                let places = Tensor::from(places.collect::<Vec<_>>());
                expected = expected.index_select(axis, &places).unwrap();
            }
            prop_assert_eq!(y.shape(), expected.shape());
            prop_assert_eq!(y.to_vec(), expected.to_vec());
        }
    }

    #[test]
    fn what_cannot_be_made_larger_is_told() {
        let x = Tensor::<f32>::zeros([2, 3]).unwrap();
        let told = |result: Result<Tensor>| result.map(drop).unwrap_err().to_string();
        assert_eq!(
            told(Tensor::from([1.0, 2.0]).upsample_nearest2d(2)),
            "upsample_nearest2d: expected at least two axes, found shape [2]"
        );
        assert_eq!(
            told(x.upsample_nearest2d([2, 0])),
            "upsample_nearest2d: scale must be at least 1, found 0"
        );
        let huge = usize::MAX / 2;
        assert!(told(x.upsample_nearest2d(huge)).contains("more elements than memory can address"));
    }
}
