//! SIMD lanes: one register of numbers as a [`Scalar`].
//!
//! [`Lanes`] wraps a register of the instruction set `S` (AVX2, AVX-512, NEON, or arrays where
//! there is none) so that a formula written for one number runs on 4 to 16 of them. The
//! instruction sets come from `pulp`, whose safe wrappers let the whole crate forbid `unsafe`;
//! this file is the only one that names its operations. The elementary functions that no processor
//! has (`exp`, `ln`, …) stand in [`elementary`](super::elementary).
//!
//! Everything is `#[inline(always)]`: a function that is not inlined into the caller is compiled
//! without the caller's instruction set, and each operation becomes a call, 25 times slower.

use std::ops::{Add, Div, Mul, Neg, Sub};

use pulp::{Simd, WithSimd};

use super::elementary;
use crate::scalar::Scalar;

/// A number type that fills SIMD registers: `f32` and `f64`.
///
/// Its functions name the operations of a register of `S`; [`Lanes`] makes operators of them.
pub trait LaneFloat: elementary::Coefficients + Copy + Send + Sync + 'static {
    /// A register of numbers.
    type Vector<S: Simd>: Copy;
    /// One truth value for each number of a register.
    type Mask<S: Simd>: Copy;

    /// Numbers in a register.
    fn width<S: Simd>() -> usize;
    /// `value` rounded to this type.
    fn from_f64(value: f64) -> Self;

    /// Splits a slice into whole registers and what is left over.
    fn split<S: Simd>(slice: &[Self]) -> (&[Self::Vector<S>], &[Self]);
    /// Splits a slice into whole registers to write to and what is left over.
    fn split_mut<S: Simd>(slice: &mut [Self]) -> (&mut [Self::Vector<S>], &mut [Self]);
    /// Loads less than a register; the lanes past the slice are 0.
    fn load_partial<S: Simd>(simd: S, slice: &[Self]) -> Self::Vector<S>;
    /// Stores the first lanes of a register, as many as the slice has room for.
    fn store_partial<S: Simd>(simd: S, slice: &mut [Self], vector: Self::Vector<S>);

    /// The same number in every lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    /// a + b.
    fn add<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a − b.
    fn sub<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a · b.
    fn mul<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a / b.
    fn div<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// −a.
    fn neg<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S>;
    /// |a|.
    fn abs<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S>;
    /// √a.
    fn sqrt<S: Simd>(simd: S, a: Self::Vector<S>) -> Self::Vector<S>;
    /// a · b + c, rounded once where the processor can.
    fn mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;

    /// a < b.
    fn less<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    /// a ≤ b.
    fn less_equal<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    /// a = b.
    fn equal<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    /// `a` where the mask holds, `b` elsewhere.
    fn select<S: Simd>(
        simd: S,
        mask: Self::Mask<S>,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
    ) -> Self::Vector<S>;

    /// 2^n for an integral n between the exponents of the smallest and the largest normal number.
    fn power_of_two<S: Simd>(simd: S, n: Self::Vector<S>) -> Self::Vector<S>;
    /// For a positive normal x = m · 2^e with m in [1, 2): the pair (m, e).
    fn split_exponent<S: Simd>(simd: S, x: Self::Vector<S>) -> (Self::Vector<S>, Self::Vector<S>);
    /// The number with the magnitude of `a` and the sign bit of `sign`.
    fn copy_sign<S: Simd>(simd: S, a: Self::Vector<S>, sign: Self::Vector<S>) -> Self::Vector<S>;
}

/// One register of `T`s and the instruction set it belongs to.
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

    /// 2^n for an integral n between the exponents of the smallest and the largest normal number.
    #[inline(always)]
    pub(super) fn power_of_two(self) -> Self {
        Self::new(self.simd, T::power_of_two(self.simd, self.vector))
    }

    /// For a positive normal x = m · 2^e with m in [1, 2): the pair (m, e).
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
}

/// Runs `work` on one number at a time: `evaluate(x, |x| x.exp())` for tests and single values.
pub fn single<T: LaneFloat>(value: T) -> Lanes<pulp::Scalar, T> {
    Lanes::splat(pulp::Scalar::new(), value)
}

