//! The operations of a register of `f32` or `f64`, under one name for both.

use pulp::Simd;

/// A number type that fills SIMD registers: `f32`, `f64`, and [`InStep`](super::InStep) of these.
///
/// Its functions name the operations of a register of `S`; [`Lanes`](super::Lanes) makes operators of them.
pub trait LaneFloat: Copy + Send + Sync + 'static {
    /// A register of numbers.
    type Vector<S: Simd>: Copy;
    /// One truth value for each number of a register.
    type Mask<S: Simd>: Copy;

    /// `value` rounded to this type.
    fn from_f64(value: f64) -> Self;
    /// This number as an `f64`.
    fn to_f64(self) -> f64;
    /// The one of two that is meant for this type: coefficients, a limit.
    fn choose<A>(for_f32: A, for_f64: A) -> A;

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
    /// The larger of two; which of them it is where one is NaN is not said.
    fn larger<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;

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

    /// 2^(n + shift) for an integral n and an exponent between those of the smallest and the
    /// largest normal number.
    fn power_of_two<S: Simd>(simd: S, n: Self::Vector<S>, shift: i32) -> Self::Vector<S>;
    /// For a positive normal x = m · 2^e with m in [√½, √2): the pair (m, e).
    fn split_exponent<S: Simd>(simd: S, x: Self::Vector<S>) -> (Self::Vector<S>, Self::Vector<S>);
    /// The number with the magnitude of `a` and the sign bit of `sign`.
    fn copy_sign<S: Simd>(simd: S, a: Self::Vector<S>, sign: Self::Vector<S>) -> Self::Vector<S>;

    /// `function` of every lane of `x` where the mask holds, one number at a time, and `otherwise`
    /// elsewhere: for arguments so rare that a call and a loop do not matter.
    fn patch<S: Simd>(
        simd: S,
        mask: Self::Mask<S>,
        function: fn(f64) -> f64,
        x: Self::Vector<S>,
        otherwise: Self::Vector<S>,
    ) -> Self::Vector<S>;
}

/// A number type whose slices are read and written in registers: `f32` and `f64`.
pub trait LaneMemory: LaneFloat {
    /// Numbers in a register.
    fn width<S: Simd>() -> usize;
    /// Splits a slice into whole registers and what is left over.
    fn split<S: Simd>(slice: &[Self]) -> (&[Self::Vector<S>], &[Self]);
    /// Splits a slice into whole registers to write to and what is left over.
    fn split_mut<S: Simd>(slice: &mut [Self]) -> (&mut [Self::Vector<S>], &mut [Self]);
    /// Loads less than a register; the lanes past the slice are 0.
    fn load_partial<S: Simd>(simd: S, slice: &[Self]) -> Self::Vector<S>;
    /// Stores the first lanes of a register, as many as the slice has room for.
    fn store_partial<S: Simd>(simd: S, slice: &mut [Self], vector: Self::Vector<S>);
    /// Moves every number `amount` lanes towards the first, the first ones to the end.
    fn rotate<S: Simd>(simd: S, vector: Self::Vector<S>, amount: usize) -> Self::Vector<S>;
    /// Exchanges every `half` lanes with the `half` after them, where one operation does it.
    fn swap_halves<S: Simd>(
        simd: S,
        vector: Self::Vector<S>,
        half: usize,
    ) -> Option<Self::Vector<S>>;
}

/// The most numbers that a register of any instruction set holds.
pub const WIDEST: usize = 16;

/// Overwrites every number by its `function`, computed in `f64`.
#[cold]
#[inline(never)]
fn apply_one_by_one<T: LaneFloat>(lanes: &mut [T], function: fn(f64) -> f64) {
    for lane in lanes {
        *lane = T::from_f64(function(lane.to_f64()));
    }
}

/// The arguments of [`LaneFloat::choose`].
struct Choices<A> {
    for_f32: A,
    for_f64: A,
}

