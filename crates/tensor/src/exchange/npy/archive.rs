//! Several arrays in one `.npz` file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::DeflateDecoder;
use rawzip::{
    CompressionMethod, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder,
    ZipArchiveWriter,
};

use super::atomic::AtomicFile;
use super::element::NpyElement;
use super::{array, content, told};
use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// The arrays in a `.npz` file, each read when it is asked for.
///
/// # Example
///
/// ```
/// use macula_tensor::{Tensor, exchange::{NpzReader, NpzWriter}};
///
/// # let folder = std::env::temp_dir().join(format!("macula-doc-npz-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// let path = folder.join("data.npz");
/// let mut writer = NpzWriter::create(&path)?;
/// writer.write("inputs", &Tensor::from([[0.5_f32, 1.5]]))?;
/// writer.write("labels", &Tensor::from([1]))?;
/// writer.finish()?;
///
/// let archive = NpzReader::open(&path)?;
/// assert_eq!(archive.names().collect::<Vec<_>>(), ["inputs", "labels"]);
/// assert_eq!(archive.read::<i64>("labels")?.item()?, 1);
/// let message = archive.read::<i64>("weights").map(drop).unwrap_err().to_string();
/// assert!(message.ends_with(r#"expected an array named "weights", found "inputs", "labels""#));
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub struct NpzReader {
    path: PathBuf,
    archive: ZipArchive<FileReader>,
    entries: BTreeMap<String, (ZipArchiveEntryWayfinder, CompressionMethod)>,
}

impl NpzReader {
    /// Reads the list of arrays in a file; files without the ending `.npy` are left out.
    ///
    /// # Errors
    /// [`Error::File`] where the system cannot open or read the file, [`Error::Content`] where it
    /// is no zip archive.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|error| told(path, error))?;
        let no_archive = |error| {
            let error = system(error);
            match error.kind() {
                ErrorKind::InvalidData => told(
                    path,
                    content(format!("expected a zip archive of npy files: {error}")),
                ),
                _ => told(path, error),
            }
        };
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let archive = ZipArchive::from_file(file, &mut buffer).map_err(no_archive)?;
        let mut entries = BTreeMap::new();
        let mut listing = archive.entries(&mut buffer);
        while let Some(entry) = listing.next_entry().map_err(no_archive)? {
            let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
            if let Some(name) = name.strip_suffix(".npy") {
                let place = (entry.wayfinder(), entry.compression_method());
                entries.insert(name.to_owned(), place);
            }
        }
        Ok(Self {
            path: path.to_owned(),
            archive,
            entries,
        })
    }

    /// The names of the arrays, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The array of this name, see [`Tensor::read_npy`]; it may be compressed.
    ///
    /// # Errors
    /// [`Error::Content`] where there is no such array, its checksum is wrong, or it is compressed
    /// in another way than NumPy's; otherwise as [`Tensor::read_npy`].
    pub fn read<T: NpyElement>(&self, name: &str) -> Result<Tensor<T>> {
        let Some(&(place, method)) = self.entries.get(name) else {
            let names: Vec<String> = self.names().map(|name| format!("{name:?}")).collect();
            let found = match names.is_empty() {
                true => "none".into(),
                false => names.join(", "),
            };
            let message = format!("expected an array named {name:?}, found {found}");
            return Err(told(&self.path, content(message)));
        };
        self.read_entry(place, method)
            .map_err(|error| self.within(name, error))
    }

    fn read_entry<T: NpyElement>(
        &self,
        place: ZipArchiveEntryWayfinder,
        method: CompressionMethod,
    ) -> io::Result<Tensor<T>> {
        let entry = self.archive.get_entry(place).map_err(system)?;
        let stored = BufReader::new(entry.reader());
        // Boxed, so that the code that reads arrays is compiled once.
        let elements: Box<dyn Read> = match method {
            CompressionMethod::STORE => Box::new(stored),
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(stored)),
            other => {
                return Err(content(format!(
                    "expected a stored or deflated array, found compression {other}"
                )));
            }
        };
        array::read(&mut entry.verifying_reader(elements))
    }

    /// An error in one of the arrays.
    fn within(&self, name: &str, error: io::Error) -> Error {
        let kind = match error.kind() {
            // What the archive and the decoder find wrong is in the content.
            ErrorKind::InvalidInput | ErrorKind::Other => ErrorKind::InvalidData,
            kind => kind,
        };
        let message = format!("array {name:?}: {error}");
        told(&self.path, io::Error::new(kind, message))
    }
}

/// Writes a `.npz` file, array by array and not compressed, as `numpy.savez` does.
///
/// The file appears when [`finish`](NpzWriter::finish) has been called; dropped before, the writer
/// leaves what was there. [`NpzReader`] has an example.
pub struct NpzWriter {
    path: PathBuf,
    archive: ZipArchiveWriter<AtomicFile>,
    names: Vec<String>,
    /// The first array that could not be written: the archive must not appear without it.
    failed: Option<Error>,
}

impl NpzWriter {
    /// A writer without arrays.
    ///
    /// # Errors
    /// [`Error::File`] where the system cannot make a file in the folder.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = AtomicFile::create(path).map_err(|error| told(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            archive: ZipArchiveWriter::new(file),
            names: Vec::new(),
            failed: None,
        })
    }

    /// Adds an array.
    ///
    /// # Errors
    /// [`Error::Argument`] where the name is empty or taken, [`Error::File`] where the system
    /// cannot write.
    pub fn write<T: NpyElement>(&mut self, name: &str, tensor: &Tensor<T>) -> Result<()> {
        if name.is_empty() || self.names.iter().any(|taken| taken == name) {
            return Err(Error::Argument {
                op: "NpzWriter::write",
                argument: "name",
                expected: "a name that no other array has".into(),
                found: format!("{name:?}"),
            });
        }
        self.names.push(name.to_owned());
        self.write_entry(name, tensor).map_err(|error| {
            let error = told(&self.path, error);
            self.failed.get_or_insert(error).clone()
        })
    }

    fn write_entry<T: NpyElement>(&mut self, name: &str, tensor: &Tensor<T>) -> io::Result<()> {
        let file = format!("{name}.npy");
        let entry = self.archive.new_file(&file).start();
        let (mut entry, config) = entry.map_err(system)?;
        let mut elements = config.wrap(&mut entry);
        array::write("NpzWriter::write", &mut elements, tensor)?;
        let (_, checks) = elements.finish().map_err(system)?;
        entry.finish(checks).map_err(system)?;
        Ok(())
    }

    /// Writes the list of arrays and gives the file its name.
    ///
    /// # Errors
    /// [`Error::File`] where the system cannot write, or could not write one of the arrays.
    pub fn finish(self) -> Result<()> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let file = self.archive.finish().map_err(system);
        file.and_then(AtomicFile::commit)
            .map_err(|error| told(&self.path, error))
    }
}

/// What the archive says: its reader's own error, or content that is wrong.
fn system(error: rawzip::Error) -> io::Error {
    let message = error.to_string();
    match error.into_kind() {
        rawzip::ErrorKind::IO(error) => error,
        _ => content(message),
    }
}
