//! The loop that changes several buffers in place, in one pass over memory.
//!
//! An optimizer's step is bound by memory: Adam reads a parameter, its gradient and two moments
//! and writes three of them back. One pass moves 7 numbers an element; a formula at a time would
//! move 30.

use pulp::{Simd, WithSimd};

use super::lanes::{LaneMemory, Lanes, dispatch};
use super::parallel::{PIECE, map_pieces};
use crate::element::Float;
use crate::update::Update;

/// Runs `formula` over `N` buffers and an input, all of one length.
pub(crate) fn update<T: Float, F: Update<N>, const N: usize>(
    formula: &F,
    mut state: [&mut [T]; N],
    input: &[T],
) {
    if input.len() <= PIECE {
        return dispatch(Loop {
            formula,
            state,
            input,
        });
    }
    // Pieces of all buffers side by side; each element is computed alone, so cutting them changes
    // no bit.
    let mut pieces: Vec<([&mut [T]; N], &[T])> = Vec::new();
    for input in input.chunks(PIECE) {
        let heads = state.each_mut().map(|rest| {
            let (head, tail) = std::mem::take(rest).split_at_mut(input.len());
            *rest = tail;
            head
        });
        pieces.push((heads, input));
    }
    map_pieces(pieces, |(state, input)| {
        dispatch(Loop {
            formula,
            state,
            input,
        });
    });
}

struct Loop<'a, F, T, const N: usize> {
    formula: &'a F,
    state: [&'a mut [T]; N],
    input: &'a [T],
}

impl<F: Update<N>, T: LaneMemory, const N: usize> WithSimd for Loop<'_, F, T, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // A copy, which no buffer can be suspected of sharing memory with: its constants stay in
        // registers.
        let formula = *self.formula;
        let (input, input_rest) = T::split::<S>(self.input);
        let mut rests = [const { None }; N];
        let mut rest = rests.iter_mut();
        let mut vectors = self.state.map(|buffer| {
            let (vectors, tail) = T::split_mut::<S>(buffer);
            if let Some(rest) = rest.next() {
                *rest = Some(tail);
            }
            &mut vectors[..input.len()]
        });
        for (index, input) in input.iter().enumerate() {
            let state = vectors
                .each_ref()
                .map(|vectors| Lanes::<S, T>::new(simd, vectors[index]));
            let state = formula.eval(state, Lanes::new(simd, *input));
            for (vectors, new) in vectors.iter_mut().zip(state) {
                vectors[index] = new.vector;
            }
        }
        if !input_rest.is_empty() {
            let state = rests
                .each_ref()
                .map(|rest| Lanes::<S, T>::load_partial(simd, rest.as_deref().unwrap_or_default()));
            let state = formula.eval(state, Lanes::load_partial(simd, input_rest));
            for (rest, new) in rests.into_iter().flatten().zip(state) {
                new.store_partial(rest);
            }
        }
    }
}
