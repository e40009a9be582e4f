//! Random numbers that are a function of (seed, stream, position) and of nothing else.
//!
//! A generator with a hidden state must be asked one number at a time. Here the number at a
//! position is computed from the position, by encrypting it: any thread, in any order, and on any
//! device, finds the same one. Read [`Rng`], then `philox` (position to random bits), then
//! `distributions` (bits to values), `box_muller` (the normal one) and `fill` (the loop).

mod box_muller;
mod distributions;
mod fill;
mod philox;
#[cfg(test)]
mod statistics;
mod tensors;
#[cfg(test)]
mod tests;

pub use distributions::RandomFloat;
use distributions::{Bernoulli, Distribution, Integers, Normal, Uniform, Words, scale};
use fill::{Start, fill};

use crate::error::Result;

/// A seeded stream of random numbers, with a place in it.
///
/// **Positions.** Every value takes one position, whatever its type and distribution, and every
/// call moves the place by the number of values it gave: filling 10 values and then 20 gives what
/// filling 30 gives. Position p holds 64 random bits, one half of Philox block ⌊p / 2⌋. A normal
/// value is the exception that looks at both halves of its block: the Box–Muller transform makes a
/// pair of a block, its first value belongs to the even position and its second to the odd one.
///
/// **Streams.** [`split`](Self::split) and [`stream`](Self::stream) make children that are
/// independent of their parent and of each other, and neither moves the parent's place. Give a
/// layer, a worker or an epoch a child of its own, and what one of them draws never shifts the
/// numbers of another.
///
/// A clone repeats the numbers of the original from the place it was made at.
///
/// # Numerics
///
/// The same seed gives the same bits for any number of threads, on any processor and operating
/// system: nothing here depends on a mathematics library or on fused multiplication.
///
/// Two children share a stream only if 126 bits agree by chance: for a million children the
/// probability is below 10⁻²⁶. A stream repeats after 2⁶⁴ positions. It is not a source of secrets.
///
/// # Source
///
/// The generator is Philox4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
/// easy as 1, 2, 3", SC 2011. Children after K. Claessen and M. Pałka, "Splittable pseudorandom
/// number generators using cryptographic hashing", Haskell Symposium 2013: a child's key is the
/// hash, here by Philox, of its place in the tree.
///
/// # Example
///
/// ```
/// use macula_tensor::random::Rng;
///
/// let mut rng = Rng::seed(7);
/// let mut weights = [0f32; 4];
/// rng.fill_normal(&mut weights, 0.0, 0.1)?;
///
/// // The order of the samples in epoch 3, whatever was drawn before.
/// let order = rng.stream(3).permutation(10);
/// assert_eq!(order, Rng::seed(7).stream(3).permutation(10));
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng {
    key: u64,
    /// The upper half of every counter; its two lowest bits are left to a `Purpose`.
    stream: u64,
    position: u64,
    children: u64,
}

/// What a block is for: the two lowest bits of the counter's upper half, so that no block serves
/// two purposes.
#[derive(Clone, Copy)]
enum Purpose {
    Values = 0,
    Split = 1,
    Stream = 2,
}

impl Rng {
    /// The stream that belongs to a seed, at position 0.
    pub fn seed(seed: u64) -> Self {
        Self {
            key: seed,
            stream: 0,
            position: 0,
            children: 0,
        }
    }

    /// The next child: an independent stream, another one at each call.
    ///
    /// It depends on the number of earlier calls, not on the values drawn.
    pub fn split(&mut self) -> Self {
        let child = self.child(Purpose::Split, self.children);
        self.children = self.children.wrapping_add(1);
        child
    }

    /// The child with a name: the same stream for the same `id` at any time.
    ///
    /// The children that [`split`](Self::split) gives are others.
    pub fn stream(&self, id: u64) -> Self {
        self.child(Purpose::Stream, id)
    }

    fn child(&self, purpose: Purpose, index: u64) -> Self {
        let [key, stream] = self.start(purpose).block(index);
        Self {
            key,
            stream: stream & !0b11,
            position: 0,
            children: 0,
        }
    }

