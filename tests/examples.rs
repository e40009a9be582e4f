//! The examples as a user meets them: programs that are given arguments and files.
//!
//! `cargo test` builds the examples before it runs the tests; with `--test examples` alone it does
//! not, and what was built last is run.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// An example that was built beside this test.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join(name);
    let program = program.with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.exists(), "run `cargo build --examples` first");
    Command::new(program)
}

fn imbalance(arguments: &[&str]) -> Command {
    let mut command = example("imbalance");
    command.args(["--out".as_ref(), scratch("pictures").as_os_str()]);
    command.args(arguments);
    command
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn stdout(command: &mut Command) -> String {
    let output = run(command);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors, "", "a bar is for terminals");
    String::from_utf8(output.stdout).unwrap()
}

/// The one line that a program fails with.
fn complaint(command: &mut Command) -> String {
    let output = run(command);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    let message = text.trim_end().strip_prefix("error: ");
    message.expect(&text).into()
}

#[test]
fn the_same_seeds_print_the_same_digits_with_one_thread_and_with_two() {
    let with_threads = |count| stdout(imbalance(&["--quick"]).env("RAYON_NUM_THREADS", count));
    let one = with_threads("1");
    assert_eq!(one, with_threads("1"));
    assert_eq!(one, with_threads("2"));
    assert!(one.contains("minority recall"), "{one}");
}

