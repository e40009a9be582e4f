//! Logits that are NaN, and batches in which there is nothing or little.

use macula_autograd::Tape;
use macula_losses::*;
use macula_tensor::{Result, Tensor};

use crate::members::*;

/// Loss and gradient as numbers.
pub(crate) fn pass(
    member: &Member,
    x: &Tensor<f64>,
    y: &Tensor<i64>,
    w: Option<&Tensor<f64>>,
) -> (Vec<f64>, Vec<f64>) {
    let x = Tape::new().var(x.clone());
    let losses = (member.loss)(&x, y, w).unwrap_or_else(|error| panic!("{}: {error}", member.name));
    let values = losses.value().to_vec().unwrap();
    let gradients = losses.sum(..).unwrap().backward().unwrap();
    (values, gradients.of(&x).unwrap().to_vec().unwrap())
}

fn assert_zero(member: &Member, (values, gradient): (Vec<f64>, Vec<f64>)) {
    let zero = values.iter().chain(&gradient).all(|&number| number == 0.0);
    assert!(zero, "{}: {values:?} and {gradient:?}", member.name);
}

#[test]
fn nothing_that_counts_gives_loss_0_and_gradient_0() {
    for reduction in REDUCTIONS.into_iter().chain([Reduction::None]) {
        for member in every_member(reduction) {
            let empty = Tensor::zeros(member.logits_shape(0)).unwrap();
            assert_zero(&member, pass(&member, &empty, &member.labels(1, 0), None));
            if member.ignores {
                let nan = Tensor::full(member.logits_shape(2), f64::NAN).unwrap();
                let ignored = member.same_labels(-1, 2);
                assert_zero(&member, pass(&member, &nan, &ignored, None));
            }
            if member.weighs && !member.refuses_nan {
                let nan = Tensor::full(member.logits_shape(2), f64::NAN).unwrap();
                let (labels, weights) = (member.labels(1, 2), Tensor::from([0.0, 0.0]));
                assert_zero(&member, pass(&member, &nan, &labels, Some(&weights)));
            }
        }
    }
}

#[test]
fn ignored_samples_count_in_no_divisor_and_may_hold_anything() {
    for reduction in REDUCTIONS {
        for member in every_member(reduction) {
            if !member.ignores {
                continue;
            }
            let (x, y) = (member.logits(3, 5), member.labels(3, 5));
            let strange = Tensor::full(member.logits_shape(1), f64::NAN).unwrap();
            let longer = Tensor::concatenate(&[&x, &strange], 0).unwrap();
            let ignored = member.same_labels(-1, 1);
            let labels = Tensor::concatenate(&[&y, &ignored], 0).unwrap();
            let (short, long) = (
                pass(&member, &x, &y, None),
                pass(&member, &longer, &labels, None),
            );
            let (own, last) = long.1.split_at(x.count());
            assert!(last.iter().all(|&g| g == 0.0), "{}", member.name);
            // The regions of an ignored sample are regions without errors.
            if member.row.len() < 2 {
                let pairs = short.0.iter().chain(&short.1).zip(long.0.iter().chain(own));
                for (short, long) in pairs {
                    let close = (short - long).abs() <= 1e-14 * short.abs();
                    assert!(close, "{}: {short} and {long}", member.name);
                }
            }
        }
    }
}

