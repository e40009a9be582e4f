//! `CsvReader`: a table of numbers and a class label in each row, from a CSV file.

mod labels;
mod rows;
mod source;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::str::FromStr;

use csv::{ReaderBuilder, StringRecord, Trim};
use macula_tensor::{Float, Result, Tensor};

use labels::labels;
pub use rows::{parse_rows, read_rows};
use source::{Source, byte, read_file, shown, shown_list};

use super::tensor_dataset::TensorDataset;

/// Reads a CSV file: one column of class labels, the others numbers.
///
/// # The labels
/// * A column of integers holds class numbers: 0 to C − 1, none of them missing.
/// * A column of other text holds the names of the classes; they are numbered in sorted order.
/// * [`classes`](Self::classes) names the classes and so their numbers, whatever they look like.
///   Use it for labels that begin with 1 or −1, and for files that may lack a class.
///
/// # The cells
/// Spaces around a cell do not count, empty lines neither. A number is written as in Rust, with a
/// point: `-1.5`, `3e-4`. It must be finite: what is missing has no number, so fill it in, or leave
/// the column out, before training.
///
/// # Errors
/// Each names the file, the line where it is one, and the column: a file that cannot be opened or
/// is not UTF-8, one without a row, a row of another length, a column that does not exist or
/// exists twice, a cell that is not a finite number, a label that is not one of the classes.
///
/// # Example
///
/// ```
/// use macula_nn::data::CsvReader;
///
/// let text = "patient;size;diagnosis\nA;0.5;benign\nB;2.5;malignant\nC;0.7;benign\n";
/// let reader = CsvReader::new("diagnosis").exclude(["patient"]).delimiter(b';');
/// // From a file: `reader.read("cells.csv")?`.
/// let data = reader.parse(text, "cells.csv")?;
/// assert_eq!(data.inputs().to_vec()?, [0.5, 2.5, 0.7]);
/// assert_eq!(data.targets().to_vec()?, [0, 1, 0]);
/// assert_eq!(data.classes(), ["benign", "malignant"]);
///
/// let error = reader.parse(text.replace("2.5", "?"), "cells.csv").unwrap_err();
/// let expected = r#"cells.csv, line 3, column "size": expected a number, found "?""#;
/// assert_eq!(error.to_string(), expected);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CsvReader {
    target: String,
    exclude: Vec<String>,
    classes: Option<Vec<String>>,
    delimiter: u8,
    header: bool,
}

