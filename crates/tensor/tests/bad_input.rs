//! Wrong shapes, axes, indices and sizes: an error each, never a panic, that names the operation,
//! what it expects and what it found.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use macula_tensor::ops::pointwise::Square;
use macula_tensor::{Norm, Pooling, Result, Rng, Slice, Tensor, keep};

fn x() -> Tensor<f32> {
    Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
}

fn k() -> Tensor<i64> {
    Tensor::from([[1, 2, 3], [4, 5, 6]])
}

/// One element, seen very often.
fn h() -> Tensor<f32> {
    Tensor::scalar(1.0).expand([1 << 29, 1 << 30]).unwrap()
}

/// A column and a row of one element, so long that a sum of the two cannot be counted.
fn tall() -> Tensor<f32> {
    Tensor::scalar(1.0).expand([1 << 40, 1]).unwrap()
}

fn wide() -> Tensor<f32> {
    tall().transpose(0, 1).unwrap()
}

fn rng() -> Rng {
    Rng::seed(1)
}

fn zeros(sizes: [usize; 2]) -> Tensor<f32> {
    Tensor::zeros(sizes).unwrap()
}

fn said<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "no error".into(),
        Err(error) => error.to_string(),
    }
}

macro_rules! mistakes {
    ($($mistake:expr => $message:literal;)*) => {$(
        assert_eq!(said($mistake), $message, "{}", stringify!($mistake));
    )*};
}

