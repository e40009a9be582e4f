//! What an error says: the loss that was called, though another does its work, and which of several
//! numbers is wrong.

use macula_autograd::{Tape, Var};
use macula_losses::*;
use macula_tensor::{Result, Tensor};

use crate::bad_input::{message, x};
use crate::members::logits;

#[test]
fn losses_that_call_others_are_named_themselves() {
    let labels = Tensor::from([0_i64, 2, 1]);
    let ghm = GhmLoss::new();
    assert_eq!(
        message(ghm.forward(&x(&[3]), &labels)),
        "ghm_loss: row 1 has label 2, expected 0 to 1"
    );
    assert_eq!(
        message(ghm.forward(&x(&[2]), &labels)),
        "ghm_loss: expected targets of the logits' shape [2], found shape [3]"
    );
    let divided = ghm.reduction(Reduction::DividedBy(0.0));
    assert_eq!(
        message(divided.forward(&x(&[2]), &Tensor::from([0, 1]))),
        "ghm_loss: divisor must be positive and finite, found 0"
    );

    let equalization = EqualizationLoss::new([0.5]);
    let foreground = Tensor::from([true; 3]);
    let column = labels.unsqueeze(1).unwrap();
    assert_eq!(
        message(equalization.forward(&x(&[3, 1]), &column, &foreground)),
        "equalization_loss: element [1, 0] has label 2, expected 0 to 1"
    );
    assert_eq!(
        message(equalization.forward(&x(&[2, 1]), &column, &foreground)),
        "equalization_loss: expected targets of the logits' shape [2, 1], found shape [3, 1]"
    );

    let unified = UnifiedFocalLoss::new();
    assert_eq!(
        message(unified.forward(&x(&[3, 1]), &column)),
        "unified_focal_loss: element [1, 0] has label 2, expected 0 to 1"
    );
    assert_eq!(
        message(unified.forward(&x(&[2, 1]), &column)),
        "unified_focal_loss: expected targets of the logits' shape [2, 1], found shape [3, 1]"
    );
    assert_eq!(
        message(unified.forward(&x(&[3]), &Tensor::from([0, 1, 1]))),
        "unified_focal_loss: expected logits of shape [N, C] or [N, C, …], found shape [3]"
    );
}

#[test]
fn the_listing_of_a_tape_shows_the_loss_that_was_called() -> Result<()> {
    let logits = x(&[2]);
    GhmLoss::new().forward(&logits, &Tensor::from([0, 1]))?;
    let listing = logits.tape().listing();
    let last = listing.lines().last().map(|line| line.name.as_str());
    assert_eq!(last, Some("ghm_loss"));
    Ok(())
}

#[test]
fn a_number_of_a_class_is_named_with_its_class() {
    let (rows, classes) = (x(&[2, 3]), Tensor::from([0_i64, 2]));
    let weighted = |weights: &[f64]| {
        let loss = SoftmaxCrossEntropy::new().class_weights(weights);
        message(loss.forward(&rows, &classes))
    };
    let expected = "cross_entropy: class weights must be 3 finite numbers, none negative and not \
                    all 0, found ";
    assert_eq!(
        weighted(&[1.0, -2.0, 1.0]),
        format!("{expected}-2 for class 1")
    );
    assert_eq!(
        weighted(&[1.0, 1.0, f64::NAN]),
        format!("{expected}NaN for class 2")
    );
    assert_eq!(weighted(&[1.0, 1.0]), format!("{expected}2 of them"));
    assert_eq!(weighted(&[0.0; 3]), format!("{expected}all 0"));

    let gammas = SoftmaxFocalLoss::new().gammas([1.0, 2.0, -3.0]);
    assert_eq!(
        message(gammas.forward(&rows, &classes)),
        "focal_loss: gammas must be finite and not negative, found -3 for class 2"
    );
    let gammas = SoftmaxFocalLoss::new().gammas([1.0, 2.0]);
    assert_eq!(
        message(gammas.forward(&rows, &classes)),
        "focal_loss: gammas must be 3 numbers, all finite, found 2 of them"
    );
    let equalization = EqualizationLoss::new([0.5, -1.0]);
    let (labels, foreground) = (Tensor::from([[0_i64, 1]]), Tensor::from([true]));
    assert_eq!(
        message(equalization.forward(&x(&[1, 2]), &labels, &foreground)),
        "equalization_loss: frequencies must be finite and not negative, found -1 for class 1"
    );
    let one = SigmoidCrossEntropy::new().positive_weight(-1.0);
    assert_eq!(
        message(one.forward(&x(&[2]), &Tensor::from([0, 1]))),
        "cross_entropy: weight of class 1 must be finite and positive, found -1"
    );
}

