//! Functions of elements of any types: comparisons, selections, casts.
//!
//! Formulas of floats, which have derivatives, run in [`pointwise`](super::pointwise); this is the
//! loop for everything else. It is one loop over three inputs; those that a function does not need
//! are not read.

use pulp::{Simd, WithSimd};

use super::lanes::dispatch;
use super::parallel::{PIECE, for_each_piece};
use super::source::{BLOCK, Source, Stretch, long_row};
use super::walk::Row;
use crate::element::Element;
use crate::tensor::View;

/// Writes `function(a)` to `output`.
pub(crate) fn map<A: Element, O: Element>(
    a: View<'_, A>,
    output: &mut [O],
    function: impl Fn(A) -> O + Copy + Sync,
) {
    zip3(a, a, a, output, move |a, _, _| function(a));
}

/// Writes `function(a, b)` to `output`; the views have one shape.
pub(crate) fn zip<A: Element, B: Element, O: Element>(
    a: View<'_, A>,
    b: View<'_, B>,
    output: &mut [O],
    function: impl Fn(A, B) -> O + Copy + Sync,
) {
    zip3(a, b, b, output, move |a, b, _| function(a, b));
}

/// Writes `function(a, b, c)` to `output`; the views have one shape.
pub(crate) fn zip3<A: Element, B: Element, C: Element, O: Element>(
    a: View<'_, A>,
    b: View<'_, B>,
    c: View<'_, C>,
    output: &mut [O],
    function: impl Fn(A, B, C) -> O + Copy + Sync,
) {
    if let (Some(a), Some(b), Some(c)) = (a.as_contiguous(), b.as_contiguous(), c.as_contiguous()) {
        for_each_piece(output, PIECE, |start, output| {
            let range = start..start + output.len();
            dispatch(Loop {
                a: &a[range.clone()],
                b: &b[range.clone()],
                c: &c[range],
                output,
                function,
            });
        });
    } else {
        strided(
            Source::new(a),
            Source::new(b),
            Source::new(c),
            output,
            function,
        );
    }
}

/// The path with operands to unpack; its scratch stays off the stack of the common path.
#[inline(never)]
fn strided<A: Element, B: Element, C: Element, O: Element>(
    a: Source<'_, A>,
    b: Source<'_, B>,
    c: Source<'_, C>,
    output: &mut [O],
    function: impl Fn(A, B, C) -> O + Copy + Sync,
) {
    let long = long_row(output);
    let even = a.is_even(long) && b.is_even(long) && c.is_even(long);
    for_each_piece(output, PIECE, |start, piece| {
        let mut scratch = (
            [A::default(); BLOCK],
            [B::default(); BLOCK],
            [C::default(); BLOCK],
        );
        let mut done = 0;
        while done < piece.len() {
            let first = start + done;
            let mut rows = [Row::default(); 3];
            let mut stretch = Stretch::unpacked(piece.len() - done);
            if even {
                rows = [a.row_from(first), b.row_from(first), c.row_from(first)];
                stretch = Stretch::in_rows(&rows, piece.len() - done);
            }
            let a = a.along(first, &rows[0], stretch, &mut scratch.0);
            let b = b.along(first, &rows[1], stretch, &mut scratch.1);
            let c = c.along(first, &rows[2], stretch, &mut scratch.2);
            let steps = piece[done..][..stretch.length].chunks_mut(stretch.step);
            for (number, output) in steps.enumerate() {
                let (from, length) = (number * stretch.step, output.len());
                dispatch(Loop {
                    a: a.at(from, length),
                    b: b.at(from, length),
                    c: c.at(from, length),
                    output,
                    function,
                });
            }
            done += stretch.length;
        }
    });
}

struct Loop<'a, A, B, C, O, F> {
    a: &'a [A],
    b: &'a [B],
    c: &'a [C],
    output: &'a mut [O],
    function: F,
}

impl<A: Copy, B: Copy, C: Copy, O, F: Fn(A, B, C) -> O> WithSimd for Loop<'_, A, B, C, O, F> {
    type Output = ();

    // The processor's registers are used by the compiler, not by name: the function is simple.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let inputs = self.a.iter().zip(self.b).zip(self.c);
        for (to, ((&a, &b), &c)) in self.output.iter_mut().zip(inputs) {
            *to = (self.function)(a, b, c);
        }
    }
}
