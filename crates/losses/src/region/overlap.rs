//! Dice, Jaccard, Tversky, generalized Dice.

use macula_autograd::Var;
use macula_tensor::{Float, Result, Tensor};

use super::{Areas, RegionFormula, RegionLoss};
use crate::checks::{check_exponent, check_positive};

/// `(1 − TI)^exponent`, see [`TverskyLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tversky {
    /// What a false alarm counts, α ≥ 0.
    pub alpha: f64,
    /// What a miss counts, β ≥ 0.
    pub beta: f64,
    /// What is added to both sides of the quotient, ≥ 0.
    pub smooth: f64,
    /// The exponent of the loss, > 0.
    pub exponent: f64,
}

impl RegionFormula for Tversky {
    const NAME: &'static str = "tversky_loss";

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "alpha", self.alpha)?;
        check_exponent(Self::NAME, "beta", self.beta)?;
        check_exponent(Self::NAME, "smooth", self.smooth)?;
        check_positive(Self::NAME, "exponent", self.exponent)
    }

    fn losses<T: Float>(&self, areas: &Areas<T>) -> Result<Var<T>> {
        let false_alarm = areas.false_alarm()?.mul_scalar(self.alpha)?;
        let wrong = false_alarm.add(&areas.missed()?.mul_scalar(self.beta)?)?;
        let all = areas.hit()?.add(&wrong)?.add_scalar(self.smooth)?;
        let loss = share_of(&wrong, &all)?;
        if self.exponent == 1.0 {
            return Ok(loss);
        }
        let perfect = is_zero(&loss)?;
        let loss = loss.masked_fill(&perfect, 1.0)?.powf(self.exponent)?;
        loss.masked_fill(&perfect, 0.0)
    }
}

/// What is wrong over all there is; 0 where there is nothing.
fn share_of<T: Float>(wrong: &Var<T>, all: &Var<T>) -> Result<Var<T>> {
    wrong.div(&all.masked_fill(&is_zero(all)?, 1.0)?)
}

fn is_zero<T: Float>(x: &Var<T>) -> Result<Tensor<bool>> {
    x.value().eq(&Tensor::scalar(T::ZERO))
}

/// Tversky loss: `1 − (TP + s)/(TP + α·FP + β·FN + s)`.
///
/// α = β = ½ is Dice (with half the `s`), α = β = 1 is Jaccard; β above α asks for recall, for
/// small or rare objects. Defaults α = 0.3, β = 0.7, s = 1.
///
/// # Source
/// Salehi, Erdogmus, Gholipour, "Tversky loss function for image segmentation using 3D fully
/// convolutional deep networks", 2017, eq. 3 (where α and β stand for the same things).
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::TverskyLoss;
/// use macula_tensor::Tensor;
///
/// let logits = Tape::new().var(Tensor::from([[[0.0_f64, 0.0]]]));
/// let labels = Tensor::from([[[1_i64, 0]]]);
/// // TP = FP = FN = ½: α/2 + β/2 over 1 + s.
/// let loss = TverskyLoss::new().smooth(0.0).forward_sigmoid(&logits, &labels)?;
/// assert!((loss.item()? - 0.5).abs() < 1e-12);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
pub type TverskyLoss = RegionLoss<Tversky>;

impl TverskyLoss {
    /// α = 0.3, β = 0.7, s = 1, the mean over the regions.
    pub const fn new() -> Self {
        Self::of(Tversky {
            alpha: 0.3,
            beta: 0.7,
            smooth: 1.0,
            exponent: 1.0,
        })
    }

    /// Focal Tversky loss: the loss to a power, by default ¾, the paper's γ = 4/3.
    ///
    /// An exponent below 1 keeps the slope up where regions nearly match; above 1 it favours those
    /// that do not. At a perfect match a power below 1 has no finite slope, and the gradient is 0.
    ///
    /// # Source
    /// Abraham, Khan, "A novel focal Tversky loss function with improved attention U-Net for lesion
    /// segmentation", 2019 (exponent 1/γ). Their α is the weight of misses, β here.
    pub const fn focal() -> Self {
        Self::new().exponent(0.75)
    }

    /// What a false alarm counts, α ≥ 0.
    pub const fn alpha(mut self, alpha: f64) -> Self {
        self.formula.alpha = alpha;
        self
    }

    /// What a miss counts, β ≥ 0.
    pub const fn beta(mut self, beta: f64) -> Self {
        self.formula.beta = beta;
        self
    }

    /// What is added to both sides of the quotient, in pixels, s ≥ 0. A region that is empty and
    /// predicted so has loss 0.
    pub const fn smooth(mut self, smooth: f64) -> Self {
        self.formula.smooth = smooth;
        self
    }

    /// The exponent of the loss, > 0.
    pub const fn exponent(mut self, exponent: f64) -> Self {
        self.formula.exponent = exponent;
        self
    }
}

impl Default for TverskyLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// `1 − (I + s)/(U + s)`, see [`JaccardLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jaccard {
    /// What is added to both sides of the quotient, ≥ 0.
    pub smooth: f64,
}

impl RegionFormula for Jaccard {
    const NAME: &'static str = "jaccard_loss";

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "smooth", self.smooth)
    }

    fn losses<T: Float>(&self, areas: &Areas<T>) -> Result<Var<T>> {
        let tversky = Tversky {
            alpha: 1.0,
            beta: 1.0,
            smooth: self.smooth,
            exponent: 1.0,
        };
        tversky.losses(areas)
    }
}

