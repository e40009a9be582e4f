//! Focal loss and the imbalanced-learning family: which loss, when.
//!
//! A classifier of rare things fails in a known way: thousands of easy negatives, each of which
//! costs next to nothing, together outweigh the few positives. Every loss here is an answer to
//! that. They are two drivers, [`SigmoidLoss`] for logits that are each a yes or no and
//! [`SoftmaxLoss`] for one label of several, and a formula: most members are functions of one
//! number, the margin `s`, for which `σ(s)` is the probability `p` of the truth ([`formula`]).
//!
//! # Where to begin
//!
//! 1. Train with cross-entropy and look at a [`FocusReport`]: which class and which samples have the
//!    loss? Start the last layer at the prior, [`ClassCounts::prior_bias`].
//! 2. Easy negatives have it: [`SigmoidFocalLoss`] or [`SoftmaxFocalLoss`], γ = 2. Rare classes are
//!    few but not drowned: [`logit_adjusted`](SoftmaxLoss::logit_adjusted), which also says what
//!    to predict, or [`class_balanced`](SoftmaxLoss::class_balanced) weights.
//! 3. Choose a threshold on validation data. No loss does that for you.
//!
//! # The family
//!
//! `q = 1 − p`; sources are with each member.
//!
//! | loss | formula | defaults | when | special cases |
//! | --- | --- | --- | --- | --- |
//! | [`SigmoidCrossEntropy`], [`SoftmaxCrossEntropy`] | `−ln p` | | the yardstick | |
//! | [`SigmoidFocalLoss`], [`SoftmaxFocalLoss`] | `q^γ·(−ln p)` | γ 2 | many easy samples | γ = 0: cross-entropy, to the bit |
//! | [`GammaSchedule`] | γ by epoch | | long trainings | |
//! | [`FocalStarLoss`] | `−ln σ(γs + β)/γ` | γ 4, β 0 | focal loss with a plain slope | γ = 1, β = 0: cross-entropy |
//! | [`ReducedFocalLoss`] | focal loss above a threshold | γ 2, ½ | noisy boxes, recall | threshold 0: focal |
//! | [`CyclicalFocalLoss`] | easy first, then hard, then easy | γ 2, 3 | long schedules | ξ = 0: focal |
//! | [`SampleDependentFocalLoss`] | γ by `p` | 5 below 0.2, else 3 | calibration | one γ: focal |
//! | [`DualFocalLoss`] | `(q + p_j)^γ·(−ln p)` | γ 5 | calibration | γ = 0: cross-entropy |
//! | [`SigmoidPolyLoss`], [`SoftmaxPolyLoss`] | focal `+ ε·q^(γ+1)` | ε −1; ε 1 | one number to tune | ε = 0: focal |
//! | [`AsymmetricLoss`] | one γ a class, clip | γ 1, 4, 0.05 | many labels, most absent | equal γ, no clip: focal |
//! | [`AsymmetricSingleLabelLoss`] | the same for one label | γ 0, 4 | many classes | no smoothing: focal |
//! | [`QualityFocalLoss`] | `|y − p|^β·BCE` | β 2 | soft targets that are to be met | labels: focal |
//! | [`InterpolatedFocalLoss`] | `(1 − p_y)^γ·BCE` | γ 2 | what detection libraries compute | labels: focal |
//! | [`VarifocalLoss`] | negatives focal, positives by quality | α ¾, γ 2 | detectors that rank boxes | |
//! | [`GaussianFocalLoss`] | focal around peaks | α 2, γ 4 | heat maps of key points | |
//! | [`class_balanced`](SoftmaxLoss::class_balanced) | `(1 − β)/(1 − β^n)` times any | | long tails, moderate | β = 0: plain; β → 1: inverse counts |
//! | [`logit_adjusted`](SoftmaxLoss::logit_adjusted) | any of `z + τ·ln π` | | long tails, balanced error | τ = 0: plain |
//! | [`balanced`](SoftmaxLoss::balanced) | any of `z + ln n` | | the same | is `logit_adjusted` with τ = 1 |
//! | [`label_aware_margins`](SoftmaxLoss::label_aware_margins) (LDAM) | any of `s·(z − m·[c = t])` | | with weights late in training | m = 0: plain, scaled |
//! | [`vector_scaled`](SoftmaxLoss::vector_scaled) (VS) | any of `z/Δ + τ·ln π` | | overparameterized nets | γ = 0: `logit_adjusted` |
//! | [`OneVsRestLoss`] | sum over sigmoids | | thousands of classes | |
//! | [`SeesawLoss`] | rare classes are pressed less | p 0.8, q 2 | long-tailed detection | p = q = 0: cross-entropy |
//! | [`EqualizationLoss`] | the same, all or nothing | λ 0.00176 | long-tailed detection | λ = 0: cross-entropy |
//! | [`GhmLoss`] | weights by rarity of the gradient | 10 bins | outliers | 1 bin: cross-entropy |
//! | [`HardExamples`] (OHEM) | the mean of the worst | | instead of focusing | share 1: the mean |
//! | [`DiceLoss`], [`JaccardLoss`], [`TverskyLoss`], [`GeneralizedDiceLoss`] | overlap | s 1 | small objects | Tversky: ½, ½ Dice; 1, 1 Jaccard |
//! | [`LovaszLoss`] | the Jaccard index itself | | fine-tuning on it | |
//! | [`UnifiedFocalLoss`] | focal and focal Tversky | λ ½, δ 0.6, γ ½ | both at once | γ = 1: cross-entropy and Tversky |
//! | [`ContrastiveLoss`], [`TripletLoss`], [`SupervisedContrastiveLoss`], [`NtXentLoss`] | distances | | more classes than samples of each | one partner each: SupCon is NT-Xent |
//! | [`MseLoss`], [`L1Loss`], [`SmoothL1Loss`], [`HuberLoss`] | differences | | numbers | β = 0: L1; δ·smooth L1 = Huber |
//! | [`KlDivergence`], [`NllLoss`], [`ProbabilityCrossEntropy`] | distributions | | what has no logits | |
//!
//! What every loss divides by is [`Reduction`]; what weights, priors, offsets and biases follow from
//! the data is [`ClassCounts`].
//!
//! # What usual implementations get wrong
//!
//! Measured in f32 on `q^γ·(−ln p)` as it is usually written, with `p` a sigmoid and `q = 1 − p`,
//! differentiated by the chain rule; the first three are tests in `tests/family/defects.rs`:
//!
//! * **`1 − p` by subtraction.** With γ = ½ the gradient of an easy sample is wrong by a quarter at
//!   a margin of 15, and with γ = 2 its loss by more than half.
//! * **`q^(γ−1)` in the gradient.** For γ < 1 it is `0·∞` where `q` has been rounded to 0: NaN from
//!   a margin of 17 on, in one sample, and then in every parameter.
//! * **A clamp or an epsilon in the logarithm**, `ln(max(p, 10⁻⁷))`: no gradient at all below a
//!   margin of −17, on the worst mistakes of a batch.
//! * **α as one number for several classes**, which scales the loss and balances nothing.
//! * **Weighted means of two kinds** under one word. See [`Reduction`].
//! * **Ignored elements in the divisor**, and NaN from them: `0·NaN` is NaN.
//!
//! Here `p`, `1 − p` and both logarithms come from one exponential without a subtraction, and the
//! gradients are closed forms in which no power is lower than γ.
#![forbid(unsafe_code)]

