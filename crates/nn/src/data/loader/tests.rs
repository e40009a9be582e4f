use std::sync::atomic::{AtomicUsize, Ordering};

use macula_tensor::Tensor;
use proptest::prelude::*;

use super::*;
use crate::data::{BalancedSampler, Stack, TensorDataset};

/// `len` rows that hold their number, some after a while, and some that go wrong.
#[derive(Clone, Default)]
struct Rows {
    len: usize,
    fails_at: Option<usize>,
    panics_at: Option<usize>,
    reads: Arc<AtomicUsize>,
}

fn rows(len: usize) -> Rows {
    Rows {
        len,
        ..Rows::default()
    }
}

impl Dataset for Rows {
    type Input = [f32; 2];
    type Target = i64;

    fn len(&self) -> usize {
        self.len
    }

    fn get(&self, row: usize) -> Result<([f32; 2], i64)> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.fails_at == Some(row) {
            return Tensor::from([0_i64; 2])
                .item()
                .map(|label| ([0.0; 2], label));
        }
        if self.panics_at == Some(row) {
            panic!("no row {row}");
        }
        if row.is_multiple_of(5) {
            std::thread::sleep(std::time::Duration::from_micros(300));
        }
        Ok(([row as f32, 1.0 / row as f32], row as i64))
    }
}

/// The bits and labels of each batch, or its error.
fn collect<D>(loader: &DataLoader<D>, epoch: usize) -> Vec<std::result::Result<Vec<i64>, String>>
where
    D: Dataset<Target = i64>,
    D::Input: Stack<Element = f32>,
{
    let batches = loader.epoch(epoch).map(|batch| {
        let (inputs, targets) = batch.map_err(|error| error.to_string())?;
        let bits = inputs
            .to_vec()
            .unwrap()
            .into_iter()
            .map(|x| i64::from(x.to_bits()));
        Ok(bits.chain(targets.to_vec().unwrap()).collect())
    });
    batches.collect()
}

fn labels<D: Dataset<Target = i64>>(epoch: Epoch<D>) -> Vec<Vec<i64>> {
    epoch
        .map(|batch| batch.unwrap().1.to_vec().unwrap())
        .collect()
}

fn only_error<D: Dataset>(loader: &DataLoader<D>) -> String {
    let mut epoch = loader.epoch(0);
    assert_eq!(epoch.len(), 1);
    let error = epoch.next().unwrap().map(drop).unwrap_err();
    assert!(epoch.next().is_none());
    error.to_string()
}

#[test]
fn rows_come_in_order_and_the_rest_at_the_end() {
    let loader = DataLoader::new(&rows(7), 3);
    assert_eq!(
        labels(loader.epoch(0)),
        [vec![0, 1, 2], vec![3, 4, 5], vec![6]]
    );
    assert_eq!(loader.len(), 3);
    let loader = loader.drop_last(true);
    assert_eq!(labels(loader.epoch(0)), [[0, 1, 2], [3, 4, 5]]);
    assert_eq!(loader.len(), 2);
}

