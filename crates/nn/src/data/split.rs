//! Splitting a data set into parts for training and for testing.
//!
//! Rows keep their order inside a part, so that only the choice of rows is random; a loader
//! shuffles.

use macula_tensor::{Error, Float, Result, Rng};

use super::dataset::Dataset;
use super::tensor_dataset::TensorDataset;

impl<T: Float> TensorDataset<T> {
    /// Two data sets that share the rows out: `fraction` of each class, and the rest of it.
    ///
    /// With a rare class, a plain random split may leave one part without any of it. Here a class
    /// of n rows gives round(fraction · n) to the first part, but at least one to either where it
    /// has two. A class of a single row goes to the first part.
    ///
    /// # Errors
    /// The fraction must lie between 0 and 1, and a class must have two rows, or the second part
    /// is empty.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_nn::data;
    /// use macula_nn::data::Dataset;
    /// use macula_tensor::Rng;
    ///
    /// let (train, test) = data::mammography()?.stratified_split(0.7, &mut Rng::seed(7))?;
    /// assert_eq!((train.len(), test.len()), (7828, 3355));
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn stratified_split(&self, fraction: f64, rng: &mut Rng) -> Result<(Self, Self)> {
        const OP: &str = "stratified_split";
        if !(fraction > 0.0 && fraction < 1.0) {
            return Err(Error::Argument {
                op: OP,
                argument: "fraction",
                expected: "a number between 0 and 1".into(),
                found: fraction.to_string(),
            });
        }
        let mut in_first = vec![true; self.len()];
        for mut rows in self.rows_by_class() {
            if rows.len() < 2 {
                continue;
            }
            rng.shuffle(&mut rows);
            let share = (fraction * rows.len() as f64).round() as usize;
            for &row in &rows[share.clamp(1, rows.len() - 1)..] {
                in_first[row] = false;
            }
        }
        if in_first.iter().all(|&first| first) {
            return Err(Error::Argument {
                op: OP,
                argument: "dataset",
                expected: "of a class with two rows".into(),
                found: format!("{} classes of one row", self.len()),
            });
        }
        self.divide(&in_first)
    }

    /// `folds` pairs of data sets for cross-validation: each row is in the second part of one
    /// pair, and in the first part of the others.
    ///
    /// The rows of a class are dealt out like cards, and the next class begins where it ended: the
    /// numbers of rows of a class differ between the folds by at most one, and so do the totals.
    ///
    /// # Errors
    /// There must be at least two folds, and no class may have fewer rows than folds: one fold
    /// would have nothing of it to test. Classes without rows are left out of this.
    pub fn stratified_k_fold(&self, folds: usize, rng: &mut Rng) -> Result<Vec<(Self, Self)>> {
        let wrong = |expected: String| Error::Argument {
            op: "stratified_k_fold",
            argument: "folds",
            expected,
            found: folds.to_string(),
        };
        if folds < 2 {
            return Err(wrong("at least 2".into()));
        }
        let mut fold_of = vec![0; self.len()];
        let mut next = 0;
        for (class, mut rows) in self.rows_by_class().into_iter().enumerate() {
            let count = rows.len();
            if (1..folds).contains(&count) {
                let name = &self.classes()[class];
                return Err(wrong(format!(
                    "at most {count}, the rows of class {name:?}"
                )));
            }
            rng.shuffle(&mut rows);
            for row in rows {
                fold_of[row] = next % folds;
                next += 1;
            }
        }
        (0..folds)
            .map(|fold| {
                let in_first: Vec<bool> = fold_of.iter().map(|&other| other != fold).collect();
                self.divide(&in_first)
            })
            .collect()
    }

    /// Two data sets: the rows that are not listed, and those that are, both in the order of the
    /// data.
    ///
    /// This is for a split that others published (see [`read_rows`](super::read_rows)), so that
    /// results can be compared.
    ///
    /// # Errors
    /// Rows must exist, none may be listed twice, and neither part may be empty.
    pub fn split_at_rows(&self, test_rows: &[usize]) -> Result<(Self, Self)> {
        let wrong = |expected: String, found: String| Error::Argument {
            op: "split_at_rows",
            argument: "test_rows",
            expected,
            found,
        };
        let mut in_first = vec![true; self.len()];
        for &row in test_rows {
            let first = in_first
                .get_mut(row)
                .ok_or_else(|| wrong(format!("rows below {}", self.len()), row.to_string()))?;
            if !std::mem::replace(first, false) {
                return Err(wrong("rows listed once".into(), format!("{row} twice")));
            }
        }
        if test_rows.is_empty() || test_rows.len() == self.len() {
            return Err(wrong(
                format!("between 1 and {} rows", self.len() - 1),
                test_rows.len().to_string(),
            ));
        }
        self.divide(&in_first)
    }

    /// The rows of each class, in order.
    fn rows_by_class(&self) -> Vec<Vec<usize>> {
        let mut rows = vec![Vec::new(); self.classes().len()];
        for (row, &label) in self.labels().iter().enumerate() {
            rows[label as usize].push(row);
        }
        rows
    }

    /// The rows for which `in_first` holds, and the others.
    fn divide(&self, in_first: &[bool]) -> Result<(Self, Self)> {
        let (first, second): (Vec<_>, Vec<_>) = (0..self.len()).partition(|&row| in_first[row]);
        Ok((self.select(&first)?, self.select(&second)?))
    }
}

#[cfg(test)]
mod tests {
    use macula_tensor::{Rng, Tensor};
    use proptest::prelude::*;

    use super::*;