#[test]
fn a_weight_of_0_is_a_sample_that_is_not_there() {
    for reduction in [Reduction::Sum, Reduction::WeightedMean] {
        for member in every_member(reduction) {
            if !member.weighs || member.refuses_nan {
                continue;
            }
            let (x, y) = (member.logits(3, 5), member.labels(3, 5));
            let strange = Tensor::full(member.logits_shape(1), f64::NAN).unwrap();
            let longer = Tensor::concatenate(&[&x, &strange], 0).unwrap();
            let labels = Tensor::concatenate(&[&y, &member.labels(1, 1)], 0).unwrap();
            let weights = Tensor::from([1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
            let short = pass(&member, &x, &y, None);
            let long = pass(&member, &longer, &labels, Some(&weights));
            let zeros = vec![0.0; longer.count() - x.count()];
            let wanted = short.0.iter().chain(&short.1).chain(&zeros);
            for (wanted, found) in wanted.zip(long.0.iter().chain(&long.1)) {
                let close = (wanted - found).abs() <= 1e-14 * wanted.abs();
                assert!(close, "{}: {wanted} and {found}", member.name);
            }
        }
    }
}

#[test]
fn what_does_not_count_is_0_in_recorded_gradients_too() {
    for member in every_member(Reduction::Sum) {
        let x = member.logits(3, 3);
        let strange = Tensor::full(member.logits_shape(1), f64::NAN).unwrap();
        let x = Tensor::concatenate(&[&x, &strange], 0).unwrap();
        let ignored = member.ignores.then(|| member.same_labels(-1, 1));
        let absent = (member.weighs && !member.refuses_nan)
            .then(|| (member.same_labels(0, 1), Tensor::from([1.0, 1.0, 1.0, 0.0])));
        let ignored = ignored.map(|label| (label, None));
        let absent = absent.map(|(label, weights)| (label, Some(weights)));
        for (label, weights) in ignored.into_iter().chain(absent) {
            let labels = Tensor::concatenate(&[&member.labels(3, 3), &label], 0).unwrap();
            let x = Tape::new().var(x.clone());
            let loss = (member.loss)(&x, &labels, weights.as_ref()).unwrap();
            let first = loss.grad(&[&x]).unwrap().remove(0);
            // A gradient that is a constant has none of its own.
            let second = first.sum(..).unwrap().grad(&[&x]);
            for gradient in second.into_iter().flatten().chain([first]) {
                let gradient = gradient.value().to_vec().unwrap();
                let (own, last) = gradient.split_at(gradient.len() / 4 * 3);
                let name = member.name;
                assert!(last.iter().all(|&g| g == 0.0), "{name}: {last:?}");
                assert!(own.iter().all(|g| g.is_finite()), "{name}: {own:?}");
            }
        }
    }
}

#[test]
fn a_logit_that_is_nan_stays_in_its_own_sample() {
    for member in every_member(Reduction::None) {
        if !member.reduces || !(member.local || member.weighs) || member.refuses_nan {
            continue;
        }
        let (x, y) = (member.logits(5, 4), member.labels(5, 4));
        let width: usize = member.row.iter().product();
        let mut elements = x.to_vec().unwrap();
        // The target's own logit, which is all that the likelihood reads.
        let target = if member.row == ROW && member.target.is_empty() {
            y.to_vec().unwrap()[1] as usize
        } else {
            0
        };
        elements[width + target] = f64::NAN;
        let x = Tensor::from_vec(elements, x.shape()).unwrap();
        let (values, gradient) = pass(&member, &x, &y, None);
        for (sample, values) in values.chunks(values.len() / 4).enumerate() {
            let is_nan = values.iter().any(|loss| loss.is_nan());
            assert_eq!(
                is_nan,
                sample == 1,
                "{}, sample {sample}: {values:?}",
                member.name
            );
        }
        let x = Tape::new().var(x);
        let loss = (member.loss)(&x, &y, None).unwrap().sum(..).unwrap();
        let recorded = loss.grad(&[&x]).unwrap()[0].value().to_vec().unwrap();
        for gradient in [gradient, recorded] {
            for (sample, gradient) in gradient.chunks(width).enumerate() {
                let finite = gradient.iter().all(|g| g.is_finite());
                assert!(finite || sample == 1, "{}, sample {sample}", member.name);
            }
        }
    }
}

#[test]
fn a_logit_that_is_nan_is_never_lost_in_a_reduction() {
    for reduction in REDUCTIONS {
        for member in every_member(reduction) {
            let x = Tensor::full(member.logits_shape(3), f64::NAN).unwrap();
            let x = Tape::new().var(x);
            match (member.loss)(&x, &member.labels(5, 3), None) {
                Ok(loss) => assert!(loss.item().unwrap().is_nan(), "{}", member.name),
                Err(_) => assert!(member.refuses_nan, "{}", member.name),
            }
        }
    }
}

#[test]
fn a_pixel_that_is_nan_is_not_lost_where_it_weighs_nothing() -> Result<()> {
    for labels in [[0_i64, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1]] {
        for place in 0..3 {
            let mut logits = [0.5, -0.5, f64::INFINITY];
            logits[place] = f64::NAN;
            let x = Tape::new().var(Tensor::from(logits));
            let loss = LovaszLoss::new().hinge(&x, &Tensor::from(labels))?;
            assert!(loss.item()?.is_nan(), "{labels:?}, NaN at {place}");
        }
    }
    Ok(())
}

#[test]
fn a_probability_of_0_that_is_the_truth_spoils_its_own_element_alone() -> Result<()> {
    let targets = Tensor::from([1.0, 0.0, 1.0, 0.0]);
    let loss = ProbabilityCrossEntropy::new().reduction(Reduction::None);
    let p = Tape::new().var(Tensor::from([0.0, 1.0, 0.25, 0.25]));
    let losses = loss.forward(&p, &targets)?;
    assert_eq!(losses.value().to_vec()?[..2], [f64::INFINITY; 2]);
    let gradient = losses.sum(..)?.backward()?.of(&p)?.to_vec()?;
    assert_eq!(gradient, [-f64::INFINITY, f64::INFINITY, -4.0, 4.0 / 3.0]);

    let x = Tape::new().var(Tensor::from([f64::NEG_INFINITY, f64::INFINITY, 0.0, 0.0]));
    let losses = loss.forward(&x.sigmoid()?, &targets)?;
    assert_eq!(losses.value().to_vec()?[..2], [f64::INFINITY; 2]);
    let gradient = losses.sum(..)?.backward()?.of(&x)?.to_vec()?;
    assert!(gradient[..2].iter().all(|g| g.is_nan()), "{gradient:?}");
    assert_eq!(gradient[2..], [-0.5, 0.5]);
    Ok(())
}

#[test]
fn an_embedding_that_is_not_finite_is_seen_by_every_other() -> Result<()> {
    for wrong in [f64::NAN, f64::INFINITY] {
        // The sample has no partner, but is a negative of all.
        let rows = [[0.3, 0.1], [1.0, -0.3], [wrong, 0.9], [1.3, 1.1]];
        let x = Tape::new().var(Tensor::from(rows));
        let labels = Tensor::from([0_i64, 0, 1, 0]);
        let supervised = SupervisedContrastiveLoss::new().forward(&x, &labels)?;
        assert!(supervised.item()?.is_nan());
        assert!(NtXentLoss::new().forward(&x)?.item()?.is_nan());
    }
    Ok(())
}

#[test]
fn the_only_class_costs_nothing() -> Result<()> {
    let counts = ClassCounts::from_counts([7])?;
    fn check<F: RowLoss>(loss: SoftmaxLoss<F>) -> Result<()> {
        for reduction in REDUCTIONS {
            let x = Tape::new().var(Tensor::from([[0.7_f64], [-2.0]]));
            let loss = loss.clone().reduction(reduction);
            let value = loss.forward(&x, &Tensor::from([0_i64, 0]))?;
            assert_eq!(value.item()?, 0.0, "{loss:?}");
            assert_eq!(value.backward()?.of(&x)?.to_vec()?, [0.0, 0.0], "{loss:?}");
        }
        Ok(())
    }
    let focal = SoftmaxFocalLoss::new;
    check(SoftmaxCrossEntropy::new())?;
    check(SoftmaxCrossEntropy::new().label_smoothing(0.1))?;
    check(focal().gamma(0.5))?;
    check(focal().gammas([1.5]).alpha([3.0]).label_smoothing(0.3))?;
    check(focal().logit_adjusted(&counts, 1.0)?)?;
    check(focal().balanced(&counts))?;
    check(focal().vector_scaled(&counts, 1.0, 0.5)?)?;
    check(focal().label_aware_margins(&counts, 0.5, 30.0)?)?;
    check(SoftmaxPolyLoss::new())?;
    check(SampleDependentFocalLoss::new())?;
    check(CyclicalFocalLoss::new())?;
    check(DualFocalLoss::new())?;
    check(AsymmetricSingleLabelLoss::new())?;
    check(SeesawLoss::new(&counts))
}
