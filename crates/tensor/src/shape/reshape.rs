//! Other sizes over the same elements.

use super::{Shape, Sizes, Strides};

impl Shape {
    /// A view with other sizes over the same elements in the same order, where strides allow it.
    pub(crate) fn reshape(&self, sizes: &[usize]) -> Option<Self> {
        Self::contiguous("reshape", sizes).ok()?;
        if self.is_contiguous() {
            return Some(Self::row_major(sizes, self.offset()));
        }
        // Match runs of old axes with runs of new axes of the same number of elements. A run of
        // old axes can be cut anew only if it is one even walk through memory.
        let steps = self.strides();
        let mut strides = Strides::from_elem(0, sizes.len());
        let (mut old, mut new) = (0, 0);
        while old < self.rank() && new < sizes.len() {
            let (old_start, new_start) = (old, new);
            let (mut old_count, mut new_count) = (self.sizes()[old], sizes[new]);
            (old, new) = (old + 1, new + 1);
            while old_count != new_count {
                if old_count < new_count {
                    old_count *= *self.sizes().get(old)?;
                    old += 1;
                } else {
                    new_count *= *sizes.get(new)?;
                    new += 1;
                }
            }
            let run = (old_start..old).filter(|&axis| self.sizes()[axis] != 1);
            let mut step = 0;
            let mut previous: Option<usize> = None;
            for axis in run {
                if let Some(outer) = previous
                    && steps[outer] != steps[axis] * self.sizes()[axis] as isize
                {
                    return None;
                }
                step = steps[axis];
                previous = Some(axis);
            }
            for axis in (new_start..new).rev() {
                strides[axis] = step;
                step *= sizes[axis] as isize;
            }
        }
        Some(Self::from_parts(
            Sizes::from_slice(sizes),
            strides,
            self.offset(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(sizes: &[usize]) -> Shape {
        Shape::contiguous("test", sizes).unwrap()
    }

    #[test]
    fn reshape_of_a_transpose_needs_a_copy_unless_axes_stay_whole() {
        let transposed = shape(&[2, 3]).permute(&[1, 0]);
        assert_eq!(transposed.reshape(&[6]), None);
        let split = transposed.reshape(&[3, 2, 1]).unwrap();
        assert_eq!(split.sizes(), &[3, 2, 1]);
        assert_eq!(split.strides()[..2], [1, 3]);
    }

    #[test]
    fn reshape_keeps_the_offset_of_a_slice() {
        let rows = shape(&[4, 6]).slice(0, 1, 2, 2);
        let view = rows.reshape(&[2, 2, 3]).unwrap();
        assert_eq!((view.offset(), &view.strides()[..]), (6, &[12, 3, 1][..]));
    }
}
