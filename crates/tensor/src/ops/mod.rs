//! Operations on tensors: arguments are checked here, the loops stand in [`cpu`](crate::cpu).

pub mod arg;
pub mod axes;
pub mod cast;
pub mod compare;
pub mod convolution;
pub mod index;
pub mod integer;
pub mod join;
pub mod make;
pub mod mask;
pub mod matmul;
pub mod norm;
pub mod per_axis;
pub mod pointwise;
pub mod pooling;
pub mod reduce;
pub mod scan;
pub mod softmax;
pub mod sort;
pub mod statistics;

use crate::element::Element;
use crate::error::Result;
use crate::tensor::Tensor;

/// The elements of a tensor that has been made contiguous.
pub(crate) fn dense<'a, T: Element>(op: &'static str, tensor: &'a Tensor<T>) -> Result<&'a [T]> {
    let view = tensor.view(op)?;
    Ok(&view.elements[view.shape.range()])
}
