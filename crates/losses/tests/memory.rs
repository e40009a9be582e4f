//! What a fused loss allocates. A file of its own: the bytes are those of the whole process.

use macula_autograd::Tape;
use macula_losses::{SigmoidFocalLoss, SoftmaxFocalLoss};
use macula_tensor::{Result, Tensor, memory};

const ROWS: usize = 1 << 15;
const CLASSES: usize = 8;
/// Of the logits, and of their gradient.
const BYTES: usize = 4 * ROWS * CLASSES;
/// For numbers: the loss itself, the upstream gradient.
const FEW: usize = 1024;

#[test]
fn a_loss_and_its_gradient_allocate_the_gradient_and_nothing_else_of_that_size() -> Result<()> {
    memory::release();
    let logits = Tensor::full([ROWS, CLASSES], 0.5_f32)?;
    let flags = Tensor::full([ROWS, CLASSES], 1_i64)?;
    let classes = Tensor::full([ROWS], 1_i64)?;
    let before = memory::used();
    // What was used and is free again is held for the next tensor, so both together are the peak.
    let most = || memory::used() - before + memory::held();

    let loss = SigmoidFocalLoss::new().forward(&Tape::new().var(logits.clone()), &flags)?;
    let gradients = loss.backward()?;
    assert!((BYTES..BYTES + FEW).contains(&most()), "{}", most());
    drop(gradients);

    memory::release();
    let loss = SoftmaxFocalLoss::new().forward(&Tape::new().var(logits), &classes)?;
    let gradients = loss.backward()?;
    assert!((BYTES..BYTES + FEW).contains(&most()), "{}", most());
    drop(gradients);
    Ok(())
}
