//! Runs the vectors of metrics.

use macula::metrics::{PrecisionRecallCurve, PrecisionRecallPoint, RocCurve, RocPoint};
use macula::prelude::*;

use crate::case::{Case, Checked, elements, told};

/// What the vectors have and macula does not.
pub(crate) const NOT_IMPLEMENTED: &[&str] = &[];

/// What a report says under the name of a measure; none if it has no such measure.
type Measure = Box<dyn Fn(&str) -> Option<Vec<f64>>>;

/// Every measure of a report; false if the report is not known.
pub(crate) fn check<T: Float>(case: &Case) -> Checked<bool> {
    let measure = match case.op.as_str() {
        "binary_report" => binary::<T>(case)?,
        "multiclass_report" => multiclass::<T>(case)?,
        _ => return Ok(false),
    };
    for (name, wanted) in case.named("expect")? {
        let found = measure(name).ok_or(format!("measure {name} is not known"))?;
        case.compare_numbers::<T>(name, &found, &elements(wanted)?)?;
    }
    Ok(true)
}

fn binary<T: Float>(case: &Case) -> Checked<Measure> {
    let logits = &case.floats::<T>("logits")?;
    let labels = &case.integers("target")?;
    let report = BinaryReport::from_logits(logits, labels).map_err(told)?;
    let roc = RocCurve::new(logits, labels).map_err(told)?;
    let curve = PrecisionRecallCurve::new(logits, labels).map_err(told)?;
    let best = Threshold::best_f1(logits, labels).map_err(told)?;
    let at_best = BinaryReport::from_logits_at(logits, labels, best).map_err(told)?;
    let curves = [report.roc_auc(), report.average_precision()];
    if curves != [roc.area(), curve.average_precision()] {
        return Err("the report and its curves do not agree".into());
    }
    if report.best_f1_threshold() != best || report.best_f1() != at_best.f1() {
        return Err("the report and its best threshold do not agree".into());
    }
    Ok(Box::new(move |name| {
        let counts = report.counts();
        let each_roc = |rate: fn(&RocPoint) -> f64| roc.points().iter().map(rate).collect();
        let each_pr =
            |rate: fn(&PrecisionRecallPoint) -> f64| curve.points().iter().map(rate).collect();
        Some(match name {
            "roc_auc" => vec![report.roc_auc()],
            "average_precision" => vec![report.average_precision()],
            "roc_fpr" => each_roc(|point| point.false_positive_rate),
            "roc_tpr" => each_roc(|point| point.true_positive_rate),
            "pr_precision" => each_pr(|point| point.precision),
            "pr_recall" => each_pr(|point| point.recall),
            "tp" => vec![counts.true_positives as f64],
            "fp" => vec![counts.false_positives as f64],
            "fn" => vec![counts.false_negatives as f64],
            "tn" => vec![counts.true_negatives as f64],
            "f1_at_0" => vec![report.f1()],
            "best_f1" => vec![report.best_f1()],
            "mcc_at_0" => vec![report.mcc()],
            "brier" => vec![report.brier()],
            "log_loss" => vec![report.log_loss()],
            "ece15" => vec![report.ece()],
            _ => return None,
        })
    }))
}

fn multiclass<T: Float>(case: &Case) -> Checked<Measure> {
    let logits = &case.floats::<T>("logits")?;
    let labels = &case.integers("target")?;
    let report = MulticlassReport::from_logits(logits, labels).map_err(told)?;
    Ok(Box::new(move |name| {
        let confusion = report.confusion();
        let classes = 0..confusion.classes();
        Some(match name {
            "confusion" => classes
                .clone()
                .flat_map(|truth| classes.clone().map(move |other| (truth, other)))
                .map(|(truth, predicted)| confusion.count(truth, predicted) as f64)
                .collect(),
            "precision" => classes
                .map(|class| report.class(class).precision())
                .collect(),
            "recall" => classes.map(|class| report.class(class).recall()).collect(),
            "f1" => classes.map(|class| report.class(class).f1()).collect(),
            "support" => classes
                .map(|class| report.class(class).positives() as f64)
                .collect(),
            "accuracy" => vec![report.accuracy()],
            "balanced_accuracy" => vec![report.balanced_accuracy()],
            "macro_f1" => vec![report.macro_f1()],
            "micro_f1" => vec![report.micro_f1()],
            "weighted_f1" => vec![report.weighted_f1()],
            "f2_macro" => vec![report.macro_f_beta(2.0)],
            "mcc" => vec![report.mcc()],
            "kappa" => vec![report.kappa()],
            "g_mean" => vec![report.g_mean()],
            "log_loss" => vec![report.log_loss()],
            "brier" => vec![report.brier()],
            "ece15" => vec![report.ece()],
            "top2_accuracy" => vec![report.top_k_accuracy(2)],
            _ => return None,
        })
    }))
}
