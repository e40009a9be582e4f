//! The reports as they are printed: the rare class first, and every measure beside what no model
//! at all would get.

use std::fmt::{self, Write};

use super::binary::{BINS, BinaryReport};
use super::confusion::ConfusionMatrix;
use super::counts::Counts;
use super::multiclass::MulticlassReport;
use super::probability::entropy;

/// More classes than this make a table that no line can hold.
const WIDEST_TABLE: usize = 12;

/// Prints counts, the confusion matrix and all measures.
impl fmt::Display for BinaryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(binary_text(self)?.trim_end())
    }
}

/// Prints a line for each class, the confusion matrix if it is not too wide, and all measures.
impl fmt::Display for MulticlassReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(multiclass_text(self)?.trim_end())
    }
}

/// Prints a table with the true classes downwards and the predicted ones across.
impl fmt::Display for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = (0..self.classes()).map(|class| class.to_string()).collect();
        let mut text = String::new();
        confusion_table(&mut text, self, &names)?;
        f.write_str(text.trim_end())
    }
}

fn binary_text(report: &BinaryReport) -> std::result::Result<String, fmt::Error> {
    let mut text = String::new();
    let counts = report.counts();
    let rows = report.confusion().rows();
    let (positives, negatives) = (counts.positives(), counts.negatives());
    writeln!(
        text,
        "{}, {positives} positive ({}); predicted positive above p = {:.4}",
        counted(rows, "row"),
        percent(positives, rows),
        report.threshold(),
    )?;
    if positives == 0 || negatives == 0 {
        writeln!(text, "Only one class occurs: most of this says nothing.")?;
    }
    writeln!(text, "\n{}\n", report.confusion())?;

    let share = positives as f64 / rows as f64;
    let of = |part, whole, thing, verb| format!("{part} of {} {verb}", counted(whole, thing));
    let right = counts.true_positives;
    let found = of(right, positives, "positive", "found");
    let alarms = of(right, counts.predicted_positives(), "alarm", "right");
    let spared = of(counts.true_negatives, negatives, "negative", "left alone");
    let best = format!(
        "at best {} above p = {:.4}, but chosen on these rows",
        Rate(report.best_f1()),
        report.best_f1_threshold(),
    );
    measure(&mut text, "recall", report.recall(), &found)?;
    measure(&mut text, "precision", report.precision(), &alarms)?;
    measure(&mut text, "specificity", report.specificity(), &spared)?;
    measure(&mut text, "F1", report.f1(), &best)?;
    measure(&mut text, "F2", report.f_beta(2.0), "recall weighs twice")?;
    writeln!(text)?;
    measure(
        &mut text,
        "average precision",
        report.average_precision(),
        &no_model(share),
    )?;
    measure(&mut text, "ROC AUC", report.roc_auc(), &no_model(0.5))?;
    writeln!(text)?;
    decisions(&mut text, report.confusion())?;
    writeln!(text)?;
    let constant = no_model(entropy([share, 1.0 - share]));
    measure(&mut text, "log loss", report.log_loss(), &constant)?;
    measure(
        &mut text,
        "Brier",
        report.brier(),
        &no_model(share * (1.0 - share)),
    )?;
    calibration(&mut text, report.ece(), report.mce())?;
    Ok(text)
}

