//! The operations of a variable, one file to a family. No file imports a sibling.

mod arithmetic;
mod index;
mod matmul;
mod pointwise;
mod reduce;
mod softmax;
mod view;
