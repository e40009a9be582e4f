//! Whether the shapes of a convolution fit each other.

use super::Convolution;
use crate::cpu::convolution::{Extent, Geometry};
use crate::error::{Error, Result};
use crate::ops::spatial::Steps;
use crate::shape::{Shape, Sizes};

/// A convolution whose shapes have been checked.
pub(super) struct Checked {
    pub(super) geometry: Geometry,
    /// Shape of the output, with the rank that was asked for.
    pub(super) output: Sizes,
}

/// Checks an input `[N, C, …]` and a weight `[O, C / groups, …]` with the same one or two spatial
/// axes.
pub(super) fn check(
    op: &'static str,
    input: &[usize],
    weight: &[usize],
    settings: &Convolution,
) -> Result<Checked> {
    let axes = input.len() - 2;
    let groups = settings.groups;
    let steps = settings.steps(op, axes)?;
    let (channels, outputs) = (input[1], weight[0]);
    let divides = |channels: usize| channels.checked_rem(groups) == Some(0);
    if !divides(channels) || !divides(outputs) {
        return Err(Error::Argument {
            op,
            argument: "groups",
            expected: format!(
                "a divisor of the {channels} input channels and of the {outputs} output channels"
            ),
            found: groups.to_string(),
        });
    }
    if weight[1] != channels / groups {
        let inputs = channels / groups;
        return Err(Error::Shape {
            op,
            expected: format!(
                "a weight with {inputs} on axis 1, the input channels of each of {groups} groups \
                 of the input {input:?}"
            ),
            found: Sizes::from_slice(weight),
        });
    }
    let mut output = Sizes::from_slice(&[input[0], outputs]);
    // One axis is two, of which the first has one element.
    let mut extents = [Extent {
        input: 1,
        kernel: 1,
        output: 1,
        stride: 1,
        padding: 0,
        dilation: 1,
    }; 2];
    for axis in 0..axes {
        let steps = steps[axis];
        let extent = extent(input[2 + axis], weight[2 + axis], steps);
        let extent = extent.ok_or_else(|| Error::Shape {
            op,
            expected: format!(
                "a weight that covers from 1 to all elements of axis {} of the input {input:?} \
                 with padding {}, dilation {}",
                2 + axis,
                steps.padding,
                steps.dilation,
            ),
            found: Sizes::from_slice(weight),
        })?;
        output.push(extent.output);
        extents[2 - axes + axis] = extent;
    }
    // The loops count within a padded image.
    Shape::contiguous(op, &extents.map(|axis| axis.input + 2 * axis.padding))?;
    Ok(Checked {
        geometry: Geometry {
            batch: input[0],
            groups,
            inputs: channels / groups,
            outputs: outputs / groups,
            axes: extents,
        },
        output,
    })
}

/// The sizes along an axis; none where the kernel does not fit.
fn extent(input: usize, kernel: usize, steps: Steps) -> Option<Extent> {
    let output = steps.room(input, kernel)? / steps.stride + 1;
    Some(Extent {
        input,
        kernel,
        output,
        // A step that is never taken may be too large to count with.
        stride: if output > 1 { steps.stride } else { 1 },
        padding: steps.padding,
        dilation: if kernel > 1 { steps.dilation } else { 1 },
    })
}
