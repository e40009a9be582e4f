//! Running sums, products and extremes along an axis.

use super::dense;
use crate::cpu;
use crate::element::{Element, Float, Number};
use crate::error::{Error, Result};
use crate::shape::{Shape, Sizes};
use crate::storage::room_for;
use crate::tensor::Tensor;

impl<T: Float> Tensor<T> {
    /// The sum of each element and those before it along `axis`.
    ///
    /// # Numerics
    /// The running sum is an `f64` for `f32` as well, and rounded for each element.
    ///
    /// # Errors
    /// The axis must exist.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([1.0_f32, 2.0, 3.0]);
    /// assert_eq!(x.cumsum(0)?.to_vec()?, [1.0, 3.0, 6.0]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn cumsum(&self, axis: isize) -> Result<Self> {
        let step = |sum: f64, _, x: T| sum + x.to_f64();
        scan("cumsum", self, axis, 0.0, step, T::from_f64)
    }

    /// The product of each element and those before it along `axis`.
    ///
    /// # Numerics
    /// The running product is an `f64` for `f32` as well, and rounded for each element.
    ///
    /// # Errors
    /// The axis must exist.
    pub fn cumprod(&self, axis: isize) -> Result<Self> {
        let step = |product: f64, _, x: T| product * x.to_f64();
        scan("cumprod", self, axis, 1.0, step, T::from_f64)
    }

    /// The linear recurrence yₖ = factorₖ · yₖ₋₁ + xₖ along `axis`, from y₋₁ = 0 on.
    ///
    /// With factors of 1 it is [`cumsum`](Self::cumsum), with one factor below 1 an exponential
    /// moving sum.
    ///
    /// # Numerics
    /// y is an `f64` for `f32` as well, and rounded for each element.
    ///
    /// # Errors
    /// The axis must exist, and the factors have the shape of the tensor.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let x = Tensor::from([1.0_f32, 1.0, 1.0]);
    /// let halves = Tensor::full([3], 0.5)?;
    /// assert_eq!(x.recurrence(&halves, 0)?.to_vec()?, [1.0, 1.5, 1.75]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn recurrence(&self, factors: &Self, axis: isize) -> Result<Self> {
        const OP: &str = "recurrence";
        let axis = self.shape.axis(OP, axis)?;
        if factors.shape() != self.shape() {
            return Err(Error::Shape {
                op: OP,
                expected: format!("factors of shape {:?}", self.shape()),
                found: Sizes::from_slice(factors.shape()),
            });
        }
        let (factors, terms) = (factors.in_order(OP)?, self.in_order(OP)?);
        let both = dense(OP, &factors)?.iter().zip(dense(OP, &terms)?);
        let no_room = || Error::no_room(OP, self.shape());
        let mut pairs = room_for(self.count()).ok_or_else(no_room)?;
        pairs.extend(both.map(|(&factor, &x)| (factor, x)));
        let step = |y: f64, _, (factor, x): (T, T)| factor.to_f64().mul_add(y, x.to_f64());
        scan_dense(OP, &pairs, self.shape(), axis, 0.0, step, T::from_f64)
    }
}

impl Tensor<i64> {
    /// The sum of each element and those before it along `axis`, modulo 2⁶⁴ where it overflows.
    ///
    /// # Errors
    /// The axis must exist.
    pub fn cumsum(&self, axis: isize) -> Result<Self> {
        let step = |sum: i64, _, x| sum.wrapping_add(x);
        scan("cumsum", self, axis, 0, step, |sum| sum)
    }

    /// The product of each element and those before it along `axis`, modulo 2⁶⁴ where it
    /// overflows.
    ///
    /// # Errors
    /// The axis must exist.
    pub fn cumprod(&self, axis: isize) -> Result<Self> {
        let step = |product: i64, _, x| product.wrapping_mul(x);
        scan("cumprod", self, axis, 1, step, |product| product)
    }
}

impl<T: Number> Tensor<T> {
    /// The largest of each element and those before it along `axis`, and where along the axis it
    /// stands: of equal elements the last. From the first NaN on, the value is NaN.
    ///
    /// # Errors
    /// The axis must exist.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::Tensor;
    ///
    /// let (values, places) = Tensor::from([1.0_f32, 3.0, 2.0, 3.0]).cummax(0)?;
    /// assert_eq!(values.to_vec()?, [1.0, 3.0, 3.0, 3.0]);
    /// assert_eq!(places.to_vec()?, [0, 1, 1, 3]);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn cummax(&self, axis: isize) -> Result<(Self, Tensor<i64>)> {
        self.extremes("cummax", axis, |x, best| x >= best)
    }

    /// The smallest of each element and those before it along `axis`, and where along the axis it
    /// stands: of equal elements the last. From the first NaN on, the value is NaN.
    ///
    /// # Errors
    /// The axis must exist.
    pub fn cummin(&self, axis: isize) -> Result<(Self, Tensor<i64>)> {
        self.extremes("cummin", axis, |x, best| x <= best)
    }

    fn extremes(
        &self,
        op: &'static str,
        axis: isize,
        beats: impl Fn(T, T) -> bool + Copy + Sync,
    ) -> Result<(Self, Tensor<i64>)> {
        #[expect(clippy::eq_op, reason = "false for a NaN")]
        let step = move |(best, place): (T, i64), at: usize, x: T| {
            // A NaN wins, also over another: the last place counts for it too.
            let wins = at == 0 || beats(x, best) || x != x;
            if wins {
                // Mostly rarer and rarer along a row, or always so: as a branch, it is foreseen, and the
                // next element need not wait for it.
                std::hint::cold_path();
                (x, at as i64)
            } else {
                (best, place)
            }
        };
        let start = (T::ZERO, 0);
        let values = scan(op, self, axis, start, step, |(best, _)| best)?;
        let places = scan(op, self, axis, start, step, |(_, place)| place)?;
        Ok((values, places))
    }
}

fn scan<T: Element, O: Element, A: Copy + Sync>(
    op: &'static str,
    tensor: &Tensor<T>,
    axis: isize,
    start: A,
    step: impl Fn(A, usize, T) -> A + Sync,
    value: impl Fn(A) -> O + Sync,
) -> Result<Tensor<O>> {
    let axis = tensor.shape.axis(op, axis)?;
    let dense_tensor = tensor.in_order(op)?;
    let elements = dense(op, &dense_tensor)?;
    scan_dense(op, elements, tensor.shape(), axis, start, step, value)
}

/// A scan along one axis of elements in row-major order.
fn scan_dense<E: Copy + Sync, O: Element, A: Copy + Sync>(
    op: &'static str,
    elements: &[E],
    sizes: &[usize],
    axis: usize,
    start: A,
    step: impl Fn(A, usize, E) -> A + Sync,
    value: impl Fn(A) -> O + Sync,
) -> Result<Tensor<O>> {
    let shape = Shape::contiguous(op, sizes)?;
    let inner = sizes[axis + 1..].iter().product();
    Tensor::build(op, shape, |output| {
        if !output.is_empty() {
            cpu::scan::scan(elements, sizes[axis], inner, start, step, value, output);
        }
    })
}