#[test]
#[rustfmt::skip]
fn mistakes_are_told_with_operation_rule_and_what_was_found() {
    mistakes! {
        Tensor::<f32>::zeros([1_usize << 61]) => "zeros: shape [2305843009213693952] has more elements than memory can address";
        Tensor::<f64>::zeros([usize::MAX, 0]) => "zeros: shape [18446744073709551615, 0] has more elements than memory can address";
        Tensor::<f64>::eye(1 << 30) => "eye: shape [1073741824, 1073741824] has more elements than memory can address";
        Tensor::<i64>::arange(0, i64::MAX, 1) => "arange: shape [9223372036854775807] has more elements than memory can address";
        Tensor::<f32>::arange(0.0, 1e19, 1.0) => "arange: shape [10000000000000000000] has more elements than memory can address";
        Tensor::<f32>::linspace(0.0, 1.0, 1 << 62) => "linspace: shape [4611686018427387904] has more elements than memory can address";
        Tensor::<f32>::uniform([1_usize << 62], 0.0, 1.0, &mut rng()) => "uniform: shape [4611686018427387904] has more elements than memory can address";
        Tensor::<i64>::integers([2], 3, 3, &mut rng()) => "integers: low must be below high, 3, found 3";
        Tensor::<bool>::bernoulli([2], 1.5, &mut rng()) => "bernoulli: probability must be in [0, 1], found 1.5";
        h().repeat([2, 2]) => "repeat: shape [1073741824, 2147483648] has more elements than memory can address";
        Tensor::concatenate(&[&h(), &h()], 0) => "concatenate: shape [1073741824, 1073741824] has more elements than memory can address";
        Tensor::stack(&[&h(), &h()], 0) => "stack: shape [2, 536870912, 1073741824] has more elements than memory can address";
        h().pad([(1 << 60, 1), (1, 1)], 0.0) => "pad: shape [1152921505143717889, 1073741826] has more elements than memory can address";
        h().expand([4, 1 << 29, 1 << 30]) => "expand: shape [4, 536870912, 1073741824] has more elements than memory can address";
        h().unfold(0, 1 << 28, 1) => "unfold: shape [268435457, 1073741824, 268435456] has more elements than memory can address";
        zeros([1 << 40, 0]).matmul(&zeros([0, 1 << 40])) => "matmul: shape [1099511627776, 1099511627776] has more elements than memory can address";
        h().unsqueeze(3) => "unsqueeze: axis 3 is out of range for rank 3";
        x().expand([2, 4]) => "expand: expected a shape that broadcasts to [2, 4], found shape [2, 3]";
        x().unfold(0, 3, 1) => "unfold: size must be at most 2, the size of axis 0, found 3";
        x().unfold(0, 1, 0) => "unfold: step must be at least 1, found 0";
        x().transpose(0, 2) => "transpose: axis 2 is out of range for rank 2";
        x().transpose(isize::MIN, 0) => "transpose: axis -9223372036854775808 is out of range for rank 2";
        x().permute([0, isize::MAX]) => "permute: axis 9223372036854775807 is out of range for rank 2";
        x().squeeze(0) => "squeeze: expected size 1 on axis 0, found shape [2, 3]";
        x().squeeze(5) => "squeeze: axis 5 is out of range for rank 2";
        x().narrow(0, usize::MAX, 2) => "narrow: range must be inside axis 0 of size 2, found 2 elements from 18446744073709551615 on";
        x().narrow(0, 1, 2) => "narrow: range must be inside axis 0 of size 2, found 2 elements from 1 on";
        x().slice(0, Slice::from(..).step(0)) => "slice: step must be a number other than 0, found 0";
        x().slice(isize::MIN, ..) => "slice: axis -9223372036854775808 is out of range for rank 2";
        x().flip([2]) => "flip: axis 2 is out of range for rank 2";
        x().flip([0, 0]) => "flip: axes must be named once each, found axis 0 twice";
        Tensor::from([1.0_f32]).diag(isize::MIN) => "diag: shape [9223372036854775809, 9223372036854775809] has more elements than memory can address";
        Tensor::from([1.0_f32]).diag(isize::MAX) => "diag: shape [9223372036854775808, 9223372036854775808] has more elements than memory can address";
        x().split(0, [3]) => "split: sizes must be numbers that add up to 2, the size of axis 0, found [3]";
        x().chunk(0, 0) => "chunk: count must be at least 1, found 0";
        Tensor::scalar(1.0_f32).expand([1 << 50]).unwrap().chunk(0, 1 << 50) => "chunk: pieces must be as few as memory has room for, found 1125899906842624";
        x().index_select(0, &Tensor::from([2])) => "index_select: index 2 is out of range for axis 0 of size 2";
        x().gather(0, &Tensor::from([[-1]])) => "gather: index -1 is out of range for axis 0 of size 2";
        x().gather(0, &Tensor::from([0])) => "gather: expected index sizes of at most [2, 3] along every axis but 0, found shape [1]";
        x().scatter_add(0, &Tensor::from([[0]]), &Tensor::from([1.0])) => "scatter_add: expected index sizes of at most [1] along every axis, found shape [1, 1]";
        x().masked_select(&Tensor::from([true, false])) => "masked_select: shapes [2, 3] and [2] do not broadcast: aligned at the last axis, sizes must be equal or 1";
        x().masked_fill(&Tensor::from([true, false]), 1.0) => "masked_fill: shapes [2] and [2, 3] do not broadcast: aligned at the last axis, sizes must be equal or 1";
        Tensor::select(&Tensor::from([true, false]), &x(), &x()) => "select: shapes [2] and [2, 3] do not broadcast: aligned at the last axis, sizes must be equal or 1";
        k().one_hot::<f32>(3) => "one_hot: index 3 is out of range for axis 2 of size 3";
        k().one_hot::<f32>(usize::MAX) => "one_hot: shape [2, 3, 18446744073709551615] has more elements than memory can address";
        Tensor::from([0]).one_hot::<f32>(usize::MAX) => "one_hot: shape [1, 18446744073709551615] has more elements than memory can address";
        Tensor::from([0]).bincount(1 << 62) => "bincount: shape [4611686018427387904] has more elements than memory can address";
        Tensor::from([1.0_f32]).tril(0) => "tril: expected at least two axes, found shape [1]";
        x().roll(1, 2) => "roll: axis 2 is out of range for rank 2";
        x().repeat([2]) => "repeat: repeats must be at least 2, one for each axis, found [2]";
        x().repeat([usize::MAX, 2]) => "repeat: shape [18446744073709551615, 6] has more elements than memory can address";
        x().pad([(1, 1)], 0.0) => "pad: margins must be one pair for each of the 2 axes, found [(1, 1)]";
        x().add(&Tensor::from([1.0, 2.0])) => "add: shapes [2, 3] and [2] do not broadcast: aligned at the last axis, sizes must be equal or 1";
        tall().add(&wide()) => "add: shape [1099511627776, 1099511627776] has more elements than memory can address";
        tall().gt(&wide()) => "gt: shape [1099511627776, 1099511627776] has more elements than memory can address";
        tall().masked_fill(&Tensor::scalar(true).expand([1, 1 << 40]).unwrap(), 1.0) => "masked_fill: shape [1099511627776, 1099511627776] has more elements than memory can address";
        tall().masked_select(&Tensor::scalar(true).expand([1, 1 << 40]).unwrap()) => "masked_select: shape [1099511627776, 1099511627776] has more elements than memory can address";
        tall().squeeze(1).unwrap().outer(&tall().squeeze(1).unwrap()) => "outer: shape [1099511627776, 1099511627776] has more elements than memory can address";
        x().add_assign(&zeros([4, 3])) => "add_assign: expected a shape that broadcasts to [2, 3], found shape [4, 3]";
        Tensor::<f64>::uniform([2], -1e308, 1e308, &mut rng()) => "uniform: bounds must be finite with low < high in f64, found low -1e308, high 1e308";
        Tensor::<f32>::normal([2], 0.0, -1.0, &mut rng()) => "normal: mean and standard deviation must be finite, the latter at least 0, and the values within f32, found mean 0, standard deviation -1";
        Tensor::<f32>::arange(0.0, 1e300, 1e299) => "arange: start, end, step must be finite, the first two in f32, and step not 0, found 0.0, 1e300, 1e299";
        Tensor::<f32>::linspace(-1e300, 0.0, 3) => "linspace: start, end must be finite in f32 and at a finite distance, found -1e300, 0.0";
        Tensor::<f64>::linspace(-1e308, 1e308, 3) => "linspace: start, end must be finite in f64 and at a finite distance, found -1e308, 1e308";
        x().permute([0, 0]) => "permute: axes must be all 2 axes, named once each, found [0, 0]";
        x().reshape([4, 2]) => "reshape: expected 8 elements for shape [4, 2], found shape [2, 3]";
        Tensor::<f32>::stack(&[], 0) => "stack: tensors must be one or more, found none";
        x().clamp(2.0, 1.0) => "clamp: low must be at most high, 1, found 2";
        x().clamp(f64::NAN, 1.0) => "clamp: low must be at most high, 1, found NaN";
        x().sum([0, 0]) => "sum: axes must be named once each, found axis 0 twice";
        x().sum(2) => "sum: axis 2 is out of range for rank 2";
        x().mean(keep([0, -2])) => "mean: axes must be named once each, found axis 0 twice";
        x().amax(-3) => "amax: axis -3 is out of range for rank 2";
        x().argmax([0, 1]) => "argmax: axes must be one axis, or all (..), found 2 axes";
        x().softmax(-3) => "softmax: axis -3 is out of range for rank 2";
        x().cumprod(2) => "cumprod: axis 2 is out of range for rank 2";
        x().sum_to([4, 3]) => "sum_to: expected a shape that [4, 3] broadcasts to, found shape [2, 3]";
        x().std(5, 1) => "std: axis 5 is out of range for rank 2";
        x().split_every(2, 1).map(|pieces| pieces[0].clone()) => "split_every: axis 2 is out of range for rank 2";
        x().split_every(0, 0).map(|pieces| pieces[0].clone()) => "split_every: size must be at least 1, found 0";
        x().repeat_interleave(2, -3) => "repeat_interleave: axis -3 is out of range for rank 2";
        x().remainder(&Tensor::from([1.0, 2.0])) => "remainder: shapes [2, 3] and [2] do not broadcast: aligned at the last axis, sizes must be equal or 1";
        x().map_amax(Square, 2) => "square: axis 2 is out of range for rank 2";
        x().cummin(2) => "cummin: axis 2 is out of range for rank 2";
        x().norm(Norm::L1, 2) => "norm: axis 2 is out of range for rank 2";
        x().argsort(2, false) => "argsort: axis 2 is out of range for rank 2";
        x().add_assign(&Tensor::from([1.0, 2.0])) => "add_assign: expected a shape that broadcasts to [2, 3], found shape [2]";
        zeros([2, 3]).max_pool1d(&Pooling::new(1).padding(usize::MAX)) => "max_pool1d: padding must be at most 2305843009213693951, found 18446744073709551615";
        x().sort(2, false) => "sort: axis 2 is out of range for rank 2";
        x().topk(4, 1, true) => "topk: k must be at most 3, by the size of axis 1, found 4";
        x().topk(usize::MAX, 1, true) => "topk: k must be at most 3, by the size of axis 1, found 18446744073709551615";
        x().kthvalue(0, 1) => "kthvalue: k must be from 1 to 3, by the size of axis 1, found 0";
        x().median(4) => "median: axis 4 is out of range for rank 2";
        x().searchsorted(&x(), false) => "searchsorted: expected a sorted vector, found shape [2, 3]";
        x().matmul(&x()) => "matmul: inner sizes differ: [2, 3] × [2, 3]";
        Tensor::scalar(1.0_f32).matmul(&x()) => "matmul: expected at least one axis, found shape []";
        x().linear(&zeros([4, 2]), None) => "linear: expected an input of 2 elements along its last axis, for the weight [4, 2], found shape [2, 3]";
        Tensor::scalar(1.0_f32).linear(&x(), None) => "linear: expected an input of 3 elements along its last axis, for the weight [2, 3], found shape []";
        x().linear(&x(), Some(&Tensor::from([1.0]))) => "linear: expected a bias of shape [2], found shape [1]";
        x().item() => "item: expected a tensor of one element, found shape [2, 3]";
        x().recurrence(&Tensor::from([1.0_f32]), 0) => "recurrence: expected factors of shape [2, 3], found shape [1]";
        Tensor::from_vec(vec![1.0_f32], [2]) => "from_vec: shape [2] has 2 elements, found 1";
        Tensor::from_slice(&[1.0_f32], [usize::MAX, usize::MAX]) => "from_slice: shape [18446744073709551615, 18446744073709551615] has more elements than memory can address";
        k().floor_divide(&Tensor::from([0])) => "floor_divide: divisors must be other than 0, found 0";
        zeros([0, 3]).amax(0) => "amax: expected at least one element along the reduced axes, found shape [0, 3]";
        zeros([1 << 50, 0]).matmul(&zeros([0, 1 << 50])) => "matmul: shape [1125899906842624, 1125899906842624] has more elements than memory can address";
        x().var(isize::MAX, 1) => "var: axis 9223372036854775807 is out of range for rank 2";
        x().flip([0, -2]) => "flip: axes must be named once each, found axis 0 twice";
    }
}

