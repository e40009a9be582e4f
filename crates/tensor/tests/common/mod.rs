//! Random views and pairs of them, and the naive way to reduce and to join them.
#![allow(dead_code, reason = "each test file uses its part")]

use macula_tensor::{Axes, Element, Float, Result, Tensor, keep};
use proptest::prelude::*;

/// A tensor to be made: a contiguous base, and what makes a view of it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Per axis: size before slicing, first element taken, elements left off at the end, and
    /// whether the axis is a repeated one.
    pub(crate) axes: Vec<(usize, usize, usize, bool)>,
    /// A key per axis; the axes are permuted into the order of their keys.
    pub(crate) order: Vec<u32>,
    /// Which axes to reduce (of the view).
    pub(crate) reduced: Vec<bool>,
    pub(crate) keep: bool,
    pub(crate) seed: u64,
}

pub(crate) fn cases(largest: usize) -> impl Strategy<Value = Case> {
    // One size in ten is 0, by way of the range that starts below it.
    let axis = (
        0..=largest,
        0usize..2,
        0usize..2,
        prop::bool::weighted(0.15),
    );
    prop::collection::vec((axis, any::<u32>(), any::<bool>()), 0..=4).prop_flat_map(|axes| {
        (Just(axes), any::<bool>(), any::<u64>()).prop_map(|(axes, keep, seed)| Case {
            axes: axes.iter().map(|axis| axis.0).collect(),
            order: axes.iter().map(|axis| axis.1).collect(),
            reduced: axes.iter().map(|axis| axis.2).collect(),
            keep,
            seed,
        })
    })
}

/// A sequence of numbers without pattern.
pub(crate) fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
    move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) ^ (state >> 51)
    }
}

impl Case {
    /// The view, with elements that `element` makes of random numbers.
    pub(crate) fn tensor<T: Element>(&self, element: impl Fn(u64) -> T) -> Tensor<T> {
        let base: Vec<usize> = self
            .axes
            .iter()
            .map(
                |&(size, before, after, repeated)| if repeated { 1 } else { size + before + after },
            )
            .collect();
        let mut noise = noise(self.seed);
        let elements = (0..base.iter().product())
            .map(|_| element(noise()))
            .collect();
        let mut view = Tensor::from_vec(elements, &base).unwrap();
        let mut sizes = base.clone();
        for (axis, &(size, before, _, repeated)) in self.axes.iter().enumerate() {
            sizes[axis] = size;
            if !repeated {
                view = view.narrow(axis as isize, before, size).unwrap();
            }
        }
        let mut order: Vec<isize> = (0..base.len() as isize).collect();
        order.sort_by_key(|&axis| self.order[axis as usize]);
        view.expand(&sizes).unwrap().permute(&order).unwrap()
    }

    pub(crate) fn axes(&self) -> Axes {
        let axes: Vec<isize> = (0..self.reduced.len())
            .filter(|&axis| self.reduced[axis])
            .map(|axis| axis as isize)
            .collect();
        let axes = Axes::from(&axes[..]);
        if self.keep { keep(axes) } else { axes }
    }

    /// Sizes of the result and, for each result, the elements that come together in it.
    pub(crate) fn groups<T: Element>(&self, tensor: &Tensor<T>) -> (Vec<usize>, Vec<Vec<T>>) {
        let sizes = tensor.shape();
        let mut kept: Vec<usize> = Vec::new();
        let mut count = 1;
        for (&size, &reduced) in sizes.iter().zip(&self.reduced) {
            if !reduced {
                kept.push(size);
                count *= size;
            } else if self.keep {
                kept.push(1);
            }
        }
        let mut groups = vec![Vec::new(); count];
        for (index, x) in tensor.to_vec().unwrap().into_iter().enumerate() {
            let (mut rest, mut place, mut step) = (index, 0, 1);
            for axis in (0..sizes.len()).rev() {
                let at = rest % sizes[axis];
                rest /= sizes[axis];
                if !self.reduced[axis] {
                    place += at * step;
                    step *= sizes[axis];
                }
            }
            groups[place].push(x);
        }
        (kept, groups)
    }
}

/// Eighths between −8 and 8: sums and sums of squares of them are exact.
pub(crate) fn eighths<T: Float>(random: u64) -> T {
    T::from_f64((random % 129) as f64 / 8.0 - 8.0)
}

/// Like [`eighths`], with NaN and infinities among them.
pub(crate) fn with_specials<T: Float>(random: u64) -> T {
    match random % 37 {
        0 => T::from_f64(f64::NAN),
        1 | 2 => T::from_f64(f64::INFINITY),
        3 | 4 => T::from_f64(f64::NEG_INFINITY),
        _ => eighths(random / 37),
    }
}

