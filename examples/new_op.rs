//! Adds two operations of one's own, each through the door that macula's own operations use.
//!
//! `cargo run --example new_op`

use macula::prelude::*;

// An elementwise operation is its formula. Forward, backward and every higher order follow. These
// lines and the one of its gradient check below are eleven.

/// x · σ(βx), the swish of Ramachandran, Zoph and Le, 2017.
#[derive(Clone, Copy, Debug)]
struct Swish(f64);
impl Pointwise<1> for Swish {
    const NAME: &'static str = "swish";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        x * (x * self.0).sigmoid()
    }
}

// Any other operation is its value and a rule for the way back. Rules are made of operations
// themselves, so this one has every order too. With its gradient check it takes under forty lines.

/// Each row divided by its root mean square: y = x / r with r = √(mean(x²) + ε), the RMSNorm of
/// Zhang and Sennrich, 2019.
fn rms_norm<T: Float>(x: &Var<T>, epsilon: f64) -> Result<Var<T>> {
    // The value: plain tensors, any loop you like.
    let Some(&width) = x.shape().last() else {
        return Err(Error::Shape {
            op: "rms_norm",
            expected: "at least one axis".into(),
            found: x.shape().into(),
        });
    };
    let rows = x.value().to_vec()?;
    let value = Tensor::write(x.shape(), |output: &mut [T]| {
        for (row, output) in rows
            .chunks(width.max(1))
            .zip(output.chunks_mut(width.max(1)))
        {
            let squares: f64 = row.iter().map(|x| x.to_f64() * x.to_f64()).sum();
            let rms = (squares / width as f64 + epsilon).sqrt();
            for (x, y) in row.iter().zip(output) {
                *y = T::from_f64(x.to_f64() / rms);
            }
        }
        Ok(())
    })?;
    // The rule: with g the upstream gradient, ∂L/∂x = (g − y · mean(g · y)) / r.
    let rule = move |upstream: &Var<T>, saved: &Saved<T>| {
        let (x, y) = (saved.input(0)?, saved.output()?);
        let inverse = x.square()?.mean(keep(-1))?.add_scalar(epsilon)?.rsqrt()?;
        let along = upstream.mul(&y)?.mean(keep(-1))?;
        let across = upstream.sub(&y.mul(&along)?)?;
        Ok([Some(across.mul(&inverse)?)])
    };
    Var::record("rms_norm", [x], value, Keep::Both, rule)
}

fn main() -> Result<()> {
    let swish = Swish(1.5);
    let x = Tensor::from([[-2.0, -0.5, 0.0], [0.5, 1.0, 3.0]]);
    check_gradients("swish", std::slice::from_ref(&x), |x| x[0].map(swish))?;
    println!("swish: first and second derivatives agree with finite differences");
    let at = |x: f64| Tensor::scalar(x).map(swish)?.item();
    println!(
        "swish(-1), (0), (1) = {:.4}, {:.4}, {:.4}\n",
        at(-1.0)?,
        at(0.0)?,
        at(1.0)?
    );

    check_gradients("rms_norm", &[x], |x| rms_norm(&x[0], 1e-6))?;
    println!("rms_norm: first and second derivatives agree with finite differences");
    let tape = Tape::<f64>::new();
    let x = tape.var(Tensor::from([[3.0, 4.0], [0.3, 0.4]]));
    let y = rms_norm(&x, 1e-6)?;
    println!("rms_norm of rows [3, 4] and [0.3, 0.4]:\n{}\n", y.value());

    let loss = y.map(swish)?.sum(..)?;
    println!("what the tape has recorded:\n{}", tape.listing());
    let gradients = loss.backward()?;
    println!("gradient, across each row:\n{}", gradients.of(&x)?);
    Ok(())
}
