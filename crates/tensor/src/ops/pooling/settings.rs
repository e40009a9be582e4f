//! The settings of a pooling, and the windows that follow from them.

use smallvec::SmallVec;

use crate::cpu::pooling::{Window, Windows};
use crate::error::{Error, Result};
use crate::ops::spatial::{PerSpatialAxis, Steps};
use crate::shape::Sizes;
use crate::storage::room_for;

/// Which windows a pooling looks at.
///
/// Each setting takes one number, or one for each spatial axis. Without them the windows lie side by
/// side: the stride is the kernel.
///
/// # Example
///
/// ```
/// use macula_tensor::{Pooling, Tensor};
///
/// let x = Tensor::from([1.0_f32, 5.0, 3.0, 2.0, 4.0]);
/// let (pairs, _) = x.max_pool1d(&Pooling::new(2))?;
/// assert_eq!(pairs.to_vec()?, [5.0, 3.0]);
/// let (all, _) = x.max_pool1d(&Pooling::new(2).ceil_mode(true))?;
/// assert_eq!(all.to_vec()?, [5.0, 3.0, 4.0]);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pooling {
    windows: Kind,
    count_include_pad: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Sliding(Sliding),
    /// So many windows.
    Adaptive(PerSpatialAxis),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Sliding {
    kernel: PerSpatialAxis,
    stride: Option<PerSpatialAxis>,
    padding: PerSpatialAxis,
    dilation: PerSpatialAxis,
    ceil_mode: bool,
}

impl Pooling {
    /// Windows of `kernel` elements, side by side.
    pub fn new(kernel: impl Into<PerSpatialAxis>) -> Self {
        Self {
            windows: Kind::Sliding(Sliding {
                kernel: kernel.into(),
                stride: None,
                padding: 0.into(),
                dilation: 1.into(),
                ceil_mode: false,
            }),
            count_include_pad: true,
        }
    }

    /// `size` windows, which cover the input whatever its size is: of an axis of L elements window i
    /// of n has those from ⌊i·L / n⌋ to before ⌈(i + 1)·L / n⌉.
    ///
    /// The other settings have no meaning then, and change nothing.
    pub fn adaptive(size: impl Into<PerSpatialAxis>) -> Self {
        Self {
            windows: Kind::Adaptive(size.into()),
            count_include_pad: true,
        }
    }

    /// Steps, in elements of the input, from one window to the next; at least 1.
    pub fn stride(self, stride: impl Into<PerSpatialAxis>) -> Self {
        self.with(|sliding| sliding.stride = Some(stride.into()))
    }

    /// Places before the first and behind the last element of the input. They are never the
    /// largest, and count as zeros in a mean.
    pub fn padding(self, padding: impl Into<PerSpatialAxis>) -> Self {
        self.with(|sliding| sliding.padding = padding.into())
    }

    /// Steps, in elements of the input, from one element of a window to the next; at least 1.
    pub fn dilation(self, dilation: impl Into<PerSpatialAxis>) -> Self {
        self.with(|sliding| sliding.dilation = dilation.into())
    }

    /// Whether there is a last window that only begins inside the input or the padding before it; its
    /// missing elements do not count.
    pub fn ceil_mode(self, ceil_mode: bool) -> Self {
        self.with(|sliding| sliding.ceil_mode = ceil_mode)
    }

    /// Whether the padding counts in the divisor of a mean, as it does unless this says otherwise.
    pub fn count_include_pad(mut self, count_include_pad: bool) -> Self {
        self.count_include_pad = count_include_pad;
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Sliding)) -> Self {
        if let Kind::Sliding(sliding) = &mut self.windows {
            change(sliding);
        }
        self
    }

    /// The windows over the last axes of a shape, `axes` of them; one axis is two, of which the
    /// first has one element.
    pub(super) fn windows(
        &self,
        op: &'static str,
        axes: usize,
        shape: &[usize],
    ) -> Result<[Windows; 2]> {
        let Some(first) = shape.len().checked_sub(axes) else {
            return Err(Error::Shape {
                op,
                expected: format!("at least {axes} axes"),
                found: Sizes::from_slice(shape),
            });
        };
        let sizes = &shape[first..];
        let lists = match &self.windows {
            Kind::Sliding(sliding) => sliding.windows(op, sizes, self.count_include_pad)?,
            Kind::Adaptive(size) => {
                let counts = size.resolve(op, "size", axes, 1)?;
                let pairs = sizes.iter().zip(&counts);
                let lists = pairs.map(|(&size, &count)| adaptive(op, size, count));
                lists.collect::<Result<_>>()?
            }
        };
        let empty = |windows: &Windows| windows.windows.iter().any(|window| window.count == 0);
        if lists.iter().any(empty) {
            let of = match &self.windows {
                Kind::Sliding(sliding) => format!(
                    " of kernel {:?} with padding {:?}",
                    sliding.kernel.resolve(op, "kernel", axes, 1)?,
                    sliding.padding.resolve(op, "padding", axes, 0)?,
                ),
                Kind::Adaptive(_) => String::new(),
            };
            return Err(Error::Shape {
                op,
                expected: format!("an element of the input in every window{of}"),
                found: Sizes::from_slice(shape),
            });
        }
        let mut lists = lists.into_iter();
        let last = lists.next_back();
        let single = || adaptive(op, 1, 1);
        Ok([
            lists.next().map_or_else(single, Ok)?,
            last.map_or_else(single, Ok)?,
        ])
    }
}

