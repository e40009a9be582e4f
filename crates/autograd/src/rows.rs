//! Reductions seen as a matrix: what comes together in one result, in one row.

use macula_tensor::shape::Sizes;
use macula_tensor::{Float, Result, Tensor};

use crate::var::Var;

/// How to lay the elements of a tensor out so that each row is reduced to one number.
#[derive(Clone)]
pub(crate) struct Rows {
    /// The axes in their new order: those that stay, then those that are reduced.
    order: Vec<isize>,
    /// Where each axis went.
    back: Vec<isize>,
    /// Sizes in the new order.
    permuted: Sizes,
    /// Number of rows and of columns.
    matrix: [usize; 2],
}

impl Rows {
    /// For a reduction of `wide` sizes to `kept`, where each reduced axis has size 1.
    pub(crate) fn of(wide: &[usize], kept: &[usize]) -> Self {
        let (reduced, mut order): (Vec<_>, Vec<_>) =
            (0..wide.len()).partition(|&axis| wide[axis] != kept[axis]);
        let columns = reduced.iter().map(|&axis| wide[axis]).product();
        order.extend(reduced);
        let mut back = vec![0; wide.len()];
        for (place, &axis) in order.iter().enumerate() {
            back[axis] = place as isize;
        }
        Self {
            back,
            permuted: order.iter().map(|&axis| wide[axis]).collect(),
            order: order.into_iter().map(|axis| axis as isize).collect(),
            matrix: [kept.iter().product(), columns],
        }
    }

    /// The variable as a matrix.
    pub(crate) fn gather<T: Float>(&self, x: &Var<T>) -> Result<Var<T>> {
        x.permute(&self.order)?.reshape(self.matrix)
    }

    /// A matrix in the variable's shape.
    pub(crate) fn scatter<T: Float>(&self, matrix: &Var<T>) -> Result<Var<T>> {
        matrix.reshape(&self.permuted)?.permute(&self.back)
    }
}

/// What each element gets of a gradient that goes to those that hold: equal parts among those that
/// are reduced together. `kept` are the sizes with each reduced axis as 1.
pub(crate) fn shares<T: Float>(holders: &Tensor<bool>, kept: &[usize]) -> Result<Tensor<T>> {
    let (one, zero) = (Tensor::scalar(T::ONE), Tensor::scalar(T::ZERO));
    let holders = Tensor::select(holders, &one, &zero)?;
    holders.div(&holders.sum_to(kept)?)
}
