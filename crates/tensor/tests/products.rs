//! Matrix products against three nested loops, on random views and broadcast batches.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Case, assert_exact, broadcast, eighths, rarely_special, with_specials};
use macula_tensor::{Float, Tensor};
use proptest::prelude::*;

/// How a view of some sizes lies in memory.
#[derive(Clone, Debug)]
struct Layout {
    /// Per axis: elements left out before and after it, and whether it is a repeated one.
    axes: Vec<(usize, usize, bool)>,
    /// A key per axis: the axes lie in memory in the order of their keys.
    order: Vec<u32>,
    /// Which axes run backwards.
    backwards: Vec<bool>,
    elements: Elements,
    seed: u64,
}

/// Numbers whose products, and the sums of those, are the same in any order.
#[derive(Clone, Copy, Debug)]
enum Elements {
    /// Exact in any order.
    Finite,
    /// NaN and infinities among them: any NaN, 0 · ∞ or ∞ − ∞ makes a NaN, an infinity alone stays.
    Special,
    /// So few of those that long sums are not all NaN.
    RarelySpecial,
}

impl Elements {
    fn make<T: Float>(self) -> fn(u64) -> T {
        match self {
            Self::Finite => eighths,
            Self::Special => with_specials,
            Self::RarelySpecial => rarely_special,
        }
    }
}

fn layouts() -> impl Strategy<Value = Layout> {
    let axis = (0..2_usize, 0..2_usize, prop::bool::weighted(0.1));
    (
        prop::collection::vec(axis, 4),
        prop::collection::vec(any::<u32>(), 4),
        prop::collection::vec(prop::bool::weighted(0.2), 4),
        prop::sample::select(&[Elements::Finite, Elements::Special, Elements::RarelySpecial][..]),
        any::<u64>(),
    )
        .prop_map(|(axes, order, backwards, elements, seed)| Layout {
            axes,
            order,
            backwards,
            elements,
            seed,
        })
}

impl Layout {
    /// A view of these sizes.
    fn tensor<T: Float>(&self, sizes: &[usize]) -> Tensor<T> {
        let rank = sizes.len();
        // The view's axis k is axis place[k] of what lies in memory.
        let mut in_memory: Vec<usize> = (0..rank).collect();
        in_memory.sort_by_key(|&axis| self.order[axis]);
        let axes = in_memory.iter().map(|&axis| {
            let (before, after, repeated) = self.axes[axis];
            (sizes[axis], before, after, repeated)
        });
        let case = Case {
            axes: axes.collect(),
            order: (0..rank as u32).collect(),
            reduced: vec![false; rank],
            keep: false,
            seed: self.seed,
        };
        let mut order = vec![0; rank];
        for (place, &axis) in in_memory.iter().enumerate() {
            order[axis] = place as isize;
        }
        let backwards: Vec<isize> = (0..rank)
            .filter(|&axis| self.backwards[axis])
            .map(|axis| axis as isize)
            .collect();
        let view = case
            .tensor(self.elements.make::<T>())
            .permute(order)
            .unwrap();
        view.flip(backwards).unwrap()
    }
}

/// a · b for every matrix of a batch, the batches broadcast to `batch`.
fn naive<T: Float>(a: &Tensor<T>, b: &Tensor<T>, batch: &[usize]) -> Vec<f64> {
    let [m, k] = [a.shape()[a.rank() - 2], a.shape()[a.rank() - 1]];
    let n = b.shape()[b.rank() - 1];
    let a = broadcast(a, &[batch, &[m, k]].concat());
    let b = broadcast(b, &[batch, &[k, n]].concat());
    let mut c = Vec::new();
    for matrix in 0..batch.iter().product() {
        for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
            let term = |p: usize| {
                a[(matrix * m + i) * k + p].to_f64() * b[(matrix * k + p) * n + j].to_f64()
            };
            c.push((0..k).map(term).sum());
        }
    }
    c
}

fn batches_agree<T: Float>(
    (m, k, n): (usize, usize, usize),
    [a_batch, b_batch, batch]: [&[usize]; 3],
    [a, b]: &[Layout; 2],
) {
    let a = a.tensor::<T>(&[a_batch, &[m, k]].concat());
    let b = b.tensor::<T>(&[b_batch, &[k, n]].concat());
    let c = a.matmul(&b).unwrap();
    assert_exact(&c, &[batch, &[m, n]].concat(), &naive(&a, &b, batch));
}

fn vectors_agree<T: Float>((m, k, n): (usize, usize, usize), [a, b]: &[Layout; 2]) {
    let (row, matrix) = (a.tensor::<T>(&[k]), b.tensor::<T>(&[k, n]));
    let as_matrix = row.unsqueeze(0).unwrap();
    let expected = naive(&as_matrix, &matrix, &[]);
    assert_exact(&row.matmul(&matrix).unwrap(), &[n], &expected);

    let (tall, column) = (a.tensor::<T>(&[m, k]), b.tensor::<T>(&[k]));
    let as_matrix = column.unsqueeze(1).unwrap();
    let expected = naive(&tall, &as_matrix, &[]);
    assert_exact(&tall.matmul(&column).unwrap(), &[m], &expected);

    let expected = naive(&row.unsqueeze(0).unwrap(), &as_matrix, &[]);
    assert_exact(&row.dot(&column).unwrap(), &[], &expected);
    let (left, right) = (a.tensor::<T>(&[m]), b.tensor::<T>(&[n]));
    let expected = naive(
        &left.unsqueeze(1).unwrap(),
        &right.unsqueeze(0).unwrap(),
        &[],
    );
    assert_exact(&left.outer(&right).unwrap(), &[m, n], &expected);
}

