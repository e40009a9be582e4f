//! The contract of the reductions.

use macula_autograd::{Tape, Var};
use macula_losses::*;
use macula_tensor::{Result, Tensor};
use proptest::prelude::*;

use crate::members::*;

fn value(member: &Member, x: &Tensor<f64>, y: &Tensor<i64>, w: Option<&Tensor<f64>>) -> f64 {
    let x = Tape::new().var(x.clone());
    (member.loss)(&x, y, w).unwrap().item().unwrap()
}

fn gradient(member: &Member, x: &Tensor<f64>, y: &Tensor<i64>) -> Vec<f64> {
    let x = Tape::new().var(x.clone());
    let gradients = (member.loss)(&x, y, None).unwrap().backward().unwrap();
    gradients.of(&x).unwrap().to_vec().unwrap()
}

/// All members with a number of classes: 0 stands for one logit an element.
fn all(reduction: Reduction) -> Vec<(usize, Member)> {
    let sigmoid = sigmoid_members(reduction)
        .into_iter()
        .map(|member| (0, member));
    let softmax = softmax_members(reduction)
        .into_iter()
        .map(|member| (3, member));
    sigmoid.chain(softmax).collect()
}

/// The shape of a batch of `n`.
fn batch(n: usize, classes: usize) -> Vec<usize> {
    match classes {
        0 => vec![n],
        classes => vec![n, classes],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_sum_over_a_batch_is_the_sum_over_its_parts(
        seed in 0_u64..1000, n in 1_usize..90, cut in 0.0..1.0_f64,
    ) {
        let cut = (n as f64 * cut) as usize;
        for (classes, member) in all(Reduction::Sum) {
            let (x, y) = random(seed, n, classes);
            let part = |start: usize, length: usize| {
                let x = x.narrow(0, start, length).unwrap();
                let y = y.narrow(0, start, length).unwrap();
                value(&member, &x, &y, None)
            };
            let (whole, parts) = (value(&member, &x, &y, None), part(0, cut) + part(cut, n - cut));
            // Sums of up to 90 positive terms in two orders.
            prop_assert!((whole - parts).abs() <= 1e-13 * whole.abs(), "{}", member.name);
        }
    }

    #[test]
    fn a_weight_of_2_is_the_element_twice(seed in 0_u64..1000, n in 1_usize..20) {
        for reduction in [Reduction::Sum, Reduction::WeightedMean] {
            for (classes, member) in all(reduction) {
                let (x, y) = random(seed, n, classes);
                let mut weights = vec![1.0; n];
                weights[0] = 2.0;
                let weighted = value(&member, &x, &y, Some(&Tensor::from(weights)));
                let twice = |t: &Tensor<f64>| {
                    Tensor::concatenate(&[t, &t.narrow(0, 0, 1).unwrap()], 0).unwrap()
                };
                let first = y.narrow(0, 0, 1).unwrap();
                let y = Tensor::concatenate(&[&y, &first], 0).unwrap();
                let doubled = value(&member, &twice(&x), &y, None);
                let close = (weighted - doubled).abs() <= 1e-13 * doubled.abs();
                prop_assert!(close, "{}: {weighted} and {doubled}", member.name);
            }
        }
    }
}

/// Logits and labels of a batch of `n`.
fn random(seed: u64, n: usize, classes: usize) -> (Tensor<f64>, Tensor<i64>) {
    let noise = |index: usize| ((index as f64 + 1.0) * (seed as f64 + 12.9898)).sin() * 43758.5453;
    let width = classes.max(1);
    let logits = (0..n * width)
        .map(|i| (noise(i).fract() - 0.2) * 6.0)
        .collect();
    let classes_of_labels = if classes == 0 { 2 } else { classes as i64 };
    let labels = (0..n)
        .map(|i| (noise(i + 7).abs() as i64) % classes_of_labels)
        .collect::<Vec<_>>();
    (
        Tensor::from_vec(logits, batch(n, classes)).unwrap(),
        Tensor::from(labels),
    )
}

#[test]
fn nothing_that_counts_gives_loss_0_and_gradient_0() {
    let reductions = [
        Reduction::Sum,
        Reduction::Mean,
        Reduction::WeightedMean,
        Reduction::MeanOverPositives,
        Reduction::DividedBy(7.0),
    ];
    for reduction in reductions {
        for (classes, member) in all(reduction) {
            let empty = Tensor::zeros(batch(0, classes)).unwrap();
            let none = Tensor::from(Vec::<i64>::new());
            assert_eq!(value(&member, &empty, &none, None), 0.0, "{}", member.name);
            let x = Tensor::full(batch(2, classes), f64::NAN).unwrap();
            let ignored = Tensor::from([-1_i64, -1]);
            assert_eq!(value(&member, &x, &ignored, None), 0.0, "{}", member.name);
            let gradient = gradient(&member, &x, &ignored);
            assert!(gradient.iter().all(|&g| g == 0.0), "{}", member.name);
        }
    }
}

#[test]
fn ignored_rows_count_in_no_divisor_and_may_hold_anything() {
    for reduction in [
        Reduction::Mean,
        Reduction::WeightedMean,
        Reduction::MeanOverPositives,
    ] {
        let composed = composed_members(reduction)
            .into_iter()
            .map(|member| (3, member));
        for (classes, member) in all(reduction).into_iter().chain(composed) {
            let (x, y) = random(3, 5, classes);
            let strange = Tensor::full(batch(1, classes), f64::NAN).unwrap();
            let longer = Tensor::concatenate(&[&x, &strange], 0).unwrap();
            let labels = Tensor::concatenate(&[&y, &Tensor::from([-1_i64])], 0).unwrap();
            let (short, long) = (
                value(&member, &x, &y, None),
                value(&member, &longer, &labels, None),
            );
            assert!(
                (short - long).abs() <= 1e-14 * short.abs(),
                "{}",
                member.name
            );
            let gradient = gradient(&member, &longer, &labels);
            let last = &gradient[x.count()..];
            assert!(last.iter().all(|&g| g == 0.0), "{}", member.name);
        }
    }
}

#[test]
fn a_logit_that_is_nan_stays_in_its_own_row() {
    for (classes, member) in all(Reduction::None) {
        let (x, y) = random(5, 4, classes);
        let mut elements = x.to_vec().unwrap();
        let width = classes.max(1);
        elements[width] = f64::NAN;
        let x = Tape::new().var(Tensor::from_vec(elements, x.shape()).unwrap());
        let losses = (member.loss)(&x, &y, None).unwrap();
        let values = losses.value().to_vec().unwrap();
        let is_nan: Vec<bool> = values.iter().map(|loss| loss.is_nan()).collect();
        assert_eq!(is_nan, [false, true, false, false], "{}", member.name);
        let gradient = losses.sum(..).unwrap().backward().unwrap();
        let gradient = gradient.of(&x).unwrap().to_vec().unwrap();
        for (index, g) in gradient.iter().enumerate() {
            let in_row = index / width == 1;
            assert!(in_row || g.is_finite(), "{}, element {index}", member.name);
        }
    }
}

#[test]
fn each_reduction_divides_by_what_it_says() -> Result<()> {
    let x = Tape::new().var(Tensor::from([0.0_f64, 0.0, 0.0, 9.0]));
    let y = Tensor::from([1_i64, 0, 0, -1]);
    let loss = |reduction| -> Result<f64> {
        let loss = SigmoidCrossEntropy::new()
            .class_weights([1.0, 3.0])
            .ignore_index(-1);
        Ok(loss.reduction(reduction).forward(&x, &y)?.item()? / 2.0_f64.ln())
    };
    let close = |found: f64, wanted: f64| assert!((found - wanted).abs() < 1e-14);
    close(loss(Reduction::Sum)?, 5.0);
    close(loss(Reduction::Mean)?, 5.0 / 3.0);
    close(loss(Reduction::WeightedMean)?, 1.0);
    close(loss(Reduction::MeanOverPositives)?, 5.0);
    close(loss(Reduction::DividedBy(10.0))?, 0.5);
    Ok(())
}

#[test]
fn labels_that_are_pixels_give_what_rows_give() -> Result<()> {
    let x = logits(&[2, 3, 4]);
    let y = labels(&[2, 4], 3);
    let rows = x.permute([0, 2, 1])?.contiguous()?.reshape([8, 3])?;
    for member in softmax_members(Reduction::Sum)
        .iter()
        .chain(&composed_members(Reduction::Sum))
    {
        let of_rows = value(member, &rows, &y.reshape([8])?, None);
        let of_pixels = value(member, &x, &y, None);
        assert!(
            (of_rows - of_pixels).abs() <= 1e-14 * of_rows.abs(),
            "{}",
            member.name
        );
    }
    Ok(())
}

#[test]
fn a_column_of_logits_goes_with_a_list_of_labels() -> Result<()> {
    let x = Tape::new().var(logits(&[4, 1]));
    let losses: Var<f64> = SigmoidFocalLoss::new().forward(&x, &Tensor::from([0_i64, 1, 1, 0]))?;
    assert_eq!(losses.backward()?.of(&x)?.shape(), [4, 1]);
    Ok(())
}
