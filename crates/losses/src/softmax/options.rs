//! What is set about the rows of a softmax loss.

use macula_tensor::{Error, Result};

use crate::checks::{
    check_class_weights, check_numbers_of_classes, check_smoothing, is_finite_in_f32,
};
use crate::reduction::Reduction;

/// What may differ from class to class, and the other settings that all softmax losses share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RowOptions {
    pub(crate) class_weights: Option<Vec<f64>>,
    /// The share of a target that is spread over all classes.
    pub(crate) smoothing: f64,
    /// A setting of the formula for each target class.
    pub(crate) settings: Option<Vec<f64>>,
    /// What is taken off the margin, for each target class.
    pub(crate) handicaps: Option<Vec<f64>>,
    /// What each logit is multiplied by.
    pub(crate) scales: Option<Vec<f64>>,
    /// What is added to each logit after that.
    pub(crate) offsets: Option<Vec<f64>>,
    pub(crate) ignore: Option<i64>,
    pub(crate) reduction: Reduction,
}

impl RowOptions {
    pub(crate) const fn new() -> Self {
        Self {
            class_weights: None,
            smoothing: 0.0,
            settings: None,
            handicaps: None,
            scales: None,
            offsets: None,
            ignore: None,
            reduction: Reduction::Mean,
        }
    }

    /// # Errors
    /// Class weights must fit the classes, smoothing be in [0, 1), handicaps and scales be finite and
    /// as many as the classes, and so must offsets, but for −∞, which takes a class out.
    pub(super) fn check(&self, op: &'static str, classes: usize) -> Result<()> {
        if let Some(weights) = &self.class_weights {
            check_class_weights(op, "class weights", weights, classes)?;
        }
        check_smoothing(op, self.smoothing)?;
        let check = |argument, numbers: &Option<Vec<f64>>, valid: fn(f64) -> bool, expected| {
            let numbers = numbers.as_deref().map(|numbers| {
                check_numbers_of_classes(op, argument, numbers, classes, valid, expected)
            });
            numbers.unwrap_or(Ok(()))
        };
        check(
            "margins",
            &self.handicaps,
            is_finite_in_f32,
            "numbers, all finite",
        )?;
        check(
            "scales of the logits",
            &self.scales,
            is_finite_in_f32,
            "numbers, all finite",
        )?;
        check(
            "offsets of the logits",
            &self.offsets,
            |x| x < f64::INFINITY,
            "numbers, none NaN or +inf",
        )
    }

    /// # Errors
    /// An option that only functions of the margin have, set on a member that is none.
    pub(crate) fn refuse_margin_options(&self, op: &'static str) -> Result<()> {
        let set = [
            (self.scales.is_some(), "scales of the logits"),
            (self.offsets.is_some(), "offsets of the logits"),
            (self.handicaps.is_some(), "margins"),
        ];
        match set.iter().find(|(is_set, _)| *is_set) {
            None => Ok(()),
            Some((_, argument)) => Err(Error::Argument {
                op,
                argument,
                expected: "left out: this loss is no function of the margin".into(),
                found: "some".into(),
            }),
        }
    }

    /// # Errors
    /// Smoothing, set on a member that has no use for it.
    pub(crate) fn refuse_smoothing(&self, op: &'static str) -> Result<()> {
        if self.smoothing == 0.0 {
            return Ok(());
        }
        Err(Error::Argument {
            op,
            argument: "label_smoothing",
            expected: "left out: this loss takes one class a row".into(),
            found: self.smoothing.to_string(),
        })
    }
}
