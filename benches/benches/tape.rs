//! What a tape costs: on operations so small that it is all there is, on a long chain, in memory,
//! and in a training step of ordinary size.
//!
//! Each part prints a table: times stand beside the same arithmetic on tensors without a tape. They
//! are the least of criterion's samples, or medians of two pieces of work that take turns.

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use macula::prelude::*;
use macula::tensor::ops::{apply, pointwise as formulas};
use macula::tensor::pointwise::Derived;
use macula::tensor::{Update, memory, update};
use macula_benches::{fastest, rounds};
use rayon::ThreadPoolBuilder;

/// The least time of a call of `work` in seconds.
fn least<R>(
    criterion: &mut Criterion,
    group: &str,
    name: &str,
    mut work: impl FnMut() -> Result<R>,
) -> f64 {
    let time = fastest(criterion, group, name, |count| {
        rounds(count, || {
            black_box(work().expect("valid"));
        })
    });
    time.unwrap_or(f64::INFINITY)
}

/// The median times of two pieces of work in seconds, which take turns: whatever slows the machine
/// for a while slows both.
fn in_turns(mut first: impl FnMut(), mut second: impl FnMut()) -> [f64; 2] {
    const ROUNDS: usize = 301;
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        let works: [&mut dyn FnMut(); 2] = [&mut first, &mut second];
        for (work, times) in works.into_iter().zip(&mut times) {
            let start = Instant::now();
            work();
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    })
}

/// Operations of a short chain and of a longer one, both as long as tapes of models are. The time of an
/// operation is what one more of them adds, so start and end do not count.
const CHAINS: [usize; 2] = [100, 200];

/// An operation on four elements.
struct Small {
    name: &'static str,
    /// Whether the second operand is a variable: the same one along the chain, which sums its gradient.
    both: bool,
    recorded: fn(&Var, &Var) -> Result<Var>,
    /// The same on tensors, without a tape.
    there: fn(&Tensor, &Tensor) -> Result<Tensor>,
    /// The gradient of the first operand from the upstream one, in its place; and that of the second,
    /// added to a sum.
    back: fn([&Tensor; 2], &mut Tensor, &mut Tensor) -> Result<()>,
}

const SMALL: [Small; 7] = [
    Small {
        name: "add",
        both: false,
        recorded: |x, y| x.add(y),
        there: |x, y| x.add(y),
        back: |_, _, _| Ok(()),
    },
    Small {
        name: "neg",
        both: false,
        recorded: |x, _| x.neg(),
        there: |x, _| x.neg(),
        back: |_, upstream, _| upstream.scale(-1.0),
    },
    Small {
        name: "mul_scalar",
        both: false,
        recorded: |x, _| x.mul_scalar(-1.0),
        there: |x, _| x.mul_scalar(-1.0),
        back: |_, upstream, _| upstream.scale(-1.0),
    },
    Small {
        name: "mul",
        both: false,
        recorded: |x, y| x.mul(y),
        there: |x, y| x.mul(y),
        back: |[_, y], upstream, _| upstream.mul_assign(y),
    },
    Small {
        name: "square",
        both: false,
        recorded: |x, _| x.square(),
        there: |x, _| x.square(),
        back: |[x, _], upstream, _| {
            let slope = Derived::new(formulas::Square).differentiate(0);
            apply::chain(&slope, [x], upstream)
        },
    },
    Small {
        name: "relu",
        both: false,
        recorded: |x, _| x.relu(),
        there: |x, _| x.relu(),
        back: |[x, _], upstream, _| {
            let slope = Derived::new(formulas::Relu).differentiate(0);
            apply::chain(&slope, [x], upstream)
        },
    },
    Small {
        name: "mul, both",
        both: true,
        recorded: |x, y| x.mul(y),
        there: |x, y| x.mul(y),
        back: |[x, y], upstream, sum| {
            sum.add_assign(&upstream.mul(x)?)?;
            upstream.mul_assign(y)
        },
    },
];

