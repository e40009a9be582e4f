//! The rows of convolution, pooling and up-sampling.

use macula_tensor::{Convolution, Pooling};

use super::inputs::{Cases, every_layout, pairs, with_and_without_bias};
use super::{Row, row};

pub(super) fn table() -> Vec<Row> {
    vec![
        row("conv1d", lines(), |x| {
            let settings = Convolution::new().stride(2).padding(1);
            x[0].conv1d(&x[1], x.get(2), &settings)
        }),
        row(
            "conv2d",
            with_and_without_bias(
                2,
                &[
                    [&[2, 2, 3, 4], &[2, 1, 2, 3]],
                    [&[0, 2, 3, 4], &[2, 1, 2, 3]],
                ],
            ),
            |x| x[0].conv2d(&x[1], x.get(2), &halving()),
        ),
        row(
            "conv_input_gradient",
            pairs(&[
                [&[2, 2, 2, 2], &[2, 1, 2, 3]],
                [&[0, 2, 2, 2], &[2, 1, 2, 3]],
            ]),
            |x| x[0].conv_input_gradient(&x[1], [3, 4], &halving()),
        ),
        row(
            "conv_weight_gradient",
            pairs(&[
                [&[2, 2, 2, 2], &[2, 2, 3, 4]],
                [&[0, 2, 2, 2], &[0, 2, 3, 4]],
            ]),
            |x| x[0].conv_weight_gradient(&x[1], [2, 3], &halving()),
        ),
        row("conv_transpose1d", lines(), |x| {
            let settings = Convolution::new().stride(2).padding(1);
            x[0].conv_transpose1d(&x[1], x.get(2), &settings, 1)
        }),
        row(
            "conv_transpose2d",
            with_and_without_bias(
                2,
                &[
                    [&[1, 2, 2, 3], &[2, 1, 2, 2]],
                    [&[0, 2, 2, 3], &[2, 1, 2, 2]],
                ],
            ),
            |x| {
                let settings = Convolution::new().stride([2, 1]).groups(2);
                x[0].conv_transpose2d(&x[1], x.get(2), &settings, [1, 0])
            },
        ),
        row("max_pool1d", planes(), |x| {
            Ok(x[0].max_pool1d(&Pooling::new(3).stride(2).padding(1))?.0)
        }),
        row("max_pool2d", planes(), |x| {
            Ok(x[0].max_pool2d(&Pooling::new(2).stride(1).padding(1))?.0)
        }),
        row("adaptive_max_pool1d", planes(), |x| {
            Ok(x[0].adaptive_max_pool1d(3)?.0)
        }),
        row("adaptive_max_pool2d", planes(), |x| {
            Ok(x[0].adaptive_max_pool2d([2, 3])?.0)
        }),
        row("avg_pool1d", planes(), |x| {
            let pooling = Pooling::new(3).stride(2).padding(1);
            x[0].avg_pool1d(&pooling.count_include_pad(false))
        }),
        row("avg_pool2d", planes(), |x| {
            x[0].avg_pool2d(&Pooling::new(2).stride(1).padding(1).ceil_mode(true))
        }),
        row("adaptive_avg_pool1d", planes(), |x| {
            x[0].adaptive_avg_pool1d(3)
        }),
        row("adaptive_avg_pool2d", planes(), |x| {
            x[0].adaptive_avg_pool2d([2, 3])
        }),
        row("avg_pool_gradient", planes(), |x| {
            x[0].avg_pool_gradient([6, 8], &Pooling::new(2))
        }),
        row("upsample_nearest2d", planes(), |x| {
            x[0].upsample_nearest2d([2, 3])
        }),
    ]
}

/// Input and weight of a convolution over one axis, with and without a bias.
fn lines() -> Cases {
    with_and_without_bias(2, &[[&[2, 2, 4], &[2, 2, 3]], [&[0, 2, 4], &[2, 2, 3]]])
}

/// A convolution of images of three rows and four columns to two of each.
fn halving() -> Convolution {
    Convolution::new()
        .stride([2, 1])
        .padding([1, 1])
        .dilation([1, 2])
        .groups(2)
}

/// Planes of distinct elements.
fn planes() -> Cases {
    every_layout(&[2, 3, 4])
}
