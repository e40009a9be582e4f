//! Pointwise operations on 64 MiB of elements beside the same loop over slices, and beside memory:
//! the bytes that are read and written at the measured rate of a copy.
//!
//! A copy of whole blocks need not read the lines that it overwrites; a loop that stores register by
//! register does. So of the floor, one input leaves 2/3 and two leave 3/4 to a loop that is as fast
//! as memory.
//!
//! The slices lie in memory that is in use; macula makes a new tensor each time, whose memory is
//! recycled. For `exp` and `tanh` the loop over slices calls the functions of the standard library.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use macula::prelude::{Pointwise, Scalar, Tensor};
use macula::tensor::random::RandomFloat;
use macula_benches::{Bench, floor, normal};
use rayon::prelude::*;

const BYTES: usize = 64 << 20;
/// Elements that a thread of the loop over slices gets at a time.
const PIECE: usize = 32 * 1024;

/// a · b + a.
#[derive(Clone, Copy, Debug)]
struct MulAdd;

impl Pointwise<2> for MulAdd {
    const NAME: &'static str = "mul_add";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [a, b]: [S; 2]) -> S {
        a.mul_add(b, a)
    }
}

/// x · Φ(x), with the normal distribution Φ.
#[derive(Clone, Copy, Debug)]
struct Gelu;

impl Pointwise<1> for Gelu {
    const NAME: &'static str = "gelu";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        x * ((x * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5
    }
}

/// The functions of the standard library.
trait Standard: RandomFloat {
    fn exp(self) -> Self;
    fn tanh(self) -> Self;
}

macro_rules! standard {
    ($($T:ident)*) => {$(
        impl Standard for $T {
            fn exp(self) -> Self {
                $T::exp(self)
            }
            fn tanh(self) -> Self {
                $T::tanh(self)
            }
        }
    )*};
}
standard!(f32 f64);

/// The loop over slices.
fn slices<T: Standard>(a: &[T], b: &[T], c: &mut [T], f: impl Fn(T, T) -> T + Sync) {
    let operands = a.par_chunks(PIECE).zip(b.par_chunks(PIECE));
    let pieces = c.par_chunks_mut(PIECE).zip(operands);
    pieces.for_each(|(c, (a, b))| {
        for ((c, a), b) in c.iter_mut().zip(a).zip(b) {
            *c = f(*a, *b);
        }
    });
}

/// The bytes of one, two and three streams at the rate of a copy.
fn streams(bench: &mut Bench<'_>) -> [f64; 3] {
    let copy = floor::copy_bandwidth(&bench.pool);
    let fresh = floor::copy_bandwidth_to_fresh_memory(&bench.pool);
    bench.note(format!(
        "a copy moves {:.1} GB/s, to fresh memory {:.1} GB/s",
        copy * 1e-9,
        fresh * 1e-9
    ));
    [1, 2, 3].map(|streams| (streams * BYTES) as f64 / copy)
}

fn large<T: Standard>(bench: &mut Bench<'_>) {
    let [_, two, three] = streams(bench);
    let n = BYTES / size_of::<T>();
    let (x, y) = (
        normal::<T>(&[4096, n / 4096]),
        normal::<T>(&[4096, n / 4096]),
    );
    let (row, column) = (normal::<T>(&[n / 4096]), normal::<T>(&[4096, 1]));
    let [a, b] = [&x, &y].map(|x| x.as_slice().expect("row-major"));
    let mut c = vec![T::ZERO; n];
    let mut loop_of = |f: fn(T, T) -> T| slices(a, b, black_box(&mut c), f);

    bench.compare(
        "add",
        three,
        || drop(black_box(x.add(&y))),
        &mut [("slices", &mut || loop_of(|a, b| a + b))],
    );
    bench.compare(
        "a·b + a",
        three,
        || drop(black_box(x.zip(&y, MulAdd))),
        &mut [("slices", &mut || loop_of(|a, b| a * b + a))],
    );
    bench.compare(
        "add a row",
        two,
        || drop(black_box(x.add(&row))),
        &mut [("slices", &mut || loop_of(|a, _| a + T::ONE))],
    );
    bench.compare(
        "add a column",
        two,
        || drop(black_box(x.add(&column))),
        &mut [("slices", &mut || loop_of(|a, _| a + T::ONE))],
    );
    bench.compare(
        "relu",
        two,
        || drop(black_box(x.relu())),
        &mut [("slices", &mut || {
            loop_of(|a, _| if a > T::ZERO { a } else { T::ZERO })
        })],
    );
    bench.compare(
        "exp",
        two,
        || drop(black_box(x.exp())),
        &mut [("slices", &mut || loop_of(|a, _| a.exp()))],
    );
    bench.compare(
        "sigmoid",
        two,
        || drop(black_box(x.sigmoid())),
        &mut [("slices", &mut || {
            loop_of(|a, _| T::ONE / (T::ONE + (-a).exp()))
        })],
    );
    bench.compare(
        "tanh",
        two,
        || drop(black_box(x.tanh())),
        &mut [("slices", &mut || loop_of(|a, _| a.tanh()))],
    );
    bench.compare("gelu", two, || drop(black_box(x.map(Gelu))), &mut []);
}

/// Where bookkeeping is the whole cost.
fn small(bench: &mut Bench<'_>) {
    let (x, y) = (Tensor::from([1.0_f32; 4]), Tensor::from([2.0_f32; 4]));
    let (a, b) = ([1.0_f32; 4], [2.0_f32; 4]);
    bench.compare(
        "add of 4 elements",
        0.0,
        || drop(black_box(black_box(&x).add(&y))),
        &mut [("boxed slice", &mut || {
            let sums = black_box(&a).iter().zip(black_box(&b)).map(|(a, b)| a + b);
            drop(black_box(sums.collect::<Box<[f32]>>()));
        })],
    );
    let (rows, bias) = (normal::<f32>(&[32, 10]), normal::<f32>(&[10]));
    bench.compare(
        "add a row of 10 to 32",
        0.0,
        || drop(black_box(black_box(&rows).add(&bias))),
        &mut [],
    );
    bench.compare(
        "relu of 4 elements",
        0.0,
        || drop(black_box(black_box(&x).relu())),
        &mut [],
    );
}

fn elementwise(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let mut bench = Bench::new(criterion, "elementwise/f32", threads);
        large::<f32>(&mut bench);
        small(&mut bench);
        bench.finish();
        let mut bench = Bench::new(criterion, "elementwise/f64", threads);
        large::<f64>(&mut bench);
        bench.finish();
    }
}

criterion_group!(benches, elementwise);
criterion_main!(benches);
