use proptest::prelude::*;

use super::*;
use crate::ops::pointwise::Sigmoid;

/// Small integers, whose products and sums are exact: results are compared bit by bit.
fn integers(shape: &[usize], seed: usize) -> Tensor<f64> {
    let count: usize = shape.iter().product();
    let elements = (0..count).map(|i| ((i * 7 + seed * 13) % 11) as f64 - 5.0);
    Tensor::from_vec(elements.collect(), shape).unwrap()
}

/// The same elements in memory of another order.
fn strided(x: &Tensor<f64>) -> Tensor<f64> {
    let swapped = x.transpose(-1, -2).unwrap();
    let copy = Tensor::from_vec(swapped.to_vec().unwrap(), swapped.shape()).unwrap();
    copy.transpose(-1, -2).unwrap()
}

/// Both operands with a batch each, by the definition.
fn naive(a: &Tensor<f64>, b: &Tensor<f64>) -> Vec<f64> {
    let [m, k] = last_two(a);
    let n = last_two(b)[1];
    let batch = broadcast(
        "naive",
        &a.shape()[..a.rank() - 2],
        &b.shape()[..b.rank() - 2],
    );
    let batch = batch.unwrap();
    let whole = |x: &Tensor<f64>, rows, columns| {
        let mut sizes = batch.clone();
        sizes.extend([rows, columns]);
        x.expand(&sizes).unwrap().to_vec().unwrap()
    };
    let (a, b) = (whole(a, m, k), whole(b, k, n));
    let mut c = Vec::new();
    for matrix in 0..batch.iter().product() {
        for i in 0..m {
            for j in 0..n {
                let terms =
                    (0..k).map(|p| a[(matrix * m + i) * k + p] * b[(matrix * k + p) * n + j]);
                c.push(terms.sum());
            }
        }
    }
    c
}

proptest! {
    #[test]
    fn matmul_is_its_definition_for_every_layout(
        (m, k, n) in (0usize..6, 0usize..6, 0usize..6),
        a_batch in prop::sample::select(vec![vec![], vec![3], vec![1], vec![2, 3], vec![2, 1]]),
        b_batch in prop::sample::select(vec![vec![], vec![3], vec![1], vec![2, 1]]),
        (a_strided, b_strided) in (any::<bool>(), any::<bool>()),
    ) {
        let sizes = |batch: &[usize], matrix: [usize; 2]| [batch, &matrix[..]].concat();
        let a = integers(&sizes(&a_batch, [m, k]), 1);
        let b = integers(&sizes(&b_batch, [k, n]), 2);
        let (x, y) = (
            if a_strided { strided(&a) } else { a.clone() },
            if b_strided { strided(&b) } else { b.clone() },
        );
        let c = x.matmul(&y).unwrap();
        let rank = a.rank().max(b.rank());
        prop_assert_eq!(c.rank(), rank);
        prop_assert_eq!(&c.shape()[rank - 2..], &[m, n][..]);
        prop_assert_eq!(c.to_vec().unwrap(), naive(&a, &b));
    }
}

#[test]
fn a_batch_large_enough_for_threads_is_the_definition_too() {
    let (a, b) = (integers(&[100, 30, 50], 1), integers(&[100, 50, 31], 2));
    assert_eq!(a.matmul(&b).unwrap().to_vec().unwrap(), naive(&a, &b));
}

#[test]
fn axes_in_any_order_and_direction_give_the_product_of_their_copy() {
    let weight = integers(&[4, 5], 1).transpose(0, 1).unwrap();
    let x = integers(&[2, 3, 5], 3);
    for view in [
        x.flip([0]),
        x.flip([1]),
        x.flip([-1]),
        x.permute([1, 0, 2]),
        integers(&[2, 5, 3], 3).permute([0, 2, 1]),
        integers(&[3, 1, 5], 3).flip([1]),
    ] {
        let view = view.unwrap();
        let copy = view.contiguous().unwrap();
        let product = |x: &Tensor<f64>, y| x.matmul(y).unwrap().to_vec().unwrap();
        assert_eq!(product(&view, &weight), product(&copy, &weight));
        let stack = integers(&[view.shape()[0], 5, 4], 2);
        assert_eq!(product(&view, &stack), product(&copy, &stack));
    }
}

#[test]
fn a_vector_is_a_row_on_the_left_and_a_column_on_the_right() {
    let vector = Tensor::from([1.0, 2.0]);
    let matrix = Tensor::from([[1.0, 10.0], [100.0, 1000.0]]);
    let shape_and_elements = |x: Tensor<f64>| (x.shape().to_vec(), x.to_vec().unwrap());
    let product = |a: &Tensor<f64>, b| shape_and_elements(a.matmul(b).unwrap());
    assert_eq!(product(&vector, &vector), (vec![], vec![5.0]));
    assert_eq!(product(&matrix, &vector), (vec![2], vec![21.0, 2100.0]));
    assert_eq!(product(&vector, &matrix), (vec![2], vec![201.0, 2010.0]));
    let stack = matrix.expand([3, 2, 2]).unwrap();
    assert_eq!(product(&stack, &vector).0, [3, 2]);
    assert_eq!(product(&vector, &stack).0, [3, 2]);
}

