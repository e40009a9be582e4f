//! Matrix products: ranks and strides are sorted out here, the arithmetic is in
//! [`cpu::gemm`](crate::cpu).

use smallvec::{SmallVec, smallvec};

use crate::cpu::gemm::{Batch, Epilogue, Then};
use crate::cpu::pointwise::in_place;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::pointwise::Pointwise;
use crate::shape::{Shape, Sizes, broadcast};
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The matrix product of the last two axes, c\[…, i, j\] = Σₚ a\[…, i, p\] · b\[…, p, j\].
    ///
    /// Views are read where they lie: a transposed operand is not copied.
    ///
    /// # Shapes
    /// `[…, M, K]` × `[…, K, N]` → `[…, M, N]`, the leading axes broadcast. A vector on the left
    /// is a row, a vector on the right a column, and the axis it lacks is missing from the
    /// result: `[K]` × `[K]` → `[]`, `[…, M, K]` × `[K]` → `[…, M]`, `[K]` × `[…, K, N]` →
    /// `[…, N]`.
    ///
    /// # Errors
    /// Both need at least one axis, equal inner sizes, leading axes that broadcast, and one
    /// device.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let a = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(a.matmul(&Tensor::from([10.0, 1.0]))?.to_vec()?, [12.0, 34.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn matmul(&self, other: &Self) -> Result<Self> {
        let op = "matmul";
        for operand in [self, other] {
            if operand.rank() == 0 {
                return Err(Error::Shape {
                    op,
                    expected: "at least one axis".into(),
                    found: Sizes::new(),
                });
            }
        }
        let row = (self.rank() == 1).then(|| self.unsqueeze(0)).transpose()?;
        let column = (other.rank() == 1)
            .then(|| other.unsqueeze(1))
            .transpose()?;
        let (a, b) = (
            row.as_ref().unwrap_or(self),
            column.as_ref().unwrap_or(other),
        );
        let [m, k] = last_two(a);
        let [inner, n] = last_two(b);
        if k != inner {
            return Err(inner_sizes(op, self, other));
        }
        if a.rank() == 2 && b.rank() == 2 {
            // The result without the axes that a vector lacks has the same elements.
            let mut sizes = Sizes::new();
            sizes.extend((self.rank() > 1).then_some(m));
            sizes.extend((other.rank() > 1).then_some(n));
            return product(op, [a, b], &[], &sizes, None, None);
        }
        let (a_batch, b_batch) = (&a.shape()[..a.rank() - 2], &b.shape()[..b.rank() - 2]);
        let batch = broadcast(op, a_batch, b_batch)?;
        let mut sizes = batch.clone();
        sizes.extend((self.rank() > 1).then_some(m));
        sizes.extend((other.rank() > 1).then_some(n));
        if b_batch.is_empty() {
            rows_times(op, a, b, &sizes, None, None)
        } else {
            product(op, [a, b], &batch, &sizes, None, None)
        }
    }

    /// x · Wᵀ + b, what a linear layer computes, in one pass.
    ///
    /// # Shapes
    /// x `[…, in]`, weight `[out, in]`, bias `[out]` → `[…, out]`.
    ///
    /// # Errors
    /// The shapes must be these, on one device.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let weight = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let bias = Tensor::from([0.5, 0.0, 0.0]);
    /// let y = Tensor::from([10.0, 1.0]).linear(&weight, Some(&bias))?;
    /// assert_eq!(y.to_vec()?, [12.5, 34.0, 56.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn linear(&self, weight: &Self, bias: Option<&Self>) -> Result<Self> {
        self.linear_then("linear", weight, bias, None)
    }

    /// activation(x · Wᵀ + b): a linear layer with its activation in one pass.
    ///
    /// The formula is applied to rows of the product as they are finished, while they are in the
    /// cache. Bit for bit it is [`linear`](Self::linear) followed by [`map`](Self::map).
    ///
    /// # Shapes
    /// x `[…, in]`, weight `[out, in]`, bias `[out]` → `[…, out]`.
    ///
    /// # Errors
    /// The shapes must be these, in main memory.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Tensor, ops::pointwise::Relu};
    ///
    /// let weight = Tensor::from([[1.0_f32, 2.0], [3.0, -40.0]]);
    /// let bias = Tensor::from([0.5, 0.0]);
    /// let y = Tensor::from([10.0, 1.0]).linear_map(&weight, Some(&bias), Relu)?;
    /// assert_eq!(y.to_vec()?, [12.5, 0.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn linear_map<F: Pointwise<1>>(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        activation: F,
    ) -> Result<Self> {
        let then = |finished: &mut [T]| in_place(activation, finished);
        self.linear_then("linear_map", weight, bias, Some(&then))
    }

    /// The product of [`linear`](Self::linear), and `then` done to its elements.
    fn linear_then(
        &self,
        op: &'static str,
        weight: &Self,
        bias: Option<&Self>,
        then: Option<Then<'_, T>>,
    ) -> Result<Self> {
        if weight.rank() != 2 {
            return Err(Error::Shape {
                op,
                expected: "a weight of shape [out, in]".into(),
                found: Sizes::from_slice(weight.shape()),
            });
        }
        let [outputs, inputs] = last_two(weight);
        let Some((_, leading)) = self.shape().split_last().filter(|(k, _)| **k == inputs) else {
            return Err(inner_sizes(op, self, weight));
        };
        if let Some(bias) = bias
            && bias.shape() != [outputs]
        {
            return Err(Error::Shape {
                op,
                expected: format!("a bias of shape [{outputs}]"),
                found: Sizes::from_slice(bias.shape()),
            });
        }
        let mut sizes = Sizes::from_slice(leading);
        sizes.push(outputs);
        let weight = weight.transpose(0, 1)?;
        rows_times(op, self, &weight, &sizes, bias, then)
    }
}

