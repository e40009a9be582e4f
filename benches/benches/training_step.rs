//! One training step of a small model: `Linear(10, 2)`, focal loss with γ = 2, Adam, batch 32.
//!
//! The work is small (2 600 floating-point operations and 32 exponentials, about 0.3 µs), so this
//! measures bookkeeping: what a tape, a layer, a loss and an optimizer cost beside the same step
//! written by hand as loops over arrays, without tensors, shapes, checks or a tape.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use macula::prelude::*;

const FEATURES: usize = 10;
const CLASSES: usize = 2;
const BATCH: usize = 32;
const ROWS: usize = 1000;

fn rows() -> Result<TensorDataset> {
    let mut rng = Rng::seed(7);
    let inputs = Tensor::uniform([ROWS, FEATURES], -0.5, 0.5, &mut rng)?;
    let labels = Tensor::integers([ROWS], 0, CLASSES as i64, &mut rng)?;
    TensorDataset::new(inputs, labels)
}

fn step(model: &Linear, optimizer: &mut Adam, inputs: Tensor, labels: &Tensor<i64>) -> Result<f64> {
    let tape = Tape::new();
    let logits = model.forward(&tape.constant(inputs))?;
    let loss = SoftmaxFocalLoss::new()
        .gamma(2.0)
        .forward(&logits, labels)?;
    let value = loss.item()?;
    optimizer.step(&loss.backward()?)?;
    Ok(value)
}

/// The same step by hand.
struct ByHand {
    weights: [[f32; FEATURES]; CLASSES],
    bias: [f32; CLASSES],
    moments: [[f32; 2]; CLASSES * (FEATURES + 1)],
    steps: i32,
}

impl ByHand {
    fn step(&mut self, inputs: &[[f32; FEATURES]], labels: &[i64]) -> f32 {
        let mut gradient = [0.0; CLASSES * (FEATURES + 1)];
        let mut total = 0.0;
        for (x, &label) in inputs.iter().zip(labels) {
            let logit = |class: usize| -> f32 {
                let products = self.weights[class].iter().zip(x).map(|(w, x)| w * x);
                products.sum::<f32>() + self.bias[class]
            };
            let target = label as usize;
            let margin = logit(target) - logit(1 - target);
            let e = (-margin.abs()).exp();
            let (large, small) = (1.0 / (1.0 + e), e / (1.0 + e));
            let (p, q) = if margin > 0.0 {
                (large, small)
            } else {
                (small, large)
            };
            let loss = (-margin).max(0.0) + e.ln_1p();
            total += q * q * loss;
            let slope = -q * q * (q + 2.0 * p * loss) / BATCH as f32;
            for class in 0..CLASSES {
                let slope = if class == target { slope } else { -slope };
                for (feature, x) in x.iter().enumerate() {
                    gradient[class * FEATURES + feature] += slope * x;
                }
                gradient[CLASSES * FEATURES + class] += slope;
            }
        }
        self.steps += 1;
        let correction = |beta: f32| 1.0 / (1.0 - beta.powi(self.steps));
        let (first, second) = (correction(0.9), correction(0.999));
        let weights = self
            .weights
            .as_flattened_mut()
            .iter_mut()
            .chain(&mut self.bias);
        for ((weight, [m, v]), g) in weights.zip(&mut self.moments).zip(gradient) {
            *m = 0.9 * *m + 0.1 * g;
            *v = 0.999 * *v + 0.001 * g * g;
            *weight -= 1e-3 * (*m * first) / ((*v * second).sqrt() + 1e-8);
        }
        total / BATCH as f32
    }
}

fn training_step(criterion: &mut Criterion) {
    let data = rows().expect("the rows are valid");
    let batch = data
        .batch(&(0..BATCH).collect::<Vec<_>>())
        .expect("the rows exist");
    let mut group = criterion.benchmark_group("training step, Linear(10, 2), batch 32");

    let inputs = batch.0.to_vec().expect("on the CPU");
    let (inputs, _) = inputs.as_chunks::<FEATURES>();
    let labels = batch.1.to_vec().expect("on the CPU");
    let mut by_hand = ByHand {
        weights: [[0.01; FEATURES]; CLASSES],
        bias: [0.0; CLASSES],
        moments: [[0.0; 2]; CLASSES * (FEATURES + 1)],
        steps: 0,
    };
    group.bench_function("by hand", |bencher| {
        bencher.iter(|| by_hand.step(black_box(inputs), black_box(&labels)));
    });

    let model = Linear::new(FEATURES, CLASSES, &mut Rng::seed(1));
    let mut adam = Adam::new(model.parameters()).learning_rate(1e-3);
    group.bench_function("macula", |bencher| {
        bencher.iter(|| step(&model, &mut adam, batch.0.clone(), &batch.1).expect("valid"));
    });

    let loader = DataLoader::new(&data, BATCH).shuffle(7).drop_last(true);
    let mut epoch = 0;
    let mut batches = loader.epoch(epoch);
    group.bench_function("macula with the loader", |bencher| {
        bencher.iter(|| {
            let (inputs, labels) = match batches.next() {
                Some(batch) => batch.expect("valid"),
                None => {
                    epoch += 1;
                    batches = loader.epoch(epoch);
                    batches
                        .next()
                        .expect("an epoch has batches")
                        .expect("valid")
                }
            };
            step(&model, &mut adam, inputs, &labels).expect("valid")
        });
    });
    group.finish();
}

criterion_group!(benches, training_step);
criterion_main!(benches);
