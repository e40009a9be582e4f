//! A batch in shards on several threads: a tape for each, and gradients that add up.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use macula_autograd::{Gradients, Param, Tape};
use macula_tensor::{Error, Result, Rng, Tensor};
use rayon::prelude::*;

const FEATURES: usize = 33;
const ROWS: usize = 1000;
const SHARDS: usize = 7;

struct Model {
    weight: Param,
    bias: Param,
}

impl Model {
    fn new() -> Result<Self> {
        let mut rng = Rng::seed(3);
        Ok(Self {
            weight: Param::new("weight", Tensor::normal([5, FEATURES], 0.0, 1.0, &mut rng)?),
            bias: Param::new("bias", Tensor::normal([5], 0.0, 1.0, &mut rng)?),
        })
    }

    /// Gradients of the sum of the losses of some rows, on a tape of their own.
    fn gradients(&self, rows: &Tensor) -> Result<Gradients> {
        let tape = Tape::new();
        let (weight, bias) = (tape.param(&self.weight), tape.param(&self.bias));
        let outputs = tape.constant(rows).linear(&weight, Some(&bias))?;
        outputs.tanh()?.logsumexp(1)?.sum(..)?.backward()
    }

    /// The bits of all gradients.
    fn bits(&self, gradients: &Gradients) -> Vec<u32> {
        let params = [&self.weight, &self.bias];
        let elements = params.map(|param| gradients.get(param).unwrap().to_vec().unwrap());
        elements.concat().into_iter().map(f32::to_bits).collect()
    }
}

#[test]
fn shards_give_the_same_bits_on_any_number_of_threads() -> Result<()> {
    let model = Model::new()?;
    let batch: Tensor = Tensor::normal([ROWS, FEATURES], 0.0, 1.0, &mut Rng::seed(4))?;
    let shards = batch.chunk(0, SHARDS)?;
    let on_threads = |threads: usize| -> Result<Vec<u32>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let parts = pool.unwrap().install(|| {
            let shards = shards.par_iter();
            shards
                .map(|rows| model.gradients(rows))
                .collect::<Result<Vec<_>>>()
        });
        Ok(model.bits(&Gradients::sum(parts?)?))
    };
    let one = on_threads(1)?;
    for threads in [2, 3, 8] {
        assert_eq!(on_threads(threads)?, one, "{threads} threads");
    }
    Ok(())
}

#[test]
fn the_sum_over_shards_is_the_gradient_of_the_batch() -> Result<()> {
    let model = Model::new()?;
    let batch: Tensor = Tensor::normal([ROWS, FEATURES], 0.0, 1.0, &mut Rng::seed(4))?;
    let parts = batch.chunk(0, SHARDS)?;
    let parts: Result<Vec<_>> = parts.iter().map(|rows| model.gradients(rows)).collect();
    let (sum, whole) = (Gradients::sum(parts?)?, model.gradients(&batch)?);
    for param in [&model.weight, &model.bias] {
        let of = |gradients: &Gradients| gradients.get(param).unwrap().to_vec().unwrap();
        for (sum, whole) in of(&sum).into_iter().zip(of(&whole)) {
            // A sum of 1000 numbers of about 1 in another order: 1000 roundings at worst, and
            // they mostly cancel.
            assert!(
                (sum - whole).abs() <= 1000.0 * f32::EPSILON,
                "{sum} {whole}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_sum_of_nothing_has_no_gradients() -> Result<()> {
    assert_eq!(Gradients::<f32>::sum([])?.iter().count(), 0);
    Ok(())
}

#[test]
fn scaled_gradients_are_scaled_for_leaves_too_and_sums_have_none() -> Result<()> {
    let gradients = || {
        let x = Tape::new().var(Tensor::scalar(3.0_f32));
        let gradients = x.square()?.backward()?;
        Ok::<_, Error>((x, gradients))
    };
    let (x, mut scaled) = gradients()?;
    scaled.scale(0.5)?;
    assert_eq!(scaled.of(&x)?.item()?, 3.0);
    let (x, single) = gradients()?;
    assert!(Gradients::sum([single])?.of(&x).is_err());
    Ok(())
}
