//! Sums, products, extremes and counts along axes.

use smallvec::SmallVec;

use super::axes::{Axes, Reduced};
use crate::cpu;
use crate::cpu::fold::{
    And, EachFold, Largest, NonZero, Or, Plain, Reduction, Smallest, Truth, WrappingProduct,
    WrappingSum,
};
use crate::cpu::lane_fold::{Fold, LaneFold, Larger, Mapped, Product, Smaller, Sum};
use crate::element::{Element, Float};
use crate::error::{Error, Result};
use crate::pointwise::Pointwise;
use crate::shape::{Shape, Sizes};
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The sum of the elements along `axes`; 0 where there are none.
    ///
    /// # Numerics
    /// Up to 4096 elements are added in 8 registers side by side, or 64 rows four at a time, and
    /// such sums are added in the same way. The error is at most `50·k·ε·Σ|x|`, where `k` is the
    /// number of times that 4096 (or 64) elements become one: 2 for sixteen million elements.
    /// The order of additions depends on shape and strides alone, so the same tensor gives the
    /// same bits for any number of threads.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.sum(1)?.to_vec()?, [6.0, 15.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn sum(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = self.reduced("sum", axes)?;
        reduce("sum", self, &axes, LaneFold::of(Sum), None)
    }

    /// The sum of `formula` of the elements along `axes`, without a tensor in between.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Tensor, ops::pointwise::Square};
    ///
    /// let x = Tensor::from([[3.0_f64, 4.0], [5.0, 12.0]]);
    /// assert_eq!(x.map_sum(Square, 1)?.to_vec()?, [25.0, 169.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn map_sum<F: Pointwise<1>>(&self, formula: F, axes: impl Into<Axes>) -> Result<Self> {
        let axes = self.reduced(F::NAME, axes)?;
        self.map_fold(formula, Sum, &axes)
    }

    /// The largest `formula` of an element along `axes`, without a tensor in between; NaN if any is
    /// NaN.
    ///
    /// # Errors
    /// Each axis must exist, be named once and have at least one element.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Tensor, ops::pointwise::Abs};
    ///
    /// let x = Tensor::from([[3.0_f64, -4.0], [5.0, 12.0]]);
    /// assert_eq!(x.map_amax(Abs, 1)?.to_vec()?, [4.0, 12.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn map_amax<F: Pointwise<1>>(&self, formula: F, axes: impl Into<Axes>) -> Result<Self> {
        let axes = self.reduced(F::NAME, axes)?;
        self.map_fold(formula, Larger, &axes.not_empty(F::NAME, self.shape())?)
    }

    /// The smallest `formula` of an element along `axes`, without a tensor in between; NaN if any is
    /// NaN.
    ///
    /// # Errors
    /// Each axis must exist, be named once and have at least one element.
    pub fn map_amin<F: Pointwise<1>>(&self, formula: F, axes: impl Into<Axes>) -> Result<Self> {
        let axes = self.reduced(F::NAME, axes)?;
        self.map_fold(formula, Smaller, &axes.not_empty(F::NAME, self.shape())?)
    }

    fn map_fold<F: Pointwise<1>>(
        &self,
        formula: F,
        fold: impl Fold,
        axes: &Reduced,
    ) -> Result<Self> {
        let fold = LaneFold {
            summand: Mapped(formula),
            fold,
        };
        reduce(F::NAME, self, axes, fold, None)
    }

    /// The product of the elements along `axes`; 1 where there are none.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    pub fn prod(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = self.reduced("prod", axes)?;
        reduce("prod", self, &axes, LaneFold::of(Product), None)
    }

    /// The largest element along `axes`; NaN if any is NaN.
    ///
    /// # Errors
    /// Each axis must exist, be named once and have at least one element.
    #[doc(alias = "max")]
    pub fn amax(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = self.reduced("amax", axes)?;
        let axes = axes.not_empty("amax", self.shape())?;
        reduce("amax", self, &axes, LaneFold::of(Larger), None)
    }

    /// The smallest element along `axes`; NaN if any is NaN.
    ///
    /// # Errors
    /// Each axis must exist, be named once and have at least one element.
    #[doc(alias = "min")]
    pub fn amin(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = self.reduced("amin", axes)?;
        let axes = axes.not_empty("amin", self.shape())?;
        reduce("amin", self, &axes, LaneFold::of(Smaller), None)
    }

    /// The tensor summed down to `shape`: the reverse of [`expand`](Self::expand), and so the way
    /// back through a broadcast. Where the shapes agree it is the same tensor.
    ///
    /// # Errors
    /// `shape` must broadcast to the tensor's shape.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum_to([2])?.to_vec()?, [4.0, 6.0]);
    /// assert_eq!(x.sum_to([2, 1])?.to_vec()?, [3.0, 7.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    #[doc(alias = "sum_to_size")]
    pub fn sum_to(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        let (sizes, target) = (self.shape(), shape.as_ref());
        if sizes == target {
            return Ok(self.clone());
        }
        let error = || Error::Shape {
            op: "sum_to",
            expected: format!("a shape that {target:?} broadcasts to"),
            found: Sizes::from_slice(sizes),
        };
        let added = sizes.len().checked_sub(target.len()).ok_or_else(error)?;
        let mut kept = Sizes::from_elem(1, added);
        kept.extend(target.iter().copied());
        let mut reduced = Reduced {
            flags: SmallVec::from_elem(true, added),
            count: 1,
            kept,
            sizes: Sizes::from_slice(target),
        };
        for (&size, &wanted) in sizes[added..].iter().zip(target) {
            if wanted != size && wanted != 1 {
                return Err(error());
            }
            reduced.flags.push(wanted != size);
        }
        reduce("sum_to", self, &reduced, LaneFold::of(Sum), None)
    }
}

