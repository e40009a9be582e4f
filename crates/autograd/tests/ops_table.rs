//! The table of gradient checks: every operation of a variable has a row.
//!
//! A row is an operation, inputs to try it on and how it is called. Its gradients of first and
//! second order are compared with finite differences, for the operation itself and for its square,
//! so that the rule of a linear operation is differentiated too.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use macula_autograd::{Var, check_gradients};
use macula_tensor::ops::pointwise as formulas;
use macula_tensor::{Norm, Result, Slice, Tensor, keep};

use common::methods;
use inputs::{
    Cases, binary, cube, every_layout, matrix, number, pairs, spread, unary, with_and_without_bias,
};

mod common;
#[path = "ops_table/inputs.rs"]
mod inputs;
#[path = "ops_table/kinds.rs"]
mod kinds;
#[path = "ops_table/spatial.rs"]
mod spatial;

struct Row {
    op: &'static str,
    cases: Cases,
    function: fn(&[Var<f64>]) -> Result<Var<f64>>,
}

fn row(op: &'static str, cases: Cases, function: fn(&[Var<f64>]) -> Result<Var<f64>>) -> Row {
    Row {
        op,
        cases,
        function,
    }
}

fn mask() -> Tensor<bool> {
    Tensor::from([true, false, true])
}

/// Places in the rows of a matrix of two rows or none.
fn two_of_a_row(x: &Var<f64>) -> Tensor<i64> {
    let places = Tensor::from([[2, 2], [0, 1]]);
    let rows = x.shape().first().copied().unwrap_or_default();
    places.narrow(0, 0, rows).unwrap()
}

