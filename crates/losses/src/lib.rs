//! Focal loss and the imbalanced-learning family.
#![forbid(unsafe_code)]

mod class_counts;
mod cross_entropy;
mod focal;
pub mod formula;
mod reduction;
mod sigmoid;
mod softmax;
mod targets;

pub use class_counts::ClassCounts;
pub use cross_entropy::{LogLoss, SigmoidCrossEntropy, SoftmaxCrossEntropy};
pub use focal::{Focal, SigmoidFocalLoss, SoftmaxFocalLoss};
pub use reduction::Reduction;
