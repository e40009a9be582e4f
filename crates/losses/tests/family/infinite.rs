//! Logits that are infinite.

use macula_autograd::Tape;
use macula_losses::*;
use macula_tensor::{Result, Tensor};

use crate::members::*;
use crate::numbers::pass;

#[test]
fn infinite_logits_give_0_or_a_limit_but_never_nan() {
    for member in every_member(Reduction::None) {
        // Embeddings and probabilities are no logits: an infinite embedding has neither a direction
        // nor distances, and a probability of 0 that is the truth has no finite slope.
        if member.row == [2] || member.row == [2, 2] || member.refuses_nan {
            continue;
        }
        for infinity in [f64::INFINITY, f64::NEG_INFINITY] {
            for label in 0..member.classes {
                let mut elements = member.logits(5, 2).to_vec().unwrap();
                elements[0] = infinity;
                let x = Tensor::from_vec(elements, member.logits_shape(2)).unwrap();
                let (values, gradient) = pass(&member, &x, &member.same_labels(label, 2), None);
                let is_nan = values.iter().chain(&gradient).any(|number| number.is_nan());
                assert!(!is_nan, "{}: {values:?} and {gradient:?}", member.name);
            }
        }
    }
}

#[test]
fn infinite_logits_have_the_same_limits_when_the_gradient_is_recorded() {
    for member in every_member(Reduction::None) {
        // As above.
        if member.row == [2] || member.row == [2, 2] || member.refuses_nan {
            continue;
        }
        for (place, infinity) in [
            (0, f64::INFINITY),
            (1, f64::INFINITY),
            (0, f64::NEG_INFINITY),
        ] {
            for label in 0..member.classes {
                let mut elements = member.logits(5, 2).to_vec().unwrap();
                elements[place] = infinity;
                let x = Tensor::from_vec(elements, member.logits_shape(2)).unwrap();
                let labels = member.same_labels(label, 2);
                let (_, fused) = pass(&member, &x, &labels, None);
                let x = Tape::new().var(x);
                let loss = (member.loss)(&x, &labels, None).unwrap();
                let first = loss.sum(..).unwrap().grad(&[&x]).unwrap().remove(0);
                let recorded = first.value().to_vec().unwrap();
                for (fused, recorded) in fused.iter().zip(&recorded) {
                    // Two orders of a few roundings.
                    let close = (fused - recorded).abs() <= 1e-13 * fused.abs();
                    assert!(
                        fused == recorded || close,
                        "{}: {fused} and {recorded}",
                        member.name
                    );
                }
                // A gradient that is a constant has none of its own.
                if let Ok(second) = first.sum(..).unwrap().grad(&[&x]) {
                    let second = second[0].value().to_vec().unwrap();
                    let is_nan = second.iter().any(|number| number.is_nan());
                    assert!(!is_nan, "{}: {second:?}", member.name);
                }
            }
        }
    }
}

#[test]
fn infinite_mistakes_that_weigh_nothing_leave_the_lovasz_hinge_infinite() -> Result<()> {
    // Where every object pixel is missed, a false alarm adds nothing: the union grows, and the
    // index stays 0.
    for labels in [[0_i64, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]] {
        let wrong = labels.map(|label| if label == 1 { -1.0 } else { 1.0 } * f64::INFINITY);
        let x = Tape::new().var(Tensor::from(wrong));
        let loss = LovaszLoss::new().hinge(&x, &Tensor::from(labels))?;
        assert_eq!(loss.item()?, f64::INFINITY, "{labels:?}");
        let gradient = loss.backward()?.of(&x)?.to_vec()?;
        assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
        // The weights of the errors add up to the Jaccard loss of all of them, which is 1.
        let total: f64 = gradient.iter().map(|g| g.abs()).sum();
        assert!((total - 1.0).abs() < 1e-15, "{gradient:?}");
    }
    Ok(())
}

#[test]
fn equal_infinities_have_a_limit_unless_one_of_them_is_the_target() {
    let (plus, minus) = (f64::INFINITY, f64::NEG_INFINITY);
    for member in softmax_members(Reduction::None) {
        for (row, label, has_limit) in [
            ([plus, plus, 0.0], 2, true),
            ([plus, plus, 0.0], 0, false),
            ([minus, minus, 0.0], 0, true),
            ([minus, minus, 0.0], 2, true),
            ([minus; 3], 0, false),
        ] {
            // In smoothed rows every class is a target once.
            let has_limit = has_limit && !(member.name.contains("smoothed") && row[0] == plus);
            let x = Tensor::from([row, [0.3, -0.2, 0.1]]);
            let (values, gradient) = pass(&member, &x, &Tensor::from([label, 1]), None);
            let (own, other) = gradient.split_at(3);
            let name = member.name;
            assert_eq!(
                !values[0].is_nan(),
                has_limit,
                "{name}, {row:?}: {values:?}"
            );
            let is_nan = own.iter().any(|slope| slope.is_nan());
            assert_eq!(!is_nan, has_limit, "{name}, {row:?}: {own:?}");
            let finite = other.iter().all(|slope| slope.is_finite());
            assert!(finite && values[1].is_finite(), "{name}, {row:?}");
            // The recorded gradient is the same.
            let x = Tape::new().var(x);
            let loss = (member.loss)(&x, &Tensor::from([label, 1]), None).unwrap();
            let recorded = loss.sum(..).unwrap().grad(&[&x]).unwrap().remove(0);
            let recorded = recorded.value().to_vec().unwrap();
            for (recorded, fused) in recorded.iter().zip(&gradient) {
                let close = (recorded - fused).abs() <= 1e-13 * fused.abs();
                let both_nan = recorded.is_nan() && fused.is_nan();
                assert!(close || both_nan, "{name}, {row:?}: {recorded} and {fused}");
            }
        }
    }
}

#[test]
fn infinite_logits_of_many_classes_are_those_of_few() -> Result<()> {
    let (plus, minus, nan) = (f64::INFINITY, f64::NEG_INFINITY, f64::NAN);
    for few in [
        [plus, 0.5, 0.0],
        [0.5, minus, plus],
        [plus, plus, 0.0],
        [minus, minus, 0.0],
        [minus; 3],
        [nan, plus, 0.0],
    ] {
        // More classes that hide themselves.
        let many: Vec<f64> = few.into_iter().chain([minus; 37]).collect();
        for target in 0..3_i64 {
            let of = |row: &[f64]| -> Result<[Vec<f64>; 2]> {
                let x = Tape::new().var(Tensor::from_vec(row.to_vec(), [1, row.len()])?);
                let loss = SoftmaxFocalLoss::new().forward(&x, &Tensor::from([target]))?;
                let loss_value = loss.value().to_vec()?;
                Ok([loss_value, loss.backward()?.of(&x)?.to_vec()?])
            };
            let ([loss, gradient], [loss_of_many, gradient_of_many]) = (of(&few)?, of(&many)?);
            let bits = |numbers: &[f64]| -> Vec<Option<u64>> {
                let bits = |x: &f64| (!x.is_nan()).then_some(x.to_bits());
                numbers.iter().map(bits).collect()
            };
            assert_eq!(bits(&loss), bits(&loss_of_many), "{few:?}, {target}");
            let (first, hidden) = gradient_of_many.split_at(3);
            assert_eq!(bits(&gradient), bits(first), "{few:?}, {target}");
            let lost = gradient.iter().any(|number| number.is_nan());
            assert!(
                lost || hidden.iter().all(|&number| number == 0.0),
                "{hidden:?}"
            );
        }
    }
    Ok(())
}
