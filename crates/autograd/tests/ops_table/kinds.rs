//! What the cases of each operation must cover: every kind of input, but for what is written here.

use std::collections::{BTreeMap, BTreeSet};

use macula_autograd::{Tape, Var};
use macula_tensor::Tensor;

use super::{Row, operations, table};

/// A kind of inputs: its name, and whether these are of it.
type Kind = (&'static str, fn(&[Tensor<f64>]) -> bool);

const KINDS: [Kind; 5] = [
    ("strided", |inputs| inputs.iter().any(is_strided)),
    ("repeated", |inputs| inputs.iter().any(is_repeated)),
    ("empty", |inputs| inputs.iter().any(Tensor::is_empty)),
    (ZERO_D, |inputs| inputs.iter().any(|x| x.rank() == 0)),
    (BROADCAST, |inputs| match inputs {
        [a, b, ..] => a.shape() != b.shape() && a.add(b).is_ok(),
        _ => false,
    }),
];

const ZERO_D: &str = "0-d";
const BROADCAST: &str = "broadcast";

/// Operations that take an axis, of which a tensor of rank 0 has none.
const NEEDS_AXES: [&[&str]; 8] = [
    &[
        "chunk",
        "concatenate",
        "split",
        "split_every",
        "repeat_interleave",
        "roll",
        "unfold",
    ],
    &["cummax", "cummin", "cumprod", "cumsum", "recurrence"],
    &["diag", "diagonal", "tril", "triu"],
    &["dot", "outer", "matmul", "linear", "linear_map"],
    &["flatten_range", "move_axis", "squeeze", "transpose"],
    &[
        "gather",
        "index_add",
        "index_select",
        "scatter",
        "scatter_add",
    ],
    &["kthvalue", "median", "sort", "topk", "softmax"],
    &["log_softmax", "narrow", "slice"],
];

/// Operations that work on axes with a meaning of their own, which a tensor of rank 0 has not.
const SPATIAL: [&[&str]; 4] = [
    &["adaptive_avg_pool1d", "adaptive_avg_pool2d", "avg_pool1d"],
    &["adaptive_max_pool1d", "adaptive_max_pool2d", "avg_pool2d"],
    &["avg_pool_gradient", "max_pool1d", "max_pool2d"],
    &["upsample_nearest2d"],
];

const CONVOLUTIONS: [&str; 6] = [
    "conv1d",
    "conv2d",
    "conv_input_gradient",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_weight_gradient",
];

/// Operations whose two inputs must have shapes that go together otherwise.
const NO_BROADCAST: [&[&str]; 3] = [
    &[
        "concatenate",
        "stack",
        "index_add",
        "scatter",
        "scatter_add",
    ],
    &["dot", "linear", "linear_map", "outer"],
    &["recurrence"],
];

fn exempt(kind: &str) -> BTreeSet<&'static str> {
    let lists = match kind {
        ZERO_D => {
            // The deviation of one number is 0, where its root has no slope.
            let constant = vec!["std"];
            [NEEDS_AXES.concat(), SPATIAL.concat(), constant].concat()
        }
        BROADCAST => NO_BROADCAST.concat(),
        _ => return BTreeSet::new(),
    };
    lists.into_iter().chain(CONVOLUTIONS).collect()
}

fn is_repeated(x: &Tensor<f64>) -> bool {
    let strides = x.strides();
    let mut axes = x.shape().iter().zip(&strides);
    axes.any(|(&size, &stride)| size > 1 && stride == 0)
}

fn is_strided(x: &Tensor<f64>) -> bool {
    x.count() > 1 && !x.is_contiguous() && !is_repeated(x)
}

/// The rows of each operation.
fn rows() -> BTreeMap<&'static str, Vec<Row>> {
    let mut rows = BTreeMap::<_, Vec<Row>>::new();
    for row in table() {
        rows.entry(row.op).or_default().push(row);
    }
    rows
}

#[test]
fn every_operation_is_tried_on_every_kind_of_input_that_it_takes() {
    let rows = rows();
    for (kind, is_kind) in KINDS {
        let exempt = exempt(kind);
        for (op, rows) in &rows {
            let mut cases = rows.iter().flat_map(|row| &row.cases);
            // What has one input is broadcast by repeating it.
            let applies = kind != BROADCAST || rows[0].cases[0].len() > 1;
            let tried = cases.any(|inputs| is_kind(inputs));
            let wanted = applies && !exempt.contains(op);
            assert_eq!(tried, wanted, "{op}: {kind} inputs are tried, or are to be");
        }
        let unknown: Vec<_> = exempt.iter().filter(|op| !rows.contains_key(*op)).collect();
        assert!(unknown.is_empty(), "no operations: {unknown:?}");
    }
}

#[test]
fn what_is_not_tried_on_a_single_number_refuses_it() {
    let rows = rows();
    for op in exempt(ZERO_D) {
        for row in &rows[op] {
            let tape = Tape::new();
            let numbers = row.cases[0].iter().map(|_| tape.var(Tensor::scalar(0.5)));
            let numbers: Vec<Var<f64>> = numbers.collect();
            assert!((row.function)(&numbers).is_err(), "{op} takes 0-d inputs");
        }
    }
}

#[test]
fn what_takes_a_bias_is_tried_with_and_without_one() {
    let rows = rows();
    let operations = operations();
    let biased = operations
        .iter()
        .filter(|(_, signature)| signature.contains("bias: Option<&Self>"));
    let biased: Vec<&str> = biased.map(|(op, _)| op.as_str()).collect();
    assert!(biased.contains(&"linear") && biased.contains(&"conv2d"));
    for op in biased {
        let cases = rows[op].iter().flat_map(|row| &row.cases);
        let counts: BTreeSet<usize> = cases.map(Vec::len).collect();
        assert_eq!(counts, BTreeSet::from([2, 3]), "inputs of {op}");
    }
}
