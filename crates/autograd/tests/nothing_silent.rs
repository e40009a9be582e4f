//! What goes wrong is told: anomalies with their line, gradients that are missing, what is kept.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use macula_autograd::{Finding, Keep, Param, Tape, Var};
use macula_tensor::{Pointwise, Pooling, Result, Scalar, Tensor};

/// A matrix whose elements are all one number.
fn square(element: f64) -> Tensor<f64> {
    Tensor::from([[element; 2]; 2])
}

/// The message of an error, and the line it names.
fn message<R>(result: Result<R>) -> String {
    result.map(drop).unwrap_err().to_string()
}

#[test]
fn the_first_value_that_is_not_finite_is_told_with_the_callers_line() -> Result<()> {
    let tape = Tape::new().detect_anomalies();
    let x = tape.var(Tensor::from([-1.0, 0.5]));
    let shifted = x.add_scalar(0.5)?;
    let line = line!() + 1;
    let message = message(shifted.sqrt());
    let place = format!("{}:{line}:", file!());
    assert!(
        message.starts_with("sqrt: the value of shape [2] at "),
        "{message}"
    );
    assert!(message.contains(&place), "{message} does not name {place}");
    assert!(message.contains("from [2] between -0.5 and 1"), "{message}");
    Ok(())
}

#[test]
fn the_operators_and_composed_operations_name_the_callers_line_too() -> Result<()> {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0, 2.0]));
    let line = line!() + 1;
    let _ = (&(&x * 2.0) + &x, x.std(0, 0)?, x.einsum("i,i->", &x)?);
    for recorded in &tape.listing().lines()[1..] {
        let found = (recorded.location.file(), recorded.location.line());
        assert_eq!(found, (file!(), line), "{}", recorded.name);
    }
    Ok(())
}

#[test]
fn a_gradient_that_is_not_finite_is_told_in_both_sweeps() -> Result<()> {
    for keeps_tape in [false, true] {
        let tape = Tape::new().detect_anomalies();
        let x = tape.var(Tensor::from([0.0, 4.0]));
        let line = line!() + 1;
        let y = x.sqrt()?.sum(..)?;
        let message = match keeps_tape {
            true => message(y.grad(&[&x])),
            false => message(y.backward()),
        };
        assert!(
            message.starts_with("sqrt: the gradient to input 0 at "),
            "{message}"
        );
        assert!(
            message.contains(&format!("{}:{line}:", file!())),
            "{message}"
        );
        assert!(
            message.ends_with("values [2] between 0 and 4, is not finite (inf)"),
            "{message}"
        );
    }
    Ok(())
}

#[test]
fn a_tape_that_does_not_look_lets_infinities_pass() -> Result<()> {
    let x = Tape::new().var(Tensor::from([0.0]));
    assert_eq!(x.ln()?.item()?, f64::NEG_INFINITY);
    Ok(())
}

#[test]
fn an_audit_names_what_is_missing_zero_frozen_or_not_finite() -> Result<()> {
    let param = |name: &str| Param::new(name, Tensor::from([0.0, 1.0]));
    let names = ["fine", "missing", "zero", "broken", "frozen"];
    let params = names.map(param);
    let [fine, _, zero, broken, frozen] = &params;
    frozen.set_trainable(false);
    let tape = Tape::new();
    let loss = tape
        .param(fine)
        .exp()?
        .add(&tape.param(zero).mul_scalar(0.0)?)?
        .add(&tape.param(broken).sqrt()?)?
        .add(&tape.param(frozen))?
        .sum(..)?;
    let audit = loss.backward()?.audit(&params)?;
    let not_finite = Finding::NotFinite {
        nan: 0,
        infinite: 1,
        count: 2,
    };
    let found: Vec<_> = audit
        .findings()
        .iter()
        .map(|(name, found)| (name.as_str(), *found))
        .collect();
    assert_eq!(
        found,
        [
            ("missing", Finding::Missing),
            ("zero", Finding::Zero),
            ("broken", not_finite),
            ("frozen", Finding::Frozen),
        ]
    );
    assert!(
        audit
            .to_string()
            .contains("broken: 0 NaN and 1 infinite of 2 elements")
    );
    Ok(())
}

