//! What a fused loss allocates. A file of its own: the bytes are those of the whole process.

use macula_autograd::{Tape, Var};
use macula_losses::{SigmoidFocalLoss, SoftmaxFocalLoss};
use macula_tensor::{Float, Result, Tensor, memory};

const ELEMENTS: usize = 1 << 14;
/// For numbers: the loss itself, the upstream gradient.
const FEW: usize = 1024;

/// Asserts that a loss and its gradient allocate the gradient and nothing else of that size.
fn assert_peak<T: Float>(
    what: &str,
    logits: &Tensor<T>,
    loss: impl Fn(&Var<T>) -> Result<Var<T>>,
) -> Result<()> {
    let before = memory::used();
    // Buffers may be longer than what they hold.
    let alike = Tensor::<T>::zeros(logits.shape())?;
    let bytes = memory::used() - before;
    drop(alike);
    memory::release();
    let gradients = loss(&Tape::new().var(logits.clone()))?.backward()?;
    // What was used and is free again is held for the next tensor, so both together are the peak.
    let most = memory::used() - before + memory::held();
    drop(gradients);
    let shape = logits.shape();
    assert!(
        (bytes..bytes + FEW).contains(&most),
        "{what} of {shape:?} logits: {most} bytes, the gradient takes {bytes}"
    );
    Ok(())
}

fn assert_peaks_of_sigmoid<T: Float>() -> Result<()> {
    let full = |number: f64| Tensor::full([ELEMENTS / 8, 8], T::from_f64(number));
    let (x, targets, weights) = (full(0.5)?, full(0.25)?, full(2.0)?);
    let labels = Tensor::full(x.shape(), 1_i64)?;
    let loss = SigmoidFocalLoss::new;
    let smooth = loss().label_smoothing(0.1);
    let classes = loss().alpha(0.75).positive_weights([3.0; 8]);
    let numbers = loss().alphas([0.75; 8]).gammas([1.5; 8]);
    assert_peak("labels", &x, |x| loss().forward(x, &labels))?;
    assert_peak("weights", &x, |x| {
        loss().forward_weighted(x, &labels, &weights)
    })?;
    assert_peak("weights of classes", &x, |x| classes.forward(x, &labels))?;
    assert_peak("numbers of labels", &x, |x| numbers.forward(x, &labels))?;
    assert_peak("smoothing", &x, |x| smooth.forward(x, &labels))?;
    assert_peak("soft targets", &x, |x| loss().forward_soft(x, &targets))?;
    assert_peak("weighted soft targets", &x, |x| {
        loss().forward_soft_weighted(x, &targets, &weights)
    })
}

fn assert_peaks_of_softmax<T: Float>(classes: usize) -> Result<()> {
    let rows = ELEMENTS / classes;
    let x = Tensor::full([rows, classes], T::from_f64(0.5))?;
    let shares = Tensor::full([rows, classes], T::from_f64(1.0 / classes as f64))?;
    let weights = Tensor::full([rows], T::from_f64(2.0))?;
    let labels = Tensor::full([rows], 1_i64)?;
    let loss = SoftmaxFocalLoss::new;
    let smooth = loss().label_smoothing(0.1);
    let numbers = loss()
        .class_weights(vec![2.0; classes])
        .gammas(vec![1.5; classes]);
    assert_peak("labels", &x, |x| loss().forward(x, &labels))?;
    assert_peak("weights", &x, |x| {
        loss().forward_weighted(x, &labels, &weights)
    })?;
    assert_peak("numbers of classes", &x, |x| numbers.forward(x, &labels))?;
    assert_peak("smoothing", &x, |x| smooth.forward(x, &labels))?;
    assert_peak("soft targets", &x, |x| loss().forward_soft(x, &shares))?;
    assert_peak("weighted soft targets", &x, |x| {
        loss().forward_soft_weighted(x, &shares, &weights)
    })
}

/// Soft targets of pixels are left out: they are copied once, the classes last.
fn assert_peaks_of_pixels<T: Float>(classes: usize) -> Result<()> {
    let pixels = [2, ELEMENTS / 8 / classes, 4];
    let x = Tensor::full([2, classes, pixels[1], 4], T::from_f64(0.5))?;
    let weights = Tensor::full(pixels, T::from_f64(2.0))?;
    let labels = Tensor::full(pixels, 1_i64)?;
    let loss = SoftmaxFocalLoss::new;
    let smooth = loss().label_smoothing(0.1);
    assert_peak("pixels", &x, |x| loss().forward(x, &labels))?;
    assert_peak("weighted pixels", &x, |x| {
        loss().forward_weighted(x, &labels, &weights)
    })?;
    assert_peak("smoothed pixels", &x, |x| smooth.forward(x, &labels))
}

#[test]
fn a_loss_and_its_gradient_allocate_the_gradient_and_nothing_else_of_that_size() -> Result<()> {
    assert_peaks_of_sigmoid::<f32>()?;
    assert_peaks_of_sigmoid::<f64>()?;
    for classes in [2, 10, 100, 1000] {
        assert_peaks_of_softmax::<f32>(classes)?;
        assert_peaks_of_softmax::<f64>(classes)?;
        assert_peaks_of_pixels::<f32>(classes)?;
        assert_peaks_of_pixels::<f64>(classes)?;
    }
    Ok(())
}
