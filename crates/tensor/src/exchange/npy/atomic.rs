//! A file that appears whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A file written under a temporary name beside its own, and renamed by
/// [`commit`](AtomicFile::commit).
///
/// Without a commit the temporary file is removed, and what stood under the name stays.
#[derive(Debug)]
pub(super) struct AtomicFile {
    file: BufWriter<File>,
    temporary: PathBuf,
    path: PathBuf,
    committed: bool,
}

impl AtomicFile {
    /// An empty file under a temporary name.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let name = path
            .file_name()
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "not the name of a file"))?;
        // Other writers, of this process or another, may be at work on the same file.
        for attempt in 0..1000 {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{attempt}.tmp"));
            let temporary = path.with_file_name(hidden);
            match OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&temporary)
            {
                Ok(file) => {
                    return Ok(Self {
                        file: BufWriter::new(file),
                        temporary,
                        path: path.to_owned(),
                        committed: false,
                    });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "1000 temporary files of this name are in its folder",
        ))
    }

    /// Gives the file its name.
    pub(super) fn commit(mut self) -> io::Result<()> {
        self.file.flush()?;
        // The content must be on the disk before the name is.
        self.file.get_ref().sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        self.committed = true;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nobody is left to tell if this fails, and the name itself is untouched.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
