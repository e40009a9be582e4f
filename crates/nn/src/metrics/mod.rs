//! How good a classifier is when one class is rare.
//!
//! Accuracy says little there: whoever always answers "common" is right almost always. The
//! reports below put the recall of the rare class first and compare every number with what no
//! model at all would get.
//!
//! ```text
//! logits, labels ─▶ BinaryReport, MulticlassReport      everything at once, to print
//!                ─▶ RocCurve, PrecisionRecallCurve      to plot
//!                ─▶ Calibration                         may the probabilities be believed?
//!                ─▶ Threshold                           where to decide (from validation data)
//! batches        ─▶ ConfusionMatrix, Mean               while training runs
//! seeds          ─▶ MeanAndDeviation                    0.672 ± 0.058
//! ```
//!
//! Read [`Counts`] first, then [`ConfusionMatrix`], the curves and the reports.
//!
//! # Conventions
//!
//! * Logits may be `f32` or `f64`; all arithmetic is in `f64`, and counts are exact integers. The
//!   order of the rows changes no count, curve or area; it can change the last digit of a mean.
//! * Precision, recall and F are 0 where they are 0/0. What has no meaning without rows of both
//!   classes (the ROC area) or without a positive row (average precision) is NaN, printed as `–`.
//! * Rows with equal scores cannot be told apart by a threshold, so they count as one step of a
//!   curve.
//! * No rows, NaN, a label outside the classes and lengths that differ are errors.

mod binary;
mod calibration;
mod choice;
mod confusion;
mod counts;
mod curves;
mod input;
mod multiclass;
mod probability;
mod ranking;
mod running;
mod text;
mod threshold;

pub use binary::BinaryReport;
pub use calibration::{Bin, Calibration};
pub use confusion::ConfusionMatrix;
pub use counts::Counts;
pub use curves::{PrecisionRecallCurve, PrecisionRecallPoint, RocCurve, RocPoint};
pub use multiclass::MulticlassReport;
pub use running::{Mean, MeanAndDeviation};
pub use threshold::Threshold;
