//! Reading a strided view in row-major order.

use crate::element::Element;
use crate::shape::{Sizes, Strides};
use crate::tensor::View;

/// An element that repeats along a row is written so often at a time, if the row is not longer.
const WIDE: usize = 16;

/// A view whose axes have been merged where memory allows, ready to be copied out piece by piece.
pub(crate) struct Walk<'a, T> {
    elements: &'a [T],
    sizes: Sizes,
    strides: Strides,
    offset: usize,
}

/// The rest of a row, which is an even walk through memory.
#[derive(Clone, Copy, Default)]
pub(crate) struct Row {
    /// Where its first element is.
    pub(crate) place: usize,
    /// Its elements.
    pub(crate) rest: usize,
    /// From each element to the next.
    pub(crate) step: isize,
}

impl<'a, T: Element> Walk<'a, T> {
    pub(crate) fn new(view: View<'a, T>) -> Self {
        let mut sizes = Sizes::new();
        let mut strides = Strides::new();
        for (&size, &stride) in view.shape.sizes().iter().zip(&view.shape.strides()) {
            if size == 1 {
                continue;
            }
            match (sizes.last_mut(), strides.last_mut()) {
                // The axis before steps over exactly this one: they are one walk.
                (Some(outer), Some(step)) if *step == stride * size as isize => {
                    *outer *= size;
                    *step = stride;
                }
                _ => {
                    sizes.push(size);
                    strides.push(stride);
                }
            }
        }
        if sizes.is_empty() {
            sizes.push(1);
            strides.push(0);
        }
        Self {
            elements: view.elements,
            sizes,
            strides,
            offset: view.shape.offset(),
        }
    }

    /// Elements of a row, and the step between them.
    pub(crate) fn rows(&self) -> (usize, isize) {
        let last = self.sizes.len() - 1;
        (self.sizes[last], self.strides[last])
    }

    /// What is left, from element `start` on, of the row that holds it. Inlined, because what would be
    /// copied has not reached the cache yet.
    #[inline(always)]
    pub(crate) fn row_from(&self, start: usize) -> Row {
        let last = self.sizes.len() - 1;
        let length = self.sizes[last].max(1);
        let (mut rest, position) = (start / length, start % length);
        let step = self.strides[last];
        let mut place = self.offset as isize + position as isize * step;
        for axis in (0..last).rev() {
            place += (rest % self.sizes[axis]) as isize * self.strides[axis];
            rest /= self.sizes[axis];
        }
        Row {
            place: place as usize,
            rest: length - position,
            step,
        }
    }

