//! The table, and what can be read off it.

use std::fmt;

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
pub(crate) fn of(results: &[Results]) -> String {
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
    lines.push("trained with all training rows, decided at p = 0.5".into());
    lines.extend(decisions(AT_HALF));
    lines.push("trained without the validation rows, decided where these had their best F1".into());
    lines.push(measured("threshold p", threshold, AT_CHOSEN));
    lines.extend(decisions(AT_CHOSEN));
    lines.push("trained with all training rows, before any decision".into());
    lines.extend(SCORES.map(|(name, of)| measured(name, of, AT_HALF)));
    lines.join("\n") + "\n"
}

fn line(label: &str, cells: impl Iterator<Item = String>) -> String {
    let cells: String = cells.map(|cell| format!("{cell:>21}")).collect();
    format!("{label:25}{cells}")
}

/// With fewer seeds than this the deviation of a difference is itself little more than chance.
const FEWEST_SEEDS: usize = 4;

/// One sentence on what the last loss, focal, changed against the first, cross-entropy.
///
/// A difference that is smaller than twice its own deviation over the seeds counts as none.
pub(crate) fn verdict(results: &[Results]) -> String {
    let (Some(plain), Some(focal)) = (results.first(), results.last()) else {
        return String::new();
    };
    if plain.runs.len() < FEWEST_SEEDS {
        return format!(
            "What focal loss changed cannot be told from chance with fewer than {FEWEST_SEEDS} \
             seeds; see --seeds."
        );
    }
    let change = |measure: Measure, decided: Decided| {
        let pairs = plain.runs.iter().zip(&focal.runs);
        Change(
            pairs
                .map(|(plain, focal)| measure(decided(focal)) - measure(decided(plain)))
                .collect(),
        )
    };
    let recall = change(BinaryReport::recall, AT_HALF);
    let precision = change(BinaryReport::precision, AT_HALF);
    let ranking = change(BinaryReport::average_precision, AT_HALF);
    let f1 = change(BinaryReport::f1, AT_CHOSEN);
    let calibration = change(BinaryReport::ece, AT_HALF);

    let mean = |of: fn(&Run) -> f64| plain.runs.iter().map(of).collect::<Mean>().value();
    let moved = format!(
        "cross-entropy itself, decided at p = {:.2}, has recall {:.3}",
        mean(|run| run.at_chosen.threshold().probability()),
        mean(|run| run.at_chosen.recall()),
    );
    let conclusion = match (f1.direction(), ranking.direction()) {
        (1, _) | (_, 1) => "so it did more than to move the threshold".into(),
        (-1, _) | (_, -1) => format!("so a moved threshold would have done better ({moved})"),
        _ if recall.direction() == 0 && precision.direction() == 0 => {
            "so it changed next to nothing".into()
        }
        _ if recall.direction() < 0 => {
            "so what it did is to move the threshold, and the wrong way".into()
        }
        _ => format!("so what it did is to move the threshold ({moved})"),
    };
    format!(
        "What focal loss changed against cross-entropy, seed by seed: decided at p = 0.5 it finds \
         {} of the rare class (recall {recall}) with {} precision ({precision}); with each \
         threshold chosen on validation rows F1 is {} ({f1}), and the order of the rows is {} \
         (average precision {ranking}), {conclusion}; its probabilities are {} ({calibration} in \
         calibration error).",
        recall.word(["less", "as much", "more"]),
        precision.word(["lower", "about the same", "higher"]),
        f1.word(["lower", "not clearly different", "higher"]),
        ranking.word(["worse", "not clearly different", "better"]),
        calibration.word([
            "better calibrated",
            "as well calibrated",
            "worse calibrated"
        ]),
    )
}

/// Differences between two losses, one for each seed.
struct Change(MeanAndDeviation);

impl Change {
    /// 1 or −1 where the mean difference is more than twice its deviation, else 0.
    fn direction(&self) -> i8 {
        let (mean, bar) = (self.0.mean(), 2.0 * self.0.deviation());
        i8::from(mean > bar) - i8::from(mean < -bar)
    }

    /// The word for a fall, for no clear change or for a rise.
    fn word<'a>(&self, [fall, same, rise]: [&'a str; 3]) -> &'a str {
        match self.direction() {
            -1 => fall,
            1 => rise,
            _ => same,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mean, deviation) = (self.0.mean(), self.0.deviation());
        write!(f, "{mean:+.3} ± {deviation:.3}")
    }
}