    /// Fills a slice with uniform values of [low, high).
    ///
    /// # Errors
    ///
    /// If low < high does not hold in `T`, or if a bound or their distance is not finite in `T`.
    ///
    /// # Numerics
    ///
    /// low + u · (high − low), where u is one of the 2²⁴ (`f32`) or 2⁵³ (`f64`) equally spaced
    /// numbers 0, …, 1 − 2⁻²⁴ or 1 − 2⁻⁵³. Where the sum rounds up to `high`, the number just
    /// below it is given.
    pub fn fill_uniform<T: RandomFloat>(
        &mut self,
        values: &mut [T],
        low: f64,
        high: f64,
    ) -> Result<()> {
        self.fill(Uniform::new(low, high)?, values);
        Ok(())
    }

    /// Fills a slice with normal values.
    ///
    /// # Errors
    ///
    /// If the standard deviation is negative or NaN, or if a value could overflow `T`.
    ///
    /// # Numerics
    ///
    /// Computed in `f64` and rounded to `T` once. No value lies further from the mean than 8.5717
    /// standard deviations (a true normal value does with probability 10⁻¹⁷), and all are finite.
    pub fn fill_normal<T: RandomFloat>(
        &mut self,
        values: &mut [T],
        mean: f64,
        standard_deviation: f64,
    ) -> Result<()> {
        self.fill(Normal::new::<T>(mean, standard_deviation)?, values);
        Ok(())
    }

    /// Fills a slice with truth values, each true with the given probability.
    ///
    /// # Errors
    ///
    /// If the probability does not lie in [0, 1].
    ///
    /// # Numerics
    ///
    /// The probability is met to 2⁻⁵³; 0 is never and 1 is always.
    pub fn fill_bernoulli(&mut self, values: &mut [bool], probability: f64) -> Result<()> {
        self.fill(Bernoulli::new(probability)?, values);
        Ok(())
    }

    /// Fills a slice with integers of low, …, high − 1, all equally probable.
    ///
    /// # Errors
    ///
    /// If low < high does not hold.
    ///
    /// # Numerics
    ///
    /// With n = high − low integers and 64 random bits, ⌊bits · n / 2⁶⁴⌋ meets the probability
    /// 1/n to 2⁻⁶⁴. Rejection would be exact, but the place of a value would depend on the values
    /// before it.
    pub fn fill_integers(&mut self, values: &mut [i64], low: i64, high: i64) -> Result<()> {
        self.fill(Integers::new(low, high)?, values);
        Ok(())
    }

    /// A uniform number of [0, 1), a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        f64::unit(self.word())
    }

    /// An integer below `n`, all equally probable to 2⁻⁶⁴.
    ///
    /// No integer is below 0; `below(0)` is 0 like `below(1)`.
    pub fn below(&mut self, n: usize) -> usize {
        scale(self.word(), n as u64) as usize
    }

    /// The numbers 0, …, n − 1 in random order; takes n positions.
    ///
    /// It is a vector like any other: where memory has no room for `n` numbers, the program ends.
    /// [`Tensor::permutation`](crate::Tensor::permutation) gives an error there.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::random::Rng;
    ///
    /// let mut order = Rng::seed(7).permutation(5);
    /// order.sort();
    /// assert_eq!(order, [0, 1, 2, 3, 4]);
    /// ```
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }

    /// Brings a slice into random order, all orders equally probable as far as the integers of
    /// [`below`](Self::below) are; takes one position for each value.
    ///
    /// # Source
    ///
    /// R. Durstenfeld, "Algorithm 235: random permutation", Communications of the ACM 7, 1964: the
    /// method of Fisher and Yates in place, here from front to back.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        const BATCH: usize = 64;
        for begin in (0..values.len()).step_by(BATCH) {
            let mut words = [0; BATCH];
            let words = &mut words[..BATCH.min(values.len() - begin)];
            self.fill(Words, words);
            for (i, word) in (begin..).zip(words) {
                let rest = values.len() - i;
                values.swap(i, i + scale(*word, rest as u64) as usize);
            }
        }
    }

    fn fill<T: Send>(&mut self, distribution: impl Distribution<T>, values: &mut [T]) {
        fill(self.start(Purpose::Values), distribution, values);
        self.position = self.position.wrapping_add(values.len() as u64);
    }

    /// The 64 bits at the next position.
    fn word(&mut self) -> u64 {
        let words = self.start(Purpose::Values).block(self.position / 2);
        let word = words[(self.position % 2) as usize];
        self.position = self.position.wrapping_add(1);
        word
    }

    fn start(&self, purpose: Purpose) -> Start {
        Start {
            key: self.key,
            stream: self.stream | purpose as u64,
            position: self.position,
        }
    }
}
