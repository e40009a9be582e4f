//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::Parser;

const ABOUT: &str = "\
Trains one network with cross-entropy, class-weighted cross-entropy and focal loss,
and compares them on rows set aside for the test.

Without --data the rows are the mammograms that come with macula: 11,183 spots,
2.3 % of them microcalcifications. With --data and --target they are those of a CSV
file of numbers with a column of class labels. What is looked for is the rarest
class; all others count as one.";

#[derive(Debug, Parser)]
#[command(name = "imbalance", about = ABOUT, allow_negative_numbers = true)]
pub(crate) struct Options {
    /// Seeds to train each loss with, from 0 on
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_least_one)]
    seeds: usize,

    /// Passes over the training rows
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = at_least_one)]
    epochs: usize,

    /// Focusing exponent of focal loss
    #[arg(long, value_name = "γ", default_value_t = 2.0, value_parser = exponent)]
    pub(crate) gamma: f64,

    /// Weight of the rare class in focal loss, 1 − α of the others; try 0.25
    #[arg(long, value_name = "α", default_value_t = 0.75, value_parser = share)]
    pub(crate) alpha: f64,

    /// The whole job in a moment: 2 seeds, 10 epochs
    #[arg(long, conflicts_with_all = ["seeds", "epochs"])]
    quick: bool,

    /// CSV file of your own, 30 % of which are kept to test with
    #[arg(long, value_name = "FILE", requires = "target")]
    pub(crate) data: Option<PathBuf>,

    /// Its column of class labels; all others must hold numbers
    #[arg(long, value_name = "COLUMN", requires = "data")]
    pub(crate) target: Option<String>,

    /// Its columns to leave out: a,b,…
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', requires = "data")]
    pub(crate) exclude: Vec<String>,

    /// Its labels, where they are neither 0, 1, … nor words: 1,2,…
    #[arg(long, value_name = "LABELS", value_delimiter = ',', requires = "data")]
    pub(crate) classes: Vec<String>,

    /// Folder for the pictures
    #[arg(long, value_name = "FOLDER", default_value = "target/imbalance")]
    pub(crate) out: PathBuf,
}

impl Options {
    /// The options given, or one line that says what is wrong with them. `--help` is printed here.
    pub(crate) fn from_arguments() -> Result<Self, String> {
        Self::try_parse().map_err(|error| {
            if error.exit_code() == 0 {
                error.exit();
            }
            one_line(&error.to_string())
        })
    }

    pub(crate) fn seeds(&self) -> usize {
        if self.quick { 2 } else { self.seeds }
    }

    pub(crate) fn epochs(&self) -> usize {
        if self.quick { 10 } else { self.epochs }
    }
}

/// A message of the parser without the usage below it.
fn one_line(message: &str) -> String {
    let message = message.trim_start_matches("error: ");
    let lines = message.lines().map(str::trim);
    let facts =
        lines.take_while(|line| !line.starts_with("Usage") && !line.starts_with("For more"));
    let facts: Vec<&str> = facts.filter(|line| !line.is_empty()).collect();
    let facts = facts.join(" ").replace(" tip: ", ", tip: ");
    format!("{facts}; see --help")
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|&number: &usize| number > 0);
    number.ok_or_else(|| "expected a whole number of at least 1".into())
}

fn exponent(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    let number = number.filter(|number: &f64| *number >= 0.0 && number.is_finite());
    number.ok_or_else(|| "expected a finite number of at least 0".into())
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    let number = number.filter(|&number: &f64| number > 0.0 && number < 1.0);
    number.ok_or_else(|| "expected a number between 0 and 1".into())
}
