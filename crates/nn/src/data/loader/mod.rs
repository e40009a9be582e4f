//! `DataLoader`: batches of a data set, epoch by epoch.

#[cfg(test)]
mod tests;
mod workers;

use std::sync::Arc;

use macula_tensor::{Error, Result};

use super::dataset::{Batch, Dataset, caught};
use super::sampler::{Sampler, SequentialSampler, ShuffledSampler};
use workers::Workers;

/// Makes batches of a data set, in the order of a sampler.
///
/// The loader keeps a clone of the data set. For a [`TensorDataset`](super::TensorDataset) that
/// costs nothing; a data set of your own that holds much goes into an `Arc`:
/// `DataLoader::new(&Arc::new(data), 32)`.
///
/// Batches depend on the data set, the sampler and the epoch alone: neither the number of
/// [`workers`](Self::workers) nor their timing changes a bit of them or their order.
///
/// # Errors
/// The methods only take settings down. Where they make no sense, the first item of an epoch says
/// so, and there is no second one. An epoch without a batch is such an error, because training on
/// nothing goes unnoticed: a data set without rows, or a last batch that was all there was and is
/// dropped.
///
/// # Example
///
/// ```
/// use macula_nn::data::{DataLoader, mammography_split};
///
/// let (train, _) = mammography_split()?;
/// let loader = DataLoader::new(&train, 128).shuffle(7);
/// for epoch in 0..2 {
///     for batch in loader.epoch(epoch) {
///         let (inputs, targets) = batch?;
///         assert_eq!(inputs.shape()[0], targets.count());
///     }
/// }
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone)]
pub struct DataLoader<D: Dataset> {
    dataset: Arc<D>,
    batch_size: usize,
    sampler: Arc<dyn Sampler>,
    drop_last: bool,
    workers: usize,
}

impl<D: Dataset> DataLoader<D> {
    /// A loader that gives the rows in order, `batch_size` at a time and the rest at the end.
    pub fn new(dataset: &D, batch_size: usize) -> Self
    where
        D: Clone,
    {
        Self {
            dataset: Arc::new(dataset.clone()),
            batch_size,
            sampler: Arc::new(SequentialSampler::new(dataset.len())),
            drop_last: false,
            workers: 0,
        }
    }

    /// Gives every row once in an order that depends on the seed and the epoch.
    ///
    /// It stands for `.sampler(ShuffledSampler::new(dataset.len(), seed))`; of several samplers,
    /// the last counts.
    pub fn shuffle(self, seed: u64) -> Self {
        let rows = self.dataset.len();
        self.sampler(ShuffledSampler::new(rows, seed))
    }

    /// Gives the rows that a sampler says.
    pub fn sampler(mut self, sampler: impl Sampler + 'static) -> Self {
        self.sampler = Arc::new(sampler);
        self
    }

    /// Whether a last batch of fewer rows is left out; it is not, unless told.
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.drop_last = drop_last;
        self
    }

    /// Loads ahead on this many threads.
    ///
    /// With 0, which it is unless told, a batch is made when it is asked for, in the thread that
    /// asks. That is the fastest where a batch takes less than some microseconds, as it does with
    /// a table in memory: handing a batch to another thread costs more.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Number of batches of epoch 0; the sampler is asked for its rows.
    pub fn len(&self) -> usize {
        self.batches(self.sampler.indices(0).len())
    }

    /// Whether epoch 0 has no batch.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn batches(&self, rows: usize) -> usize {
        match (self.batch_size, self.drop_last) {
            (0, _) => 0,
            (size, true) => rows / size,
            (size, false) => rows.div_ceil(size),
        }
    }

    /// The batches of an epoch; each comes as a `Result` of inputs and targets.
    ///
    /// An error of one batch does not end the epoch: the next item is the next batch. Dropping
    /// the iterator ends its workers.
    pub fn epoch(&self, epoch: usize) -> Epoch<D> {
        let plan = Plan {
            rows: self.sampler.indices(epoch),
            batch_size: self.batch_size,
        };
        let batches = self.batches(plan.rows.len());
        let source = self.check(&plan.rows, batches).and_then(|()| {
            let dataset = Arc::clone(&self.dataset);
            match self.workers {
                0 => Ok(Source::Here { dataset, plan }),
                count => Workers::start(count.min(batches), batches, move |batch| {
                    plan.load(&*dataset, batch)
                })
                .map(Source::Ahead),
            }
        });
        match source {
            Ok(source) => Epoch {
                source,
                next: 0,
                batches,
            },
            Err(error) => Epoch {
                source: Source::Refused(error),
                next: 0,
                batches: 1,
            },
        }
    }

    fn check(&self, rows: &[usize], batches: usize) -> Result<()> {
        let wrong = |argument, expected: String, found: usize| {
            Err(Error::Argument {
                op: "DataLoader",
                argument,
                expected,
                found: found.to_string(),
            })
        };
        if self.batch_size == 0 {
            return wrong("batch_size", "at least 1".into(), 0);
        }
        if rows.is_empty() {
            return wrong("rows of an epoch", "at least 1".into(), 0);
        }
        if batches == 0 {
            let rule = format!(
                "at most {}, the rows of the epoch, where the last batch is dropped",
                rows.len()
            );
            return wrong("batch_size", rule, self.batch_size);
        }
        let len = self.dataset.len();
        match rows.iter().find(|&&row| row >= len) {
            Some(&row) => wrong("rows of the sampler", format!("below {len}"), row),
            None => Ok(()),
        }
    }
}

/// Which rows each batch of an epoch has.
struct Plan {
    rows: Vec<usize>,
    batch_size: usize,
}

impl Plan {
    fn load<D: Dataset>(&self, dataset: &D, batch: usize) -> Result<Batch<D>> {
        let start = batch * self.batch_size;
        let end = self.rows.len().min(start.saturating_add(self.batch_size));
        let rows = &self.rows[start..end];
        // Rows that panic are caught by `Dataset::batch`; this is for a data set with its own.
        caught(|| dataset.batch(rows)).unwrap_or_else(|panic| {
            Err(Error::Row {
                row: rows[0],
                message: format!("the batch that begins with it panicked: {panic}"),
            })
        })
    }
}

/// The batches of one epoch, from [`DataLoader::epoch`].
pub struct Epoch<D: Dataset> {
    source: Source<D>,
    next: usize,
    batches: usize,
}

/// Where the batches come from.
enum Source<D: Dataset> {
    Here { dataset: Arc<D>, plan: Plan },
    Ahead(Workers<Result<Batch<D>>>),
    Refused(Error),
}

impl<D: Dataset> Iterator for Epoch<D> {
    type Item = Result<Batch<D>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.batches {
            return None;
        }
        let batch = self.next;
        self.next += 1;
        Some(match &mut self.source {
            Source::Here { dataset, plan } => plan.load(&**dataset, batch),
            Source::Ahead(workers) => workers.receive(batch).and_then(|result| result),
            Source::Refused(error) => Err(error.clone()),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batches - self.next;
        (left, Some(left))
    }
}

impl<D: Dataset> ExactSizeIterator for Epoch<D> {}
