//! Matrix products: ranks and strides are sorted out here, the arithmetic is in
//! [`cpu::gemm`](crate::cpu).

#[cfg(test)]
mod tests;

use smallvec::{SmallVec, smallvec};

use crate::cpu::gemm::{Batch, Epilogue, Then};
use crate::cpu::in_place::map_here;
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
    #[doc(alias = "mm")]
    #[doc(alias = "bmm")]
    #[doc(alias = "mv")]
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
            return Err(Error::InnerSizes {
                op,
                left: Sizes::from_slice(self.shape()),
                right: Sizes::from_slice(other.shape()),
            });
        }
        if a.rank() == 2 && b.rank() == 2 {
            // The result without the axes that a vector lacks has the same elements.
            let mut sizes = Sizes::new();
            sizes.extend((self.rank() > 1).then_some(m));
            sizes.extend((other.rank() > 1).then_some(n));
            return product(op, [a, b], &[], &sizes, None, None);
        }
        let (a_batch, b_batch) = (&a.shape()[..a.rank() - 2], &b.shape()[..b.rank() - 2]);
        let batch = broadcast(op, a_batch, b_batch).map_err(|_| Error::Shape {
            op,
            expected: format!(
                "matrices in batches that broadcast with those of shape {:?}",
                self.shape()
            ),
            found: Sizes::from_slice(other.shape()),
        })?;
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
    #[doc(alias = "addmm")]
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
        let then = |finished: &mut [T]| map_here(activation, finished);
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
            return Err(Error::Shape {
                op,
                expected: format!(
                    "an input of {inputs} elements along its last axis, for the weight {:?}",
                    weight.shape()
                ),
                found: Sizes::from_slice(self.shape()),
            });
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
    let copies = [forwards(op, a)?, forwards(op, b)?];
    let a = Matrices::of(op, copies[0].as_ref().unwrap_or(a), batch)?;
    let b = Matrices::of(op, copies[1].as_ref().unwrap_or(b), batch)?;
    let bias = bias.map(Tensor::contiguous).transpose()?;
    let epilogue = Epilogue {
        bias: bias.as_ref().and_then(Tensor::as_slice),
        then,
        ..Epilogue::NONE
    };
    let shape = Shape::contiguous(op, sizes)?;
    Tensor::build(op, shape, |output| {
        T::multiply([m, k, n], a.batch(), b.batch(), output, epilogue);
    })
}

/// A copy of a tensor whose rows or columns run backwards, which the kernel does not walk.
fn forwards<T: Float>(op: &'static str, tensor: &Tensor<T>) -> Result<Option<Tensor<T>>> {
    if tensor.is_contiguous() {
        return Ok(None);
    }
    let matrix = &tensor.strides()[tensor.rank() - 2..];
    let backwards = matrix.iter().any(|&stride| stride < 0);
    backwards.then(|| tensor.in_order(op)).transpose()
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
