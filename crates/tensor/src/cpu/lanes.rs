//! SIMD lanes: one register of numbers, or four in step, as a [`Scalar`].
//!
//! [`Lanes`] wraps a register of the instruction set `S` (AVX2, AVX-512, NEON, or arrays where
//! there is none) so that a formula written for one number runs on 4 to 16 of them. The
//! instruction sets come from `pulp`, whose safe wrappers let the whole crate forbid `unsafe`;
//! `lanes/float.rs` is the only file that names its operations. The elementary functions that no processor
//! has (`exp`, `ln`, …) stand in `elementary`.
//!
//! Everything is `#[inline(always)]`: a function that is not inlined into the caller is compiled
//! without the caller's instruction set, and each operation becomes a call, 25 times slower.

use std::ops::{Add, Div, Mul, Neg, Sub};

use pulp::Simd;

use super::elementary;
use crate::scalar::{Logistic, Scalar};

mod float;
mod horizontal;
mod in_step;
mod instruction_set;
mod prefetch;
mod single;
mod transpose;

pub use float::{LaneFloat, LaneMemory, WIDEST};
pub(in crate::cpu) use horizontal::{first_lanes, sum_registers};
pub use in_step::InStep;
pub use instruction_set::{InstructionSet, dispatch};
pub use prefetch::{AHEAD, prefetch, prefetch_after};
pub use single::single;
pub(in crate::cpu) use transpose::{transpose, transposes_in_registers};

/// One register of `T`s, or for `T` = [`InStep`] four, and the instruction set it belongs to.
///
/// `Lanes<pulp::Scalar, T>`, a register of one, is how a formula is evaluated on a single number.
#[derive(Clone, Copy)]
pub struct Lanes<S: Simd, T: LaneFloat> {
    simd: S,
    /// The register.
    pub vector: T::Vector<S>,
}

impl<S: Simd, T: LaneFloat> Lanes<S, T> {
    /// Wraps a register.
    #[inline(always)]
    pub fn new(simd: S, vector: T::Vector<S>) -> Self {
        Self { simd, vector }
    }

    /// The same number in every lane.
    #[inline(always)]
    pub fn splat(simd: S, value: T) -> Self {
        Self::new(simd, T::splat(simd, value))
    }

    /// e^x for x ≤ 0, in fewer operations than [`exp`](Scalar::exp) takes for any x. NaN stays NaN.
    #[inline(always)]
    pub fn exp_of_negative(self) -> Self {
        elementary::exp_of_negative(self)
    }

    /// The larger of two, in one operation where [`max`](Scalar::max) takes four; which of them it is
    /// where one is NaN is not said.
    #[inline(always)]
    pub fn larger(self, other: Self) -> Self {
        Self::new(self.simd, T::larger(self.simd, self.vector, other.vector))
    }

    /// 2^(n + shift) for an integral n and an exponent between those of the smallest and the
    /// largest normal number.
    #[inline(always)]
    pub(super) fn power_of_two(self, shift: i32) -> Self {
        Self::new(self.simd, T::power_of_two(self.simd, self.vector, shift))
    }

    /// For a positive normal x = m · 2^e with m in [√½, √2): the pair (m, e).
    #[inline(always)]
    pub(super) fn split_exponent(self) -> (Self, Self) {
        let (mantissa, exponent) = T::split_exponent(self.simd, self.vector);
        (
            Self::new(self.simd, mantissa),
            Self::new(self.simd, exponent),
        )
    }

    /// The number with the magnitude of `self` and the sign bit of `sign`.
    #[inline(always)]
    pub(super) fn copy_sign(self, sign: Self) -> Self {
        Self::new(self.simd, T::copy_sign(self.simd, self.vector, sign.vector))
    }

    /// `function` of every lane where the mask holds, one number at a time, and `otherwise`
    /// elsewhere.
    #[inline(always)]
    pub(super) fn patch(self, mask: T::Mask<S>, function: fn(f64) -> f64, otherwise: Self) -> Self {
        let vector = T::patch(self.simd, mask, function, self.vector, otherwise.vector);
        Self::new(self.simd, vector)
    }
}

impl<S: Simd, T: LaneMemory> Lanes<S, T> {
    /// Loads less than a register; the lanes past the slice are 0.
    #[inline(always)]
    pub fn load_partial(simd: S, slice: &[T]) -> Self {
        Self::new(simd, T::load_partial(simd, slice))
    }

    /// Stores the first lanes, as many as the slice has room for.
    #[inline(always)]
    pub fn store_partial(self, slice: &mut [T]) {
        T::store_partial(self.simd, slice, self.vector);
    }
}

