//! Same input, same bits, whatever the number of threads.

use macula_autograd::{Tape, Var};
use macula_losses::{SigmoidFocalLoss, SoftmaxFocalLoss};
use macula_tensor::{Result, Rng, Tensor};

/// Loss and gradient as bits, on a number of threads.
fn bits(
    threads: usize,
    logits: &Tensor,
    loss: impl Fn(&Var) -> Result<Var> + Sync,
) -> (u32, Vec<u32>) {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(|| {
        let logits = Tape::new().var(logits);
        let value = loss(&logits).unwrap();
        let bits = value.value().item().unwrap().to_bits();
        let gradient = value
            .backward()
            .unwrap()
            .of(&logits)
            .unwrap()
            .to_vec()
            .unwrap();
        (bits, gradient.into_iter().map(f32::to_bits).collect())
    })
}

#[test]
fn the_drivers_give_the_same_bits_for_any_number_of_threads() -> Result<()> {
    let mut rng = Rng::seed(5);
    for shape in [vec![100_003], vec![40_001, 3], vec![501, 200]] {
        let logits = Tensor::<f32>::normal(&shape, 0.0, 3.0, &mut rng)?;
        let classes = shape.get(1).copied().unwrap_or(2) as i64;
        let labels = Tensor::integers([shape[0]], 0, classes, &mut rng)?;
        let loss = |logits: &Var| match logits.rank() {
            1 => SigmoidFocalLoss::new().forward(logits, &labels),
            _ => SoftmaxFocalLoss::new().forward(logits, &labels),
        };
        let one = bits(1, &logits, loss);
        for threads in [2, 3, 8] {
            assert_eq!(
                bits(threads, &logits, loss),
                one,
                "{shape:?}, {threads} threads"
            );
        }
    }
    Ok(())
}
