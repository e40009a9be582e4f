//! A convolution and its gradients against the plain loops that define them.

use proptest::prelude::*;

use super::*;

/// A convolution over two axes, or over one if the first has one element everywhere.
#[derive(Clone, Debug)]
struct Case {
    batch: usize,
    groups: usize,
    inputs: usize,
    outputs: usize,
    /// For each axis input, kernel, stride, padding, dilation.
    axes: [[usize; 5]; 2],
    layout: usize,
}

/// An axis that is not there.
const NOTHING: [usize; 5] = [1, 1, 1, 0, 1];

fn cases(largest: usize) -> impl Strategy<Value = Case> {
    let axis = (0..=largest, 1usize..=4, 1usize..=4, 0usize..=3, 1usize..=3);
    let axis = axis.prop_map(|(input, kernel, stride, padding, dilation)| {
        // Room for the kernel.
        let covered = (kernel - 1) * dilation + 1;
        let input = input.max(covered.saturating_sub(2 * padding));
        [input, kernel, stride, padding, dilation]
    });
    let axes = [axis.clone(), axis];
    let channels = (0usize..3, 1usize..4, 0usize..4, 0usize..20);
    (channels, axes, 0usize..6).prop_map(|((batch, groups, inputs, outputs), axes, layout)| Case {
        batch,
        groups,
        inputs,
        outputs,
        axes,
        layout,
    })
}

impl Case {
    fn output(&self, axis: usize) -> usize {
        let [input, kernel, stride, padding, dilation] = self.axes[axis];
        (input + 2 * padding - (kernel - 1) * dilation - 1) / stride + 1
    }

    fn settings(&self) -> Convolution {
        let each = |setting: usize| [self.axes[0][setting], self.axes[1][setting]];
        Convolution::new()
            .stride(each(2))
            .padding(each(3))
            .dilation(each(4))
            .groups(self.groups)
    }

    /// Shapes of the input, the weight and the output.
    fn shapes(&self) -> [[usize; 4]; 3] {
        let [down, across] = self.axes;
        let (inputs, outputs) = (self.groups * self.inputs, self.groups * self.outputs);
        [
            [self.batch, inputs, down[0], across[0]],
            [outputs, self.inputs, down[1], across[1]],
            [self.batch, outputs, self.output(0), self.output(1)],
        ]
    }

    /// Places that a transposed convolution adds behind the last, to give back the input's size.
    fn output_padding(&self, axis: usize) -> usize {
        let [input, kernel, stride, padding, dilation] = self.axes[axis];
        (input + 2 * padding - (kernel - 1) * dilation - 1) % stride
    }

