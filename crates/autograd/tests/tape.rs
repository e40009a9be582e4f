//! The tape's promises, seen from outside.

use macula_autograd::{Gradients, Keep, Param, Saved, Tape, Var, check_gradients};
use macula_tensor::{Result, Tensor};

fn scalar(value: f64) -> Tensor<f64> {
    Tensor::scalar(value)
}

#[test]
fn a_variable_used_twice_gets_both_gradients() -> Result<()> {
    let x = Tape::new().var(scalar(3.0));
    let y = x.mul(&x)?.add(&x)?;
    assert_eq!(y.backward()?.of(&x)?.item()?, 7.0);
    Ok(())
}

#[test]
fn broadcast_gradients_are_summed_back() -> Result<()> {
    let tape = Tape::new();
    let row = tape.var(Tensor::from([1.0, 2.0, 3.0]));
    let column = tape.var(Tensor::from([[10.0], [20.0]]));
    let gradients = row.mul(&column)?.sum(..)?.backward()?;
    assert_eq!(gradients.of(&row)?.to_vec()?, [30.0, 30.0, 30.0]);
    assert_eq!(gradients.of(&column)?.to_vec()?, [6.0, 6.0]);
    Ok(())
}

#[test]
fn higher_orders_of_a_cube_are_six() -> Result<()> {
    let x = Tape::new().var(scalar(2.0));
    let y = x.mul(&x)?.mul(&x)?;
    let first = y.grad(&[&x])?.remove(0);
    let second = first.grad(&[&x])?.remove(0);
    let third = second.grad(&[&x])?.remove(0);
    assert_eq!(
        (first.item()?, second.item()?, third.item()?),
        (12.0, 12.0, 6.0)
    );
    Ok(())
}

#[test]
fn an_operation_on_constants_is_not_recorded() -> Result<()> {
    let tape = Tape::new();
    let x = tape.constant(scalar(2.0));
    x.mul(&x)?;
    assert!(tape.is_empty());
    Ok(())
}

#[test]
fn a_parameter_used_twice_is_one_leaf() -> Result<()> {
    let param = Param::new("weight", scalar(2.0));
    let tape = Tape::new();
    let y = tape.param(&param).mul(&tape.param(&param))?;
    assert_eq!(tape.len(), 2);
    let gradients = y.backward()?;
    assert_eq!(gradients.get(&param).unwrap().item()?, 4.0);
    Ok(())
}

#[test]
fn a_frozen_parameter_is_a_constant() -> Result<()> {
    let param = Param::new("weight", scalar(2.0));
    param.set_trainable(false);
    let tape = Tape::new();
    let x = tape.var(scalar(5.0));
    let gradients = tape.param(&param).mul(&x)?.backward()?;
    assert!(gradients.get(&param).is_none());
    assert_eq!(gradients.of(&x)?.item()?, 2.0);
    Ok(())
}

#[test]
fn parameters_are_updated_in_place_after_backward() -> Result<()> {
    let param = Param::new("weight", Tensor::full([1000], 1.0_f32)?);
    let address = || param.value().as_slice().map(<[f32]>::as_ptr);
    let before = address();
    let tape = Tape::new();
    let weight = tape.param(&param);
    let loss = weight.mul(&weight)?.sum(..)?;
    drop(weight);
    let gradients = loss.backward()?;
    let gradient = gradients.get(&param).unwrap().to_vec()?;
    param.update(|weight| {
        weight
            .iter_mut()
            .zip(gradient)
            .for_each(|(w, g)| *w -= 0.1 * g)
    })?;
    assert_eq!(address(), before);
    assert_eq!(param.value().to_vec()?[0], 0.8);
    Ok(())
}

#[test]
fn a_consumed_tape_says_so() -> Result<()> {
    let x = Tape::new().var(scalar(1.0));
    x.mul(&x)?.backward()?;
    let error = x.mul(&x).map(drop).unwrap_err().to_string();
    assert!(
        error.starts_with("mul: backward has already used up this tape"),
        "{error}"
    );
    assert!(x.grad(&[&x]).is_err());
    Ok(())
}

#[test]
fn two_tapes_in_one_operation_are_an_error() {
    let (x, y) = (Tape::new().var(scalar(1.0)), Tape::new().var(scalar(1.0)));
    assert_eq!(
        x.mul(&y).map(drop).unwrap_err().to_string(),
        "mul: the variables belong to two different tapes; make those of one pass from one Tape"
    );
}

