//! The targets of rows or pixels, and their weights: checked once.

use macula_autograd::Var;
use macula_tensor::{Device, Error, Float, Result, Tensor};

use super::classes_last;
use super::options::RowOptions;
use super::rows::Rows;
use crate::reduction::Tally;
use crate::sample_weights::check_sample_weights;

/// The targets of rows, and their weights.
#[derive(Debug)]
pub(crate) struct RowTargets<T: Float> {
    targets: Targets<T>,
    class_weights: Vec<T>,
    smoothing: T,
    settings: Option<Vec<T>>,
    handicaps: Option<Vec<T>>,
    samples: Option<Tensor<T>>,
    ignore: Option<i64>,
}

#[derive(Debug)]
enum Targets<T: Float> {
    /// A class for each row.
    Labels(Tensor<i64>),
    /// A share for each row and class, the classes last.
    Shares(Tensor<T>),
}

impl<T: Float> RowTargets<T> {
    /// A class for each row.
    pub(crate) fn labels(labels: &Tensor<i64>) -> Result<Self> {
        let labels = labels.to(&Device::Cpu)?.contiguous()?;
        Ok(Self::unweighted(Targets::Labels(labels)))
    }

    /// A share for each row and class, in the layout of the logits.
    ///
    /// # Errors
    /// There must be an axis of classes.
    pub(crate) fn shares(op: &'static str, shares: &Tensor<T>) -> Result<Self> {
        if shares.rank() < 2 {
            return Err(Error::Shape {
                op,
                expected: "targets of shape [N, C] or [N, C, …]".into(),
                found: shares.shape().into(),
            });
        }
        let shares = classes_last(&shares.to(&Device::Cpu)?)?.contiguous()?;
        Ok(Self::unweighted(Targets::Shares(shares)))
    }

    fn unweighted(targets: Targets<T>) -> Self {
        Self {
            targets,
            class_weights: Vec::new(),
            smoothing: T::ZERO,
            settings: None,
            handicaps: None,
            samples: None,
            ignore: None,
        }
    }

    /// The same targets with everything that is set about them.
    ///
    /// Checks everything but the targets themselves, which the pass does.
    ///
    /// # Errors
    /// Logits must be `[N, C, …]` with a class at least, the targets must fit them, and the options
    /// the classes.
    pub(crate) fn with(
        mut self,
        op: &'static str,
        logits: &[usize],
        options: &RowOptions,
        samples: Option<&Tensor<T>>,
    ) -> Result<Self> {
        let [rows, classes @ 1..=usize::MAX, pixels @ ..] = logits else {
            return Err(Error::Shape {
                op,
                expected: "logits of shape [N, C] or [N, C, …] with a class at least".into(),
                found: logits.into(),
            });
        };
        let same_classes = match &self.targets {
            Targets::Labels(_) => true,
            Targets::Shares(shares) => shares.shape().last() == Some(classes),
        };
        let matches = matches!(self.shape(), [n, rest @ ..] if n == rows && rest == pixels);
        if !matches || !same_classes {
            let (what, expected): (_, Vec<_>) = match &self.targets {
                Targets::Labels(_) => ("labels", std::iter::once(rows).chain(pixels).collect()),
                Targets::Shares(_) => ("targets", logits.iter().collect()),
            };
            let mut found = self.shape().to_vec();
            if let Targets::Shares(shares) = &self.targets {
                found.splice(1..1, shares.shape().last().copied());
            }
            return Err(Error::Shape {
                op,
                expected: format!("{what} of shape {expected:?} for logits of shape {logits:?}"),
                found: found[..].into(),
            });
        }
        options.check(op, *classes)?;
        let lift = |numbers: &Vec<f64>| numbers.iter().map(|&x| T::from_f64(x)).collect();
        self.class_weights = match &options.class_weights {
            Some(weights) => lift(weights),
            None => vec![T::ONE; *classes],
        };
        self.smoothing = T::from_f64(options.smoothing);
        self.settings = options.settings.as_ref().map(lift);
        self.handicaps = options.handicaps.as_ref().map(lift);
        self.ignore = options.ignore;
        self.samples = samples
            .map(|weights| check_sample_weights(op, weights, self.shape()))
            .transpose()?;
        Ok(self)
    }

    /// The same loss, whose composed twin holds these tensors, for the listing of its tape.
    pub(super) fn held_by(&self, loss: Var<T>) -> Var<T> {
        let loss = match &self.targets {
            Targets::Labels(labels) => loss.holding(labels),
            Targets::Shares(shares) => loss.holding(shares),
        };
        self.samples.iter().fold(loss, Var::holding)
    }

    /// The shape of the rows.
    pub(super) fn shape(&self) -> &[usize] {
        match &self.targets {
            Targets::Labels(labels) => labels.shape(),
            Targets::Shares(shares) => &shares.shape()[..shares.rank() - 1],
        }
    }

    /// Class and weight of each row; 0 and 0 for an ignored one.
    ///
    /// # Errors
    /// Every label must be a class, or the ignored one.
    pub(crate) fn classes_and_weights(&self, op: &'static str) -> Result<(Tensor<i64>, Tensor<T>)> {
        let rows = self.rows();
        let mut weights = Tensor::zeros(self.shape())?;
        let classes = Tensor::write(self.shape(), |classes| {
            for (row, (class, weight)) in classes.iter_mut().zip(weights.make_mut()?).enumerate() {
                let target = rows.target(row).ok_or_else(|| rows.first_bad(op))?;
                *class = target.0 as i64;
                *weight = target.1;
            }
            Ok(())
        })?;
        Ok((classes, weights))
    }

    /// Each row's weighted share of each class, the classes last.
    ///
    /// # Errors
    /// The targets must be classes or shares.
    pub(crate) fn weighted_shares(&self, op: &'static str) -> Result<Tensor<T>> {
        let rows = self.rows();
        let wide = self.shape().iter().copied().chain([rows.classes()]);
        Tensor::write(wide.collect::<Vec<_>>(), |shares| {
            for (row, shares) in shares.chunks_exact_mut(rows.classes()).enumerate() {
                if !rows.weighted_shares(row, shares) {
                    return Err(rows.first_bad(op));
                }
            }
            Ok(())
        })
    }

    /// What the divisors of the reductions need.
    pub(crate) fn tally(&self, op: &'static str) -> Result<Tally> {
        self.rows().tally(op)
    }

    pub(super) fn rows(&self) -> Rows<'_, T> {
        // All were made contiguous and brought to the CPU.
        let (labels, shares) = match &self.targets {
            Targets::Labels(labels) => (labels.as_slice(), None),
            Targets::Shares(shares) => (None, shares.as_slice()),
        };
        Rows {
            shape: self.shape(),
            labels: labels.unwrap_or_default(),
            shares,
            samples: self.samples.as_ref().and_then(Tensor::as_slice),
            class_weights: &self.class_weights,
            smoothing: self.smoothing,
            settings: self.settings.as_deref(),
            handicaps: self.handicaps.as_deref(),
            ignore: self.ignore,
        }
    }
}
