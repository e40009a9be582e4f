//! Formulas that change several buffers at once, as the step of an optimizer does.

use crate::cpu;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// A formula that turns `N` numbers and an input into `N` new numbers.
///
/// It is applied to buffers element by element, in place and in one pass over memory: for an
/// optimizer the state is a parameter and what is remembered about it, and the input is the
/// gradient.
///
/// # Example
///
/// ```
/// use macula_tensor::{Scalar, Update, update};
///
/// /// Lion, Chen et al. 2023: the sign of an interpolated momentum.
/// #[derive(Clone, Copy)]
/// struct Lion {
///     learning_rate: f64,
/// }
///
/// impl Update<2> for Lion {
///     #[inline(always)]
///     fn eval<S: Scalar>(&self, [parameter, momentum]: [S; 2], gradient: S) -> [S; 2] {
///         let direction = (momentum * 0.9 + gradient * 0.1).signum();
///         [
///             parameter - direction * self.learning_rate,
///             momentum * 0.99 + gradient * 0.01,
///         ]
///     }
/// }
///
/// let (mut parameter, mut momentum) = ([1.0_f32, 2.0], [0.0; 2]);
/// let lion = Lion { learning_rate: 0.5 };
/// update(&lion, [&mut parameter, &mut momentum], &[3.0, -0.1])?;
/// assert_eq!(parameter, [0.5, 2.5]);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub trait Update<const N: usize>: Copy + Sync {
    /// The new numbers.
    fn eval<S: Scalar>(&self, state: [S; N], input: S) -> [S; N];
}

/// Applies `formula` to every element of `state` and `input`, in place.
///
/// The same bits come out for any number of threads.
///
/// # Errors
/// All buffers must have one length; nothing is changed otherwise.
pub fn update<T: Float, F: Update<N>, const N: usize>(
    formula: &F,
    state: [&mut [T]; N],
    input: &[T],
) -> Result<()> {
    if let Some(buffer) = state.iter().find(|buffer| buffer.len() != input.len()) {
        return Err(Error::Argument {
            op: "update",
            argument: "state",
            expected: format!("buffers of {} elements, as many as the input", input.len()),
            found: format!("one of {}", buffer.len()),
        });
    }
    cpu::update::update(formula, state, input);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A formula whose results all differ: (a + x·b, b − a, x).
    #[derive(Clone, Copy)]
    struct Mix;

    impl Update<3> for Mix {
        #[inline(always)]
        fn eval<S: Scalar>(&self, [a, b, _]: [S; 3], x: S) -> [S; 3] {
            [a + x * b, b - a, x]
        }
    }

    fn ramp(length: usize, scale: f32) -> Vec<f32> {
        (0..length).map(|i| (i % 97) as f32 * scale).collect()
    }

    #[test]
    fn every_element_is_updated_alone_whatever_the_length_and_the_threads() {
        for length in [0, 1, 15, 16, 17, 100, 32 * 1024 + 5, 100_003] {
            let (a, b, x) = (ramp(length, 0.25), ramp(length, -1.5), ramp(length, 3.0));
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                let (mut p, mut q, mut r) = (a.clone(), b.clone(), vec![7.0; length]);
                pool.build()
                    .unwrap()
                    .install(|| update(&Mix, [&mut p, &mut q, &mut r], &x))
                    .unwrap();
                // Multiples of 1/4 below 2²⁴: all sums and products are exact.
                for i in 0..length {
                    assert_eq!(
                        [p[i], q[i], r[i]],
                        [a[i] + x[i] * b[i], b[i] - a[i], x[i]],
                        "{length} {i}"
                    );
                }
            }
        }
    }

    #[test]
    fn buffers_of_another_length_are_refused() {
        let error = update(&Mix, [&mut [1.0], &mut [2.0], &mut []], &[1.0_f64]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "update: state must be buffers of 1 elements, as many as the input, found one of 0"
        );
    }
}
