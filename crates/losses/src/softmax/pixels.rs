//! Pixels: the logits of one class lie side by side, and those of one pixel a plane apart.

use std::borrow::Cow;

use macula_tensor::Element;

/// Logits `[N, C, …]` in row-major order, of which each pixel is a row.
pub(super) struct Planes<'a, T> {
    pub(super) logits: &'a [T],
    pub(super) classes: usize,
    /// Pixels of a plane; 1 where the rows are no pixels.
    pub(super) pixels: usize,
}

/// Pixels whose logits are moved at a time: those of one class fill a cache line or two.
const RUN: usize = 16;

impl<'a, T: Element> Planes<'a, T> {
    /// The logits of `count` rows from `first` on, row by row, which is how the loops want them.
    pub(super) fn rows(&self, first: usize, count: usize) -> Cow<'a, [T]> {
        if self.pixels == 1 {
            let range = first * self.classes..(first + count) * self.classes;
            return Cow::Borrowed(&self.logits[range]);
        }
        let mut rows = vec![T::default(); count * self.classes];
        let mut start = first;
        let mut rest = &mut rows[..];
        while !rest.is_empty() {
            let (image, pixel) = (start / self.pixels, start % self.pixels);
            let length = RUN.min(self.pixels - pixel).min(rest.len() / self.classes);
            let (run, after) = rest.split_at_mut(length * self.classes);
            for class in 0..self.classes {
                let plane = (image * self.classes + class) * self.pixels;
                let logits = &self.logits[plane + pixel..][..length];
                let outputs = run[class..].iter_mut().step_by(self.classes);
                for (output, &logit) in outputs.zip(logits) {
                    *output = logit;
                }
            }
            (rest, start) = (after, start + length);
        }
        Cow::Owned(rows)
    }
}
