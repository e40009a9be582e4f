//! The work a backend does, and what it works on.

use std::any::Any;
use std::sync::Arc;

use super::Backend;
use crate::element::Element;
use crate::error::{Error, Result};
use crate::program::{Comparison, Program};
use crate::shape::Shape;

/// Memory of an accelerator: whatever its kernels allocate, shared between tensors.
pub type Memory = Arc<dyn Any + Send + Sync>;

/// An operand in an accelerator's memory: elements and how they lie there.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// What a kernel of the same accelerator allocated.
    pub memory: &'a Memory,
    /// Sizes, strides and offset of the elements in it.
    pub shape: &'a Shape,
}

impl<'a> Operand<'a> {
    /// The memory as the type that the backend allocates.
    ///
    /// # Errors
    /// [`Error::Device`] if it is of another type, which a backend that allocates one type for
    /// each element type never meets.
    pub fn memory_as<M: Any>(&self, op: &'static str, backend: &dyn Backend) -> Result<&'a M> {
        self.memory.downcast_ref().ok_or_else(|| Error::Device {
            op,
            device: backend.name().into(),
            message: format!("memory is not of type {}", std::any::type_name::<M>()),
        })
    }

    /// The place in memory of each element, in row-major order.
    pub fn positions(&self) -> impl Iterator<Item = usize> + use<'a> {
        let (shape, strides) = (self.shape, self.shape.strides());
        (0..shape.count()).map(move |index| {
            let mut rest = index;
            let axes = shape.sizes().iter().zip(&strides).rev();
            axes.fold(shape.offset(), |position, (&size, &stride)| {
                let coordinate = rest % size;
                rest /= size;
                position.wrapping_add_signed(coordinate as isize * stride)
            })
        })
    }
}

/// How the elements along some axes become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reduction {
    /// Their sum; 0 if there are none.
    Sum,
    /// Their product; 1 if there are none.
    Product,
    /// The largest; NaN if one is NaN.
    Max,
    /// The smallest; NaN if one is NaN.
    Min,
    /// Whether one of them holds, for `bool`.
    Any,
    /// Whether all of them hold, for `bool`.
    All,
}

/// Which element along an axis is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ArgReduction {
    /// The first of the largest.
    ArgMax,
    /// The first of the smallest.
    ArgMin,
}

/// The work an accelerator can do for one element type: a short, closed list of shapes of work.
///
/// New mathematics needs no change in a backend: a formula arrives as a [`Program`].
///
/// Arguments have been checked, and operands are of this very device. They may be views, with
/// strides of any sign and with 0 where an axis is broadcast, and they may be empty. A result is
/// contiguous in row-major order from the start of fresh memory, and of the operand's element type
/// unless it says otherwise. Operands stay as they are.
///
/// # Errors
/// A kernel with a body here is optional: until a backend has its own, it is an [`Error::Device`]
/// that says "not offered by this device". That is also what a backend should say to a reduction
/// it does not know ([`not_offered`]), and to formulas of `i64` and `bool`, by leaving
/// [`pointwise`](Kernels::pointwise) as it is.
pub trait Kernels<T: Element>: Backend {
    /// Copies elements from main memory.
    fn upload(&self, elements: &[T]) -> Result<Memory>;

