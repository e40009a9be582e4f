//! Focal loss and the imbalanced-learning family.
#![forbid(unsafe_code)]

mod class_counts;
pub mod formula;
mod powers;
mod reduction;
mod targets;

mod sigmoid;
mod softmax;

mod sigmoid_loss;
mod softmax_loss;

mod cross_entropy;
mod focal;

mod asymmetric;
mod class_balanced;
mod dual_focal;
mod logit_adjustment;
mod poly;
mod probability;
mod quality;
mod relatives;
mod reweighted;

mod kl_divergence;
mod regression;

mod region;

mod metric;

mod focus;
mod mining;

pub use asymmetric::{
    Asymmetric, AsymmetricLoss, AsymmetricSingleLabel, AsymmetricSingleLabelLoss,
};
pub use class_balanced::{OneVsRest, OneVsRestLoss};
pub use class_counts::ClassCounts;
pub use cross_entropy::{LogLoss, SigmoidCrossEntropy, SoftmaxCrossEntropy};
pub use dual_focal::{DualFocal, DualFocalLoss};
pub use focal::{Focal, SigmoidFocalLoss, SoftmaxFocalLoss};
pub use focus::{Focus, FocusReport};
pub use kl_divergence::KlDivergence;
pub use metric::{
    ContrastiveLoss, NtXentLoss, SupervisedContrastiveLoss, TripletLoss, TripletMining,
};
pub use mining::HardExamples;
pub use poly::{Poly1, SigmoidPoly1, SigmoidPolyLoss, SoftmaxPolyLoss};
pub use probability::{NegativeLogLikelihood, NllLoss, ProbabilityCrossEntropy};
pub use quality::{
    GaussianFocal, GaussianFocalLoss, InterpolatedFocal, InterpolatedFocalLoss, QualityFocal,
    QualityFocalLoss, Varifocal, VarifocalLoss,
};
pub use reduction::Reduction;
pub use region::{
    Areas, Dice, DiceLoss, FocalTverskyLoss, GeneralizedDice, GeneralizedDiceLoss, JaccardLoss,
    LovaszLoss, RegionFormula, RegionLoss, Tversky, TverskyLoss, UnifiedFocalLoss,
};
pub use regression::{
    Absolute, DifferenceLoss, Huber, HuberLoss, L1Loss, MseLoss, RegressionLoss, SmoothL1,
    SmoothL1Loss, Squared,
};
pub use relatives::{
    CyclicalFocal, CyclicalFocalLoss, FocalStar, FocalStarLoss, ReducedFocal, ReducedFocalLoss,
    SampleDependentFocal, SampleDependentFocalLoss,
};
pub use reweighted::{EqualizationLoss, GhmLoss, Seesaw, SeesawLoss};
pub use sigmoid_loss::SigmoidLoss;
pub use softmax_loss::SoftmaxLoss;