/// The sizes of a matrix; the caller answers for there being two axes.
fn last_two<T: Float>(x: &Tensor<T>) -> [usize; 2] {
    last_two_of(x.shape())
}

fn last_two_of<N: Copy>(axes: &[N]) -> [N; 2] {
    [axes[axes.len() - 2], axes[axes.len() - 1]]
}

fn inner_sizes<T: Float>(op: &'static str, left: &Tensor<T>, right: &Tensor<T>) -> Error {
    Error::InnerSizes {
        op,
        left: Sizes::from_slice(left.shape()),
        right: Sizes::from_slice(right.shape()),
    }
}

/// All rows of `a`, whatever its rank, times one matrix: as one tall matrix, or, where its axes
/// form no even walk, as a batch.
fn rows_times<T: Float>(
    op: &'static str,
    a: &Tensor<T>,
    b: &Tensor<T>,
    sizes: &[usize],
    bias: Option<&Tensor<T>>,
    then: Option<Then<'_, T>>,
) -> Result<Tensor<T>> {
    let Some((&k, leading)) = a.shape().split_last().filter(|_| a.rank() != 2) else {
        return product(op, [a, b], &[], sizes, bias, then);
    };
    match a.shape.reshape(&[leading.iter().product(), k]) {
        Some(tall) => product(op, [&a.with_shape(tall), b], &[], sizes, bias, then),
        None => product(op, [a, b], &leading[..leading.len() - 1], sizes, bias, then),
    }
}

