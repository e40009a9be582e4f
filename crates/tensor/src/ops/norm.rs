//! Norms, and whether all elements are finite.

use super::axes::{Axes, Reduced};
use super::compare::unary;
use super::pointwise::{Abs, Powf, Sqrt, Square};
use super::reduce::reduce;
use crate::cpu::finite::all_finite;
use crate::cpu::lane_fold::{Fold, LaneFold, Larger, Mapped, Smaller, Sum, Summand};
use crate::cpu::parallel::{PIECE, map_pieces};
use crate::element::Float;
use crate::error::{Error, Result};
use crate::pointwise::Pointwise;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// A way to measure the size of several numbers together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Norm {
    /// Σ |x|.
    L1,
    /// √Σ x², the Euclidean length.
    L2,
    /// (Σ |x|ᵖ)^(1/p). For p = 0, ±∞ it is `NonZero`, `Max` or `Min`.
    P(f64),
    /// max |x|, the norm of order ∞.
    Max,
    /// min |x|, the norm of order −∞.
    Min,
    /// How many numbers are not 0, the norm of order 0. NaN counts.
    NonZero,
}

impl Norm {
    /// The norm by its name, if it has one.
    pub fn named(self) -> Self {
        match self {
            Self::P(0.0) => Self::NonZero,
            Self::P(1.0) => Self::L1,
            Self::P(2.0) => Self::L2,
            Self::P(f64::INFINITY) => Self::Max,
            Self::P(f64::NEG_INFINITY) => Self::Min,
            other => other,
        }
    }

    /// The norm of a whole from the norms of its parts, in the order given.
    pub fn of_parts(self, parts: impl IntoIterator<Item = f64>) -> f64 {
        let parts = parts.into_iter();
        match self.named() {
            Self::L1 | Self::NonZero => parts.sum(),
            Self::L2 => parts.map(|part| part * part).sum::<f64>().sqrt(),
            Self::P(p) => parts.map(|part| part.powf(p)).sum::<f64>().powf(1.0 / p),
            Self::Max => parts.fold(0.0, Scalar::max),
            Self::Min => parts.fold(f64::INFINITY, Scalar::min),
        }
    }
}

impl<T: Float> Tensor<T> {
    /// The norm of the elements along `axes`.
    ///
    /// Over no elements it is 0; an order below 0 has no value there.
    ///
    /// # Numerics
    /// A power of an element may be too large or too small to be a number where the norm itself is
    /// one. The powers are summed as they are first; a sum that is not safely within the range of
    /// numbers is taken again of the elements divided by the largest of them (by the smallest, if p
    /// is below 0).
    ///
    /// # Errors
    /// Each axis must exist and be named once. p must not be NaN, and of an order below 0 no reduced
    /// axis may have size 0.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Norm, Tensor};
    ///
    /// let x = Tensor::from([[3.0_f32, -4.0], [0.0, 1e30]]);
    /// assert_eq!(x.norm(Norm::L2, 1)?.to_vec()?, [5.0, 1e30]);
    /// assert_eq!(x.norm(Norm::L1, 1)?.to_vec()?, [7.0, 1e30]);
    /// assert_eq!(x.norm(Norm::Max, ..)?.item()?, 1e30);
    /// assert_eq!(x.norm(Norm::NonZero, 1)?.to_vec()?, [2.0, 1.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "vector_norm")]
    #[doc(alias = "norm1")]
    #[doc(alias = "norm2")]
    pub fn norm(&self, order: Norm, axes: impl Into<Axes>) -> Result<Self> {
        let axes = self.reduced(OP, axes)?;
        match order.named() {
            Norm::L1 => fold(self, &axes, Mapped(Abs), Sum),
            Norm::L2 => root_of_sum(self, &axes, Square, Sqrt, Larger),
            Norm::P(p) if p > 0.0 => root_of_sum(self, &axes, AbsPow(p), Powf(1.0 / p), Larger),
            Norm::P(p) if p < 0.0 => {
                let axes = axes.not_empty(OP, self.shape())?;
                root_of_sum(self, &axes, AbsPow(p), Powf(1.0 / p), Smaller)
            }
            Norm::P(p) => Err(Error::Argument {
                op: OP,
                argument: "p",
                expected: "a number".into(),
                found: p.to_string(),
            }),
            Norm::Max if axes.count == 0 => Self::zeros(&axes.sizes),
            Norm::Max => fold(self, &axes, Mapped(Abs), Larger),
            Norm::Min => {
                let axes = axes.not_empty(OP, self.shape())?;
                fold(self, &axes, Mapped(Abs), Smaller)
            }
            Norm::NonZero => fold(self, &axes, Mapped(OneUnlessZero), Sum),
        }
    }

