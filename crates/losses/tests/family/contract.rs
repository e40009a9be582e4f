//! The contract of the reductions.

use macula_autograd::{Tape, Var};
use macula_losses::*;
use macula_tensor::{Result, Tensor};
use proptest::prelude::*;

use crate::members::*;
use crate::numbers::pass;

fn value(member: &Member, x: &Tensor<f64>, y: &Tensor<i64>, w: Option<&Tensor<f64>>) -> f64 {
    let x = Tape::new().var(x.clone());
    (member.loss)(&x, y, w).unwrap().item().unwrap()
}

/// The first samples of a batch once more at its end.
fn repeated<T: macula_tensor::Element>(batch: &Tensor<T>, n: usize) -> Tensor<T> {
    Tensor::concatenate(&[batch, &batch.narrow(0, 0, n).unwrap()], 0).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_sum_over_a_batch_is_the_sum_over_its_parts(
        seed in 0_u64..1000, n in 1_usize..90, cut in 0.0..1.0_f64,
    ) {
        let cut = (n as f64 * cut) as usize;
        for reduction in [Reduction::Sum, Reduction::DividedBy(13.0)] {
            for member in every_member(reduction) {
                if !(member.local && member.reduces) {
                    continue;
                }
                let (x, y) = (member.logits(seed, n), member.labels(seed, n));
                let part = |start: usize, length: usize| {
                    let x = x.narrow(0, start, length).unwrap();
                    let y = y.narrow(0, start, length).unwrap();
                    pass(&member, &x, &y, None)
                };
                let (whole, gradient) = pass(&member, &x, &y, None);
                let (first, mut gradients) = part(0, cut);
                let (second, rest) = part(cut, n - cut);
                gradients.extend(rest);
                // Sums of up to 1080 terms in two orders.
                let (whole, parts) = (whole[0], first[0] + second[0]);
                let close = (whole - parts).abs() <= 1e-12 * whole.abs();
                prop_assert!(close, "{}: {whole} and {parts}", member.name);
                // No gradient knows the other part, to the bit. That of a region is a difference of sums:
                // it is as exact as the terms, which are as large as the region's largest gradient.
                let bound = if member.row.len() < 2 { 0.0 } else { 1e-11 };
                let region = member.row.iter().product();
                for (whole, part) in gradient.chunks(region).zip(gradients.chunks(region)) {
                    let largest = whole.iter().fold(0.0, |largest: f64, g| largest.max(g.abs()));
                    for (whole, part) in whole.iter().zip(part) {
                        let close = (whole - part).abs() <= bound * largest;
                        prop_assert!(close, "{}: {whole} and {part}", member.name);
                    }
                }
            }
        }
    }

    #[test]
    fn a_weight_of_2_is_the_sample_twice(seed in 0_u64..1000, n in 1_usize..20) {
        for reduction in [Reduction::Sum, Reduction::WeightedMean, Reduction::DividedBy(3.0)] {
            for member in every_member(reduction) {
                if !member.weighs {
                    continue;
                }
                let (x, y) = (member.logits(seed, n), member.labels(seed, n));
                let mut weights = vec![1.0; n];
                weights[0] = 2.0;
                let weighted = value(&member, &x, &y, Some(&Tensor::from(weights)));
                let twice = value(&member, &repeated(&x, 1), &repeated(&y, 1), None);
                let close = (weighted - twice).abs() <= 1e-13 * twice.abs();
                prop_assert!(close, "{}: {weighted} and {twice}", member.name);
            }
        }
    }

    #[test]
    fn weights_of_1_are_no_weights(seed in 0_u64..1000, n in 1_usize..20) {
        for reduction in REDUCTIONS {
            for member in every_member(reduction) {
                if !member.weighs {
                    continue;
                }
                let (x, y) = (member.logits(seed, n), member.labels(seed, n));
                let ones = Tensor::from(vec![1.0; n]);
                let weighted = value(&member, &x, &y, Some(&ones));
                let plain = value(&member, &x, &y, None);
                prop_assert_eq!(weighted, plain, "{}", member.name);
            }
        }
    }

    #[test]
    fn a_mean_is_that_of_the_batch_twice(seed in 0_u64..1000, n in 1_usize..20) {
        for reduction in [Reduction::Mean, Reduction::WeightedMean] {
            for member in every_member(reduction) {
                if !(member.weighs && member.reduces) {
                    continue;
                }
                let (x, y) = (member.logits(seed, n), member.labels(seed, n));
                let once = value(&member, &x, &y, None);
                let twice = value(&member, &repeated(&x, n), &repeated(&y, n), None);
                let close = (once - twice).abs() <= 1e-13 * once.abs();
                prop_assert!(close, "{}: {once} and {twice}", member.name);
            }
        }
    }
}