/// Runs `work` with the widest instruction set this processor has.
///
/// Where there is none that `pulp` knows, the registers are arrays of 32 bytes and the compiler
/// does what it can with them.
#[inline(always)]
pub fn dispatch<W: WithSimd>(work: W) -> W::Output {
    match pulp::Arch::new() {
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V4(simd) => Simd::vectorize(simd, work),
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V3(simd) => Simd::vectorize(simd, work),
        #[cfg(target_arch = "aarch64")]
        pulp::Arch::Neon(simd) => Simd::vectorize(simd, work),
        _ => Simd::vectorize(pulp::Scalar256b, work),
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
        Self::select(self.abs().equal(self.constant(0.0)), self, one) + self * 0.0
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
    fn tanh(self) -> Self {
        elementary::tanh(self)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        elementary::sigmoid(self)
    }
    #[inline(always)]
    fn softplus(self) -> Self {
        elementary::softplus(self)
    }
    #[inline(always)]
    fn erf(self) -> Self {
        elementary::erf(self)
    }
    #[inline(always)]
    fn powf(self, exponent: f64) -> Self {
        elementary::powf(self, exponent)
    }
}

/// Implements [`LaneFloat`] for a float whose registers are `$vectors` and masks `$masks`.
///
/// The exponent of a float is moved in and out of its bits through 32-bit words, the one width
/// `pulp` can shift: for `f64` the exponent lives in the upper word of each pair. The numbers used:
/// `$shift`, the position of the exponent in its word; `$magic`, a power of two so large that its
/// last place, in the word that matters, is worth 1.
macro_rules! lane_float {
    ($T:ident, $vectors:ident, $masks:ident, $Bits:ident, $split:ident,
     $split_mut:ident, $load:ident, $store:ident, $splat:ident, $splat_bits:ident, $add:ident,
     $sub:ident, $mul:ident, $div:ident, $neg:ident, $abs:ident, $sqrt:ident, $mul_add:ident,
     $less:ident, $less_equal:ident, $equal:ident, $select:ident, $and:ident, $or:ident,
     $to_bits:ident, $from_bits:ident,
     lanes: $LANES:ident, shift: $shift:expr, magic: $magic:expr, exponent_mask: $exponent:expr) => {
        impl LaneFloat for $T {
            type Vector<S: Simd> = S::$vectors;
            type Mask<S: Simd> = S::$masks;

            #[inline(always)]
            fn width<S: Simd>() -> usize {
                S::$LANES
            }
            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as Self
            }
            #[inline(always)]
            fn split<S: Simd>(slice: &[Self]) -> (&[S::$vectors], &[Self]) {
                S::$split(slice)
            }
            #[inline(always)]
            fn split_mut<S: Simd>(slice: &mut [Self]) -> (&mut [S::$vectors], &mut [Self]) {
                S::$split_mut(slice)
            }
            #[inline(always)]
            fn load_partial<S: Simd>(simd: S, slice: &[Self]) -> S::$vectors {
                simd.$load(slice)
            }
            #[inline(always)]
            fn store_partial<S: Simd>(simd: S, slice: &mut [Self], vector: S::$vectors) {
                simd.$store(slice, vector);
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vectors {
                simd.$splat(value)
            }
            #[inline(always)]
            fn add<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$vectors {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn sub<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$vectors {
                simd.$sub(a, b)
            }
            #[inline(always)]
            fn mul<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$vectors {
                simd.$mul(a, b)
            }
            #[inline(always)]
            fn div<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$vectors {
                simd.$div(a, b)
            }
            #[inline(always)]
            fn neg<S: Simd>(simd: S, a: S::$vectors) -> S::$vectors {
                simd.$neg(a)
            }
            #[inline(always)]
            fn abs<S: Simd>(simd: S, a: S::$vectors) -> S::$vectors {
                simd.$abs(a)
            }
            #[inline(always)]
            fn sqrt<S: Simd>(simd: S, a: S::$vectors) -> S::$vectors {
                simd.$sqrt(a)
            }
            #[inline(always)]
            fn mul_add<S: Simd>(
                simd: S,
                a: S::$vectors,
                b: S::$vectors,
                c: S::$vectors,
            ) -> S::$vectors {
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn less<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$masks {
                simd.$less(a, b)
            }
            #[inline(always)]
            fn less_equal<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$masks {
                simd.$less_equal(a, b)
            }
            #[inline(always)]
            fn equal<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$masks {
                simd.$equal(a, b)
            }
            #[inline(always)]
            fn select<S: Simd>(
                simd: S,
                mask: S::$masks,
                a: S::$vectors,
                b: S::$vectors,
            ) -> S::$vectors {
                simd.$select(mask, a, b)
            }
            #[inline(always)]
            fn power_of_two<S: Simd>(simd: S, n: S::$vectors) -> S::$vectors {
                if S::IS_SCALAR {
                    // One number at a time there is no word to shift within.
                    let mut single = [0.0];
                    simd.$store(&mut single, n);
                    let bias = (<$T>::MAX_EXP - 1) as f64;
                    let bits = ((single[0] as f64 + bias) as $Bits) << (<$T>::MANTISSA_DIGITS - 1);
                    return simd.$splat(<$T>::from_bits(bits));
                }
                // Adding `$magic` leaves n (plus the bias) as an integer in the lowest bits of the
                // word that holds the exponent; the shift moves it in place and drops the rest.
                let bias = (<$T>::MAX_EXP - 1) as $T;
                let biased = simd.$add(n, simd.$splat($magic + bias));
                let words: S::u32s = pulp::bytemuck::cast(biased);
                let shifted = simd.wrapping_dyn_shl_u32s(words, simd.splat_u32s($shift));
                pulp::bytemuck::cast(shifted)
            }
            #[inline(always)]
            fn split_exponent<S: Simd>(simd: S, x: S::$vectors) -> (S::$vectors, S::$vectors) {
                let bias = (<$T>::MAX_EXP - 1) as $T;
                let bits = simd.$to_bits(x);
                let fraction = simd.$and(bits, simd.$splat_bits(!$exponent));
                let one = simd.$splat_bits((1.0 as $T).to_bits());
                let mantissa = simd.$from_bits(simd.$or(fraction, one));
                if S::IS_SCALAR {
                    let mut single = [0.0 as $T];
                    simd.$store(&mut single, x);
                    let exponent = single[0].to_bits() >> (<$T>::MANTISSA_DIGITS - 1);
                    return (mantissa, simd.$splat(exponent as $T - bias));
                }
                // The way back: the exponent, shifted down, becomes the last bits of `$magic`.
                let words: S::u32s =
                    pulp::bytemuck::cast(simd.$and(bits, simd.$splat_bits($exponent)));
                let shifted = simd.wrapping_dyn_shr_u32s(words, simd.splat_u32s($shift));
                let with_magic = simd.$or(
                    pulp::bytemuck::cast(shifted),
                    simd.$splat_bits(($magic as $T).to_bits()),
                );
                let exponent = simd.$sub(simd.$from_bits(with_magic), simd.$splat($magic + bias));
                (mantissa, exponent)
            }
            #[inline(always)]
            fn copy_sign<S: Simd>(simd: S, a: S::$vectors, sign: S::$vectors) -> S::$vectors {
                let sign_bit = simd.$splat_bits((-0.0 as $T).to_bits());
                let magnitude = simd.$to_bits(simd.$abs(a));
                let sign = simd.$and(simd.$to_bits(sign), sign_bit);
                simd.$from_bits(simd.$or(magnitude, sign))
            }
        }
    };
}

lane_float!(
    f32, f32s, m32s, u32, as_simd_f32s, as_mut_simd_f32s, partial_load_f32s,
    partial_store_f32s, splat_f32s, splat_u32s, add_f32s, sub_f32s, mul_f32s, div_f32s, neg_f32s,
    abs_f32s, sqrt_f32s, mul_add_f32s, less_than_f32s, less_than_or_equal_f32s, equal_f32s,
    select_f32s, and_u32s, or_u32s, transmute_u32s_f32s, transmute_f32s_u32s,
    lanes: F32_LANES, shift: 23, magic: 8_388_608.0, exponent_mask: 0xFF80_0000_u32
);

lane_float!(
    f64, f64s, m64s, u64, as_simd_f64s, as_mut_simd_f64s, partial_load_f64s,
    partial_store_f64s, splat_f64s, splat_u64s, add_f64s, sub_f64s, mul_f64s, div_f64s, neg_f64s,
    abs_f64s, sqrt_f64s, mul_add_f64s, less_than_f64s, less_than_or_equal_f64s, equal_f64s,
    select_f64s, and_u64s, or_u64s, transmute_u64s_f64s, transmute_f64s_u64s,
    lanes: F64_LANES, shift: 20, magic: 1_048_576.0, exponent_mask: 0xFFF0_0000_0000_0000_u64
);
