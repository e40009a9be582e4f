//! `Source`: the bytes of a file and its name, for errors that say where.

use std::path::Path;

use macula_tensor::{Error, Result};

pub(super) fn read_file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::File {
        path: path.into(),
        message: error.to_string(),
    })
}

/// A file and its name, for errors that say where.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) path: &'a Path,
}

impl Source<'_> {
    /// The error about the content at a byte of the file, in a column.
    pub(super) fn content(
        self,
        place: Option<usize>,
        column: Option<&str>,
        message: String,
    ) -> Error {
        Error::Content {
            path: self.path.into(),
            row: place.map(|place| self.line(place)),
            column: column.map(Into::into),
            message,
        }
    }

    /// The line, counted from 1, of the first byte from `place` on that is not white space: a
    /// record begins where the last one ended, before the empty lines between them.
    fn line(self, place: usize) -> usize {
        let rest = self.bytes.get(place..).unwrap_or_default();
        let blank = rest
            .iter()
            .take_while(|&&byte| matches!(byte, b'\n' | b'\r'));
        let end = place + blank.count();
        let before = self.bytes.get(..end).unwrap_or_default();
        1 + before.iter().filter(|&&byte| byte == b'\n').count()
    }

    /// The error about a record that is not one.
    pub(super) fn malformed(self, error: &csv::Error, names: &[String]) -> Error {
        match error.kind() {
            csv::ErrorKind::UnequalLengths {
                pos,
                expected_len,
                len,
            } => {
                let message = format!("expected {expected_len} cells, found {len}");
                self.content(Some(byte(pos.as_ref())), None, message)
            }
            csv::ErrorKind::Utf8 { pos, err } => {
                let column = names.get(err.field()).map(String::as_str);
                let message = "expected UTF-8 text, found other bytes".into();
                self.content(Some(byte(pos.as_ref())), column, message)
            }
            _ => self.content(None, None, error.to_string()),
        }
    }
}

/// The byte of the file at which a record begins.
pub(super) fn byte(position: Option<&csv::Position>) -> usize {
    position.map_or(0, |position| position.byte() as usize)
}

/// A cell in quotes, cut off where it is long: a quote that is never closed makes one cell of the
/// rest of the file.
pub(super) fn shown(cell: &str) -> String {
    const LENGTH: usize = 40;
    match cell.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{:?}…", &cell[..end]),
        None => format!("{cell:?}"),
    }
}

/// Names in quotes, the first ones where there are many.
pub(super) fn shown_list(names: &[String]) -> String {
    const COUNT: usize = 20;
    let mut list: Vec<String> = names.iter().take(COUNT).map(|name| shown(name)).collect();
    if names.len() > COUNT {
        list.push(format!("… ({} in all)", names.len()));
    }
    list.join(", ")
}
