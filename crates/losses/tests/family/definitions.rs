//! Values of composed losses beside the plain definition, worked out here in loops.

use macula_autograd::Tape;
use macula_losses::*;
use macula_tensor::{Result, Tensor};

const POINTS: [[f64; 2]; 8] = [
    [0.0, 0.1],
    [1.0, -0.3],
    [0.4, 0.9],
    [1.3, 1.1],
    [-0.6, 0.2],
    [2.1, 0.4],
    [-1.7, 1.5],
    [0.7, -1.2],
];
/// Class 3 has one sample, and so no pair.
const CLASSES: [i64; 8] = [0, 0, 1, 1, 0, 2, 2, 3];

fn distance(a: usize, b: usize) -> f64 {
    let [[x, y], [u, v]] = [POINTS[a], POINTS[b]];
    ((x - u).powi(2) + (y - v).powi(2)).sqrt()
}

/// The distances of the anchor to the samples of its class, or to those of the others.
fn distances(anchor: usize, own: bool) -> Vec<f64> {
    let others = (0..8).filter(|&other| other != anchor);
    let of_kind = others.filter(|&other| (CLASSES[other] == CLASSES[anchor]) == own);
    of_kind.map(|other| distance(anchor, other)).collect()
}

fn least(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers.into_iter().fold(f64::INFINITY, f64::min)
}

fn largest(numbers: impl IntoIterator<Item = f64>) -> f64 {
    numbers.into_iter().fold(f64::NEG_INFINITY, f64::max)
}

#[test]
fn mined_triplets_have_the_loss_of_every_triplet_tried() -> Result<()> {
    let margin = 0.3;
    let (mut hard, mut semi_hard) = (Vec::new(), Vec::new());
    for anchor in 0..8 {
        let (own, others) = (distances(anchor, true), distances(anchor, false));
        if own.is_empty() {
            continue;
        }
        // The hardest triplet is the one with the largest loss of all.
        let losses = own
            .iter()
            .flat_map(|near| others.iter().map(move |far| near - far + margin));
        hard.push(largest(losses).max(0.0));
        for near in own {
            let beyond: Vec<f64> = others.iter().copied().filter(|far| *far > near).collect();
            let far = if beyond.is_empty() {
                largest(others.clone())
            } else {
                least(beyond)
            };
            semi_hard.push((near - far + margin).max(0.0));
        }
    }
    for (mining, losses) in [
        (TripletMining::BatchHard, hard),
        (TripletMining::SemiHard, semi_hard),
    ] {
        let sum: f64 = losses.iter().sum();
        for (reduction, wanted) in [
            (Reduction::Sum, sum),
            (Reduction::Mean, sum / losses.len() as f64),
        ] {
            let x = Tape::new().var(Tensor::from(POINTS));
            let loss = TripletLoss::new().margin(margin).mining(mining);
            let loss = loss
                .reduction(reduction)
                .mined(&x, &Tensor::from(CLASSES))?;
            approx::assert_relative_eq!(loss.item()?, wanted, max_relative = 1e-13);
        }
    }
    Ok(())
}

/// The unified focal loss of one mask, from its formula.
fn unified(logits: &[f64], labels: &[i64], lambda: f64, delta: f64, gamma: f64) -> f64 {
    let (mut pixels, mut object, mut around) = (0.0, [0.0; 3], [0.0; 3]);
    for (x, &label) in logits.iter().zip(labels) {
        let p = 1.0 / (1.0 + (-x).exp());
        let (truth, weight) = if label == 1 {
            (p, delta)
        } else {
            (1.0 - p, 1.0 - delta)
        };
        pixels -= weight * (1.0 - truth).powf(1.0 - gamma) * truth.ln();
        // Hits, false alarms and misses.
        let y = label as f64;
        for (areas, p, y) in [(&mut object, p, y), (&mut around, 1.0 - p, 1.0 - y)] {
            areas[0] += p * y;
            areas[1] += p * (1.0 - y);
            areas[2] += (1.0 - p) * y;
        }
    }
    let region = |[hit, alarm, miss]: [f64; 3]| {
        let all = hit + (1.0 - delta) * alarm + delta * miss + 1.0;
        (1.0 - (hit + 1.0) / all).powf(gamma)
    };
    let regions = (region(object) + region(around)) / 2.0;
    lambda * pixels / logits.len() as f64 + (1.0 - lambda) * regions
}

#[test]
fn the_unified_focal_loss_is_its_formula() -> Result<()> {
    let logits = [1.2, -0.7, 0.4, -2.1, 0.9];
    let labels = [1_i64, 0, 1, 0, 0];
    for gamma in [0.2, 0.5, 0.75, 1.0] {
        for (lambda, delta) in [(0.5, 0.6), (0.3, 0.8), (0.0, 0.7), (1.0, 0.7)] {
            let x = Tape::new().var(Tensor::from([[logits]]));
            let loss = UnifiedFocalLoss::new().gamma(gamma).lambda(lambda);
            let loss = loss.delta(delta).forward(&x, &Tensor::from([[labels]]))?;
            let wanted = unified(&logits, &labels, lambda, delta, gamma);
            approx::assert_relative_eq!(loss.item()?, wanted, max_relative = 1e-13);
        }
    }
    let x = Tape::new().var(Tensor::from([[logits]]));
    let loss = UnifiedFocalLoss::new().forward(&x, &Tensor::from([[labels]]))?;
    let wanted = unified(&logits, &labels, 0.5, 0.6, 0.5);
    approx::assert_relative_eq!(loss.item()?, wanted, max_relative = 1e-13);
    Ok(())
}

#[test]
fn late_weights_weigh_the_margins_of_ldam_by_class() -> Result<()> {
    let (sizes, max_margin, scale, beta) = ([900, 90, 10], 0.5, 3.0, 0.99);
    let rows = [
        [0.2, -0.4, 0.9],
        [1.1, 0.3, -0.2],
        [-0.5, 0.8, 0.1],
        [0.6, 0.7, -1.0],
    ];
    let labels = [2_i64, 0, 1, 2];
    let margins = sizes.map(|n| max_margin * (10.0 / f64::from(n)).powf(0.25));
    let weights = sizes.map(|n| (1.0 - beta) / (1.0 - f64::powi(beta, n)));
    let sum: f64 = weights.iter().sum();
    let weights = weights.map(|weight| weight * 3.0 / sum);
    let (mut plain, mut weighted, mut divisor) = (0.0, 0.0, 0.0);
    for (row, label) in rows.iter().zip(labels) {
        let truth = label as usize;
        let mut z = *row;
        z[truth] -= margins[truth];
        let all: f64 = z.iter().map(|z| (scale * z).exp()).sum();
        let loss = all.ln() - scale * z[truth];
        plain += loss;
        weighted += weights[truth] * loss;
        divisor += weights[truth];
    }
    let counts = ClassCounts::from_counts(sizes.map(|n| n as usize))?;
    let early = SoftmaxCrossEntropy::new().label_aware_margins(&counts, max_margin, scale)?;
    let late = early.clone().class_balanced(&counts, beta)?;
    for (loss, reduction, wanted) in [
        (&early, Reduction::Mean, plain / 4.0),
        (&late, Reduction::Mean, weighted / 4.0),
        (&late, Reduction::WeightedMean, weighted / divisor),
    ] {
        let x = Tape::new().var(Tensor::from(rows));
        let loss = loss.clone().reduction(reduction);
        let loss = loss.forward(&x, &Tensor::from(labels))?;
        approx::assert_relative_eq!(loss.item()?, wanted, max_relative = 1e-12);
    }
    Ok(())
}