/// Jaccard loss, one minus the intersection over the union: `1 − (I + s)/(U + s)`; Tversky loss
/// with α = β = 1. Default s = 1.
///
/// # Source
/// Rahman, Wang, "Optimizing intersection-over-union in deep neural networks for image
/// segmentation", 2016.
pub type JaccardLoss = RegionLoss<Jaccard>;

impl JaccardLoss {
    /// s = 1, the mean over the regions.
    pub const fn new() -> Self {
        Self::of(Jaccard { smooth: 1.0 })
    }

    /// What is added to both sides of the quotient, in pixels, s ≥ 0. A region that is empty and
    /// predicted so has loss 0.
    pub const fn smooth(mut self, smooth: f64) -> Self {
        self.formula.smooth = smooth;
        self
    }
}

impl Default for JaccardLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// `1 − (2·Σ p·y + s)/(Σ p^k + Σ y + s)`, see [`DiceLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dice {
    /// What is added to both sides of the quotient, ≥ 0.
    pub smooth: f64,
    /// Whether the probabilities in the denominator are squared.
    pub squared: bool,
}

impl RegionFormula for Dice {
    const NAME: &'static str = "dice_loss";

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "smooth", self.smooth)
    }

    fn losses<T: Float>(&self, areas: &Areas<T>) -> Result<Var<T>> {
        let (wrong, all) = if self.squared {
            let [squares, errors] = areas.squares()?;
            (errors, squares.add(&areas.size()?)?)
        } else {
            let wrong = areas.false_alarm()?.add(&areas.missed()?)?;
            let all = areas.hit()?.mul_scalar(2.0)?.add(&wrong)?;
            (wrong, all)
        };
        share_of(&wrong, &all.add_scalar(self.smooth)?)
    }
}

/// Dice loss: `1 − (2·Σ p·y + s)/(Σ p + Σ y + s)`; with squares in the denominator
/// `1 − (2·Σ p·y + s)/(Σ p² + Σ y + s)`.
///
/// One minus a soft F₁ score. Defaults s = 1, not squared.
///
/// # Numerics
/// `Σ p + Σ y − 2·Σ p·y` is what is wrong, `FP + FN`, and with squares it is `Σ (p − y)²`: nothing
/// is subtracted from 1.
///
/// # Source
/// Milletari, Navab, Ahmadi, "V-Net: fully convolutional neural networks for volumetric medical
/// image segmentation", 2016, section 3 (squared); Drozdzal, Vorontsov, Chartrand, Kadoury, Pal,
/// "The importance of skip connections in biomedical image segmentation", 2016 (not squared).
pub type DiceLoss = RegionLoss<Dice>;

impl DiceLoss {
    /// s = 1, not squared, the mean over the regions.
    pub const fn new() -> Self {
        Self::of(Dice {
            smooth: 1.0,
            squared: false,
        })
    }

    /// What is added to both sides of the quotient, in pixels, s ≥ 0. A region that is empty and
    /// predicted so has loss 0.
    pub const fn smooth(mut self, smooth: f64) -> Self {
        self.formula.smooth = smooth;
        self
    }

    /// Whether the probabilities in the denominator are squared.
    pub const fn squared(mut self, squared: bool) -> Self {
        self.formula.squared = squared;
        self
    }
}

impl Default for DiceLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// `1 − (2·Σ_c w_c·I_c + s)/(Σ_c w_c·(Σ p_c + Σ y_c) + s)`, see [`GeneralizedDiceLoss`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeneralizedDice {
    /// What is added to both sides of the quotient, ≥ 0.
    pub smooth: f64,
}

impl RegionFormula for GeneralizedDice {
    const NAME: &'static str = "generalized_dice_loss";

    fn check(&self) -> Result<()> {
        check_exponent(Self::NAME, "smooth", self.smooth)
    }

    fn losses<T: Float>(&self, areas: &Areas<T>) -> Result<Var<T>> {
        let size = areas.size()?;
        let absent = is_zero(&size)?;
        let weights = size.square()?.powf(-1.0)?.masked_fill(&absent, 0.0)?;
        let wrong = areas.false_alarm()?.add(&areas.missed()?)?;
        let all = areas.hit()?.mul_scalar(2.0)?.add(&wrong)?;
        let wrong = wrong.mul(&weights)?.sum(-1)?;
        let all = all.mul(&weights)?.sum(-1)?;
        share_of(&wrong, &all.add_scalar(self.smooth)?)
    }
}

/// Generalized Dice loss: one loss over all classes,
/// `1 − (2·Σ_c w_c·I_c + s)/(Σ_c w_c·(Σ p_c + Σ y_c) + s)` with `I_c = Σ p_c·y_c` and
/// `w_c = 1/(Σ y_c)²`.
///
/// Small classes count as much as large ones. An absent class has weight 0: its false alarms cost
/// nothing. Default s = 10⁻⁵. With `Reduction::None` the result is `[N]`.
///
/// # Source
/// Sudre, Li, Vercauteren, Ourselin, Cardoso, "Generalised Dice overlap as a deep learning loss
/// function for highly unbalanced segmentations", 2017.
pub type GeneralizedDiceLoss = RegionLoss<GeneralizedDice>;

impl GeneralizedDiceLoss {
    /// s = 10⁻⁵, the mean over the samples.
    pub const fn new() -> Self {
        Self::of(GeneralizedDice { smooth: 1e-5 })
    }

    /// What is added to both sides of the quotient, s ≥ 0.
    pub const fn smooth(mut self, smooth: f64) -> Self {
        self.formula.smooth = smooth;
        self
    }
}

impl Default for GeneralizedDiceLoss {
    fn default() -> Self {
        Self::new()
    }
}
