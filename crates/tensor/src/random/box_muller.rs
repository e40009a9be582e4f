//! Two normal values from two random words, with the same bits on every machine.
//!
//! With u in (0, 1] and v in [0, 1) uniform and independent,
//!
//! ```text
//! √(−2 ln u) · cos 2πv   and   √(−2 ln u) · sin 2πv
//! ```
//!
//! are independent and standard normal.
//!
//! The logarithm and the sine are written out here although the standard library has both. Its
//! versions call the system's mathematics library, whose last bit depends on the system and on
//! whether the processor fuses multiplication and addition; a seed would then mean other numbers
//! on another machine. Here are only `+ − × ÷ √`, each rounded as IEEE 754 prescribes, and never
//! fused. There is also no branch, so a loop over many pairs becomes SIMD code.
//!
//! # Numerics
//!
//! Everything is computed in `f64`: ln u and the angle keep their relative accuracy where u is
//! close to 1 and where v is close to a multiple of ¼. The smallest u is 2⁻⁵³, so no value is
//! further from 0 than √(106 ln 2) = 8.572, and none is infinite. A true normal value lies beyond
//! with probability 1 · 10⁻¹⁷.
//!
//! # Source
//!
//! G. E. P. Box and M. E. Muller, "A note on the generation of random normal deviates", Annals of
//! Mathematical Statistics 29, 1958, equation (1).

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, LN_2};

use super::distributions::{UNIT_F64, top_53_bits};

/// No pair holds a value further from 0: √(106 ln 2), rounded up.
pub(super) const LARGEST: f64 = 8.5717;

/// The pair of independent standard normal values that belongs to two random words.
#[inline(always)]
pub(super) fn standard_normal_pair([first, second]: [u64; 2]) -> [f64; 2] {
    // One more than the usual integer, because ln 0 is infinite and ln 1 is not.
    let u = (top_53_bits(first) + 1) as f64 * UNIT_F64;
    let radius = (-2.0 * ln(u)).sqrt();
    let [cosine, sine] = cos_sin_of_turn(top_53_bits(second));
    [radius * cosine, radius * sine]
}

/// ln u for a normal number u in (0, 1].
///
/// With u = m · 2^e, m in [√½, √2) and s = (m − 1) / (m + 1): ln u = e ln 2 + 2 artanh s. As
/// s² < 0.0295, the series 2s (1 + s²/3 + s⁴/5 + …) has reached 2⁻⁵⁵ after the term s²⁰/21.
#[inline(always)]
fn ln(u: f64) -> f64 {
    const BIAS: u64 = 1023;
    const MANTISSA_BITS: u32 = 52;
    // Added to the bits, this makes the exponent field step at √½ · 2^n and not at 2^n.
    const STEP_AT_ROOT_HALF: u64 = 1f64.to_bits() - FRAC_1_SQRT_2.to_bits();
    const SERIES: [f64; 10] = [
        2.0 / 3.0,
        2.0 / 5.0,
        2.0 / 7.0,
        2.0 / 9.0,
        2.0 / 11.0,
        2.0 / 13.0,
        2.0 / 15.0,
        2.0 / 17.0,
        2.0 / 19.0,
        2.0 / 21.0,
    ];
    // Nothing wraps for such a u; a check for it would keep the caller's loop from SIMD code.
    let bits = u.to_bits();
    let exponent = bits.wrapping_add(STEP_AT_ROOT_HALF) >> MANTISSA_BITS;
    let halvings = BIAS.wrapping_sub(exponent);
    let m = f64::from_bits(bits.wrapping_add(halvings << MANTISSA_BITS));
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let ln_m = 2.0 * s + s * (square * polynomial(square, &SERIES));
    ln_m - halvings as f64 * LN_2
}