/// Sizes that can be counted, but whose elements no memory holds.
#[test]
#[rustfmt::skip]
fn tensors_that_memory_has_no_room_for_are_refused_by_name() {
    const MOST: usize = isize::MAX as usize / 8;
    const HALF: usize = 1 << 59;
    let line = || h().flatten().unwrap();
    let times = || Tensor::<i64>::scalar(1).expand([HALF]).unwrap();
    let one = |sizes: [usize; 3]| Tensor::scalar(1.0_f32).expand(sizes).unwrap();
    mistakes! {
        Tensor::<f64>::zeros([MOST]) => "zeros: memory has no room for the elements of shape [1152921504606846975]";
        Tensor::<f32>::zeros([MOST]) => "zeros: memory has no room for the elements of shape [1152921504606846975]";
        Tensor::<i64>::ones([MOST, 1]) => "ones: memory has no room for the elements of shape [1152921504606846975, 1]";
        Tensor::<bool>::full([MOST], true) => "full: memory has no room for the elements of shape [1152921504606846975]";
        h().full_like(1.0) => "full: memory has no room for the elements of shape [536870912, 1073741824]";
        h().zeros_like() => "full: memory has no room for the elements of shape [536870912, 1073741824]";
        Tensor::<f32>::eye(1 << 29) => "eye: memory has no room for the elements of shape [536870912, 536870912]";
        Tensor::from([1.0_f32]).diag(1 << 29) => "diag: memory has no room for the elements of shape [536870913, 536870913]";
        Tensor::<f64>::arange(0.0, 1e18, 1.0) => "arange: memory has no room for the elements of shape [1000000000000000000]";
        Tensor::<i64>::arange(0, HALF as i64, 1) => "arange: memory has no room for the elements of shape [576460752303423488]";
        Tensor::<f32>::linspace(0.0, 1.0, HALF) => "linspace: memory has no room for the elements of shape [576460752303423488]";
        Tensor::<f32>::uniform([HALF], 0.0, 1.0, &mut rng()) => "uniform: memory has no room for the elements of shape [576460752303423488]";
        Tensor::<f64>::normal([HALF], 0.0, 1.0, &mut rng()) => "normal: memory has no room for the elements of shape [576460752303423488]";
        Tensor::<i64>::integers([HALF], 0, 2, &mut rng()) => "integers: memory has no room for the elements of shape [576460752303423488]";
        Tensor::<bool>::bernoulli([HALF], 0.5, &mut rng()) => "bernoulli: memory has no room for the elements of shape [576460752303423488]";
        Tensor::permutation(HALF, &mut rng()) => "permutation: memory has no room for the elements of shape [576460752303423488]";
        Tensor::permutation(usize::MAX, &mut rng()) => "permutation: shape [18446744073709551615] has more elements than memory can address";
        Tensor::<f32>::write([HALF], |_| Ok(())) => "write: memory has no room for the elements of shape [576460752303423488]";
        Tensor::from([0]).one_hot::<f32>(HALF) => "one_hot: memory has no room for the elements of shape [1, 576460752303423488]";
        Tensor::from([0]).bincount(HALF) => "bincount: memory has no room for the elements of shape [576460752303423488]";
        h().contiguous() => "contiguous: memory has no room for the elements of shape [536870912, 1073741824]";
        h().to_vec() => "to_vec: memory has no room for the elements of shape [536870912, 1073741824]";
        h().make_mut() => "make_mut: memory has no room for the elements of shape [536870912, 1073741824]";
        Tensor::from([1.0_f32]).repeat([HALF]) => "repeat: memory has no room for the elements of shape [576460752303423488]";
        h().pad([(1, 0), (0, 0)], 0.0) => "pad: memory has no room for the elements of shape [536870913, 1073741824]";
        h().roll(1, 0) => "roll: memory has no room for the elements of shape [536870912, 1073741824]";
        Tensor::concatenate(&[&h()], 0) => "concatenate: memory has no room for the elements of shape [536870912, 1073741824]";
        Tensor::stack(&[&h()], 0) => "stack: memory has no room for the elements of shape [1, 536870912, 1073741824]";
        h().tril(0) => "tril: memory has no room for the elements of shape [536870912, 1073741824]";
        h().exp() => "exp: memory has no room for the elements of shape [536870912, 1073741824]";
        h().add(&h()) => "add: memory has no room for the elements of shape [536870912, 1073741824]";
        times().add(&times()) => "add: memory has no room for the elements of shape [576460752303423488]";
        h().gt(&h()) => "gt: memory has no room for the elements of shape [536870912, 1073741824]";
        h().cast::<i64>() => "cast: memory has no room for the elements of shape [536870912, 1073741824]";
        h().masked_fill(&h().is_nan().unwrap_or_else(|_| Tensor::scalar(true)), 0.0) => "masked_fill: memory has no room for the elements of shape [536870912, 1073741824]";
        h().masked_select(&Tensor::scalar(true)) => "masked_select: memory has no room for the elements of shape [536870912, 1073741824]";
        line().unsqueeze(1).unwrap().sum(1) => "sum: memory has no room for the elements of shape [576460752303423488]";
        h().softmax(0) => "softmax: memory has no room for the elements of shape [536870912, 1073741824]";
        h().cumsum(0) => "cumsum: memory has no room for the elements of shape [536870912, 1073741824]";
        h().argmax(0) => "argmax: memory has no room for the elements of shape [536870912, 1073741824]";
        line().unsqueeze(1).unwrap().norm(Norm::L2, 1) => "norm: memory has no room for the elements of shape [576460752303423488]";
        line().sort(0, false) => "sort: memory has no room for the elements of shape [576460752303423488]";
        line().unique() => "unique: memory has no room for the elements of shape [576460752303423488]";
        one([1 << 40, 2, 2]).matmul(&one([1 << 40, 2, 2])) => "matmul: memory has no room for the elements of shape [1099511627776, 2, 2]";
        one([1 << 40, 2, 0]).matmul(&one([1 << 40, 0, 1])) => "matmul: memory has no room for the elements of shape [1099511627776, 2, 1]";
        Tensor::from([1.0_f32]).index_select(0, &Tensor::from([0]).expand([HALF]).unwrap().slice(0, Slice::from(..).step(2)).unwrap()) => "index_select: memory has no room for the elements of shape [288230376151711744]";
        h().into_vec() => "into_vec: memory has no room for the elements of shape [536870912, 1073741824]";
        line().narrow(0, 0, 1 << 40).unwrap().outer(&Tensor::from([1.0; 4])) => "outer: memory has no room for the elements of shape [1099511627776, 4]";
        line().unsqueeze(1).unwrap().var(1, 0) => "var: memory has no room for the elements of shape [576460752303423488]";
        line().unsqueeze(1).unwrap().logsumexp(1) => "logsumexp: memory has no room for the elements of shape [576460752303423488]";
        Tensor::<f32>::zeros([1, 1]).unwrap().linear(&one([1 << 50, 1, 1]).squeeze(2).unwrap(), Some(&one([1 << 50, 1, 1]).flatten().unwrap())) => "linear: memory has no room for the elements of shape [1125899906842624]";
        Tensor::from([1.0_f32]).adaptive_max_pool1d(1 << 50) => "adaptive_max_pool1d: memory has no room for the elements of shape [1125899906842624]";
        line().max_pool1d(&Pooling::new(1)) => "max_pool1d: memory has no room for the elements of shape [576460752303423488]";
        zeros([1 << 29, 0]).matmul(&zeros([0, 1 << 30])) => "matmul: memory has no room for the elements of shape [536870912, 1073741824]";
        Tensor::<f32>::zeros([1, 1, 1, 1]).unwrap().upsample_nearest2d([1 << 29, 1 << 30]) => "upsample_nearest2d: memory has no room for the elements of shape [1, 1, 536870912, 1073741824]";
    }
}

