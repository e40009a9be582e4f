//! One axis of a convolution: which elements of its source meet in an element of its result.
//!
//! For the output, with stride s, padding p and dilation d, element i of the result takes from the
//! source, for each k of the kernel, the element i·s + k·d − p. Divided by s with a remainder,
//! k·d − p = a·s + r: element (i + a) of every s-th element from r on. For the gradient to the input
//! it is the other way round: element h of the result takes element (h + p − k·d) / s of the source
//! where that division leaves no remainder. With h = i·s + f that is element i + a for those k
//! where f + p − k·d = a·s. In both, i is only ever added to a shift a.
//!
//! An element of the kernel that meets nothing but padding has no tap. So no shift is larger than
//! the source and the result are, whatever padding and dilation are.

use smallvec::SmallVec;

use super::Extent;

/// One axis, seen from its result.
pub(super) struct Axis {
    /// Elements of the source.
    pub(super) source: usize,
    /// Elements of the result.
    pub(super) result: usize,
    /// Steps from an element of a plane to the next, in the source.
    pub(super) step: usize,
    /// The elements of the source at which the planes begin: one for each remainder that is read.
    pub(super) remainders: SmallVec<[usize; 1]>,
    /// The element of a plane at which result 0 with the least shift is.
    pub(super) first: isize,
    /// The largest shift.
    pub(super) reach: usize,
    /// Steps from one result of a phase to the next.
    pub(super) spacing: usize,
    /// For each phase f of the result the taps of its elements i·spacing + f.
    pub(super) phases: SmallVec<[Taps; 1]>,
}

/// What the elements of a phase take from the source.
pub(super) type Taps = SmallVec<[Tap; 4]>;

/// One element of the kernel, and where the source's element for it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tap {
    /// Place in the kernel.
    pub(super) kernel: usize,
    /// Which of the planes.
    pub(super) plane: usize,
    /// How far from the plane's element i, counted from [`Axis::first`].
    pub(super) shift: usize,
}

impl Axis {
    /// The axis of the output, as the input is its source.
    pub(super) fn of_output(extent: &Extent) -> Self {
        let step = extent.stride;
        // No product is larger than the padded input.
        let places = (0..extent.kernel)
            .map(|k| (k, (k * extent.dilation) as isize - extent.padding as isize))
            .map(|(k, place)| (k, split(place, step)))
            .filter(|&(_, (shift, remainder))| {
                meets(
                    shift,
                    extent.output,
                    elements(extent.input, remainder, step),
                )
            });
        let places: SmallVec<[_; 4]> = places.collect();
        let mut remainders: SmallVec<[usize; 1]> = places.iter().map(|place| place.1.1).collect();
        remainders.sort_unstable();
        remainders.dedup();
        let (first, reach) = range(places.iter().map(|place| place.1.0));
        let taps = places.iter().map(|&(kernel, (shift, remainder))| Tap {
            kernel,
            plane: remainders.partition_point(|&r| r < remainder),
            shift: (shift - first) as usize,
        });
        Self {
            source: extent.input,
            result: extent.output,
            step,
            first,
            reach,
            spacing: 1,
            phases: SmallVec::from_iter([taps.collect()]),
            remainders,
        }
    }

    /// The axis of the gradient to the input, as the upstream gradient is its source.
    pub(super) fn of_input(extent: &Extent) -> Self {
        let spacing = extent.stride;
        let count = extent.input.div_ceil(spacing);
        let shifts = |phase: usize| {
            (0..extent.kernel).filter_map(move |k| {
                let place = (phase + extent.padding) as isize - (k * extent.dilation) as isize;
                let (shift, remainder) = split(place, spacing);
                (remainder == 0 && meets(shift, count, extent.output)).then_some((k, shift))
            })
        };
        let phases = 0..spacing.min(extent.input);
        let all = phases.clone().flat_map(shifts).map(|(_, shift)| shift);
        let (first, reach) = range(all);
        let taps = |phase| {
            let taps = shifts(phase).map(|(kernel, shift)| Tap {
                kernel,
                plane: 0,
                shift: (shift - first) as usize,
            });
            taps.collect()
        };
        Self {
            source: extent.output,
            result: extent.input,
            step: 1,
            remainders: SmallVec::from_iter([0]),
            first,
            reach,
            spacing,
            phases: phases.map(taps).collect(),
        }
    }

    /// Results of a phase; the later phases may have one less.
    pub(super) fn count(&self) -> usize {
        self.result.div_ceil(self.spacing)
    }

