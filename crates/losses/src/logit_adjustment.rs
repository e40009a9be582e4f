//! Losses that differ from others by what is done to the logits of each class: logit adjustment,
//! balanced softmax, LDAM, vector scaling.
//!
//! They are options of [`SoftmaxLoss`], so they go with any function of the margin: cross-entropy,
//! as their papers have it, or focal loss. Losses that are no such function refuse them.

use macula_tensor::Result;

use crate::checks::{check_exponent, check_positive};
use crate::class_counts::ClassCounts;
use crate::softmax_loss::SoftmaxLoss;

impl<F> SoftmaxLoss<F> {
    /// Logit adjustment: the loss of `z_c + τ·ln π_c`, `π` the shares of the classes in training.
    ///
    /// Learns logits for a balanced world from unbalanced data: predict with the logits as they
    /// are. τ = 1 is Fisher-consistent for the balanced error, τ = 0 changes nothing.
    ///
    /// # Errors
    /// τ must be finite and not negative.
    ///
    /// # Source
    /// Menon, Jayasumana, Rawat, Jain, Veit, Kumar, "Long-tail learning via logit adjustment",
    /// 2021, eq. 10.
    pub fn logit_adjusted(mut self, counts: &ClassCounts, tau: f64) -> Result<Self> {
        self.options.offsets = Some(counts.logit_offsets(tau)?);
        Ok(self)
    }

    /// Balanced softmax: the loss of `z_c + ln n_c`.
    ///
    /// The same as [`logit_adjusted`](Self::logit_adjusted) with τ = 1, because the softmax does
    /// not see what is common to all classes.
    ///
    /// # Source
    /// Ren, Yu, Sheng, Ma, Zhao, Yi, Li, "Balanced meta-softmax for long-tailed visual
    /// recognition", 2020.
    pub fn balanced(mut self, counts: &ClassCounts) -> Self {
        let offsets = counts.counts().iter().map(|&count| (count as f64).ln());
        self.options.offsets = Some(offsets.collect());
        self
    }

    /// Label-distribution-aware margins, LDAM: the loss of `s·(z_c − m_c·[c = t])` with
    /// `m_c = m·n_c^(−1/4) / max_k n_k^(−1/4)`.
    ///
    /// The rarer a class, the larger the margin by which it has to win. `max_margin` is `m`, 0.5
    /// in the authors' code, and `scale` is `s`, 30 there, for logits that are cosines: the last
    /// layer's features and weights have length 1. A class that does not occur counts as if it
    /// occurred once.
    ///
    /// The paper trains without weights first and re-weights late (DRW), by `1/n_c`. The authors'
    /// code does it as the example does, with [`class_balanced`](Self::class_balanced).
    ///
    /// # Errors
    /// The margin must be finite and not negative, the scale finite and positive.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_losses::{ClassCounts, SoftmaxCrossEntropy};
    ///
    /// let counts = ClassCounts::from_counts([900, 90, 10])?;
    /// for epoch in 0..200 {
    ///     let mut loss = SoftmaxCrossEntropy::new().label_aware_margins(&counts, 0.5, 30.0)?;
    ///     if epoch >= 160 {
    ///         loss = loss.class_balanced(&counts, 0.9999)?;
    ///     }
    /// }
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    ///
    /// # Source
    /// Cao, Wei, Gaidon, Arechiga, Ma, "Learning imbalanced datasets with
    /// label-distribution-aware margin loss", 2019, eq. 12 and 13 and algorithm 1.
    pub fn label_aware_margins(
        mut self,
        counts: &ClassCounts,
        max_margin: f64,
        scale: f64,
    ) -> Result<Self> {
        let op = "label_aware_margins";
        check_exponent(op, "max_margin", max_margin)?;
        check_positive(op, "scale", scale)?;
        let counts = counts.counts().iter().map(|&count| count.max(1) as f64);
        let margins: Vec<f64> = counts.map(|count| count.powf(-0.25)).collect();
        let largest = margins.iter().copied().fold(0.0, f64::max);
        let handicap = |margin: &f64| scale * max_margin * margin / largest;
        self.options.handicaps = Some(margins.iter().map(handicap).collect());
        self.options.scales = Some(vec![scale; margins.len()]);
        Ok(self)
    }

    /// Vector scaling, VS: the loss of `z_c/Δ_c + τ·ln π_c` with `Δ_c = (max_k n_k / n_c)^γ`.
    ///
    /// The offsets act from the start of training, the scales also at its end, where logits are
    /// large. γ = 0 is [`logit_adjusted`](Self::logit_adjusted). The authors' code has τ = 1 and
    /// γ = 0.3 by default.
    ///
    /// # Errors
    /// τ and γ must be finite and not negative.
    ///
    /// # Source
    /// Kini, Paraskevas, Oymak, Thrampoulidis, "Label-imbalanced and group-sensitive
    /// classification under overparameterization", 2021. The paper multiplies by its Δ, which is
    /// `1/Δ` here and in the authors' code.
    pub fn vector_scaled(mut self, counts: &ClassCounts, tau: f64, gamma: f64) -> Result<Self> {
        check_exponent("vector_scaled", "gamma", gamma)?;
        let largest = counts.counts().iter().copied().max().unwrap_or(1) as f64;
        let scale = |&count: &usize| (count as f64 / largest).powf(gamma);
        self.options.scales = Some(counts.counts().iter().map(scale).collect());
        self.options.offsets = Some(counts.logit_offsets(tau)?);
        Ok(self)
    }
}
