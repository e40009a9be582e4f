//! What stands before the elements: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`.

use std::io::{self, Read};

use super::content;
use crate::shape::Sizes;

const MAGIC: &[u8] = b"\x93NUMPY";

/// The elements start at a multiple of this, so that a file mapped into memory is aligned.
const ALIGNMENT: usize = 64;

/// Longer headers belong to structured types of many fields, which no tensor holds.
const LONGEST: u64 = u16::MAX as u64;

/// The dictionary at the start of a `.npy` file.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    /// The type of the elements with its byte order, as in `<f4`.
    pub(super) dtype: String,
    /// Whether the first index runs fastest.
    pub(super) fortran_order: bool,
    /// Sizes along the axes.
    pub(super) shape: Sizes,
}

impl Header {
    /// Reads everything up to the first element.
    pub(super) fn read(reader: &mut impl Read) -> io::Result<Self> {
        let mut start = Vec::new();
        read_on(reader, 8, &mut start)?;
        if !start.starts_with(MAGIC) {
            let found = start.escape_ascii();
            return Err(content(format!(
                "expected an npy file, which starts with \"\\x93NUMPY\", found \"{found}\""
            )));
        }
        let length = match start[6] {
            1 => number(read_on(reader, 2, &mut start)?),
            2 | 3 => number(read_on(reader, 4, &mut start)?),
            major => {
                return Err(content(format!(
                    "expected version 1, 2 or 3 of the npy format, found {major}"
                )));
            }
        };
        if length > LONGEST {
            return Err(content(format!(
                "expected a header of at most {LONGEST} bytes, found {length}"
            )));
        }
        let text = String::from_utf8_lossy(read_on(reader, length, &mut start)?);
        Self::parse(&text).ok_or_else(|| {
            let found: String = text.trim().chars().take(200).collect();
            content(format!(
                "expected a header like {{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), \
                 }}, found {found}"
            ))
        })
    }

    /// The bytes that stand before the elements, as version 1 of the format writes them.
    pub(super) fn bytes(&self) -> io::Result<Vec<u8>> {
        let mut text = format!(
            "{{'descr': '{}', 'fortran_order': {}, 'shape': (",
            self.dtype,
            if self.fortran_order { "True" } else { "False" },
        );
        for size in &self.shape {
            text += &format!("{size}, ");
        }
        // A tuple of one has a comma, others have none at the end.
        let end = if self.shape.len() == 1 { " " } else { ", " };
        text.truncate(text.strip_suffix(end).unwrap_or(&text).len());
        text += "), }";
        let before = MAGIC.len() + 4;
        let padded = (before + text.len() + 1).next_multiple_of(ALIGNMENT);
        let length = u16::try_from(padded - before)
            .map_err(|_| content(format!("{} axes are more than fit", self.shape.len())))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend(length.to_le_bytes());
        bytes.extend(text.bytes());
        bytes.resize(padded - 1, b' ');
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The dictionary, whose keys may come in any order.
    fn parse(text: &str) -> Option<Self> {
        let mut rest = Rest(text);
        let (mut dtype, mut fortran_order, mut shape) = (None, None, None);
        rest.symbol("{")?;
        while rest.symbol("}").is_none() {
            let key = rest.string()?;
            rest.symbol(":")?;
            match key {
                "descr" => dtype = Some(rest.string()?.to_owned()),
                "fortran_order" => fortran_order = Some(rest.truth()?),
                "shape" => shape = Some(rest.tuple()?),
                _ => return None,
            }
            if rest.symbol(",").is_none() && !rest.0.trim_start().starts_with('}') {
                return None;
            }
        }
        rest.0.trim().is_empty().then_some(Self {
            dtype: dtype?,
            fortran_order: fortran_order?,
            shape: shape?,
        })
    }
}

/// What is still to be parsed; each method takes its part from the front, or gives None.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn symbol(&mut self, symbol: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(symbol)?;
        Some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (string, rest) = text[1..].split_once(quote)?;
        self.0 = rest;
        Some(string)
    }

    fn truth(&mut self) -> Option<bool> {
        let truth = self.symbol("True").is_some();
        (truth || self.symbol("False").is_some()).then_some(truth)
    }

    fn tuple(&mut self) -> Option<Sizes> {
        let mut sizes = Sizes::new();
        self.symbol("(")?;
        while self.symbol(")").is_none() {
            let text = self.0.trim_start();
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            sizes.push(text[..digits].parse().ok()?);
            self.0 = &text[digits..];
            // Python 2 wrote long integers with an L.
            let _ = self.symbol("L");
            if self.symbol(",").is_none() && !self.0.trim_start().starts_with(')') {
                return None;
            }
        }
        Some(sizes)
    }
}

/// The next bytes, all of them, which are added to those that were read before.
fn read_on<'a>(reader: &mut impl Read, count: u64, start: &'a mut Vec<u8>) -> io::Result<&'a [u8]> {
    let before = start.len();
    let read = reader.take(count).read_to_end(start)?;
    if read as u64 == count {
        return Ok(&start[before..]);
    }
    Err(content(format!(
        "expected the header of an npy file, found the end after \"{}\"",
        start.escape_ascii()
    )))
}

/// A number, little end first.
fn number(bytes: &[u8]) -> u64 {
    let byte = |number, &byte: &u8| number << 8 | u64::from(byte);
    bytes.iter().rev().fold(0, byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(dtype: &str, fortran_order: bool, shape: &[usize]) -> Header {
        Header {
            dtype: dtype.into(),
            fortran_order,
            shape: Sizes::from_slice(shape),
        }
    }

    #[test]
    fn what_is_written_is_what_numpy_writes() {
        let bytes = header("<f4", false, &[3]).bytes().unwrap();
        // From `numpy.save` of three float32.
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
        let expected = format!("{text:117}\n");
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(&bytes[10..], expected.as_bytes());
    }

    #[test]
    fn headers_of_any_rank_come_back() {
        for shape in [&[][..], &[0], &[7], &[2, 3], &[1, 0, 4, 5, 6, 1000]] {
            for fortran_order in [false, true] {
                let header = header("|b1", fortran_order, shape);
                let bytes = header.bytes().unwrap();
                assert_eq!(bytes.len() % ALIGNMENT, 0);
                assert_eq!(Header::read(&mut &bytes[..]).unwrap(), header);
            }
        }
    }

    #[test]
    fn keys_in_any_order_double_quotes_and_long_integers_are_read() {
        let text = r#"{"shape":(2L,3L), "fortran_order" : True,"descr":">f8"}  "#;
        let expected = Some(header(">f8", true, &[2, 3]));
        assert_eq!(Header::parse(text), expected);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for text in [
            "",
            "{",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': 3}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4' 'fortran_order': False 'shape': ()}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x",
            "{'descr': 'é, 'fortran_order': False, 'shape': ()}",
        ] {
            assert_eq!(Header::parse(text), None, "{text}");
        }
    }
}
