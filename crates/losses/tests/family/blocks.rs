//! Batches of several blocks and pieces of the sigmoid driver, whose last ones are not full.

use macula_autograd::Tape;
use macula_losses::formula::ElementLoss;
use macula_losses::*;
use macula_tensor::{Float, Result, Tensor};

/// Around whole registers, blocks and pieces.
const SIZES: [usize; 9] = [1, 17, 63, 511, 512, 513, 575, 1025, 32 * 1024 + 513];

struct Batch<T: Float> {
    logits: Tensor<T>,
    targets: Tensor<T>,
    labels: Tensor<i64>,
    weights: Tensor<T>,
}

impl<T: Float> Batch<T> {
    fn new(n: usize) -> Result<Self> {
        let number = |i: usize, prime: usize| (i * prime % 1000) as f64 / 1000.0;
        let tensor = |value: &dyn Fn(usize) -> f64| {
            Tensor::from_vec((0..n).map(|i| T::from_f64(value(i))).collect(), [n])
        };
        Ok(Self {
            logits: tensor(&|i| 12.0 * number(i, 7919) - 6.0)?,
            // The last are 1, so that what they leave behind would be seen.
            targets: tensor(&|i| if i % 2 == 1 { 1.0 } else { number(i, 104_729) })?,
            labels: Tensor::from_vec((0..n as i64).map(|i| i % 2).collect(), [n])?,
            weights: tensor(&|i| 0.5 + number(i, 31))?,
        })
    }

    fn part(&self, start: usize, length: usize) -> Result<Self> {
        Ok(Self {
            logits: self.logits.narrow(0, start, length)?,
            targets: self.targets.narrow(0, start, length)?,
            labels: self.labels.narrow(0, start, length)?,
            weights: self.weights.narrow(0, start, length)?,
        })
    }

    /// The losses of hard or soft targets and their gradient.
    fn pass<F: ElementLoss>(&self, loss: &SigmoidLoss<F>, soft: bool) -> Result<[Vec<T>; 2]> {
        let x = Tape::new().var(self.logits.clone());
        let losses = match soft {
            true => loss.forward_soft_weighted(&x, &self.targets, &self.weights)?,
            false => loss.forward_weighted(&x, &self.labels, &self.weights)?,
        };
        let values = losses.value().to_vec()?;
        Ok([values, losses.sum(..)?.backward()?.of(&x)?.to_vec()?])
    }
}

/// Each element costs what it costs alone, and the sum is that of the elements.
fn check<T: Float, F: ElementLoss>(loss: &SigmoidLoss<F>, soft: bool, bound: f64) -> Result<()> {
    let bits = |numbers: &[T]| -> Vec<u64> {
        let bits = |x: &T| x.to_f64().to_bits();
        numbers.iter().map(bits).collect()
    };
    for n in SIZES {
        let batch = Batch::<T>::new(n)?;
        let [values, gradient] = batch.pass(&loss.clone().reduction(Reduction::None), soft)?;
        for place in (0..n).filter(|&i| i < 3 || i + 70 > n || i % 512 < 2 || i % 512 > 509) {
            let alone = batch.part(place, 1)?;
            let [value, slope] = alone.pass(&loss.clone().reduction(Reduction::None), soft)?;
            let name = F::NAME;
            assert_eq!(
                bits(&value),
                bits(&values[place..=place]),
                "{name} {place} of {n}"
            );
            assert_eq!(
                bits(&slope),
                bits(&gradient[place..=place]),
                "{name} {place} of {n}"
            );
        }
        let [sum, of_sum] = batch.pass(&loss.clone().reduction(Reduction::Sum), soft)?;
        let total: f64 = values.iter().map(|value| value.to_f64()).sum();
        let error = (sum[0].to_f64() - total).abs();
        assert!(
            error <= bound * total,
            "{}: {} and {total}",
            F::NAME,
            sum[0]
        );
        assert_eq!(bits(&of_sum), bits(&gradient), "{}: {n}", F::NAME);
    }
    Ok(())
}

fn check_all<T: Float>(bound: f64) -> Result<()> {
    let focal = SigmoidFocalLoss::new().alpha(0.25);
    check::<T, _>(&focal, false, bound)?;
    check::<T, _>(&focal, true, bound)?;
    check::<T, _>(&SigmoidCrossEntropy::new(), true, bound)?;
    check::<T, _>(&QualityFocalLoss::new(), true, bound)
}

#[test]
fn an_element_costs_the_same_in_any_batch_in_f64() -> Result<()> {
    check_all::<f64>(1e-13)
}

#[test]
fn an_element_costs_the_same_in_any_batch_in_f32() -> Result<()> {
    check_all::<f32>(1e-6)
}
