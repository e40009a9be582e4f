//! Arithmetic that changes a tensor, in its own memory where nobody shares that.

use super::apply::line_up;
use super::pointwise::{Add, Mul, MulScalar};
use crate::cpu;
use crate::element::Float;
use crate::error::Result;
use crate::pointwise::Pointwise;
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// Adds another tensor to this one.
    ///
    /// # Errors
    /// `other` must broadcast to this tensor's shape.
    #[doc(alias = "add_")]
    #[doc(alias = "iadd")]
    pub fn add_assign(&mut self, other: &Self) -> Result<()> {
        self.assign("add_assign", other, Add)
    }

    /// Multiplies this tensor by another one.
    ///
    /// # Errors
    /// `other` must broadcast to this tensor's shape.
    #[doc(alias = "mul_")]
    #[doc(alias = "imul")]
    pub fn mul_assign(&mut self, other: &Self) -> Result<()> {
        self.assign("mul_assign", other, Mul)
    }

    /// Multiplies this tensor by a number.
    ///
    /// # Errors
    /// Memory must have room for a copy where another tensor shares the elements.
    #[doc(alias = "mul_")]
    pub fn scale(&mut self, factor: f64) -> Result<()> {
        if let Some(length) = line_up(self, &[], &mut [])
            && let Some(elements) = self.elements_mut(length)
        {
            cpu::in_place::map(MulScalar(factor), elements);
        } else {
            *self = self.mul_scalar(factor)?;
        }
        Ok(())
    }

    fn assign<F: Pointwise<2>>(
        &mut self,
        op: &'static str,
        other: &Self,
        formula: F,
    ) -> Result<()> {
        let mut operand = [&[][..]];
        if let Some(length) = line_up(self, &[other], &mut operand)
            && let Some(elements) = self.elements_mut(length)
        {
            cpu::in_place::zip(formula, elements, operand[0]);
        } else if self.shape() == other.shape() {
            *self = self.zip(other, formula)?;
        } else {
            *self = self.zip(&other.stretched(op, self.shape())?, formula)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Assign = fn(&mut Tensor<f64>, &Tensor<f64>) -> Result<()>;
    type Fresh = fn(&Tensor<f64>, &Tensor<f64>) -> Result<Tensor<f64>>;

    const OPERATIONS: [(Assign, Fresh); 3] = [
        (Tensor::add_assign, |x, y| x.add(y)),
        (Tensor::mul_assign, |x, y| x.mul(y)),
        (|x, _| x.scale(-1.5), |x, _| x.mul_scalar(-1.5)),
    ];

    /// `count` different numbers.
    fn numbers(count: usize, from: f64) -> Tensor<f64> {
        Tensor::from((0..count).map(|i| from + i as f64).collect::<Vec<_>>())
    }

    #[test]
    fn the_result_is_that_of_the_operation_whose_name_it_has() {
        for count in [0, 1, 3, 4, 8, 15, 16, 17, 100] {
            for (assign, fresh) in OPERATIONS {
                let (x, y) = (numbers(count, 0.5), numbers(count, -3.0));
                let reversed = y.flip([0]).unwrap();
                for other in [&y, &reversed] {
                    let mut changed = x.contiguous().unwrap();
                    assign(&mut changed, other).unwrap();
                    let expected = fresh(&x, other).unwrap();
                    assert_eq!(changed.to_vec(), expected.to_vec());
                    // The one that was shared has stayed as it was.
                    assert_eq!(x.to_vec(), numbers(count, 0.5).to_vec());
                }
            }
        }
    }

    #[test]
    fn a_tensor_alone_keeps_its_memory() {
        for count in [4, 100] {
            for (assign, _) in OPERATIONS {
                let mut x = numbers(count, 0.0);
                let place = x.as_slice().unwrap().as_ptr();
                assign(&mut x, &numbers(count, 1.0)).unwrap();
                assert_eq!(x.as_slice().unwrap().as_ptr(), place);
            }
        }
    }

    #[test]
    fn a_part_of_a_tensor_is_changed_without_the_rest() {
        for (assign, fresh) in OPERATIONS {
            let whole = numbers(6, 1.0);
            let mut middle = whole.narrow(0, 2, 3).unwrap();
            let (before, other) = (middle.clone(), numbers(3, 2.0));
            drop(whole);
            assign(&mut middle, &other).unwrap();
            let expected = fresh(&before, &other).unwrap();
            assert_eq!(middle.to_vec(), expected.to_vec());
        }
    }

    #[test]
    fn the_other_may_be_broadcast_and_this_may_not() {
        for (assign, fresh) in &OPERATIONS[..2] {
            let mut grid = numbers(6, 1.0).reshape([2, 3]).unwrap();
            let row = numbers(3, 2.0);
            let expected = fresh(&grid, &row).unwrap();
            assign(&mut grid, &row).unwrap();
            assert_eq!(grid.to_vec(), expected.to_vec());
            let mut row = row;
            assert!(assign(&mut row, &grid).is_err());
        }
    }
}
