//! Convolution with both gradients, f32, beside the plain way to do it: every image copied to a
//! matrix of windows, and three matrix products.
//!
//! The floor is arithmetic: each of the three passes has 2·N·O·H'·W'·C·K·K' operations, and the
//! share of the peak is what of this machine's fused multiply-adds, measured in the same run, does
//! those. `on the tape` is a whole training pass: forward with a bias, sum, and backward to input,
//! weight and bias; it also has to write and read the output, and its sum and gradient. The last
//! measurement is a training step of LeNet on 64 images.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Mutex;
use std::time::Instant;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use macula::prelude::*;
use macula::tensor::cpu::lanes::{LaneFloat, LaneMemory, dispatch};
use macula::tensor::cpu::{Simd, WithSimd};
use macula::tensor::{Convolution, Pooling};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A convolution of square images with stride 1.
struct Layer {
    batch: usize,
    channels: [usize; 2],
    size: usize,
    kernel: usize,
    padding: usize,
}

const LAYERS: [Layer; 5] = [
    Layer::new(32, [1, 16], 28, 3, 1),
    Layer::new(32, [16, 32], 28, 3, 1),
    // The two of LeNet.
    Layer::new(64, [1, 6], 28, 5, 2),
    Layer::new(64, [6, 16], 14, 5, 0),
    Layer::new(8, [64, 64], 56, 3, 1),
];

impl Layer {
    const fn new(
        batch: usize,
        channels: [usize; 2],
        size: usize,
        kernel: usize,
        padding: usize,
    ) -> Self {
        Self {
            batch,
            channels,
            size,
            kernel,
            padding,
        }
    }

    fn name(&self) -> String {
        let ([inputs, outputs], k) = (self.channels, self.kernel);
        let (batch, size) = (self.batch, self.size);
        format!("[{batch}, {inputs}, {size}, {size}] to {outputs} channels, {k}x{k}")
    }

    fn settings(&self) -> Convolution {
        Convolution::new().padding(self.padding)
    }

    fn output(&self) -> usize {
        self.size + 2 * self.padding - self.kernel + 1
    }

    /// Operations of one of the three passes.
    fn operations(&self) -> f64 {
        let [inputs, outputs] = self.channels;
        let sums = self.batch * outputs * self.output() * self.output();
        (2 * sums * inputs * self.kernel * self.kernel) as f64
    }

    /// Input, weight, bias and upstream gradient.
    fn operands(&self) -> [Tensor; 4] {
        let [inputs, outputs] = self.channels;
        let (size, output, k) = (self.size, self.output(), self.kernel);
        let mut rng = Rng::seed(7);
        let mut normal =
            |shape: &[usize]| Tensor::normal(shape, 0.0, 1.0, &mut rng).expect("a valid shape");
        [
            normal(&[self.batch, inputs, size, size]),
            normal(&[outputs, inputs, k, k]),
            normal(&[outputs]),
            normal(&[self.batch, outputs, output, output]),
        ]
    }

    /// Output, gradient to the input, gradient to the weight.
    fn passes(&self, [x, weight, bias, upstream]: &[Tensor; 4]) -> Result<[Tensor; 3]> {
        let settings = self.settings();
        let size = [self.size, self.size];
        Ok([
            x.conv2d(weight, Some(bias), &settings)?,
            upstream.conv_input_gradient(weight, size, &settings)?,
            upstream.conv_weight_gradient(x, [self.kernel, self.kernel], &settings)?,
        ])
    }

    /// The same by matrices of windows.
    fn plain(&self, [x, weight, bias, upstream]: &[Tensor; 4]) -> Result<[Tensor; 3]> {
        let [inputs, outputs] = self.channels;
        let k = self.kernel;
        let matrix = weight.reshape([outputs, inputs * k * k])?;
        let windows = windows(x, k, self.padding)?;
        let output = windows.linear(&matrix, Some(bias))?;
        // The gradient to the input is a convolution with the kernel turned round.
        let turned = weight.flip([2, 3])?.transpose(0, 1)?;
        let turned = turned.reshape([inputs, outputs * k * k])?;
        let around = self::windows(upstream, k, k - 1 - self.padding)?;
        let rows = upstream.permute([0, 2, 3, 1])?.flatten_range(0, 2)?;
        Ok([
            self.image(&output, self.output())?,
            self.image(&around.linear(&turned, None)?, self.size)?,
            rows.transpose(0, 1)?.matmul(&windows)?,
        ])
    }