#[test]
fn two_tapes_in_one_sweep_are_an_error() -> Result<()> {
    let (x, other) = (Tape::new().var(scalar(1.0)), Tape::new().var(scalar(1.0)));
    let y = x.exp()?;
    let message = "grad: the variables belong to two different tapes";
    for found in [
        y.grad(&[&other]),
        y.grad(&[&x, &other]),
        y.vjp(&other, &[&x]),
        y.hessian_vector_product(&[&other], &[&scalar(1.0)]),
    ] {
        let error = found.unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
    assert!(y.jacobian(&other).is_err() && y.hessian_diagonal(&other).is_err());
    Ok(())
}

#[test]
fn a_hessian_vector_product_wants_a_direction_for_each_variable_of_its_shape() -> Result<()> {
    let x = Tape::new().var(Tensor::from([1.0, 2.0]));
    let y = x.powf(3.0)?;
    let told = |directions: &[&Tensor<f64>]| {
        let found = y.hessian_vector_product(&[&x], directions);
        found.unwrap_err().to_string()
    };
    assert_eq!(
        told(&[]),
        "hessian_vector_product: directions must be one for each of 1 variables, found 0"
    );
    assert_eq!(
        told(&[&scalar(1.0)]),
        "hessian_vector_product: expected a direction of shape [2], found shape []"
    );
    Ok(())
}

#[test]
fn pieces_of_a_split_come_together_in_fewer_steps_than_pieces_times_elements() -> Result<()> {
    const PIECES: usize = 64;
    let tape = Tape::new();
    let x = tape.var(Tensor::full([PIECES, 3], 0.5)?);
    let pieces = x.split(0, [1; PIECES])?;
    assert_eq!(pieces.len(), PIECES);
    // The gradient of each line is padded to the size of the line it was cut from.
    let listing = tape.listing();
    let lines = listing.lines();
    let inputs = lines.iter().flat_map(|line| line.inputs.iter().flatten());
    let steps: usize = inputs
        .map(|&input| lines[input].shape.iter().product::<usize>())
        .sum();
    assert_eq!(steps, 2 * PIECES.ilog2() as usize * x.value().count());

    let mut sum = pieces[0].mul_scalar(0.0)?;
    for (index, piece) in pieces.iter().enumerate() {
        sum = sum.add(&piece.mul_scalar(index as f64)?)?;
    }
    let gradients = sum.sum(..)?.backward()?;
    let expected: Vec<f64> = (0..3 * PIECES).map(|place| (place / 3) as f64).collect();
    assert_eq!(gradients.of(&x)?.to_vec()?, expected);
    Ok(())
}

#[test]
fn the_listing_on_the_front_page_is_that_of_its_example() -> Result<()> {
    let tape = Tape::<f32>::new();
    let w = tape.var(Tensor::scalar(3.0_f32));
    let (x, t) = (
        tape.constant(Tensor::scalar(2.0)),
        tape.constant(Tensor::scalar(5.0)),
    );
    w.mul(&x)?.sub(&t)?.square()?;
    // All but the places in the source, which are last.
    let columns = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let place = words.iter().position(|word| word.contains(".rs:"));
        words[..place.unwrap_or(words.len())].join(" ")
    };
    let printed = tape.listing().to_string();
    let printed: Vec<_> = printed.lines().map(columns).collect();
    let page = include_str!("../src/lib.rs");
    let written = page
        .lines()
        .skip_while(|line| !line.contains("# operation"));
    let written = written.map(|line| columns(line.trim_start_matches("//!")));
    assert_eq!(written.take(printed.len()).collect::<Vec<_>>(), printed);
    Ok(())
}

#[test]
fn no_gradient_of_any_order_flows_past_what_is_detached() -> Result<()> {
    let tape = Tape::new();
    let x = tape.var(scalar(3.0));
    let constant = x.square()?.detach();
    assert!(!constant.has_gradient());
    // 9·x³, of which the slope is 27·x² and not 45·x⁴.
    let first = constant.mul(&x.powf(3.0)?)?.grad(&[&x])?.remove(0);
    assert_eq!(first.item()?, 243.0);
    assert_eq!(first.grad(&[&x])?[0].item()?, 162.0);
    // Nothing else leads from the detached one to x.
    assert!(constant.square()?.backward().is_err());
    Ok(())
}

#[test]
fn a_loss_of_many_elements_or_without_parameters_is_an_error() {
    let tape = Tape::new();
    let many = tape.var(Tensor::from([1.0, 2.0]));
    assert_eq!(
        many.backward().map(drop).unwrap_err().to_string(),
        "backward: expected a loss of one element; reduce it with mean or sum first, found shape [2]"
    );
    let data = tape.constant(scalar(1.0));
    assert!(data.backward().is_err());
    let inference = Tape::inference().var(scalar(1.0));
    assert!(inference.backward().is_err());
}

#[test]
fn the_gradient_of_another_tapes_leaf_is_refused() -> Result<()> {
    let (x, y) = (Tape::new().var(scalar(1.0)), Tape::new().var(scalar(1.0)));
    let gradients = x.mul(&x)?.backward()?;
    assert!(gradients.of(&y).is_err());
    Ok(())
}

#[test]
fn the_gradient_of_a_parameter_is_not_looked_for_among_the_leaves() -> Result<()> {
    let tape = Tape::new();
    let weight = tape.param(&Param::new("weight", scalar(2.0)));
    let gradients = weight.square()?.backward()?;
    let error = gradients.of(&weight).unwrap_err().to_string();
    assert!(error.contains("for a parameter call get"), "{error}");
    Ok(())
}

