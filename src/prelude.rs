//! What a training program imports: `use macula::prelude::*;`.

pub use macula_autograd::{Gradients, Keep, Param, Saved, Tape, Var, check_gradients};
pub use macula_losses::{
    AsymmetricLoss, AsymmetricSingleLabelLoss, ClassCounts, ContrastiveLoss, CyclicalFocalLoss,
    DiceLoss, DualFocalLoss, EqualizationLoss, FocalStarLoss, FocusReport, GammaSchedule,
    GaussianFocalLoss, GeneralizedDiceLoss, GhmLoss, HardExamples, HuberLoss,
    InterpolatedFocalLoss, JaccardLoss, KlDivergence, L1Loss, LovaszLoss, MseLoss, NllLoss,
    NtXentLoss, OneVsRestLoss, ProbabilityCrossEntropy, QualityFocalLoss, ReducedFocalLoss,
    Reduction, SampleDependentFocalLoss, SeesawLoss, SigmoidCrossEntropy, SigmoidFocalLoss,
    SigmoidPolyLoss, SmoothL1Loss, SoftmaxCrossEntropy, SoftmaxFocalLoss, SoftmaxPolyLoss,
    SupervisedContrastiveLoss, TripletLoss, TverskyLoss, UnifiedFocalLoss, VarifocalLoss,
};
pub use macula_nn::activation::*;
pub use macula_nn::data::{self, DataLoader, Dataset, Standardizer, TensorDataset};
pub use macula_nn::metrics::{BinaryReport, Mean, MeanAndDeviation, MulticlassReport, Threshold};
pub use macula_nn::optim::{Adam, AdamW, Optimizer, Sgd};
pub use macula_nn::{Linear, Module, Parameters, Sequential};
pub use macula_tensor::{Axes, Device, Error, Float, Pointwise, Result, Rng, Scalar, Tensor, keep};
