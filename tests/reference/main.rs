//! Agreement with the outside world: runs every case of every vector file.
//!
//! `cargo test --release --test reference` walks the `*.json` files below this folder, or below
//! the folder that the environment variable `MACULA_REFERENCE` names, runs every case in f64 and
//! in f32 through the public interface, and prints one line a file. It fails on any case that does
//! not pass, and on any operation that is neither implemented nor on the list of those that are
//! not yet.

mod case;
mod losses;
mod ops;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use case::{Case, Checked, Failure};
use serde_json::Value;

/// Failures that are printed with their numbers, for each file.
const SHOWN: usize = 3;

/// What became of a case.
enum Outcome {
    Passed,
    Failed(Failure),
    NotImplemented,
}

/// Runs a case, or says that its operation is not known.
type Runner = fn(&Case) -> Option<Checked<()>>;

/// The folder's own runner, by the name of the folder.
fn runner(domain: &str) -> Option<(Runner, &'static [&'static str])> {
    match domain {
        "losses" => Some((losses::run, losses::NOT_IMPLEMENTED)),
        "ops" => Some((ops::run, ops::NOT_IMPLEMENTED)),
        _ => None,
    }
}

fn run(case: &Case, domain: &str) -> Outcome {
    let Some((runner, not_implemented)) = runner(domain) else {
        return Outcome::NotImplemented;
    };
    match runner(case) {
        Some(Ok(())) => Outcome::Passed,
        Some(Err(failure)) => Outcome::Failed(failure),
        None if not_implemented.contains(&case.op.as_str()) => Outcome::NotImplemented,
        None => Outcome::Failed("the operation is not known".into()),
    }
}

/// Runs a file and prints its line; returns passed, failed and not implemented cases.
fn run_file(root: &Path, path: &Path) -> Checked<[usize; 3]> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let file: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let cases = file["cases"].as_array().ok_or("no list of cases")?;
    let name = path.strip_prefix(root).unwrap_or(path).display();
    let domain = file["domain"].as_str().unwrap_or_default();
    let mut counts = [0; 3];
    let mut failures = Vec::new();
    for json in cases {
        let case = Case::new(json.clone())?;
        match run(&case, domain) {
            Outcome::Passed => counts[0] += 1,
            Outcome::Failed(failure) => {
                counts[1] += 1;
                failures.push(format!("    {} {}: {failure}", case.op, case.name));
            }
            Outcome::NotImplemented => counts[2] += 1,
        }
    }
    let [passed, failed, missing] = counts;
    println!("{name}: {passed} passed, {failed} failed, {missing} not implemented");
    failures
        .iter()
        .take(SHOWN)
        .for_each(|failure| println!("{failure}"));
    Ok(counts)
}

/// The JSON files below a folder, in the order of their names.
fn json_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(json_files(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn main() -> ExitCode {
    let root = match std::env::var_os("MACULA_REFERENCE") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference"),
    };
    let files = match json_files(&root) {
        Ok(files) if !files.is_empty() => files,
        Ok(_) => {
            eprintln!("{}: no vectors", root.display());
            return ExitCode::FAILURE;
        }
        Err(error) => {
            eprintln!("{}: {error}", root.display());
            return ExitCode::FAILURE;
        }
    };
    let mut total = [0; 3];
    for path in files {
        match run_file(&root, &path) {
            Ok(counts) => total = std::array::from_fn(|index| total[index] + counts[index]),
            Err(error) => {
                println!("{}: {error}", path.display());
                total[1] += 1;
            }
        }
    }
    let [passed, failed, missing] = total;
    println!("\n{missing} not implemented");
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
