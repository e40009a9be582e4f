//! Convolutions: against their definition, in one axis, transposed, at extremes, and refused.

mod definition;
mod mistakes;

use super::*;

/// Small integers, whose products and sums are exact in `f32` too: results are compared bit by bit.
fn integers<T: Float>(shape: &[usize], seed: usize) -> Tensor<T> {
    let count: usize = shape.iter().product();
    let elements = (0..count).map(|i| ((i * 7 + i / 3 + seed * 13) % 11) as f64 - 5.0);
    Tensor::from_vec(elements.map(T::from_f64).collect(), shape).unwrap()
}

fn numbers<T: Float>(x: &Tensor<T>) -> Vec<f64> {
    x.to_vec().unwrap().into_iter().map(T::to_f64).collect()
}

#[test]
fn padding_as_wide_as_the_dilation_takes_no_memory() {
    let (x, w) = (integers::<f32>(&[1, 1, 4], 1), integers(&[1, 1, 3], 2));
    let far = 1 << 40;
    let settings = Convolution::new().padding(far).dilation(far);
    let middle = numbers(&w)[1];
    let y = x.conv1d(&w, None, &settings).unwrap();
    assert_eq!(numbers(&y), numbers(&x.mul_scalar(middle).unwrap()));
    let dx = y.conv_input_gradient(&w, [4], &settings).unwrap();
    assert_eq!(numbers(&dx), numbers(&y.mul_scalar(middle).unwrap()));
    let dw = y.conv_weight_gradient(&x, [3], &settings).unwrap();
    assert_eq!(
        numbers(&dw),
        [
            0.0,
            y.mul(&x).unwrap().sum(..).unwrap().item().unwrap().into(),
            0.0
        ]
    );
    let (bias, one) = (integers(&[1], 3), Convolution::new().padding(5).stride(20));
    let only_padding =
        x.narrow(2, 0, 1)
            .unwrap()
            .conv1d(&w.narrow(2, 0, 1).unwrap(), Some(&bias), &one);
    assert_eq!(numbers(&only_padding.unwrap()), numbers(&bias));
}

#[test]
fn one_axis_is_two_of_which_the_first_has_one_element() {
    let (x, w) = (integers::<f32>(&[2, 3, 17], 1), integers(&[4, 3, 3], 2));
    let tall = |x: &Tensor| x.unsqueeze(2).unwrap();
    let settings = Convolution::new().stride(2).padding(1);
    let planar = Convolution::new().stride([1, 2]).padding([0, 1]);
    let y = x.conv1d(&w, None, &settings).unwrap();
    let expected = tall(&x).conv2d(&tall(&w), None, &planar).unwrap();
    assert_eq!(numbers(&tall(&y)), numbers(&expected));
    let dx = y.conv_input_gradient(&w, [17], &settings).unwrap();
    assert_eq!(dx.shape(), x.shape());
    let dw = y.conv_weight_gradient(&x, [3], &settings).unwrap();
    assert_eq!(dw.shape(), w.shape());
    let back = y.conv_transpose1d(&w, None, &settings, 0).unwrap();
    assert_eq!(numbers(&back), numbers(&dx));
}

#[test]
fn a_transposed_convolution_is_the_gradient_with_a_bias() {
    let (x, w) = (
        integers::<f64>(&[2, 4, 5, 3], 1),
        integers(&[4, 3, 3, 2], 2),
    );
    let bias = integers(&[6], 3);
    let settings = Convolution::new().stride([3, 2]).padding(1).groups(2);
    let y = x
        .conv_transpose2d(&w, Some(&bias), &settings, [2, 1])
        .unwrap();
    assert_eq!(y.shape(), [2, 6, 15, 5]);
    let expected = x.conv_input_gradient(&w, [15, 5], &settings).unwrap();
    let expected = expected.add(&bias.reshape([6, 1, 1]).unwrap()).unwrap();
    assert_eq!(numbers(&y), numbers(&expected));
}

#[test]
fn a_step_that_is_never_taken_may_be_of_any_length() {
    let (x, w) = (
        integers::<f32>(&[1, 1, 5, 5], 1),
        integers(&[1, 1, 1, 1], 2),
    );
    let far = Convolution::new().stride(usize::MAX).dilation(usize::MAX);
    let y = x.conv2d(&w, None, &far).unwrap();
    assert_eq!(y.shape(), [1, 1, 1, 1]);
    let dx = y.conv_input_gradient(&w, [5, 5], &far).unwrap();
    let expected = numbers(&y)[0] * numbers(&w)[0];
    assert_eq!(numbers(&dx)[0], expected);
    assert!(numbers(&dx)[1..].iter().all(|&x| x == 0.0));
}
