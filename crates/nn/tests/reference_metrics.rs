//! Every metric vector of `tests/reference/metrics`, for logits of both precisions.
//!
//! `MACULA_REFERENCE` names another folder to read instead of `tests/reference`.
#![allow(
    clippy::unwrap_used,
    reason = "a vector that cannot be read must fail the test"
)]

use std::path::PathBuf;

use macula_nn::metrics::{
    BinaryReport, MulticlassReport, PrecisionRecallCurve, PrecisionRecallPoint, RocCurve, RocPoint,
    Threshold,
};
use macula_tensor::{Float, Tensor};
use serde_json::Value;

#[test]
fn binary_reports_agree_in_f64() {
    assert_eq!(run("binary.json", "f64", |x| x), 3);
}

#[test]
fn binary_reports_agree_in_f32() {
    assert_eq!(run("binary.json", "f32", |x| x as f32), 3);
}

#[test]
fn multiclass_reports_agree_in_f64() {
    assert_eq!(run("multiclass.json", "f64", |x| x), 2);
}

#[test]
fn multiclass_reports_agree_in_f32() {
    assert_eq!(run("multiclass.json", "f32", |x| x as f32), 2);
}

/// What a report says under the name of a measure.
type Measure = Box<dyn Fn(&str) -> Vec<f64>>;

/// Checks every case of a file and returns how many there were.
fn run<T: Float>(file: &str, element: &str, convert: fn(f64) -> T) -> usize {
    let folder = match std::env::var_os("MACULA_REFERENCE") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/reference"
        )),
    };
    let text = std::fs::read_to_string(folder.join("metrics").join(file)).unwrap();
    let content: Value = serde_json::from_str(&text).unwrap();
    let cases = content["cases"].as_array().unwrap();
    for case in cases {
        let inputs = &case["inputs"];
        let logits: Vec<T> = numbers(&inputs["logits"])
            .into_iter()
            .map(convert)
            .collect();
        let shape: Vec<usize> = numbers(&inputs["logits"]["shape"])
            .into_iter()
            .map(|size| size as usize)
            .collect();
        let logits = Tensor::from_vec(logits, shape).unwrap();
        let labels: Vec<i64> = numbers(&inputs["target"])
            .into_iter()
            .map(|label| label as i64)
            .collect();
        let labels = Tensor::from(labels);

        let measure: Measure = match case["op"].as_str().unwrap() {
            "binary_report" => binary(&logits, &labels),
            "multiclass_report" => multiclass(&logits, &labels),
            unknown => panic!("unknown op {unknown}"),
        };
        let tolerance = numbers(&case["tol"][element]);
        for (name, want) in case["expect"].as_object().unwrap() {
            let (got, want) = (measure(name), numbers(want));
            assert_eq!(got.len(), want.len(), "{file} {} {name}", case["name"]);
            for (place, (got, want)) in got.into_iter().zip(want).enumerate() {
                assert!(
                    got == want || (got - want).abs() <= tolerance[1] + tolerance[0] * want.abs(),
                    "{file} {} {name}[{place}]: got {got}, want {want}",
                    case["name"],
                );
            }
        }
    }
    cases.len()
}

fn binary<T: Float>(logits: &Tensor<T>, labels: &Tensor<i64>) -> Measure {
    let report = BinaryReport::from_logits(logits, labels).unwrap();
    let roc = RocCurve::new(logits, labels).unwrap();
    let curve = PrecisionRecallCurve::new(logits, labels).unwrap();
    assert_eq!(report.roc_auc(), roc.area());
    assert_eq!(report.average_precision(), curve.average_precision());
    let best = Threshold::best_f1(logits, labels).unwrap();
    assert_eq!(report.best_f1_threshold(), best);
    let at_best = BinaryReport::from_logits_at(logits, labels, best).unwrap();
    assert_eq!(report.best_f1(), at_best.f1());
    Box::new(move |name| {
        let counts = report.counts();
        let each_roc = |rate: fn(&RocPoint) -> f64| roc.points().iter().map(rate).collect();
        let each_pr =
            |rate: fn(&PrecisionRecallPoint) -> f64| curve.points().iter().map(rate).collect();
        match name {
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
            unknown => panic!("unknown measure {unknown}"),
        }
    })
}

fn multiclass<T: Float>(logits: &Tensor<T>, labels: &Tensor<i64>) -> Measure {
    let report = MulticlassReport::from_logits(logits, labels).unwrap();
    Box::new(move |name| {
        let confusion = report.confusion();
        let classes = 0..confusion.classes();
        match name {
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
            unknown => panic!("unknown measure {unknown}"),
        }
    })
}

/// The numbers of a tensor, a list, or a single number.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Object(tensor) => numbers(&tensor["data"]),
        Value::Array(elements) => elements.iter().flat_map(numbers).collect(),
        Value::String(text) => vec![text.parse().unwrap()],
        number => vec![number.as_f64().unwrap()],
    }
}