    /// Rows of channels as planes.
    fn image(&self, rows: &Tensor, size: usize) -> Result<Tensor> {
        let rows = rows.reshape([self.batch, size, size, rows.shape()[1]])?;
        rows.permute([0, 3, 1, 2])?.contiguous()
    }

    fn on_the_tape(&self, [x, weight, bias, _]: &[Tensor; 4]) -> Result<Gradients> {
        let tape = Tape::new();
        let [x, weight, bias] = [x, weight, bias].map(|operand| tape.var(operand));
        let y = x.conv2d(&weight, Some(&bias), &self.settings())?;
        y.sum(..)?.backward()
    }
}

/// The windows of a kernel, one to a row.
fn windows(x: &Tensor, kernel: usize, padding: usize) -> Result<Tensor> {
    let padding = (padding, padding);
    let padded = x.pad([(0, 0), (0, 0), padding, padding], 0.0)?;
    let windows = padded.unfold(2, kernel, 1)?.unfold(3, kernel, 1)?;
    let windows = windows.permute([0, 2, 3, 1, 4, 5])?;
    let length = x.shape()[1] * kernel * kernel;
    windows.reshape([windows.count() / length, length])
}

/// The network of LeCun et al., 1998, with rectifiers and maxima, and its optimizer.
struct LeNet {
    convolutions: [(Param, Param, Convolution); 2],
    linear: [Linear; 3],
    optimizer: Adam,
}

impl LeNet {
    fn new() -> Self {
        let mut rng = Rng::seed(7);
        let mut convolution = |shape: [usize; 4], settings: Convolution| {
            let deviation = (shape[1] * shape[2] * shape[3]) as f64;
            let deviation = 1.0 / deviation.sqrt();
            let weight = Tensor::normal(shape, 0.0, deviation, &mut rng).expect("a valid shape");
            let bias = Tensor::zeros([shape[0]]).expect("a valid shape");
            (
                Param::new("weight", weight),
                Param::new("bias", bias),
                settings,
            )
        };
        let convolutions = [
            convolution([6, 1, 5, 5], Convolution::new().padding(2)),
            convolution([16, 6, 5, 5], Convolution::new()),
        ];
        let linear = [[400, 120], [120, 84], [84, 10]];
        let linear = linear.map(|[inputs, outputs]| Linear::new(inputs, outputs, &mut rng));
        let own = convolutions
            .iter()
            .flat_map(|(weight, bias, _)| [weight.clone(), bias.clone()]);
        let all = own.chain(linear.iter().flat_map(|layer| {
            let parameters = layer.parameters();
            parameters
                .into_iter()
                .map(|(_, param)| param)
                .collect::<Vec<_>>()
        }));
        let named = all
            .enumerate()
            .map(|(number, param)| (number.to_string(), param));
        Self {
            optimizer: Adam::new(named.collect()).learning_rate(1e-3),
            convolutions,
            linear,
        }
    }

    fn forward(&self, images: &Tensor) -> Result<Var> {
        let tape = Tape::new();
        let mut x = tape.constant(images);
        for (weight, bias, settings) in &self.convolutions {
            let (weight, bias) = (tape.param(weight), tape.param(bias));
            let y = x.conv2d(&weight, Some(&bias), settings)?.relu()?;
            (x, _) = y.max_pool2d(&Pooling::new(2))?;
        }
        x = x.flatten_range(1, -1)?;
        let [first, second, last] = &self.linear;
        x = first.forward(&x)?.relu()?;
        x = second.forward(&x)?.relu()?;
        last.forward(&x)
    }

    fn step(&mut self, images: &Tensor, labels: &Tensor<i64>) -> Result<f64> {
        let logits = self.forward(images)?;
        let loss = SoftmaxFocalLoss::new()
            .gamma(2.0)
            .forward(&logits, labels)?;
        let value = loss.item()?;
        self.optimizer.step(&loss.backward()?)?;
        Ok(value)
    }
}

