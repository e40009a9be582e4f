//! Agreement with the outside world: runs every case of every vector file.
//!
//! `cargo test --release --test reference` walks the `*.json` files below this folder, or below
//! the folder that the environment variable `MACULA_REFERENCE` names, runs every case in f64 and
//! in f32 through the public interface, and prints one line a file. It fails on any case that does
//! not pass, on any domain that is not known, and on any operation that is neither implemented nor
//! on its domain's list of those that are not.

mod case;
mod losses;
mod metrics;
mod nn;
mod ops;
mod optimizers;

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

/// Checks a case in one type of elements; false if its operation is not known.
type Check = fn(&Case) -> Checked<bool>;

/// The checks of a domain in f64 and in f32, and its operations that are not implemented.
type Runner = ([Check; 2], &'static [&'static str]);

/// A domain's runner, by its name.
fn runner(domain: &str) -> Option<Runner> {
    Some(match domain {
        "losses" => (
            [losses::check::<f64>, losses::check::<f32>],
            losses::NOT_IMPLEMENTED,
        ),
        "metrics" => (
            [metrics::check::<f64>, metrics::check::<f32>],
            metrics::NOT_IMPLEMENTED,
        ),
        "nn" => ([nn::check::<f64>, nn::check::<f32>], nn::NOT_IMPLEMENTED),
        "ops" => ([ops::check::<f64>, ops::check::<f32>], ops::NOT_IMPLEMENTED),
        _ => return None,
    })
}

fn run(case: &Case, domain: &str) -> Outcome {
    let Some((checks, not_implemented)) = runner(domain) else {
        return Outcome::Failed(format!("the domain {domain:?} is not known"));
    };
    for (check, element) in checks.iter().zip(["f64", "f32"]) {
        match check(case) {
            Ok(true) => {}
            Ok(false) if not_implemented.contains(&case.op.as_str()) => {
                return Outcome::NotImplemented;
            }
            Ok(false) => return Outcome::Failed("the operation is not known".into()),
            Err(failure) => return Outcome::Failed(format!("{element}: {failure}")),
        }
    }
    Outcome::Passed
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
