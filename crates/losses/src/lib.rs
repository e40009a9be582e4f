//! Focal loss and the imbalanced-learning family.
#![forbid(unsafe_code)]

mod class_counts;
pub mod formula;
mod reduction;
mod sigmoid;
mod softmax;
mod targets;

mod sigmoid_loss;
mod softmax_loss;

mod cross_entropy;
mod focal;

pub use class_counts::ClassCounts;
pub use cross_entropy::{LogLoss, SigmoidCrossEntropy, SoftmaxCrossEntropy};
pub use focal::{Focal, SigmoidFocalLoss, SoftmaxFocalLoss};
pub use reduction::Reduction;
pub use sigmoid_loss::SigmoidLoss;
pub use softmax_loss::SoftmaxLoss;
