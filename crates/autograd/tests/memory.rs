//! Memory on the way back. A file of its own: the bytes in use are those of the whole process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::{Arc, Mutex};

use macula_autograd::{Keep, Saved, Tape, Var};
use macula_tensor::{Result, Tensor, memory};

/// Elements of each value, and bytes.
const COUNT: usize = 1 << 14;
const BYTES: usize = 4 * COUNT;

/// The variable itself; its rule writes down the bytes in use.
fn probe(x: &Var, seen: &Arc<Mutex<Vec<usize>>>) -> Result<Var> {
    let seen = Arc::clone(seen);
    let rule = move |upstream: &Var, _: &Saved<f32>| {
        seen.lock().unwrap().push(memory::used());
        Ok([Some(upstream.clone())])
    };
    Var::record("probe", [x], x.value().clone(), Keep::Nothing, rule)
}

#[test]
fn memory_falls_with_every_operation_that_backward_passes() -> Result<()> {
    const LAYERS: usize = 10;
    let before = memory::used();
    let seen = Arc::default();
    let tape = Tape::new();
    let mut x = tape.var(Tensor::full([COUNT], 0.5)?);
    for _ in 0..LAYERS {
        x = probe(&x.tanh()?, &seen)?;
    }
    let loss = x.sum(..)?;
    drop(x);
    // Each `tanh` keeps its input, and the leaf has gone into the first. The last result is in
    // nobody's hands.
    assert_eq!(memory::used() - before, LAYERS * BYTES);

    let gradients = loss.backward()?;
    let seen: Vec<usize> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|used| used - before)
        .collect();
    // At the last `tanh` the gradient is the number 1 expanded; from there on there is one.
    let expected = (0..LAYERS).map(|passed| match passed {
        0 => LAYERS * BYTES,
        passed => (LAYERS - passed + 1) * BYTES,
    });
    assert_eq!(seen, expected.collect::<Vec<_>>());

    // What is left is the gradient.
    assert_eq!(memory::used() - before, BYTES);
    drop((gradients, tape));
    assert_eq!(memory::used(), before);
    Ok(())
}
