use std::path::{Path, PathBuf};

use macula_tensor::Error;

use super::*;
use crate::data::Dataset;
use proptest::prelude::*;

const TABLE: &str = "\
age,size,kind
31,0.5,benign
45, -1.5 ,malignant

60,2e3,benign
";

fn reader() -> CsvReader {
    CsvReader::new("kind")
}

fn parse(reader: CsvReader, text: impl AsRef<[u8]>) -> Result<TensorDataset> {
    reader.parse(text, "t.csv")
}

fn message(reader: CsvReader, text: impl AsRef<[u8]>) -> String {
    parse(reader, text).unwrap_err().to_string()
}

/// A file with its own name, gone at the end of the test.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(name: &str, content: &str) -> Self {
        let name = format!("macula-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn names_are_numbered_in_sorted_order() {
    let data = parse(reader(), TABLE).unwrap();
    assert_eq!(data.features(), ["age", "size"]);
    assert_eq!(data.classes(), ["benign", "malignant"]);
    assert_eq!(data.labels(), [0, 1, 0]);
    assert_eq!(
        data.inputs().to_vec().unwrap(),
        [31.0, 0.5, 45.0, -1.5, 60.0, 2000.0]
    );
}

#[test]
fn integers_are_class_numbers() {
    let data = parse(
        reader(),
        "kind,x\n10,1\n0,2\n1,3\n2,0\n3,0\n4,0\n5,0\n6,0\n7,0\n8,0\n9,0",
    );
    let data = data.unwrap();
    assert_eq!(data.labels()[..3], [10, 0, 1]);
    assert_eq!(data.classes()[10], "10", "by value, not as text");
}

#[test]
fn named_classes_decide_on_the_numbers_and_may_be_missing() {
    let text = "x,kind\n0,3\n0,1\n";
    let data = parse(reader().classes(["1", "2", "3"]), text).unwrap();
    assert_eq!(data.labels(), [2, 0]);
    assert_eq!(data.classes().len(), 3);
    assert_eq!(
        message(reader().classes(["1", "2"]), text),
        "t.csv, line 2, column \"kind\": expected one of the classes \"1\", \"2\", found \"3\""
    );
    assert_eq!(
        message(reader().classes(["1", "2", "1"]), text),
        "t.csv, column \"kind\": two classes are called \"1\""
    );
}

#[test]
fn delimiter_header_and_left_out_columns_are_options() {
    let text = "a b;1,5;2;0\n\"c;d\";x;3;1\n";
    let reader = CsvReader::new("3").delimiter(b';').header(false);
    let data = parse(reader.exclude(["0", "1"]), text).unwrap();
    assert_eq!(data.features(), ["2"]);
    assert_eq!(data.inputs().to_vec().unwrap(), [2.0, 3.0]);
    assert_eq!(data.labels(), [0, 1]);
}

#[test]
fn a_byte_order_mark_and_windows_lines_are_read() {
    let text = format!("\u{feff}{}", TABLE.replace('\n', "\r\n"));
    let data = parse(reader(), &text).unwrap();
    assert_eq!(data.features(), ["age", "size"]);
    assert_eq!(data.len(), 3);
    assert_eq!(
        message(reader(), text.replace("60", "sixty")),
        "t.csv, line 5, column \"age\": expected a number, found \"sixty\""
    );
}

#[test]
fn numbers_are_rounded_to_the_type_asked_for_once() {
    // Between two f32 numbers, so near the middle that f64 rounds it to the middle.
    let text = "x,kind\n1.00000017881393432617187499,0\n";
    let single = parse(reader(), text).unwrap();
    assert_eq!(single.inputs().item(), Ok(1.000_000_1));
    let double: TensorDataset<f64> = reader().parse_as(text, "t.csv").unwrap();
    assert_eq!(double.inputs().item(), Ok(1.000_000_178_813_934_3));
}