mod checks;
mod class_counts;
pub mod formula;
mod pieces;
mod powers;
mod reduction;
mod sample_weights;

mod sigmoid;
mod softmax;

mod row_loss;
mod sigmoid_loss;
mod softmax_loss;

mod cross_entropy;
mod focal;
mod gamma_schedule;

mod asymmetric;
mod class_balanced;
mod dual_focal;
mod equalization;
mod ghm;
mod logit_adjustment;
mod poly;
mod probability;
mod quality;
mod relatives;
mod seesaw;

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
pub use equalization::EqualizationLoss;
pub use focal::{Focal, SigmoidFocalLoss, SoftmaxFocalLoss};
pub use focus::{Focus, FocusReport};
pub use gamma_schedule::GammaSchedule;
pub use ghm::GhmLoss;
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
    Areas, Dice, DiceLoss, GeneralizedDice, GeneralizedDiceLoss, Jaccard, JaccardLoss, LovaszLoss,
    RegionFormula, RegionLoss, Tversky, TverskyLoss, UnifiedFocalLoss,
};
pub use regression::{
    Absolute, DifferenceLoss, Huber, HuberLoss, L1Loss, MseLoss, RegressionLoss, SmoothL1,
    SmoothL1Loss, Squared,
};
pub use relatives::{
    CyclicalFocal, CyclicalFocalLoss, FocalStar, FocalStarLoss, ReducedFocal, ReducedFocalLoss,
    SampleDependentFocal, SampleDependentFocalLoss,
};
pub use row_loss::{RowBatch, RowLoss};
pub use seesaw::{Seesaw, SeesawLoss};
pub use sigmoid_loss::SigmoidLoss;
pub use softmax_loss::SoftmaxLoss;
