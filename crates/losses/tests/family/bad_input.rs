//! Bad input is an error that says what was expected and what was found.

use macula_autograd::{Tape, Var};
use macula_losses::*;
use macula_tensor::{Error, Result, Tensor};

use crate::members::*;

fn x(shape: &[usize]) -> Var<f64> {
    Tape::new().var(logits(shape))
}

/// The message of the error.
fn message<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("there is no error"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_label_outside_the_classes_is_named_with_its_row() {
    let labels = Tensor::from([0_i64, 1, 7]);
    for Member { name, loss } in sigmoid_members(Reduction::Mean) {
        let message = message(loss(&x(&[3]), &labels, None));
        assert!(
            message.contains("row 2 has label 7, expected 0 to 1"),
            "{name}: {message}"
        );
    }
    let members = softmax_members(Reduction::Mean).into_iter();
    for Member { name, loss } in members.chain(composed_members(Reduction::Mean)) {
        let message = message(loss(&x(&[3, 3]), &labels, None));
        assert!(
            message.contains("row 2 has label 7, expected 0 to 2"),
            "{name}: {message}"
        );
    }
    let labels = Tensor::from([[0_i64, 1], [9, 0]]);
    let message = message(DiceLoss::new().forward(&x(&[2, 3, 2]), &labels));
    assert!(message.contains("row 2 has label 9"), "{message}");
}

#[test]
fn shapes_that_differ_are_an_error() {
    let labels = Tensor::from([0_i64, 1]);
    let is_shape = |result: Result<Var<f64>>| matches!(result, Err(Error::Shape { .. }));
    for Member { name, loss } in sigmoid_members(Reduction::Mean) {
        assert!(is_shape(loss(&x(&[3]), &labels, None)), "{name}");
        assert!(is_shape(loss(&x(&[2, 2]), &labels, None)), "{name}");
    }
    let members = softmax_members(Reduction::Mean).into_iter();
    for Member { name, loss } in members.chain(composed_members(Reduction::Mean)) {
        assert!(is_shape(loss(&x(&[3, 3]), &labels, None)), "{name}");
        assert!(is_shape(loss(&x(&[2]), &labels, None)), "{name}");
        assert!(is_shape(loss(&x(&[2, 3, 2]), &labels, None)), "{name}");
    }
    let (two, three) = (x(&[2]), x(&[3]));
    assert!(is_shape(MseLoss::new().forward(&two, &three)));
    assert!(is_shape(KlDivergence::new().forward(&two, &three)));
    assert!(is_shape(GhmLoss::new().forward(&three, &labels)));
    assert!(is_shape(LovaszLoss::new().hinge(&three, &labels)));
    assert!(is_shape(DiceLoss::new().forward(&x(&[2, 3, 2]), &labels)));
    assert!(is_shape(TripletLoss::new().mined(&x(&[3, 2]), &labels)));
    assert!(is_shape(NtXentLoss::new().forward(&x(&[3, 2]))));
}

#[test]
fn exponents_that_are_negative_or_nan_are_an_error() {
    let (labels, classes) = (Tensor::from([0_i64, 1]), Tensor::from([0_i64, 2]));
    let (one, rows) = (x(&[2]), x(&[2, 3]));
    for gamma in [-1.0, f64::NAN, f64::INFINITY] {
        let found = format!("found {gamma}");
        let check = |result: Result<Var<f64>>| {
            let message = message(result);
            assert!(message.contains(&found), "{message}");
        };
        check(SigmoidFocalLoss::new().gamma(gamma).forward(&one, &labels));
        check(
            SoftmaxFocalLoss::new()
                .gamma(gamma)
                .forward(&rows, &classes),
        );
        check(QualityFocalLoss::new().beta(gamma).forward(&one, &labels));
        check(
            InterpolatedFocalLoss::new()
                .gamma(gamma)
                .forward(&one, &labels),
        );
        check(VarifocalLoss::new().gamma(gamma).forward(&one, &labels));
        check(GaussianFocalLoss::new().gamma(gamma).forward(&one, &labels));
        check(SigmoidPolyLoss::new().gamma(gamma).forward(&one, &labels));
        check(SoftmaxPolyLoss::new().gamma(gamma).forward(&rows, &classes));
        check(
            AsymmetricLoss::new()
                .gamma_negative(gamma)
                .forward(&one, &labels),
        );
        check(
            AsymmetricSingleLabelLoss::new()
                .gamma_positive(gamma)
                .forward(&rows, &classes),
        );
        check(ReducedFocalLoss::new().gamma(gamma).forward(&one, &labels));
        check(FocalStarLoss::new().gamma(gamma).forward(&one, &labels));
        check(
            SampleDependentFocalLoss::new()
                .gammas(gamma, 1.0)
                .forward(&rows, &classes),
        );
        check(
            CyclicalFocalLoss::new()
                .gamma(gamma)
                .forward(&rows, &classes),
        );
        check(DualFocalLoss::new().gamma(gamma).forward(&rows, &classes));
        check(ContrastiveLoss::new().margin(gamma).forward(
            &rows,
            &rows,
            &Tensor::from([true, false]),
        ));
        check(
            TripletLoss::new()
                .margin(gamma)
                .forward(&rows, &rows, &rows),
        );
        let loss = SoftmaxFocalLoss::new().gammas([1.0, gamma, 2.0]);
        assert!(loss.forward(&rows, &classes).is_err());
    }
}

#[test]
fn weights_outside_their_range_are_an_error() {
    let (labels, classes) = (Tensor::from([0_i64, 1]), Tensor::from([0_i64, 2]));
    let (one, rows) = (x(&[2]), x(&[2, 3]));
    for alpha in [-0.1, 1.1, f64::NAN] {
        let message = message(SigmoidFocalLoss::new().alpha(alpha).forward(&one, &labels));
        let expected = format!("alpha must be between 0 and 1, found {alpha}");
        assert!(message.contains(&expected), "{message}");
    }
    for weights in [
        vec![1.0],
        vec![0.0; 3],
        vec![1.0, -1.0, 1.0],
        vec![1.0, f64::NAN, 1.0],
    ] {
        let loss = SoftmaxFocalLoss::new().alpha(weights.clone());
        let message = message(loss.forward(&rows, &classes));
        assert!(
            message.contains("3 finite numbers, none negative and not all 0"),
            "{message}"
        );
    }
    let loss = SigmoidCrossEntropy::new().positive_weights([1.0, 2.0, 3.0]);
    assert!(loss.forward(&one, &labels).is_err());
    let loss = SigmoidCrossEntropy::new().class_weights([0.0, 0.0]);
    assert!(loss.forward(&one, &labels).is_err());
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        let weights = Tensor::from([1.0, weight]);
        let message = message(SigmoidFocalLoss::new().forward_weighted(&one, &labels, &weights));
        assert!(message.contains("at element 1"), "{message}");
        let loss = SoftmaxFocalLoss::new();
        assert!(loss.forward_weighted(&rows, &classes, &weights).is_err());
    }
    let counts = ClassCounts::from_counts([5, 5]).unwrap();
    let loss = SoftmaxCrossEntropy::new().logit_adjusted(&counts, 1.0);
    assert!(loss.forward(&rows, &classes).is_err());
    assert!(SeesawLoss::new(&counts).forward(&rows, &classes).is_err());
}