fn table() -> Vec<Row> {
    let any = || unary(-2.0, 2.0);
    let positive = || unary(0.3, 3.0);
    let mut table = vec![
        row("add", binary(-2.0, 2.0), |x| x[0].add(&x[1])),
        row("sub", binary(-2.0, 2.0), |x| x[0].sub(&x[1])),
        row("mul", binary(-2.0, 2.0), |x| x[0].mul(&x[1])),
        row("div", binary(0.5, 2.0), |x| x[0].div(&x[1])),
        row("remainder", binary(0.5, 2.0), |x| x[0].remainder(&x[1])),
        row("floor_divide", binary(0.5, 2.0), |x| {
            x[0].floor_divide(&x[1])?.mul(&x[0])
        }),
        row("neg", any(), |x| x[0].neg()),
        row("add_scalar", any(), |x| x[0].add_scalar(1.5)),
        row("mul_scalar", any(), |x| x[0].mul_scalar(-1.5)),
        row("map", any(), |x| x[0].map(formulas::Tanh)),
        row("zip", binary(-2.0, 2.0), |x| x[0].zip(&x[1], formulas::Mul)),
        row("pointwise", binary(-2.0, 2.0), |x| {
            Var::pointwise(formulas::LogAddExp, [&x[0], &x[1]])
        }),
        row("map_sum", any(), |x| x[0].map_sum(formulas::Tanh, ..)),
        row("map_sum", matrix(), |x| {
            x[0].map_sum(formulas::Exp, keep(1))
        }),
        row("zip_sum", binary(-2.0, 2.0), |x| {
            x[0].zip_sum(&x[1], formulas::LogAddExp, ..)
        }),
        row("zip_sum", binary(-2.0, 2.0), |x| {
            x[0].zip_sum(&x[1], formulas::Mul, keep([]))
        }),
        row(
            "zip_sum",
            pairs(&[[&[2, 3], &[3]], [&[2, 1], &[2, 3]]]),
            |x| x[0].zip_sum(&x[1], formulas::LogAddExp, keep(0)),
        ),
        row("map_amax", number(), |x| {
            x[0].map_amax(formulas::Square, ..)
        }),
        row("map_amax", matrix(), |x| {
            x[0].map_amax(formulas::Exp, keep(1))
        }),
        row("map_amin", number(), |x| x[0].map_amin(formulas::Exp, ..)),
        row("map_amin", matrix(), |x| x[0].map_amin(formulas::Tanh, 1)),
        row("relu", any(), |x| x[0].relu()),
        row("square", any(), |x| x[0].square()),
        row("sqrt", positive(), |x| x[0].sqrt()),
        row("rsqrt", positive(), |x| x[0].rsqrt()),
        row("recip", positive(), |x| x[0].recip()),
        row("abs", any(), |x| x[0].abs()),
        row("signum", any(), |x| x[0].signum()?.mul(&x[0])),
        row("floor", any(), |x| x[0].floor()?.mul(&x[0])),
        row("ceil", any(), |x| x[0].ceil()?.mul(&x[0])),
        row("round", any(), |x| x[0].round()?.mul(&x[0])),
        row("trunc", any(), |x| x[0].trunc()?.mul(&x[0])),
        row("nan_to_num", any(), |x| x[0].nan_to_num(0.5)?.mul(&x[0])),
        row("exp", any(), |x| x[0].exp()),
        row("exp_m1", any(), |x| x[0].exp_m1()),
        row("ln", positive(), |x| x[0].ln()),
        row("ln_1p", positive(), |x| x[0].ln_1p()),
        row("log2", positive(), |x| x[0].log2()),
        row("sin", any(), |x| x[0].sin()),
        row("cos", any(), |x| x[0].cos()),
        row("atan", any(), |x| x[0].atan()),
        row("atan2", binary(-2.0, 2.0), |x| x[0].atan2(&x[1])),
        row("erf", any(), |x| x[0].erf()),
        row("tanh", any(), |x| x[0].tanh()),
        row("sigmoid", any(), |x| x[0].sigmoid()),
        row("log_sigmoid", any(), |x| x[0].log_sigmoid()),
        row("softplus", any(), |x| x[0].softplus()),
        row("powf", positive(), |x| x[0].powf(2.5)),
        row("powf", any(), |x| x[0].powf(3.0)),
        row("pow", binary(0.3, 2.0), |x| x[0].pow(&x[1])),
        row("clamp", any(), |x| x[0].clamp(-1.0, 1.2)),
        row("maximum", binary(-2.0, 2.0), |x| x[0].maximum(&x[1])),
        row("minimum", binary(-2.0, 2.0), |x| x[0].minimum(&x[1])),
        row("logaddexp", binary(-2.0, 2.0), |x| x[0].logaddexp(&x[1])),
        row("sum", any(), |x| x[0].sum(..)),
        row("sum", matrix(), |x| x[0].sum(0)),
        row("sum", matrix(), |x| x[0].sum(keep(-1))),
        row("prod", any(), |x| x[0].prod(..)),
        row("prod", matrix(), |x| x[0].prod(0)),
        row("prod", matrix(), |x| x[0].prod(keep(-1))),
        row("prod", vec![vec![spread(&[2, 3, 2], -1.5, 1.5, 0)]], |x| {
            x[0].prod([0, 2])
        }),
        // One zero in a row has a slope, and so has each of two zeros at second order.
        row(
            "prod",
            vec![vec![Tensor::from([[2.0, 0.0, 3.0], [0.0, 0.0, 4.0]])]],
            |x| x[0].prod(1),
        ),
        row("amax", number(), |x| x[0].amax(..)),
        row("amax", matrix(), |x| x[0].amax(1)),
        row("amin", matrix(), |x| x[0].amin(keep(1))),
        row("amin", number(), |x| x[0].amin(..)),
        row("sum_to", number(), |x| x[0].sum_to([])),
        row("expand", number(), |x| x[0].expand([2, 3])),
        row("sum_to", matrix(), |x| x[0].sum_to([3])),
        row("expand", matrix(), |x| {
            x[0].unsqueeze(1)?.expand([2, x[0].shape()[0], 4, 3])
        }),
        row("mean", number(), |x| x[0].mean(..)),
        row("mean", matrix(), |x| x[0].mean(1)),
        row("var", matrix(), |x| x[0].var(1, 1)),
        row("var", cube(), |x| x[0].var(keep([0, 2]), 0)),
        row("var", number(), |x| x[0].var(.., 0)),
        row("std", matrix(), |x| x[0].std(1, 1)),
        row("norm", matrix(), |x| x[0].norm(Norm::L1, 1)),
        row("norm", number(), |x| x[0].norm(Norm::L1, ..)),
        row("norm", matrix(), |x| x[0].norm(Norm::L2, keep(1))),
        row("norm", number(), |x| x[0].norm(Norm::L2, ..)),
        row("norm", matrix(), |x| x[0].norm(Norm::P(3.0), 1)),
        row("norm", cube(), |x| x[0].norm(Norm::P(1.5), keep([0, 2]))),
        row("norm", number(), |x| x[0].norm(Norm::P(1.5), ..)),
        row("norm", matrix(), |x| x[0].norm(Norm::P(-2.0), 1)),
        row("norm", matrix(), |x| x[0].norm(Norm::Max, 1)),
        row("norm", matrix(), |x| x[0].norm(Norm::Min, keep(1))),
        row("norm", matrix(), |x| {
            x[0].norm(Norm::NonZero, 1)?.mul(&x[0].sum(1)?)
        }),
        row("cumsum", matrix(), |x| x[0].cumsum(1)),
        row("cumsum", matrix(), |x| x[0].cumsum(0)),
        row("cumprod", matrix(), |x| x[0].cumprod(1)),
        row("cumprod", matrix(), |x| x[0].cumprod(0)),
        row(
            "cumprod",
            vec![vec![Tensor::from([2.0, 0.0, 3.0, 0.0, 4.0])]],
            |x| x[0].cumprod(0),
        ),
        row(
            "recurrence",
            pairs(&[[&[2, 3], &[2, 3]], [&[0, 3], &[0, 3]]]),
            |x| x[0].recurrence(&x[1], 1),
        ),
        row("recurrence", pairs(&[[&[4, 2], &[4, 2]]]), |x| {
            x[0].recurrence(&x[1], 0)
        }),
        row("cummax", matrix(), |x| Ok(x[0].cummax(1)?.0)),
        row("cummin", matrix(), |x| Ok(x[0].cummin(1)?.0)),
        row("logsumexp", matrix(), |x| x[0].logsumexp(1)),
        row("logsumexp", any(), |x| x[0].logsumexp(..)),
        row("logsumexp", cube(), |x| x[0].logsumexp(keep([0, 2]))),
        row("softmax", matrix(), |x| x[0].softmax(1)),
        row("softmax", matrix(), |x| x[0].softmax(0)),
        row("log_softmax", matrix(), |x| x[0].log_softmax(1)),
        row("sort", matrix(), |x| Ok(x[0].sort(1, true)?.0)),
        row("topk", matrix(), |x| Ok(x[0].topk(2, 1, true)?.0)),
        row("kthvalue", matrix(), |x| Ok(x[0].kthvalue(2, 1)?.0)),
        row("median", matrix(), |x| Ok(x[0].median(-1)?.0)),
        row(
            "matmul",
            pairs(&[
                [&[2, 3], &[3, 2]],
                [&[3], &[3]],
                [&[2, 1, 2, 3], &[2, 3, 1]],
                [&[2, 1, 2, 2], &[3, 2, 2]],
                [&[0, 3], &[3, 2]],
            ]),
            |x| x[0].matmul(&x[1]),
        ),
        row(
            "linear",
            with_and_without_bias(4, &[[&[2, 3], &[4, 3]], [&[0, 3], &[4, 3]]]),
            |x| x[0].linear(&x[1], x.get(2)),
        ),
        row(
            "linear_map",
            with_and_without_bias(4, &[[&[2, 3], &[4, 3]], [&[0, 3], &[4, 3]]]),
            |x| x[0].linear_map(&x[1], x.get(2), formulas::Tanh),
        ),
        row("dot", pairs(&[[&[3], &[3]], [&[0], &[0]]]), |x| {
            x[0].dot(&x[1])
        }),
        row("outer", pairs(&[[&[3], &[2]], [&[0], &[2]]]), |x| {
            x[0].outer(&x[1])
        }),
        row("einsum", pairs(&[[&[2, 3, 4], &[2, 5, 4]]]), |x| {
            x[0].einsum("bij,bkj->kib", &x[1])
        }),
        row("einsum", pairs(&[[&[2, 3], &[3, 2]]]), |x| {
            x[0].einsum("ij,kl->jk", &x[1])
        }),
        row("einsum", pairs(&[[&[3], &[3]], [&[0], &[0]]]), |x| {
            x[0].einsum("i,i->", &x[1])
        }),
        row("einsum", pairs(&[[&[], &[2, 3]]]), |x| {
            x[0].einsum(",ij->ji", &x[1])
        }),
        row("reshape", matrix(), |x| x[0].reshape([3, x[0].shape()[0]])),
        row("reshape", number(), |x| x[0].reshape([1, 1])),
        row("permute", number(), |x| x[0].permute([])),
        row("squeeze_all", number(), |x| x[0].squeeze_all()),
        row("flatten", any(), |x| x[0].flatten()),
        row("flatten_range", cube(), |x| x[0].flatten_range(0, 1)),
        row("transpose", matrix(), |x| x[0].transpose(0, -1)),
        row("permute", cube(), |x| x[0].permute([2, 0, -2])),
        row("move_axis", cube(), |x| x[0].move_axis(0, -1)),
        row("unsqueeze", any(), |x| x[0].unsqueeze(-1)),
        row("squeeze", every_layout(&[2, 1, 3]), |x| x[0].squeeze(-2)),
        row("squeeze_all", every_layout(&[2, 1, 3]), |x| {
            x[0].squeeze_all()
        }),
        row("narrow", matrix(), |x| x[0].narrow(-1, 1, 2)),
        row("slice", matrix(), |x| {
            x[0].slice(1, Slice::from(..).step(-2))
        }),
        row("slice", matrix(), |x| x[0].slice(1, -2)),
        row("slices", matrix(), |x| x[0].slices([(..).into(), 1.into()])),
        row("slices", matrix(), |x| {
            x[0].slices([(..).into(), Slice::from(1..).step(2)])
        }),
        row("flip", matrix(), |x| x[0].flip([0, -1])),
        row("slices", number(), |x| x[0].slices([])),
        row("flip", number(), |x| x[0].flip([])),
        row("pad", number(), |x| x[0].pad([], 0.5)),
        row("unfold", matrix(), |x| x[0].unfold(1, 2, 1)),
        row("diagonal", matrix(), |x| x[0].diagonal(1, 0, 1)),
        row("diag", vec![vec![spread(&[3], -1.0, 1.0, 0)]], |x| {
            x[0].diag(-1)
        }),
        row("diag", matrix(), |x| x[0].diag(1)),
        row(
            "concatenate",
            pairs(&[[&[2, 3], &[2, 2]], [&[0, 3], &[0, 2]]]),
            |x| Var::concatenate(&[&x[0], &x[1], &x[0]], -1),
        ),
        row(
            "stack",
            pairs(&[[&[2, 3], &[2, 3]], [&[0, 3], &[0, 3]], [&[], &[]]]),
            |x| Var::stack(&[&x[0], &x[1]], -1),
        ),
        row("split", matrix(), |x| {
            let pieces = x[0].split(1, [1, 2])?;
            pieces[0].mul(&pieces[1])
        }),
        row("split_every", matrix(), |x| {
            let pieces = x[0].split_every(-1, 2)?;
            pieces[0].mul(&pieces[1])
        }),
        row("repeat_interleave", matrix(), |x| {
            x[0].repeat_interleave(3, -1)
        }),
        row("repeat_interleave", cube(), |x| {
            x[0].repeat_interleave(2, 1)
        }),
        row("chunk", matrix(), |x| {
            let pieces = x[0].chunk(-1, 2)?;
            pieces[0].mul(&pieces[1])
        }),
        row("repeat", matrix(), |x| x[0].repeat([2, 1, 3])),
        row("repeat", number(), |x| x[0].repeat([2, 3])),
        row("roll", matrix(), |x| x[0].roll(4, -1)),
        row("pad", matrix(), |x| x[0].pad([(1, 0), (0, 2)], 0.5)),
        row("select", binary(-2.0, 2.0), |x| {
            Var::select(&mask(), &x[0], &x[1])
        }),
        row("masked_fill", any(), |x| x[0].masked_fill(&mask(), 0.5)),
        row("masked_select", any(), |x| x[0].masked_select(&mask())),
        row("tril", matrix(), |x| x[0].tril(0)),
        row("triu", matrix(), |x| x[0].triu(1)),
        row("index_select", matrix(), |x| {
            x[0].index_select(-1, &Tensor::from([2, 0, 2, 1]))
        }),
        row(
            "index_add",
            pairs(&[[&[2, 3], &[2, 4]], [&[0, 3], &[0, 4]]]),
            |x| x[0].index_add(1, &Tensor::from([2, 0, 2, 1]), &x[1]),
        ),
        row("gather", matrix(), |x| x[0].gather(1, &two_of_a_row(&x[0]))),
        // The source is larger than the index, and one place is named twice.
        row(
            "scatter",
            pairs(&[[&[2, 3], &[3, 4]], [&[0, 3], &[0, 4]]]),
            |x| x[0].scatter(1, &two_of_a_row(&x[0]), &x[1]),
        ),
        // The source is larger than the index.
        row(
            "scatter_add",
            pairs(&[[&[2, 3], &[3, 4]], [&[0, 3], &[0, 4]]]),
            |x| x[0].scatter_add(1, &two_of_a_row(&x[0]), &x[1]),
        ),
    ];
    table.extend(spatial::table());
    table
}

#[test]
fn gradients_of_every_operation_agree_with_differences() {
    let mut failures = Vec::new();
    for Row {
        op,
        cases,
        function,
    } in table()
    {
        for inputs in cases {
            let shapes: Vec<_> = inputs.iter().map(|x| (x.shape(), x.strides())).collect();
            for result in [
                check_gradients(op, &inputs, function),
                check_gradients(op, &inputs, |x| function(x)?.square()),
            ] {
                if let Err(error) = result {
                    failures.push(format!("{op} on {shapes:?}: {error}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The public methods in `src/ops`, and their signatures.
fn operations() -> BTreeMap<String, String> {
    methods(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops"))
}

#[test]
fn every_operation_has_a_row_and_every_row_an_operation() {
    let operations: BTreeSet<String> = operations().into_keys().collect();
    let rows: BTreeSet<String> = table().iter().map(|row| row.op.to_string()).collect();
    assert!(operations.contains("sigmoid") && operations.contains("concatenate"));
    let without: Vec<_> = operations.difference(&rows).collect();
    assert!(without.is_empty(), "operations without a row: {without:?}");
    let unknown: Vec<_> = rows.difference(&operations).collect();
    assert!(unknown.is_empty(), "rows without an operation: {unknown:?}");
}