#[test]
fn columns_that_are_not_there_or_twice_are_refused() {
    assert_eq!(
        message(CsvReader::new("class"), TABLE),
        "t.csv: no column is called \"class\"; there are \"age\", \"size\", \"kind\""
    );
    assert_eq!(
        message(reader().exclude(["id"]), TABLE),
        "t.csv: no column is called \"id\"; there are \"age\", \"size\", \"kind\""
    );
    assert_eq!(
        message(reader(), "x,kind,x\n1,0,1\n"),
        "t.csv, line 1: two columns are called \"x\""
    );
    assert_eq!(
        message(reader().exclude(["age", "size"]), TABLE),
        "t.csv: no column is left beside the labels"
    );
}

#[test]
fn files_without_rows_are_refused() {
    for text in ["", "\n\n", "\u{feff}"] {
        assert_eq!(
            message(reader(), text),
            "t.csv: expected a table, found an empty file"
        );
    }
    assert_eq!(
        message(reader(), "x,kind\n\n"),
        "t.csv: expected rows, found only a header"
    );
}

#[test]
fn a_cell_that_is_no_finite_number_is_named_by_line_and_column() {
    let cell = |cell: &str| message(reader(), format!("x,kind\n1,0\n\n\n{cell},1\n"));
    let place = "t.csv, line 5, column \"x\": expected a";
    assert_eq!(cell(""), format!("{place} number, found nothing"));
    assert_eq!(cell("NA"), format!("{place} number, found \"NA\""));
    assert_eq!(cell("\"1,5\""), format!("{place} number, found \"1,5\""));
    assert_eq!(cell("nan"), format!("{place} finite number, found \"nan\""));
    assert_eq!(
        cell("-inf"),
        format!("{place} finite number, found \"-inf\"")
    );
    assert_eq!(
        cell("1e39"),
        format!("{place} finite number, found \"1e39\", too large for f32")
    );
}

#[test]
fn the_line_is_where_the_row_begins_after_cells_of_several_lines() {
    assert_eq!(
        message(
            reader().exclude(["note"]),
            "note,x,kind\n\"a\n\nb\",1,0\nc,?,1\n"
        ),
        "t.csv, line 5, column \"x\": expected a number, found \"?\""
    );
}

#[test]
fn what_is_long_is_cut_off() {
    let cell = "ä".repeat(41);
    assert_eq!(
        message(reader(), format!("x,kind\n{cell},0\n")),
        format!(
            "t.csv, line 2, column \"x\": expected a number, found \"{}\"…",
            "ä".repeat(40)
        )
    );
    let header: Vec<String> = (0..100).map(|column| format!("c{column}")).collect();
    let text = message(reader(), header.join(","));
    assert!(text.ends_with("\"c18\", \"c19\", … (100 in all)"), "{text}");
}

proptest! {
    #[test]
    fn any_text_is_a_table_or_one_line_of_error(
        text in "kind[,;a-c]{0,6}\n([0-2a.,;\"\n\r é-]|nan|1e999){0,40}",
        cut in 0_usize..60,
        delimiter: u8,
        header: bool,
        target in prop::sample::select(vec!["kind", "0", "1"]),
    ) {
        // A cut may fall into the two bytes of é.
        let bytes = &text.as_bytes()[..cut.min(text.len())];
        for delimiter in [b',', delimiter] {
            let reader = CsvReader::new(target).header(header).delimiter(delimiter);
            match parse(reader, bytes) {
                Ok(data) => {
                    let inputs = data.inputs().to_vec().unwrap();
                    prop_assert!(inputs.iter().all(|x| x.is_finite()));
                    let named = data.classes().len() as i64;
                    prop_assert!(data.labels().iter().all(|&label| label < named));
                }
                Err(error) => {
                    let text = error.to_string();
                    prop_assert!(text.starts_with("t.csv") && text.lines().count() == 1);
                }
            }
        }
    }
}

