//! From random words to values: each distribution is a checked set of parameters and one formula.

use super::box_muller::{LARGEST, standard_normal_pair};
use crate::element::Float;
use crate::error::{Error, Result};

/// A floating-point type that can be filled with random values: `f32` and `f64`.
pub trait RandomFloat: Float {
    /// The top bits of a random word, as many as the mantissa has, as a number in [0, 1).
    fn unit(word: u64) -> Self;
    /// The next number towards −∞.
    fn next_down(self) -> Self;
}

/// The error for parameters that describe no distribution.
fn invalid(op: &'static str, argument: &'static str, expected: String, found: String) -> Error {
    Error::Argument {
        op,
        argument,
        expected,
        found,
    }
}

/// 2⁻⁵³, the step of a uniform `f64` in [0, 1).
pub(super) const UNIT_F64: f64 = 1.0 / (1u64 << 53) as f64;
/// 2⁻²⁴, the step of a uniform `f32` in [0, 1).
const UNIT_F32: f32 = 1.0 / (1u32 << 24) as f32;

/// As many bits as an `f64` holds exactly.
#[inline(always)]
pub(super) fn top_53_bits(word: u64) -> u64 {
    word >> 11
}

impl RandomFloat for f32 {
    #[inline(always)]
    fn unit(word: u64) -> Self {
        // 24 bits fit an i32, and that conversion is one instruction on every processor.
        (word >> 40) as i32 as f32 * UNIT_F32
    }

    fn next_down(self) -> Self {
        self.next_down()
    }
}

impl RandomFloat for f64 {
    #[inline(always)]
    fn unit(word: u64) -> Self {
        top_53_bits(word) as f64 * UNIT_F64
    }

    fn next_down(self) -> Self {
        self.next_down()
    }
}

/// What the two words of a block become: the values at an even position and at the next one.
pub(super) trait Distribution<T>: Copy + Sync {
    /// The two values that belong to two random words.
    fn pair(self, words: [u64; 2]) -> [T; 2];
}

/// The random words themselves.
#[derive(Clone, Copy)]
pub(super) struct Words;

impl Distribution<u64> for Words {
    #[inline(always)]
    fn pair(self, words: [u64; 2]) -> [u64; 2] {
        words
    }
}

/// Every number of [low, high) alike: low + u · (high − low).
#[derive(Clone, Copy)]
pub(super) struct Uniform<T> {
    low: T,
    width: T,
    /// The sum can round up to `high` itself, which is excluded; this is what it becomes then.
    largest: T,
}

impl<T: RandomFloat> Uniform<T> {
    pub(super) fn new(low: f64, high: f64) -> Result<Self> {
        let [from, to] = [low, high].map(T::from_f64);
        // The width of two finite bounds can overflow; NaN fails the first comparison.
        if from < to && (to - from).is_finite() {
            Ok(Self {
                low: from,
                width: to - from,
                largest: to.next_down(),
            })
        } else {
            Err(invalid(
                "uniform",
                "bounds",
                format!("finite with low < high in {}", T::NAME),
                // With an exponent where that is shorter.
                format!("low {low:?}, high {high:?}"),
            ))
        }
    }
}

impl<T: RandomFloat> Distribution<T> for Uniform<T> {
    #[inline(always)]
    fn pair(self, words: [u64; 2]) -> [T; 2] {
        words.map(|word| {
            let value = self.low + T::unit(word) * self.width;
            if value < self.largest {
                value
            } else {
                self.largest
            }
        })
    }
}

/// mean + standard deviation · z, computed in `f64` and rounded once at the end.
#[derive(Clone, Copy)]
pub(super) struct Normal {
    mean: f64,
    standard_deviation: f64,
}

impl Normal {
    pub(super) fn new<T: RandomFloat>(mean: f64, standard_deviation: f64) -> Result<Self> {
        let largest = T::from_f64(mean.abs() + LARGEST * standard_deviation);
        if standard_deviation >= 0.0 && largest.is_finite() {
            Ok(Self {
                mean,
                standard_deviation,
            })
        } else {
            Err(invalid(
                "normal",
                "mean and standard deviation",
                format!(
                    "finite, the latter at least 0, and the values within {}",
                    T::NAME
                ),
                format!("mean {mean}, standard deviation {standard_deviation}"),
            ))
        }
    }
}

impl<T: RandomFloat> Distribution<T> for Normal {
    #[inline(always)]
    fn pair(self, words: [u64; 2]) -> [T; 2] {
        standard_normal_pair(words).map(|z| T::from_f64(self.mean + self.standard_deviation * z))
    }
}

/// True with a given probability: u < probability.
#[derive(Clone, Copy)]
pub(super) struct Bernoulli {
    probability: f64,
}

impl Bernoulli {
    pub(super) fn new(probability: f64) -> Result<Self> {
        if (0.0..=1.0).contains(&probability) {
            Ok(Self { probability })
        } else {
            Err(invalid(
                "bernoulli",
                "probability",
                "in [0, 1]".into(),
                probability.to_string(),
            ))
        }
    }
}

impl Distribution<bool> for Bernoulli {
    #[inline(always)]
    fn pair(self, words: [u64; 2]) -> [bool; 2] {
        words.map(|word| f64::unit(word) < self.probability)
    }
}

/// Every integer of low, …, high − 1 alike.
#[derive(Clone, Copy)]
pub(super) struct Integers {
    low: i64,
    count: u64,
}

impl Integers {
    pub(super) fn new(low: i64, high: i64) -> Result<Self> {
        if low < high {
            Ok(Self {
                low,
                count: low.abs_diff(high),
            })
        } else {
            Err(invalid(
                "integers",
                "low",
                format!("below high, {high}"),
                low.to_string(),
            ))
        }
    }
}

impl Distribution<i64> for Integers {
    #[inline(always)]
    fn pair(self, words: [u64; 2]) -> [i64; 2] {
        // The sum is below `high`, whatever the intermediate wrap.
        words.map(|word| self.low.wrapping_add(scale(word, self.count) as i64))
    }
}

/// ⌊word · count / 2⁶⁴⌋: an integer below `count`.
///
/// No integer is more or less probable than 1 / count by more than 2⁻⁶⁴. Rejecting words would
/// remove even that, but then the words that one value takes could not be known in advance.
#[inline(always)]
pub(super) fn scale(word: u64, count: u64) -> u64 {
    ((u128::from(word) * u128::from(count)) >> 64) as u64
}
