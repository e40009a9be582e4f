//! Bad input is an error that says what was expected and what was found. Bad parameters are in
//! `parameters.rs`.

use macula_autograd::{Tape, Var};
use macula_losses::*;
use macula_tensor::{Error, Result, Tensor};

use crate::members::*;

pub(crate) fn x(shape: &[usize]) -> Var<f64> {
    Tape::new().var(logits(shape))
}

/// The message of the error.
pub(crate) fn message<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("there is no error"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_label_outside_the_classes_is_named_with_its_place() {
    for reduction in [Reduction::None, Reduction::Mean, Reduction::WeightedMean] {
        for member in every_member(reduction) {
            let Member { name, loss, .. } = &member;
            for wrong in [member.classes, -2, i64::MAX, i64::MIN] {
                let mut labels = member.labels(1, 3).to_vec().unwrap();
                *labels.last_mut().unwrap() = wrong;
                let labels = Tensor::from_vec(labels, member.labels_shape(3)).unwrap();
                let last: Vec<_> = labels.shape().iter().map(|size| size - 1).collect();
                let place = match last[..] {
                    [row] => format!("row {row}"),
                    _ => format!("element {last:?}"),
                };
                let x = Tape::new().var(member.logits(1, 3));
                if member.checks_labels {
                    let expected = format!(
                        "{place} has label {wrong}, expected 0 to {}",
                        member.classes - 1
                    );
                    let message = message(loss(&x, &labels, None));
                    assert!(message.contains(&expected), "{name}: {message}");
                }
            }
        }
    }
}

#[test]
fn labels_of_another_shape_are_an_error() {
    for member in every_member(Reduction::Mean) {
        let Member { name, loss, .. } = &member;
        let is_shape = |result: Result<Var<f64>>| matches!(result, Err(Error::Shape { .. }));
        let x = Tape::new().var(member.logits(1, 3));
        if member.has_labels {
            assert!(is_shape(loss(&x, &member.labels(1, 4), None)), "{name}");
            let deeper = member.labels(1, 3).unsqueeze(-1).unwrap();
            assert!(is_shape(loss(&x, &deeper, None)), "{name}");
            let scalar = Tensor::scalar(0);
            assert!(loss(&x, &scalar, None).is_err(), "{name}");
        }
    }
}

#[test]
fn logits_of_another_rank_are_an_error() {
    for member in every_member(Reduction::Mean) {
        let Member { name, loss, .. } = &member;
        if member.row.is_empty() {
            continue;
        }
        let x = Tape::new().var(Tensor::full([3], 0.5).unwrap());
        assert!(loss(&x, &member.labels(1, 3), None).is_err(), "{name}");
    }
}

#[test]
fn sample_weights_that_are_no_weights_are_named_with_their_element() {
    for member in every_member(Reduction::Mean) {
        let Member { name, loss, .. } = &member;
        if !member.weighs {
            continue;
        }
        let (x, labels) = (Tape::new().var(member.logits(1, 3)), member.labels(1, 3));
        for weight in [-1.0, f64::NAN, f64::INFINITY] {
            let weights = Tensor::from([1.0, 0.0, weight]);
            let message = message(loss(&x, &labels, Some(&weights)));
            let expected = format!("finite and not negative, found {weight} at element ");
            assert!(message.contains(&expected), "{name}: {message}");
        }
        let weights = Tensor::from([1.0; 4]);
        let result = loss(&x, &labels, Some(&weights));
        assert!(result.is_err(), "{name}");
    }
}

#[test]
fn weights_of_samples_and_regions_of_the_batch_do_not_go_together() {
    let loss = DiceLoss::new().over_batch(true);
    let weights = Tensor::from([1.0, 2.0]);
    let classes = Tensor::from([[0_i64, 2], [1, 1]]);
    let x = x(&[2, 3, 2]);
    let of_softmax = loss.forward_weighted(&x, &classes, &weights);
    let sets = Tensor::<i64>::zeros([2, 3, 2]).unwrap();
    let of_sigmoid = loss.forward_sigmoid_weighted(&x, &sets, &weights);
    for result in [of_softmax, of_sigmoid] {
        let message = message(result);
        let expected = "dice_loss: sample weights must be left out: regions of the whole batch \
                        belong to no sample, found [2] of them";
        assert_eq!(message, expected);
    }
}

#[test]
fn class_weights_outside_their_range_are_an_error() {
    let (labels, classes) = (Tensor::from([0_i64, 1]), Tensor::from([0_i64, 2]));
    let (one, rows) = (x(&[2]), x(&[2, 3]));
    for weights in [
        vec![1.0],
        vec![0.0; 3],
        vec![1.0, -1.0, 1.0],
        vec![1.0, f64::NAN, 1.0],
        vec![1.0, f64::INFINITY, 1.0],
    ] {
        let of_margin = SoftmaxFocalLoss::new().alpha(weights.clone());
        let composed = DualFocalLoss::new().class_weights(weights);
        for result in [
            of_margin.forward(&rows, &classes),
            composed.forward(&rows, &classes),
        ] {
            let message = message(result);
            let expected = "3 finite numbers, none negative and not all 0";
            assert!(message.contains(expected), "{message}");
        }
    }
    for weights in [[0.0, 0.0], [1.0, -1.0], [f64::NAN, 1.0]] {
        let loss = SigmoidCrossEntropy::new().class_weights(weights);
        assert!(loss.forward(&one, &labels).is_err(), "{weights:?}");
    }
    for weights in [vec![1.0, 2.0, 3.0], vec![0.0, 0.0], vec![-1.0]] {
        let loss = SigmoidCrossEntropy::new().positive_weights(weights.clone());
        assert!(loss.forward(&one, &labels).is_err(), "{weights:?}");
    }
}

#[test]
fn numbers_that_are_not_as_many_as_classes_are_an_error() -> Result<()> {
    let (rows, classes) = (x(&[2, 3]), Tensor::from([0_i64, 2]));
    let counts = ClassCounts::from_counts([5, 5])?;
    let cross_entropy = SoftmaxCrossEntropy::new;
    for loss in [
        cross_entropy().logit_adjusted(&counts, 1.0)?,
        cross_entropy().balanced(&counts),
        cross_entropy().vector_scaled(&counts, 1.0, 0.5)?,
        cross_entropy().label_aware_margins(&counts, 0.5, 30.0)?,
        cross_entropy().class_balanced(&counts, 0.9)?,
    ] {
        let message = message(loss.forward(&rows, &classes));
        assert!(message.contains("must be 3 "), "{message}");
    }
    assert!(SeesawLoss::new(&counts).forward(&rows, &classes).is_err());
    let gammas = SoftmaxFocalLoss::new().gammas([1.0, 2.0]);
    assert!(gammas.forward(&rows, &classes).is_err());
    let weights = SoftmaxPolyLoss::new().logarithm_weights([1.0, 2.0]);
    assert!(weights.forward(&rows, &classes).is_err());
    Ok(())
}

#[test]
fn no_bins_are_an_error() {
    let result = GhmLoss::new()
        .bins(0)
        .forward(&x(&[2]), &Tensor::from([0_i64, 1]));
    assert_eq!(
        message(result),
        "ghm_loss: bins must be at least 1, found 0"
    );
}

#[test]
fn soft_targets_outside_their_range_are_an_error() {
    let one = x(&[2]);
    for target in [-0.1, 1.5, f64::NAN] {
        let targets = Tensor::from([0.5, target]);
        for result in [
            QualityFocalLoss::new().forward_soft(&one, &targets),
            SigmoidFocalLoss::new().forward_soft(&one, &targets),
            ProbabilityCrossEntropy::new().forward(&one.sigmoid().unwrap(), &targets),
        ] {
            let message = message(result);
            let expected = format!("targets must be between 0 and 1, found {target} at element 1");
            assert!(message.contains(&expected), "{message}");
        }
    }
    for share in [-0.1, f64::NAN, f64::INFINITY] {
        let shares = Tensor::from([[0.5, 0.5], [0.5, share]]);
        let message = message(SoftmaxFocalLoss::new().forward_soft(&x(&[2, 2]), &shares));
        assert!(message.contains("for class 1 of row 1"), "{message}");
    }
    let negative = Tape::new().constant(Tensor::from([0.5, -0.5]));
    let message = message(KlDivergence::new().forward(&one, &negative));
    assert!(
        message.contains("not negative, found -0.5 at element 1"),
        "{message}"
    );
}

#[test]
fn a_probability_outside_its_range_is_an_error() {
    for p in [-0.1, 1.5, f64::NAN] {
        let probabilities = Tape::new().var(Tensor::from([0.5, p]));
        let targets = Tensor::from([0.0, 1.0]);
        let message = message(ProbabilityCrossEntropy::new().forward(&probabilities, &targets));
        let expected = format!("probabilities must be between 0 and 1, found {p} at element 1");
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn an_embedding_that_no_triplet_can_be_chosen_for_is_named_with_its_sample() {
    let labels = Tensor::from([0_i64, 0, 1, 1, 2]);
    for mining in [TripletMining::BatchHard, TripletMining::SemiHard] {
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut embeddings = logits(&[5, 2]).to_vec().unwrap();
            embeddings[7] = wrong;
            let embeddings = Tensor::from_vec(embeddings, [5, 2]).unwrap();
            let loss = TripletLoss::new().mining(mining);
            let message = message(loss.mined(&Tape::new().var(embeddings), &labels));
            let expected =
                format!("triplet_loss: the embedding of sample 3 is not finite ({wrong})");
            assert_eq!(message, expected);
        }
    }
}

#[test]
fn a_divisor_must_be_positive_and_finite() {
    for n in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        for member in every_member(Reduction::DividedBy(n)) {
            let Member { name, loss, .. } = &member;
            let x = Tape::new().var(member.logits(1, 2));
            if member.reduces {
                let message = message(loss(&x, &member.labels(1, 2), None));
                let expected = format!("divisor must be positive and finite, found {n}");
                assert!(message.contains(&expected), "{name}: {message}");
            }
        }
    }
}

#[test]
fn logits_without_classes_are_an_error() {
    let none = Tape::new().var(Tensor::<f64>::zeros([2, 0]).unwrap());
    for labels in [Tensor::from([0_i64, 0]), Tensor::from([-1_i64, -1])] {
        for loss in [
            SoftmaxFocalLoss::new().ignore_index(-1),
            SoftmaxFocalLoss::new()
                .ignore_index(-1)
                .label_smoothing(0.1),
        ] {
            let message = message(loss.forward(&none, &labels));
            assert!(message.contains("with a class at least"), "{message}");
        }
        let composed = DualFocalLoss::new().ignore_index(-1);
        assert!(composed.forward(&none, &labels).is_err());
        let lovasz = LovaszLoss::new().ignore_index(-1);
        assert!(lovasz.forward(&none, &labels).is_err());
        let dice = DiceLoss::new().ignore_index(-1);
        assert!(dice.forward(&none, &labels).is_err());
    }
}

#[test]
fn a_label_to_pass_over_is_an_error_where_targets_are_no_labels() {
    let soft = Tensor::from([0.3_f64, 0.9]);
    let mixed = SigmoidFocalLoss::new().ignore_index(-1);
    let quality = QualityFocalLoss::new().ignore_index(-1);
    let messages = [
        message(mixed.forward_soft(&x(&[2]), &soft)),
        message(mixed.forward_soft_weighted(&x(&[2]), &soft, &soft)),
        message(quality.forward_soft(&x(&[2]), &soft)),
        message(
            SoftmaxFocalLoss::new()
                .ignore_index(-1)
                .forward_soft(&x(&[1, 2]), &soft.reshape([1, 2]).unwrap()),
        ),
    ];
    for message in messages {
        assert!(
            message.contains("ignore_index must be left out"),
            "{message}"
        );
        assert!(message.ends_with("found -1"), "{message}");
    }
}

/// Whether a loss of rows refuses smoothing and what only functions of the margin have.
fn refuses<F: RowLoss>(loss: SoftmaxLoss<F>) -> Vec<(&'static str, bool)> {
    let counts = ClassCounts::from_counts([9, 1, 5]).unwrap();
    let (logits, labels) = (x(&[2, 3]), Tensor::from([0_i64, 2]));
    let refused = |loss: Result<SoftmaxLoss<F>>| {
        let result = loss.and_then(|loss| loss.forward(&logits, &labels));
        result.is_err_and(|error| error.to_string().contains("must be left out"))
    };
    let loss = || loss.clone().label_smoothing(0.0);
    vec![
        ("smoothing", refused(Ok(loss().label_smoothing(0.1)))),
        ("offsets", refused(loss().logit_adjusted(&counts, 1.0))),
        ("offsets", refused(Ok(loss().balanced(&counts)))),
        ("scales", refused(loss().vector_scaled(&counts, 0.0, 1.0))),
        (
            "margins",
            refused(loss().label_aware_margins(&counts, 0.5, 1.0)),
        ),
    ]
}

#[test]
fn an_option_that_a_member_does_not_have_is_refused() {
    let counts = ClassCounts::from_counts([9, 1, 5]).unwrap();
    let mut answers = refuses(DualFocalLoss::new());
    answers.extend(refuses(SeesawLoss::new(&counts)));
    answers.extend(refuses(OneVsRestLoss::new(Focal { gamma: 2.0 })));
    answers.extend(refuses(NllLoss::new()));
    assert!(answers.iter().all(|(_, refused)| *refused), "{answers:?}");
    // Smoothing is a part of this one.
    let answers = refuses(AsymmetricSingleLabelLoss::new());
    let [(_, of_smoothing), others @ ..] = answers.as_slice() else {
        panic!("there are no answers");
    };
    assert!(!of_smoothing);
    assert!(others.iter().all(|(_, refused)| *refused), "{answers:?}");
    // And all are options of functions of the margin.
    assert!(
        !refuses(SoftmaxFocalLoss::new())
            .iter()
            .any(|(_, refused)| *refused)
    );
}
