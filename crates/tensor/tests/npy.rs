//! NumPy's files: read as NumPy wrote them, written as NumPy would, and every way to be wrong.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{cases, with_specials};
use macula_tensor::exchange::{NpyElement, NpzReader, NpzWriter};
use macula_tensor::{Error, Result, Tensor};
use proptest::prelude::*;

/// A file that NumPy wrote, see `numpy/make.py`.
fn numpy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/numpy")
        .join(name)
}

/// A folder of its own for a test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("macula-{test}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file with these bytes, and its path.
    ///
    /// Files are removed before they are written again: some systems take their time to write over
    /// one that is there.
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap();
        names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Shape and bits of the elements, so that NaN and −0 count.
trait Bits: NpyElement {
    fn bits(self) -> u64;
}
impl Bits for f32 {
    fn bits(self) -> u64 {
        self.to_bits().into()
    }
}
impl Bits for f64 {
    fn bits(self) -> u64 {
        self.to_bits()
    }
}
impl Bits for i64 {
    fn bits(self) -> u64 {
        self as u64
    }
}
impl Bits for bool {
    fn bits(self) -> u64 {
        self.into()
    }
}

fn bits<T: Bits>(x: &Tensor<T>) -> (Vec<usize>, Vec<u64>) {
    let elements = x.to_vec().unwrap();
    let bits = elements.into_iter().map(Bits::bits).collect();
    (x.shape().to_vec(), bits)
}

fn message<T: NpyElement>(result: Result<Tensor<T>>) -> String {
    match result.map(drop).unwrap_err() {
        Error::Content { path, message, .. } => {
            assert!(path.is_absolute());
            message
        }
        other => panic!("{other:?}"),
    }
}

fn floats() -> (Tensor<f32>, Tensor<f64>) {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let small = Tensor::from([[0.5_f32, -1.5, inf], [nan, 1e-45, -0.0]]);
    let (inf, nan) = (f64::NEG_INFINITY, f64::NAN);
    let large = Tensor::from([[0.5, -1.5, inf], [nan, 5e-324, -0.0]]);
    (small, large)
}

fn integers() -> Tensor<i64> {
    Tensor::from([[i64::MIN, -1, 0], [1, 2, i64::MAX]])
}

fn masks() -> Tensor<bool> {
    Tensor::from([[true, false, true], [false, false, true]])
}

/// Every layout in which NumPy wrote an array gives it back, and it is written as NumPy did.
fn agrees_with_numpy<T: Bits>(dtype: &str, expected: &Tensor<T>) {
    let folder = Folder::new(dtype);
    let archive = NpzReader::open(numpy("layouts.npz")).unwrap();
    for order in ["little", "big"] {
        for layout in ["C", "F"] {
            let x = archive
                .read::<T>(&format!("{dtype}_{order}_{layout}"))
                .unwrap();
            assert_eq!(bits(&x), bits(expected), "{dtype} {order} {layout}");
            assert_eq!(x.is_contiguous(), layout == "C");
        }
    }
    let compressed = NpzReader::open(numpy("compressed.npz")).unwrap();
    assert_eq!(bits(&compressed.read::<T>(dtype).unwrap()), bits(expected));

    let columns = expected.transpose(0, 1).unwrap().contiguous().unwrap();
    let fortran = columns.transpose(0, 1).unwrap();
    for (name, x) in [(dtype, expected), (&format!("{dtype}_fortran"), &fortran)] {
        let (theirs, ours) = (numpy(&format!("{name}.npy")), folder.path("x.npy"));
        assert_eq!(
            bits(&Tensor::<T>::read_npy(&theirs).unwrap()),
            bits(expected)
        );
        x.write_npy(&ours).unwrap();
        assert_eq!(fs::read(ours).unwrap(), fs::read(theirs).unwrap(), "{name}");
    }
}

#[test]
fn every_type_order_and_byte_order_of_numpy_is_read_and_written_alike() {
    let (small, large) = floats();
    agrees_with_numpy("f4", &small);
    agrees_with_numpy("f8", &large);
    agrees_with_numpy("i8", &integers());
    agrees_with_numpy("b1", &masks());
}

#[test]
fn scalars_empty_arrays_and_later_versions_are_read() {
    let scalar = Tensor::<f32>::read_npy(numpy("scalar.npy")).unwrap();
    assert_eq!((scalar.rank(), scalar.item()), (0, Ok(7.0)));
    let empty = Tensor::<i64>::read_npy(numpy("empty.npy")).unwrap();
    assert_eq!(empty.shape(), [0, 3]);
    for version in ["version2.npy", "version3.npy"] {
        let x = Tensor::<f32>::read_npy(numpy(version)).unwrap();
        assert_eq!(bits(&x), bits(&floats().0));
    }
    let archive = NpzReader::open(numpy("compressed.npz")).unwrap();
    let names: Vec<&str> = archive.names().collect();
    assert_eq!(names, ["b1", "f4", "f8", "i8", "zeros"]);
    assert_eq!(archive.read::<f64>("zeros").unwrap().shape(), [100, 100]);
}