#[test]
fn extremes_that_are_no_mistake_give_their_result() {
    assert_eq!(h().flatten().unwrap().shape(), [1 << 59]);
    assert_eq!(x().diagonal(isize::MIN, 0, 1).unwrap().shape(), [0]);
    assert_eq!(x().chunk(0, usize::MAX).unwrap().len(), 2);
    assert_eq!(
        x().triu(isize::MAX).unwrap().sum(..).unwrap().item(),
        Ok(0.0)
    );
    assert_eq!(x().triu(isize::MIN).unwrap().to_vec(), x().to_vec());
    assert_eq!(x().tril(isize::MAX).unwrap().to_vec(), x().to_vec());
    assert_eq!(
        x().tril(isize::MIN).unwrap().sum(..).unwrap().item(),
        Ok(0.0)
    );
    let (none, nowhere) = (zeros([0, 1 << 58]), Tensor::<i64>::zeros([0, 1 << 58]));
    let scattered = x().scatter_add(1, &nowhere.unwrap(), &none).unwrap();
    assert_eq!(scattered.to_vec(), x().to_vec());
    for repeats in [&[5, usize::MAX][..], &[1, 5, usize::MAX], &[0, 1]] {
        let repeated = zeros([3, 0]).repeat(repeats).unwrap();
        assert_eq!(repeated.rank(), repeats.len());
        assert_eq!(repeated.to_vec(), Ok(vec![]));
    }
    let one = |sizes: [usize; 3]| Tensor::scalar(1.0_f32).expand(sizes).unwrap();
    let nothing = one([1 << 40, 0, 2]).matmul(&one([1 << 40, 2, 2])).unwrap();
    assert_eq!(nothing.shape(), [1 << 40, 0, 2]);
    assert_eq!(k().roll(isize::MIN, 0).unwrap().to_vec(), k().to_vec());
    assert!(
        x().var(0, usize::MAX)
            .unwrap()
            .is_nan()
            .unwrap()
            .all(..)
            .unwrap()
            .item()
            .unwrap()
    );
    assert_eq!(
        zeros([0, 3]).matmul(&zeros([3, 0])).unwrap().shape(),
        [0, 0]
    );
}
