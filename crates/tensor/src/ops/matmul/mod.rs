//! Matrix products: ranks and strides are sorted out here, the arithmetic is in
//! [`cpu::gemm`](crate::cpu).

#[cfg(test)]
mod tests;

use crate::cpu::gemm::{Batch, Epilogue, Then};
use crate::cpu::in_place::map_here;
use crate::element::Float;
use crate::error::{Error, Result};
use crate::pointwise::Pointwise;
use crate::shape::{Shape, Sizes, broadcast, countable};
use crate::storage::room_for;
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
        let (row, column);
        let a = match self.rank() {
            1 => {
                row = self.unsqueeze(0)?;
                &row
            }
            _ => self,
        };
        let b = match other.rank() {
            1 => {
                column = other.unsqueeze(1)?;
                &column
            }
            _ => other,
        };
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
            let (first, end) = ((self.rank() == 1).into(), 1 + usize::from(other.rank() > 1));
            return product(op, [a, b], &[], &[m, n][first..end], None, None);
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
    countable(op, sizes)?;
    if sizes.contains(&0) {
        // There may be more matrices than memory has room to list, and none of them has elements.
        a.view(op)?;
        return Tensor::build(op, Shape::grid(sizes), |_| ());
    }
    if runs_backwards(a) || runs_backwards(b) {
        let (a, b) = (forwards(op, a)?, forwards(op, b)?);
        return product(op, [&a, &b], batch, sizes, bias, then);
    }
    let ([m, k], [_, n]) = (last_two(a), last_two(b));
    let (single, many);
    let [a_starts, b_starts]: [&[usize]; 2] = match batch {
        [] => {
            single = [a.shape.offset(), b.shape.offset()];
            [&single[..1], &single[1..]]
        }
        _ => {
            let no_room = || Error::no_room(op, sizes);
            many = [
                starts(a, batch).ok_or_else(no_room)?,
                starts(b, batch).ok_or_else(no_room)?,
            ];
            [&many[0], &many[1]]
        }
    };
    let (a, b) = (matrices(op, a, a_starts)?, matrices(op, b, b_starts)?);
    let in_order;
    let bias = match bias {
        Some(bias) => {
            in_order = bias.in_order(op)?;
            in_order.as_slice()
        }
        None => None,
    };
    let epilogue = Epilogue {
        bias,
        then,
        ..Epilogue::NONE
    };
    Tensor::build(op, Shape::grid(sizes), |output| {
        T::multiply([m, k, n], a, b, output, epilogue);
    })
}

/// Whether rows or columns run backwards, which the kernel does not walk.
#[inline]
fn runs_backwards<T: Float>(tensor: &Tensor<T>) -> bool {
    let backwards = || {
        last_two_of(&tensor.strides())
            .iter()
            .any(|&stride| stride < 0)
    };
    !tensor.is_contiguous() && backwards()
}

/// The tensor, copied if it runs backwards.
fn forwards<T: Float>(op: &'static str, tensor: &Tensor<T>) -> Result<Tensor<T>> {
    match runs_backwards(tensor) {
        true => tensor.in_order(op),
        false => Ok(tensor.clone()),
    }
}

/// Where the matrices of the batch that the tensor's leading axes broadcast to begin; none where
/// memory has no room for so many places.
fn starts<T: Float>(tensor: &Tensor<T>, batch: &[usize]) -> Option<Vec<usize>> {
    let strides = tensor.strides();
    let start = |number: usize| {
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
    };
    let count = batch.iter().product();
    let mut starts = room_for(count)?;
    starts.extend((0..count).map(start));
    Some(starts)
}

/// The matrices of a tensor, one for each place in the axes before the last two.
#[inline(always)]
fn matrices<'a, T: Float>(
    op: &'static str,
    tensor: &'a Tensor<T>,
    starts: &'a [usize],
) -> Result<Batch<'a, T>> {
    let [row_stride, column_stride] = match tensor.is_contiguous() {
        true => [last_two(tensor)[1], 1],
        // Negative only along an axis of one place, where nothing steps.
        false => last_two_of(&tensor.strides()).map(isize::unsigned_abs),
    };
    Ok(Batch {
        elements: tensor.view(op)?.elements,
        row_stride,
        column_stride,
        starts,
    })
}
