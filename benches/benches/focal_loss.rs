//! Loss and gradient to the logits, f32, mean reduction, beside the time it takes to move the
//! same bytes.
//!
//! The floor is memory: logits and labels are read once and the gradient is written once. For a
//! sigmoid loss that is 4 + 8 + 4 bytes an element, for a softmax loss 4 + 4 bytes a logit and 8 a
//! row. `moving the bytes` copies half of that number of bytes from one warm buffer to another, so
//! that it reads and writes as many as the loss; the loss's time over it is its distance from the
//! floor.

use criterion::measurement::WallTime;
use criterion::{Bencher, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use macula::prelude::*;

fn logits(shape: &[usize]) -> Tensor {
    let mut rng = Rng::seed(3);
    Tensor::write(shape, |logits| {
        rng.fill_normal(logits, 0.0, 2.0)
            .expect("a valid distribution");
        Ok(())
    })
    .expect("a valid shape")
}

fn labels(rows: usize, classes: usize) -> Tensor<i64> {
    let mut rng = Rng::seed(4);
    Tensor::from(
        (0..rows)
            .map(|_| rng.below(classes) as i64)
            .collect::<Vec<_>>(),
    )
}

/// Loss and gradient of one batch.
fn pass(logits: &Tensor, loss: impl Fn(&Var) -> Result<Var>) -> Result<Gradients> {
    loss(&Tape::new().var(logits))?.backward()
}

fn move_bytes(bencher: &mut Bencher<'_>, bytes: usize) {
    use rayon::prelude::*;
    let from = vec![1_u8; bytes / 2];
    let mut to = vec![0_u8; bytes / 2];
    bencher.iter(|| {
        let parts = to.par_chunks_mut(1 << 17).zip(from.par_chunks(1 << 17));
        parts.for_each(|(to, from)| to.copy_from_slice(from));
    });
}

fn sigmoid(group: &mut BenchmarkGroup<'_, WallTime>, rows: usize) {
    let (x, y) = (logits(&[rows]), labels(rows, 2));
    group.bench_function(format!("moving the bytes of {rows} logits"), |bencher| {
        move_bytes(bencher, 16 * rows);
    });
    let focal = SigmoidFocalLoss::new().gamma(2.0).alpha(0.25);
    group.bench_function(format!("sigmoid focal, {rows} logits"), |bencher| {
        bencher.iter(|| pass(&x, |x| focal.forward(x, &y)).expect("valid"));
    });
    let plain = SigmoidCrossEntropy::new();
    group.bench_function(format!("sigmoid cross-entropy, {rows} logits"), |bencher| {
        bencher.iter(|| pass(&x, |x| plain.forward(x, &y)).expect("valid"));
    });
}

fn softmax(group: &mut BenchmarkGroup<'_, WallTime>, rows: usize, classes: usize) {
    let (x, y) = (logits(&[rows, classes]), labels(rows, classes));
    group.bench_function(
        format!("moving the bytes of [{rows}, {classes}]"),
        |bencher| {
            move_bytes(bencher, 8 * rows * (classes + 1));
        },
    );
    let focal = SoftmaxFocalLoss::new().gamma(2.0);
    group.bench_function(format!("softmax focal, [{rows}, {classes}]"), |bencher| {
        bencher.iter(|| pass(&x, |x| focal.forward(x, &y)).expect("valid"));
    });
    let plain = SoftmaxCrossEntropy::new();
    group.bench_function(
        format!("softmax cross-entropy, [{rows}, {classes}]"),
        |bencher| {
            bencher.iter(|| pass(&x, |x| plain.forward(x, &y)).expect("valid"));
        },
    );
}

fn focal_loss(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads can be started").install(|| {
            let mut group =
                criterion.benchmark_group(format!("loss and gradient, {threads} threads"));
            group.sample_size(20);
            sigmoid(&mut group, 8_000_000);
            sigmoid(&mut group, 1_000_000);
            softmax(&mut group, 8192, 1000);
            softmax(&mut group, 100_000, 10);
            softmax(&mut group, 1_000_000, 2);
            group.finish();
        });
    }
}

criterion_group!(benches, focal_loss);
criterion_main!(benches);
