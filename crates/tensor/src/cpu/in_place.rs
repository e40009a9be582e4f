//! Loops whose output is one of their operands.

use pulp::{Simd, WithSimd};

use super::lanes::{LaneMemory, Lanes, dispatch};
use super::parallel::{PIECE, for_each_piece};
use crate::element::Float;
use crate::pointwise::Pointwise;

/// `elements[i] = formula(elements[i])`.
pub(crate) fn map<T: Float, F: Pointwise<1>>(formula: F, elements: &mut [T]) {
    for_each_piece(elements, PIECE, |_, elements| map_here(formula, elements));
}

/// The same on this thread.
pub(crate) fn map_here<T: Float, F: Pointwise<1>>(formula: F, elements: &mut [T]) {
    dispatch(Map { formula, elements });
}

/// `elements[i] = formula(elements[i], others[i])`.
pub(crate) fn zip<T: Float, F: Pointwise<2>>(formula: F, elements: &mut [T], others: &[T]) {
    for_each_piece(elements, PIECE, |start, elements| {
        let others = &others[start..start + elements.len()];
        dispatch(Zip {
            formula,
            elements,
            others,
        });
    });
}

struct Map<'a, F, T> {
    formula: F,
    elements: &'a mut [T],
}

impl<F: Pointwise<1>, T: LaneMemory> WithSimd for Map<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (elements, rest) = T::split_mut::<S>(self.elements);
        for x in elements {
            *x = self.formula.eval([Lanes::<S, T>::new(simd, *x)]).vector;
        }
        if !rest.is_empty() {
            let x = Lanes::<S, T>::load_partial(simd, rest);
            self.formula.eval([x]).store_partial(rest);
        }
    }
}

struct Zip<'a, F, T> {
    formula: F,
    elements: &'a mut [T],
    others: &'a [T],
}

impl<F: Pointwise<2>, T: LaneMemory> WithSimd for Zip<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (elements, rest) = T::split_mut::<S>(self.elements);
        let (others, other_rest) = T::split::<S>(self.others);
        for (x, y) in elements.iter_mut().zip(others) {
            let operands = [Lanes::<S, T>::new(simd, *x), Lanes::new(simd, *y)];
            *x = self.formula.eval(operands).vector;
        }
        if !rest.is_empty() {
            let x = Lanes::<S, T>::load_partial(simd, rest);
            let y = Lanes::load_partial(simd, other_rest);
            self.formula.eval([x, y]).store_partial(rest);
        }
    }
}
