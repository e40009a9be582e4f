//! Sorting, the first elements, distinct values, and what stands where a mask holds: a million elements
//! beside the plain way with the standard library's functions, on one thread.
//!
//! There is no floor: the bytes at the rate of a copy say little of what order costs.

use std::cmp::Ordering;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use macula::prelude::{Rng, Tensor};
use macula::tensor::random::RandomFloat;
use macula_benches::{Bench, normal};

const ELEMENTS: usize = 1 << 20;
/// Of a row where there are many.
const ROW: usize = 1024;

type Pair<T> = (T, i64);

/// Each element with its place.
fn pairs<T: Copy>(x: &[T]) -> Vec<Pair<T>> {
    x.iter().copied().zip(0..).collect()
}

fn before<T: PartialOrd>(a: &Pair<T>, b: &Pair<T>) -> Ordering {
    let values = a.0.partial_cmp(&b.0).expect("no NaN here");
    values.then(a.1.cmp(&b.1))
}

/// Each row sorted, with the places.
fn plain_sort<T: Copy + PartialOrd>(x: &[T], row: usize) -> Vec<Vec<Pair<T>>> {
    let sorted = x.chunks(row).map(|row| {
        let mut pairs = pairs(row);
        pairs.sort_unstable_by(before);
        pairs
    });
    sorted.collect()
}

/// The smallest of each row, sorted, with their places.
fn plain_first<T: Copy + PartialOrd>(x: &[T], row: usize, count: usize) -> Vec<Vec<Pair<T>>> {
    let first = x.chunks(row).map(|row| {
        let mut pairs = pairs(row);
        pairs.select_nth_unstable_by(count, before);
        pairs.truncate(count);
        pairs.sort_unstable_by(before);
        pairs
    });
    first.collect()
}

fn floats<T: RandomFloat>(bench: &mut Bench<'_>) {
    let x = normal::<T>(&[ELEMENTS]);
    let rows = x.reshape([ELEMENTS / ROW, ROW]).expect("as many elements");
    let slice = x.as_slice().expect("row-major");
    for (name, x, row) in [("sort", &x, ELEMENTS), ("sort of rows", &rows, ROW)] {
        bench.compare(
            name,
            0.0,
            || drop(black_box(x.sort(-1, false))),
            &mut [("plain", &mut || drop(black_box(plain_sort(slice, row))))],
        );
    }
    for (name, x, row, count) in [
        ("first 100", &x, ELEMENTS, 100),
        ("first 5 of rows", &rows, ROW, 5),
    ] {
        bench.compare(
            name,
            0.0,
            || drop(black_box(x.topk(count, -1, false))),
            &mut [("plain", &mut || {
                drop(black_box(plain_first(slice, row, count)))
            })],
        );
    }
    bench.compare(
        "median of rows",
        0.0,
        || drop(black_box(rows.median(-1))),
        &mut [],
    );
    bench.compare("unique", 0.0, || drop(black_box(x.unique())), &mut []);
    let mask = x.gt(&Tensor::scalar(T::ZERO)).expect("one shape");
    let chosen = mask.as_slice().expect("row-major");
    bench.compare(
        "masked_select",
        0.0,
        || drop(black_box(x.masked_select(&mask))),
        &mut [("plain", &mut || {
            let chosen = slice.iter().zip(chosen).filter(|pair| *pair.1);
            drop(black_box(chosen.map(|pair| *pair.0).collect::<Vec<T>>()));
        })],
    );
}

/// Labels: few values, each many times.
fn labels(bench: &mut Bench<'_>) {
    let x = Tensor::<i64>::integers([ELEMENTS], 0, 1000, &mut Rng::seed(3)).expect("a valid range");
    let slice = x.as_slice().expect("row-major");
    bench.compare(
        "sort of labels",
        0.0,
        || drop(black_box(x.sort(0, false))),
        &mut [("plain", &mut || {
            drop(black_box(plain_sort(slice, ELEMENTS)))
        })],
    );
    bench.compare(
        "unique labels",
        0.0,
        || drop(black_box(x.unique())),
        &mut [],
    );
}

fn order(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let mut bench = Bench::new(criterion, "order/f32", threads);
        floats::<f32>(&mut bench);
        labels(&mut bench);
        bench.finish();
        let mut bench = Bench::new(criterion, "order/f64", threads);
        floats::<f64>(&mut bench);
        bench.finish();
    }
}

criterion_group!(benches, order);
criterion_main!(benches);
