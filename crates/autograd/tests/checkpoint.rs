//! Recomputing instead of keeping, and derivatives of more than one sweep.

use macula_autograd::{Param, Tape, Var, check_gradients};
use macula_tensor::{Result, Tensor};

fn matrix() -> Tensor<f64> {
    Tensor::from([[0.3, -0.7, 1.1], [0.9, 0.2, -1.3]])
}

/// Steps that keep a value each.
fn deep(x: &Var<f64>) -> Result<Var<f64>> {
    x.tanh()?.exp()?.sin()?.mul(x)?.softmax(1)
}

#[test]
fn a_checkpoint_keeps_its_inputs_only() -> Result<()> {
    let tape = Tape::new();
    let x = tape.var(matrix());
    Var::checkpoint([&x], |[x]| deep(x))?;
    assert_eq!(tape.len(), 2);
    assert_eq!(tape.listing().total(), 6 * 8);
    Ok(())
}

#[test]
fn a_checkpoint_has_the_gradients_of_what_it_computes() -> Result<()> {
    check_gradients("checkpoint", &[matrix(), matrix()], |x| {
        // The second input depends on the first: partial derivatives must not mix.
        let other = x[0].mul(&x[1])?;
        Var::checkpoint([&x[0], &other], |[a, b]| deep(&a.add(&b.sin()?)?))
    })?;
    let value = |checkpointed: bool| {
        let x = Tape::new().var(matrix());
        let y = match checkpointed {
            true => Var::checkpoint([&x], |[x]| deep(x))?,
            false => deep(&x)?,
        };
        y.square()?.sum(..)?.backward()?.of(&x)?.to_vec()
    };
    assert_eq!(value(true)?, value(false)?);
    Ok(())
}

#[test]
fn parameters_inside_a_checkpoint_get_their_gradients_of_every_order() -> Result<()> {
    let weight = Param::new("weight", matrix());
    let loss = |x: &Var<f64>, checkpointed: bool| {
        let inside = weight.clone();
        let layer = move |[x]: [&Var<f64>; 1]| x.mul(&x.tape().param(&inside))?.tanh();
        let y = match checkpointed {
            true => Var::checkpoint([x], layer)?,
            false => layer([x])?,
        };
        // The parameter is used outside too.
        y.mul(&x.tape().param(&weight))?.square()?.sum(..)
    };
    let first = |checkpointed| {
        let x = Tape::new().var(matrix());
        let gradients = loss(&x, checkpointed)?.backward()?;
        gradients.get(&weight).unwrap().to_vec()
    };
    assert_eq!(first(true)?, first(false)?);
    let second = |checkpointed| {
        let x = Tape::new().var(matrix());
        let w = x.tape().param(&weight);
        let loss = loss(&x, checkpointed)?;
        let gradient = loss.grad(&[&w])?.remove(0);
        gradient
            .square()?
            .sum(..)?
            .grad(&[&w])?
            .remove(0)
            .value()
            .to_vec()
    };
    for (with, without) in second(true)?.into_iter().zip(second(false)?) {
        // The same terms, added in another order.
        assert!((with - without).abs() <= 1e-13 * without.abs().max(1.0));
    }
    Ok(())
}

#[test]
fn a_hessian_vector_product_is_a_row_of_the_hessian() -> Result<()> {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([0.5, -1.0, 2.0]));
    let y = x.softmax(0)?.square()?.sum(..)?;
    let gradient = y.grad(&[&x])?.remove(0);
    let hessian = gradient.jacobian(&x)?;
    assert_eq!(hessian.shape(), [3, 3]);
    let unit = Tensor::from([0.0, 1.0, 0.0]);
    let product = y.hessian_vector_product(&[&x], &[&unit])?.remove(0);
    let row = hessian.narrow(0, 1, 1)?.to_vec()?;
    let diagonal: Vec<f64> = hessian.diagonal(0, 0, 1)?.to_vec()?;
    let found: [Vec<f64>; 2] = [product.value().to_vec()?, y.hessian_diagonal(&x)?.to_vec()?];
    for (found, expected) in found.concat().into_iter().zip([row, diagonal].concat()) {
        // The same sweep with another vector: a few roundings of numbers below 1.
        assert!((found - expected).abs() <= 4.0 * f64::EPSILON);
    }
    Ok(())
}

#[test]
fn directions_of_two_variables_meet_in_the_mixed_derivative() -> Result<()> {
    let tape = Tape::new();
    let (x, y) = (tape.var(Tensor::scalar(2.0)), tape.var(Tensor::scalar(3.0)));
    let product = x.mul(&y)?;
    let (one, ten) = (Tensor::scalar(1.0), Tensor::scalar(10.0));
    let found = product.hessian_vector_product(&[&x, &y], &[&one, &ten])?;
    assert_eq!((found[0].item()?, found[1].item()?), (10.0, 1.0));
    Ok(())
}
