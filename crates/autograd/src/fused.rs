//! Operations that compute value and gradient in one pass.

use std::sync::Arc;

use macula_tensor::{Float, Result, Tensor};

use crate::saved::Keep;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// Records a scalar `value` whose `gradients`, one for each input, were computed with it.
    ///
    /// On the way back each gradient is multiplied by the upstream number, which for a loss is 1
    /// and costs nothing. For higher orders `composed` computes the same value from ordinary
    /// operations, and it is that which is differentiated; it is not called otherwise.
    ///
    /// # Errors
    /// All inputs must be of one tape, which `backward` has not used up.
    #[track_caller]
    pub fn fused<const N: usize>(
        name: &'static str,
        inputs: [&Self; N],
        value: Tensor<T>,
        gradients: [Option<Tensor<T>>; N],
        composed: impl Fn([&Self; N]) -> Result<Self> + Send + Sync + 'static,
    ) -> Result<Self> {
        let composed = Arc::new(composed);
        Self::record(name, inputs, value, Keep::Inputs, move |upstream, saved| {
            if !saved.recorded {
                return scaled(&gradients, upstream);
            }
            // Aliases are new nodes, so the inner sweep stops at them and gives partial
            // derivatives even where one input was computed from another.
            let aliases = try_from_fn(|index| saved.input(index)?.alias())?;
            let result = composed(aliases.each_ref())?;
            let found = result.try_grad(upstream, &aliases.each_ref())?;
            let mut found = found.into_iter();
            Ok(std::array::from_fn(|_| found.next().flatten()))
        })
    }

    /// The same variable as a new node.
    fn alias(&self) -> Result<Self> {
        Self::record(
            "alias",
            [self],
            self.value().clone(),
            Keep::Nothing,
            |upstream, _| Ok([Some(upstream.clone())]),
        )
    }
}

/// The gradients times the upstream number.
fn scaled<T: Float, const N: usize>(
    gradients: &[Option<Tensor<T>>; N],
    upstream: &Var<T>,
) -> Result<[Option<Var<T>>; N]> {
    let factor = upstream.item()?;
    try_from_fn(|index| {
        let Some(gradient) = &gradients[index] else {
            return Ok(None);
        };
        let gradient = if factor == 1.0 {
            gradient.clone()
        } else {
            gradient.mul_scalar(factor)?
        };
        Ok(Some(upstream.tape().constant(gradient)))
    })
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
