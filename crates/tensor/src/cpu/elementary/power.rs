//! `pow` and `powf`.
//!
//! x^y = e^(y·ln x), where y·ln x may be as large as 709 and its error is the relative error of the
//! result: the logarithm needs 10 more digits than a number has. It is computed as the sum of two
//! numbers, with the products' rounding errors kept (Dekker, "A floating-point technique for
//! extending the available precision", 1971).

use pulp::Simd;

use super::exponential::exp_corrected;
use super::logarithm::split;
use super::rounding::floor;
use super::{LaneFloat, Lanes, polynomial};
use crate::scalar::Scalar;

/// ln 2 as a sum; the first part has so few digits that its product with an exponent is exact.
const LN_2_F32: [f64; 2] = [0.693_145_751_953_125, 1.428_606_765_330_187e-6];
const LN_2_F64: [f64; 2] = [0.693_147_180_559_890_3, 5.497_923_018_708_371e-14];
/// 2/3 as a sum.
const TWO_THIRDS_F32: [f64; 2] = [0.666_666_686_534_881_6, -1.986_821_551_524_955_4e-8];
const TWO_THIRDS_F64: [f64; 2] = [0.666_666_666_666_666_6, 3.700_743_415_417_188e-17];

/// (ln((1 + s)/(1 − s)) − 2s − ⅔s³)/s⁵ in powers of s², for (1 + s)/(1 − s) between √½ and √2;
/// relative error of the logarithm: 2^−36.8 and 2^−73.5.
const TAIL_F32: &[f64] = &[
    0.400_001_525_878_906_25,
    0.285_470_902_919_769_3,
    0.234_196_335_077_285_77,
];
const TAIL_F64: &[f64] = &[
    0.399_999_999_999_999_8,
    0.285_714_285_714_438_4,
    0.222_222_222_177_895_97,
    0.181_818_188_440_303_06,
    0.153_845_584_247_009_17,
    0.133_362_646_910_051_1,
    0.116_757_760_200_280_43,
    0.119_817_983_180_820_15,
];

/// A number twice as precise: the sum of two, the second below the last place of the first.
#[derive(Clone, Copy)]
struct Sum<S: Simd, T: LaneFloat> {
    high: Lanes<S, T>,
    low: Lanes<S, T>,
}

impl<S: Simd, T: LaneFloat> Sum<S, T> {
    /// a + b for |a| ≥ |b|, or a = 0.
    #[inline(always)]
    fn of(a: Lanes<S, T>, b: Lanes<S, T>) -> Self {
        let high = a + b;
        let low = (a - high) + b;
        Self { high, low }
    }

    /// a · b.
    #[inline(always)]
    fn product(a: Lanes<S, T>, b: Lanes<S, T>) -> Self {
        let high = a * b;
        let low = a.mul_add(b, -high);
        Self { high, low }
    }

    /// self · other, to nearly twice the digits.
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        let Self { high, low } = Self::product(self.high, other.high);
        let low = self.high.mul_add(other.low, low);
        let low = self.low.mul_add(other.high, low);
        Self { high, low }
    }
}

/// ln x for a positive finite x.
#[inline(always)]
fn ln_sum<S: Simd, T: LaneFloat>(x: Lanes<S, T>) -> Sum<S, T> {
    let (m, k) = split(x);
    // s = (m − 1)/(m + 1): the numerator is exact, the denominator a sum, and the remainder of the
    // first quotient gives the second part.
    let numerator = m - 1.0;
    let denominator = m + 1.0;
    let denominator_low = m - (denominator - 1.0);
    let inverse = denominator.recip();
    let high = numerator * inverse;
    let remainder = (-high).mul_add(denominator, numerator);
    let remainder = (-high).mul_add(denominator_low, remainder);
    let low = remainder * inverse;
    let s = Sum { high, low };
    // ln m = s·(2 + s²·(⅔ + s²·tail))
    let square = s.times(s);
    let [two_thirds, rest] = T::choose(TWO_THIRDS_F32, TWO_THIRDS_F64);
    let tail = square.high * polynomial(square.high, T::choose(TAIL_F32, TAIL_F64));
    let mut inner = Sum::of(x.constant(two_thirds), tail);
    inner.low = inner.low + rest;
    let inner = inner.times(square);
    let mut outer = Sum::of(x.constant(2.0), inner.high);
    outer.low = outer.low + inner.low;
    let ln_m = outer.times(s);

    let [ln_2, rest] = T::choose(LN_2_F32, LN_2_F64);
    let mut ln = Sum::of(k * ln_2, ln_m.high);
    ln.low = k.mul_add(x.constant(rest), ln.low + ln_m.low);
    ln
}

/// |x|^y.
#[inline(always)]
fn magnitude<S: Simd, T: LaneFloat>(x: Lanes<S, T>, y: Lanes<S, T>) -> Lanes<S, T> {
    let (zero, one) = (x.constant(0.0), x.constant(1.0));
    let infinity = x.constant(f64::INFINITY);
    let x = x.abs();
    let ln = ln_sum(x);
    let ln_high = Lanes::select(x.equal(zero), -infinity, ln.high);
    let ln_high = Lanes::select(x.less(infinity), ln_high, x);
    let Sum { high, low } = Sum::product(y, ln_high);
    // Where the result is 0, ∞ or NaN anyway, the correction may be ∞ − ∞.
    let moderate = high.abs().less(x.constant(1000.0));
    let low = Lanes::select(moderate, y.mul_add(ln.low, low), zero);
    // 1 to any power is 1, to ∞ and NaN too.
    Lanes::select(x.equal(one), one, exp_corrected(high, low))
}

/// x^y.
#[inline(always)]
pub(in crate::cpu) fn pow<S: Simd, T: LaneFloat>(x: Lanes<S, T>, y: Lanes<S, T>) -> Lanes<S, T> {
    let (zero, one) = (x.constant(0.0), x.constant(1.0));
    let infinity = x.constant(f64::INFINITY);
    let magnitude = magnitude(x, y);
    // The sign of x, that of −0 too, survives an odd exponent.
    let half = y * 0.5;
    let for_integer = Lanes::select(floor(half).equal(half), magnitude, magnitude.copy_sign(x));
    let finite_negative = Lanes::select(x.equal(-infinity), zero, x).less(zero);
    let for_fraction = Lanes::select(finite_negative, x.constant(f64::NAN), magnitude);
    let power = Lanes::select(floor(y).equal(y), for_integer, for_fraction);
    // NaN^0 is 1 like any other.
    Lanes::select(y.equal(zero), one, power)
}

/// x^exponent, by roots and products where they are enough.
#[inline(always)]
pub(in crate::cpu) fn powf<S: Simd, T: LaneFloat>(x: Lanes<S, T>, exponent: f64) -> Lanes<S, T> {
    let infinity = x.constant(f64::INFINITY);
    if exponent == 0.0 {
        x.constant(1.0)
    } else if exponent == 1.0 {
        x
    } else if exponent == 2.0 {
        x * x
    } else if exponent == 3.0 {
        x * x * x
    } else if exponent == -1.0 {
        x.recip()
    } else if exponent == 0.5 {
        // IEEE 754 wants 0 for −0 and ∞ for −∞, where the square root has −0 and NaN.
        Lanes::select(x.equal(-infinity), infinity, (x + 0.0).sqrt())
    } else {
        pow(x, x.constant(exponent))
    }
}
