//! Random expressions: whatever is built of operations, its gradients agree with differences.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use macula_autograd::{Var, check_gradients};
use macula_tensor::{Result, Tensor, keep};
use proptest::prelude::*;

/// One operation on values that stand earlier in the expression.
#[derive(Clone, Debug)]
struct Step {
    op: usize,
    left: usize,
    right: usize,
}

/// Every operation gives a matrix of two rows and three columns with elements of moderate size, so
/// that any of them can follow any other.
fn apply(step: &Step, values: &[Var<f64>]) -> Result<Var<f64>> {
    let a = &values[step.left % values.len()];
    let b = &values[step.right % values.len()];
    match step.op {
        0 => a.add(b)?.mul_scalar(0.5),
        1 => a.sub(b)?.tanh(),
        2 => a.tanh()?.mul(&b.sigmoid()?),
        3 => a.div(&b.square()?.add_scalar(1.0)?),
        4 => a.mul(b)?.sin(),
        5 => a.softmax(1)?.mul(b),
        6 => a.sub(&b.mean(keep(1))?),
        7 => a.logsumexp(keep(0))?.add(b)?.tanh(),
        8 => a.matmul(&b.transpose(0, 1)?)?.matmul(a)?.tanh(),
        9 => Var::concatenate(&[&a.narrow(1, 1, 2)?, &b.narrow(1, 0, 1)?], 1),
        10 => a.flip([1])?.cumsum(0)?.atan(),
        11 => a.index_select(1, &Tensor::from([2, 0, 2]))?.add(b)?.erf(),
        _ => a.var(keep(1), 0)?.add_scalar(0.5)?.rsqrt()?.mul(b),
    }
}

/// How many operations [`apply`] has.
const OPERATIONS: usize = 13;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..OPERATIONS, any::<usize>(), any::<usize>());
    let step = step.prop_map(|(op, left, right)| Step { op, left, right });
    prop::collection::vec(step, 1..8)
}

fn matrix() -> impl Strategy<Value = Tensor<f64>> {
    let elements = prop::collection::vec(-1.5..1.5, 6);
    elements.prop_map(|elements| Tensor::from_vec(elements, [2, 3]).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn gradients_of_random_expressions_agree_with_differences(
        steps in steps(),
        x in matrix(),
        y in matrix(),
    ) {
        let transposed = y.transpose(0, 1).unwrap().contiguous().unwrap().transpose(0, 1).unwrap();
        let result = check_gradients("random expression", &[x, transposed], |inputs| {
            let mut values = inputs.to_vec();
            for step in &steps {
                let value = apply(step, &values)?;
                values.push(value);
            }
            Ok(values.remove(values.len() - 1))
        });
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }
}
