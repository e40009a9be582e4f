//! Pointwise mathematics: one formula, and everything that follows from it.

use std::fmt::Debug;

use smallvec::SmallVec;

use crate::dual::Dual;
use crate::scalar::Scalar;

/// A function of `N` numbers, applied to tensors element by element.
///
/// The formula is written once, generic over [`Scalar`]. From it follow the SIMD loop, the
/// derivatives of first and higher order, and the program an accelerator runs. A user's formula
/// and macula's own go through this same door.
///
/// # Example
///
/// ```
/// use macula_tensor::{Pointwise, Scalar, Tensor};
///
/// /// SiLU, x · σ(x).
/// #[derive(Clone, Copy, Debug)]
/// struct Silu;
///
/// impl Pointwise<1> for Silu {
///     const NAME: &'static str = "silu";
///     #[inline(always)]
///     fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
///         x * x.sigmoid()
///     }
/// }
///
/// let y = Tensor::from([0.0_f32, 1.0]).map(Silu)?;
/// assert_eq!(y.to_vec()?[0], 0.0);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a formula: it does not implement `Pointwise<{N}>`",
    label = "not a formula",
    note = "a closure cannot be one: from the generic `eval` of a formula come the loop, the \
            derivatives and an accelerator's kernel",
    note = "the formulas of the library stand in `macula_tensor::ops::pointwise`"
)]
pub trait Pointwise<const N: usize>: Copy + Debug + Send + Sync + 'static {
    /// The name that error messages and tape listings show.
    const NAME: &'static str;

    /// The formula.
    ///
    /// Mark it `#[inline(always)]`. What is not inlined into the loop is compiled without the
    /// loop's instruction set, and each of its operations becomes a call: a GELU was seen to take 25
    /// times as long.
    fn eval<S: Scalar>(&self, inputs: [S; N]) -> S;

    /// The partial derivatives with respect to each input.
    ///
    /// The chain rule over [`Dual`] numbers gives them from [`eval`](Self::eval). Override it
    /// where another slope is wanted, or where a closed form is cheaper or more accurate.
    #[inline(always)]
    fn gradient<S: Scalar>(&self, inputs: [S; N]) -> [S; N] {
        self.eval(Dual::variables(inputs)).tangent
    }
}

/// The inputs by which a formula has been differentiated, one entry for each time.
pub type Differentiations = SmallVec<[u8; 4]>;

/// A formula, differentiated with respect to some of its inputs, one after the other.
///
/// The order of differentiation is data: were it a type, the rule of a rule of a rule would be a
/// new type each time and compiling would never end.
#[derive(Clone, Debug)]
pub struct Derived<F> {
    /// The formula.
    pub formula: F,
    /// The inputs it is differentiated by; empty for the formula itself.
    pub by: Differentiations,
}

impl<F: Copy> Derived<F> {
    /// The formula itself.
    pub fn new(formula: F) -> Self {
        Self {
            formula,
            by: Differentiations::new(),
        }
    }

    /// This, differentiated once more, by input `input`.
    ///
    /// The order has no limit: the formula and its first derivative are compiled loops, higher
    /// orders run as a [`Program`](crate::program::Program).
    pub fn differentiate(&self, input: usize) -> Self {
        let mut by = Differentiations::from_slice(&self.by);
        // A number that is too large for the list is too large for every formula, and the
        // operation that applies this will say so.
        by.push(u8::try_from(input).unwrap_or(u8::MAX));
        Self {
            formula: self.formula,
            by,
        }
    }
}
