//! What the elements of a sigmoid loss are compared with, and their weights: checked once.

use macula_autograd::Var;
use macula_tensor::{Device, Float, Result, Tensor};

use super::elements::{Elements, TargetSlice};
use crate::checks::check_smoothing;
use crate::sample_weights::check_sample_weights;

/// What the elements of a sigmoid loss are compared with, and their weights.
pub(crate) struct ElementTargets<T: Float> {
    targets: Targets<T>,
    mix: bool,
    smoothing: T,
    /// The weights of labels 0 and 1: a pair for each column, or one for all.
    label_weights: Vec<[T; 2]>,
    /// A setting of the formula for each column.
    settings: Option<Vec<T>>,
    samples: Option<Tensor<T>>,
}

enum Targets<T: Float> {
    /// Labels 0 and 1, or `ignore`.
    Hard {
        labels: Tensor<i64>,
        ignore: Option<i64>,
    },
    /// Numbers from 0 to 1.
    Soft(Tensor<T>),
}

impl<T: Float> ElementTargets<T> {
    /// Labels 0 and 1, or `ignore`.
    pub(crate) fn hard(labels: &Tensor<i64>, ignore: Option<i64>) -> Result<Self> {
        let labels = labels.to(&Device::Cpu)?.contiguous()?;
        Ok(Self::unweighted(Targets::Hard { labels, ignore }))
    }

    /// Numbers from 0 to 1.
    pub(crate) fn soft(targets: &Tensor<T>) -> Result<Self> {
        let targets = targets.to(&Device::Cpu)?.contiguous()?;
        Ok(Self::unweighted(Targets::Soft(targets)))
    }

    fn unweighted(targets: Targets<T>) -> Self {
        Self {
            targets,
            mix: false,
            smoothing: T::ZERO,
            label_weights: vec![[T::ONE; 2]],
            settings: None,
            samples: None,
        }
    }

    /// The same targets, each `y` read as `(1 − ε)·y + ε/2`, and what is then no label as a mixture
    /// of the two, if the formula does not say what it means.
    ///
    /// # Errors
    /// ε must be in [0, 1).
    pub(crate) fn read(mut self, op: &'static str, mix: bool, epsilon: f64) -> Result<Self> {
        check_smoothing(op, epsilon)?;
        (self.mix, self.smoothing) = (mix, T::from_f64(epsilon));
        Ok(self)
    }

    /// Whether targets unpack into the weights of both labels.
    pub(crate) fn mixes(&self) -> bool {
        self.elements().mixes()
    }

    /// The same targets with weights of labels 0 and 1, a pair for each column or one for all.
    pub(crate) fn with_label_weights(mut self, weights: impl Iterator<Item = [f64; 2]>) -> Self {
        self.label_weights = weights.map(|pair| pair.map(T::from_f64)).collect();
        self
    }

    /// The same targets with a setting of the formula for each column, if there are any.
    pub(crate) fn with_settings(mut self, settings: Option<&[f64]>) -> Self {
        let lift = |settings: &[f64]| settings.iter().map(|&x| T::from_f64(x)).collect();
        self.settings = settings.map(lift);
        self
    }

    /// The same targets with a weight for each element.
    pub(crate) fn with_sample_weights(
        mut self,
        op: &'static str,
        weights: Option<&Tensor<T>>,
    ) -> Result<Self> {
        if let Some(weights) = weights {
            self.samples = Some(check_sample_weights(op, weights, self.shape())?);
        }
        Ok(self)
    }

    pub(crate) fn shape(&self) -> &[usize] {
        match &self.targets {
            Targets::Hard { labels, .. } => labels.shape(),
            Targets::Soft(targets) => targets.shape(),
        }
    }

    /// The same loss, whose composed twin holds these tensors, for the listing of its tape.
    pub(super) fn held_by(&self, loss: Var<T>) -> Var<T> {
        let loss = match &self.targets {
            Targets::Hard { labels, .. } => loss.holding(labels),
            Targets::Soft(targets) => loss.holding(targets),
        };
        self.samples.iter().fold(loss, Var::holding)
    }

    /// The elements, for the loops.
    pub(crate) fn elements(&self) -> Elements<'_, T> {
        // All were brought to the CPU and made contiguous.
        let samples = self.samples.as_ref();
        Elements {
            targets: match &self.targets {
                Targets::Hard { labels, ignore } => TargetSlice::Hard {
                    labels: labels.as_slice().unwrap_or_default(),
                    ignore: *ignore,
                },
                Targets::Soft(targets) => TargetSlice::Soft(targets.as_slice().unwrap_or_default()),
            },
            shape: self.shape(),
            mix: self.mix,
            smoothing: self.smoothing,
            label_weights: &self.label_weights,
            settings: self.settings.as_deref(),
            samples: samples.and_then(Tensor::as_slice),
        }
    }

    /// What [`Elements::unpack`] and [`Elements::unpack_settings`] write, as tensors of the shape of
    /// the logits; without settings the last one is 0.
    pub(crate) fn unpacked(&self, op: &'static str, shape: &[usize]) -> Result<[Tensor<T>; 3]> {
        let elements = self.elements();
        let mut second = Tensor::zeros(shape)?;
        let first = Tensor::write(shape, |first| {
            match elements.unpack(0, first, second.make_mut()?) {
                true => Ok(()),
                false => Err(elements.first_bad(op)),
            }
        })?;
        let settings = match self.settings {
            None => Tensor::scalar(T::ZERO),
            Some(_) => Tensor::write(shape, |output| {
                elements.unpack_settings(0, output);
                Ok(())
            })?,
        };
        Ok([first, second, settings])
    }
}