impl CsvReader {
    /// A reader of files whose labels are in the column `target`.
    pub fn new(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            exclude: Vec::new(),
            classes: None,
            delimiter: b',',
            header: true,
        }
    }

    /// Leaves columns out, which may hold any text.
    pub fn exclude<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.exclude = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Names the classes in the order of their numbers.
    pub fn classes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.classes = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// The byte between two cells: a comma, unless told.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Whether the first line has the names of the columns; it has, unless told. Without, a column
    /// is called by its place: "0", "1", ….
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// The data set in a file.
    ///
    /// # Errors
    /// See [above](Self#errors).
    pub fn read(&self, path: impl AsRef<Path>) -> Result<TensorDataset> {
        self.read_as(path)
    }

    /// The data set in a file, in `f32` or `f64`.
    ///
    /// # Errors
    /// See [above](Self#errors).
    pub fn read_as<T: Float + FromStr>(&self, path: impl AsRef<Path>) -> Result<TensorDataset<T>> {
        let path = path.as_ref();
        self.parse_as(read_file(path)?, path)
    }

    /// The data set in a text, as of [`include_str!`]; `name` stands for the file in errors.
    ///
    /// # Errors
    /// See [above](Self#errors).
    pub fn parse(&self, text: impl AsRef<[u8]>, name: impl AsRef<Path>) -> Result<TensorDataset> {
        self.parse_as(text, name)
    }

    /// The data set in a text, in `f32` or `f64`.
    ///
    /// # Errors
    /// See [above](Self#errors).
    pub fn parse_as<T: Float + FromStr>(
        &self,
        text: impl AsRef<[u8]>,
        name: impl AsRef<Path>,
    ) -> Result<TensorDataset<T>> {
        self.table(Source {
            bytes: text.as_ref(),
            path: name.as_ref(),
        })
    }

    fn table<T: Float + FromStr>(&self, source: Source) -> Result<TensorDataset<T>> {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .delimiter(self.delimiter)
            .trim(Trim::All)
            .from_reader(source.bytes);
        let mut record = StringRecord::new();
        let mut next = |record: &mut StringRecord, names: &[String]| {
            let more = reader.read_record(record);
            more.map_err(|error| source.malformed(&error, names))
        };

        if !next(&mut record, &[])? {
            return Err(source.content(None, None, "expected a table, found an empty file".into()));
        }
        let names: Vec<String> = if self.header {
            record.iter().map(String::from).collect()
        } else {
            (0..record.len()).map(|place| place.to_string()).collect()
        };
        let columns = self.columns(&names, source)?;
        let mut more = if self.header {
            next(&mut record, &names)?
        } else {
            true
        };
        if !more {
            return Err(source.content(None, None, "expected rows, found only a header".into()));
        }

        let mut inputs = Vec::new();
        let mut cells = Vec::new();
        let mut places = Vec::new();
        while more {
            let place = byte(record.position());
            for &column in &columns.features {
                let cell = &record[column];
                let number = cell.parse::<T>().ok().filter(|number| number.is_finite());
                inputs.push(number.ok_or_else(|| {
                    let message = not_a_number::<T>(cell);
                    source.content(Some(place), Some(&names[column]), message)
                })?);
            }
            cells.push(record[columns.target].to_string());
            places.push(place);
            more = next(&mut record, &names)?;
        }

        let labels = labels(&cells, self.classes.as_deref(), |row, message| {
            source.content(row.map(|row| places[row]), Some(&self.target), message)
        })?;
        let inputs = Tensor::from_vec(inputs, [cells.len(), columns.features.len()])?;
        TensorDataset::new(inputs, Tensor::from(labels.numbers))?
            .with_features(columns.features.iter().map(|&column| &names[column]))?
            .with_classes(labels.classes)
    }

    /// Which columns are what.
    fn columns(&self, names: &[String], source: Source) -> Result<Columns> {
        let wrong = |message| source.content(None, None, message);
        for (place, name) in names.iter().enumerate() {
            if names[..place].contains(name) {
                return Err(source.content(
                    Some(0),
                    None,
                    format!("two columns are called {name:?}"),
                ));
            }
        }
        let place = |name: &String| {
            names.iter().position(|other| other == name).ok_or_else(|| {
                let there = shown_list(names);
                wrong(format!("no column is called {name:?}; there are {there}"))
            })
        };
        let target = place(&self.target)?;
        let excluded = self.exclude.iter().map(place).collect::<Result<Vec<_>>>()?;
        let features: Vec<usize> = (0..names.len())
            .filter(|column| *column != target && !excluded.contains(column))
            .collect();
        if features.is_empty() {
            return Err(wrong("no column is left beside the labels".into()));
        }
        Ok(Columns { target, features })
    }
}

/// Places of the columns that are read.
struct Columns {
    target: usize,
    features: Vec<usize>,
}

fn not_a_number<T: Float>(cell: &str) -> String {
    match cell.parse::<f64>() {
        _ if cell.is_empty() => "expected a number, found nothing".into(),
        Err(_) => format!("expected a number, found {}", shown(cell)),
        Ok(number) if number.is_finite() => {
            format!(
                "expected a finite number, found {}, too large for {}",
                shown(cell),
                T::NAME
            )
        }
        Ok(_) => format!("expected a finite number, found {}", shown(cell)),
    }
}
