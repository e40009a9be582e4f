//! Matrix products. Their rules are matrix products again, so every order is there.

use macula_tensor::shape::Sizes;
use macula_tensor::{Float, Pointwise, Result};
use smallvec::SmallVec;

use crate::node::HandOn;
use crate::saved::{Keep, Saved};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The matrix product of the last two axes, with the leading axes broadcast.
    ///
    /// # Shapes
    /// Those of [`Tensor::matmul`](macula_tensor::Tensor::matmul).
    ///
    /// # Gradient
    /// For c = a · b with upstream gradient g: ∂a = g · bᵀ, ∂b = aᵀ · g.
    ///
    /// # Errors
    /// The shapes must fit, and both variables be of one tape.
    #[track_caller]
    pub fn matmul(&self, other: &Self) -> Result<Self> {
        let value = self.value().matmul(other.value())?;
        let vectors = [self.rank() == 1, other.rank() == 1];
        let one_right = other.rank() <= 2;
        let rule = move |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            let mut shape = Sizes::from_slice(upstream.shape());
            if vectors[1] {
                shape.push(1);
            }
            if vectors[0] {
                shape.insert(shape.len() - 1, 1);
            }
            let upstream = upstream.in_shape(&shape)?;
            let to_first = |b: &Self| {
                let rows = match vectors[1] {
                    true => b.reshape([1, b.value().count()])?,
                    false => b.transpose(-1, -2)?,
                };
                upstream.matmul(&rows)
            };
            let to_second = |a: &Self| match (one_right, vectors) {
                // One matrix on the right has met the rows of all matrices on the left.
                (true, [_, is_vector]) => {
                    let columns = as_matrix(a)?.transpose(0, 1)?;
                    let all = columns.matmul(&as_matrix(&upstream)?)?;
                    match is_vector {
                        true => all.flatten(),
                        false => Ok(all),
                    }
                }
                (false, [true, _]) => a.reshape([a.value().count(), 1])?.matmul(&upstream),
                (false, [false, _]) => a.transpose(-1, -2)?.matmul(&upstream),
            };
            saved.factors(hand_on, to_first, to_second)
        };
        let keep = Keep::factors(self, other);
        Self::record_any("matmul", &[self, other], value, keep, rule)
    }

    /// x · Wᵀ + b, what a linear layer computes.
    ///
    /// # Shapes
    /// x `[…, in]`, weight `[out, in]`, bias `[out]` → `[…, out]`.
    ///
    /// # Gradient
    /// With upstream gradient g: ∂x = g · W, ∂W = gᵀ · x with all leading axes as one, and ∂b is
    /// the sum of the rows of g.
    ///
    /// # Errors
    /// The shapes must be these, and all variables be of one tape.
    #[track_caller]
    pub fn linear(&self, weight: &Self, bias: Option<&Self>) -> Result<Self> {
        let value = self.value().linear(weight.value(), bias.map(Self::value))?;
        let operands: SmallVec<[&Self; 3]> = [self, weight].into_iter().chain(bias).collect();
        let rule = |upstream: Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            saved.factors(
                hand_on,
                |weight| upstream.matmul(weight),
                |x| {
                    let columns = as_matrix(&upstream)?.transpose(0, 1)?;
                    columns.matmul(&as_matrix(x)?)
                },
            )?;
            // The sweep sums this to the shape of the bias.
            if saved.needs(2) {
                hand_on(2, upstream)?;
            }
            Ok(())
        };
        let keep = Keep::factors(self, weight);
        Self::record_any("linear", &operands, value, keep, rule)
    }

    /// activation(x · Wᵀ + b): in one pass where no gradient is wanted.
    ///
    /// On the way back an activation needs what it was applied to, so where there is one this is
    /// [`linear`](Self::linear) followed by [`map`](Self::map), which gives the same bits.
    ///
    /// # Errors
    /// Those of [`linear`](Self::linear).
    #[track_caller]
    pub fn linear_map<F: Pointwise<1>>(
        &self,
        weight: &Self,
        bias: Option<&Self>,
        activation: F,
    ) -> Result<Self> {
        let mut operands = [self, weight].into_iter().chain(bias);
        if operands.any(Self::has_gradient) || self.tape().detects() {
            return self.linear(weight, bias)?.map(activation);
        }
        let (w, b) = (weight.value(), bias.map(Self::value));
        let value = self.value().linear_map(w, b, activation)?;
        let operands: SmallVec<[&Self; 3]> = [self, weight].into_iter().chain(bias).collect();
        // All of them are data, so there is no way back.
        let rule = |_: Self, _: &Saved<T>, _: &mut HandOn<'_, T>| Ok(());
        Self::record_any("linear_map", &operands, value, Keep::Nothing, rule)
    }
}