#[test]
fn reductions_to_one_number_add_up_what_no_reduction_gives() {
    let sums = every_member(Reduction::Sum).into_iter();
    for (each, sum) in every_member(Reduction::None).into_iter().zip(sums) {
        if !each.reduces {
            continue;
        }
        let (x, y) = (each.logits(9, 7), each.labels(9, 7));
        let x_of_each = Tape::new().var(x.clone());
        let losses = (each.loss)(&x_of_each, &y, None).unwrap();
        let added: f64 = losses.value().to_vec().unwrap().iter().sum();
        let sum = value(&sum, &x, &y, None);
        // At most 21 terms in two orders.
        assert!(
            (added - sum).abs() <= 1e-14 * sum.abs(),
            "{}: {added} and {sum}",
            each.name
        );
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
fn weights_of_samples_divide_by_what_the_contract_says() -> Result<()> {
    let tape = Tape::new();
    let (left, right) = (
        tape.var(Tensor::from([[0.0_f64], [0.0]])),
        tape.constant(Tensor::from([[2.0], [4.0]])),
    );
    let (same, weights) = (Tensor::from([true, true]), Tensor::from([3.0, 1.0]));
    let loss = |reduction| -> Result<f64> {
        let loss = ContrastiveLoss::new().reduction(reduction);
        loss.forward_weighted(&left, &right, &same, &weights)?
            .item()
    };
    // Losses of 2 and 8, weights of 3 and 1.
    assert_eq!(loss(Reduction::Sum)?, 14.0);
    assert_eq!(loss(Reduction::Mean)?, 7.0);
    assert_eq!(loss(Reduction::WeightedMean)?, 3.5);
    assert_eq!(loss(Reduction::MeanOverPositives)?, 7.0);
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

/// The same elements, each followed by a stranger.
fn with_gaps<T: macula_tensor::Element>(tensor: &Tensor<T>, stranger: T) -> Result<Tensor<T>> {
    let strangers = Tensor::full(tensor.shape(), stranger)?;
    let both = Tensor::stack(&[tensor, &strangers], -1)?;
    both.narrow(-1, 0, 1)?.squeeze(-1)
}

#[test]
fn inputs_may_lie_in_memory_as_they_like() -> Result<()> {
    for member in every_member(Reduction::Mean) {
        let (x, y) = (member.logits(4, 5), member.labels(4, 5));
        let w = Tensor::from([1.0, 0.0, 2.0, 0.5, 1.5]);
        let pass = |x: Tensor<f64>, y: Tensor<i64>, w: Tensor<f64>| -> Result<_> {
            let x = Tape::new().var(x);
            let loss = (member.loss)(&x, &y, member.weighs.then_some(&w))?;
            Ok((loss.item()?, loss.backward()?.of(&x)?.to_vec()?))
        };
        let dense = pass(x.clone(), y.clone(), w.clone())?;
        let (x, y) = (with_gaps(&x, f64::NAN)?, with_gaps(&y, 77)?);
        assert!(!x.is_contiguous() && !y.is_contiguous());
        let sparse = pass(x, y, with_gaps(&w, f64::NAN)?)?;
        assert_eq!(dense, sparse, "{}", member.name);
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
