//! NumPy's files: `.npy` holds one array, `.npz` is a zip archive of them.
//!
//! # Source
//! The format is NEP 1, "A Simple File Format for NumPy Arrays"
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>): a magic string, a
//! version, a Python dictionary of dtype, order and shape, and the elements as they lie in memory.

mod archive;
mod array;
mod atomic;
mod element;
mod header;

pub use archive::{NpzReader, NpzWriter};
pub use element::NpyElement;

use std::fs::File;
use std::io::{self, BufReader, ErrorKind};
use std::path::Path;

use self::atomic::AtomicFile;
use crate::error::{Error, Result};
use crate::tensor::Tensor;

impl<T: NpyElement> Tensor<T> {
    /// The array in a `.npy` file.
    ///
    /// Both orders of elements are read (an array in Fortran order becomes a view that is not
    /// contiguous; nothing is rearranged), and both byte orders.
    ///
    /// # Errors
    /// [`Error::File`] where the system cannot open or read the file; [`Error::Content`] where it
    /// is no `.npy` file, holds another type than `T`, or is shorter or longer than it says. Types
    /// are not converted: see [`Tensor::cast`].
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// # let folder = std::env::temp_dir().join(format!("macula-doc-npy-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// let path = folder.join("weights.npy");
    /// Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]).write_npy(&path)?;
    ///
    /// let weights = Tensor::<f32>::read_npy(&path)?;
    /// assert_eq!(weights.to_vec()?, [1.0, 2.0, 3.0, 4.0]);
    ///
    /// let message = Tensor::<f64>::read_npy(&path).map(drop).unwrap_err().to_string();
    /// assert!(message.ends_with("weights.npy: expected elements of type f64 (f8), found <f4"));
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn read_npy(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        File::open(path)
            .and_then(|file| array::read(&mut BufReader::new(file)))
            .map_err(|error| told(path, error))
    }

    /// Writes the tensor to a `.npy` file, in place of one that is there.
    ///
    /// The bytes go to a temporary file beside it that is renamed at the end: at any time there is
    /// the old file or the whole new one under this name. A transposed tensor is written in
    /// Fortran order, as it lies in memory; any other view in row-major order.
    ///
    /// # Errors
    /// [`Error::File`] where the system cannot write, as on a full disk.
    pub fn write_npy(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        AtomicFile::create(path)
            .and_then(|mut file| {
                array::write("write_npy", &mut file, self)?;
                file.commit()
            })
            .map_err(|error| told(path, error))
    }
}

/// An error in a file, as the workspace's own: either the content is wrong, or the system failed.
///
/// The parsers below speak [`io::Error`], so that what a reader says and what they say go one way.
fn told(path: &Path, error: io::Error) -> Error {
    let (path, message) = (path.to_owned(), error.to_string());
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => Error::Content {
            path,
            row: None,
            column: None,
            message,
        },
        _ => Error::File { path, message },
    }
}

/// Content that is not what was expected.
fn content(message: impl Into<String>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, message.into())
}
