//! Other sizes for the same elements, one of them left open if wanted.

use smallvec::SmallVec;

use crate::element::Element;
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes};
use crate::tensor::Tensor;

impl<T: Element> Tensor<T> {
    /// The same elements, in row-major order, in another shape; copied only where strides cannot
    /// express it.
    ///
    /// One size may be −1: it becomes what the number of elements asks for.
    ///
    /// # Errors
    /// Both shapes must have the same number of elements; the sizes beside a −1 must divide it.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([1, 2, 3, 4, 5, 6]);
    /// assert_eq!(x.reshape([2, 3])?.shape(), [2, 3]);
    /// assert_eq!(x.reshape([-1, 2])?.shape(), [3, 2]);
    /// let rows: usize = 3;
    /// assert_eq!(x.reshape([rows, 2, 1])?.shape(), [3, 2, 1]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "view")]
    pub fn reshape(&self, shape: impl NewShape) -> Result<Self> {
        self.reshape_to(shape.sizes(self.count())?)
    }

    /// The part of [`reshape`](Self::reshape) that is the same for every kind of sizes.
    fn reshape_to(&self, sizes: Sizes) -> Result<Self> {
        let fresh = Shape::contiguous(OP, &sizes)?;
        if fresh.count() != self.count() {
            return Err(Error::Shape {
                op: OP,
                expected: format!("{} elements for shape {sizes:?}", fresh.count()),
                found: Sizes::from_slice(self.shape()),
            });
        }
        match self.shape.reshape(&sizes) {
            Some(shape) => Ok(self.with_shape(shape)),
            None => self.copied(OP, &sizes),
        }
    }
}

const OP: &str = "reshape";

/// The sizes that [`Tensor::reshape`] takes: an array, a slice or a vector of `usize`, or of
/// signed integers, one of which may be −1.
pub trait NewShape {
    /// The sizes for so many elements.
    ///
    /// # Errors
    /// At most one size may be −1, no other below 0, and the others must divide the number of
    /// elements.
    fn sizes(&self, elements: usize) -> Result<Sizes>;
}

/// An integer that can be a size.
pub trait Size: Copy {
    #[doc(hidden)]
    fn wide(self) -> i128;
}

macro_rules! sizes {
    ($($T:ident)*) => {$(
        impl Size for $T {
            fn wide(self) -> i128 {
                self as i128
            }
        }
    )*};
}
// With `i32`, because that is what an integer literal is where nothing else is said.
sizes!(usize isize i32 i64);

impl<S: Size> NewShape for [S] {
    fn sizes(&self, elements: usize) -> Result<Sizes> {
        let wide: SmallVec<[i128; 4]> = self.iter().map(|&size| size.wide()).collect();
        resolve(&wide, elements)
    }
}

impl<S: Size, const N: usize> NewShape for [S; N] {
    fn sizes(&self, elements: usize) -> Result<Sizes> {
        self[..].sizes(elements)
    }
}

impl<S: Size> NewShape for Vec<S> {
    fn sizes(&self, elements: usize) -> Result<Sizes> {
        self[..].sizes(elements)
    }
}

impl NewShape for Sizes {
    fn sizes(&self, _: usize) -> Result<Sizes> {
        Ok(self.clone())
    }
}

impl<N: NewShape + ?Sized> NewShape for &N {
    fn sizes(&self, elements: usize) -> Result<Sizes> {
        (**self).sizes(elements)
    }
}

/// The sizes, with a number in place of −1.
fn resolve(wide: &[i128], elements: usize) -> Result<Sizes> {
    let argument = |expected: String| Error::Argument {
        op: OP,
        argument: "shape",
        expected,
        found: format!("{wide:?}"),
    };
    if wide.iter().any(|&size| size < -1) {
        let expected = "sizes of at least 0, or -1 for the one that follows from the others";
        return Err(argument(expected.into()));
    }
    let mut open = wide.iter().filter(|&&size| size == -1);
    let rest = match (open.next(), open.next()) {
        (None, _) => 1,
        (Some(_), None) => {
            let given = wide.iter().filter(|&&size| size != -1);
            let product = given.fold(1_i128, |product, size| product.saturating_mul(*size));
            let elements = elements as i128;
            if product == 0 || elements % product != 0 {
                return Err(argument(format!(
                    "sizes beside -1 whose product divides {elements} elements"
                )));
            }
            elements / product
        }
        _ => return Err(argument("sizes of which at most one is -1".into())),
    };
    let size = |&size: &i128| usize::try_from(if size == -1 { rest } else { size });
    let sizes: std::result::Result<Sizes, _> = wide.iter().map(size).collect();
    sizes.map_err(|_| argument("sizes that memory can address".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn six() -> Tensor<i64> {
        Tensor::from([[1, 2, 3], [4, 5, 6]])
    }

    #[test]
    fn reshaping_a_transpose_reads_it_row_by_row() {
        let column = six().transpose(0, 1).unwrap().reshape([6]).unwrap();
        assert_eq!(column.to_vec().unwrap(), [1, 4, 2, 5, 3, 6]);
    }

    #[test]
    fn sizes_may_be_any_integers_in_any_list() {
        let x = six();
        let (unsigned, signed) = (vec![3_usize, 2], vec![3_i64, -1]);
        for y in [
            x.reshape([3, 2]),
            x.reshape([3, -1]),
            x.reshape([-1_isize, 2]),
            x.reshape(&unsigned[..]),
            x.reshape(&unsigned),
            x.reshape(unsigned),
            x.reshape(signed),
            x.reshape(Sizes::from_slice(&[3, 2])),
        ] {
            assert_eq!(y.unwrap().shape(), [3, 2]);
        }
        assert_eq!(x.reshape([-1]).unwrap().shape(), [6]);
        assert_eq!(x.reshape([2, 1, -1, 3]).unwrap().shape(), [2, 1, 1, 3]);
        let empty = x.narrow(0, 0, 0).unwrap();
        assert_eq!(empty.reshape([-1, 3]).unwrap().shape(), [0, 3]);
    }

    #[test]
    fn sizes_that_do_not_fit_are_told() {
        let told = |shape: &[isize]| six().reshape(shape).map(drop).unwrap_err().to_string();
        assert_eq!(
            told(&[4, 2]),
            "reshape: expected 8 elements for shape [4, 2], found shape [2, 3]"
        );
        assert_eq!(
            told(&[-1, 4]),
            "reshape: shape must be sizes beside -1 whose product divides 6 elements, found [-1, 4]"
        );
        assert_eq!(
            told(&[-1, 2, -1]),
            "reshape: shape must be sizes of which at most one is -1, found [-1, 2, -1]"
        );
        assert_eq!(
            told(&[-2, 3]),
            "reshape: shape must be sizes of at least 0, or -1 for the one that follows from the \
             others, found [-2, 3]"
        );
        // What −1 stands for would be anything.
        let empty = six().narrow(0, 0, 0).unwrap();
        assert!(empty.reshape([-1, 0]).is_err());
        assert!(six().reshape([usize::MAX, usize::MAX]).is_err());
        assert!(six().reshape([isize::MAX, isize::MAX, -1]).is_err());
    }
}