#[test]
fn an_audit_of_sound_gradients_is_clean() -> Result<()> {
    let param = Param::new("weight", Tensor::from([1.0_f32]));
    let gradients = Tape::new().param(&param).square()?.sum(..)?.backward()?;
    let audit = gradients.audit([&param])?;
    assert!(audit.is_clean());
    assert_eq!(
        audit.to_string(),
        "all 1 parameters have finite gradients\n"
    );
    Ok(())
}

#[test]
fn a_listing_counts_memory_that_two_operations_keep_once() -> Result<()> {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0_f64, 2.0, 3.0, 4.0]));
    let _ = (x.exp()?, x.sin()?, x.neg()?);
    let listing = tape.listing();
    let kept: Vec<_> = listing.lines().iter().map(|line| line.kept).collect();
    assert_eq!(kept, [0, 32, 32, 0]);
    assert_eq!(listing.total(), 32);
    let table = listing.to_string();
    let rows: Vec<_> = table.lines().collect();
    assert!(rows[0].contains("operation"));
    assert!(rows[2].contains("exp") && rows[2].contains("[4]"));
    assert!(rows[5].starts_with("total") && rows[5].ends_with("32"));
    Ok(())
}

#[test]
fn a_product_keeps_what_stands_beside_an_operand_with_a_gradient_and_no_more() -> Result<()> {
    let tape = Tape::new();
    let (x, data) = (tape.var(square(1.0)), tape.constant(square(2.0)));
    let _ = (x.mul(&data)?, data.matmul(&x)?, x.mul(&x.neg()?)?);
    // Data on the left and a bias, as in the first layer of a model: no weight is kept.
    let bias = tape.var(Tensor::from([1.0, 2.0]));
    data.linear(&x, Some(&bias))?;
    let listing = tape.listing();
    let kept = |name| listing.lines().iter().filter(move |line| line.name == name);
    let kept = |name| kept(name).map(|line| line.kept).collect::<Vec<_>>();
    let one = 4 * 8;
    assert_eq!(kept("mul"), [one, 2 * one]);
    assert_eq!((kept("matmul"), kept("linear")), (vec![one], vec![one]));
    Ok(())
}

#[test]
fn a_rule_that_asks_for_more_than_was_kept_is_told() -> Result<()> {
    let x = Tape::new().var(Tensor::scalar(2.0));
    let asking = |keep: Keep, index: usize| {
        let value = x.value().clone();
        Var::record("asking", [&x, &x], value, keep, move |_, saved| {
            Ok([Some(saved.input(index)?), None])
        })
    };
    let slope = |y: Result<Var<f64>>| y?.grad(&[&x])?.remove(0).item();
    assert_eq!(slope(asking(Keep::Only(&[1]), 1))?, 2.0);
    assert_eq!(slope(asking(Keep::Inputs, 1))?, 2.0);
    let told = "asking: the rule asks for an input that the operation did not keep";
    for (keep, index) in [
        (Keep::Nothing, 0),
        (Keep::Output, 0),
        (Keep::Only(&[1]), 0),
        (Keep::Inputs, 2),
    ] {
        let y = asking(keep, index)?;
        assert_eq!(message(y.grad(&[&x])), told);
        // The rule stands on the tape again, whatever came of it.
        assert_eq!(message(y.grad(&[&x])), told);
    }
    Ok(())
}

#[test]
fn a_drawing_has_a_node_for_each_line_and_an_arrow_for_each_input() -> Result<()> {
    let tape = Tape::new();
    let weight = Param::new("layer \"0\"", Tensor::from([1.0_f32, 2.0]));
    let w = tape.param(&weight);
    w.mul(&w)?.sum(..)?;
    assert_eq!(
        tape.to_dot(),
        r#"digraph tape {
  rankdir=TB;
  node [fontname="sans-serif"];
  n0 [shape=ellipse, label="layer \"0\"\n[2]"];
  n1 [shape=box, label="mul\n[2]"];
  n0 -> n1;
  n0 -> n1;
  n2 [shape=box, label="sum\n[]"];
  n1 -> n2;
}
"#
    );
    Ok(())
}

