//! From the text of a target column to class numbers.

use std::collections::HashMap;

use macula_tensor::{Error, Result};

use super::source::{shown, shown_list};

/// What to do about labels that the reader has no rule for.
const HINT: &str = "name the classes, in order, with `classes`";

/// A target column: the class number of each row and the names of the classes.
#[derive(Debug)]
pub(super) struct Labels {
    pub(super) numbers: Vec<i64>,
    pub(super) classes: Vec<String>,
}

/// The labels in `cells`; `wrong(row, message)` makes the error of a row, or of the column.
pub(super) fn labels(
    cells: &[String],
    classes: Option<&[String]>,
    wrong: impl Fn(Option<usize>, String) -> Error,
) -> Result<Labels> {
    if let Some(row) = cells.iter().position(String::is_empty) {
        return Err(wrong(Some(row), "expected a label, found nothing".into()));
    }
    let is_number = |cell: &String| cell.parse::<f64>().is_ok();
    if let Some(classes) = classes {
        given(cells, classes, wrong)
    } else if cells.iter().all(is_number) {
        numbers(cells, wrong)
    } else if let Some(row) = cells.iter().position(is_number) {
        let cell = shown(&cells[row]);
        let message = format!("expected a name as in other rows, found {cell}: {HINT}");
        Err(wrong(Some(row), message))
    } else {
        let mut names = cells.to_vec();
        names.sort();
        names.dedup();
        given(cells, &names, wrong)
    }
}

/// Labels that are names: the number of a class is its place among the names.
fn given(
    cells: &[String],
    classes: &[String],
    wrong: impl Fn(Option<usize>, String) -> Error,
) -> Result<Labels> {
    let mut places = HashMap::new();
    for (name, place) in classes.iter().zip(0..) {
        if places.insert(name, place).is_some() {
            return Err(wrong(None, format!("two classes are called {name:?}")));
        }
    }
    let number = |(row, cell): (usize, &String)| {
        places.get(cell).copied().ok_or_else(|| {
            let (classes, cell) = (shown_list(classes), shown(cell));
            let message = format!("expected one of the classes {classes}, found {cell}");
            wrong(Some(row), message)
        })
    };
    Ok(Labels {
        numbers: cells
            .iter()
            .enumerate()
            .map(number)
            .collect::<Result<_>>()?,
        classes: classes.to_vec(),
    })
}

/// Labels that are class numbers: integers from 0, without a gap.
fn numbers(cells: &[String], wrong: impl Fn(Option<usize>, String) -> Error) -> Result<Labels> {
    let number = |(row, cell): (usize, &String)| {
        cell.parse().map_err(|_| {
            let cell = shown(cell);
            let message = format!("expected a class number 0, 1, …, found {cell}: {HINT}");
            wrong(Some(row), message)
        })
    };
    let numbers = cells
        .iter()
        .enumerate()
        .map(number)
        .collect::<Result<Vec<i64>>>()?;
    let mut classes = numbers.clone();
    classes.sort();
    classes.dedup();
    let row_of = |class| numbers.iter().position(|&number| number == class);
    if let Some(&first) = classes.first().filter(|&&first| first != 0) {
        let message = format!("expected class numbers from 0, found {first} as the first: {HINT}");
        return Err(wrong(row_of(first), message));
    }
    if let Some(pair) = classes.windows(2).find(|pair| pair[1] != pair[0] + 1) {
        let (below, above, gap) = (pair[0], pair[1], pair[0] + 1);
        let message = format!(
            "expected class numbers without a gap, found {below} and {above} but not {gap}: {HINT}"
        );
        return Err(wrong(row_of(above), message));
    }
    Ok(Labels {
        numbers,
        classes: classes.iter().map(i64::to_string).collect(),
    })
}
