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
//! `p` is the probability of the truth, `q = 1 − p`, `BCE` binary cross-entropy with a target `y`
//! from 0 to 1. Full citations, and where macula departs from them, are with each member.
//!
//! **Functions of the margin**, one pass for loss and gradient:
//!
//! | loss | formula | source | defaults | when | special cases |
//! | --- | --- | --- | --- | --- | --- |
//! | [`SigmoidCrossEntropy`], [`SoftmaxCrossEntropy`] | `−ln p` | | no weights | the yardstick | |
//! | [`SigmoidFocalLoss`], [`SoftmaxFocalLoss`] | `q^γ·(−ln p)` | Lin 2017 | γ 2, no α | many easy samples; [`GammaSchedule`] for long trainings | γ = 0: cross-entropy, to the bit |
//! | [`FocalStarLoss`] | `−ln σ(γs + β)/γ` | Lin 2017 | γ 4, β 0 | focal loss with a plain slope | γ = 1, β = 0: cross-entropy |
//! | [`ReducedFocalLoss`] | `−ln p` where `p < ½`, else `(q/½)^γ·(−ln p)` | Sergievskiy 2019 | γ 2, threshold ½ | noisy boxes, recall | threshold 0: focal |
//! | [`CyclicalFocalLoss`] | `(ξ·(1 + p)^γ₁ + (1 − ξ)·q^γ)·(−ln p)` | Smith 2022 | γ₁ 3, γ 2, ξ 1 | long schedules: easy, then hard, then easy | ξ = 0: focal |
//! | [`SampleDependentFocalLoss`] | `q^γ·(−ln p)`, γ by `p` | Mukhoti 2020 | γ 5 where `p < 0.2`, else 3 | calibration | one γ: focal |
//! | [`SoftmaxPolyLoss`] | `q^γ·(−ln p) + ε·q^(γ+1)` | Leng 2022 | γ 0, ε 1 | one number to tune | ε = 0: focal |
//! | [`SigmoidPolyLoss`] | the same | Leng 2022 | γ 2, ε −1 | detectors | ε = 0: focal |
//!
//! **Functions of a logit and its target**, one pass too:
//!
//! | loss | formula | source | defaults | when | special cases |
//! | --- | --- | --- | --- | --- | --- |
//! | [`AsymmetricLoss`] | `q^γ₊·(−ln p)` for label 1, `P^γ₋·(−ln(1 − P))` for 0, `P = max(σ(x) − m, 0)` | Ridnik 2021 | γ₊ 1, γ₋ 4, m 0.05 | many labels, most absent | equal γ, m = 0: focal |
//! | [`QualityFocalLoss`] | `\|y − σ(x)\|^β·BCE` | Li 2020 | β 2 | soft targets that are to be met | labels: focal |
//! | [`InterpolatedFocalLoss`] | `(1 − p_y)^γ·BCE` | Lin 2017 | γ 2 | what detection libraries compute | labels: focal |
//! | [`VarifocalLoss`] | `y·BCE` where `y > 0`, else `α·σ(x)^γ·(−ln(1 − σ(x)))` | Zhang 2021 | α ¾, γ 2 | detectors that rank boxes | |
//! | [`GaussianFocalLoss`] | `q^α·(−ln p)` where `y = 1`, else `(1 − y)^γ·σ(x)^α·(−ln(1 − σ(x)))` | Law 2018 | α 2, γ 4 | heat maps of key points | labels, any γ: focal |
//!
//! **What the counts of the classes change**, an option of every softmax loss:
//!
//! | option | formula | source | defaults | when | special cases |
//! | --- | --- | --- | --- | --- | --- |
//! | [`class_balanced`](SoftmaxLoss::class_balanced) | weights `∝ (1 − β)/(1 − β^n)` | Cui 2019 | | long tails, moderate | β = 0: plain; β → 1: inverse counts |
//! | [`logit_adjusted`](SoftmaxLoss::logit_adjusted) | loss of `z + τ·ln π` | Menon 2021 | | long tails, balanced error | τ = 0: plain |
//! | [`balanced`](SoftmaxLoss::balanced) | loss of `z + ln n` | Ren 2020 | | the same | is `logit_adjusted` with τ = 1 |
//! | [`label_aware_margins`](SoftmaxLoss::label_aware_margins) (LDAM) | loss of `s·(z − m_c·[c = t])`, `m_c ∝ n^(−¼)` | Cao 2019 | | with weights late in training | m = 0: plain, scaled |
//! | [`vector_scaled`](SoftmaxLoss::vector_scaled) (VS) | loss of `z/Δ + τ·ln π`, `Δ = (max n / n)^γ` | Kini 2021 | | overparameterized nets | γ = 0: `logit_adjusted` |
//!
//! All but the weights are for functions of the margin alone.
//!
//! **Other losses of classes**, composed of ordinary operations:
//!
//! | loss | formula | source | defaults | when | special cases |
//! | --- | --- | --- | --- | --- | --- |
//! | [`DualFocalLoss`] | `(q + p_j)^γ·(−ln p)`, `p_j` the largest below `p` | Tao 2023 | γ 5 | calibration | γ = 0: cross-entropy |
//! | [`AsymmetricSingleLabelLoss`] | `−Σ y_c·w_c·ln p_c`, `w` `q^γ₊` or `p_c^γ₋` | Ridnik 2021 | γ₊ 0, γ₋ 4, smoothing 0.1 | many classes | no smoothing: focal |
//! | [`OneVsRestLoss`] | `Σ_c` of a sigmoid loss | Cui 2019 | | thousands of classes | |
//! | [`SeesawLoss`] | `−ln p` of `z_j + ln(M_tj·K_j)` | Wang 2021 | p 0.8, q 2, eps 0.01 | long-tailed detection | p = q = 0: cross-entropy |
//! | [`EqualizationLoss`] | `BCE`, rare classes only by their own samples | Tan 2020 | λ 0.00176 | long-tailed detection | λ = 0: cross-entropy |
//! | [`GhmLoss`] | `BCE` times the rarity of `\|y − σ(x)\|` | Li 2019 | 10 bins | outliers | 1 bin: cross-entropy |
//! | [`HardExamples`] (OHEM) | the mean of the largest losses | Shrivastava 2016 | | instead of focusing | share 1: the mean |
//! | [`NllLoss`] | `−ln p` of logarithms | | no weights | what has no logits | of `log_softmax`: cross-entropy |
//! | [`ProbabilityCrossEntropy`] | `BCE` of probabilities | | | what has no logits | of `σ(x)`: cross-entropy |
//!
//! **Regions**, for segmentation, from hits, false alarms and misses `TP`, `FP`, `FN`:
//!
//! | loss | formula | source | defaults | when | special cases |
//! | --- | --- | --- | --- | --- | --- |
//! | [`DiceLoss`] | `1 − (2TP + s)/(2TP + FP + FN + s)` | Drozdzal 2016, squared Milletari 2016 | s 1 | small objects | |
//! | [`JaccardLoss`] | `1 − (TP + s)/(TP + FP + FN + s)` | Rahman 2016 | s 1 | small objects | |
//! | [`TverskyLoss`] | `1 − (TP + s)/(TP + α·FP + β·FN + s)` | Salehi 2017 | α 0.3, β 0.7, s 1 | recall of small objects | ½, ½, s/2: Dice; 1, 1: Jaccard |
//! | [`focal`](TverskyLoss::focal) Tversky | that to the power ¾ | Abraham 2019 | the same | hard regions | exponent 1: Tversky |
//! | [`GeneralizedDiceLoss`] | Dice of sums weighted by `1/size²` | Sudre 2017 | s 10⁻⁵ | classes of all sizes | |
//! | [`LovaszLoss`] | the Jaccard index made convex | Berman 2018 | | fine-tuning on it | |
//! | [`UnifiedFocalLoss`] | `λ`·focal `+ (1 − λ)`·focal Tversky | Yeung 2022 | λ ½, δ 0.6, γ ½ | both at once | γ = 1: cross-entropy and Tversky |
//!
//! **Distances**, for more classes than samples of each, at distance `d` or cosine `c`:
//!
//! | loss | formula | source | defaults | when | special cases |
//! | --- | --- | --- | --- | --- | --- |
//! | [`ContrastiveLoss`] | `½d²`, or `½·max(m − d, 0)²` apart | Hadsell 2006 | m 1 | pairs | |
//! | [`TripletLoss`] | `max(d₊ − d₋ + m, 0)` | Schroff 2015, Hermans 2017 | m 0.2, batch-hard | ranking | |
//! | [`SupervisedContrastiveLoss`] | `−ln` softmax of `c/τ`, mean over partners | Khosla 2020 | τ 0.1 | pre-training with labels | one partner each: NT-Xent |
//! | [`NtXentLoss`] | `−ln` softmax of `c/τ` at the other view | Chen 2020 | τ 0.5 | pre-training without labels | |
//!
//! **Numbers and distributions**:
//!
//! | loss | formula | source | defaults | when | special cases |
//! | --- | --- | --- | --- | --- | --- |
//! | [`MseLoss`] | `d²` | | | the mean is wanted | |
//! | [`L1Loss`] | `\|d\|` | | | the median is wanted | |
//! | [`SmoothL1Loss`] | `d²/2β` where `\|d\| < β`, else `\|d\| − β/2` | Girshick 2015 | β 1 | outliers | β = 0: L1 |
//! | [`HuberLoss`] | `d²/2` where `\|d\| ≤ δ`, else `δ(\|d\| − δ/2)` | Huber 1964 | δ 1 | outliers | δ times smooth L1 |
//! | [`KlDivergence`] | `y·(ln y − ln p)` | Kullback 1951 | | distillation | y one-hot: `NllLoss` |
//!
//! A weight for each sample is an argument of `forward_weighted` wherever a sample has a loss of its
//! own; label smoothing is refused where it has no meaning. Losses of your own go through the same
//! doors: [`formula`] for functions of a margin or a logit, [`RowLoss`] and [`RegionFormula`] for
//! what is composed of operations.
//!
//! What every loss divides by is [`Reduction`]; what weights, priors, offsets and biases follow from
//! the data is [`ClassCounts`].
//!
//! # What usual implementations get wrong
//!
//! Measured in f32 on `q^γ·(−ln p)` as it is usually written, with `p` a sigmoid and `q = 1 − p`,
//! differentiated by the chain rule; each is a test in `tests/family/defects.rs`:
//!
//! * **`1 − p` by subtraction.** With γ = ½ the gradient of an easy sample is wrong by a quarter at
//!   a margin of 15, and with γ = 2 its loss by more than half.
//! * **`q^(γ−1)` in the gradient.** For γ < 1 it is `0·∞` where `q` has been rounded to 0: NaN from
//!   a margin of 17 on, in one sample, and then in every parameter.
//! * **A clamp or an epsilon in the logarithm**, `ln(max(p, 10⁻⁷))`: below a margin of −17 a
//!   millionth of the gradient, and with γ = 0 none, on the worst mistakes of a batch.
//! * **α as one number for several classes**, which scales the loss and balances nothing: with
//!   α = ¼ the gradient of every row is a quarter, and what the rare class has for each part of the
//!   common one is the same to the bit. A weight for each class, 3 to 1, makes it three times that.
//! * **Weighted means of two kinds** under one word, over the number of elements and over the sum of
//!   their weights. With weights of 1 and 99, for 1 % positives, the first is 1.98 times the second
//!   on the whole; in a batch of 32 it is 4.06 times the second with one positive, and the same
//!   without. See [`Reduction`].
//! * **Ignored elements in the divisor**, and NaN from them. Where nine tenths of the pixels are
//!   ignored the loss is a tenth, and one that holds NaN or −∞ makes loss and gradient NaN, because
//!   `0·NaN` and `0·∞` are.
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