/// Like [`eighths`], with a NaN or an infinity here and there.
pub(crate) fn rarely_special<T: Float>(random: u64) -> T {
    match random % 101 {
        0 => with_specials(random / 101 % 5),
        _ => eighths(random / 101),
    }
}

/// Every kind of number: [`with_specials`], both zeros, tiny and enormous ones, subnormals.
pub(crate) fn anything<T: Float>(random: u64) -> T {
    let small = eighths::<f64>(random / 8);
    let exponent = if T::NAME == "f32" { 38 } else { 305 };
    T::from_f64(match random % 8 {
        0 => return with_specials(random / 8),
        1 => 0.0 * small,
        2 => small * 10_f64.powi(-exponent),
        3 => small * 10_f64.powi(exponent - 2),
        4 => small * 10_f64.powi(-7),
        _ => small,
    })
}

/// Whether two numbers are the same, NaN included.
pub(crate) fn same<T: Float>(a: T, b: f64) -> bool {
    a.to_f64() == T::from_f64(b).to_f64() || a.to_f64().is_nan() && b.is_nan()
}

/// Fails unless the result has the shape and the numbers expected.
pub(crate) fn assert_exact<T: Float>(result: &Tensor<T>, sizes: &[usize], expected: &[f64]) {
    assert_eq!(result.shape(), sizes);
    for (index, (&found, &wanted)) in result.to_vec().unwrap().iter().zip(expected).enumerate() {
        assert!(
            same(found, wanted),
            "element {index}: {found} instead of {wanted}"
        );
    }
}

/// The elements of a tensor where its shape is broadcast to `sizes`, by their places.
pub(crate) fn broadcast<T: Element>(x: &Tensor<T>, sizes: &[usize]) -> Vec<T> {
    let (own, elements) = (x.shape(), x.to_vec().unwrap());
    let added = sizes.len() - own.len();
    let element = |number: usize| {
        let (mut rest, mut place, mut step) = (number, 0, 1);
        for axis in (0..sizes.len()).rev() {
            let at = rest % sizes[axis];
            rest /= sizes[axis];
            if axis >= added && own[axis - added] != 1 {
                place += at * step;
                step *= own[axis - added];
            }
        }
        elements[place]
    };
    (0..sizes.iter().product()).map(element).collect()
}

/// Fails unless each number is within `ulp` units in the last place of the one expected.
pub(crate) fn assert_within<T: Float>(op: &str, result: &[T], expected: &[f64], ulp: f64) {
    assert_eq!(result.len(), expected.len(), "{op}");
    let least = if T::NAME == "f32" {
        f64::from(f32::MIN_POSITIVE)
    } else {
        f64::MIN_POSITIVE
    };
    for (&found, &wanted) in result.iter().zip(expected) {
        // Subnormal numbers have the spacing of the least normal ones.
        let unit = T::EPSILON * wanted.abs().max(least);
        let close = (found.to_f64() - wanted).abs() <= ulp * unit;
        assert!(
            close || same(found, wanted),
            "{op}: {found} instead of {wanted}"
        );
    }
}

/// Applies `naive` to each line of the tensor along `axis` and puts the results in its place.
pub(crate) fn along<T: Element, O: Copy>(
    tensor: &Tensor<T>,
    axis: usize,
    naive: impl Fn(&[T]) -> Vec<O>,
) -> Vec<O> {
    let sizes = tensor.shape();
    let elements = tensor.to_vec().unwrap();
    let inner: usize = sizes[axis + 1..].iter().product();
    let mut results: Vec<Option<O>> = vec![None; elements.len()];
    for first in 0..elements.len() {
        if (first / inner).is_multiple_of(sizes[axis]) {
            let places = (0..sizes[axis]).map(|k| first + k * inner);
            let line: Vec<T> = places.clone().map(|place| elements[place]).collect();
            places
                .zip(naive(&line))
                .for_each(|(place, y)| results[place] = Some(y));
        }
    }
    results.into_iter().map(Option::unwrap).collect()
}

/// The largest; NaN if one is NaN.
pub(crate) fn max(values: &[f64]) -> f64 {
    values.iter().fold(
        f64::NEG_INFINITY,
        |a, &b| if a.is_nan() || a > b { a } else { b },
    )
}

/// Whether there are results of no elements, or would be.
pub(crate) fn of_nothing<T: Float>(case: &Case, x: &Tensor<T>) -> bool {
    let mut axes = x.shape().iter().zip(&case.reduced);
    axes.any(|(&size, &reduced)| reduced && size == 0)
}

