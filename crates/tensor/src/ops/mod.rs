//! Operations on tensors: arguments are checked here, the loops stand in [`cpu`](crate::cpu).
//!
//! # NaN
//!
//! | operation | where there is a NaN |
//! | --- | --- |
//! | arithmetic, functions | NaN; but x⁰ and 1ˣ are 1 |
//! | comparisons | false, and `ne` true |
//! | `maximum`, `minimum`, `clamp`, `relu` | NaN |
//! | `is_close` | false, unless NaN is said to be close to NaN |
//! | `sum`, `mean`, `var`, `std`, `prod`, norms, `logsumexp`, `amax`, `amin` | NaN |
//! | `softmax`, `log_softmax` | NaN in the whole line |
//! | convolutions, poolings | NaN in every result that it belongs to; the largest of a window is its first NaN |
//! | `argmax`, `argmin` | the place of the first NaN |
//! | `cumsum`, `cumprod`, `cummax`, `cummin`, `recurrence` | NaN from there on |
//! | `median` | NaN |
//! | `sort`, `topk`, `kthvalue`, `searchsorted` | behind all numbers, in either order |
//! | `unique` | all NaN are one value, the last |
//! | `any`, `all`, `count_nonzero`, `nonzero`, `cast` to a boolean | NaN is not 0, so it counts as true |
//! | `cast` to an integer | 0 |
//!
//! Sums and variances of infinities are those of IEEE 754: ∞ − ∞ is NaN.
//!
//! # Where PyTorch does otherwise
//!
//! | operation | here | there |
//! | --- | --- | --- |
//! | `sort` and `topk`, descending | NaN comes last | NaN comes first |
//! | poolings of the largest | the first NaN of a window | the last |
//! | poolings in `ceil_mode` | a kernel larger than the padded input is an error | one window, if it is less than a stride larger |
//! | an axis of a tensor of rank 0 | an error: there is none | 0 and −1 are allowed |

pub mod apply;
pub mod arg;
pub mod axes;
pub mod cast;
pub mod close;
pub mod compare;
pub mod convolution;
mod division;
mod in_place;
pub mod index;
pub mod integer;
pub mod join;
mod labels;
pub mod make;
pub mod mask;
pub mod matmul;
pub mod norm;
mod operators;
pub mod pointwise;
pub mod pooling;
pub mod reduce;
pub mod scan;
pub mod softmax;
pub mod sort;
pub mod spatial;
pub mod statistics;
mod upsample;
mod vector;
mod zip_sum;

use crate::element::Element;
use crate::error::Result;
use crate::tensor::Tensor;

/// The elements of a tensor that has been made contiguous.
pub(crate) fn dense<'a, T: Element>(op: &'static str, tensor: &'a Tensor<T>) -> Result<&'a [T]> {
    let view = tensor.view(op)?;
    Ok(&view.elements[view.shape.range()])
}
