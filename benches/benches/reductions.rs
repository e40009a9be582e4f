//! Reductions, softmax and transposing copies of 64 MiB beside the plain loop, and beside memory:
//! the bytes that are read and written at the measured rate of a copy.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use macula::tensor::random::RandomFloat;
use macula_benches::{Bench, floor, normal};
use rayon::prelude::*;

const BYTES: usize = 64 << 20;
const ROWS: usize = 4096;

/// The sum of all elements, in eight sums side by side.
fn plain_sum<T: RandomFloat>(x: &[T]) -> T {
    let parts = x.par_chunks(1 << 15).map(|x| {
        let (groups, _) = x.as_chunks::<64>();
        let mut sums = [T::ZERO; 64];
        for group in groups {
            for (sum, x) in sums.iter_mut().zip(group) {
                *sum = *sum + *x;
            }
        }
        sums.into_iter().fold(T::ZERO, |sum, x| sum + x)
    });
    parts.reduce(|| T::ZERO, |a, b| a + b)
}

/// The sums of the columns, row by row.
fn plain_columns<T: RandomFloat>(x: &[T], columns: usize) -> Vec<T> {
    let parts = x.par_chunks(columns * 256).map(|rows| {
        let mut sums = vec![T::ZERO; columns];
        for row in rows.chunks_exact(columns) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum = *sum + *x;
            }
        }
        sums
    });
    parts.reduce(
        || vec![T::ZERO; columns],
        |mut sums, part| {
            for (sum, x) in sums.iter_mut().zip(part) {
                *sum = *sum + x;
            }
            sums
        },
    )
}

/// The transpose of a matrix, element by element.
fn plain_transpose<T: RandomFloat>(x: &[T], columns: usize, to: &mut [T]) {
    let rows = x.len() / columns;
    to.par_chunks_mut(rows)
        .enumerate()
        .for_each(|(column, to)| {
            for (to, from) in to.iter_mut().zip(x[column..].iter().step_by(columns)) {
                *to = *from;
            }
        });
}

fn reductions<T: RandomFloat>(bench: &mut Bench<'_>) {
    let copy = floor::copy_bandwidth(&bench.pool);
    bench.note(format!("a copy moves {:.1} GB/s", copy * 1e-9));
    let (one, two) = (BYTES as f64 / copy, (2 * BYTES) as f64 / copy);
    let columns = BYTES / size_of::<T>() / ROWS;
    let x = normal::<T>(&[ROWS, columns]);
    let slice = x.as_slice().expect("row-major");

    bench.compare(
        "sum",
        one,
        || drop(black_box(x.sum(..))),
        &mut [("plain", &mut || {
            black_box(plain_sum(black_box(slice)));
        })],
    );
    bench.compare(
        "sum along axis 0",
        one,
        || drop(black_box(x.sum(0))),
        &mut [("plain", &mut || {
            drop(black_box(plain_columns(black_box(slice), columns)))
        })],
    );
    bench.compare(
        "sum along axis 1",
        one,
        || drop(black_box(x.sum(1))),
        &mut [],
    );
    bench.compare(
        "mean along axis 1",
        one,
        || drop(black_box(x.mean(1))),
        &mut [],
    );
    bench.compare("amax", one, || drop(black_box(x.amax(..))), &mut []);
    bench.compare(
        "amax along axis 0",
        one,
        || drop(black_box(x.amax(0))),
        &mut [],
    );
    bench.compare(
        "amax along axis 1",
        one,
        || drop(black_box(x.amax(1))),
        &mut [],
    );
    bench.compare("argmax", one, || drop(black_box(x.argmax(..))), &mut []);
    bench.compare(
        "argmax along axis 0",
        one,
        || drop(black_box(x.argmax(0))),
        &mut [],
    );
    bench.compare(
        "argmax along axis 1",
        one,
        || drop(black_box(x.argmax(1))),
        &mut [],
    );

    let transposed = x.transpose(0, 1).expect("two axes");
    let mut to = vec![T::ZERO; x.count()];
    bench.compare(
        "transposing copy",
        two,
        || drop(black_box(transposed.contiguous())),
        &mut [("plain", &mut || {
            plain_transpose(slice, columns, black_box(&mut to))
        })],
    );
    // [64, 64, columns]: whole rows change places.
    let blocks = x.reshape([64, 64, columns]).expect("as many elements");
    let permuted = blocks.permute([1, 0, 2]).expect("three axes");
    bench.compare(
        "permuting copy",
        two,
        || drop(black_box(permuted.contiguous())),
        &mut [],
    );
    let matrices = x.reshape([x.count() / 16, 4, 4]).expect("as many elements");
    let matrices = matrices.transpose(1, 2).expect("three axes");
    bench.compare(
        "transposing copy of 4×4s",
        two,
        || drop(black_box(matrices.contiguous())),
        &mut [],
    );
}

/// Along each axis of [65536, 128].
fn softmax<T: RandomFloat>(bench: &mut Bench<'_>) {
    let copy = floor::copy_bandwidth(&bench.pool);
    let x = normal::<T>(&[65536, 128]);
    let two = (2 * x.count() * size_of::<T>()) as f64 / copy;
    bench.compare(
        "softmax along axis 1",
        two,
        || drop(black_box(x.softmax(1))),
        &mut [],
    );
    bench.compare(
        "log_softmax along axis 1",
        two,
        || drop(black_box(x.log_softmax(1))),
        &mut [],
    );
    bench.compare(
        "softmax along axis 0",
        two,
        || drop(black_box(x.softmax(0))),
        &mut [],
    );
    bench.compare(
        "log_softmax along axis 0",
        two,
        || drop(black_box(x.log_softmax(0))),
        &mut [],
    );
    // [512, 128, 128] along the middle.
    let x = x.reshape([512, 128, 128]).expect("as many elements");
    bench.compare(
        "softmax along axis 1 of 3",
        two,
        || drop(black_box(x.softmax(1))),
        &mut [],
    );
    // Two classes.
    let x = x.reshape([1 << 22, 2]).expect("as many elements");
    bench.compare(
        "softmax of pairs",
        two,
        || drop(black_box(x.softmax(1))),
        &mut [],
    );
}

fn all(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let mut bench = Bench::new(criterion, "reductions/f32", threads);
        reductions::<f32>(&mut bench);
        softmax::<f32>(&mut bench);
        bench.finish();
        let mut bench = Bench::new(criterion, "reductions/f64", threads);
        reductions::<f64>(&mut bench);
        softmax::<f64>(&mut bench);
        bench.finish();
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
