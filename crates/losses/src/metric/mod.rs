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
    let differences = first.sub(second)?;
    let sizes = sizes(&differences)?;
    let lengths = differences.div(&sizes)?.norm(Norm::L2, keep(-1))?;
    lengths.mul(&sizes)?.squeeze(-1)
}

/// The squared distance between the rows of two embeddings, `[N]`.
fn squared_distances<T: Float>(first: &Var<T>, second: &Var<T>) -> Result<Var<T>> {
    first.sub(second)?.square()?.sum(-1)
}

/// Rows of length 1; a row of zeros stays.
fn normalized<T: Float>(embeddings: &Var<T>) -> Result<Var<T>> {
    let scaled = embeddings.div(&sizes(embeddings)?)?;
    let lengths = scaled.norm(Norm::L2, keep(-1))?;
    let zero = lengths.value().eq(&Tensor::scalar(T::ZERO))?;
    scaled.div(&lengths.masked_fill(&zero, 1.0)?)
}

/// The largest absolute number of each row, `[N, 1]`, and 1 where it is 0 or not finite.
///
/// In a row divided by it no square is too large or too small to be a number. It is a constant, as
/// no length depends on the unit that it is measured in.
fn sizes<T: Float>(rows: &Var<T>) -> Result<Var<T>> {
    let mut sizes = Tensor::zeros([rows.shape()[0], 1])?;
    if !rows.value().is_empty() {
        sizes = rows.value().abs()?.amax(keep(-1))?;
    }
    let zero = sizes.eq(&Tensor::scalar(T::ZERO))?;
    let unfit = zero.or(&sizes.is_finite()?.not()?)?;
    Ok(rows.tape().constant(sizes.masked_fill(&unfit, T::ONE)?))
}

/// The rows that `places` names.
fn rows<T: Float>(embeddings: &Var<T>, places: &[i64]) -> Result<Var<T>> {
    let width = embeddings.shape()[1];
    let index = Tensor::from_slice(places, [places.len(), 1])?;
    embeddings.gather(0, &index.expand([places.len(), width])?)
}
