//! Pointwise operations: a user's formulas, and arithmetic.
//!
//! # Numerics
//! The four operations and √ are rounded once, as IEEE 754 says. The elementary functions, σ and
//! softplus included, are within 2 units in the last place of the true value in either type, subnormal
//! results included; `cpu/elementary/mod.rs` lists the largest error found of each.

use super::apply::apply;
use crate::element::Float;
use crate::error::Result;
use crate::pointwise::{Derived, Pointwise};
use crate::scalar::Scalar;
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// `formula` of every element.
    ///
    /// # Errors
    /// The tensor must be on a device that runs formulas.
    pub fn map<F: Pointwise<1>>(&self, formula: F) -> Result<Self> {
        apply(&Derived::new(formula), [self])
    }

    /// `formula` of the elements of two tensors, broadcast to one shape.
    ///
    /// # Errors
    /// The shapes must broadcast, and both tensors must be on one device.
    pub fn zip<F: Pointwise<2>>(&self, other: &Self, formula: F) -> Result<Self> {
        apply(&Derived::new(formula), [self, other])
    }
}

/// Defines formulas without parameters, and the tensor methods that apply them.
macro_rules! formulas {
    ($($(#[$doc:meta])* $Name:ident $method:ident ($x:ident $(, $y:ident)?) $formula:expr;)*) => {$(
        formulas!(@formula $(#[$doc])* $Name $method ($x $(, $y)?) $formula);
    )*};
    (@formula $(#[$doc:meta])* $Name:ident $method:ident ($x:ident) $formula:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $Name;

        impl Pointwise<1> for $Name {
            const NAME: &'static str = stringify!($method);
            #[inline(always)]
            fn eval<S: Scalar>(&self, [$x]: [S; 1]) -> S {
                $formula
            }
        }

        impl<T: Float> Tensor<T> {
            $(#[$doc])*
            pub fn $method(&self) -> Result<Self> {
                self.map($Name)
            }
        }
    };
    (@formula $(#[$doc:meta])* $Name:ident $method:ident ($x:ident, $y:ident) $formula:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $Name;

        impl Pointwise<2> for $Name {
            const NAME: &'static str = stringify!($method);
            #[inline(always)]
            fn eval<S: Scalar>(&self, [$x, $y]: [S; 2]) -> S {
                $formula
            }
        }

        impl<T: Float> Tensor<T> {
            $(#[$doc])*
            ///
            /// # Errors
            /// The shapes must broadcast.
            pub fn $method(&self, other: &Self) -> Result<Self> {
                self.zip(other, $Name)
            }
        }
    };
}

formulas! {
    /// a + b.
    Add add(a, b) a + b;
    /// a − b.
    #[doc(alias = "subtract")]
    Sub sub(a, b) a - b;
    /// a · b.
    #[doc(alias = "multiply")]
    Mul mul(a, b) a * b;
    /// a / b.
    #[doc(alias = "divide")]
    #[doc(alias = "true_divide")]
    Div div(a, b) a / b;
    /// The larger of a and b; NaN if either is NaN. On a tie each gets half the gradient.
    Maximum maximum(a, b) a.max(b);
    /// The smaller of a and b; NaN if either is NaN. On a tie each gets half the gradient.
    Minimum minimum(a, b) a.min(b);
    /// a^b, as IEEE 754 `pow`; see [`Scalar::pow`] for the slopes at a ≤ 0.
    #[doc(alias = "power")]
    Pow pow(a, b) a.pow(b);
    /// −x.
    #[doc(alias = "negative")]
    Negate neg(x) -x;
    /// x².
    Square square(x) x.square();
    /// √x; NaN below zero.
    Sqrt sqrt(x) x.sqrt();
    /// 1 / √x.
    Rsqrt rsqrt(x) x.rsqrt();
    /// 1 / x.
    #[doc(alias = "reciprocal")]
    Recip recip(x) x.recip();
    /// |x|, with slope 0 at 0.
    #[doc(alias = "absolute")]
    Abs abs(x) x.abs();
    /// −1, 0 or 1, with slope 0 everywhere; NaN stays NaN.
    #[doc(alias = "sign")]
    #[doc(alias = "sgn")]
    Signum signum(x) x.signum();
    /// The largest integer ≤ x, with slope 0 everywhere.
    Floor floor(x) x.floor();
    /// The smallest integer ≥ x, with slope 0 everywhere.
    Ceil ceil(x) x.ceil();
    /// The nearest integer, the even one of two equally near, with slope 0 everywhere.
    #[doc(alias = "rint")]
    Round round(x) x.round();
    /// The integer without what stands after the point, with slope 0 everywhere.
    #[doc(alias = "fix")]
    Trunc trunc(x) S::select(x.less(x.constant(0.0)), x.ceil(), x.floor());
    /// e^x.
    Exp exp(x) x.exp();
    /// e^x − 1, with full relative accuracy near 0.
    #[doc(alias = "expm1")]
    ExpM1 exp_m1(x) x.exp_m1();
    /// ln x; −∞ at 0, NaN below.
    #[doc(alias = "log")]
    Ln ln(x) x.ln();
    /// ln(1 + x), with full relative accuracy near 0.
    #[doc(alias = "log1p")]
    Ln1p ln_1p(x) x.ln_1p();
    /// log₂ x, exact at powers of two.
    Log2 log2(x) x.log2();
    /// sin x, x in radians.
    Sin sin(x) x.sin();
    /// cos x, x in radians.
    Cos cos(x) x.cos();
    /// arctan x, between −π/2 and π/2.
    #[doc(alias = "arctan")]
    Atan atan(x) x.atan();
    /// The error function erf x = 2/√π ∫₀ˣ e^−t² dt.
    Erf erf(x) x.erf();
    /// tanh x.
    Tanh tanh(x) x.tanh();
    /// σ(x) = 1 / (1 + e^−x).
    #[doc(alias = "expit")]
    Sigmoid sigmoid(x) x.sigmoid();
    /// ln σ(x), exact at both ends.
    #[doc(alias = "logsigmoid")]
    LogSigmoid log_sigmoid(x) x.log_sigmoid();
    /// ln(1 + e^x), exact at both ends.
    Softplus softplus(x) x.softplus();
    /// max(x, 0), with slope 0 at 0.
    Relu relu(x) x.relu();
}

/// x + constant.
#[derive(Clone, Copy, Debug)]
pub struct AddScalar(pub f64);

impl Pointwise<1> for AddScalar {
    const NAME: &'static str = "add_scalar";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        x + self.0
    }
}

/// constant · x.
#[derive(Clone, Copy, Debug)]
pub struct MulScalar(pub f64);

impl Pointwise<1> for MulScalar {
    const NAME: &'static str = "mul_scalar";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        x * self.0
    }
}

/// x^exponent.
#[derive(Clone, Copy, Debug)]
pub struct Powf(pub f64);

impl Pointwise<1> for Powf {
    const NAME: &'static str = "powf";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [x]: [S; 1]) -> S {
        x.powf(self.0)
    }
}

/// ln(e^a + e^b).
///
/// # Numerics
/// The larger of the two plus softplus of what the other lies below it: nothing overflows. Two
/// infinities of one sign give that infinity. The distance is rounded, so the smaller term has a
/// relative error of |a − b|·ε/2. The slopes are σ(a − b) and σ(b − a).
#[derive(Clone, Copy, Debug)]
pub struct LogAddExp;

impl Pointwise<2> for LogAddExp {
    const NAME: &'static str = "logaddexp";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [a, b]: [S; 2]) -> S {
        // Equal infinities have no difference.
        let gap = S::select(a.equal(b), a.constant(0.0), b - a);
        S::select(a.less(b), b + (-gap).softplus(), a + gap.softplus())
    }
    #[inline(always)]
    fn gradient<S: Scalar>(&self, [a, b]: [S; 2]) -> [S; 2] {
        let share = (a - b).logistic();
        [share.sigmoid, share.complement]
    }
}

/// The angle of the point (x, y), from −π to π, counted from the positive x axis; y comes first.
///
/// Signs of zeros count, as IEEE 754 says: it is ±π for y = ±0 and x < 0 or x = −0.
///
/// # Numerics
/// Within 3 units in the last place. The slopes are x / (x² + y²) and −y / (x² + y²), in which no
/// square overflows, and 0 at the origin.
#[derive(Clone, Copy, Debug)]
pub struct Atan2;

impl Pointwise<2> for Atan2 {
    const NAME: &'static str = "atan2";
    #[inline(always)]
    fn eval<S: Scalar>(&self, [y, x]: [S; 2]) -> S {
        let (zero, one) = (x.constant(0.0), x.constant(1.0));
        let (width, height) = (x.abs(), y.abs());
        let (smaller, larger) = (width.min(height), width.max(height));
        // The quotient of equal infinities is 1, and of two zeros 0.
        let ratio = S::select(smaller.equal(larger), one, smaller / larger);
        let octant = S::select(larger.equal(zero), zero, ratio).atan();
        let steep = width.less(height);
        let quadrant = S::select(steep, -octant + std::f64::consts::FRAC_PI_2, octant);
        let half = S::select(is_negative(x), -quadrant + std::f64::consts::PI, quadrant);
        S::select(is_negative(y), -half, half)
    }
    #[inline(always)]
    fn gradient<S: Scalar>(&self, [y, x]: [S; 2]) -> [S; 2] {
        let (zero, one) = (x.constant(0.0), x.constant(1.0));
        let larger = x.abs().max(y.abs());
        let origin = larger.equal(zero);
        let unit = S::select(origin, one, larger);
        let (x, y) = (x / unit, y / unit);
        let square = S::select(origin, one, x * x + y * y) * unit;
        [x / square, -(y / square)]
    }
}

/// Whether a number has the sign bit, which of zeros only the reciprocal shows.
#[inline(always)]
fn is_negative<S: Scalar>(x: S) -> S::Mask {
    let zero = x.constant(0.0);
    S::select(x.equal(zero), x.recip(), x).less(zero)
}

impl<T: Float> Tensor<T> {
    /// The angle of the point (x, y), see [`Atan2`]; this is y.
    ///
    /// # Errors
    /// The shapes must broadcast.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let (y, x) = (Tensor::from([1.0_f64, -1.0]), Tensor::scalar(0.0));
    /// let quarter = std::f64::consts::FRAC_PI_2;
    /// assert_eq!(y.atan2(&x)?.to_vec()?, [quarter, -quarter]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "arctan2")]
    pub fn atan2(&self, x: &Self) -> Result<Self> {
        self.zip(x, Atan2)
    }

    /// ln(e^a + e^b), see [`LogAddExp`].
    ///
    /// # Errors
    /// The shapes must broadcast.
    pub fn logaddexp(&self, other: &Self) -> Result<Self> {
        self.zip(other, LogAddExp)
    }

    /// x + constant.
    ///
    /// # Errors
    /// Memory must have room for the result.
    #[doc(alias = "add")]
    pub fn add_scalar(&self, constant: f64) -> Result<Self> {
        self.map(AddScalar(constant))
    }

    /// constant · x.
    ///
    /// # Errors
    /// Memory must have room for the result.
    #[doc(alias = "mul")]
    pub fn mul_scalar(&self, constant: f64) -> Result<Self> {
        self.map(MulScalar(constant))
    }

    /// x^exponent, as IEEE 754 `pow`: x^0 = 1 for every x.
    ///
    /// # Errors
    /// Memory must have room for the result.
    #[doc(alias = "pow")]
    #[doc(alias = "power")]
    pub fn powf(&self, exponent: f64) -> Result<Self> {
        self.map(Powf(exponent))
    }
}
