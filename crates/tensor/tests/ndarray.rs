//! Arrays of the `ndarray` package, there and back.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Case, cases, with_specials};
use macula_tensor::{Element, Slice, Tensor};
use ndarray::{Array, ArrayD, Axis, IxDyn, array};
use proptest::prelude::*;

/// The array with the elements of a tensor, made one by one.
fn naive<T: Element>(x: &Tensor<T>) -> ArrayD<T> {
    Array::from_shape_vec(IxDyn(x.shape()), x.to_vec().unwrap()).unwrap()
}

fn there_and_back<T: Element>(case: &Case, element: impl Fn(u64) -> T, reversed: bool) {
    let mut x = case.tensor(element);
    if reversed && x.rank() > 0 {
        x = x.slice(-1, Slice::from(..).step(-1)).unwrap();
    }
    // As text, because NaN equals nothing.
    let text = |array: &dyn std::fmt::Debug| format!("{array:?}");
    let expected = text(&x.to_vec().unwrap());
    let array = x.as_ndarray().unwrap();
    assert_eq!(array.shape(), x.shape());
    assert_eq!(text(&array.iter().collect::<Vec<_>>()), expected);
    let owned = x.clone().into_ndarray().unwrap();
    assert_eq!(owned.shape(), x.shape());
    assert_eq!(text(&owned.iter().collect::<Vec<_>>()), expected);
    for back in [
        Tensor::from(&array),
        Tensor::from(&naive(&x)),
        Tensor::from(owned),
    ] {
        assert_eq!(back.shape(), x.shape());
        assert_eq!(text(&back.to_vec().unwrap()), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_view_goes_there_and_back(case in cases(5), reversed: bool) {
        there_and_back(&case, with_specials::<f32>, reversed);
        there_and_back(&case, with_specials::<f64>, reversed);
        there_and_back(&case, |random| random as i64, reversed);
        there_and_back(&case, |random| random % 2 == 0, reversed);
    }
}

#[test]
fn an_array_that_owns_its_elements_is_taken_over_in_any_layout() {
    let array = Array::from_shape_fn((30, 40), |(i, j)| (i * 40 + j) as i64);
    let address = array.as_ptr();
    let x = Tensor::from(array.reversed_axes());
    assert_eq!(x.shape(), [40, 30]);
    assert_eq!(x.strides()[..], [1, 40]);
    let back = x.into_ndarray().unwrap();
    assert_eq!((back.as_ptr(), back[[1, 2]]), (address, 81));

    // The macro `s!` would ask for unsafe code in this crate.
    let mut sliced = back;
    sliced.slice_axis_inplace(Axis(0), ndarray::Slice::new(3, None, -2));
    sliced.slice_axis_inplace(Axis(1), (1..5).into());
    let expected: Vec<i64> = sliced.iter().copied().collect();
    let x = Tensor::from(sliced);
    assert_eq!(x.strides()[..], [-2, 40]);
    assert_eq!(x.to_vec().unwrap(), expected);
}

#[test]
fn a_tensor_alone_gives_its_elements_away_and_a_shared_one_copies() {
    let x = Tensor::from_vec((0..1000).collect::<Vec<i64>>(), [10, 5, 20]);
    let x = x.and_then(|x| x.permute([2, 0, 1])).unwrap();
    let address = x.as_ndarray().unwrap().as_ptr();
    let shared = x.clone();
    assert_ne!(shared.into_ndarray().unwrap().as_ptr(), address);
    let array = x.into_ndarray().unwrap();
    assert_eq!((array.as_ptr(), array.shape()), (address, &[20, 10, 5][..]));
    assert_eq!(array[[3, 2, 1]], 223);
}

#[test]
fn a_view_is_borrowed_where_ndarray_has_one() {
    let x = Tensor::from([[1, 2, 3], [4, 5, 6]]);
    let rows = x.narrow(1, 1, 2).unwrap();
    let view = rows.as_ndarray().unwrap();
    assert!(view.is_view());
    assert_eq!(view, array![[2, 3], [5, 6]].into_dyn());
    let views = [
        (true, Tensor::from([1, 2]).expand([3, 2]).unwrap()),
        (true, x.unfold(1, 2, 1).unwrap()),
        (false, x.flip([0]).unwrap()),
    ];
    for (borrowed, x) in views {
        let array = x.as_ndarray().unwrap();
        assert_eq!((array.is_view(), &array), (borrowed, &naive(&x).into()));
    }
}

#[test]
fn arrays_without_elements_or_axes_keep_their_shape() {
    let empty = Array::<f32, _>::zeros((2, 0, 3));
    assert_eq!(Tensor::from(empty.clone()).shape(), [2, 0, 3]);
    let mut cut = Array::<f32, _>::zeros((2, 4));
    cut.slice_axis_inplace(Axis(0), (2..).into());
    let x = Tensor::from(cut);
    assert_eq!((x.shape(), x.to_vec().unwrap().len()), (&[0, 4][..], 0));
    assert_eq!(Tensor::from(ndarray::arr0(5_i64)).item(), Ok(5));
    let scalar = Tensor::scalar(5_i64).into_ndarray().unwrap();
    assert_eq!((scalar.ndim(), scalar.first()), (0, Some(&5)));
}