#[test]
fn an_epoch_knows_how_many_batches_are_left() {
    for workers in [0, 2] {
        let mut epoch = DataLoader::new(&rows(7), 3).workers(workers).epoch(0);
        for left in (0..3).rev() {
            assert!(epoch.next().is_some());
            assert_eq!(epoch.len(), left);
        }
        assert!(epoch.next().is_none());
        assert!(epoch.next().is_none());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_row_comes_once_with_the_same_bits_whatever_the_workers(
        len in 1_usize..60,
        batch_size in 1_usize..70,
        seed: u64,
        epoch in 0_usize..3,
    ) {
        let loader = DataLoader::new(&rows(len), batch_size).shuffle(seed);
        let expected = collect(&loader, epoch);
        let mut visited = labels(loader.epoch(epoch)).concat();
        visited.sort();
        prop_assert!(visited.into_iter().eq(0..len as i64));
        for workers in [1, 2, 3, 100] {
            prop_assert_eq!(&collect(&loader.clone().workers(workers), epoch), &expected);
        }
    }
}

#[test]
fn a_table_gives_the_same_batches_whatever_the_workers() {
    let inputs = (0..300).map(|i| i as f32 * 0.1).collect();
    let inputs = Tensor::from_vec(inputs, [100, 3]).unwrap();
    let targets = Tensor::from(
        (0..100)
            .map(|row| i64::from(row % 10 == 3))
            .collect::<Vec<_>>(),
    );
    let sampler = BalancedSampler::new(&targets, 3).unwrap();
    let table = TensorDataset::new(inputs, targets).unwrap();
    let loader = DataLoader::new(&table, 8).sampler(sampler);
    let expected = collect(&loader, 1);
    assert_eq!(expected.len(), 13);
    for workers in [1, 2, 3] {
        assert_eq!(collect(&loader.clone().workers(workers), 1), expected);
    }
}

#[test]
fn a_row_that_fails_or_panics_is_one_error_and_the_other_batches_come() {
    for workers in [0, 1, 2, 3] {
        let data = Rows {
            fails_at: Some(4),
            panics_at: Some(7),
            ..rows(12)
        };
        let batches = collect(&DataLoader::new(&data, 2).workers(workers), 0);
        assert_eq!(batches.len(), 6);
        let errors: Vec<_> = batches.iter().map(|batch| batch.as_ref().err()).collect();
        let failed = "row 4 of the data set: \
                      item: expected a tensor of one element, found shape [2]";
        let panicked = "row 7 of the data set: panicked: no row 7";
        assert_eq!(errors[2].unwrap(), failed);
        assert_eq!(errors[3].unwrap(), panicked);
        assert_eq!(errors.iter().flatten().count(), 2);
    }
}

/// A data set with a `batch` of its own, which panics.
#[derive(Clone)]
struct Whole;

impl Dataset for Whole {
    type Input = [f32; 1];
    type Target = i64;

    fn len(&self) -> usize {
        4
    }

    fn get(&self, row: usize) -> Result<([f32; 1], i64)> {
        Ok(([0.0], row as i64))
    }

    fn batch(&self, rows: &[usize]) -> Result<Batch<Self>> {
        panic!("{} rows", rows.len())
    }
}

#[test]
fn a_batch_that_panics_is_an_error() {
    for workers in [0, 2] {
        let batches = collect(&DataLoader::new(&Whole, 2).workers(workers), 0);
        let expected = "row 2 of the data set: the batch that begins with it panicked: 2 rows";
        assert_eq!(batches.len(), 2);
        assert_eq!(batches[1], Err(expected.into()));
    }
}

#[test]
fn dropping_an_epoch_early_ends_its_workers() {
    let data = rows(100_000);
    let mut epoch = DataLoader::new(&data, 10).workers(3).epoch(0);
    assert!(epoch.next().is_some());
    drop(epoch);
    let reads = data.reads.load(Ordering::SeqCst);
    // One batch received, and of each worker one that waited and one at hand.
    assert!(reads <= 10 * (1 + 3 * 2), "{reads}");
    assert_eq!(
        Arc::strong_count(&data.reads),
        1,
        "no thread holds the data"
    );
}

#[test]
fn settings_without_a_meaning_are_the_only_item_of_an_epoch() {
    for workers in [0, 2] {
        let loader = |len, batch_size| DataLoader::new(&rows(len), batch_size).workers(workers);
        assert_eq!(
            only_error(&loader(3, 0)),
            "DataLoader: batch_size must be at least 1, found 0"
        );
        assert_eq!(
            only_error(&loader(0, 3)),
            "DataLoader: rows of an epoch must be at least 1, found 0"
        );
        assert_eq!(
            only_error(&loader(3, 4).drop_last(true)),
            "DataLoader: batch_size must be at most 3, the rows of the epoch, \
             where the last batch is dropped, found 4"
        );
        assert_eq!(
            only_error(&loader(3, 4).sampler(|epoch| vec![0, epoch + 3])),
            "DataLoader: rows of the sampler must be below 3, found 3"
        );
        assert_eq!(labels(loader(3, usize::MAX).epoch(0)), [[0, 1, 2]]);
    }
}

#[test]
fn the_last_sampler_counts() {
    let loader = DataLoader::new(&rows(3), 3)
        .shuffle(1)
        .sampler(|_| vec![2, 2]);
    assert_eq!(labels(loader.epoch(0)), [[2, 2]]);
}
