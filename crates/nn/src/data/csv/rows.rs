//! Lists of row numbers, as they are published with a data set.

use std::path::Path;

use macula_tensor::Result;

use super::source::{Source, read_file, shown};

/// The row numbers in a text file, one a line and counted from 0, of a table with `rows` rows.
///
/// Data sets are published with such lists to say which rows are for testing; see
/// [`split_at_rows`](crate::data::TensorDataset::split_at_rows).
///
/// # Errors
/// Each names the file and the line: a file that cannot be opened or has no line, a line that is
/// not a row number below `rows`, or one that was there before.
pub fn read_rows(path: impl AsRef<Path>, rows: usize) -> Result<Vec<usize>> {
    let path = path.as_ref();
    parse_rows(read_file(path)?, path, rows)
}

/// The row numbers in a text, as of [`include_str!`]; `name` stands for the file in errors.
///
/// # Errors
/// See [`read_rows`].
pub fn parse_rows(
    text: impl AsRef<[u8]>,
    name: impl AsRef<Path>,
    rows: usize,
) -> Result<Vec<usize>> {
    let source = Source {
        bytes: text.as_ref(),
        path: name.as_ref(),
    };
    let mut listed = vec![false; rows];
    let mut list = Vec::new();
    let mut place = 0;
    for line in source.bytes.split_inclusive(|&byte| byte == b'\n') {
        let wrong = |message| Err(source.content(Some(place), None, message));
        let text = String::from_utf8_lossy(line);
        let text = text.trim_start_matches('\u{feff}').trim();
        if !text.is_empty() {
            let Some(row) = text.parse().ok().filter(|&row| row < rows) else {
                return wrong(format!(
                    "expected a row number below {rows}, found {}",
                    shown(text)
                ));
            };
            if std::mem::replace(&mut listed[row], true) {
                return wrong(format!("row {row} is listed a second time"));
            }
            list.push(row);
        }
        place += line.len();
    }
    if list.is_empty() {
        let message = "expected row numbers, one a line, found none".into();
        return Err(source.content(None, None, message));
    }
    Ok(list)
}