/// Shapes that take each path: long rows, segments, narrow and short ones.
pub(crate) const LARGE: [(&[usize], &[isize]); 14] = [
    (&[70_001], &[0]),
    (&[300, 70], &[0]),
    (&[300, 70], &[1]),
    (&[5000, 3], &[0]),
    (&[5000, 3], &[1]),
    (&[3, 9000], &[1]),
    (&[3, 9000], &[0]),
    (&[2, 200, 5], &[1]),
    (&[40, 5000], &[0, 1]),
    (&[7, 33, 130], &[0, 2]),
    (&[129, 4500], &[0]),
    (&[9, 11, 2, 63], &[1, 3]),
    (&[70_000, 2, 3], &[1]),
    (&[1100, 1, 65], &[0]),
];

pub(crate) fn large(sizes: &[usize], axes: &[isize]) -> Case {
    Case {
        axes: sizes.iter().map(|&size| (size, 0, 0, false)).collect(),
        order: (0..sizes.len() as u32).collect(),
        reduced: (0..sizes.len() as isize)
            .map(|axis| axes.contains(&axis))
            .collect(),
        keep: false,
        seed: 5,
    }
}

/// Halves between −2 and 2: sums of 10⁶ of their squares are exact in `f32`, in any order.
pub(crate) fn halves<T: Float>(random: u64) -> T {
    T::from_f64((random % 9) as f64 / 2.0 - 2.0)
}

/// An operation on two tensors, and the naive one in their own type.
pub(crate) type Binary<T, O> = (
    &'static str,
    fn(&Tensor<T>, &Tensor<T>) -> Result<Tensor<O>>,
    fn(T, T) -> O,
);

/// Two tensors that broadcast: of each axis, one, both or none has size 1 only, and either may lack
/// leading axes.
pub(crate) fn operands<T: Element>(case: &Case, element: fn(u64) -> T) -> (Tensor<T>, Tensor<T>) {
    let operand = |seed: u64| {
        let mut own = case.clone();
        own.seed = seed;
        let mut x = own.tensor(element);
        for axis in 0..x.rank() {
            if seed >> (2 * axis) & 3 == 0 && x.shape()[axis] > 0 {
                x = x.narrow(axis as isize, 0, 1).unwrap();
            }
        }
        let lacking = if seed >> 60 & 1 == 0 {
            0
        } else {
            seed as usize >> 61
        };
        for _ in 0..lacking.min(x.rank()) {
            if x.shape()[0] > 0 {
                x = x.narrow(0, 0, 1).unwrap().squeeze(0).unwrap();
            }
        }
        x
    };
    (operand(case.seed), operand(case.seed.rotate_left(31)))
}

/// The sizes of the result, and the pairs of elements that meet.
pub(crate) fn pairs<A: Element, B: Element>(
    a: &Tensor<A>,
    b: &Tensor<B>,
) -> (Vec<usize>, Vec<(A, B)>) {
    let rank = a.rank().max(b.rank());
    let size = |x: &[usize], axis: usize| (axis + x.len()).checked_sub(rank).map_or(1, |k| x[k]);
    let sizes: Vec<usize> = (0..rank)
        .map(
            |axis| match (size(a.shape(), axis), size(b.shape(), axis)) {
                (1, other) => other,
                (own, _) => own,
            },
        )
        .collect();
    let pairs = broadcast(a, &sizes).into_iter().zip(broadcast(b, &sizes));
    let pairs = pairs.collect();
    (sizes, pairs)
}

pub(crate) fn pairs_agree<T: Element, O: Element>(
    table: &[Binary<T, O>],
    (a, b): &(Tensor<T>, Tensor<T>),
    equal: impl Fn(O, O) -> bool,
) {
    let (sizes, pairs) = pairs(a, b);
    for (name, ours, naive) in table {
        let result = ours(a, b).unwrap();
        assert_eq!(result.shape(), sizes, "{name}");
        for (found, &(a, b)) in result.to_vec().unwrap().into_iter().zip(&pairs) {
            let wanted = naive(a, b);
            assert!(
                equal(found, wanted),
                "{name}({a}, {b}): {found} instead of {wanted}"
            );
        }
    }
}

/// Small numbers, and those at the ends of the range.
pub(crate) fn integer(random: u64) -> i64 {
    let small = (random / 4 % 11) as i64 - 5;
    match random % 4 {
        0 => i64::MIN.wrapping_add(small),
        1 => (random as i64).wrapping_mul(0x1234_5678_9ABC_DEF1),
        _ => small,
    }
}