impl Sliding {
    fn windows(
        &self,
        op: &'static str,
        sizes: &[usize],
        count_include_pad: bool,
    ) -> Result<SmallVec<[Windows; 2]>> {
        let axes = sizes.len();
        let kernel = self.kernel.resolve(op, "kernel", axes, 1)?;
        let stride = self.stride.as_ref().unwrap_or(&self.kernel);
        let steps = Steps::resolve(op, axes, stride, &self.padding, &self.dilation)?;
        let mut lists: SmallVec<[Windows; 2]> = SmallVec::new();
        for axis in 0..axes {
            let sliding = SlidingAxis {
                input: sizes[axis],
                kernel: kernel[axis],
                steps: steps[axis],
            };
            let last = sliding
                .last(self.ceil_mode)
                .ok_or_else(|| Error::Argument {
                    op,
                    argument: "kernel",
                    expected: format!(
                        "at most {} elements with dilation {} and padding {}",
                        sizes[axis], steps[axis].dilation, steps[axis].padding
                    ),
                    found: kernel[axis].to_string(),
                })?;
            lists.push(sliding.windows(op, last, count_include_pad)?);
        }
        Ok(lists)
    }
}

struct SlidingAxis {
    input: usize,
    kernel: usize,
    steps: Steps,
}

impl SlidingAxis {
    /// The number of the last window; none if the kernel does not fit.
    fn last(&self, ceil_mode: bool) -> Option<usize> {
        let room = self.steps.room(self.input, self.kernel)?;
        let Steps {
            stride, padding, ..
        } = self.steps;
        let last = room / stride;
        // A window more, if it would begin before the end of the input.
        let begins = (last + 1).checked_mul(stride);
        let more = begins.is_some_and(|begins| begins < self.input + padding);
        let more = ceil_mode && room % stride > 0 && more;
        Some(last + usize::from(more))
    }

    /// The windows up to the `last`. Those that lie in the padding are without elements, and the
    /// first of them is the last of the list.
    fn windows(&self, op: &'static str, last: usize, count_include_pad: bool) -> Result<Windows> {
        let window = |number| self.window(number, count_include_pad);
        // A list that begins with an empty window ends there, however many there would be.
        let count = if window(0).count > 0 { last + 1 } else { 1 };
        let mut windows = list_of(op, count)?;
        for window in (0..count).map(window) {
            let is_empty = window.count == 0;
            windows.push(window);
            if is_empty {
                break;
            }
        }
        Ok(Windows {
            input: self.input,
            step: self.steps.dilation,
            windows,
        })
    }

    fn window(&self, number: usize, count_include_pad: bool) -> Window {
        let Self {
            input,
            kernel,
            steps,
        } = *self;
        let Steps {
            stride,
            padding,
            dilation,
        } = steps;
        // Counted from the start of the padding.
        let start = number * stride;
        let before = padding.saturating_sub(start).div_ceil(dilation).min(kernel);
        let until = |end: usize| end.saturating_sub(start).div_ceil(dilation).min(kernel);
        let count = until(padding + input).saturating_sub(before);
        Window {
            start: match count {
                0 => 0,
                _ => start + before * dilation - padding,
            },
            count,
            divisor: match count_include_pad {
                true => until(padding + input + padding),
                false => count,
            },
        }
    }
}

/// An empty list with room for so many windows.
///
/// # Errors
/// There must be that much memory.
fn list_of(op: &'static str, count: usize) -> Result<Vec<Window>> {
    room_for(count).ok_or_else(|| Error::no_room(op, &[count]))
}

fn adaptive(op: &'static str, input: usize, count: usize) -> Result<Windows> {
    let bound = |window: usize| window as u128 * input as u128;
    let mut windows = list_of(op, count)?;
    windows.extend((0..count).map(|window| {
        let start = (bound(window) / count as u128) as usize;
        let end = bound(window + 1).div_ceil(count as u128) as usize;
        Window {
            start,
            count: end - start,
            divisor: end - start,
        }
    }));
    Ok(Windows {
        input,
        step: 1,
        windows,
    })
}