/// The variable with all axes but the last as one.
fn as_matrix<T: Float>(x: &Var<T>) -> Result<Var<T>> {
    match x.shape() {
        [_, _] => Ok(x.clone()),
        [leading @ .., last] => x.reshape([leading.iter().product(), *last]),
        [] => x.reshape([1, 1]),
    }
}

#[cfg(test)]
mod tests {
    use macula_tensor::ops::pointwise::Tanh;
    use macula_tensor::{Rng, Tensor};

    use crate::{Tape, check_gradients};

    fn random(shape: &[usize], seed: u64) -> Tensor<f64> {
        let mut elements = vec![0.0; shape.iter().product()];
        Rng::seed(seed)
            .fill_uniform(&mut elements, -1.0, 1.0)
            .unwrap();
        Tensor::from_vec(elements, shape).unwrap()
    }

    /// The shape given, with the last two axes exchanged in memory.
    fn strided(shape: &[usize], seed: u64) -> Tensor<f64> {
        let mut swapped = shape.to_vec();
        swapped.reverse();
        let x = random(&swapped, seed);
        let axes: Vec<isize> = (0..shape.len() as isize).rev().collect();
        x.permute(axes).unwrap()
    }

    #[test]
    fn matmul_gradients_for_every_rank() {
        let shapes: [[&[usize]; 2]; 9] = [
            [&[3], &[3]],
            [&[2, 3], &[3]],
            [&[3], &[3, 2]],
            [&[2, 3], &[3, 4]],
            [&[2, 2, 3], &[3, 2]],
            [&[3, 2], &[2, 2, 2]],
            [&[2, 1, 2, 3], &[2, 3, 2]],
            [&[2, 2, 3], &[3]],
            [&[3], &[2, 3, 2]],
        ];
        for [a, b] in shapes {
            for make in [random, strided] {
                let inputs = [make(a, 1), make(b, 2)];
                check_gradients("matmul", &inputs, |x| x[0].matmul(&x[1])?.square())
                    .unwrap_or_else(|error| panic!("{a:?} × {b:?}: {error}"));
            }
        }
    }

    #[test]
    fn linear_map_gives_the_same_bits_with_and_without_a_way_back() {
        let [x, weight, bias] = [random(&[5, 3], 1), random(&[2, 3], 2), random(&[2], 3)];
        let value = |tape: Tape<f64>| {
            let [x, weight, bias] = [&x, &weight, &bias].map(|tensor| tape.var(tensor.clone()));
            let y = x.linear_map(&weight, Some(&bias), Tanh).unwrap();
            y.value().to_vec().unwrap()
        };
        assert_eq!(value(Tape::new()), value(Tape::inference()));
    }

    #[test]
    fn linear_gradients_for_every_rank() {
        for shape in [&[3][..], &[4, 3], &[2, 2, 3]] {
            for make in [random, strided] {
                let inputs = [make(shape, 1), make(&[2, 3], 2), random(&[2], 3)];
                check_gradients("linear", &inputs, |x| {
                    x[0].linear(&x[1], Some(&x[2]))?.square()
                })
                .unwrap();
                check_gradients("linear", &inputs[..2], |x| {
                    x[0].linear(&x[1], None)?.square()
                })
                .unwrap();
            }
        }
    }

    #[test]
    fn a_frozen_weight_lets_the_gradient_through_to_the_input() {
        let tape = Tape::new();
        let x = tape.var(random(&[4, 3], 1));
        let weight = tape.constant(random(&[2, 3], 2));
        let y = x.linear(&weight, None).unwrap().sum(..).unwrap();
        let gradients = y.backward().unwrap();
        let columns = weight
            .value()
            .sum_to([1, 3])
            .unwrap()
            .expand([4, 3])
            .unwrap();
        let found = gradients.of(&x).unwrap().to_vec().unwrap();
        for (found, expected) in found.into_iter().zip(columns.to_vec().unwrap()) {
            // Two terms a sum: one rounding of numbers below 2.
            assert!((found - expected).abs() <= 2.0 * f64::EPSILON);
        }
    }

    #[test]
    fn shapes_that_do_not_fit_are_told_as_they_were_given() {
        let tape = Tape::new();
        let x = tape.var(random(&[2, 3, 4], 1));
        let error = x.linear(&tape.var(random(&[5, 3], 2)), None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "linear: expected an input of 3 elements along its last axis, for the weight [5, 3], found \
             shape [2, 3, 4]"
        );
        let error = x.matmul(&tape.var(random(&[5, 3], 2))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "matmul: inner sizes differ: [2, 3, 4] × [5, 3]"
        );
    }
}