impl<S: Simd, T: LaneFloat> Add for Lanes<S, T> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::new(self.simd, T::add(self.simd, self.vector, other.vector))
    }
}

impl<S: Simd, T: LaneFloat> Add<f64> for Lanes<S, T> {
    type Output = Self;
    #[inline(always)]
    fn add(self, constant: f64) -> Self {
        self + self.constant(constant)
    }
}

impl<S: Simd, T: LaneFloat> Sub for Lanes<S, T> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::new(self.simd, T::sub(self.simd, self.vector, other.vector))
    }
}

impl<S: Simd, T: LaneFloat> Sub<f64> for Lanes<S, T> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, constant: f64) -> Self {
        self - self.constant(constant)
    }
}

impl<S: Simd, T: LaneFloat> Mul for Lanes<S, T> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self::new(self.simd, T::mul(self.simd, self.vector, other.vector))
    }
}

impl<S: Simd, T: LaneFloat> Mul<f64> for Lanes<S, T> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, constant: f64) -> Self {
        self * self.constant(constant)
    }
}

impl<S: Simd, T: LaneFloat> Div for Lanes<S, T> {
    type Output = Self;
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self::new(self.simd, T::div(self.simd, self.vector, other.vector))
    }
}

impl<S: Simd, T: LaneFloat> Div<f64> for Lanes<S, T> {
    type Output = Self;
    #[inline(always)]
    fn div(self, constant: f64) -> Self {
        self / self.constant(constant)
    }
}

impl<S: Simd, T: LaneFloat> Neg for Lanes<S, T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::new(self.simd, T::neg(self.simd, self.vector))
    }
}

impl<S: Simd, T: LaneFloat> Scalar for Lanes<S, T> {
    type Mask = T::Mask<S>;

    #[inline(always)]
    fn constant(self, value: f64) -> Self {
        Self::splat(self.simd, T::from_f64(value))
    }

    #[inline(always)]
    fn less(self, other: Self) -> Self::Mask {
        T::less(self.simd, self.vector, other.vector)
    }
    #[inline(always)]
    fn less_equal(self, other: Self) -> Self::Mask {
        T::less_equal(self.simd, self.vector, other.vector)
    }
    #[inline(always)]
    fn equal(self, other: Self) -> Self::Mask {
        T::equal(self.simd, self.vector, other.vector)
    }
    #[inline(always)]
    fn select(mask: Self::Mask, if_true: Self, if_false: Self) -> Self {
        let simd = if_true.simd;
        Self::new(simd, T::select(simd, mask, if_true.vector, if_false.vector))
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        Self::new(
            self.simd,
            T::mul_add(self.simd, self.vector, factor.vector, term.vector),
        )
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self::new(self.simd, T::abs(self.simd, self.vector))
    }
    #[inline(always)]
    fn signum(self) -> Self {
        let one = self.constant(1.0).copy_sign(self);
        let nonzero = self.constant(0.0).less(self.abs());
        Self::select(nonzero, one, self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self::new(self.simd, T::sqrt(self.simd, self.vector))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // `other` is taken where it is larger or NaN, `self` where it is NaN itself.
        let larger = Self::select(other.less_equal(self), self, other);
        Self::select(self.equal(self), larger, self)
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        let smaller = Self::select(self.less_equal(other), self, other);
        Self::select(self.equal(self), smaller, self)
    }
    #[inline(always)]
    fn relu(self) -> Self {
        let zero = self.constant(0.0);
        Self::select(self.less_equal(zero), zero, self)
    }

    #[inline(always)]
    fn floor(self) -> Self {
        elementary::floor(self)
    }
    #[inline(always)]
    fn ceil(self) -> Self {
        elementary::ceil(self)
    }
    #[inline(always)]
    fn round(self) -> Self {
        elementary::round(self)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        elementary::exp(self)
    }
    #[inline(always)]
    fn exp_m1(self) -> Self {
        elementary::exp_m1(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        elementary::ln(self)
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        elementary::ln_1p(self)
    }
    #[inline(always)]
    fn log2(self) -> Self {
        elementary::log2(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        elementary::tanh(self)
    }
    #[inline(always)]
    fn logistic(self) -> Logistic<Self> {
        elementary::logistic(self)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        elementary::erf(self)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        elementary::sin(self)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        elementary::cos(self)
    }
    #[inline(always)]
    fn atan(self) -> Self {
        elementary::atan(self)
    }
    #[inline(always)]
    fn pow(self, exponent: Self) -> Self {
        elementary::pow(self, exponent)
    }
    #[inline(always)]
    fn powf(self, exponent: f64) -> Self {
        elementary::powf(self, exponent)
    }
}