    /// The elements `start, start + 1, …` of the view where they lie, if they follow one another
    /// in memory.
    pub(crate) fn slice(&self, start: usize, length: usize) -> Option<&'a [T]> {
        if self.strides.last() != Some(&1) {
            return None;
        }
        let row = self.row_from(start);
        (length <= row.rest).then(|| self.at(row.place, length))
    }

    /// Elements from a place in memory on.
    pub(crate) fn at(&self, place: usize, length: usize) -> &'a [T] {
        &self.elements[place..place + length]
    }

    /// Copies the elements `start, start + 1, …` of the view until `output` is full.
    pub(crate) fn copy_from(&self, start: usize, output: &mut [T]) {
        let last = self.sizes.len() - 1;
        let (length, step) = self.rows();
        // Coordinates of the first element, and where the row that holds it begins in memory.
        let mut position = start % length.max(1);
        let mut rest = start / length.max(1);
        let mut index = Sizes::from_elem(0, last);
        let mut row = self.offset as isize;
        for axis in (0..last).rev() {
            index[axis] = rest % self.sizes[axis];
            rest /= self.sizes[axis];
            row += index[axis] as isize * self.strides[axis];
        }
        let mut output = output;
        while !output.is_empty() {
            // The rest of a row, or a part of one, or whole rows along the axis before the last.
            let mut rows = 1;
            let mut count = (length - position).min(output.len());
            if count == length && last > 0 {
                rows = (self.sizes[last - 1] - index[last - 1]).min(output.len() / length);
                count = rows * length;
            }
            let (now, after) = output.split_at_mut(count);
            let first = row + position as isize * step;
            match rows {
                1 => self.copy_run(first, now),
                _ => self.copy_rows(first, now),
            }
            output = after;
            position = 0;
            // Count up the outer coordinates, the last one fastest.
            let mut more = rows;
            for axis in (0..last).rev() {
                row += more as isize * self.strides[axis];
                index[axis] += more;
                if index[axis] < self.sizes[axis] {
                    break;
                }
                row -= self.sizes[axis] as isize * self.strides[axis];
                index[axis] = 0;
                more = 1;
            }
        }
    }

    /// Copies whole rows along the axis before the last one, of which the first begins at a place in
    /// memory.
    fn copy_rows(&self, first: isize, output: &mut [T]) {
        let (length, step) = self.rows();
        let across = self.strides[self.sizes.len() - 2];
        let starts = (0..).map(|row| first + row * across);
        match (across, step) {
            (0, _) => {
                // One row again and again: what has been written is copied, twice as much each time.
                let mut done = length;
                self.copy_run(first, &mut output[..length]);
                while done < output.len() {
                    let more = done.min(output.len() - done);
                    output.copy_within(..more, done);
                    done += more;
                }
            }
            (_, 0) if length <= WIDE => {
                let mut place = 0;
                for start in starts.take(output.len() / length) {
                    let row = &mut output[place..];
                    let value = self.elements[start as usize];
                    // More than the row where there is room: the next one is written over it.
                    match row.first_chunk_mut() {
                        Some(wide) => *wide = [value; WIDE],
                        None => row[..length].fill(value),
                    }
                    place += length;
                }
            }
            _ => {
                for (row, start) in output.chunks_exact_mut(length).zip(starts) {
                    self.copy_run(start, row);
                }
            }
        }
    }

    /// Copies elements of one row from a place in memory on.
    #[inline(always)]
    fn copy_run(&self, first: isize, output: &mut [T]) {
        let first = first as usize;
        match self.rows().1 {
            1 => output.copy_from_slice(&self.elements[first..first + output.len()]),
            0 => output.fill(self.elements[first]),
            step if step > 0 => {
                let strided = self.elements[first..].iter().step_by(step as usize);
                let pairs = output.iter_mut().zip(strided);
                pairs.for_each(|(to, from)| *to = *from);
            }
            step => {
                let strided = self.elements[..=first].iter().rev();
                let strided = strided.step_by(step.unsigned_abs());
                let pairs = output.iter_mut().zip(strided);
                pairs.for_each(|(to, from)| *to = *from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::shape::Shape;

    /// Sizes, and for each axis a stride: 0, or what a dense axis would have times −2 … 2.
    fn shapes() -> impl Strategy<Value = (Vec<usize>, Vec<isize>)> {
        let axis = (1..7_usize, -2..3_isize);
        let last = (1..70_usize, prop_oneof![Just(0), Just(1), -2..3_isize]);
        (prop::collection::vec(axis, 0..4), last).prop_map(|(mut axes, last)| {
            axes.push(last);
            let mut dense = 1;
            let mut strides = Vec::new();
            for &(size, times) in axes.iter().rev() {
                strides.insert(0, times * dense);
                dense *= size as isize * times.abs().max(1);
            }
            (axes.iter().map(|axis| axis.0).collect(), strides)
        })
    }

    proptest! {
        #[test]
        fn any_part_of_a_view_is_copied_in_order(
            (sizes, strides) in shapes(),
            from in 0..10_000_usize,
            length in 0..10_000_usize,
        ) {
            let backwards = sizes.iter().zip(&strides).map(|(&size, &stride)| {
                (size as isize - 1) * stride.min(0)
            });
            let offset = -backwards.sum::<isize>();
            let place = |index: usize| {
                let mut rest = index;
                let axes = sizes.iter().zip(&strides).rev();
                offset + axes.map(|(&size, &stride)| {
                    let along = (rest % size) as isize;
                    rest /= size;
                    along * stride
                }).sum::<isize>()
            };
            let count: usize = sizes.iter().product();
            let most = (0..count).map(place).max().unwrap_or(0);
            let elements: Vec<i64> = (0..=most as i64).collect();
            let shape = Shape::from_parts(
                Sizes::from_slice(&sizes),
                Strides::from_slice(&strides),
                offset as usize,
            );
            let walk = Walk::new(View { elements: &elements, shape: &shape });
            let start = from % count;
            let length = length % (count - start + 1);
            let mut found = vec![-1; length];
            walk.copy_from(start, &mut found);
            let expected: Vec<i64> = (start..start + length).map(|k| place(k) as i64).collect();
            prop_assert_eq!(found, expected, "{:?} by {:?}", sizes, strides);
        }
    }
}
