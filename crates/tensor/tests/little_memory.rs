//! What a process with little memory is told: an error that names the operation, and never the end
//! of the program.
//!
//! Each test runs again in a process of its own that may have no more than [`KIBIBYTES`], because
//! the memory of a machine that runs tests has room for more than they should fill.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

use macula_tensor::{Result, Tensor};

const KIBIBYTES: usize = 300_000;

/// Runs `body`, which is all of the test with this name, where memory is little.
fn in_little_memory(test: &str, body: impl FnOnce()) {
    const INSIDE: &str = "MACULA_LITTLE_MEMORY";
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let run = format!("ulimit -v {KIBIBYTES}; exec \"$0\" --exact {test}");
    let output = Command::new("sh")
        .args(["-c", &run])
        .arg(std::env::current_exe().unwrap())
        .env(INSIDE, "1")
        .env("RAYON_NUM_THREADS", "2")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{told}"
    );
}

fn said<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "no error".into(),
        Err(error) => error.to_string(),
    }
}

#[cfg(feature = "npy")]
#[test]
fn a_file_of_more_elements_than_memory_has_room_for_is_told() {
    use std::io::Write;
    in_little_memory(
        "a_file_of_more_elements_than_memory_has_room_for_is_told",
        || {
            let name = format!("macula-large-{}.npy", std::process::id());
            let path = std::env::temp_dir().join(name);
            let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (60000000,)}\n";
            let mut file = std::fs::File::create(&path).unwrap();
            file.write_all(b"\x93NUMPY\x01\x00").unwrap();
            file.write_all(&[header.len() as u8, 0]).unwrap();
            file.write_all(header.as_bytes()).unwrap();
            // Zeros that take no place on the disk.
            file.set_len(10 + header.len() as u64 + 480_000_000)
                .unwrap();
            let read = said(Tensor::<f64>::read_npy(&path));
            std::fs::remove_file(&path).unwrap();
            let expected = "memory has no room for the elements of shape [60000000]";
            assert!(read.ends_with(expected), "{read}");
        },
    );
}

#[test]
fn operations_that_need_more_memory_than_their_result_are_refused_by_name() {
    in_little_memory(
        "operations_that_need_more_memory_than_their_result_are_refused_by_name",
        || {
            let x = Tensor::<f32>::zeros([40_000_000]).unwrap();
            let no_room = "memory has no room for the elements of shape [40000000]";
            assert_eq!(said(x.unique()), format!("unique: {no_room}"));
            assert_eq!(said(x.recurrence(&x, 0)), format!("recurrence: {no_room}"));
            assert_eq!(said(x.kthvalue(1, 0)), format!("kthvalue: {no_room}"));
            assert_eq!(said(x.to_vec()), format!("to_vec: {no_room}"));
        },
    );
}

#[test]
fn a_few_long_rows_need_no_memory_but_that_of_the_result() {
    in_little_memory(
        "a_few_long_rows_need_no_memory_but_that_of_the_result",
        || {
            let x = Tensor::<f32>::zeros([2, 13_000_000]).unwrap();
            assert_eq!(said(x.cumsum(0)), "no error");
            assert_eq!(said(x.softmax(0)), "no error");
        },
    );
}