fn multiclass_text(report: &MulticlassReport) -> std::result::Result<String, fmt::Error> {
    let mut text = String::new();
    let confusion = report.confusion();
    let rows = confusion.rows();
    let supports: Vec<u64> = confusion
        .each_class()
        .map(|counts| counts.positives())
        .collect();
    let rarest = supports
        .iter()
        .enumerate()
        .filter(|(_, support)| **support > 0)
        .min_by_key(|(_, support)| **support);
    write!(
        text,
        "{}, {} classes",
        counted(rows, "row"),
        confusion.classes()
    )?;
    if let Some((class, &support)) = rarest {
        let share = percent(support, rows);
        write!(
            text,
            "; the rarest is class {}: {support} ({share})",
            report.names()[class]
        )?;
    }
    writeln!(text, "\n")?;

    let first = widest(report.names()).max("class".len());
    write!(text, "{:first$}", "class")?;
    for head in ["recall", "precision", "F1", "AP", "ROC AUC", "rows"] {
        write!(text, " {head:>9}")?;
    }
    writeln!(text)?;
    let mut line = |name: &str, rates: [f64; 5], rows: u64| {
        write!(text, "{name:first$}")?;
        for rate in rates {
            write!(text, " {:>9}", Rate(rate))?;
        }
        writeln!(text, " {rows:>9}")
    };
    let ranked = report.average_precisions().iter().zip(report.roc_aucs());
    let classes = report.names().iter().zip(confusion.each_class());
    for ((name, counts), (average_precision, roc_auc)) in classes.zip(ranked) {
        let [recall, precision] = [counts.recall(), counts.precision()];
        let rates = [recall, precision, counts.f1(), *average_precision, *roc_auc];
        line(name, rates, counts.positives())?;
    }
    let means = [
        confusion.macro_average(Counts::recall),
        confusion.macro_average(Counts::precision),
        report.macro_f1(),
        report.macro_average_precision(),
        report.macro_roc_auc(),
    ];
    line("mean", means, rows)?;
    writeln!(text)?;
    if confusion.classes() <= WIDEST_TABLE {
        confusion_table(&mut text, confusion, report.names())?;
        writeln!(text)?;
    }

    let (worst, recall) = report.worst_recall();
    measure(
        &mut text,
        "lowest recall",
        recall,
        &format!("class {}", report.names()[worst]),
    )?;
    measure(&mut text, "weighted F1", report.weighted_f1(), "")?;
    decisions(&mut text, confusion)?;
    writeln!(text)?;
    let shares = supports.iter().map(|support| *support as f64 / rows as f64);
    let gini = 1.0 - shares.clone().map(|share| share * share).sum::<f64>();
    measure(
        &mut text,
        "log loss",
        report.log_loss(),
        &no_model(entropy(shares)),
    )?;
    measure(&mut text, "Brier", report.brier(), &no_model(gini))?;
    calibration(&mut text, report.ece(), report.mce())?;
    Ok(text)
}

/// The measures of the decisions that treat all classes alike.
fn decisions(text: &mut String, confusion: &ConfusionMatrix) -> fmt::Result {
    let supports = || confusion.each_class().map(|counts| counts.positives());
    let occurring = supports().filter(|support| *support > 0).count();
    let commonest = supports().max().unwrap_or(0) as f64 / confusion.rows() as f64;
    let chance = no_model(1.0 / occurring as f64);
    measure(
        text,
        "balanced accuracy",
        confusion.balanced_accuracy(),
        &chance,
    )?;
    // Whoever names one class only finds no other.
    let one_class = no_model(f64::from(u8::from(occurring == 1)));
    measure(text, "G-mean", confusion.g_mean(), &one_class)?;
    measure(text, "MCC", confusion.mcc(), &no_model(0.0))?;
    measure(text, "kappa", confusion.kappa(), &no_model(0.0))?;
    measure(text, "accuracy", confusion.accuracy(), &no_model(commonest))
}

fn calibration(text: &mut String, ece: f64, mce: f64) -> fmt::Result {
    let widest = format!("{BINS} bins, widest gap {}", Rate(mce));
    measure(text, "calibration error", ece, &widest)
}

/// One measure: its name, its value, and what to compare it with.
fn measure(text: &mut String, name: &str, value: f64, remark: &str) -> fmt::Result {
    let line = format!("{name:<18} {:>7}   {remark}", Rate(value));
    writeln!(text, "{}", line.trim_end())
}

/// What a constant answer gets: the commonest class, or the shares of the classes.
fn no_model(value: f64) -> String {
    format!("no model {}", Rate(value))
}

fn confusion_table(
    text: &mut String,
    confusion: &ConfusionMatrix,
    names: &[String],
) -> fmt::Result {
    let head = "true \\ predicted";
    let first = widest(names).max(head.len());
    let column = 2 + widest(names).max(confusion.rows().to_string().len());
    write!(text, "{head:>first$}")?;
    for name in names {
        write!(text, "{name:>column$}")?;
    }
    writeln!(text)?;
    for (truth, name) in names.iter().enumerate() {
        write!(text, "{name:>first$}")?;
        for predicted in 0..confusion.classes() {
            write!(text, "{:>column$}", confusion.count(truth, predicted))?;
        }
        writeln!(text)?;
    }
    Ok(())
}

fn widest(names: &[String]) -> usize {
    let widths = names.iter().map(|name| name.chars().count());
    widths.max().unwrap_or(0)
}

