//! The margin of every class of a row: `s_c = z_c − ln Σ_{j≠c} e^{z_j}`.
//!
//! The plain version sums the exponentials of the others for every class anew. Here one sum serves
//! all. With `k` the largest class, `M` its logit and `M₂` the next largest logit:
//!
//! ```text
//! e_j = exp(z_j − M₂) for j ≠ k      R = Σ_{j≠k} e_j      g = exp(M₂ − M)
//! O_k = R                            s_k = z_k − M₂ − ln O_k
//! O_c = 1 + g·(R − e_c)              s_c = z_c − M − ln O_c       for c ≠ k
//! ```
//!
//! `O` is the sum over the other classes, in units of `e^{M₂}` for the largest class and of `e^M`
//! for the rest. What is subtracted is never more than a part of what is left, because the largest
//! class, the 1, is not in `R`: so `1 − p` of the dominating class keeps all its digits.

use macula_autograd::{Keep, Saved, Var};
use macula_tensor::cpu::lanes::{Lanes, dispatch};
use macula_tensor::cpu::parallel::{PIECE, map_pieces};
use macula_tensor::cpu::{Simd, WithSimd};
use macula_tensor::{Float, Result, Scalar, Tensor, keep};

/// The margins of a block of rows, and what their gradient needs; row by row, the classes side by
/// side.
pub(super) struct ClassMargins<T> {
    pub(super) margins: Vec<T>,
    /// `e_j`; 0 for the largest class.
    pub(super) exponentials: Vec<T>,
    /// `O_c`.
    pub(super) others: Vec<T>,
    /// For each row the largest class.
    pub(super) largest: Vec<usize>,
    /// For each row `g`.
    pub(super) ratios: Vec<T>,
}

impl<T: Float> ClassMargins<T> {
    /// Room for a number of rows.
    pub(super) fn new(rows: usize, classes: usize) -> Self {
        let numbers = || vec![T::ZERO; rows * classes];
        Self {
            margins: numbers(),
            exponentials: numbers(),
            others: numbers(),
            largest: vec![0; rows],
            ratios: vec![T::ZERO; rows],
        }
    }

    /// Fills this with the margins of a block of rows.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(&mut self, simd: S, logits: &[T], classes: usize) {
        let count = logits.len();
        let rows = logits.chunks_exact(classes).enumerate();
        for (row, logits) in rows {
            let range = row * classes..(row + 1) * classes;
            let (largest, next) = two_largest(logits);
            let first = logits[largest];
            self.largest[row] = largest;
            self.ratios[row] = below(next, first);
            let outputs = self.exponentials[range.clone()]
                .iter_mut()
                .zip(&mut self.margins[range]);
            for (&logit, (exponential, margin)) in logits.iter().zip(outputs) {
                *exponential = below(logit, next);
                *margin = logit - first;
            }
            self.exponentials[row * classes + largest] = T::from_f64(f64::NEG_INFINITY);
            self.margins[row * classes + largest] = first - next;
        }
        let rows = count / classes;
        each_register(simd, &mut self.exponentials[..count], |x| x.exp());
        each_register(simd, &mut self.ratios[..rows], |x| x.exp());
        for row in 0..rows {
            let range = row * classes..(row + 1) * classes;
            let exponentials = &self.exponentials[range.clone()];
            let sum = exponentials.iter().fold(T::ZERO, |sum, &e| sum + e);
            let others = &mut self.others[range];
            for (other, &exponential) in others.iter_mut().zip(exponentials) {
                *other = T::ONE + self.ratios[row] * (sum - exponential);
            }
            others[self.largest[row]] = sum;
        }
        let width = T::width::<S>();
        let registers = self.margins[..count].chunks_mut(width);
        for (margin, other) in registers.zip(self.others[..count].chunks(width)) {
            let (s, o) = (
                Lanes::load_partial(simd, margin),
                Lanes::load_partial(simd, other),
            );
            (s - o.ln()).store_partial(margin);
        }
    }

    /// Writes Σ_c u_c·∂s_c/∂z_j, for the upstream gradient `u` of a row.
    ///
    /// ∂s_c/∂z_j is 1 for j = c and else `−e_j / O_c`, in the units of `O_c`.
    #[inline(always)]
    pub(super) fn gradient(&self, row: usize, upstream: &[T], output: &mut [T]) {
        let range = row * upstream.len()..(row + 1) * upstream.len();
        let (exponentials, others) = (&self.exponentials[range.clone()], &self.others[range]);
        let (largest, ratio) = (self.largest[row], self.ratios[row]);
        let rest = upstream.iter().zip(others).enumerate();
        let rest = rest.filter(|(class, _)| *class != largest);
        let total = rest.fold(T::ZERO, |total, (_, (&u, &other))| total + u / other);
        // With a single class there are no others, and nothing is divided by their sum.
        let from_largest = upstream[largest] / others[largest];
        for (class, output) in output.iter_mut().enumerate() {
            let (u, e) = (upstream[class], exponentials[class]);
            let from_others = (total - u / others[class]) * ratio;
            *output = u - e * (from_others + from_largest);
        }
        output[largest] = upstream[largest] - total;
    }
}

/// The index of the largest number, and the largest of the rest; −∞ where there is none.
#[inline(always)]
fn two_largest<T: Float>(numbers: &[T]) -> (usize, T) {
    let mut largest = 0;
    let mut next = T::from_f64(f64::NEG_INFINITY);
    for (index, &number) in numbers.iter().enumerate().skip(1) {
        if number > numbers[largest] {
            next = numbers[largest];
            largest = index;
        } else if number > next || number.is_nan() {
            next = number;
        }
    }
    (largest, next)
}

