//! The main job: train one network with three losses on real data in which one row in 43 matters,
//! and say what focal loss changed.
//!
//! ```text
//! cargo run --release --example imbalance
//! cargo run --release --example imbalance -- --data my.csv --target diagnosis
//! ```
//!
//! Read `training.rs` next: the model, the loop and the threshold are there.

mod options;
mod pictures;
mod rows;
#[path = "../shared/style.rs"]
mod style;
mod table;
mod training;

use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use macula::prelude::*;
use rayon::prelude::*;

use options::Options;
use rows::Rows;
use training::{Contender, Results};

fn main() -> ExitCode {
    let done = Options::from_arguments()
        .and_then(|options| run(&options).map_err(|error| error.to_string()));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let rows = Rows::load(options)?;
    println!("{rows}\n");

    let contenders = contenders(options, &rows)?;
    let results = compare(&contenders, &rows, options)?;
    println!("{}", table::of(&results));
    println!("{}\n", table::verdict(&results));

    for path in pictures::draw(&results, &rows, &options.out)? {
        println!("picture: {}", path.display());
    }
    Ok(())
}

/// The losses that are compared; the first is what the others are measured against.
fn contenders(options: &Options, rows: &Rows) -> Result<Vec<Contender>> {
    let counts = ClassCounts::of(rows.train.targets(), 2)?;
    let weights = counts.balanced_weights();

    let plain = SigmoidCrossEntropy::new();
    let weighted = SigmoidCrossEntropy::new().class_weights([weights[0], weights[1]]);
    let focal = SigmoidFocalLoss::new()
        .gamma(options.gamma)
        .alpha(options.alpha);

    let focal_name = format!("focal, γ {}, α {}", options.gamma, options.alpha);
    Ok(vec![
        Contender::new("cross-entropy", move |x, y| plain.forward(x, y)),
        Contender::new("class-weighted", move |x, y| weighted.forward(x, y)),
        Contender::new(focal_name, move |x, y| focal.forward(x, y)),
    ])
}

/// Every loss with every seed. The runs do not touch each other, so they may share the processor
/// out and still print the same digits.
fn compare(contenders: &[Contender], rows: &Rows, options: &Options) -> Result<Vec<Results>> {
    let (seeds, epochs) = (options.seeds(), options.epochs());
    let progress = progress_bar(contenders.len() * seeds * epochs * training::MODELS);
    let results = contenders
        .par_iter()
        .map(|contender| {
            let runs = (0..seeds as u64)
                .into_par_iter()
                .map(|seed| training::run(contender, rows, seed, epochs, || progress.inc(1)))
                .collect::<Result<Vec<_>>>()?;
            let name = contender.name.clone();
            Ok(Results { name, runs })
        })
        .collect();
    progress.finish_and_clear();
    results
}

/// A bar on stderr, and none at all where that is not a terminal.
fn progress_bar(epochs: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("training {bar:40} {pos}/{len} epochs, {eta} left");
    let bar = ProgressBar::new(epochs as u64);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