    /// Whether no element is infinite or NaN.
    ///
    /// # Errors
    /// The elements must be in main memory.
    #[doc(alias = "isfinite")]
    pub fn all_finite(&self) -> Result<bool> {
        let tensor = self.in_order("all_finite")?;
        let elements = tensor
            .view("all_finite")?
            .as_contiguous()
            .unwrap_or_default();
        Ok(match elements.len() <= PIECE {
            true => all_finite(elements),
            false => !map_pieces(elements.chunks(PIECE), all_finite).contains(&false),
        })
    }
}

const OP: &str = "norm";

fn fold<T: Float, M: Summand, F: Fold>(
    tensor: &Tensor<T>,
    axes: &Reduced,
    summand: M,
    fold: F,
) -> Result<Tensor<T>> {
    reduce(OP, tensor, axes, LaneFold { summand, fold }, None)
}

/// The root of Σ `power`(x). Where the sum is not safely a number, it is measured by one of the
/// elements: u · root(Σ `power`(x / u)).
fn root_of_sum<T: Float, P: Pointwise<1>, R: Pointwise<1>, F: Fold>(
    tensor: &Tensor<T>,
    axes: &Reduced,
    power: P,
    root: R,
    unit: F,
) -> Result<Tensor<T>> {
    let sums = fold(tensor, axes, Mapped(power), Sum)?;
    // From here on, powers that are subnormal or 0 do not matter next to the sum.
    let least = T::choose(f64::from(f32::MIN_POSITIVE), f64::MIN_POSITIVE);
    let least = least / (T::EPSILON * T::EPSILON);
    let safe = unary(OP, &sums, |sum: T| sum.is_finite() && sum.to_f64() >= least)?;
    let roots = sums.map(root)?;
    if tensor.is_empty() || safe.all(..)?.item()? {
        return Ok(roots);
    }
    let units = fold(tensor, axes, Mapped(Abs), unit)?.map(AsUnit)?;
    let ratios = LaneFold {
        summand: OfRatio(power),
        fold: Sum,
    };
    let of_ratios = reduce(OP, tensor, axes, ratios, Some(&units.reshape(&axes.kept)?))?;
    let measured = of_ratios.map(root)?.mul(&units)?;
    Tensor::select(&safe, &roots, &measured)
}

/// `power`(x / unit).
#[derive(Clone, Copy)]
struct OfRatio<P>(P);

impl<P: Pointwise<1>> Summand for OfRatio<P> {
    const CENTRED: bool = true;
    #[inline(always)]
    fn value<S: Scalar>(&self, x: S, unit: S) -> S {
        self.0.eval([x / unit])
    }
}

/// x where one can measure by it: 1 for 0, infinities and NaN.
#[derive(Clone, Copy, Debug)]
struct AsUnit;

impl Pointwise<1> for AsUnit {
    const NAME: &'static str = "norm";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        let (zero, one) = (x.constant(0.0), x.constant(1.0));
        // 0 · x is NaN for infinities and for NaN.
        let finite = S::select((x * 0.0).equal(zero), x, one);
        S::select(finite.equal(zero), one, finite)
    }
}

/// |x|ᵖ.
#[derive(Clone, Copy, Debug)]
struct AbsPow(f64);

impl Pointwise<1> for AbsPow {
    const NAME: &'static str = "norm";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        x.abs().powf(self.0)
    }
}

/// 1, but 0 for 0.
#[derive(Clone, Copy, Debug)]
struct OneUnlessZero;

