//! What a training program imports: `use macula::prelude::*;`.

pub use macula_autograd::{Gradients, Keep, Param, Saved, Tape, Var, check_gradients};
pub use macula_losses::{
    ClassCounts, Reduction, SigmoidCrossEntropy, SigmoidFocalLoss, SoftmaxCrossEntropy,
    SoftmaxFocalLoss,
};
pub use macula_nn::activation::*;
pub use macula_nn::data::{self, DataLoader, Dataset, Standardizer, TensorDataset};
pub use macula_nn::metrics::{BinaryReport, Mean, MeanAndDeviation, MulticlassReport, Threshold};
pub use macula_nn::optim::{Adam, AdamW, Optimizer, Sgd};
pub use macula_nn::{Linear, Module, Parameters, Sequential};
pub use macula_tensor::{Axes, Device, Error, Float, Pointwise, Result, Rng, Scalar, Tensor, keep};