    /// Calls `visit` with the places of an element of the input, of the weight and of the output,
    /// in row-major tensors, for all that meet.
    fn for_each(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let [x, w, y] = self.shapes();
        let at = |shape: [usize; 4], index: [usize; 4]| {
            (0..4).fold(0, |place, axis| place * shape[axis] + index[axis])
        };
        let source = |axis: usize, i: usize, k: usize| {
            let [input, _, stride, padding, dilation] = self.axes[axis];
            (i * stride + k * dilation)
                .checked_sub(padding)
                .filter(|&place| place < input)
        };
        for n in 0..self.batch {
            for o in 0..y[1] {
                let group = o / self.outputs;
                for (i, j) in (0..y[2]).flat_map(|i| (0..y[3]).map(move |j| (i, j))) {
                    for c in 0..self.inputs {
                        for (u, v) in (0..w[2]).flat_map(|u| (0..w[3]).map(move |v| (u, v))) {
                            if let (Some(h), Some(l)) = (source(0, i, u), source(1, j, v)) {
                                visit(
                                    at(x, [n, group * self.inputs + c, h, l]),
                                    at(w, [o, c, u, v]),
                                    at(y, [n, o, i, j]),
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The same elements in memory of another order.
fn laid_out<T: Float>(x: &Tensor<T>, layout: usize) -> Tensor<T> {
    let reordered = |order: [isize; 4], back: [isize; 4]| {
        let copy = x.permute(order).unwrap().to_vec().unwrap();
        let shape = x.permute(order).unwrap().shape().to_vec();
        Tensor::from_vec(copy, shape)
            .unwrap()
            .permute(back)
            .unwrap()
    };
    match layout {
        0 => reordered([3, 1, 0, 2], [2, 1, 3, 0]),
        1 => reordered([0, 2, 3, 1], [0, 3, 1, 2]),
        2 => {
            let copy = x.flip([1, 3]).unwrap().contiguous().unwrap();
            copy.flip([1, 3]).unwrap()
        }
        3 => {
            let wide = x
                .pad([(1, 0), (0, 2), (1, 1), (2, 1)], T::from_f64(7.0))
                .unwrap();
            let [n, c, h, w] = *x.shape() else {
                panic!("four axes")
            };
            let view = wide.narrow(0, 1, n).unwrap().narrow(1, 0, c).unwrap();
            view.narrow(2, 1, h).unwrap().narrow(3, 2, w).unwrap()
        }
        _ => x.clone(),
    }
}

/// All three passes of a case against the plain loops.
fn check<T: Float>(case: &Case) -> std::result::Result<(), TestCaseError> {
    let [x_shape, w_shape, y_shape] = case.shapes();
    let [x, w, g] =
        [(x_shape, 1), (w_shape, 2), (y_shape, 3)].map(|(shape, seed)| integers::<T>(&shape, seed));
    let bias = integers::<T>(&[y_shape[1]], 4);
    let (xs, ws, gs, b) = (numbers(&x), numbers(&w), numbers(&g), numbers(&bias));
    let plane = y_shape[2] * y_shape[3];
    let mut y: Vec<f64> = (0..gs.len()).map(|i| b[i / plane % y_shape[1]]).collect();
    let (mut dx, mut dw) = (vec![0.0; xs.len()], vec![0.0; ws.len()]);
    case.for_each(|i, k, o| {
        y[o] += xs[i] * ws[k];
        dx[i] += gs[o] * ws[k];
        dw[k] += gs[o] * xs[i];
    });
    let settings = case.settings();
    let [x, w, g] = [&x, &w, &g].map(|operand| laid_out(operand, case.layout));
    let found = x.conv2d(&w, Some(&bias), &settings).unwrap();
    prop_assert_eq!(found.shape(), &y_shape[..]);
    prop_assert_eq!(numbers(&found), &y[..], "output");
    let found = g.conv_input_gradient(&w, &x_shape[2..], &settings).unwrap();
    prop_assert_eq!(found.shape(), &x_shape[..]);
    prop_assert_eq!(numbers(&found), &dx[..], "gradient to the input");
    let added = [0, 1].map(|axis| case.output_padding(axis));
    let found = g.conv_transpose2d(&w, None, &settings, added).unwrap();
    prop_assert_eq!(found.shape(), &x_shape[..]);
    prop_assert_eq!(numbers(&found), &dx[..], "transposed");
    if case.axes[0] == NOTHING {
        let [_, _, stride, padding, dilation] = case.axes[1];
        let settings = Convolution::new().stride(stride).padding(padding);
        let settings = settings.dilation(dilation).groups(case.groups);
        let [x, w, g] = [&x, &w, &g].map(|operand| operand.squeeze(2).unwrap());
        let found = x.conv1d(&w, Some(&bias), &settings).unwrap();
        prop_assert_eq!(numbers(&found), &y[..], "output of one axis");
        let found = g.conv_transpose1d(&w, None, &settings, added[1]).unwrap();
        prop_assert_eq!(numbers(&found), dx, "transposed of one axis");
    }
    let found = g
        .conv_weight_gradient(&x, &w_shape[2..], &settings)
        .unwrap();
    prop_assert_eq!(found.shape(), &w_shape[..]);
    prop_assert_eq!(numbers(&found), dw, "gradient to the weight");
    Ok(())
}

proptest! {
    #[test]
    fn convolution_and_its_gradients_are_their_definitions(case in cases(9)) {
        check::<f32>(&case)?;
        check::<f64>(&case)?;
    }

    #[test]
    fn one_axis_is_no_exception(mut case in cases(40)) {
        case.axes[0] = NOTHING;
        check::<f32>(&case)?;
        check::<f64>(&case)?;
    }

    #[test]
    fn images_of_more_than_a_register_are_no_exception(case in cases(40)) {
        check::<f32>(&case)?;
    }

    #[test]
    fn what_is_not_finite_reaches_what_it_meets_and_nothing_else(
        case in cases(9),
        (place, value) in (any::<usize>(), prop::sample::select(vec![f64::NAN, f64::INFINITY])),
    ) {
        let [x_shape, w_shape, y_shape] = case.shapes();
        let mut x = integers::<f32>(&x_shape, 1);
        prop_assume!(!x.is_empty());
        let place = place % x.count();
        x.make_mut().unwrap()[place] = value as f32;
        // No zero, which would make NaN of an infinity.
        let w: Tensor = Tensor::full(w_shape, 2.0).unwrap();
        let g: Tensor = Tensor::full(y_shape, 3.0).unwrap();
        let (mut y, mut dw) = (vec![false; g.count()], vec![false; w.count()]);
        case.for_each(|i, k, o| {
            if i == place {
                y[o] = true;
                dw[k] = true;
            }
        });
        let met = |found: Tensor| -> Vec<bool> {
            found.to_vec().unwrap().iter().map(|x| !x.is_finite()).collect()
        };
        let settings = case.settings();
        prop_assert_eq!(met(x.conv2d(&w, None, &settings).unwrap()), y);
        let found = g.conv_weight_gradient(&x, &w_shape[2..], &settings).unwrap();
        prop_assert_eq!(met(found), dw);
    }
}

#[test]
fn large_images_are_cut_into_bands_that_fit_together() {
    for (channels, height, width, stride, padding) in
        [(40, 70, 61, 1, 1), (24, 90, 75, 2, 2), (300, 20, 33, 3, 1)]
    {
        let case = Case {
            batch: 2,
            groups: 1,
            inputs: channels,
            outputs: 3,
            axes: [
                [height, 3, stride, padding, 1],
                [width, 2, stride, padding, 2],
            ],
            layout: 4,
        };
        check::<f32>(&case).unwrap();
    }
}

#[test]
fn a_kernel_may_reach_further_than_a_register() {
    for (padding, dilation) in [(0, 90), (90, 90), (100, 70)] {
        let case = Case {
            batch: 1,
            groups: 1,
            inputs: 2,
            outputs: 3,
            axes: [[5, 2, 1, 1, 1], [200, 2, 1, padding, dilation]],
            layout: 4,
        };
        check::<f32>(&case).unwrap();
    }
}
