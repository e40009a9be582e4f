//! What does not fit is told.

use super::*;

#[test]
fn shapes_that_do_not_fit_are_told() {
    let zeros = |shape: &[usize]| Tensor::<f32>::zeros(shape).unwrap();
    let (x, w) = (zeros(&[2, 6, 5, 4]), zeros(&[4, 6, 3, 3]));
    let told = |result: Result<Tensor>| result.map(drop).unwrap_err().to_string();
    let plain = Convolution::new();
    let conv = |x: &Tensor, w: &Tensor, settings: &Convolution| told(x.conv2d(w, None, settings));
    assert_eq!(
        conv(&zeros(&[6, 5, 4]), &w, &plain),
        "conv2d: expected an input of shape [N, C, H, W], found shape [6, 5, 4]"
    );
    assert_eq!(
        conv(&x, &zeros(&[4, 5, 3, 3]), &plain),
        "conv2d: expected a weight with 6 on axis 1, the input channels of each of 1 groups of the \
         input [2, 6, 5, 4], found shape [4, 5, 3, 3]"
    );
    assert_eq!(
        conv(&x, &w, &plain.clone().groups(4)),
        "conv2d: groups must be a divisor of the 6 input channels and of the 4 output channels, \
         found 4"
    );
    assert_eq!(
        conv(&x, &w, &plain.clone().stride([1, 0])),
        "conv2d: stride must be at least 1, found 0"
    );
    assert_eq!(
        conv(&x, &w, &plain.clone().padding([1, 1, 1])),
        "conv2d: padding must be one number, or one for each of the 2 spatial axes, found [1, 1, 1]"
    );
    assert_eq!(
        conv(&x, &w, &plain.clone().dilation(2)),
        "conv2d: expected a weight that covers from 1 to all elements of axis 3 of the input \
         [2, 6, 5, 4] with padding 0, dilation 2, found shape [4, 6, 3, 3]"
    );
    assert_eq!(
        told(x.conv2d(&w, Some(&zeros(&[6])), &plain)),
        "conv2d: expected a bias of shape [4], found shape [6]"
    );
    assert_eq!(
        told(x.conv_input_gradient(&w, [5, 4], &plain)),
        "conv_input_gradient: expected an upstream gradient of shape [2, 4, 3, 2], that of the \
         output, found shape [2, 6, 5, 4]"
    );
    let transpose = |x: &Tensor, w: &Tensor, settings: &Convolution| {
        told(x.conv_transpose2d(w, None, settings, 0))
    };
    let v = zeros(&[6, 4, 3, 3]);
    assert_eq!(
        transpose(&x, &zeros(&[6, 4, 3]), &plain),
        "conv_transpose2d: expected a weight of shape [C, O / groups, H, W], found shape [6, 4, 3]"
    );
    assert_eq!(
        transpose(&x, &w, &plain),
        "conv_transpose2d: expected a weight with the 6 input channels on axis 0, found shape \
         [4, 6, 3, 3]"
    );
    assert_eq!(
        transpose(&x, &v, &plain.clone().groups(4)),
        "conv_transpose2d: groups must be a divisor of the 6 input channels, found 4"
    );
    assert_eq!(
        transpose(&x, &zeros(&[6, 4, 0, 3]), &plain),
        "conv_transpose2d: expected a weight with at least one element along each spatial axis, \
         found shape [6, 4, 0, 3]"
    );
    assert_eq!(
        transpose(&x, &v, &plain.clone().padding(4)),
        "conv_transpose2d: expected an input whose axis 2 becomes at least as long as the padding \
         that is taken off, found shape [2, 6, 5, 4]"
    );
    assert_eq!(
        told(x.conv_transpose2d(&v, Some(&zeros(&[6])), &plain, 0)),
        "conv_transpose2d: expected a bias of shape [4], found shape [6]"
    );
    for settings in [
        plain.clone().groups(0),
        plain.clone().padding(usize::MAX / 2),
        plain.clone().padding(usize::MAX),
        plain.clone().dilation(usize::MAX / 2),
    ] {
        assert!(x.conv2d(&w, None, &settings).is_err());
        assert!(x.conv_input_gradient(&w, [5, 4], &settings).is_err());
        assert!(x.conv_weight_gradient(&x, [3, 3], &settings).is_err());
        assert!(x.conv_transpose2d(&v, None, &settings, 0).is_err());
    }
    assert!(conv(&x, &zeros(&[4, 6, 0, 3]), &plain).contains("covers from 1"));
    assert!(
        x.conv_transpose2d(&zeros(&[6, 4, 3, 3]), None, &plain, 1)
            .is_err()
    );
}