#[test]
fn another_type_is_told_and_not_converted() {
    assert_eq!(
        message(Tensor::<f32>::read_npy(numpy("f8.npy"))),
        "expected elements of type f32 (f4), found <f8"
    );
    assert_eq!(
        message(Tensor::<i64>::read_npy(numpy("int32.npy"))),
        "expected elements of type i64 (i8), found <i4"
    );
    assert!(message(Tensor::<bool>::read_npy(numpy("f4.npy"))).contains("bool (b1)"));
    assert!(message(Tensor::<f32>::read_npy(numpy("structured.npy"))).contains("('a', '<f4')"));
    let archive = NpzReader::open(numpy("layouts.npz")).unwrap();
    assert_eq!(
        message(archive.read::<f64>("b1_big_C")),
        "array \"b1_big_C\": expected elements of type f64 (f8), found |b1"
    );
}

#[test]
fn a_file_cut_anywhere_is_told() {
    let folder = Folder::new("cut");
    let whole = fs::read(numpy("f4.npy")).unwrap();
    for length in 0..whole.len() {
        let path = folder.file("x.npy", &whole[..length]);
        let told = message(Tensor::<f32>::read_npy(&path));
        if length < 128 {
            assert!(
                told.starts_with("expected the header of an npy file"),
                "{told}"
            );
            let found = format!("the end after \"{}\"", whole[..length].escape_ascii());
            assert!(told.ends_with(&found), "{told}");
        } else {
            let found = length - 128;
            let expected = "expected 24 bytes of elements for shape [2, 3], found";
            assert_eq!(told, format!("{expected} {found}"));
        }
    }
    let path = folder.file("x.npy", &[&whole[..], b"\0"].concat());
    assert!(message(Tensor::<f32>::read_npy(&path)).ends_with("shape [2, 3], found more"));
}

#[test]
fn a_header_that_lies_costs_an_error_and_no_memory() {
    let folder = Folder::new("lies");
    let told = |shape: &str| {
        let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\n");
        let length = [text.len() as u8, 0];
        let file = [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), &[0; 40]].concat();
        message(Tensor::<f64>::read_npy(folder.file("x.npy", &file)))
    };
    assert!(told("(1000000000000,)").ends_with("found 40"));
    assert!(told("(1000000000000, 1000000000000)").contains("more elements than can be"));
    assert!(told("(0, 9000000000000000000, 9000000000000000000)").contains("shape"));
    assert!(told("(5, -1)").starts_with("expected a header like"));
}

#[test]
fn what_is_no_npy_file_is_told() {
    let folder = Folder::new("other");
    let told = |bytes: &[u8]| message(Tensor::<bool>::read_npy(folder.file("x.npy", bytes)));
    assert_eq!(
        told(b"a,b\n1,2\n3"),
        "expected an npy file, which starts with \"\\x93NUMPY\", found \"a,b\\n1,2\\n\""
    );
    assert!(told(b"\x93NUMPY\x04\x00........").contains("version 1, 2 or 3"));
    assert!(told(b"\x93NUMPY\x02\x00\xff\xff\xff\xff").contains("at most 65535 bytes"));
    let mut bytes = fs::read(numpy("b1.npy")).unwrap();
    bytes[130] = 2;
    assert_eq!(told(&bytes), "expected 0 or 1 for each bool, found 2");
    let missing = Tensor::<f32>::read_npy(folder.path("none.npy"));
    assert!(matches!(missing, Err(Error::File { .. })));
}

