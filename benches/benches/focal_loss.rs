//! Loss and gradient to the logits, f32, mean reduction, beside the time it takes to move the
//! same bytes.
//!
//! The floor is memory: logits and labels are read once and the gradient is written once. For a
//! sigmoid loss that is 4 + 8 + 4 bytes an element, for a softmax loss 4 + 4 bytes a logit and 8 a
//! row. `moving the bytes` copies half of that number of bytes from one warm buffer to another, so
//! that it reads and writes as many as the loss; the loss's time over it is its distance from the
//! floor.

use std::sync::Mutex;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use macula::prelude::*;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

fn logits(shape: &[usize]) -> Tensor {
    Tensor::normal(shape, 0.0, 2.0, &mut Rng::seed(3)).expect("a valid shape")
}

fn labels(rows: usize, classes: usize) -> Tensor<i64> {
    Tensor::integers([rows], 0, classes as i64, &mut Rng::seed(4)).expect("a valid shape")
}

/// Loss and gradient of one batch.
fn pass(logits: &Tensor, loss: impl Fn(&Var) -> Result<Var>) -> Result<Gradients> {
    loss(&Tape::new().var(logits))?.backward()
}

/// One group of measurements on a number of threads.
struct Bench<'a> {
    group: BenchmarkGroup<'a, WallTime>,
    pool: ThreadPool,
}

impl Bench<'_> {
    fn run<R: Send>(&mut self, name: String, work: impl Fn() -> R + Sync) {
        let pool = &self.pool;
        self.group
            .bench_function(name, |bencher| bencher.iter(|| pool.install(&work)));
    }

    fn move_bytes(&mut self, what: &str, bytes: usize) {
        let from = vec![1_u8; bytes / 2];
        let to = Mutex::new(vec![0_u8; bytes / 2]);
        self.run(format!("moving the bytes of {what}"), || {
            let mut to = to.lock().expect("nobody panics");
            let parts = to.par_chunks_mut(1 << 17).zip(from.par_chunks(1 << 17));
            parts.for_each(|(to, from)| to.copy_from_slice(from));
        });
    }

    fn sigmoid(&mut self, rows: usize) {
        let (x, y) = (logits(&[rows]), labels(rows, 2));
        self.move_bytes(&format!("{rows} logits"), 16 * rows);
        let focal = SigmoidFocalLoss::new().gamma(2.0).alpha(0.25);
        self.run(format!("sigmoid focal, {rows} logits"), || {
            pass(&x, |x| focal.forward(x, &y)).expect("valid")
        });
        let plain = SigmoidCrossEntropy::new();
        self.run(format!("sigmoid cross-entropy, {rows} logits"), || {
            pass(&x, |x| plain.forward(x, &y)).expect("valid")
        });
    }

    fn softmax(&mut self, rows: usize, classes: usize) {
        let (x, y) = (logits(&[rows, classes]), labels(rows, classes));
        self.move_bytes(&format!("[{rows}, {classes}]"), 8 * rows * (classes + 1));
        let focal = SoftmaxFocalLoss::new().gamma(2.0);
        self.run(format!("softmax focal, [{rows}, {classes}]"), || {
            pass(&x, |x| focal.forward(x, &y)).expect("valid")
        });
        let plain = SoftmaxCrossEntropy::new();
        self.run(
            format!("softmax cross-entropy, [{rows}, {classes}]"),
            || pass(&x, |x| plain.forward(x, &y)).expect("valid"),
        );
    }
}

fn focal_loss(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("loss and gradient, {threads} threads"));
        group.sample_size(20);
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("threads can be started");
        let mut bench = Bench { group, pool };
        bench.sigmoid(8_000_000);
        bench.sigmoid(1_000_000);
        bench.softmax(8192, 1000);
        bench.softmax(100_000, 10);
        bench.softmax(1_000_000, 2);
        bench.group.finish();
    }
}

criterion_group!(benches, focal_loss);
criterion_main!(benches);