/// cos 2πv and sin 2πv for v = `turn` · 2⁻⁵³.
///
/// The nearest multiple of a quarter turn is taken off exactly, in integers; what is left, an
/// angle x with |x| ≤ π/4, goes into the Taylor series, which has reached 2⁻⁵⁴ after x¹⁵ and x¹⁶.
#[inline(always)]
fn cos_sin_of_turn(turn: u64) -> [f64; 2] {
    const QUARTER: u64 = 1 << 51;
    const SINE: [f64; 7] = [
        -1.0 / 6.0,
        1.0 / 120.0,
        -1.0 / 5_040.0,
        1.0 / 362_880.0,
        -1.0 / 39_916_800.0,
        1.0 / 6_227_020_800.0,
        -1.0 / 1_307_674_368_000.0,
    ];
    const COSINE: [f64; 8] = [
        -1.0 / 2.0,
        1.0 / 24.0,
        -1.0 / 720.0,
        1.0 / 40_320.0,
        -1.0 / 3_628_800.0,
        1.0 / 479_001_600.0,
        -1.0 / 87_178_291_200.0,
        1.0 / 20_922_789_888_000.0,
    ];
    let shifted = turn + QUARTER / 2;
    let quarters = shifted / QUARTER;
    let rest = (shifted % QUARTER) as f64 * (1.0 / QUARTER as f64) - 0.5;
    let x = rest * FRAC_PI_2;
    let square = x * x;
    let sine = x + x * (square * polynomial(square, &SINE));
    let cosine = 1.0 + square * polynomial(square, &COSINE);

    let odd = quarters & 1 == 1;
    let (cosine, sine) = (
        if odd { sine } else { cosine },
        if odd { cosine } else { sine },
    );
    // The cosine is negative after one and two quarters, the sine after two and three.
    [
        flip_sign(cosine, (quarters + 1) & 2),
        flip_sign(sine, quarters & 2),
    ]
}

/// −x where `two` is 2, x where it is 0.
#[inline(always)]
fn flip_sign(x: f64, two: u64) -> f64 {
    f64::from_bits(x.to_bits() ^ two << 62)
}

/// Σ cᵢ xⁱ by Horner's rule.
#[inline(always)]
fn polynomial<const N: usize>(x: f64, coefficients: &[f64; N]) -> f64 {
    let mut sum = coefficients[N - 1];
    for i in (0..N - 1).rev() {
        sum = sum * x + coefficients[i];
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units in the last place: one for the reference, which is the system's, and three for the
    /// handful of roundings between an argument and its result.
    const TOLERANCE: f64 = 4.0 * f64::EPSILON / 2.0;

    #[test]
    fn the_logarithm_is_accurate_from_the_smallest_argument_to_one() {
        let near_one = (0..1000).map(|i| 1.0 - f64::from(i) * UNIT_F64);
        let near_zero = (1..1000).map(|i| f64::from(i) * UNIT_F64);
        let between = (1..100_000).map(|i| f64::from(i) / 100_000.0);
        for u in near_one.chain(near_zero).chain(between) {
            let error = (ln(u) - u.ln()).abs();
            assert!(error <= TOLERANCE * u.ln().abs(), "ln {u}: error {error:e}");
        }
    }

    #[test]
    fn sine_and_cosine_are_accurate_in_the_first_eighth_and_symmetric_around_the_circle() {
        const QUARTER: u64 = 1 << 51;
        for i in 0..5000 {
            // Up to an eighth of a turn, with low bits that vary.
            let turn = i * (QUARTER / 2 / 5000) + i % 3;
            let angle = turn as f64 * UNIT_F64 * std::f64::consts::TAU;
            let [cosine, sine] = cos_sin_of_turn(turn);
            assert!((cosine - angle.cos()).abs() <= TOLERANCE * angle.cos());
            assert!((sine - angle.sin()).abs() <= TOLERANCE * angle.sin());

            assert_eq!(cos_sin_of_turn(QUARTER - turn), [sine, cosine]);
            assert_eq!(cos_sin_of_turn(QUARTER + turn), [-sine, cosine]);
            assert_eq!(cos_sin_of_turn(2 * QUARTER + turn), [-cosine, -sine]);
            assert_eq!(cos_sin_of_turn(3 * QUARTER + turn), [sine, -cosine]);
        }
    }

    #[test]
    fn quarter_turns_are_exact() {
        let quarter = 1 << 51;
        assert_eq!(cos_sin_of_turn(0), [1.0, 0.0]);
        assert_eq!(cos_sin_of_turn(quarter), [0.0, 1.0]);
        assert_eq!(cos_sin_of_turn(2 * quarter), [-1.0, 0.0]);
        assert_eq!(cos_sin_of_turn(3 * quarter), [0.0, -1.0]);
    }

    #[test]
    fn the_extreme_words_give_finite_values_within_the_stated_bound() {
        let [largest, _] = standard_normal_pair([0, 0]);
        assert!(largest > 8.5716 && largest <= LARGEST);
        let [zero, _] = standard_normal_pair([u64::MAX, 0]);
        assert_eq!(zero, 0.0);
    }
}