#[test]
fn the_job_is_done_on_a_file_of_ones_own_and_draws_it() {
    let folder = scratch("own");
    let file = scratch("own.csv");
    let mut text = String::from("id;a;b;kind\n").replace(';', ",");
    for row in 0..200 {
        let kind = ["common", "common", "common", "common", "rare"][row % 5];
        let noise = row * 7919 % 100;
        text += &format!("r{row},{noise},{},{kind}\n", (row % 5) * 10 + noise);
    }
    std::fs::write(&file, text).unwrap();
    let arguments = ["--quick", "--target", "kind", "--exclude", "id"];
    let mut command = example("imbalance");
    command.args(arguments).arg("--data").arg(&file);
    let text = stdout(command.arg("--out").arg(&folder));
    assert!(text.contains(r#"2 columns; looking for class "rare" against "common""#));
    for name in ["precision-recall.svg", "loss.svg"] {
        let picture = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(picture.trim_end().ends_with("</svg>"));
    }
}

#[test]
fn the_focus_of_a_training_is_printed_and_drawn() {
    let folder = scratch("focus");
    let text = stdout(example("focus").arg("--quick").arg("--out").arg(&folder));
    for report in [
        "γ = 0: cross-entropy, after 0 epochs",
        "γ = 2, after 2 epochs",
    ] {
        assert!(text.contains(report), "{text}");
    }
    let picture = std::fs::read_to_string(folder.join("focus.svg")).unwrap();
    assert!(picture.trim_end().ends_with("</svg>"));
}

#[test]
fn a_file_that_is_wrong_gives_one_line_that_says_where() {
    let cases = [
        (
            "column",
            "a,b\n1,0\n",
            r#"no column is called "y"; there are "a", "b""#,
        ),
        (
            "text",
            "a,y\n1,0\nx,1\n",
            r#"line 3, column "a": expected a number, found "x""#,
        ),
        (
            "nan",
            "a,y\n1,0\n2,1\nNaN,1\n",
            r#"line 4, column "a": expected a finite number, found "NaN""#,
        ),
        ("empty", "", "expected a table, found an empty file"),
        (
            "label",
            "a,y\n1,0\n2,1\n3,7\n",
            r#"line 4, column "y": expected class numbers without a gap, found 1 and 7"#,
        ),
        (
            "one",
            "a,y\n1,0\n2,0\n3,0\n",
            "expected two classes of at least 3 rows",
        ),
    ];
    for (name, text, expected) in cases {
        let file = scratch(&format!("wrong-{name}.csv"));
        std::fs::write(&file, text).unwrap();
        let path = file.to_str().unwrap();
        let message = complaint(&mut imbalance(&["--data", path, "--target", "y"]));
        assert!(message.starts_with(path), "{message}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn an_option_that_is_wrong_gives_one_line_that_names_it() {
    let cases: [&[&str]; 7] = [
        &["--gamma", "-1"],
        &["--gamma", "nan"],
        &["--alpha", "2"],
        &["--seeds", "0"],
        &["--epochs", "many"],
        &["--target"],
        &["--shuffle"],
    ];
    for arguments in cases {
        let message = complaint(&mut imbalance(arguments));
        assert!(message.contains(arguments[0]), "{message}");
    }
}

#[test]
fn new_operations_take_few_lines_with_their_gradient_checks() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/new_op.rs");
    let text = std::fs::read_to_string(path).unwrap();
    // From the first line of the documentation to the last brace.
    let lines = |start: &str, end: &str| {
        let text = &text[text.find(start).unwrap()..];
        text[..text.find(end).unwrap()].lines().count()
    };
    assert!(lines("/// x · σ(βx)", "\n\n") < 12);
    assert!(lines("/// Each row divided", "\n\n") < 40);
    let checks = text
        .lines()
        .filter(|line| line.contains("check_gradients("));
    assert_eq!(checks.count(), 2);
    let printed = stdout(&mut example("new_op"));
    for name in ["swish", "rms_norm"] {
        assert!(printed.contains(&format!("{name}: first and second derivatives agree")));
    }
}

#[test]
fn the_torch_port_trains_and_shows_the_traps() {
    let text = stdout(&mut example("torch_port"));
    assert_eq!(text, stdout(&mut example("torch_port")));
    for epoch in 1..=5 {
        assert!(text.contains(&format!("Epoch {epoch}, Loss: 0.")), "{text}");
    }
    let nan = text.lines().filter(|line| line.contains("NaN"));
    let nan: Vec<&str> = nan.collect();
    assert_eq!(nan.len(), 1, "of the textbook formula alone: {nan:?}");
    assert!(nan[0].contains("textbook"));
}

#[test]
fn gamma_takes_the_loss_from_the_easy_rows_and_two_pictures_show_it() {
    let folder = scratch("gamma");
    let mut command = example("what_gamma_does");
    let text = stdout(command.arg("--quick").arg("--out").arg(&folder));
    for class in ["rare", "common"] {
        let line = text
            .lines()
            .find(|line| line.contains(&format!("the {class} class")));
        let numbers = line.expect(&text).split_whitespace().skip(5);
        let shares: Vec<f64> = numbers
            .map(|n| n.trim_end_matches('%').parse().unwrap())
            .collect();
        assert_eq!(shares.len(), 5, "{text}");
        assert!(shares.is_sorted_by(|a, b| a > b), "{text}");
    }
    for name in ["loss-over-probability.svg", "cumulative-loss.svg"] {
        let picture = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(picture.trim_end().ends_with("</svg>"));
    }
}

#[test]
fn the_drawing_on_the_front_page_of_the_tape_is_what_its_example_draws() {
    let file = scratch("tape.svg");
    stdout(example("tape_drawing").arg(&file));
    let drawn = std::fs::read_to_string(file).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/autograd/drawing.html");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, page) = page.split_once('\n').unwrap();
    let page = page.trim_end().strip_suffix("</div>").unwrap();
    // Curves are sines and cosines, whose last digits are those of the machine.
    let whole_pixels = |text: &str| {
        let mut in_fraction = false;
        let mut kept = String::new();
        for c in text.chars() {
            in_fraction = c == '.' || in_fraction && c.is_ascii_digit();
            kept.extend((!in_fraction).then_some(c));
        }
        kept
    };
    assert!(drawn.contains("focal_loss"));
    assert_eq!(whole_pixels(&drawn), whole_pixels(page));
}
