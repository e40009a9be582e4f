//! What a tape costs: on operations so small that it is all there is, on a long chain, in memory,
//! and in a training step of ordinary size.
//!
//! Each part prints a table after criterion's lines: times are the least of all samples, and
//! stand beside the same arithmetic on tensors without a tape.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use macula::prelude::*;

/// The least time of a call of `work` in seconds.
fn least<R>(
    criterion: &mut Criterion,
    group: &str,
    name: &str,
    mut work: impl FnMut() -> Result<R>,
) -> f64 {
    let mut least = f64::INFINITY;
    let mut group = criterion.benchmark_group(group);
    group.sample_size(20);
    group.warm_up_time(Duration::from_millis(100));
    group.measurement_time(Duration::from_millis(300));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|rounds| {
            let start = Instant::now();
            for _ in 0..rounds {
                black_box(work().expect("valid"));
            }
            let elapsed = start.elapsed();
            least = least.min(elapsed.as_secs_f64() / rounds as f64);
            elapsed
        });
    });
    group.finish();
    least
}

/// Operations of a chain that is long enough for its start and end not to count.
const CHAIN: usize = 1000;

/// An operation on four elements: its name, as the tape does it, as tensors alone do it there and
/// back, and there alone.
type Small = (
    &'static str,
    fn(&Var, &Var) -> Result<Var>,
    fn(&Tensor, &Tensor, &Tensor) -> Result<(Tensor, Tensor)>,
    fn(&Tensor, &Tensor) -> Result<Tensor>,
);

const SMALL: [Small; 5] = [
    (
        "add",
        |x, y| x.add(y),
        |x, y, g| Ok((x.add(y)?, g.clone())),
        |x, y| x.add(y),
    ),
    (
        "mul",
        |x, y| x.mul(y),
        |x, y, g| Ok((x.mul(y)?, g.mul(y)?)),
        |x, y| x.mul(y),
    ),
    (
        "mul_scalar",
        |x, _| x.mul_scalar(1.5),
        |x, _, g| Ok((x.mul_scalar(1.5)?, g.mul_scalar(1.5)?)),
        |x, _| x.mul_scalar(1.5),
    ),
    (
        "neg",
        |x, _| x.neg(),
        |x, _, g| Ok((x.neg()?, g.neg()?)),
        |x, _| x.neg(),
    ),
    (
        "square",
        |x, _| x.square(),
        |x, _, g| Ok((x.square()?, g.mul(x)?)),
        |x, _| x.square(),
    ),
];

fn small(criterion: &mut Criterion) {
    let group = "operations on 4 elements";
    let x = Tensor::from([0.1_f32, -0.2, 0.3, -0.4]);
    let y = Tensor::from([1.0_f32, 1.1, 0.9, -1.0]);
    let nanoseconds = 1e9 / CHAIN as f64;
    let mut table = Vec::new();
    for (name, recorded, by_hand, plain) in SMALL {
        let recorded = least(criterion, group, &format!("{name}, recorded"), || {
            let tape = Tape::new();
            let mut z = tape.var(&x);
            let y = tape.constant(&y);
            for _ in 0..CHAIN {
                z = recorded(&z, &y)?;
            }
            drop(y);
            z.sum(..)?.backward()
        });
        let by_hand = least(criterion, group, &format!("{name}, by hand"), || {
            let (mut z, mut gradient) = (x.clone(), x.clone());
            for _ in 0..CHAIN {
                (z, gradient) = by_hand(&z, &y, &gradient)?;
            }
            Ok((z, gradient))
        });
        let plain = least(criterion, group, &format!("{name}, forward only"), || {
            let mut z = x.clone();
            for _ in 0..CHAIN {
                z = plain(&z, &y)?;
            }
            Ok(z)
        });
        table.push((name, [recorded, by_hand, plain].map(|time| time * nanoseconds)));
    }
    println!("\n{group}, ns         recorded, there and back   tensors alone   there only");
    for (name, [recorded, by_hand, plain]) in table {
        println!("{name:12} {recorded:10.1} {by_hand:10.1} {plain:10.1}   ×{:.2}", recorded / by_hand);
    }
}

criterion_group!(benches, small);
criterion_main!(benches);
