//! Pieces of the printed reports.

use std::fmt;

use super::confusion::ConfusionMatrix;

/// Four decimals, or `–` for what is not defined.
pub(super) struct Rate(pub(super) f64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_nan() {
            f.pad("–")
        } else {
            f.pad(&format!("{:.4}", self.0))
        }
    }
}

/// A share in percent, with decimals enough to tell a rare class from none.
pub(super) fn percent(part: u64, whole: u64) -> String {
    format!("{:.2} %", 100.0 * part as f64 / whole as f64)
}

/// `count thing`, with an s where it takes one.
pub(super) fn counted(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// Writes one measure: its name, its value, and what it should be compared with.
pub(super) fn measure(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    value: f64,
    remark: &str,
) -> fmt::Result {
    let line = format!("{name:<18} {:>7}   {remark}", Rate(value));
    writeln!(f, "{}", line.trim_end())
}

/// Writes the table with the given names; true classes downwards, predicted ones across.
pub(super) fn write_confusion(
    f: &mut fmt::Formatter<'_>,
    confusion: &ConfusionMatrix,
    names: &[String],
) -> fmt::Result {
    let width = |text: &str| text.chars().count();
    let classes = 0..confusion.classes();
    let largest = classes
        .clone()
        .flat_map(|truth| {
            classes
                .clone()
                .map(move |other| confusion.count(truth, other))
        })
        .max()
        .unwrap_or(0);
    let column = names
        .iter()
        .map(|name| width(name))
        .chain([width(&largest.to_string())])
        .max()
        .unwrap_or(0)
        + 2;
    let head = "true \\ predicted";
    let first = names
        .iter()
        .map(|name| width(name))
        .chain([width(head)])
        .max()
        .unwrap_or(0);
    write!(f, "{head:>first$}")?;
    for name in names {
        write!(f, "{name:>column$}")?;
    }
    writeln!(f)?;
    for (truth, name) in names.iter().enumerate() {
        write!(f, "{name:>first$}")?;
        for predicted in classes.clone() {
            write!(f, "{:>column$}", confusion.count(truth, predicted))?;
        }
        writeln!(f)?;
    }
    Ok(())
}

impl fmt::Display for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = (0..self.classes()).map(|class| class.to_string()).collect();
        write_confusion(f, self, &names)
    }
}

#[cfg(test)]
mod tests {
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
               2  0  0  1
";
        assert_eq!(confusion.to_string(), table);
    }

    #[test]
    fn what_is_not_defined_is_a_dash() {
        assert_eq!(
            format!("{:>7}|{}", Rate(f64::NAN), Rate(0.5)),
            "      –|0.5000"
        );
    }
}