/// `x − reference`, and 0 where both are the same infinity.
#[inline(always)]
fn below<T: Float>(x: T, reference: T) -> T {
    if x == reference {
        T::ZERO
    } else {
        x - reference
    }
}

/// Applies `function` in place, register by register.
#[inline(always)]
pub(super) fn each_register<S: Simd, T: Float>(
    simd: S,
    numbers: &mut [T],
    function: impl Fn(Lanes<S, T>) -> Lanes<S, T>,
) {
    for numbers in numbers.chunks_mut(T::width::<S>()) {
        function(Lanes::load_partial(simd, numbers)).store_partial(numbers);
    }
}

/// Rows of a block of [`ClassMargins`], so that it stays in the first-level cache.
pub(super) fn rows_of_block(classes: usize) -> usize {
    (1024 / classes).clamp(1, super::ROWS)
}

/// The margin of every class along the last axis, as an operation of its own: for members of the
/// family that are no sum over functions of one margin.
///
/// # Gradient
/// ∂s_c/∂z_j = −e^{z_j} / Σ_{i≠c} e^{z_i} for j ≠ c, and 1 for j = c. No ratio exceeds 1, and
/// infinite logits have the ratios that are their limits.
#[track_caller]
pub(crate) fn class_margins<T: Float>(logits: &Var<T>) -> Result<Var<T>> {
    let value = margins(logits.value())?;
    let largest = logits.value().argmax(keep(-1))?;
    let held = largest.clone();
    let rule = move |upstream: &Var<T>, saved: &Saved<T>| {
        let logits = saved.input(0)?;
        let classes = logits.shape().last().copied().unwrap_or(1);
        let is_largest = largest.squeeze(-1)?.one_hot::<i64>(classes)?;
        let is_largest = is_largest.cast::<bool>()?;
        // The formulas above in units of e^M; the largest class has e = 1 here.
        let exponentials = exponentials(&logits, &largest)?;
        let rest = exponentials.masked_fill(&is_largest, 0.0)?;
        let others = rest.sum(keep(-1))?.sub(&rest)?.add_scalar(1.0)?;
        let shares = upstream.div(&others)?.masked_fill(&is_largest, 0.0)?;
        let from_rest = shares.sum(keep(-1))?.sub(&shares)?.mul(&exponentials)?;
        // And in units of e^{M₂}.
        let rest = logits.masked_fill(&is_largest, f64::NEG_INFINITY)?;
        let next = rest.value().argmax(keep(-1))?;
        let rest = self::exponentials(&rest, &next)?.masked_fill(&is_largest, 0.0)?;
        // A single class has no others.
        let sum = rest.sum(keep(-1))?;
        let alone = sum.value().eq(&Tensor::scalar(T::ZERO))?;
        let of_largest = rest.div(&sum.masked_fill(&alone, 1.0)?)?;
        let from_largest = upstream.gather(-1, &largest)?.mul(&of_largest)?;
        Ok([Some(upstream.sub(&from_rest)?.sub(&from_largest)?)])
    };
    let margins = Var::record("class_margins", [logits], value, Keep::Inputs, rule)?;
    Ok(margins.holding(&held))
}

/// `e^{z_j − z_r}` along the last axis, `r` the reference; 1 where both are the same infinity, and
/// at the reference itself, which is no function of the logits. Its slopes would be 1 and −1, and
/// cancel only after the digits of the others were lost in them.
fn exponentials<T: Float>(logits: &Var<T>, reference: &Tensor<i64>) -> Result<Var<T>> {
    let classes = logits.shape().last().copied().unwrap_or(1);
    let itself = reference.squeeze(-1)?.one_hot::<i64>(classes)?;
    let reference = logits.gather(-1, reference)?;
    let same = logits.value().eq(reference.value())?;
    let infinite = logits
        .value()
        .abs()?
        .eq(&Tensor::scalar(T::from_f64(f64::INFINITY)))?;
    let constant = same.and(&infinite)?.or(&itself.cast::<bool>()?)?;
    let below = logits.sub(&reference)?;
    below.masked_fill(&constant, 0.0)?.exp()
}

fn margins<T: Float>(logits: &Tensor<T>) -> Result<Tensor<T>> {
    let classes = logits.shape().last().copied().unwrap_or(1).max(1);
    let logits = logits.to(&macula_tensor::Device::Cpu)?.contiguous()?;
    let elements = logits.as_slice().unwrap_or_default();
    let size = (PIECE / classes).max(1) * classes;
    Tensor::write(logits.shape(), |output| {
        let pieces = elements.chunks(size).zip(output.chunks_mut(size));
        map_pieces(pieces, |(logits, output)| {
            dispatch(Margins {
                logits,
                output,
                classes,
            })
        });
        Ok(())
    })
}

struct Margins<'a, T> {
    logits: &'a [T],
    output: &'a mut [T],
    classes: usize,
}

impl<T: Float> WithSimd for Margins<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = rows_of_block(self.classes);
        let mut block = ClassMargins::new(rows, self.classes);
        let size = rows * self.classes;
        for (logits, output) in self.logits.chunks(size).zip(self.output.chunks_mut(size)) {
            block.fill(simd, logits, self.classes);
            output.copy_from_slice(&block.margins[..output.len()]);
        }
    }
}
