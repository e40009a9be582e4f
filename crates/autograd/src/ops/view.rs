//! Other shapes over the same elements.

use macula_tensor::shape::Sizes;
use macula_tensor::{Float, Result};

use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// The same elements, in row-major order, in another shape.
    ///
    /// # Errors
    /// Both shapes must have the same number of elements.
    #[track_caller]
    pub fn reshape(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        let before = Sizes::from_slice(self.shape());
        let value = self.value().reshape(shape)?;
        Self::record(
            "reshape",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.reshape(&before)?)]),
        )
    }

    /// This variable with two axes exchanged; negative axes count from the end.
    ///
    /// # Errors
    /// Both axes must be axes of the variable.
    #[track_caller]
    pub fn transpose(&self, first: isize, second: isize) -> Result<Self> {
        let value = self.value().transpose(first, second)?;
        Self::record(
            "transpose",
            [self],
            value,
            Keep::Nothing,
            move |upstream, _| Ok([Some(upstream.transpose(first, second)?)]),
        )
    }
}

#[cfg(test)]
mod tests {
    use macula_tensor::Tensor;

    use crate::check_gradients;

    #[test]
    fn gradients_go_back_to_where_the_elements_came_from() {
        let x = Tensor::from([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]);
        check_gradients("transpose", &[x], |inputs| {
            let columns = inputs[0].transpose(0, -1)?.reshape([2, 3])?;
            columns.mul(&inputs[0])?.square()
        })
        .unwrap();
    }
}