#[test]
fn an_archive_tells_what_it_lacks_and_what_is_broken() {
    let folder = Folder::new("broken");
    let archive = NpzReader::open(numpy("compressed.npz")).unwrap();
    assert_eq!(
        message(archive.read::<f32>("weights")),
        "expected an array named \"weights\", found \"b1\", \"f4\", \"f8\", \"i8\", \"zeros\""
    );
    let opened = |bytes: &[u8]| NpzReader::open(folder.file("x.npz", bytes));
    let Err(Error::Content { message: told, .. }) = opened(b"not an archive") else {
        panic!("opened");
    };
    assert!(told.starts_with("expected a zip archive of npy files: "));
    let whole = fs::read(numpy("layouts.npz")).unwrap();
    for length in 0..whole.len() {
        // Comments may stand at the end of an archive, its list may not be cut.
        assert!(opened(&whole[..length]).is_err(), "{length}");
    }
    // A flipped bit in the elements of the first array: its header ends 24 bytes before.
    let elements = whole.windows(4).position(|w| w == 0.5_f32.to_le_bytes());
    let mut flipped = whole.clone();
    flipped[elements.unwrap()] ^= 1;
    let archive = opened(&flipped).unwrap();
    let told = message(archive.read::<f32>("f4_little_C"));
    assert!(told.contains("\"f4_little_C\": Invalid checksum"), "{told}");
    assert!(archive.read::<f32>("f4_big_C").is_ok());
}

#[test]
fn no_byte_of_an_archive_can_make_reading_panic() {
    let folder = Folder::new("bytes");
    let whole = fs::read(numpy("compressed.npz")).unwrap();
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] = bytes[place].wrapping_add(113);
        if let Ok(archive) = NpzReader::open(folder.file("x.npz", &bytes)) {
            let names: Vec<&str> = archive.names().collect();
            for name in names {
                let _ = archive.read::<f32>(name);
                let _ = archive.read::<bool>(name);
            }
        }
    }
}

#[test]
fn a_writer_dropped_or_failed_leaves_what_was_there() {
    let folder = Folder::new("dropped");
    let path = folder.file("x.npz", b"before");
    let mut writer = NpzWriter::create(&path).unwrap();
    writer.write("x", &integers()).unwrap();
    assert_eq!(folder.names().len(), 2);
    drop(writer);
    assert_eq!(folder.names(), ["x.npz"]);
    assert_eq!(fs::read(&path).unwrap(), b"before");

    let occupied = folder.path("folder");
    fs::create_dir(&occupied).unwrap();
    fs::write(occupied.join("file"), "").unwrap();
    assert!(matches!(
        integers().write_npy(&occupied),
        Err(Error::File { .. })
    ));
    assert!(integers().write_npy(folder.path("none/x.npy")).is_err());
    assert!(integers().write_npy("/").is_err());
    let mut names = folder.names();
    names.sort();
    assert_eq!(names, ["folder", "x.npz"]);
}

#[test]
fn a_name_is_used_once() {
    let folder = Folder::new("names");
    let mut writer = NpzWriter::create(folder.path("x.npz")).unwrap();
    writer.write("x", &integers()).unwrap();
    let error = writer.write("x", &masks()).unwrap_err().to_string();
    assert_eq!(
        error,
        "NpzWriter::write: name must be a name that no other array has, found \"x\""
    );
    assert!(writer.write("", &masks()).is_err());
    writer.write("layer/weight ü", &masks()).unwrap();
    writer.finish().unwrap();
    let archive = NpzReader::open(folder.path("x.npz")).unwrap();
    let names: Vec<&str> = archive.names().collect();
    assert_eq!(names, ["layer/weight ü", "x"]);
    assert_eq!(bits(&archive.read::<i64>("x").unwrap()), bits(&integers()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_view_of_any_type_comes_back_with_its_bits(case in cases(5)) {
        let folder = Folder::new("views");
        let path = folder.path("x.npz");
        let mut writer = NpzWriter::create(&path).unwrap();
        let small = case.tensor(with_specials::<f32>);
        let large = case.tensor(with_specials::<f64>);
        let numbers = case.tensor(|random| random as i64);
        let masks = case.tensor(|random| random % 2 == 0);
        writer.write("small", &small).unwrap();
        writer.write("large", &large).unwrap();
        writer.write("numbers", &numbers).unwrap();
        writer.write("masks", &masks).unwrap();
        writer.finish().unwrap();
        let archive = NpzReader::open(&path).unwrap();
        prop_assert_eq!(bits(&archive.read::<f32>("small").unwrap()), bits(&small));
        prop_assert_eq!(bits(&archive.read::<f64>("large").unwrap()), bits(&large));
        prop_assert_eq!(bits(&archive.read::<i64>("numbers").unwrap()), bits(&numbers));
        prop_assert_eq!(bits(&archive.read::<bool>("masks").unwrap()), bits(&masks));
    }
}

#[test]
fn an_array_of_many_blocks_comes_back() {
    let folder = Folder::new("blocks");
    let x = Tensor::from((0..100_003).collect::<Vec<i64>>());
    x.write_npy(folder.path("x.npy")).unwrap();
    let back = Tensor::<i64>::read_npy(folder.path("x.npy")).unwrap();
    assert_eq!(bits(&back), bits(&x));
}