/// Fused multiply-adds that wait for nothing but themselves.
struct MultiplyAdd {
    repeats: usize,
}

impl MultiplyAdd {
    const SUMS: usize = 24;
}

impl WithSimd for MultiplyAdd {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let factor = <f32 as LaneFloat>::splat(simd, black_box(0.5));
        let mut sums = [<f32 as LaneFloat>::splat(simd, black_box(1.0)); Self::SUMS];
        for _ in 0..self.repeats {
            for sum in &mut sums {
                *sum = <f32 as LaneFloat>::mul_add(simd, *sum, factor, factor);
            }
        }
        black_box(sums.map(|sum| simd.reduce_sum_f32s(sum)));
        (2 * self.repeats * Self::SUMS * <f32 as LaneMemory>::width::<S>()) as f64
    }
}

/// Operations a second of one thread, the best of many short runs.
fn peak() -> f64 {
    let runs = (0..200).map(|_| {
        let start = Instant::now();
        let operations = dispatch(MultiplyAdd { repeats: 10_000 });
        operations / start.elapsed().as_secs_f64()
    });
    runs.fold(0.0, f64::max)
}

/// One group of measurements on a number of threads.
struct Bench<'a> {
    group: BenchmarkGroup<'a, WallTime>,
    pool: ThreadPool,
}

impl Bench<'_> {
    /// The shortest time of one run in seconds; none if it was filtered out.
    fn run<R: Send>(&mut self, name: String, work: impl Fn() -> R + Sync) -> Option<f64> {
        let (best, pool) = (Cell::new(None), &self.pool);
        self.group.bench_function(name, |bencher| {
            bencher.iter_custom(|runs| {
                let start = Instant::now();
                for _ in 0..runs {
                    black_box(pool.install(&work));
                }
                let elapsed = start.elapsed();
                let one = elapsed.as_secs_f64() / runs as f64;
                best.set(Some(best.get().map_or(one, |best: f64| best.min(one))));
                elapsed
            });
        });
        best.get()
    }

    fn layer(&mut self, layer: &Layer, peak: f64) {
        let operands = layer.operands();
        let name = layer.name();
        let passes = self.run(format!("{name}, three passes"), || layer.passes(&operands));
        let plain = self.run(format!("{name}, by matrices"), || layer.plain(&operands));
        let tape = self.run(format!("{name}, on the tape"), || {
            layer.on_the_tape(&operands)
        });
        let tell = |what: &str, seconds: f64| {
            let rate = 3.0 * layer.operations() / seconds;
            println!(
                "{name}, {what}: {:.3} ms, {:.0} GFLOP/s, {:.0} % of the peak",
                seconds * 1e3,
                rate * 1e-9,
                100.0 * rate / peak
            );
        };
        if let Some(passes) = passes {
            tell("three passes", passes);
        }
        if let Some(tape) = tape {
            tell("on the tape", tape);
        }
        if let (Some(passes), Some(plain)) = (passes, plain) {
            println!(
                "{name}, three passes over the same by matrices: {:.2}",
                passes / plain
            );
        }
    }
}

impl Bench<'_> {
    fn lenet(&mut self) {
        let mut rng = Rng::seed(3);
        let images = Tensor::normal([64, 1, 28, 28], 0.0, 1.0, &mut rng).expect("a valid shape");
        let labels = Tensor::integers([64], 0, 10, &mut rng).expect("a valid shape");
        let model = Mutex::new(LeNet::new());
        let step = self.run("LeNet, 64 images".into(), || {
            let mut model = model.lock().expect("nobody panics");
            model.step(&images, &labels).expect("valid")
        });
        if let Some(step) = step {
            println!("LeNet, 64 images, a training step: {:.3} ms", step * 1e3);
        }
    }
}

fn convolution(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("convolution, {threads} threads"));
        group.sample_size(20);
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("threads can be started");
        let mut bench = Bench { group, pool };
        let peak = peak() * threads as f64;
        println!("peak: {:.0} GFLOP/s on {threads} threads", peak * 1e-9);
        for layer in &LAYERS {
            bench.layer(layer, peak);
        }
        bench.lenet();
        bench.group.finish();
    }
}

criterion_group!(benches, convolution);
criterion_main!(benches);
