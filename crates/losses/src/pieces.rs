//! A batch cut into pieces for several threads.

use macula_tensor::Float;
use macula_tensor::cpu::parallel::map_pieces;

/// A run of rows for one thread, with the parts of the outputs that belong to it. A row of a
/// sigmoid loss is one logit.
pub(crate) struct Piece<'a, T> {
    pub(crate) first_row: usize,
    pub(crate) rows: usize,
    /// One number for each row, if they are wanted.
    pub(crate) values: Option<&'a mut [T]>,
    /// One number for each logit, if they are wanted.
    pub(crate) gradient: Option<&'a mut [T]>,
}

/// The sum of what `pass` returns for pieces of at most `size` of the rows, which have `width` logits
/// each; none where it returns none, as for a target that is no target.
pub(crate) fn sum_in_pieces<T: Float>(
    rows: usize,
    size: usize,
    width: usize,
    values: Option<&mut [T]>,
    gradient: Option<&mut [T]>,
    pass: impl Fn(Piece<'_, T>) -> Option<f64> + Sync,
) -> Option<f64> {
    let mut values = values.map(|values| values.chunks_mut(size));
    let mut gradient = gradient.map(|gradient| gradient.chunks_mut(size * width));
    let pieces = (0..rows).step_by(size).map(|first_row| Piece {
        first_row,
        rows: size.min(rows - first_row),
        values: values.as_mut().and_then(Iterator::next),
        gradient: gradient.as_mut().and_then(Iterator::next),
    });
    let sums = map_pieces(pieces, pass);
    sums.into_iter()
        .try_fold(0.0, |total, sum| Some(total + sum?))
}