#[test]
fn a_row_of_another_length_is_named() {
    assert_eq!(
        message(reader(), "x,kind\n1,0\n\n2\n"),
        "t.csv, line 4: expected 2 cells, found 1"
    );
}

#[test]
fn labels_that_are_no_classes_are_refused() {
    let labels = |labels: &str| {
        let rows: String = labels
            .split(' ')
            .map(|label| format!("1,{label}\n"))
            .collect();
        message(reader(), format!("x,kind\n{rows}"))
    };
    let hint = "name the classes, in order, with `classes`";
    assert_eq!(
        labels("0 2 0"),
        format!(
            "t.csv, line 3, column \"kind\": expected class numbers without a gap, \
             found 0 and 2 but not 1: {hint}"
        )
    );
    assert_eq!(
        labels("1 2 3"),
        format!(
            "t.csv, line 2, column \"kind\": expected class numbers from 0, found 1 as the first: {hint}"
        )
    );
    assert_eq!(
        labels("-1 1"),
        format!(
            "t.csv, line 2, column \"kind\": expected class numbers from 0, found -1 as the first: {hint}"
        )
    );
    assert_eq!(
        labels("0 0.5"),
        format!(
            "t.csv, line 3, column \"kind\": expected a class number 0, 1, …, found \"0.5\": {hint}"
        )
    );
    assert_eq!(
        labels("no 1"),
        format!(
            "t.csv, line 3, column \"kind\": expected a name as in other rows, found \"1\": {hint}"
        )
    );
    assert_eq!(
        labels("0 "),
        "t.csv, line 3, column \"kind\": expected a label, found nothing"
    );
}

#[test]
fn bytes_that_are_not_utf8_are_named_by_line_and_column() {
    assert_eq!(
        message(reader(), b"x,kind\n1,caf\xe9\n"),
        "t.csv, line 2, column \"kind\": expected UTF-8 text, found other bytes"
    );
    assert_eq!(
        message(reader(), b"x,k\xffind\n1,0\n"),
        "t.csv, line 1: expected UTF-8 text, found other bytes"
    );
}

#[test]
fn files_are_read_from_disk() {
    let file = TemporaryFile::new("table.csv", TABLE);
    assert_eq!(reader().read(&file.0).unwrap().len(), 3);
    let data: TensorDataset<f64> = reader().read_as(&file.0).unwrap();
    assert_eq!(data.inputs().shape(), [3, 2]);

    let rows = TemporaryFile::new("rows.txt", "2\n\n0\r\n");
    assert_eq!(read_rows(&rows.0, 3).unwrap(), [2, 0]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let path = Path::new("no/such/file.csv");
    for error in [
        reader().read(path).map(drop).unwrap_err(),
        read_rows(path, 1).map(drop).unwrap_err(),
    ] {
        let Error::File { path: found, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(found, path);
        assert!(error.to_string().starts_with("no/such/file.csv: "));
    }
}

#[test]
fn lists_of_rows_that_make_no_sense_are_refused() {
    let message = |text: &[u8]| {
        let error = parse_rows(text, "rows.txt", 10).unwrap_err();
        error.to_string()
    };
    assert_eq!(
        message(b"1\n\n10\n"),
        "rows.txt, line 3: expected a row number below 10, found \"10\""
    );
    for text in ["-1", "1.0", "one", "18446744073709551616"] {
        assert_eq!(
            message(text.as_bytes()),
            format!("rows.txt, line 1: expected a row number below 10, found {text:?}")
        );
    }
    assert_eq!(
        message(b"1\n2\n1\n"),
        "rows.txt, line 3: row 1 is listed a second time"
    );
    assert_eq!(
        message(b"\n"),
        "rows.txt: expected row numbers, one a line, found none"
    );
    assert_eq!(
        message(b"\xff\n"),
        "rows.txt, line 1: expected a row number below 10, found \"\u{fffd}\""
    );
}
