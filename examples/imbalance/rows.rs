//! The rows to train and to test with.

use std::fmt;

use macula::data::CsvReader;
use macula::prelude::*;

use crate::options::Options;

/// Share of a user's rows that are trained with.
const TRAINING_SHARE: f64 = 0.7;

/// Two parts of a data set of two classes; class 1 is the rare one.
pub(crate) struct Rows {
    /// The rows to train with.
    pub(crate) train: TensorDataset,
    /// The rows that nothing is chosen by.
    pub(crate) test: TensorDataset,
    source: String,
}

impl Rows {
    /// The rows that the options ask for.
    pub(crate) fn load(options: &Options) -> Result<Self> {
        let (Some(path), Some(target)) = (&options.data, &options.target) else {
            let (train, test) = data::mammography_split()?;
            let source = "mammography".into();
            return Ok(Self {
                train,
                test,
                source,
            });
        };
        let mut reader = CsvReader::new(target).exclude(&options.exclude);
        if !options.classes.is_empty() {
            reader = reader.classes(&options.classes);
        }
        let source = path.display().to_string();
        let data = rarest_against_the_rest(&reader.read(path)?, &source)?;
        let (train, test) = data.stratified_split(TRAINING_SHARE, &mut Rng::seed(0))?;
        Ok(Self {
            train,
            test,
            source,
        })
    }
}

/// The same rows with label 1 for the rarest class and 0 for all others.
fn rarest_against_the_rest(data: &TensorDataset, source: &str) -> Result<TensorDataset> {
    let counts = ClassCounts::of(data.targets(), data.classes().len())?;
    let rarest = counts.rarest();
    let (rare, others) = (
        counts.counts()[rarest],
        counts.total() - counts.counts()[rarest],
    );
    // One row of each class to train with, one to choose the threshold by and one to test with.
    if rare < 3 || others < 3 {
        return Err(Error::Content {
            path: source.into(),
            row: None,
            column: None,
            message: format!(
                "expected two classes of at least 3 rows, found {rare} of class {:?} and {others} \
                 of others",
                data.classes()[rarest]
            ),
        });
    }
    let labels = data.targets().to_vec()?.into_iter();
    let labels: Vec<i64> = labels
        .map(|label| i64::from(label == rarest as i64))
        .collect();
    let name = |class: usize| data.classes()[class].clone();
    let others = match data.classes().len() {
        2 => name(1 - rarest),
        classes => format!("any of {} others", classes - 1),
    };
    TensorDataset::new(data.inputs().clone(), Tensor::from(labels))?
        .with_classes([others, name(rarest)])
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rare = |part: &TensorDataset| {
            let counts = ClassCounts::of(part.targets(), 2);
            counts.map_or(0, |counts| counts.counts()[1])
        };
        write!(
            f,
            "{}: {} columns; looking for class {:?} against {:?}\n\
             {} rows to train with, {} of them rare; {} rows to test with, {} of them rare",
            self.source,
            self.train.inputs().shape()[1],
            self.train.classes()[1],
            self.train.classes()[0],
            self.train.len(),
            rare(&self.train),
            self.test.len(),
            rare(&self.test),
        )
    }
}
