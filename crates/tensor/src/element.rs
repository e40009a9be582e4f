//! The types a tensor can hold.

use std::fmt::{Debug, Display};
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::cpu::convolution::{Pass, convolve};
use crate::cpu::copy::Transposed;
use crate::cpu::gemm::{Batch, Epilogue, matmul_batch};
use crate::cpu::lanes::{LaneMemory, dispatch};
use crate::cpu::sort::Ordered;
use crate::device::{Accelerator, Kernels};
use crate::storage::{Pool, Shelf};

/// A type a tensor can hold: `f32`, `f64`, `i64` (labels and indices) or `bool` (masks).
///
/// The list is closed: a backend has kernels for each of them.
pub trait Element: Copy + Default + PartialEq + Debug + Display + Send + Sync + 'static {
    /// Name of the type, as in `f32`.
    const NAME: &'static str;
    /// 0, or false.
    const ZERO: Self;
    /// 1, or true.
    const ONE: Self;

    #[doc(hidden)]
    fn shelf(pool: &mut Pool) -> &mut Shelf<Self>;

    /// Copies a matrix transposed.
    #[doc(hidden)]
    fn transpose(matrix: Transposed<'_, Self>);

    /// The kernels of a device for this type.
    fn kernels(accelerator: &dyn Accelerator) -> &dyn Kernels<Self>;
}

/// A type with arithmetic: `f32`, `f64` and `i64`.
pub trait Number:
    Element + PartialOrd + Ordered + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    /// `self + other`; integers wrap around at the ends of their range.
    fn wrapping_add(self, other: Self) -> Self;
}

/// A type that can have a gradient: `f32` and `f64`.
pub trait Float: Number + LaneMemory + Div<Output = Self> + Neg<Output = Self> {
    /// The distance from 1 to the next larger number.
    const EPSILON: f64;
    /// Whether the number is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Whether the number is NaN.
    fn is_nan(self) -> bool;

    /// The matrix products c\[m, n\] = a\[m, k\] · b\[k, n\] of sizes \[m, k, n\], one for each
    /// matrix of a batch.
    #[doc(hidden)]
    fn multiply(
        sizes: [usize; 3],
        a: Batch<'_, Self>,
        b: Batch<'_, Self>,
        c: &mut [Self],
        epilogue: Epilogue<'_, Self>,
    );

    /// A convolution, or one of its gradients.
    #[doc(hidden)]
    fn convolve(pass: Pass<'_, Self>, output: &mut [Self]);
}

macro_rules! element {
    ($($T:ident: $zero:literal, $one:literal, $transpose:expr;)*) => {$(
        impl Element for $T {
            const NAME: &'static str = stringify!($T);
            const ZERO: Self = $zero;
            const ONE: Self = $one;

            fn shelf(pool: &mut Pool) -> &mut Shelf<Self> {
                &mut pool.$T
            }

            fn transpose(matrix: Transposed<'_, Self>) {
                $transpose(matrix);
            }

            fn kernels(accelerator: &dyn Accelerator) -> &dyn Kernels<Self> {
                accelerator
            }
        }
    )*};
}
element!(
    f32: 0.0, 1.0, dispatch;
    f64: 0.0, 1.0, dispatch;
    // Registers move what they hold as it is.
    i64: 0, 1, |matrix: Transposed<'_, i64>| dispatch(matrix.cast::<f64>());
    bool: false, true, Transposed::one_by_one;
);

macro_rules! number {
    ($($T:ident: $add:path),*) => {$(
        impl Number for $T {
            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                $add(self, other)
            }
        }
    )*};
}
number!(
    f32: std::ops::Add::add,
    f64: std::ops::Add::add,
    i64: i64::wrapping_add
);

macro_rules! float {
    ($($T:ident),*) => {$(
        impl Float for $T {
            const EPSILON: f64 = $T::EPSILON as f64;

            fn is_finite(self) -> bool {
                $T::is_finite(self)
            }

            fn is_nan(self) -> bool {
                $T::is_nan(self)
            }

            fn multiply(
                sizes: [usize; 3],
                a: Batch<'_, Self>,
                b: Batch<'_, Self>,
                c: &mut [Self],
                epilogue: Epilogue<'_, Self>,
            ) {
                matmul_batch(sizes, a, b, c, epilogue);
            }

            fn convolve(pass: Pass<'_, Self>, output: &mut [Self]) {
                convolve(pass, output);
            }
        }
    )*};
}
float!(f32, f64);
