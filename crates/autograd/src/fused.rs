//! Operations that compute value and gradient in one pass.

use macula_tensor::{Float, Result, Tensor};

use crate::saved::{Keep, Saved};
use crate::var::Var;

impl<T: Float> Var<T> {
    /// Records a `value` whose gradient was computed with it, in one pass.
    ///
    /// `found` is what the pass found besides, the gradients as a rule. It stays alive for the way
    /// back, where `gradient` turns the upstream gradient and it into the gradient of each input:
    /// usually their product, see [`Var::times`]. For higher orders `composed`
    /// computes the same value from ordinary operations, and it is that which is differentiated;
    /// it is not called otherwise.
    ///
    /// # Errors
    /// All inputs must be of one tape, which `backward` has not used up.
    #[track_caller]
    pub fn fused<const N: usize>(
        name: &'static str,
        inputs: [&Self; N],
        value: Tensor<T>,
        found: &[Tensor<T>],
        composed: impl Fn([&Self; N]) -> Result<Self> + Send + 'static,
        gradient: impl Fn(&Self, &[Tensor<T>]) -> Result<[Option<Self>; N]> + Send + 'static,
    ) -> Result<Self> {
        let captured = found.to_vec();
        let rule = move |upstream: &Self, saved: &Saved<T>| {
            if !saved.recorded() {
                return gradient(upstream, &captured);
            }
            // Aliases are new nodes, so the inner sweep stops at them and gives partial
            // derivatives even where one input was computed from another.
            let aliases = try_from_fn(|index| saved.input(index)?.alias())?;
            let result = composed(aliases.each_ref())?;
            let mut found = result.try_grad(upstream, &aliases.each_ref())?.into_iter();
            Ok(std::array::from_fn(|_| found.next().flatten()))
        };
        let fused = Self::record(name, inputs, value, Keep::Inputs, rule)?;
        Ok(found.iter().fold(fused, Self::holding))
    }

    /// This upstream gradient times a gradient computed forward; free where this is the number 1,
    /// which it is for a loss.
    ///
    /// # Errors
    /// The shapes must broadcast.
    pub fn times(&self, gradient: &Tensor<T>) -> Result<Self> {
        if self.value().count() != 1 {
            return self.mul(&self.tape().constant(gradient));
        }
        let factor = self.item()?;
        let gradient = if factor == 1.0 {
            gradient.clone()
        } else {
            gradient.mul_scalar(factor)?
        };
        Ok(self.tape().constant(gradient))
    }

    /// The same variable as a new node.
    pub(crate) fn alias(&self) -> Result<Self> {
        let value = self.value().clone();
        Self::record("alias", [self], value, Keep::Nothing, |upstream, _| {
            Ok([Some(upstream.clone())])
        })
    }
}

/// An array of `make(0), make(1), …`, or the first error.
pub(crate) fn try_from_fn<R, const N: usize>(
    mut make: impl FnMut(usize) -> Result<R>,
) -> Result<[R; N]> {
    let mut error = None;
    let made: [Option<R>; N] = std::array::from_fn(|index| {
        if error.is_some() {
            return None;
        }
        make(index).map_err(|e| error = Some(e)).ok()
    });
    match error {
        Some(error) => Err(error),
        None => Ok(made.map(|item| item.unwrap_or_else(|| unreachable!("no error was met")))),
    }
}
