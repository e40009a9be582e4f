//! `Sampler`: which rows an epoch visits, in which order.

use macula_tensor::Rng;

/// Gives the rows of an epoch.
///
/// The rows are a function of the sampler and the epoch, not of what was asked before: a training
/// that goes on from a checkpoint at epoch 7 visits the rows it would have visited anyway.
///
/// A function of the epoch is a sampler. This curriculum begins with the first tenth of the rows:
///
/// ```
/// use macula_nn::data::{DataLoader, Dataset, Sampler, ShuffledSampler, mammography};
///
/// let data = mammography()?;
/// let rows = data.len();
/// let easy_first = move |epoch| {
///     let rows = if epoch < 5 { rows / 10 } else { rows };
///     ShuffledSampler::new(rows, 7).indices(epoch)
/// };
/// let loader = DataLoader::new(&data, 100).sampler(easy_first);
/// assert_eq!((loader.epoch(0).len(), loader.epoch(5).len()), (12, 112));
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub trait Sampler: Send + Sync {
    /// The rows of an epoch, in order.
    fn indices(&self, epoch: usize) -> Vec<usize>;
}

impl<F: Fn(usize) -> Vec<usize> + Send + Sync> Sampler for F {
    fn indices(&self, epoch: usize) -> Vec<usize> {
        self(epoch)
    }
}

/// Every row once, in order: for evaluation.
#[derive(Clone, Debug)]
pub struct SequentialSampler {
    rows: usize,
}

impl SequentialSampler {
    /// A sampler of the rows 0 to `rows` − 1.
    pub fn new(rows: usize) -> Self {
        Self { rows }
    }
}

impl Sampler for SequentialSampler {
    fn indices(&self, _epoch: usize) -> Vec<usize> {
        (0..self.rows).collect()
    }
}

/// Every row once, in an order that is random and another one in each epoch.
///
/// # Example
///
/// ```
/// use macula_nn::data::{Sampler, ShuffledSampler};
///
/// let sampler = ShuffledSampler::new(100, 7);
/// assert_eq!(sampler.indices(3), sampler.indices(3));
/// assert_ne!(sampler.indices(3), sampler.indices(4));
/// ```
#[derive(Clone, Debug)]
pub struct ShuffledSampler {
    rows: usize,
    rng: Rng,
}

impl ShuffledSampler {
    /// A sampler of the rows 0 to `rows` − 1; the seed decides on the order.
    pub fn new(rows: usize, seed: u64) -> Self {
        let rng = Rng::seed(seed);
        Self { rows, rng }
    }
}

impl Sampler for ShuffledSampler {
    fn indices(&self, epoch: usize) -> Vec<usize> {
        self.rng.stream(epoch as u64).permutation(self.rows)
    }
}

/// The rows listed and no others, in an order that is random and another one in each epoch.
#[derive(Clone, Debug)]
pub struct SubsetSampler {
    rows: Vec<usize>,
    rng: Rng,
}

impl SubsetSampler {
    /// A sampler of `rows`; a row that is listed twice is visited twice.
    pub fn new(rows: impl Into<Vec<usize>>, seed: u64) -> Self {
        Self {
            rows: rows.into(),
            rng: Rng::seed(seed),
        }
    }
}

impl Sampler for SubsetSampler {
    fn indices(&self, epoch: usize) -> Vec<usize> {
        let mut rows = self.rows.clone();
        self.rng.stream(epoch as u64).shuffle(&mut rows);
        rows
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted(mut rows: Vec<usize>) -> Vec<usize> {
        rows.sort();
        rows
    }

    proptest! {
        #[test]
        fn every_row_is_visited_once(rows in 0_usize..200, seed: u64, epoch: usize) {
            let all: Vec<usize> = (0..rows).collect();
            prop_assert_eq!(&SequentialSampler::new(rows).indices(epoch), &all);
            prop_assert_eq!(sorted(ShuffledSampler::new(rows, seed).indices(epoch)), all);
        }

        #[test]
        fn a_subset_visits_the_rows_listed_as_often_as_listed(
            rows in prop::collection::vec(0_usize..20, 0..50),
            seed: u64,
        ) {
            let visited = SubsetSampler::new(rows.clone(), seed).indices(1);
            prop_assert_eq!(sorted(visited), sorted(rows));
        }
    }

    #[test]
    fn seed_and_epoch_decide_on_the_order() {
        let order = |seed, epoch| ShuffledSampler::new(100, seed).indices(epoch);
        assert_eq!(order(1, 1), order(1, 1));
        assert_ne!(order(1, 1), order(1, 2));
        assert_ne!(order(1, 1), order(2, 1));
    }
}
