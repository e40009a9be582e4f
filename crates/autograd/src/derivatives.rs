//! Derivatives that are more than one sweep: Hessian-vector products, Jacobians, diagonals.

use macula_tensor::shape::Sizes;
use macula_tensor::{Error, Float, Result, Tensor};

use crate::var::Var;

impl<T: Float> Var<T> {
    /// The Hessian of the sum of this variable's elements times a vector: for each x of
    /// `with_respect_to`, the derivative of Σ ∂self/∂xₖ · directionₖ to x. Two sweeps, whatever the
    /// number of elements; the Hessian itself is never formed.
    ///
    /// # Errors
    /// This variable must depend on each of `with_respect_to`, and there be a direction for each, of
    /// its shape.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_autograd::Tape;
    /// use macula_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([1.0_f32, 2.0]));
    /// let cubes = x.powf(3.0)?;
    /// let product = cubes.hessian_vector_product(&[&x], &[&Tensor::from([1.0, 10.0])])?;
    /// // ∂²x³ = 6x, and no element depends on another.
    /// assert_eq!(product[0].value().to_vec()?, [6.0, 120.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn hessian_vector_product(
        &self,
        with_respect_to: &[&Self],
        directions: &[&Tensor<T>],
    ) -> Result<Vec<Self>> {
        if directions.len() != with_respect_to.len() {
            return Err(Error::Argument {
                op: "hessian_vector_product",
                argument: "directions",
                expected: format!("one for each of {} variables", with_respect_to.len()),
                found: format!("{}", directions.len()),
            });
        }
        let mut along = self.tape().constant(Tensor::scalar(T::ZERO));
        for (gradient, direction) in self.grad(with_respect_to)?.iter().zip(directions) {
            if direction.shape() != gradient.shape() {
                return Err(Error::Shape {
                    op: "hessian_vector_product",
                    expected: format!("a direction of shape {:?}", gradient.shape()),
                    found: Sizes::from_slice(direction.shape()),
                });
            }
            let direction = self.tape().constant(*direction);
            along = along.add(&gradient.mul(&direction)?.sum(..)?)?;
        }
        let one = self.tape().constant(Tensor::scalar(T::ONE));
        along.vjp(&one, with_respect_to)
    }

    /// All derivatives ∂selfᵢ/∂xₖ, by one sweep for each element of this variable.
    ///
    /// # Shapes
    /// This variable's shape, followed by that of `x`.
    ///
    /// # Errors
    /// The tape must not have been used up.
    pub fn jacobian(&self, x: &Self) -> Result<Tensor<T>> {
        let mut elements = Vec::with_capacity(self.value().count() * x.value().count());
        for index in 0..self.value().count() {
            elements.extend(self.row(x, index)?);
        }
        Tensor::from_vec(elements, [self.shape(), x.shape()].concat())
    }

    /// The second derivatives ∂²f/∂xₖ² of the sum f of this variable's elements, by one sweep for
    /// each element of `x`.
    ///
    /// # Errors
    /// This variable must depend on `x`.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_autograd::Tape;
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tape::new().var(Tensor::from([1.0_f32, 2.0]));
    /// assert_eq!(x.powf(3.0)?.hessian_diagonal(&x)?.to_vec()?, [6.0, 12.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn hessian_diagonal(&self, x: &Self) -> Result<Tensor<T>> {
        let gradient = self.grad(&[x])?.remove(0);
        let count = x.value().count();
        let diagonal = (0..count).map(|index| Ok(gradient.row(x, index)?[index]));
        Tensor::from_vec(diagonal.collect::<Result<_>>()?, x.shape())
    }

    /// The derivatives of element `index` to all elements of `x`.
    fn row(&self, x: &Self, index: usize) -> Result<Vec<T>> {
        let mut unit = vec![T::ZERO; self.value().count()];
        unit[index] = T::ONE;
        let unit = self.tape().constant(Tensor::from_vec(unit, self.shape())?);
        self.vjp(&unit, &[x])?.remove(0).value().to_vec()
    }
}