    /// A data set whose only input is the row number.
    fn numbered(labels: &[i64]) -> TensorDataset {
        let rows: Vec<f32> = (0..labels.len()).map(|row| row as f32).collect();
        let inputs = Tensor::from_vec(rows, [labels.len(), 1]).unwrap();
        TensorDataset::new(inputs, Tensor::from(labels.to_vec())).unwrap()
    }

    fn rows(data: &TensorDataset) -> Vec<usize> {
        let inputs = data.inputs().to_vec().unwrap();
        inputs.into_iter().map(|row| row as usize).collect()
    }

    fn counts(data: &TensorDataset) -> Vec<usize> {
        data.rows_by_class().iter().map(Vec::len).collect()
    }

    /// Every row is in one of the parts, once, in order, and has kept its label.
    fn assert_partition(labels: &[i64], first: &TensorDataset, second: &TensorDataset) {
        let mut all = [rows(first), rows(second)].concat();
        for part in [first, second] {
            assert!(rows(part).is_sorted());
            let kept: Vec<i64> = rows(part).iter().map(|&row| labels[row]).collect();
            assert_eq!(part.labels(), kept);
        }
        all.sort();
        assert!(all.into_iter().eq(0..labels.len()));
    }

    fn message<R>(result: Result<R>) -> String {
        result.map(drop).unwrap_err().to_string()
    }

    proptest! {
        #[test]
        fn a_stratified_split_shares_out_each_class(
            labels in prop::collection::vec(0_i64..4, 5..80),
            fraction in 0.01..0.99,
            seed: u64,
        ) {
            let data = numbered(&labels);
            let (first, second) = data.stratified_split(fraction, &mut Rng::seed(seed)).unwrap();
            assert_partition(&labels, &first, &second);
            let shares = counts(&data).into_iter().zip(counts(&first)).zip(counts(&second));
            for ((all, first), second) in shares {
                prop_assert_eq!(first + second, all);
                if all >= 2 {
                    prop_assert!(first >= 1 && second >= 1);
                    let share = (fraction * all as f64).round() as usize;
                    prop_assert_eq!(first, share.clamp(1, all - 1));
                } else {
                    prop_assert_eq!(first, all);
                }
            }
        }

        #[test]
        fn every_row_is_tested_in_one_fold_and_folds_are_alike(
            labels in prop::collection::vec(0_i64..3, 30..80),
            folds in 2_usize..6,
            seed: u64,
        ) {
            let data = numbered(&labels);
            prop_assume!(counts(&data).iter().all(|&count| count >= folds));
            let pairs = data.stratified_k_fold(folds, &mut Rng::seed(seed)).unwrap();
            let mut tested = Vec::new();
            for (train, test) in &pairs {
                assert_partition(&labels, train, test);
                tested.extend(rows(test));
                prop_assert!(test.len().abs_diff(labels.len() / folds) <= 1);
                for (all, part) in counts(&data).into_iter().zip(counts(test)) {
                    prop_assert!(part == all / folds || part == all.div_ceil(folds));
                }
            }
            tested.sort();
            prop_assert!(tested.into_iter().eq(0..labels.len()));
        }
    }

    #[test]
    fn the_seed_decides_on_the_rows() {
        let data = numbered(&[0, 1].repeat(50));
        let first = |seed| {
            let split = data.stratified_split(0.5, &mut Rng::seed(seed));
            rows(&split.unwrap().0)
        };
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }

    #[test]
    fn a_published_split_takes_the_rows_listed() {
        let data = numbered(&[0, 1, 0, 1]);
        let (train, test) = data.split_at_rows(&[3, 0]).unwrap();
        assert_eq!((rows(&train), rows(&test)), (vec![1, 2], vec![0, 3]));
    }

    #[test]
    fn names_and_classes_without_rows_survive_a_split() {
        let data = numbered(&[0, 0, 1, 1])
            .with_classes(["a", "b", "c"])
            .unwrap();
        let (_, test) = data.stratified_split(0.5, &mut Rng::seed(1)).unwrap();
        assert_eq!(test.classes(), ["a", "b", "c"]);
    }

    #[test]
    fn impossible_splits_are_refused() {
        let data = numbered(&[0, 1, 0, 1]);
        let rng = &mut Rng::seed(1);
        for fraction in [0.0, 1.0, -0.1, f64::NAN] {
            let text = message(data.stratified_split(fraction, rng));
            assert_eq!(
                text,
                format!(
                    "stratified_split: fraction must be a number between 0 and 1, found {fraction}"
                )
            );
        }
        assert_eq!(
            message(numbered(&[0, 1, 2]).stratified_split(0.5, rng)),
            "stratified_split: dataset must be of a class with two rows, found 3 classes of one row"
        );
        assert_eq!(
            message(data.stratified_k_fold(1, rng)),
            "stratified_k_fold: folds must be at least 2, found 1"
        );
        assert_eq!(
            message(data.stratified_k_fold(3, rng)),
            "stratified_k_fold: folds must be at most 2, the rows of class \"0\", found 3"
        );
        let at_rows = |rows: &[usize]| message(data.split_at_rows(rows));
        assert_eq!(
            at_rows(&[4]),
            "split_at_rows: test_rows must be rows below 4, found 4"
        );
        assert_eq!(
            at_rows(&[1, 1]),
            "split_at_rows: test_rows must be rows listed once, found 1 twice"
        );
        assert_eq!(
            at_rows(&[]),
            "split_at_rows: test_rows must be between 1 and 3 rows, found 0"
        );
        assert_eq!(
            at_rows(&[0, 1, 2, 3]),
            "split_at_rows: test_rows must be between 1 and 3 rows, found 4"
        );
    }
}