/// A formula whose slope is not that of its value.
#[derive(Clone, Copy, Debug)]
struct Straight;

impl Pointwise<1> for Straight {
    const NAME: &'static str = "straight";
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        x.round()
    }
    fn gradient<S: Scalar>(&self, [x]: [S; 1]) -> [S; 1] {
        [x.constant(1.0)]
    }
}

#[test]
fn an_overridden_slope_is_the_one_that_is_used() -> Result<()> {
    let x = Tape::new().var(Tensor::from([0.3, 1.7]));
    let y = x.map(Straight)?;
    assert_eq!(y.value().to_vec()?, [0.0, 2.0]);
    let slope = y.grad(&[&x])?.remove(0);
    assert_eq!(slope.value().to_vec()?, [1.0, 1.0]);
    let inputs = [Var::value(&x).clone()];
    assert!(macula_autograd::check_gradients("straight", &inputs, |x| x[0].map(Straight)).is_err());
    Ok(())
}

#[test]
fn a_listing_counts_the_places_and_masks_that_rules_hold() -> Result<()> {
    let tape = Tape::new();
    let image = tape.var(Tensor::full([1, 2, 4, 4], 1.0)?);
    image.max_pool2d(&Pooling::new(2))?;
    let matrix = image.reshape([8, 4])?;
    let index = Tensor::full([8, 3], 1_i64)?;
    let _ = (matrix.gather(1, &index)?, matrix.gather(1, &index)?);
    let (_, places) = matrix.sort(1, false)?;
    let row = Tensor::from([true, false, true, true]);
    let mask = row.expand([8, 4])?;
    let _ = (
        matrix.masked_fill(&mask, 0.0)?,
        matrix.masked_select(&mask)?,
    );
    let listing = tape.listing();
    let kept: Vec<_> = listing
        .lines()
        .iter()
        .map(|line| (line.name.as_str(), line.kept))
        .collect();
    // A place takes eight bytes, a truth value one, and that of a column the same for every row.
    let (pooled, gathered, sorted, masked) = (8 * 8, 8 * 24, 8 * 32, 4);
    assert_eq!(
        kept,
        [
            ("var", 0),
            ("max_pool2d", pooled),
            ("reshape", 0),
            ("gather", gathered),
            ("gather", gathered),
            ("sort", sorted),
            ("masked_fill", masked),
            ("masked_select", masked),
        ]
    );
    // The index of both gathers is one; two views of a mask count twice.
    assert_eq!(listing.total(), pooled + gathered + sorted + 2 * masked);
    assert_eq!(places.count(), 32);
    Ok(())
}

#[test]
fn every_operation_that_takes_an_index_or_a_mask_counts_it() -> Result<()> {
    let tape = Tape::new();
    let x = tape.var(Tensor::full([2, 4], 1.0)?);
    let (index, mask) = (
        Tensor::from([3_i64, 0]),
        Tensor::from([true, false, true, true]),
    );
    let places = Tensor::from([[0_i64, 1], [2, 3]]);
    let _ = (
        x.index_select(1, &index)?,
        x.index_add(1, &index, &x.narrow(1, 0, 2)?)?,
        x.gather(1, &places)?,
        x.scatter_add(1, &places, &x)?,
        Var::select(&mask, &x, &x)?,
        x.masked_fill(&mask, 0.0)?,
        x.masked_select(&mask)?,
        x.sort(1, true)?,
        x.topk(2, 1, true)?,
        x.kthvalue(2, 1)?,
        x.median(1)?,
        x.cummax(1)?,
        x.max_pool1d(&Pooling::new(2))?,
        x.adaptive_max_pool2d(1)?,
    );
    for line in tape.listing().lines() {
        let holds_nothing = ["var", "narrow"].contains(&line.name.as_str());
        assert_eq!(line.kept == 0, holds_nothing, "{}", line.name);
    }
    Ok(())
}

#[test]
fn a_repeated_element_that_is_kept_counts_once() -> Result<()> {
    let tape = Tape::new();
    let row = tape.var(Tensor::from([1.0, 2.0, 3.0]));
    row.expand([100, 3])?.exp()?;
    assert_eq!(tape.listing().total(), 3 * 8);
    Ok(())
}
