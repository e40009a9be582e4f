//! Checkpointing: computing again on the way back instead of keeping.

use macula_tensor::{Error, Float, Result};

use crate::fused::try_from_fn;
use crate::node::HandOn;
use crate::param::Param;
use crate::saved::{Keep, Saved};
use crate::tape::Tape;
use crate::var::Var;

impl<T: Float> Var<T> {
    /// What `function` computes from the inputs, keeping the inputs only: on the way back the
    /// function runs again, and what it recorded is used and dropped.
    ///
    /// This trades time, one more forward pass of the function, for the memory of everything
    /// between its inputs and its result. Parameters that the function uses get their gradients as
    /// usual. It must compute the same each time: what is random in it has to start from a seed of
    /// its own.
    ///
    /// # Errors
    /// Whatever `function` returns; and all inputs must be of one tape, which `backward` has not
    /// used up.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_autograd::{Tape, Var};
    /// use macula_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([0.5_f32, 1.0]));
    /// let y = Var::checkpoint([&x], |[x]| x.square()?.exp()?.ln())?;
    /// assert_eq!(tape.len(), 2);
    /// let gradient = y.sum(..)?.backward()?.of(&x)?.to_vec()?;
    /// assert!((gradient[1] - 2.0).abs() < 1e-6);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[track_caller]
    pub fn checkpoint<const N: usize>(
        inputs: [&Self; N],
        function: impl Fn([&Self; N]) -> Result<Self> + Send + 'static,
    ) -> Result<Self> {
        let Some(tape) = inputs.first().map(|input| input.tape()) else {
            return Err(Error::Gradient {
                op: "checkpoint",
                message: "a checkpoint needs at least one input".into(),
            });
        };
        if !tape.records() {
            return function(inputs);
        }
        // With inputs that are data, only what depends on parameters is recorded, and forgotten.
        let rehearsal = Tape::with_mode(true, tape.trains());
        let constants = inputs.map(|input| rehearsal.constant(input.value()));
        let value = function(constants.each_ref())?.into_value();
        let params = rehearsal.params();
        let leaves: Vec<Self> = params.iter().map(|param| tape.param(param)).collect();
        let operands: Vec<&Self> = inputs.into_iter().chain(&leaves).collect();
        let again = Again {
            trains: tape.trains(),
            function,
            params,
        };
        let rule = move |upstream: &Self, saved: &Saved<T>, hand_on: &mut HandOn<'_, T>| {
            let found = match saved.recorded() {
                true => again.recorded(upstream, saved)?,
                false => again.apart(upstream, saved)?,
            };
            for (index, gradient) in found.into_iter().enumerate() {
                if let Some(gradient) = gradient {
                    hand_on(index, gradient)?;
                }
            }
            Ok(())
        };
        Self::record_any("checkpoint", &operands, value, Keep::Inputs, rule)
    }
}

/// A function that runs again on the way back.
struct Again<T: Float, F> {
    function: F,
    trains: bool,
    /// The parameters it uses: inputs of the checkpoint, after its own.
    params: Vec<Param<T>>,
}

/// A gradient for each input and each parameter.
type Found<T> = Result<Vec<Option<Var<T>>>>;

impl<T: Float, F> Again<T, F> {
    /// On a tape of its own, which is gone afterwards.
    fn apart<const N: usize>(&self, upstream: &Var<T>, saved: &Saved<T>) -> Found<T>
    where
        F: Fn([&Var<T>; N]) -> Result<Var<T>>,
    {
        let tape = Tape::with_mode(true, self.trains);
        let inputs = try_from_fn(|index| Ok(tape.var(saved.input(index)?.value())))?;
        let leaves: Vec<Var<T>> = self.params.iter().map(|param| tape.param(param)).collect();
        let result = (self.function)(inputs.each_ref())?;
        let targets: Vec<&Var<T>> = inputs.iter().chain(&leaves).collect();
        let found = result.try_grad(&tape.constant(upstream.value()), &targets)?;
        let as_data = |gradient: Var<T>| saved.constant(gradient.into_value());
        Ok(found
            .into_iter()
            .map(|gradient| gradient.map(as_data))
            .collect())
    }

    /// On the sweep's tape, so that it can be differentiated again.
    ///
    /// Inputs and parameters are new nodes, so the inner sweep stops at them and gives partial
    /// derivatives even where one was computed from another.
    fn recorded<const N: usize>(&self, upstream: &Var<T>, saved: &Saved<T>) -> Found<T>
    where
        F: Fn([&Var<T>; N]) -> Result<Var<T>>,
    {
        let inputs = try_from_fn(|index| saved.input(index)?.alias())?;
        let aliases = (0..self.params.len()).map(|index| saved.input(N + index)?.alias());
        let aliases: Vec<Var<T>> = aliases.collect::<Result<_>>()?;
        let stand_ins: Vec<_> = self
            .params
            .iter()
            .zip(&aliases)
            .filter_map(|(param, alias)| Some((param.clone(), alias.node()?)))
            .collect();
        let result = saved
            .tape
            .with_params(&stand_ins, || (self.function)(inputs.each_ref()))?;
        let targets: Vec<&Var<T>> = inputs.iter().chain(&aliases).collect();
        result.try_grad(upstream, &targets)
    }
}
