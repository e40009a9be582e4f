//! Rows whose largest number is infinite.

use macula_tensor::Float;

/// The number to take off the others before their exponentials: the largest of them if it is
/// finite, and else 0, with the others changed to fit.
///
/// Beside an infinite number finite ones are nothing, and two infinite ones are the same: those
/// equal to the largest become 0, the rest −∞. NaN stays. Where all are −∞, what pads a row becomes
/// 0 too and is counted, but then the margin is infinite whatever the sum.
#[inline(always)]
pub(super) fn set_infinite_aside<T: Float>(others: &mut [T], largest: T) -> T {
    if largest.is_finite() {
        largest
    } else {
        count_the_infinite(others, largest);
        T::ZERO
    }
}

#[cold]
fn count_the_infinite<T: Float>(others: &mut [T], largest: T) {
    for other in others {
        if *other == largest {
            *other = T::ZERO;
        } else if !other.is_nan() {
            *other = T::from_f64(f64::NEG_INFINITY);
        }
    }
}
