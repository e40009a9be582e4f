//! What convolutions and poolings share: settings with a number for each spatial axis, and the
//! places that a kernel finds along one.

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::shape::Sizes;

/// One number for every spatial axis, or one for each: `2` or `[2, 1]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerSpatialAxis(Numbers);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Numbers {
    Same(usize),
    Each(SmallVec<[usize; 2]>),
}

impl From<usize> for PerSpatialAxis {
    fn from(number: usize) -> Self {
        Self(Numbers::Same(number))
    }
}

impl<const N: usize> From<[usize; N]> for PerSpatialAxis {
    fn from(numbers: [usize; N]) -> Self {
        Self::from(&numbers[..])
    }
}

impl From<&[usize]> for PerSpatialAxis {
    fn from(numbers: &[usize]) -> Self {
        Self(Numbers::Each(SmallVec::from_slice(numbers)))
    }
}

impl PerSpatialAxis {
    /// A number for each of `axes` axes, none below `least`.
    pub(crate) fn resolve(
        &self,
        op: &'static str,
        argument: &'static str,
        axes: usize,
        least: usize,
    ) -> Result<SmallVec<[usize; 2]>> {
        let error = |expected, found| Error::Argument {
            op,
            argument,
            expected,
            found,
        };
        let numbers = match &self.0 {
            Numbers::Same(number) => SmallVec::from_elem(*number, axes),
            Numbers::Each(numbers) => numbers.clone(),
        };
        if numbers.len() != axes {
            let expected = format!("one number, or one for each of the {axes} spatial axes");
            return Err(error(expected, format!("{numbers:?}")));
        }
        match numbers.iter().find(|&&number| number < least) {
            Some(number) => Err(error(format!("at least {least}"), number.to_string())),
            None => Ok(numbers),
        }
    }
}

/// How a kernel steps along one axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    /// From one place of the kernel to the next.
    pub(crate) stride: usize,
    /// Places before the first and behind the last element of the input, few enough to be counted.
    pub(crate) padding: usize,
    /// From one element of the kernel to the next.
    pub(crate) dilation: usize,
}

impl Steps {
    /// The steps along each of `axes` axes.
    pub(crate) fn resolve(
        op: &'static str,
        axes: usize,
        stride: &PerSpatialAxis,
        padding: &PerSpatialAxis,
        dilation: &PerSpatialAxis,
    ) -> Result<SmallVec<[Self; 2]>> {
        let stride = stride.resolve(op, "stride", axes, 1)?;
        let padding = padding.resolve(op, "padding", axes, 0)?;
        // Twice as much beside any input can be counted with a sign.
        let most = isize::MAX as usize / 4;
        if let Some(padding) = padding.iter().find(|&&padding| padding > most) {
            return Err(Error::Argument {
                op,
                argument: "padding",
                expected: format!("at most {most}"),
                found: padding.to_string(),
            });
        }
        let dilation = dilation.resolve(op, "dilation", axes, 1)?;
        let steps = (0..axes).map(|axis| Self {
            stride: stride[axis],
            padding: padding[axis],
            dilation: dilation[axis],
        });
        Ok(steps.collect())
    }

    /// Elements from the kernel's first to its last, d·(k − 1).
    fn reach(self, kernel: usize) -> Option<usize> {
        kernel.checked_sub(1)?.checked_mul(self.dilation)
    }

    /// How far a kernel can move, in elements: L + 2p − d·(k − 1) − 1; none if it does not fit.
    pub(crate) fn room(self, input: usize, kernel: usize) -> Option<usize> {
        let covered = self.reach(kernel)?.checked_add(1)?;
        (input + 2 * self.padding).checked_sub(covered)
    }

    /// The least size on which a kernel has so many places, and `added` elements more:
    /// s·(places − 1) + d·(k − 1) + 1 + added − 2p; none if that is below 0.
    pub(crate) fn spread(self, places: usize, kernel: usize, added: usize) -> Option<usize> {
        let moved = places.checked_sub(1)?.checked_mul(self.stride)?;
        let padded = moved.checked_add(self.reach(kernel)?)?.checked_add(1)?;
        padded.checked_add(added)?.checked_sub(2 * self.padding)
    }
}

/// Whether sizes are given for one spatial axis or for two.
pub(crate) fn check_size(op: &'static str, size: &[usize]) -> Result<()> {
    match size {
        [_] | [_, _] => Ok(()),
        _ => Err(Error::Argument {
            op,
            argument: "size",
            expected: "one or two sizes, one for each spatial axis".into(),
            found: format!("{size:?}"),
        }),
    }
}

/// Whether an upstream gradient has the shape of the operation's output.
pub(crate) fn check_upstream(op: &'static str, found: &[usize], output: &[usize]) -> Result<()> {
    if found == output {
        return Ok(());
    }
    Err(Error::Shape {
        op,
        expected: format!("an upstream gradient of shape {output:?}, that of the output"),
        found: Sizes::from_slice(found),
    })
}
