//! The table, and what can be read off it.

use macula::prelude::*;

use crate::training::{Results, Run};

type Measure = fn(&BinaryReport) -> f64;
/// A report of a run: decided at 0.5, or at the chosen threshold.
type Decided = fn(&Run) -> &BinaryReport;

const AT_HALF: Decided = |run| &run.at_half;
const AT_CHOSEN: Decided = |run| &run.at_chosen;

const DECISIONS: [(&str, Measure); 6] = [
    ("accuracy", BinaryReport::accuracy),
    ("minority recall", BinaryReport::recall),
    ("precision", BinaryReport::precision),
    ("F1", BinaryReport::f1),
    ("balanced accuracy", BinaryReport::balanced_accuracy),
    ("MCC", BinaryReport::mcc),
];
const SCORES: [(&str, Measure); 3] = [
    ("average precision", BinaryReport::average_precision),
    ("ROC AUC", BinaryReport::roc_auc),
    ("calibration error (ECE)", BinaryReport::ece),
];

/// The table: a column for each loss, mean ± standard deviation over the seeds.
pub fn of(results: &[Results]) -> String {
    let measured = |name: &str, measure: Measure, decided: Decided| {
        let cells = results.iter().map(|loss| {
            let values = loss.runs.iter().map(|run| measure(decided(run)));
            values.collect::<MeanAndDeviation>().to_string()
        });
        line(&format!("  {name}"), cells)
    };
    let decisions = |decided: Decided| DECISIONS.map(|(name, of)| measured(name, of, decided));
    let threshold: Measure = |report| report.threshold().probability();

    let mut lines = vec![line(
        "test rows",
        results.iter().map(|loss| loss.name.clone()),
    )];
    lines.push("decided at p = 0.5".into());
    lines.extend(decisions(AT_HALF));
    lines.push("decided where validation rows had their best F1".into());
    lines.push(measured("threshold p", threshold, AT_CHOSEN));
    lines.extend(decisions(AT_CHOSEN));
    lines.push("before any decision".into());
    lines.extend(SCORES.map(|(name, of)| measured(name, of, AT_HALF)));
    lines.join("\n") + "\n"
}

fn line(label: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: String = cells.map(|cell| format!("{cell:>21}")).collect();
    format!("{label:25}{cells}")
}

/// One sentence on what the last loss, focal, changed against the first, cross-entropy.
///
/// Only a difference that is larger than its own standard deviation over the seeds is called one.
pub fn verdict(results: &[Results]) -> String {
    let (Some(plain), Some(focal)) = (results.first(), results.last()) else {
        return String::new();
    };
    let change = |measure: Measure, decided: Decided| {
        let pairs = plain.runs.iter().zip(&focal.runs);
        Change(
            pairs
                .map(|(a, b)| measure(decided(b)) - measure(decided(a)))
                .collect(),
        )
    };
    let recall = change(BinaryReport::recall, AT_HALF);
    let f1_at_chosen = change(BinaryReport::f1, AT_CHOSEN);
    let ranking = change(BinaryReport::average_precision, AT_HALF);
    let calibration = change(BinaryReport::ece, AT_HALF);

    let conclusion = match (
        recall.direction(),
        f1_at_chosen.direction(),
        ranking.direction(),
    ) {
        (0, 0, 0) => "so on these rows focal loss changed next to nothing",
        (_, 0, 0) => "so what changed is where p = 0.5 cuts, and a moved threshold would do it too",
        (_, -1, _) | (_, 0, -1) => "so a moved threshold would have been the better change",
        _ => "so there is more to it than a moved threshold",
    };
    let trust = match calibration.direction() {
        1 => "the probabilities are to be trusted less",
        -1 => "the probabilities are to be trusted more",
        _ => "the probabilities are as trustworthy as before",
    };
    format!(
        "Against cross-entropy, focal loss changed the recall at p = 0.5 by {recall}, the precision \
         by {} and the accuracy by {}; with the threshold of each chosen on validation rows it \
         changed the recall by {}, F1 by {f1_at_chosen} and the average precision, which no \
         threshold changes, by {ranking}, {conclusion}; the calibration error changed by \
         {calibration}: {trust}.",
        change(BinaryReport::precision, AT_HALF),
        change(BinaryReport::accuracy, AT_HALF),
        change(BinaryReport::recall, AT_CHOSEN),
    )
}

/// Differences between two losses, seed by seed.
struct Change(MeanAndDeviation);

impl Change {
    /// 1 or −1 where the difference is larger than its deviation, else 0.
    ///
    /// A single seed has no deviation, and says nothing.
    fn direction(&self) -> i8 {
        let (mean, deviation) = (self.0.mean(), self.0.deviation());
        match mean.abs() > deviation {
            true if mean > 0.0 => 1,
            true => -1,
            false => 0,
        }
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0.mean() < 0.0 { "" } else { "+" };
        write!(f, "{sign}{}", self.0)
    }
}