impl Pointwise<1> for OneUnlessZero {
    const NAME: &'static str = "norm";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        let zero = x.constant(0.0);
        S::select(x.equal(zero), zero, x.constant(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norm(elements: &[f32], order: Norm) -> f32 {
        let x = Tensor::from(elements.to_vec());
        x.norm(order, ..).unwrap().item().unwrap()
    }

    #[test]
    fn powers_out_of_range_do_no_harm() {
        for unit in [1e-44_f32, 1e-30, 1.0, 1e30] {
            let x = [3.0 * unit, -4.0 * unit, 0.0];
            let close = |found: f32, wanted: f64| {
                // Elements near 10⁻⁴⁴ are multiples of 1.4 · 10⁻⁴⁵; a power is off by 2 units.
                let tolerance = if unit < 1e-40 { 0.2 } else { 1e-6 };
                let ratio = f64::from(found) / (wanted * f64::from(unit));
                assert!((ratio - 1.0).abs() < tolerance, "{found} of {unit}");
            };
            close(norm(&x, Norm::L2), 5.0);
            close(norm(&x, Norm::P(3.0)), 91_f64.cbrt());
            close(
                norm(&x[..2], Norm::P(-3.0)),
                (1.0 / 27.0 + 1.0 / 64.0_f64).powf(-1.0 / 3.0),
            );
            close(norm(&x, Norm::P(0.5)), (3_f64.sqrt() + 2.0).powi(2));
        }
        assert_eq!(norm(&[3e38, 3e38], Norm::L2), f32::INFINITY);
        // A row among others is measured on its own.
        let rows = Tensor::from([[3.0_f32, 4.0], [3e-30, 4e-30], [f32::NAN, 1.0], [0.0, 0.0]]);
        let lengths = rows.norm(Norm::L2, 1).unwrap().to_vec().unwrap();
        assert_eq!((lengths[0], lengths[3]), (5.0, 0.0));
        assert!((lengths[1] / 5e-30 - 1.0).abs() < 1e-6 && lengths[2].is_nan());
    }

    #[test]
    fn orders_with_a_name_are_those_norms() {
        let x = [3.0, -4.0, 0.0];
        for (p, wanted) in [
            (0.0, 2.0),
            (1.0, 7.0),
            (2.0, 5.0),
            (f64::INFINITY, 4.0),
            (f64::NEG_INFINITY, 0.0),
            (-1.0, 0.0),
        ] {
            assert_eq!(norm(&x, Norm::P(p)), wanted, "{p}");
        }
        let error = Tensor::from([1.0]).norm(Norm::P(f64::NAN), ..);
        assert_eq!(
            error.map(drop).unwrap_err().to_string(),
            "norm: p must be a number, found NaN"
        );
    }

    #[test]
    fn nothing_has_the_norm_zero_or_none() {
        let nothing = Tensor::<f32>::zeros([2, 0]).unwrap();
        for order in [Norm::L1, Norm::L2, Norm::P(3.0), Norm::Max, Norm::NonZero] {
            let norms = nothing.norm(order, 1).unwrap();
            assert_eq!(norms.to_vec().unwrap(), [0.0, 0.0], "{order:?}");
        }
        for order in [Norm::Min, Norm::P(-2.0)] {
            assert_eq!(
                nothing.norm(order, 1).map(drop).unwrap_err().to_string(),
                "norm: expected at least one element along the reduced axes, found shape [2, 0]"
            );
        }
    }

    #[test]
    fn the_norm_of_a_whole_is_that_of_the_norms_of_its_parts() {
        let x = [3.0, -1.0, 0.0, 2.0, f32::MIN_POSITIVE];
        for p in [-2.0, 0.0, 1.0, 1.5, 2.0, f64::INFINITY, f64::NEG_INFINITY] {
            let order = Norm::P(p);
            let parts = [&x[..2], &x[2..]].map(|part| f64::from(norm(part, order)));
            let whole = f64::from(norm(&x, order));
            assert!((order.of_parts(parts) - whole).abs() <= 1e-6 * whole, "{p}");
        }
        assert!(Norm::Max.of_parts([1.0, f64::NAN, 2.0]).is_nan());
    }

    #[test]
    fn one_element_that_is_not_finite_is_found_anywhere() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for (length, place) in [(1, 0), (20, 19), (3 * PIECE + 1, 2 * PIECE)] {
                let mut elements = vec![1e30; length];
                assert_eq!(Tensor::from(elements.clone()).all_finite(), Ok(true));
                elements[place] = bad;
                for order in [Norm::L1, Norm::L2, Norm::P(3.0), Norm::Max] {
                    assert!(!norm(&elements, order).is_finite());
                }
                assert_eq!(Tensor::from(elements).all_finite(), Ok(false));
            }
        }
        assert_eq!(Tensor::<f64>::zeros([0]).unwrap().all_finite(), Ok(true));
    }
}
