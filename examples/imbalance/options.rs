//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::Parser;

/// Trains one network with cross-entropy, class-weighted cross-entropy and focal loss, and
/// compares them on rows that were not trained with.
///
/// Without --data the rows are the mammograms that come with macula: 11,183 spots, 2.3 % of them
/// microcalcifications. With --data and --target they are those of a CSV file of numbers with a
/// column of class labels. The rarest class is what is looked for; all others count as one.
#[derive(Debug, Parser)]
#[command(name = "imbalance")]
pub struct Options {
    /// Seeds each loss is trained with, from 0 on; the table has mean ± standard deviation
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_least_one, allow_negative_numbers = true)]
    seeds: usize,

    /// Passes over the training rows
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = at_least_one, allow_negative_numbers = true)]
    epochs: usize,

    /// Focusing exponent of focal loss, 0 or more; 0 leaves only α
    #[arg(long, value_name = "γ", default_value_t = 2.0, value_parser = exponent, allow_negative_numbers = true)]
    pub gamma: f64,

    /// Weight of the rare class in focal loss; the others get 1 − α. Try 0.25, the value usually
    /// quoted: it was tuned for a detector and lowers the recall here
    #[arg(long, value_name = "α", default_value_t = 0.75, value_parser = share, allow_negative_numbers = true)]
    pub alpha: f64,

    /// A look at the whole job in a moment: 2 seeds, 10 epochs
    #[arg(long, conflicts_with_all = ["seeds", "epochs"])]
    quick: bool,

    /// A CSV file of your own; 30 % of its rows, stratified, are kept for the test
    #[arg(long, value_name = "FILE", requires = "target")]
    pub data: Option<PathBuf>,

    /// Its column of class labels; all other columns must hold numbers
    #[arg(long, value_name = "COLUMN", requires = "data")]
    pub target: Option<String>,

    /// Its columns to leave out, separated by commas
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', requires = "data")]
    pub exclude: Vec<String>,

    /// The labels that may occur, separated by commas, where they are not 0, 1, … or words
    #[arg(long, value_name = "LABELS", value_delimiter = ',', requires = "data")]
    pub classes: Vec<String>,

    /// Folder for the pictures
    #[arg(long, value_name = "FOLDER", default_value = "target/imbalance")]
    pub out: PathBuf,
}

impl Options {
    /// The options given, or one line that says what is wrong with them. `--help` is printed here.
    pub fn from_arguments() -> Result<Self, String> {
        Self::try_parse().map_err(|error| {
            if error.exit_code() == 0 {
                error.exit();
            }
            one_line(&error.to_string())
        })
    }

    pub fn seeds(&self) -> usize {
        if self.quick { 2 } else { self.seeds }
    }

    pub fn epochs(&self) -> usize {
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
    format!("{}; see --help", facts.join(" "))
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