/// a · b (+ bias) for every matrix of a batch, as a tensor of shape `sizes`.
fn product<T: Float>(
    op: &'static str,
    [a, b]: [&Tensor<T>; 2],
    batch: &[usize],
    sizes: &[usize],
    bias: Option<&Tensor<T>>,
    then: Option<Then<'_, T>>,
) -> Result<Tensor<T>> {
    for other in std::iter::once(b).chain(bias) {
        a.device().check_same(op, other.device())?;
    }
    let ([m, k], [_, n]) = (last_two(a), last_two(b));
    let copies = [forwards(a)?, forwards(b)?];
    let a = Matrices::of(op, copies[0].as_ref().unwrap_or(a), batch)?;
    let b = Matrices::of(op, copies[1].as_ref().unwrap_or(b), batch)?;
    let bias = bias.map(Tensor::contiguous).transpose()?;
    let epilogue = Epilogue {
        bias: bias.as_ref().and_then(Tensor::as_slice),
        then,
        ..Epilogue::NONE
    };
    let shape = Shape::contiguous(op, sizes)?;
    Ok(Tensor::build(shape, |output| {
        T::multiply([m, k, n], a.batch(), b.batch(), output, epilogue);
    }))
}

/// A copy of a tensor whose rows or columns run backwards, which the kernel does not walk.
fn forwards<T: Float>(tensor: &Tensor<T>) -> Result<Option<Tensor<T>>> {
    if tensor.is_contiguous() {
        return Ok(None);
    }
    let matrix = &tensor.strides()[tensor.rank() - 2..];
    let backwards = matrix.iter().any(|&stride| stride < 0);
    backwards.then(|| tensor.contiguous()).transpose()
}

/// Where the matrices of the batch that the tensor's leading axes broadcast to begin.
fn starts<T: Float>(tensor: &Tensor<T>, batch: &[usize]) -> impl Iterator<Item = usize> {
    let strides = tensor.strides();
    (0..batch.iter().product()).map(move |number: usize| {
        let axes = tensor.shape()[..tensor.rank() - 2]
            .iter()
            .zip(&*strides)
            .rev();
        let mut axes = axes.map(|(&size, &stride)| if size == 1 { 0 } else { stride });
        let (mut rest, mut start) = (number, tensor.shape.offset() as isize);
        for size in batch.iter().rev() {
            start += (rest % size) as isize * axes.next().unwrap_or(0);
            rest /= size;
        }
        start as usize
    })
}

/// The matrices of a tensor, one for each place in the axes before the last two.
struct Matrices<'a, T> {
    elements: &'a [T],
    row_stride: usize,
    column_stride: usize,
    starts: SmallVec<[usize; 1]>,
}

impl<'a, T: Float> Matrices<'a, T> {
    /// The matrices of the batch that the tensor's leading axes broadcast to.
    fn of(op: &'static str, tensor: &'a Tensor<T>, batch: &[usize]) -> Result<Self> {
        let [row_stride, column_stride] = match tensor.is_contiguous() {
            true => [last_two(tensor)[1], 1],
            // Negative only along an axis of one place, where nothing steps.
            false => last_two_of(&tensor.strides()).map(isize::unsigned_abs),
        };
        Ok(Self {
            elements: tensor.view(op)?.elements,
            row_stride,
            column_stride,
            starts: match batch {
                [] => smallvec![tensor.shape.offset()],
                _ => starts(tensor, batch).collect(),
            },
        })
    }

    fn batch(&self) -> Batch<'_, T> {
        Batch {
            elements: self.elements,
            row_stride: self.row_stride,
            column_stride: self.column_stride,
            starts: &self.starts,
        }
    }
}

#[cfg(test)]
mod tests {
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
            "matmul: shapes [2] and [5] do not broadcast: aligned at the last axis, sizes must be \
             equal or 1"
        );
        assert_eq!(
            told(zeros(&[32, 64]).linear(&zeros(&[10, 63]), None)),
            "linear: inner sizes differ: [32, 64] × [10, 63]"
        );
        assert_eq!(
            told(zeros(&[2, 3]).linear(&zeros(&[4, 3]), Some(&zeros(&[3])))),
            "linear: expected a bias of shape [4], found shape [3]"
        );
        assert!(zeros(&[]).linear(&zeros(&[4, 3]), None).is_err());
        assert!(zeros(&[3]).linear(&zeros(&[3]), None).is_err());
    }
}
