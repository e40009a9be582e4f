//! Metric learning: losses of distances between embeddings, for classes that are too many or too
//! rare for a classifier.
//!
//! Embeddings are `[N, D]`, one row a sample.

use macula_autograd::Var;
use macula_tensor::{Error, Float, Norm, Result, Tensor, keep};

use crate::checks::check_shape;

mod contrastive;
mod supervised;
mod triplet;

pub use contrastive::ContrastiveLoss;
pub use supervised::{NtXentLoss, SupervisedContrastiveLoss};
pub use triplet::{TripletLoss, TripletMining};

/// # Errors
/// Embeddings must be `[N, D]`.
fn check_embeddings<T: Float>(op: &'static str, embeddings: &Var<T>) -> Result<usize> {
    match embeddings.shape() {
        [samples, _] => Ok(*samples),
        shape => Err(Error::Shape {
            op,
            expected: "embeddings of shape [N, D]".into(),
            found: shape.into(),
        }),
    }
}

/// # Errors
/// There must be a label for each sample.
fn check_labels(op: &'static str, samples: usize, labels: &Tensor<i64>) -> Result<Vec<i64>> {
    check_shape(op, "labels", &[samples], labels.shape())?;
    labels.to_vec()
}

/// The distance between the rows of two embeddings, `[N]`; where it is 0 there is no direction, and
/// the slope is 0.
fn distances<T: Float>(first: &Var<T>, second: &Var<T>) -> Result<Var<T>> {
    first.sub(second)?.norm(Norm::L2, -1)
}

/// The squared distance between the rows of two embeddings, `[N]`.
fn squared_distances<T: Float>(first: &Var<T>, second: &Var<T>) -> Result<Var<T>> {
    first.sub(second)?.square()?.sum(-1)
}

/// Rows of length 1; a row of zeros stays.
fn normalized<T: Float>(embeddings: &Var<T>) -> Result<Var<T>> {
    let lengths = embeddings.norm(Norm::L2, keep(-1))?;
    let zero = lengths.value().eq(&Tensor::scalar(T::ZERO))?;
    embeddings.div(&lengths.masked_fill(&zero, 1.0)?)
}

/// The rows that `places` names.
fn rows<T: Float>(embeddings: &Var<T>, places: &[i64]) -> Result<Var<T>> {
    let width = embeddings.shape()[1];
    let index = Tensor::from_slice(places, [places.len(), 1])?;
    embeddings.gather(0, &index.expand([places.len(), width])?)
}