fn small(criterion: &mut Criterion) {
    let group = "operations on 4 elements";
    let x = Tensor::from([0.1_f32, -0.2, 0.3, -0.4]);
    let y = Tensor::from([1.0_f32, -1.0, 1.0, -1.0]);
    let mut table = Vec::new();
    for op in SMALL {
        let mut time = |what: &str, work: &dyn Fn(usize) -> Result<()>| {
            let [short, long] = CHAINS.map(|length| {
                let name = format!("{}, {what}, {length} times", op.name);
                least(criterion, group, &name, || work(length))
            });
            1e9 * (long - short) / (CHAINS[1] - CHAINS[0]) as f64
        };
        let recorded = time("recorded", &|length| {
            let tape = Tape::new();
            let mut z = tape.var(&x);
            let y = match op.both {
                true => tape.var(&y),
                false => tape.constant(&y),
            };
            for _ in 0..length {
                z = (op.recorded)(&z, &y)?;
            }
            drop(y);
            black_box(z.sum(..)?.backward()?);
            Ok(())
        });
        let by_hand = time("by hand", &|length| {
            let mut values = Vec::with_capacity(length + 1);
            values.push(x.clone());
            for place in 0..length {
                values.push((op.there)(&values[place], &y)?);
            }
            let mut upstream = Tensor::ones([4])?;
            let mut sum = Tensor::zeros([4])?;
            while let Some(value) = values.pop() {
                (op.back)([&value, &y], &mut upstream, &mut sum)?;
            }
            black_box((upstream, sum));
            Ok(())
        });
        let there = time("forward only", &|length| {
            let mut z = x.clone();
            for _ in 0..length {
                z = (op.there)(&z, &y)?;
            }
            black_box(z);
            Ok(())
        });
        table.push((op.name, [recorded, by_hand, there]));
    }
    println!("\n{group}, ns; the second operand is data, or with \"both\" a variable");
    println!("            there and back: recorded   tensors alone   ratio   there only: tensors");
    for (name, [recorded, by_hand, there]) in table {
        let ratio = recorded / by_hand;
        println!("{name:10} {recorded:25.1} {by_hand:15.1} {ratio:7.2} {there:21.1}");
    }
}

/// There and back over chains of three lengths: the time of an operation stays what it is, and
/// nothing is called deeper than on a short one.
fn chain(criterion: &mut Criterion) {
    let group = "a chain of operations on 4 elements";
    let x = Tensor::from([0.1_f32, -0.2, 0.3, -0.4]);
    let mut table = Vec::new();
    for length in [10_000, 100_000, 1_000_000] {
        let time = least(criterion, group, &length.to_string(), || {
            let mut z = Tape::new().var(&x);
            for _ in 0..length {
                z = z.neg()?;
            }
            z.sum(..)?.backward()
        });
        table.push((length, 1e9 * time / length as f64));
    }
    println!("\n{group}, ns an operation");
    for (length, time) in table {
        println!("{length:>9} {time:7.1}");
    }
}

/// The variable itself; on the way back it writes down the bytes in use.
fn probe(x: &Var, seen: &Arc<Mutex<Vec<usize>>>) -> Result<Var> {
    let seen = Arc::clone(seen);
    let rule = move |upstream: &Var, _: &Saved<f32>| {
        seen.lock().expect("nobody panics").push(memory::used());
        Ok([Some(upstream.clone())])
    };
    Var::record("probe", [x], x.value().clone(), Keep::Nothing, rule)
}

/// Bytes in use on the way back over operations that keep a mebibyte each.
fn falling(_: &mut Criterion) {
    const LAYERS: usize = 16;
    let seen = Arc::default();
    let pass = || -> Result<Gradients> {
        let tape = Tape::new();
        let mut x = tape.var(Tensor::full([512, 512], 0.5)?);
        for _ in 0..LAYERS {
            x = probe(&x.tanh()?, &seen)?;
        }
        x.sum(..)?.backward()
    };
    drop(pass().expect("valid"));
    let seen = seen.lock().expect("nobody panics");
    let mebibytes: Vec<_> = seen.iter().map(|bytes| bytes >> 20).collect();
    println!("\nMiB in use at each of {LAYERS} operations on the way back: {mebibytes:?}");
    assert!(mebibytes.is_sorted_by(|before, after| before >= after));
}

const BATCH: usize = 128;
/// Features, two hidden layers, classes.
const WIDTHS: [usize; 4] = [784, 512, 512, 10];

fn labels() -> Tensor<i64> {
    Tensor::integers([BATCH], 0, 10, &mut Rng::seed(2)).expect("a valid shape")
}

/// A model of three layers, as a user writes it.
struct WithTape {
    model: Sequential,
    optimizer: Sgd,
    inputs: Tensor,
    labels: Tensor<i64>,
}

impl WithTape {
    fn new(batch: usize, [features, first, second, classes]: [usize; 4]) -> Self {
        let mut rng = Rng::seed(1);
        let model = Sequential::new()
            .then(Linear::new(features, first, &mut rng))
            .then(Relu)
            .then(Linear::new(first, second, &mut rng))
            .then(Relu)
            .then(Linear::new(second, classes, &mut rng));
        Self {
            optimizer: Sgd::new(model.parameters()).learning_rate(1e-2),
            model,
            inputs: Tensor::uniform([batch, features], 0.0, 1.0, &mut rng).expect("a valid shape"),
            labels: labels().narrow(0, 0, batch).expect("in range"),
        }
    }

    fn step(&mut self) -> Result<f64> {
        let tape = Tape::new();
        let logits = self.model.forward(&tape.constant(&self.inputs))?;
        let loss = SoftmaxCrossEntropy::new().forward(&logits, &self.labels)?;
        let value = loss.item()?;
        drop(logits);
        self.optimizer.step(&loss.backward()?)?;
        Ok(value)
    }