/// `count thing`, with an s where it takes one.
fn counted(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// A share in percent, with decimals enough to tell a rare class from none.
fn percent(part: u64, whole: u64) -> String {
    format!("{:.2} %", 100.0 * part as f64 / whole as f64)
}

/// Four decimals, or `–` for what is not defined.
struct Rate(f64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_nan() {
            f.pad("–")
        } else {
            f.pad(&format!("{:.4}", self.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use macula_tensor::Tensor;

    use super::*;

    #[test]
    fn a_confusion_matrix_is_a_table() {
        let mut confusion = ConfusionMatrix::new(3);
        for (truth, predicted) in [(0, 0), (0, 2), (2, 2)] {
            confusion.record(truth, predicted);
        }
        let table = "\
true \\ predicted  0  1  2
               0  1  0  1
               1  0  0  0
               2  0  0  1";
        assert_eq!(confusion.to_string(), table);
    }

    #[test]
    fn a_binary_report_shows_the_rare_class_first() {
        let logits = Tensor::from([2.0, -1.0, 0.5, -3.0, -2.0]);
        let labels = Tensor::from([1, 1, 0, 0, 0]);
        let report = BinaryReport::from_logits_at(&logits, &labels, 0.25).unwrap();
        let text = "\
5 rows, 2 positive (40.00 %); predicted positive above p = 0.2500

true \\ predicted  0  1
               0  2  1
               1  0  2

recall              1.0000   2 of 2 positives found
precision           0.6667   2 of 3 alarms right
specificity         0.6667   2 of 3 negatives left alone
F1                  0.8000   at best 0.8000 above p = 0.1824, but chosen on these rows
F2                  0.9091   recall weighs twice

average precision   0.8333   no model 0.4000
ROC AUC             0.8333   no model 0.5000

balanced accuracy   0.8333   no model 0.5000
G-mean              0.8165   no model 0.0000
MCC                 0.6667   no model 0.0000
kappa               0.6154   no model 0.0000
accuracy            0.8000   no model 0.6000

log loss            0.5180   no model 0.6730
Brier               0.1905   no model 0.2400
calibration error   0.3279   15 bins, widest gap 0.7311
";
        assert_eq!(report.to_string(), text.trim_end());
    }

    #[test]
    fn a_report_of_one_class_says_so() {
        let report = BinaryReport::from_logits(&Tensor::from([1.0, -2.0]), &Tensor::from([0, 0]));
        let text = report.unwrap().to_string();
        assert!(text.contains("\nOnly one class occurs: most of this says nothing.\n"));
        assert!(text.contains("\nROC AUC                  –   no model 0.5000\n"));
    }

    #[test]
    fn a_multiclass_report_has_a_line_for_each_class() {
        let logits = Tensor::from([
            [2.0, 0.0, 1.0],
            [0.5, 0.0, 1.0],
            [0.0, 3.0, 1.0],
            [0.0, 1.0, 2.0],
        ]);
        let report = MulticlassReport::from_logits(&logits, &Tensor::from([0, 0, 1, 2]))
            .unwrap()
            .with_names(["normal", "hyper", "hypo"])
            .unwrap();
        let text = "\
4 rows, 3 classes; the rarest is class hyper: 1 (25.00 %)

class     recall precision        F1        AP   ROC AUC      rows
normal    0.5000    1.0000    0.6667    1.0000    1.0000         2
hyper     1.0000    1.0000    1.0000    1.0000    1.0000         1
hypo      1.0000    0.5000    0.6667    1.0000    1.0000         1
mean      0.8333    0.8333    0.7778    1.0000    1.0000         4

true \\ predicted  normal   hyper    hypo
          normal       1       0       1
           hyper       0       1       0
            hypo       0       0       1

lowest recall       0.5000   class normal
weighted F1         0.7500
balanced accuracy   0.8333   no model 0.3333
G-mean              0.7937   no model 0.0000
MCC                 0.7000   no model 0.0000
kappa               0.6364   no model 0.0000
accuracy            0.7500   no model 0.5000

log loss            0.5413   no model 1.0397
Brier               0.2926   no model 0.6250
calibration error   0.3331   15 bins, widest gap 0.5065
";
        assert_eq!(report.to_string(), text.trim_end());
    }

    #[test]
    fn a_table_too_wide_to_read_is_left_out() {
        let report = |classes| {
            let logits = Tensor::<f64>::zeros([1, classes]).unwrap();
            MulticlassReport::from_logits(&logits, &Tensor::from([0]))
                .unwrap()
                .to_string()
        };
        assert!(report(WIDEST_TABLE).contains("predicted"));
        assert!(!report(WIDEST_TABLE + 1).contains("predicted"));
    }
}
