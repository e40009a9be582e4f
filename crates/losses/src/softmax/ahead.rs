//! Reading logits before they are needed.

use std::hint::black_box;
use std::iter::StepBy;
use std::slice::Iter;

use macula_tensor::Float;
use macula_tensor::cpu::Simd;

/// Logits that come next, read while something else is computed.
///
/// The processor does not look as far ahead by itself: it would first wait for the logits of the
/// next rows and then compute. One number of each register calls for the whole of it.
pub(super) struct Ahead<'a, T> {
    numbers: StepBy<Iter<'a, T>>,
    sum: T,
}

impl<'a, T: Float> Ahead<'a, T> {
    #[inline(always)]
    pub(super) fn new<S: Simd>(next: &'a [T]) -> Self {
        Self {
            numbers: next.iter().step_by(T::width::<S>()),
            sum: T::ZERO,
        }
    }

    /// Reads from the next register.
    #[inline(always)]
    pub(super) fn read(&mut self) {
        self.sum = self.sum + *self.numbers.next().unwrap_or(&T::ZERO);
    }

    /// Has the compiler believe that what was read is needed.
    #[inline(always)]
    pub(super) fn done(self) {
        black_box(self.sum);
    }
}
