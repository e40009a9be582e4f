//! The matrix product beside that of `ndarray`, and beside the processor's limit: 2·m·k·n operations
//! at the measured rate of multiply-adds.
//!
//! Squares, and the shapes of training: a layer of a small network (32×10×2), tall inputs, the
//! gradient to the weights (aᵀ · b), an output of one column, a batch of small products.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use macula_benches::peers::{PeerFloat, Product};
use macula_benches::{Bench, floor, normal};

/// Name, sizes m, k, n, and whether the left operand is stored transposed.
const CASES: [(&str, [usize; 3], bool); 17] = [
    ("square 64", [64; 3], false),
    ("square 128", [128; 3], false),
    ("square 256", [256; 3], false),
    ("square 512", [512; 3], false),
    ("square 1024", [1024; 3], false),
    ("square 2048", [2048; 3], false),
    ("32×10×2", [32, 10, 2], false),
    ("128×784×512", [128, 784, 512], false),
    ("4096×32×128", [4096, 32, 128], false),
    ("4096×128×64", [4096, 128, 64], false),
    ("8192×64×1", [8192, 64, 1], false),
    ("dot of 1048576", [1, 1 << 20, 1], false),
    ("1×512×512", [1, 512, 512], false),
    ("4×784×100", [4, 784, 100], false),
    ("aᵀ·b 512×128×784", [512, 128, 784], true),
    ("aᵀ·b 784×128×512", [784, 128, 512], true),
    ("aᵀ·b 64×4096×32", [64, 4096, 32], true),
];

fn products<T: PeerFloat>(bench: &mut Bench<'_>) {
    let peak = floor::fma_peak::<T>(&bench.pool);
    bench.note(format!("multiply-adds: {:.0} GFLOP/s at most", peak * 1e-9));
    for (name, [m, k, n], transposed) in CASES {
        // The processor's clock changes with its load: the limit is measured beside each case.
        let peak = floor::fma_peak::<T>(&bench.pool);
        let left = if transposed { [k, m] } else { [m, k] };
        let (a, b) = (normal::<T>(&left), normal::<T>(&[k, n]));
        let [left, right] = [&a, &b].map(|x| x.as_slice().expect("row-major"));
        let product = Product::new([m, k, n], left, transposed, right);
        let a = match transposed {
            true => a.transpose(0, 1).expect("two axes"),
            false => a.clone(),
        };
        let mut by_peer = vec![T::ZERO; m * n];
        bench.compare(
            name,
            2.0 * (m * k * n) as f64 / peak,
            || drop(black_box(a.matmul(&b))),
            &mut [("ndarray", &mut || product.compute(black_box(&mut by_peer)))],
        );
    }
    batch::<T>(bench, peak);
}

/// 64 products of 32×32×32.
fn batch<T: PeerFloat>(bench: &mut Bench<'_>, peak: f64) {
    const BATCH: usize = 64;
    const N: usize = 32;
    let (a, b) = (normal::<T>(&[BATCH, N, N]), normal::<T>(&[BATCH, N, N]));
    let slices = [&a, &b].map(|x| x.as_slice().expect("row-major"));
    let mut c = vec![T::ZERO; a.count()];
    bench.compare(
        "batch of 64, 32×32×32",
        2.0 * (BATCH * N * N * N) as f64 / peak,
        || drop(black_box(a.matmul(&b))),
        &mut [("ndarray", &mut || {
            for (c, start) in c.chunks_exact_mut(N * N).zip((0..).step_by(N * N)) {
                let [a, b] = slices.map(|elements| &elements[start..][..N * N]);
                Product::new([N; 3], a, false, b).compute(c);
            }
        })],
    );
}

fn matmul(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let mut bench = Bench::new(criterion, "matmul/f32", threads);
        products::<f32>(&mut bench);
        bench.finish();
        let mut bench = Bench::new(criterion, "matmul/f64", threads);
        products::<f64>(&mut bench);
        bench.finish();
    }
}

criterion_group!(benches, matmul);
criterion_main!(benches);