#[test]
fn linear_is_the_product_with_the_transpose_plus_the_bias() {
    let weight = integers(&[4, 5], 1);
    let bias = integers(&[4], 3);
    for shape in [&[5][..], &[3, 5], &[2, 3, 5], &[0, 5]] {
        let x = integers(shape, 2);
        let expected = x.matmul(&weight.transpose(0, 1).unwrap()).unwrap();
        let plain = x.linear(&weight, None).unwrap();
        assert_eq!(plain.shape(), expected.shape());
        assert_eq!(plain.to_vec(), expected.to_vec());
        let expected = expected.add(&bias).unwrap();
        let biased = x.linear(&strided(&weight), Some(&bias)).unwrap();
        assert_eq!(biased.to_vec(), expected.to_vec());
    }
}

proptest! {
    #[test]
    fn linear_map_is_linear_and_then_map_bit_for_bit(
        (m, k, n) in (0usize..9, 0usize..40, 0usize..40),
        rows in prop::sample::select(vec![1usize, 1, 1, 700]),
        (biased, x_strided, weight_strided) in any::<(bool, bool, bool)>(),
    ) {
        let x = integers(&[m * rows, k], 1).mul_scalar(0.01).unwrap();
        let weight = integers(&[n, k], 2);
        let x = if x_strided { strided(&x) } else { x };
        let weight = if weight_strided { strided(&weight) } else { weight };
        let bias = biased.then(|| integers(&[n], 3));
        let plain = x.linear(&weight, bias.as_ref()).unwrap();
        let fused = x.linear_map(&weight, bias.as_ref(), Sigmoid).unwrap();
        prop_assert_eq!(fused.shape(), plain.shape());
        prop_assert_eq!(fused.to_vec(), plain.sigmoid().unwrap().to_vec());
    }
}

#[test]
fn large_products_are_finished_once_whatever_the_number_of_threads() {
    // Tall, wide, by dot products, transposed, and a batch that is no even walk.
    for (sizes, n) in [
        (vec![5000, 70], 130),
        (vec![4, 900], 3000),
        (vec![30_000, 64], 3),
        (vec![500, 300, 20], 24),
    ] {
        let x = integers(&sizes, 1).mul_scalar(0.01).unwrap();
        let k = sizes[sizes.len() - 1];
        let (weight, bias) = (integers(&[n, k], 2), integers(&[n], 3));
        let x = if sizes.len() == 3 {
            x.transpose(0, 1).unwrap()
        } else {
            x
        };
        let expected = x.linear(&weight, Some(&bias)).unwrap().sigmoid().unwrap();
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let fused = pool
                .unwrap()
                .install(|| x.linear_map(&weight, Some(&bias), Sigmoid));
            assert!(
                fused.unwrap().to_vec() == expected.to_vec(),
                "{sizes:?} {threads}"
            );
        }
    }
}

#[test]
fn shapes_that_do_not_fit_are_told() {
    let zeros = |shape: &[usize]| Tensor::<f32>::zeros(shape).unwrap();
    let told = |result: Result<Tensor>| result.map(drop).unwrap_err().to_string();
    assert_eq!(
        told(zeros(&[32, 64]).matmul(&zeros(&[63, 10]))),
        "matmul: inner sizes differ: [32, 64] × [63, 10]"
    );
    assert_eq!(
        told(zeros(&[]).matmul(&zeros(&[3]))),
        "matmul: expected at least one axis, found shape []"
    );
    assert_eq!(
        told(zeros(&[2, 4, 3]).matmul(&zeros(&[5, 3, 4]))),
        "matmul: expected matrices in batches that broadcast with those of shape [2, 4, 3], found \
         shape [5, 3, 4]"
    );
    assert_eq!(
        told(zeros(&[32, 64]).linear(&zeros(&[10, 63]), None)),
        "linear: expected an input of 63 elements along its last axis, for the weight [10, 63], found \
         shape [32, 64]"
    );
    assert_eq!(
        told(zeros(&[2, 3]).linear(&zeros(&[4, 3]), Some(&zeros(&[3])))),
        "linear: expected a bias of shape [4], found shape [3]"
    );
    assert!(zeros(&[]).linear(&zeros(&[4, 3]), None).is_err());
    assert!(zeros(&[3]).linear(&zeros(&[3]), None).is_err());
}