    /// Copies an operand's elements to main memory, in row-major order. `into` has their number.
    fn download(&self, operand: Operand<'_>, into: &mut [T]) -> Result<()>;

    /// `value`, as often as the sizes say.
    fn fill(&self, value: T, sizes: &[usize]) -> Result<Memory> {
        let _ = (value, sizes);
        Err(not_offered::<T>("fill", self.name()))
    }

    /// The elements of an operand, one after the other in row-major order.
    fn copy(&self, operand: Operand<'_>) -> Result<Memory> {
        let _ = operand;
        Err(not_offered::<T>("copy", self.name()))
    }

    /// The results of a program, whose inputs are the operands' elements at one place.
    ///
    /// All operands have the sizes given, and there is one for each input. Only `f32` and `f64`
    /// are asked for.
    fn pointwise(
        &self,
        program: &Program,
        operands: &[Operand<'_>],
        sizes: &[usize],
    ) -> Result<Memory> {
        let _ = (operands, sizes);
        Err(not_offered::<T>(program.name(), self.name()))
    }

    /// Whether each pair of elements compares so, as `bool`. Both operands have the same sizes.
    fn compare(
        &self,
        comparison: Comparison,
        left: Operand<'_>,
        right: Operand<'_>,
    ) -> Result<Memory> {
        let _ = (comparison, left, right);
        Err(not_offered::<T>("compare", self.name()))
    }

    /// The elements of `if_true` where the mask, an operand of `bool`, holds, and of `if_false`
    /// elsewhere. All three have the same sizes.
    fn select(
        &self,
        mask: Operand<'_>,
        if_true: Operand<'_>,
        if_false: Operand<'_>,
    ) -> Result<Memory> {
        let _ = (mask, if_true, if_false);
        Err(not_offered::<T>("select", self.name()))
    }

    /// The elements along the axes, made one; the other axes stay, in their order.
    ///
    /// The axes are ascending and may be none or all. For a maximum or minimum, they are not empty.
    fn reduce(&self, reduction: Reduction, operand: Operand<'_>, axes: &[usize]) -> Result<Memory> {
        let _ = (reduction, operand, axes);
        Err(not_offered::<T>("reduce", self.name()))
    }

    /// The index along an axis of the element looked for, as `i64`; the other axes stay.
    fn arg_reduce(
        &self,
        reduction: ArgReduction,
        operand: Operand<'_>,
        axis: usize,
    ) -> Result<Memory> {
        let _ = (reduction, operand, axis);
        Err(not_offered::<T>("arg_reduce", self.name()))
    }

    /// The matrix products of `[…, M, K]` and `[…, K, N]`: `[…, M, N]`.
    ///
    /// The axes before the last two are equal in both.
    fn matmul(&self, left: Operand<'_>, right: Operand<'_>) -> Result<Memory> {
        let _ = (left, right);
        Err(not_offered::<T>("matmul", self.name()))
    }

    /// The elements of an operand at indices along an axis.
    ///
    /// `indices`, of `i64`, has the sizes of the result, which along the other axes are at most
    /// those of the operand: `result[…, i, …] = operand[…, indices[…, i, …], …]`.
    ///
    /// # Errors
    /// [`Error::Index`] for an index outside the axis: only the kernel sees them.
    fn gather(&self, operand: Operand<'_>, axis: usize, indices: Operand<'_>) -> Result<Memory> {
        let _ = (operand, axis, indices);
        Err(not_offered::<T>("gather", self.name()))
    }

    /// `base` with elements added at indices along an axis, the reverse of [`gather`]:
    /// `result[…, indices[…, i, …], …] += elements[…, i, …]`, in the order of `i`.
    ///
    /// `indices`, of `i64`, has the sizes of `elements`, which along the other axes are at most
    /// those of `base`.
    ///
    /// # Errors
    /// [`Error::Index`] for an index outside the axis.
    ///
    /// [`gather`]: Kernels::gather
    fn scatter_add(
        &self,
        base: Operand<'_>,
        axis: usize,
        indices: Operand<'_>,
        elements: Operand<'_>,
    ) -> Result<Memory> {
        let _ = (base, axis, indices, elements);
        Err(not_offered::<T>("scatter_add", self.name()))
    }

    /// The elements sorted along an axis, and their indices before that, as `i64`.
    ///
    /// In either order, the first of equal elements comes first, and NaN comes last.
    fn sort(
        &self,
        operand: Operand<'_>,
        axis: usize,
        descending: bool,
    ) -> Result<(Memory, Memory)> {
        let _ = (operand, axis, descending);
        Err(not_offered::<T>("sort", self.name()))
    }
}

/// The error that says that a device does not do an operation on elements of type `T`.
pub fn not_offered<T: Element>(op: &'static str, device: &str) -> Error {
    Error::Device {
        op,
        device: device.into(),
        message: format!("not offered by this device for {}", T::NAME),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Nowhere;
    impl Backend for Nowhere {
        fn name(&self) -> &str {
            "nowhere"
        }
    }
    impl Kernels<i64> for Nowhere {
        fn upload(&self, _: &[i64]) -> Result<Memory> {
            Ok(Arc::new(()))
        }
        fn download(&self, _: Operand<'_>, _: &mut [i64]) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_kernel_that_is_left_out_answers_that_it_is_not_offered() {
        let memory: Memory = Arc::new(());
        let x = Operand {
            memory: &memory,
            shape: &Shape::vector(2),
        };
        let square = Program::trace("square", |[x]| x * x);
        for (kernel, result) in [
            ("fill", Nowhere.fill(1, &[2])),
            ("copy", Nowhere.copy(x)),
            ("square", Nowhere.pointwise(&square, &[x], &[2])),
            ("compare", Nowhere.compare(Comparison::Less, x, x)),
            ("select", Nowhere.select(x, x, x)),
            ("reduce", Nowhere.reduce(Reduction::Sum, x, &[0])),
            ("arg_reduce", Nowhere.arg_reduce(ArgReduction::ArgMax, x, 0)),
            ("matmul", Nowhere.matmul(x, x)),
            ("gather", Nowhere.gather(x, 0, x)),
            ("scatter_add", Nowhere.scatter_add(x, 0, x, x)),
            ("sort", Nowhere.sort(x, 0, false).map(|(sorted, _)| sorted)),
        ] {
            let message = result.map(drop).unwrap_err().to_string();
            let expected = format!("{kernel}: nowhere: not offered by this device for i64");
            assert_eq!(message, expected);
        }
    }

    #[test]
    fn positions_follow_the_strides_in_row_major_order() {
        let memory: Memory = Arc::new(());
        let positions = |shape: Shape| {
            let operand = Operand {
                memory: &memory,
                shape: &shape,
            };
            operand.positions().collect::<Vec<_>>()
        };
        let grid = Shape::grid(&[2, 3]);
        assert_eq!(positions(grid.clone()), [0, 1, 2, 3, 4, 5]);
        assert_eq!(positions(grid.permute(&[1, 0])), [0, 3, 1, 4, 2, 5]);
        assert_eq!(positions(grid.slice(1, 2, -2, 2)), [2, 0, 5, 3]);
        assert_eq!(positions(Shape::grid(&[0, 3])), []);
        assert_eq!(positions(Shape::scalar()), [0]);
        let repeated = Shape::vector(2).expand("test", &[2, 2]);
        assert_eq!(repeated.map(positions), Ok(vec![0, 1, 0, 1]));
    }

    #[test]
    fn memory_of_another_type_is_an_error() {
        let memory: Memory = Arc::new(vec![1.0_f64]);
        let operand = Operand {
            memory: &memory,
            shape: &Shape::vector(1),
        };
        let found = operand.memory_as::<Vec<f64>>("read", &Nowhere);
        assert_eq!(found, Ok(&vec![1.0]));
        let error = operand.memory_as::<Vec<f32>>("read", &Nowhere).unwrap_err();
        assert_eq!(
            error.to_string(),
            "read: nowhere: memory is not of type alloc::vec::Vec<f32>"
        );
    }
}