#[test]
fn without_classes_no_label_is_expected() {
    let counts = ClassCounts::of(&Tensor::from([0_i64]), 0);
    assert_eq!(
        message(counts),
        "ClassCounts::of: row 0 has label 0, expected none: there are no classes"
    );
    let (none, labels) = (x(&[2, 0]), Tensor::from([0_i64, 0]));
    let expected = "expected logits of shape [N, C] or [N, C, …] with a class at least";
    let dice = message(DiceLoss::new().forward(&none, &labels));
    assert!(dice.contains(expected), "{dice}");
    let lovasz = message(LovaszLoss::new().forward(&none, &labels));
    assert!(lovasz.contains(expected), "{lovasz}");
}

#[test]
fn a_schedule_without_a_factor_says_that_it_is_the_factor() {
    let loss = CyclicalFocalLoss::new().at_epoch(1, 9, 0.0);
    let message = message(loss.forward(&x(&[1, 2]), &Tensor::from([0])));
    assert_eq!(
        message,
        "cyclical_focal_loss: xi must be between 0 and 1, and the factor of at_epoch finite and \
         positive, found NaN"
    );
}

#[test]
fn shapes_that_do_not_match_are_shown() {
    let tape = Tape::new();
    let of = |shape: &[usize]| tape.var(logits(shape));
    let shares = |shape: &[usize]| Tensor::full(shape, 0.5).unwrap();
    let (labels, pairs) = (Tensor::from([0_i64, 1]), Tensor::from([true, false]));
    let table: [(Result<Var<f64>>, &str); 15] = [
        (
            SoftmaxFocalLoss::new().forward_soft(&of(&[2, 3]), &shares(&[2, 2])),
            "focal_loss: expected targets of shape [2, 3] for logits of shape [2, 3], found shape \
             [2, 2]",
        ),
        (
            SoftmaxFocalLoss::new().forward_soft(&of(&[2, 3, 4]), &shares(&[2, 3, 5])),
            "focal_loss: expected targets of shape [2, 3, 4] for logits of shape [2, 3, 4], found \
             shape [2, 3, 5]",
        ),
        (
            SoftmaxFocalLoss::new().forward_soft(&of(&[2, 3]), &shares(&[6])),
            "focal_loss: expected targets of shape [N, C] or [N, C, …], found shape [6]",
        ),
        (
            SigmoidFocalLoss::new().forward_soft(&of(&[2, 3]), &shares(&[3, 2])),
            "focal_loss: expected targets of the logits' shape [2, 3], found shape [3, 2]",
        ),
        (
            MseLoss::new().forward(&of(&[2, 3]), &of(&[3])),
            "mse_loss: expected targets of shape [2, 3], found shape [3]",
        ),
        (
            KlDivergence::new().forward(&of(&[2, 3]), &of(&[3])),
            "kl_divergence: expected targets of shape [2, 3], found shape [3]",
        ),
        (
            ProbabilityCrossEntropy::new().forward(&of(&[2]), &shares(&[3])),
            "probability_cross_entropy: expected targets of shape [2], found shape [3]",
        ),
        (
            ContrastiveLoss::new().forward(&of(&[2, 3]), &of(&[2, 4]), &pairs),
            "contrastive_loss: expected embeddings of shape [2, 3], found shape [2, 4]",
        ),
        (
            ContrastiveLoss::new().forward(&of(&[3, 3]), &of(&[3, 3]), &pairs),
            "contrastive_loss: expected truth values of the pairs of shape [3], found shape [2]",
        ),
        (
            TripletLoss::new().forward(&of(&[2, 3]), &of(&[2, 3]), &of(&[2, 4])),
            "triplet_loss: expected embeddings of shape [2, 3], found shape [2, 4]",
        ),
        (
            TripletLoss::new().mined(&of(&[3, 2]), &labels),
            "triplet_loss: expected labels of shape [3], found shape [2]",
        ),
        (
            SupervisedContrastiveLoss::new().forward(&of(&[3, 2]), &labels),
            "supervised_contrastive_loss: expected labels of shape [3], found shape [2]",
        ),
        (
            NtXentLoss::new().forward(&of(&[3, 2])),
            "nt_xent_loss: expected an even number of rows, two views of each sample, found shape \
             [3, 2]",
        ),
        (
            NtXentLoss::new().forward(&of(&[4])),
            "nt_xent_loss: expected embeddings of shape [N, D], found shape [4]",
        ),
        (
            LovaszLoss::new().hinge(&of(&[3]), &labels),
            "lovasz_hinge: expected labels of shape [3], found shape [2]",
        ),
    ];
    for (result, expected) in table {
        assert_eq!(message(result), expected);
    }
}