#[test]
fn smoothing_outside_its_range_is_an_error() {
    let classes = Tensor::from([0_i64, 2]);
    for epsilon in [-0.1, 1.0, f64::NAN] {
        let loss = SoftmaxCrossEntropy::new().label_smoothing(epsilon);
        let message = message(loss.forward(&x(&[2, 3]), &classes));
        let expected = format!("label_smoothing must be in [0, 1), found {epsilon}");
        assert!(message.contains(&expected), "{message}");
    }
}

#[test]
fn soft_targets_outside_their_range_are_an_error() {
    let one = x(&[2]);
    for target in [-0.1, 1.5, f64::NAN] {
        let targets = Tensor::from([0.5, target]);
        let message = message(QualityFocalLoss::new().forward_soft(&one, &targets));
        assert!(message.contains("at element 1"), "{message}");
        assert!(
            SigmoidFocalLoss::new()
                .forward_soft(&one, &targets)
                .is_err()
        );
    }
    for share in [-0.1, f64::NAN, f64::INFINITY] {
        let shares = Tensor::from([[0.5, 0.5], [0.5, share]]);
        let message = message(SoftmaxFocalLoss::new().forward_soft(&x(&[2, 2]), &shares));
        assert!(message.contains("for class 1 of row 1"), "{message}");
    }
    let probabilities = Tape::new().var(Tensor::from([0.5, 1.5]));
    let targets = Tensor::from([0.0, 1.0]);
    assert!(
        ProbabilityCrossEntropy::new()
            .forward(&probabilities, &targets)
            .is_err()
    );
}

#[test]
fn a_divisor_must_be_positive_and_finite() {
    for n in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let loss = SigmoidFocalLoss::new().reduction(Reduction::DividedBy(n));
        assert!(loss.forward(&x(&[1]), &Tensor::from([1_i64])).is_err());
    }
}

#[test]
fn labels_without_classes_are_an_error() {
    let none = Tape::new().var(Tensor::<f64>::zeros([2, 0]).unwrap());
    let labels = Tensor::from([0_i64, 0]);
    assert!(SoftmaxFocalLoss::new().forward(&none, &labels).is_err());
    assert!(
        SoftmaxFocalLoss::new()
            .label_smoothing(0.1)
            .forward(&none, &labels)
            .is_err()
    );
}

#[test]
fn an_option_that_a_member_does_not_have_is_refused() {
    let logits = Tape::new().var(Tensor::from([[0.5_f32, 1.0]]));
    let labels = Tensor::from([0_i64]);
    let smoothed = DualFocalLoss::new().label_smoothing(0.1);
    let error = smoothed.forward(&logits, &labels).map(drop).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("label smoothing must be left out"),
        "{error}"
    );
    let counts = ClassCounts::from_counts([9, 1]).unwrap();
    let adjusted = DualFocalLoss::new().logit_adjusted(&counts, 1.0);
    let error = adjusted.forward(&logits, &labels).map(drop).unwrap_err();
    assert!(error.to_string().contains("must be left out"), "{error}");
}
