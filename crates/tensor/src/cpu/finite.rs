//! Whether all numbers of a slice are finite.

use pulp::{Simd, WithSimd};

use super::lanes::{Lanes, dispatch};
use crate::element::Float;

/// Whether no element is infinite or NaN.
pub(crate) fn all_finite<T: Float>(elements: &[T]) -> bool {
    dispatch(AllFinite(elements))
}

/// The sum of x · 0 is 0 for finite numbers and NaN for others, and needs no branch. Four sums
/// side by side do not wait for each other.
struct AllFinite<'a, T>(&'a [T]);

impl<T: Float> WithSimd for AllFinite<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let zero = Lanes::<S, T>::splat(simd, T::ZERO);
        let (vectors, rest) = T::split::<S>(self.0);
        let mut sums = [zero; 4];
        let (fours, others) = vectors.as_chunks::<4>();
        for four in fours {
            for (sum, vector) in sums.iter_mut().zip(four) {
                *sum = *sum + Lanes::new(simd, *vector) * zero;
            }
        }
        let mut sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        for vector in others {
            sum = sum + Lanes::new(simd, *vector) * zero;
        }
        sum = sum + Lanes::load_partial(simd, rest) * zero;
        !sum.sum().is_nan()
    }
}
