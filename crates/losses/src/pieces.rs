//! A batch cut into pieces for several threads.

use macula_tensor::Float;
use macula_tensor::cpu::parallel::map_pieces;

/// A run of rows for one thread, with the parts of the outputs that belong to it. A row of a
/// sigmoid loss is one logit.
pub(crate) struct Piece<'a, T> {
    pub(crate) first_row: usize,
    pub(crate) logits: &'a [T],
    /// One number for each row, if they are wanted.
    pub(crate) values: Option<&'a mut [T]>,
    /// One number for each logit, if they are wanted.
    pub(crate) gradient: Option<&'a mut [T]>,
}

/// The sum of what `pass` returns for pieces of `rows` rows of `width` logits; none where it
/// returns none, as for a target that is no target.
pub(crate) fn sum_in_pieces<T: Float>(
    logits: &[T],
    rows: usize,
    width: usize,
    values: Option<&mut [T]>,
    gradient: Option<&mut [T]>,
    pass: impl Fn(Piece<'_, T>) -> Option<f64> + Sync,
) -> Option<f64> {
    let mut values = values.map(|values| values.chunks_mut(rows));
    let mut gradient = gradient.map(|gradient| gradient.chunks_mut(rows * width));
    let pieces = logits.chunks(rows * width).enumerate();
    let pieces = pieces.map(|(index, logits)| Piece {
        first_row: index * rows,
        logits,
        values: values.as_mut().and_then(Iterator::next),
        gradient: gradient.as_mut().and_then(Iterator::next),
    });
    let sums = map_pieces(pieces, pass);
    sums.into_iter()
        .try_fold(0.0, |total, sum| Some(total + sum?))
}