fn layers_agree<T: Float>(
    (m, k, n): (usize, usize, usize),
    leading: &[usize],
    [a, b]: &[Layout; 2],
    biased: bool,
) {
    let x = a.tensor::<T>(&[leading, &[m, k]].concat());
    let (weight, bias) = (b.tensor::<T>(&[n, k]), b.tensor::<T>(&[n]));
    let y = x.linear(&weight, biased.then_some(&bias)).unwrap();
    let mut expected = naive(&x, &weight.transpose(0, 1).unwrap(), leading);
    if biased {
        let bias = broadcast(&bias, &[leading, &[m, n]].concat());
        for (y, bias) in expected.iter_mut().zip(bias) {
            *y += bias.to_f64();
        }
    }
    assert_exact(&y, &[leading, &[m, n]].concat(), &expected);
}

fn sizes() -> impl Strategy<Value = (usize, usize, usize)> {
    (0..7_usize, 0..9_usize, 0..7_usize)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn batches_of_any_layout_are_multiplied_and_broadcast(
        sizes in sizes(),
        batch in prop::collection::vec(0..4_usize, 0..3),
        single in any::<[bool; 4]>(),
        lacking in 0..3_usize,
        layouts in [layouts(), layouts()],
    ) {
        let (mut a, mut b) = (batch.clone(), batch.clone());
        for axis in 0..batch.len() {
            // At most one of the two has one matrix for all.
            match (single[axis], single[axis + 2]) {
                (true, _) => a[axis] = 1,
                (false, true) => b[axis] = 1,
                _ => {}
            }
        }
        let shorter = lacking.min(batch.len());
        if single[0] { a.drain(..shorter); } else { b.drain(..shorter); }
        let batch = together(&a, &b);
        batches_agree::<f32>(sizes, [&a, &b, &batch], &layouts);
        batches_agree::<f64>(sizes, [&a, &b, &batch], &layouts);
    }

    #[test]
    fn larger_products_are_the_naive_ones_with_nan_and_infinities(
        sizes in (1..60_usize, 1..60_usize, 1..60_usize),
        layouts in [layouts(), layouts()],
    ) {
        batches_agree::<f32>(sizes, [&[], &[], &[]], &layouts);
        batches_agree::<f64>(sizes, [&[], &[], &[]], &layouts);
    }

    #[test]
    fn vectors_are_rows_on_the_left_and_columns_on_the_right(
        sizes in sizes(),
        layouts in [layouts(), layouts()],
    ) {
        vectors_agree::<f32>(sizes, &layouts);
        vectors_agree::<f64>(sizes, &layouts);
    }

    #[test]
    fn linear_is_a_product_with_the_transpose_and_a_bias(
        sizes in sizes(),
        leading in prop::collection::vec(0..4_usize, 0..3),
        layouts in [layouts(), layouts()],
        biased: bool,
    ) {
        layers_agree::<f32>(sizes, &leading, &layouts, biased);
        layers_agree::<f64>(sizes, &leading, &layouts, biased);
    }
}

/// Rows and columns that no register is filled by are read past their end, and cut.
#[test]
fn numbers_beside_a_view_do_not_reach_its_product() {
    for (m, k, n) in [
        (32, 10, 2),
        (37, 10, 1),
        (33, 3, 3),
        (9, 21, 5),
        (1, 7, 4),
        (16, 16, 1),
        (1, 9, 37),
        (4, 21, 18),
        (11, 30, 35),
        (64, 30, 35),
        (3, 5, 9000),
    ] {
        // The first of some more columns are ones, the others NaN.
        let ones = |rows: usize, columns: usize| {
            let wide = columns + 2;
            let number = |i| if i % wide < columns { 1.0 } else { f32::NAN };
            let numbers = Tensor::from((0..rows * wide).map(number).collect::<Vec<_>>());
            let numbers = numbers.reshape([rows, wide]).unwrap();
            numbers.narrow(1, 0, columns).unwrap()
        };
        let columns = ones(n, k).transpose(0, 1).unwrap();
        for b in [columns.clone(), columns.contiguous().unwrap(), ones(k, n)] {
            let c = ones(m, k).matmul(&b).unwrap();
            assert_eq!(c.to_vec().unwrap(), vec![k as f32; m * n], "{m}×{k}×{n}");
        }
    }
}

/// The shape that two batches broadcast to.
fn together(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let size = |x: &[usize], axis: usize| (axis + x.len()).checked_sub(rank).map_or(1, |k| x[k]);
    let sizes = (0..rank).map(|axis| (size(a, axis), size(b, axis)));
    sizes.map(|(a, b)| if a == 1 { b } else { a }).collect()
}
