//! Which axes a reduction runs over.

use std::ops::RangeFull;

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::shape::{Sizes, resolve_axis};

/// The axes a reduction runs over, and whether they stay with size 1.
///
/// Every reduction takes anything that becomes `Axes`: one axis, several, or `..` for all of them;
/// negative axes count from the end. Reduced axes are dropped, unless they are wrapped in
/// [`keep`]. An empty list means no axis, and so no reduction.
///
/// # Example
///
/// ```
/// use macula_tensor::{Tensor, keep};
///
/// let x = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
/// assert_eq!(x.sum(..)?.item()?, 10.0);
/// assert_eq!(x.sum(0)?.to_vec()?, [4.0, 6.0]);
/// assert_eq!(x.sum(keep(-1))?.shape(), [2, 1]);
/// assert_eq!(x.sum([0, 1])?.shape(), []);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes {
    /// `None` means all.
    list: Option<SmallVec<[isize; 4]>>,
    keep: bool,
}

/// The same axes, kept with size 1 in the result, so that it broadcasts against the input.
pub fn keep(axes: impl Into<Axes>) -> Axes {
    Axes {
        keep: true,
        ..axes.into()
    }
}

impl From<isize> for Axes {
    fn from(axis: isize) -> Self {
        Self::from([axis])
    }
}

impl<const N: usize> From<[isize; N]> for Axes {
    fn from(axes: [isize; N]) -> Self {
        Self::from(&axes[..])
    }
}

impl From<&[isize]> for Axes {
    fn from(axes: &[isize]) -> Self {
        Self {
            list: Some(SmallVec::from_slice(axes)),
            keep: false,
        }
    }
}

impl<const N: usize> From<&[isize; N]> for Axes {
    fn from(axes: &[isize; N]) -> Self {
        Self::from(&axes[..])
    }
}

impl From<Vec<isize>> for Axes {
    fn from(axes: Vec<isize>) -> Self {
        Self::from(&axes[..])
    }
}

impl From<&Vec<isize>> for Axes {
    fn from(axes: &Vec<isize>) -> Self {
        Self::from(&axes[..])
    }
}

impl From<RangeFull> for Axes {
    fn from(_: RangeFull) -> Self {
        Self {
            list: None,
            keep: false,
        }
    }
}

/// Axes, checked against the sizes of a tensor.
pub(crate) struct Reduced {
    /// For each axis, whether it is reduced.
    pub(crate) flags: SmallVec<[bool; 4]>,
    /// Elements that come together in one result.
    pub(crate) count: usize,
    /// Sizes with each reduced axis as 1.
    pub(crate) kept: Sizes,
    /// Sizes of the result.
    pub(crate) sizes: Sizes,
}

impl Axes {
    /// Whether all axes were asked for, by `..`.
    pub(crate) fn is_all(&self) -> bool {
        self.list.is_none()
    }

    /// The sizes of a reduced tensor with each reduced axis as 1, whether it is kept or not.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    pub fn kept_shape(&self, op: &'static str, sizes: &[usize]) -> Result<Sizes> {
        Ok(self.resolve(op, sizes)?.kept)
    }

    /// The axes as flags.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    pub(crate) fn resolve(&self, op: &'static str, sizes: &[usize]) -> Result<Reduced> {
        let rank = sizes.len();
        let mut flags = SmallVec::from_elem(self.is_all(), rank);
        for &axis in self.list.iter().flatten() {
            let axis = resolve_axis(op, axis, rank)?;
            if std::mem::replace(&mut flags[axis], true) {
                return Err(Error::Argument {
                    op,
                    argument: "axes",
                    expected: "named once each".into(),
                    found: format!("axis {axis} twice"),
                });
            }
        }
        let mut reduced = Reduced {
            count: 1,
            kept: Sizes::from_slice(sizes),
            sizes: Sizes::new(),
            flags,
        };
        for (axis, &size) in sizes.iter().enumerate() {
            if reduced.flags[axis] {
                reduced.count *= size;
                reduced.kept[axis] = 1;
            }
            if !reduced.flags[axis] || self.keep {
                reduced.sizes.push(reduced.kept[axis]);
            }
        }
        Ok(reduced)
    }
}

impl Reduced {
    /// The same, for reductions that have no value over nothing.
    ///
    /// # Errors
    /// No reduced axis may have size 0.
    pub(crate) fn not_empty(self, op: &'static str, found: &[usize]) -> Result<Self> {
        if self.count == 0 {
            return Err(Error::Shape {
                op,
                expected: "at least one element along the reduced axes".into(),
                found: Sizes::from_slice(found),
            });
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(axes: impl Into<Axes>) -> Result<Vec<usize>> {
        let reduced = axes.into().resolve("sum", &[2, 3, 4])?;
        Ok(reduced.sizes.to_vec())
    }

    #[test]
    fn reduced_axes_are_dropped_or_kept() {
        assert_eq!(sizes(1), Ok(vec![2, 4]));
        assert_eq!(sizes([0, -1]), Ok(vec![3]));
        assert_eq!(sizes(keep([0, -1])), Ok(vec![1, 3, 1]));
        assert_eq!(sizes(..), Ok(vec![]));
        assert_eq!(sizes(keep(..)), Ok(vec![1, 1, 1]));
        assert_eq!(sizes([]), Ok(vec![2, 3, 4]));
        let (array, list) = ([0, -1], vec![0, -1]);
        assert_eq!(Axes::from(&array), Axes::from(array));
        assert_eq!(Axes::from(&list), Axes::from(list));
    }

    #[test]
    fn an_axis_twice_or_out_of_range_is_an_error() {
        assert_eq!(
            sizes([1, -2]).unwrap_err().to_string(),
            "sum: axes must be named once each, found axis 1 twice"
        );
        assert!(matches!(sizes(3), Err(Error::Axis { axis: 3, .. })));
    }
}
