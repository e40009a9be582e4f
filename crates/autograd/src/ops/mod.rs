//! The operations of a variable, one file to a family. No file imports a sibling.
//!
//! A method has the name and the meaning of the tensor's. Where a tensor operation gives integers
//! or truth values (`argmax`, `sort`'s places, comparisons), nothing can flow back through them:
//! they stay plain tensors, and those without a float result are called on [`Var::value`].
//!
//! [`Var::value`]: crate::Var::value

mod arithmetic;
mod conv;
mod einsum;
mod index;
mod join;
mod mask;
mod matmul;
mod norm;
mod pointwise;
mod pool;
mod reduce;
mod scan;
mod softmax;
mod sort;
mod statistics;
mod vector;
mod view;
mod window;
