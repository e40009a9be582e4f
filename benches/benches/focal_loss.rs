//! Loss and gradient to the logits, f32, mean reduction, beside plain cross-entropy and beside the
//! loss as one writes it of ordinary operations; and beside memory.
//!
//! The floor is memory: logits and labels are read once and the gradient is written once. For a
//! sigmoid loss that is 4 + 8 + 4 bytes an element, for a softmax loss 4 + 4 bytes a logit and 8 a
//! row, at the measured rate of a copy. The peak is that of the process, the tensors of the bench
//! included.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use macula::prelude::*;
use macula_benches::{Bench, floor};

fn logits(shape: &[usize]) -> Tensor {
    Tensor::normal(shape, 0.0, 2.0, &mut Rng::seed(3)).expect("a valid shape")
}

fn labels(rows: usize, classes: usize) -> Tensor<i64> {
    Tensor::integers([rows], 0, classes as i64, &mut Rng::seed(4)).expect("a valid shape")
}

/// Loss and gradient of one batch.
fn pass(logits: &Tensor, loss: impl Fn(&Var) -> Result<Var>) {
    let gradients = loss(&Tape::new().var(logits)).and_then(Var::backward);
    drop(black_box(gradients.expect("valid")));
}

fn sigmoid(bench: &mut Bench<'_>, rows: usize, bandwidth: f64) {
    let (x, y) = (&logits(&[rows]), &labels(rows, 2));
    let focal = SigmoidFocalLoss::new().gamma(2.0).alpha(0.25);
    let plain = SigmoidCrossEntropy::new();
    let targets = &y.cast::<f32>().expect("numbers");
    // α_t·(1 − p_t)²·(−ln p_t), as in the usual implementations.
    let composed = |x: &Var| {
        let y = x.tape().constant(targets.clone());
        let p = x.sigmoid()?;
        let cross_entropy = x.softplus()?.sub(&x.mul(&y)?)?;
        let agree = p.mul(&y)?.mul_scalar(2.0)?.sub(&p)?.sub(&y)?;
        let p_t = agree.add_scalar(1.0)?;
        let modulator = p_t.neg()?.add_scalar(1.0)?.square()?;
        let alpha = y.mul_scalar(-0.5)?.add_scalar(0.75)?;
        cross_entropy.mul(&modulator)?.mul(&alpha)?.mean(..)
    };
    bench.compare(
        &format!("sigmoid, {rows}"),
        (16 * rows) as f64 / bandwidth,
        || pass(x, |x| focal.forward(x, y)),
        &mut [
            ("cross-entropy", &mut || pass(x, |x| plain.forward(x, y))),
            ("composed", &mut || pass(x, composed)),
        ],
    );
}

fn softmax(bench: &mut Bench<'_>, rows: usize, classes: usize, bandwidth: f64) {
    let (x, y) = (&logits(&[rows, classes]), &labels(rows, classes));
    let focal = SoftmaxFocalLoss::new().gamma(2.0);
    let plain = SoftmaxCrossEntropy::new();
    let column = &y.unsqueeze(1).expect("one axis");
    let composed = |x: &Var| {
        let ln_p = x.log_softmax(1)?.gather(1, column)?;
        let modulator = ln_p.exp()?.neg()?.add_scalar(1.0)?.square()?;
        modulator.mul(&ln_p)?.mean(..)?.neg()
    };
    bench.compare(
        &format!("softmax, [{rows}, {classes}]"),
        (8 * rows * (classes + 1)) as f64 / bandwidth,
        || pass(x, |x| focal.forward(x, y)),
        &mut [
            ("cross-entropy", &mut || pass(x, |x| plain.forward(x, y))),
            ("composed", &mut || pass(x, composed)),
        ],
    );
}

fn focal_loss(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let mut bench = Bench::new(criterion, "loss and gradient", threads);
        let bandwidth = floor::copy_bandwidth(&bench.pool);
        bench.note(format!("a copy moves {:.1} GB/s", bandwidth * 1e-9));
        sigmoid(&mut bench, 8_000_000, bandwidth);
        sigmoid(&mut bench, 1_000_000, bandwidth);
        softmax(&mut bench, 8192, 1000, bandwidth);
        softmax(&mut bench, 100_000, 10, bandwidth);
        softmax(&mut bench, 1_000_000, 2, bandwidth);
        bench.finish();
    }
}

criterion_group!(benches, focal_loss);
criterion_main!(benches);
