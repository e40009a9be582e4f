//! Random tensors.

use super::{RandomFloat, Rng};
use crate::error::Result;
use crate::tensor::Tensor;

impl<T: RandomFloat> Tensor<T> {
    /// Uniform values of [low, high), see [`Rng::fill_uniform`].
    ///
    /// # Errors
    /// If low < high does not hold in `T`, or if a bound or their distance is not finite.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Rng, Tensor};
    ///
    /// let x = Tensor::<f32>::uniform([2, 3], -1.0, 1.0, &mut Rng::seed(7))?;
    /// assert_eq!(x.shape(), [2, 3]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "rand")]
    pub fn uniform(shape: impl AsRef<[usize]>, low: f64, high: f64, rng: &mut Rng) -> Result<Self> {
        Self::written("uniform", shape.as_ref(), |values| {
            rng.fill_uniform(values, low, high)
        })
    }

    /// Normal values, see [`Rng::fill_normal`].
    ///
    /// # Errors
    /// If the standard deviation is negative or NaN, or if a value could overflow `T`.
    #[doc(alias = "randn")]
    pub fn normal(
        shape: impl AsRef<[usize]>,
        mean: f64,
        standard_deviation: f64,
        rng: &mut Rng,
    ) -> Result<Self> {
        Self::written("normal", shape.as_ref(), |values| {
            rng.fill_normal(values, mean, standard_deviation)
        })
    }
}

impl Tensor<bool> {
    /// Truth values, each true with the given probability, see [`Rng::fill_bernoulli`].
    ///
    /// # Errors
    /// If the probability does not lie in [0, 1].
    pub fn bernoulli(shape: impl AsRef<[usize]>, probability: f64, rng: &mut Rng) -> Result<Self> {
        Self::written("bernoulli", shape.as_ref(), |values| {
            rng.fill_bernoulli(values, probability)
        })
    }
}

impl Tensor<i64> {
    /// Integers of low, …, high − 1, all equally probable, see [`Rng::fill_integers`].
    ///
    /// # Errors
    /// If low < high does not hold.
    #[doc(alias = "randint")]
    pub fn integers(
        shape: impl AsRef<[usize]>,
        low: i64,
        high: i64,
        rng: &mut Rng,
    ) -> Result<Self> {
        Self::written("integers", shape.as_ref(), |values| {
            rng.fill_integers(values, low, high)
        })
    }

    /// The numbers 0, …, n − 1 in random order, see [`Rng::permutation`].
    ///
    /// # Errors
    /// The number of elements must be one that memory can address.
    #[doc(alias = "randperm")]
    pub fn permutation(n: usize, rng: &mut Rng) -> Result<Self> {
        Self::written("permutation", &[n], |values| {
            values.iter_mut().zip(0..).for_each(|(value, k)| *value = k);
            rng.shuffle(values);
            Ok(())
        })
    }
}
