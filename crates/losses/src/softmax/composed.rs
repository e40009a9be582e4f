//! The losses of the rows from ordinary operations: the twin of the fused pass, and the path to
//! higher orders.

use macula_autograd::Var;
use macula_tensor::{Float, Result, Tensor, keep};

use super::classes_last_axes;
use super::margins::class_margins;
use super::rows::Rows;
use super::targets::RowTargets;
use crate::formula::{MarginLoss, OfMargin};

/// The weighted losses of the rows.
pub(super) fn row_losses<T: Float, L: MarginLoss>(
    formula: L,
    logits: &Var<T>,
    targets: &RowTargets<T>,
) -> Result<Var<T>> {
    if targets.rows().mixes() {
        mixed(formula, logits, targets)
    } else {
        labelled(formula, logits, targets)
    }
}

/// One class of each row counts.
fn labelled<T: Float, L: MarginLoss>(
    formula: L,
    logits: &Var<T>,
    targets: &RowTargets<T>,
) -> Result<Var<T>> {
    let (classes, weights) = targets.classes_and_weights(L::NAME)?;
    let margins = margins_of_rows(logits, &weights.unsqueeze(-1)?)?;
    let margins = margins.gather(-1, &classes.unsqueeze(-1)?)?.squeeze(-1)?;
    // The numbers of each row's class.
    let picked = |numbers: &[T]| -> Result<Tensor<T>> {
        let numbers = Tensor::from_slice(numbers, [numbers.len()])?;
        let picked = numbers.index_select(0, &classes.flatten()?)?;
        picked.reshape(classes.shape())
    };
    evaluated(formula, &margins, targets.rows(), weights, picked)
}

/// Every class of each row counts.
fn mixed<T: Float, L: MarginLoss>(
    formula: L,
    logits: &Var<T>,
    targets: &RowTargets<T>,
) -> Result<Var<T>> {
    let shares = targets.weighted_shares(L::NAME)?;
    let margins = margins_of_rows(logits, &shares.amax(keep(-1))?)?;
    let of_classes = |numbers: &[T]| Tensor::from_slice(numbers, [numbers.len()]);
    evaluated(formula, &margins, targets.rows(), shares, of_classes)?.sum(-1)
}

/// The margin of every class, the classes last, of rows with a weight each. Rows that do not count
/// may hold anything.
fn margins_of_rows<T: Float>(logits: &Var<T>, weights: &Tensor<T>) -> Result<Var<T>> {
    let absent = weights.eq(&Tensor::scalar(T::ZERO))?;
    let by_row = logits.permute(classes_last_axes(logits.rank()))?;
    class_margins(&by_row.masked_fill(&absent, 0.0)?)
}

/// The weighted losses of margins; `spread` gives the numbers of the classes the margins' shape.
fn evaluated<T: Float, L: MarginLoss>(
    formula: L,
    margins: &Var<T>,
    rows: Rows<'_, T>,
    weights: Tensor<T>,
    spread: impl Fn(&[T]) -> Result<Tensor<T>>,
) -> Result<Var<T>> {
    let tape = margins.tape();
    let margins = match rows.handicaps {
        Some(handicaps) => margins.sub(&tape.constant(spread(handicaps)?))?,
        None => margins.clone(),
    };
    let settings = match rows.settings {
        Some(settings) => spread(settings)?,
        None => Tensor::scalar(T::ZERO),
    };
    let formula = OfMargin {
        formula,
        set: rows.settings.is_some(),
    };
    let (settings, weights) = (tape.constant(settings), tape.constant(weights));
    Var::pointwise(formula, [&margins, &settings, &weights])
}