    /// Where the weights are.
    fn addresses(&self) -> Vec<Option<*const f32>> {
        let parameters = self.model.parameters();
        let values = parameters.iter().map(|(_, param)| param.value());
        values
            .map(|value| value.as_slice().map(<[f32]>::as_ptr))
            .collect()
    }
}

/// The same step on tensors, with derivatives written by hand.
struct ByHand {
    layers: Vec<[Tensor; 2]>,
    inputs: Tensor,
    targets: Tensor,
}

#[derive(Clone, Copy)]
struct Descent;

impl Update<1> for Descent {
    #[inline(always)]
    fn eval<S: Scalar>(&self, [weight]: [S; 1], gradient: S) -> [S; 1] {
        [weight - gradient * 1e-2]
    }
}

impl ByHand {
    fn new(from: &WithTape) -> Result<Self> {
        let parameters = from.model.parameters();
        let parameters: Vec<Tensor> = parameters.iter().map(|(_, param)| param.value()).collect();
        let layers = parameters.chunks_exact(2).map(|layer| {
            let [weight, bias] = [0, 1].map(|index| layer[index].to_vec());
            Ok([
                Tensor::from_vec(weight?, layer[0].shape())?,
                Tensor::from(bias?),
            ])
        });
        Ok(Self {
            layers: layers.collect::<Result<_>>()?,
            inputs: from.inputs.clone(),
            targets: from.labels.one_hot::<f32>(WIDTHS[3])?,
        })
    }

    fn step(&mut self) -> Result<f32> {
        let mut values = vec![self.inputs.clone()];
        for (number, [weight, bias]) in self.layers.iter().enumerate() {
            let value = values[number].linear(weight, Some(bias))?;
            values.push(match number {
                2 => value,
                _ => value.relu()?,
            });
        }
        let logits = values.pop().expect("three layers");
        let loss = logits.log_softmax(1)?.mul(&self.targets)?.sum(..)?.item()? / -(BATCH as f32);
        let error = logits.softmax(1)?.sub(&self.targets)?;
        let mut upstream = error.mul_scalar(1.0 / BATCH as f64)?;
        let slope = Derived::new(formulas::Relu).differentiate(0);
        for (layer, value) in self.layers.iter_mut().zip(values).rev() {
            let gradients = [upstream.transpose(0, 1)?.matmul(&value)?, upstream.sum(0)?];
            if value.shape() != self.inputs.shape() {
                upstream = upstream.matmul(&layer[0])?;
                apply::chain(&slope, [&value], &mut upstream)?;
            }
            for (weight, gradient) in layer.iter_mut().zip(&gradients) {
                // The optimizer looks before it steps, too.
                assert!(gradient.all_finite()?);
                let gradient = gradient.as_slice().expect("row-major");
                update(&Descent, [weight.make_mut()?], gradient)?;
            }
        }
        Ok(loss)
    }
}

fn perceptron(criterion: &mut Criterion) {
    let group = "training step, 784-512-512-10, batch 128";
    let mut table = Vec::new();
    for threads in [1, 2] {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("threads can be started");
        let mut with_tape = WithTape::new(BATCH, WIDTHS);
        let mut by_hand = ByHand::new(&with_tape).expect("valid");
        let losses = (with_tape.step(), by_hand.step());
        let (first, second) = (losses.0.expect("valid"), losses.1.expect("valid"));
        assert!((first - f64::from(second)).abs() < 1e-5, "{first} {second}");
        let addresses = with_tape.addresses();
        let times = in_turns(
            || {
                black_box(pool.install(|| with_tape.step().expect("valid")));
            },
            || {
                black_box(pool.install(|| by_hand.step().expect("valid")));
            },
        );
        assert_eq!(with_tape.addresses(), addresses, "weights have moved");
        table.push((threads, times));
    }
    let mut tiny = WithTape::new(1, [1, 1, 1, 2]);
    tiny.labels = Tensor::from([0]);
    let tiny = least(criterion, group, "all sizes 1", || tiny.step());
    let [one_thread, _] = table[0].1;
    println!("\n{group}; the weights have stayed where they were");
    println!("threads   with the tape   by hand   the tape's share");
    for (threads, [with_tape, by_hand]) in table {
        println!(
            "{threads:7} {:12.3} ms {:6.3} ms {:15.1} %",
            1e3 * with_tape,
            1e3 * by_hand,
            100.0 * (with_tape - by_hand) / with_tape,
        );
    }
    println!(
        "the same with all sizes 1, so that everything but arithmetic is left: {:.2} µs, {:.2} % of \
         the step on one thread",
        1e6 * tiny,
        100.0 * tiny / one_thread,
    );
}

criterion_group!(benches, small, chain, falling, perceptron);
criterion_main!(benches);
