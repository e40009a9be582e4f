//! `Dataset`: what a data set must be able to do.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use macula_tensor::{Error, Result, Tensor};

use super::stack::{Stack, stack};

/// The inputs and the targets of some rows: what a loader gives for each step.
pub type Batch<D> = (
    Tensor<<<D as Dataset>::Input as Stack>::Element>,
    Tensor<<<D as Dataset>::Target as Stack>::Element>,
);

/// Rows of a sample and its target, found by number.
///
/// A data set of your own says how many rows it has and gives one of them; a
/// [`DataLoader`](super::DataLoader) makes batches. The types of [`Input`](Self::Input) and
/// [`Target`](Self::Target) say what the batch looks like (see [`Stack`]): a class label is an
/// `i64`, soft labels of C classes are a `[f32; C]`.
///
/// Rows are read through `&self`, from several threads where the loader has workers, so what a row
/// holds must not depend on the rows read before it. A random row takes its generator from the row
/// number, as below.
///
/// # Example
///
/// ```
/// use macula_nn::data::{DataLoader, Dataset};
/// use macula_tensor::{Result, Rng};
///
/// /// Points in the unit square; class 1 is the corner where the coordinates sum to 1.5 and more.
/// #[derive(Clone)]
/// struct Corner;
///
/// impl Dataset for Corner {
///     type Input = [f32; 2];
///     type Target = i64;
///
///     fn len(&self) -> usize {
///         1000
///     }
///
///     fn get(&self, row: usize) -> Result<([f32; 2], i64)> {
///         let mut rng = Rng::seed(7).stream(row as u64);
///         let point = [rng.uniform() as f32, rng.uniform() as f32];
///         Ok((point, i64::from(point[0] + point[1] >= 1.5)))
///     }
/// }
///
/// for batch in DataLoader::new(&Corner, 50).shuffle(7).epoch(0) {
///     let (inputs, targets) = batch?;
///     assert_eq!(inputs.shape(), [50, 2]);
///     assert_eq!(targets.shape(), [50]);
/// }
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub trait Dataset: Send + Sync + 'static {
    /// What the model gets to see of one row.
    type Input: Stack;
    /// What it is to say about it.
    type Target: Stack;

    /// Number of rows.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sample and the target of one row; rows are counted from 0.
    ///
    /// # Errors
    /// Whatever keeps the row from being read. The loader adds the row's number.
    fn get(&self, row: usize) -> Result<(Self::Input, Self::Target)>;

    /// The samples and the targets of `rows`, in their order.
    ///
    /// It calls [`get`](Self::get) for each row. Replace it where a whole batch can be read faster
    /// than its rows one by one; the result must be the same.
    ///
    /// # Errors
    /// The first row that cannot be read, or that panics; rows of different shapes.
    fn batch(&self, rows: &[usize]) -> Result<Batch<Self>>
    where
        Self: Sized,
    {
        let samples = read(self, rows)?;
        Ok((
            stack("inputs", rows, samples.iter().map(|(input, _)| input))?,
            stack("targets", rows, samples.iter().map(|(_, target)| target))?,
        ))
    }
}

/// Rows one by one, with the number of a row added to whatever goes wrong with it.
fn read<D: Dataset>(dataset: &D, rows: &[usize]) -> Result<Vec<(D::Input, D::Target)>> {
    let at = Cell::new(0);
    let read = || -> Result<_> {
        let mut samples = Vec::with_capacity(rows.len());
        for &row in rows {
            at.set(row);
            samples.push(dataset.get(row)?);
        }
        Ok(samples)
    };
    let message = match caught(read) {
        Ok(Ok(samples)) => return Ok(samples),
        Ok(Err(error)) => error.to_string(),
        Err(panic) => format!("panicked: {panic}"),
    };
    Err(Error::Row {
        row: at.get(),
        message,
    })
}

/// What `read` returns, or the message of its panic.
///
/// A panic that a worker thread kept to itself would leave the training loop waiting for a batch
/// that never comes.
pub(super) fn caught<R>(read: impl FnOnce() -> R) -> std::result::Result<R, String> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| text.to_string());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".into())
    })
}

/// A shared data set is a data set: for one that is too large to clone.
impl<D: Dataset> Dataset for Arc<D> {
    type Input = D::Input;
    type Target = D::Target;

    fn len(&self) -> usize {
        (**self).len()
    }

    fn get(&self, row: usize) -> Result<(Self::Input, Self::Target)> {
        (**self).get(row)
    }

    fn batch(&self, rows: &[usize]) -> Result<Batch<Self>> {
        (**self).batch(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Soft targets, and a row for every way to go wrong.
    struct Soft;

    impl Dataset for Soft {
        type Input = Vec<f64>;
        type Target = [f64; 3];

        fn len(&self) -> usize {
            5
        }

        fn get(&self, row: usize) -> Result<(Vec<f64>, [f64; 3])> {
            match row {
                2 => panic!("disk on fire"),
                3 => Tensor::<f64>::from([1.0, 2.0])
                    .item()
                    .map(|_| unreachable!()),
                4 => Ok((vec![], [0.0; 3])),
                _ => Ok((vec![row as f64; 2], [0.2, 0.3, 0.5])),
            }
        }
    }

    #[test]
    fn targets_can_be_soft() {
        let (inputs, targets) = Soft.batch(&[1, 0]).unwrap();
        assert_eq!(inputs.to_vec().unwrap(), [1.0, 1.0, 0.0, 0.0]);
        assert_eq!(targets.shape(), [2, 3]);
    }

    #[test]
    fn whatever_goes_wrong_in_a_row_names_the_row() {
        let message = |row| Soft.batch(&[0, row]).map(drop).unwrap_err().to_string();
        assert_eq!(message(2), "row 2 of the data set: panicked: disk on fire");
        assert_eq!(
            message(3),
            "row 3 of the data set: item: expected a tensor of one element, found shape [2]"
        );
        assert_eq!(
            message(4),
            "row 4 of the data set: inputs of shape [0], where row 0 has [2]"
        );
    }

    #[test]
    fn a_shared_dataset_gives_the_same_batches() {
        let (inputs, _) = Arc::new(Soft).batch(&[1, 0]).unwrap();
        assert_eq!(inputs.to_vec().unwrap(), [1.0, 1.0, 0.0, 0.0]);
    }
}