impl Tensor<i64> {
    /// The sum of the elements along `axes`, modulo 2⁶⁴ where it overflows; 0 where there are none.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    pub fn sum(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = self.reduced("sum", axes)?;
        reduce("sum", self, &axes, each::<Plain, WrappingSum>(), None)
    }

    /// The product of the elements along `axes`, modulo 2⁶⁴ where it overflows; 1 where there are
    /// none.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    pub fn prod(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = self.reduced("prod", axes)?;
        reduce("prod", self, &axes, each::<Plain, WrappingProduct>(), None)
    }

    /// The largest element along `axes`.
    ///
    /// # Errors
    /// Each axis must exist, be named once and have at least one element.
    #[doc(alias = "max")]
    pub fn amax(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = self.reduced("amax", axes)?;
        let axes = axes.not_empty("amax", self.shape())?;
        reduce("amax", self, &axes, each::<Plain, Largest>(), None)
    }

    /// The smallest element along `axes`.
    ///
    /// # Errors
    /// Each axis must exist, be named once and have at least one element.
    #[doc(alias = "min")]
    pub fn amin(&self, axes: impl Into<Axes>) -> Result<Self> {
        let axes = self.reduced("amin", axes)?;
        let axes = axes.not_empty("amin", self.shape())?;
        reduce("amin", self, &axes, each::<Plain, Smallest>(), None)
    }
}

impl Tensor<bool> {
    /// How many elements along `axes` are true; the same as [`count_nonzero`](Self::count_nonzero).
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    pub fn sum(&self, axes: impl Into<Axes>) -> Result<Tensor<i64>> {
        let axes = self.reduced("sum", axes)?;
        reduce("sum", self, &axes, each::<NonZero, WrappingSum>(), None)
    }
}

impl<T: Element> Tensor<T> {
    /// Whether any element along `axes` is not 0 (not false); false where there are none. NaN is not
    /// 0.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    pub fn any(&self, axes: impl Into<Axes>) -> Result<Tensor<bool>> {
        let axes = self.reduced("any", axes)?;
        reduce("any", self, &axes, each::<Truth, Or>(), None)
    }

    /// Whether all elements along `axes` are not 0 (not false); true where there are none. NaN is not
    /// 0.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1.0_f32, 0.0], [2.0, f32::NAN]]);
    /// assert_eq!(x.all(1)?.to_vec()?, [false, true]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn all(&self, axes: impl Into<Axes>) -> Result<Tensor<bool>> {
        let axes = self.reduced("all", axes)?;
        reduce("all", self, &axes, each::<Truth, And>(), None)
    }

    /// The number of elements along `axes` that are not 0 (not false). NaN is not 0.
    ///
    /// # Errors
    /// Each axis must exist and be named once.
    pub fn count_nonzero(&self, axes: impl Into<Axes>) -> Result<Tensor<i64>> {
        let axes = self.reduced("count_nonzero", axes)?;
        let count = each::<NonZero, WrappingSum>();
        reduce("count_nonzero", self, &axes, count, None)
    }

    /// The axes of an operation, checked.
    pub(crate) fn reduced(&self, op: &'static str, axes: impl Into<Axes>) -> Result<Reduced> {
        axes.into().resolve(op, self.shape())
    }
}

fn each<V, J>() -> EachFold<V, J> {
    EachFold::new()
}

/// The results of a reduction. `centre`, where the reduction has one, has the sizes of `tensor`
/// but 1 along the reduced axes.
pub(crate) fn reduce<T: Element, R: Reduction<T>>(
    op: &'static str,
    tensor: &Tensor<T>,
    axes: &Reduced,
    reduction: R,
    centre: Option<&Tensor<R::Output>>,
) -> Result<Tensor<R::Output>> {
    let shape = Shape::contiguous(op, &axes.sizes)?;
    let view = tensor.view(op)?;
    if tensor.is_empty() {
        return Tensor::build(op, shape, |output| {
            output.fill(reduction.start());
        });
    }
    if tensor.is_contiguous() {
        let centre = centre.map(|centre| centre.view(op)).transpose()?;
        let results = cpu::reduce::reduce(op, view, &axes.flags, reduction, centre)?;
        return Ok(results.with_shape(shape));
    }
    // Walk in the order in which the elements lie in memory. A repeated axis goes first: the
    // others are the same walk each time.
    let mut order: Sizes = (0..tensor.rank()).collect();
    let strides = tensor.strides();
    order.sort_by_key(|&axis| match strides[axis] {
        0 => 0,
        stride => usize::MAX - stride.unsigned_abs(),
    });
    let tensor = tensor.with_shape(tensor.shape.permute(&order));
    let centre = centre.map(|centre| centre.with_shape(centre.shape.permute(&order)));
    let centre = centre.as_ref().map(|centre| centre.view(op)).transpose()?;
    let flags: SmallVec<[bool; 4]> = order.iter().map(|&axis| axes.flags[axis]).collect();
    let results = cpu::reduce::reduce(op, tensor.view(op)?, &flags, reduction, centre)?;
    let kept: Sizes = order.iter().map(|&axis| axes.kept[axis]).collect();
    let mut back = order.clone();
    for (place, &axis) in order.iter().enumerate() {
        back[axis] = place;
    }
    let results = results.with_shape(Shape::grid(&kept).permute(&back));
    Ok(results.in_order(op)?.with_shape(shape))
}