    /// Elements of a row that holds the results' sources, if the next row follows at once.
    ///
    /// The zeros behind a row serve as the zeros before the next one, as far as there are both and
    /// the results themselves do not overlap.
    pub(super) fn pitch(&self) -> usize {
        let length = self.count() + self.reach;
        let planes = 0..self.remainders.len();
        let both = planes.map(|plane| {
            let inside = self.inside(plane, 0, length);
            inside.start.min(length - inside.end)
        });
        length - both.min().unwrap_or(0).min(self.reach)
    }

    /// The elements of a plane that exist in the source, of the `length` from element `start` on.
    pub(super) fn inside(
        &self,
        plane: usize,
        start: usize,
        length: usize,
    ) -> std::ops::Range<usize> {
        let before = start as isize + self.first;
        let from = (-before).clamp(0, length as isize) as usize;
        let elements = elements(self.source, self.remainders[plane], self.step) as isize;
        let to = (elements - before).clamp(from as isize, length as isize);
        from..to as usize
    }

    /// The place in the source of element `element` of a plane, from element `start` on.
    pub(super) fn place(&self, plane: usize, start: usize, element: usize) -> usize {
        let element = (start + element) as isize + self.first;
        element as usize * self.step + self.remainders[plane]
    }
}

/// `place` divided by `step`, and the remainder, which is not negative.
fn split(place: isize, step: usize) -> (isize, usize) {
    let step = step as isize;
    (place.div_euclid(step), place.rem_euclid(step) as usize)
}

/// Elements of the plane that has every `step`-th element of the source from `first` on.
fn elements(source: usize, first: usize, step: usize) -> usize {
    source.saturating_sub(first).div_ceil(step)
}

/// Whether the plane has element i + `shift` for any of the `count` results i.
fn meets(shift: isize, count: usize, elements: usize) -> bool {
    shift < elements as isize && shift + count as isize > 0
}

/// The least of the shifts, and how far above it the largest is.
fn range(shifts: impl Iterator<Item = isize> + Clone) -> (isize, usize) {
    let first = shifts.clone().min().unwrap_or(0);
    let last = shifts.max().unwrap_or(first);
    (first, (last - first) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extents() -> impl Iterator<Item = Extent> {
        let paddings = (0..4).chain([11]);
        let sizes = paddings.flat_map(|padding| (1..4).map(move |kernel| (padding, kernel)));
        let dilations = (1..4).chain([9, 11]);
        let steps = (1..5).flat_map(move |stride| dilations.clone().map(move |d| (stride, d)));
        sizes.flat_map(move |(padding, kernel)| {
            steps.clone().filter_map(move |(stride, dilation)| {
                let input = 7;
                let room: usize = input + 2 * padding;
                let output = room.checked_sub((kernel - 1) * dilation + 1)? / stride + 1;
                Some(Extent {
                    input,
                    kernel,
                    output,
                    stride,
                    padding,
                    dilation,
                })
            })
        })
    }

    /// All (result, kernel, source) that an axis connects, without the border of zeros.
    fn connections(axis: &Axis) -> Vec<[usize; 3]> {
        let length = axis.count() + axis.reach;
        let mut found = Vec::new();
        for (phase, taps) in axis.phases.iter().enumerate() {
            for i in 0..axis.count() {
                let result = i * axis.spacing + phase;
                for tap in taps.iter().filter(|_| result < axis.result) {
                    let element = i + tap.shift;
                    if axis.inside(tap.plane, 0, length).contains(&element) {
                        found.push([result, tap.kernel, axis.place(tap.plane, 0, element)]);
                    }
                }
            }
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn an_axis_connects_what_its_definition_connects_in_both_directions() {
        for extent in extents() {
            let mut expected = Vec::new();
            for output in 0..extent.output {
                for k in 0..extent.kernel {
                    let place = output * extent.stride + k * extent.dilation;
                    if (extent.padding..extent.padding + extent.input).contains(&place) {
                        expected.push([output, k, place - extent.padding]);
                    }
                }
            }
            assert_eq!(
                connections(&Axis::of_output(&extent)),
                expected,
                "{extent:?}"
            );
            let mut back = connections(&Axis::of_input(&extent));
            back.iter_mut().for_each(|connection| connection.reverse());
            back.sort_unstable();
            assert_eq!(back, expected, "{extent:?}");
        }
    }

    #[test]
    fn a_part_of_a_plane_is_that_part_of_the_whole() {
        for extent in extents() {
            let axis = Axis::of_output(&extent);
            for plane in 0..axis.remainders.len() {
                let whole = axis.inside(plane, 0, 20);
                for start in 0..5 {
                    let part = axis.inside(plane, start, 3);
                    let expected = (start..start + 3).filter(|element| whole.contains(element));
                    assert!(part.clone().map(|element| element + start).eq(expected));
                    part.for_each(|element| {
                        let place = axis.place(plane, 0, start + element);
                        assert_eq!(axis.place(plane, start, element), place);
                    });
                }
            }
        }
    }
}
