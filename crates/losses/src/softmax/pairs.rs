//! Two classes: the margin is the difference of the logits, and nothing is summed.

use macula_tensor::Float;

use super::block::Block;

/// Writes `z_t − M` to `block`, whose sums are 1 from the beginning; `M` is the other logit.
#[inline(always)]
pub(super) fn margins<T: Float>(logits: &[T], block: &mut Block<T>) {
    let (pairs, _) = logits.as_chunks::<2>();
    let outputs = block.above.iter_mut().zip(&block.targets);
    for (&[first, second], (above, &target)) in pairs.iter().zip(outputs) {
        let difference = second - first;
        *above = if target == 1 { difference } else { -difference };
    }
}

/// Writes the gradient of the rows: the slope at the target, and minus the slope at the other.
#[inline(always)]
pub(super) fn gradient<T: Float>(gradient: &mut [T], block: &Block<T>) {
    let (pairs, _) = gradient.as_chunks_mut::<2>();
    for (pair, (&slope, &target)) in pairs
        .iter_mut()
        .zip(block.slopes.iter().zip(&block.targets))
    {
        let of_second = if target == 1 { slope } else { -slope };
        *pair = [-of_second, of_second];
    }
}