#[test]
fn gradients_of_two_batches_add_up_and_cross_threads() -> Result<()> {
    let param = Param::new("weight", scalar(3.0));
    let of_batch = |x: f64| -> Result<Gradients<f64>> {
        let tape = Tape::new();
        let x = tape.constant(scalar(x));
        tape.param(&param).mul(&x)?.backward()
    };
    let mut sum = of_batch(2.0)?;
    let other = std::thread::scope(|scope| scope.spawn(|| of_batch(5.0)).join().unwrap())?;
    sum.add(other)?;
    assert_eq!(sum.get(&param).unwrap().item()?, 7.0);
    Ok(())
}

#[test]
fn a_million_operations_run_backward_without_recursion() -> Result<()> {
    let x = Tape::new().var(Tensor::scalar(1.0_f32));
    let mut y = x.neg()?;
    for _ in 1..1_000_000 {
        y = y.neg()?;
    }
    assert_eq!(y.backward()?.of(&x)?.item()?, 1.0);
    Ok(())
}

/// x·y² fused: the value and both gradients in one go.
fn fused(x: &Var<f64>, y: &Var<f64>) -> Result<Var<f64>> {
    let composed = |[x, y]: [&Var<f64>; 2]| x.mul(&y.square()?);
    let (a, b) = (x.item()?, y.item()?);
    let (by_x, by_y) = (scalar(b * b), scalar(2.0 * a * b));
    Var::fused(
        "fused",
        [x, y],
        scalar(a * b * b),
        &[by_x, by_y],
        composed,
        |upstream, found| {
            let [by_x, by_y] = [0, 1].map(|input| upstream.times(&found[input]));
            Ok([Some(by_x?), Some(by_y?)])
        },
    )
}

#[test]
fn a_fused_operation_has_every_order_even_where_its_inputs_depend_on_each_other() -> Result<()> {
    check_gradients("fused", &[scalar(0.7), scalar(-1.3)], |v| {
        fused(&v[0], &v[1])
    })?;
    check_gradients("fused of related inputs", &[scalar(0.7)], |v| {
        fused(&v[0], &v[0].exp()?)
    })
}

#[test]
fn what_a_fused_operation_found_counts_as_kept() -> Result<()> {
    let tape = Tape::new();
    let (x, y) = (tape.var(scalar(0.7)), tape.var(scalar(-1.3)));
    fused(&x, &y)?;
    let listing = tape.listing();
    // Two inputs and two gradients.
    assert_eq!(listing.lines()[2].kept, 4 * size_of::<f64>());
    Ok(())
}

#[test]
fn a_rule_that_asks_for_the_gradient_of_its_own_result_is_an_error() -> Result<()> {
    let x = Tape::new().var(scalar(0.5));
    let rule = |upstream: &Var<f64>, saved: &Saved<f64>| {
        Ok([Some(
            saved
                .output()?
                .vjp(upstream, &[&saved.input(0)?])?
                .remove(0),
        )])
    };
    let y = Var::record("circular", [&x], scalar(1.0), Keep::Both, rule)?;
    let error = y.grad(&[&x]).unwrap_err().to_string();
    assert!(error.contains("circular"), "{error}");
    assert!(error.contains("own rule is running"), "{error}");
    Ok(())
}

#[test]
fn a_gradient_of_a_shape_that_its_input_has_not_names_the_operation() -> Result<()> {
    for shape in [&[3][..], &[]] {
        let x = Tape::new().var(Tensor::from([1.0, 2.0]));
        let gradient = Tensor::<f64>::ones(shape)?;
        let rule =
            move |_: &Var<f64>, saved: &Saved<f64>| Ok([Some(saved.constant(gradient.clone()))]);
        let y = Var::record("mine", [&x], scalar(1.0), Keep::Nothing, rule)?;
        let told =
            format!("mine: the rule gives input 0 of shape [2] a gradient of shape {shape:?}");
        assert_eq!(y.grad(&[&x]).unwrap_err().to_string(), told);
        assert_eq!(y.backward().unwrap_err().to_string(), told);
    }
    Ok(())
}

#[test]
fn a_check_of_no_gradient_is_an_error() {
    let checked = check_gradients("nothing", &[], |_| Ok(Tape::new().var(scalar(1.0))));
    let error = checked.unwrap_err().to_string();
    assert_eq!(error, "nothing: there is no input to check a gradient for");
}

#[test]
fn a_wrong_rule_is_found() {
    let wrong = |x: &Var<f64>| {
        let value = x.value().exp()?;
        Var::record("wrong", [x], value, Keep::Output, |upstream, saved| {
            Ok([Some(upstream.mul(&saved.output()?)?.mul_scalar(1.001)?)])
        })
    };
    let error = check_gradients("wrong", &[scalar(1.0)], |v| wrong(&v[0])).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("first order, input 0, element 0"),
        "{error}"
    );
}