/// Implements [`LaneFloat`] and [`LaneMemory`] for a float whose registers are `$vectors` and masks
/// `$masks`.
///
/// The exponent of a float is moved in and out of its bits through 32-bit words, the one width
/// `pulp` can shift: for `f64` the exponent lives in the upper word of each pair. The numbers used:
/// `$shift`, the position of the exponent in its word; `$magic`, a power of two so large that its
/// last place, in the word that matters, is worth 1; `$exponent`, what to keep of a number before
/// its exponent is shifted down (the lower word of an `f64` would leave bits behind).
macro_rules! lane_float {
    ($T:ident, $vectors:ident, $masks:ident, $Bits:ident, $split:ident,
     $split_mut:ident, $load:ident, $store:ident, $splat:ident, $splat_bits:ident, $add:ident,
     $sub:ident, $mul:ident, $div:ident, $neg:ident, $abs:ident, $sqrt:ident, $mul_add:ident, $max:ident,
     $less:ident, $less_equal:ident, $equal:ident, $first_true:ident, $select:ident, $and:ident,
     $or:ident, $add_bits:ident, $to_bits:ident, $from_bits:ident,
     $rotate:ident,
     lanes: $LANES:ident, choice: $choice:ident, shift: $shift:expr, magic: $magic:expr,
     exponent_mask: $exponent:expr) => {
        impl LaneFloat for $T {
            type Vector<S: Simd> = S::$vectors;
            type Mask<S: Simd> = S::$masks;

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as Self
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.into()
            }
            #[inline(always)]
            fn choose<A>(for_f32: A, for_f64: A) -> A {
                Choices { for_f32, for_f64 }.$choice
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
            fn larger<S: Simd>(simd: S, a: S::$vectors, b: S::$vectors) -> S::$vectors {
                simd.$max(a, b)
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
            fn power_of_two<S: Simd>(simd: S, n: S::$vectors, shift: i32) -> S::$vectors {
                let bias = (<$T>::MAX_EXP - 1 + shift) as $T;
                if S::IS_SCALAR {
                    // One number at a time there is no word to shift within.
                    let mut single = [0.0];
                    simd.$store(&mut single, n);
                    let bits = ((single[0] + bias) as $Bits) << (<$T>::MANTISSA_DIGITS - 1);
                    return simd.$splat(<$T>::from_bits(bits));
                }
                // Adding `$magic` leaves n (plus the bias) as an integer in the lowest bits of the
                // word that holds the exponent; the shift moves it in place and drops the rest.
                let biased = simd.$add(n, simd.$splat($magic + bias));
                let words: S::u32s = pulp::bytemuck::cast(biased);
                let shifted = simd.wrapping_dyn_shl_u32s(words, simd.splat_u32s($shift));
                pulp::bytemuck::cast(shifted)
            }
            #[inline(always)]
            fn split_exponent<S: Simd>(simd: S, x: S::$vectors) -> (S::$vectors, S::$vectors) {
                let bias = (<$T>::MAX_EXP - 1) as $T;
                let one = (1.0 as $T).to_bits();
                let sqrt_half = (std::f64::consts::FRAC_1_SQRT_2 as $T).to_bits();
                let fraction = (1 << (<$T>::MANTISSA_DIGITS - 1)) - 1;
                // Seen as integers, floats are in order: raised by 1 − √½, every number from
                // √½ · 2^e to below √2 · 2^e carries the exponent e.
                let raised = simd.$add_bits(simd.$to_bits(x), simd.$splat_bits(one - sqrt_half));
                let fraction = simd.$and(raised, simd.$splat_bits(fraction));
                let mantissa =
                    simd.$from_bits(simd.$add_bits(fraction, simd.$splat_bits(sqrt_half)));
                if S::IS_SCALAR {
                    let mut single = [0.0 as $T];
                    simd.$store(&mut single, simd.$from_bits(raised));
                    let exponent = single[0].to_bits() >> (<$T>::MANTISSA_DIGITS - 1);
                    return (mantissa, simd.$splat(exponent as $T - bias));
                }
                // The way back: the exponent, shifted down, becomes the last bits of `$magic`.
                let words: S::u32s =
                    pulp::bytemuck::cast(simd.$and(raised, simd.$splat_bits($exponent)));
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
            #[inline(always)]
            fn patch<S: Simd>(
                simd: S,
                mask: S::$masks,
                function: fn(f64) -> f64,
                x: S::$vectors,
                otherwise: S::$vectors,
            ) -> S::$vectors {
                // The position of the first true lane has another value for "none" in every
                // instruction set, so it is compared with that of a mask known to be empty.
                let zero = simd.$splat(0.0);
                let none = simd.$first_true(simd.$less(zero, zero));
                if simd.$first_true(mask) == none {
                    return otherwise;
                }
                let mut buffer = [0.0; WIDEST];
                let lanes = &mut buffer[..S::$LANES];
                simd.$store(lanes, x);
                apply_one_by_one(lanes, function);
                simd.$select(mask, simd.$load(lanes), otherwise)
            }
        }

        impl LaneMemory for $T {
            #[inline(always)]
            fn width<S: Simd>() -> usize {
                S::$LANES
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
            fn rotate<S: Simd>(simd: S, vector: S::$vectors, amount: usize) -> S::$vectors {
                simd.$rotate(vector, amount)
            }
            #[inline(always)]
            fn swap_halves<S: Simd>(
                simd: S,
                vector: S::$vectors,
                half: usize,
            ) -> Option<S::$vectors> {
                use pulp::bytemuck::cast;
                if 2 * half == S::$LANES {
                    return Some(simd.$rotate(vector, half));
                }
                // The parts of complex numbers, of 4 bytes or of 8.
                match half * size_of::<$T>() {
                    4 => Some(cast(simd.swap_re_im_c32s(cast(vector)))),
                    8 => Some(cast(simd.swap_re_im_c64s(cast(vector)))),
                    _ => None,
                }
            }
        }
    };
}

lane_float!(
    f32, f32s, m32s, u32, as_simd_f32s, as_mut_simd_f32s, partial_load_f32s,
    partial_store_f32s, splat_f32s, splat_u32s, add_f32s, sub_f32s, mul_f32s, div_f32s, neg_f32s,
    abs_f32s, sqrt_f32s, mul_add_f32s, max_f32s, less_than_f32s, less_than_or_equal_f32s, equal_f32s,
    first_true_m32s, select_f32s, and_u32s, or_u32s, add_u32s, transmute_u32s_f32s,
    transmute_f32s_u32s, rotate_left_f32s,
    lanes: F32_LANES, choice: for_f32, shift: 23, magic: 8_388_608.0, exponent_mask: 0xFFFF_FFFF_u32
);

lane_float!(
    f64, f64s, m64s, u64, as_simd_f64s, as_mut_simd_f64s, partial_load_f64s,
    partial_store_f64s, splat_f64s, splat_u64s, add_f64s, sub_f64s, mul_f64s, div_f64s, neg_f64s,
    abs_f64s, sqrt_f64s, mul_add_f64s, max_f64s, less_than_f64s, less_than_or_equal_f64s, equal_f64s,
    first_true_m64s, select_f64s, and_u64s, or_u64s, add_u64s, transmute_u64s_f64s,
    transmute_f64s_u64s, rotate_left_f64s,
    lanes: F64_LANES, choice: for_f64, shift: 20, magic: 1_048_576.0, exponent_mask: 0xFFF0_0000_0000_0000_u64
);
