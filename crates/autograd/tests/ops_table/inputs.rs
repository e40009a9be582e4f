//! Inputs to try operations on: in order, strided, repeated, empty and single numbers.

use macula_tensor::Tensor;

/// What an operation is tried on: one list of inputs for each time.
pub(super) type Cases = Vec<Vec<Tensor<f64>>>;

/// Different numbers between two bounds, none near another, in any shape.
pub(super) fn spread(shape: &[usize], low: f64, high: f64, seed: usize) -> Tensor<f64> {
    // Multiples of the golden ratio, modulo 1, keep away from each other.
    let place = |k: usize| ((k + 7 * seed) as f64 * 0.618_033_988_75 + 0.31).fract();
    let count = shape.iter().product();
    let elements = (0..count).map(|k| low + (high - low) * place(k));
    Tensor::from_vec(elements.collect(), shape).unwrap()
}

/// The same kind of numbers with the axes of memory reversed, or every other one of a vector.
pub(super) fn strided(shape: &[usize], low: f64, high: f64, seed: usize) -> Tensor<f64> {
    if let &[length] = shape {
        let columns = spread(&[length, 2], low, high, seed);
        return columns.narrow(1, 0, 1).unwrap().squeeze(1).unwrap();
    }
    let reversed: Vec<usize> = shape.iter().rev().copied().collect();
    let axes: Vec<isize> = (0..shape.len() as isize).rev().collect();
    spread(&reversed, low, high, seed).permute(axes).unwrap()
}

/// A tensor of a shape: in order, strided, with repeated rows, and without elements. Those of a row
/// differ, and so do rows that are not repeated.
pub(super) fn every_layout(shape: &[usize]) -> Cases {
    let empty = [&[0], &shape[1..]].concat();
    vec![
        vec![spread(shape, -2.0, 2.0, 0)],
        vec![strided(shape, -2.0, 2.0, 0)],
        vec![repeated(shape, -2.0, 2.0, 0)],
        vec![spread(&empty, -2.0, 2.0, 0)],
    ]
}

/// A matrix of every kind.
pub(super) fn matrix() -> Cases {
    every_layout(&[2, 3])
}

/// A tensor of three axes, of every kind.
pub(super) fn cube() -> Cases {
    every_layout(&[2, 3, 2])
}

/// A single number.
pub(super) fn number() -> Cases {
    vec![vec![spread(&[], 0.5, 1.0, 0)]]
}

/// One tensor of every kind with elements between two bounds.
pub(super) fn unary(low: f64, high: f64) -> Cases {
    vec![
        vec![spread(&[2, 3], low, high, 0)],
        vec![strided(&[2, 3], low, high, 0)],
        vec![repeated(&[2, 3], low, high, 0)],
        vec![spread(&[0, 3], low, high, 0)],
        vec![spread(&[], low, high, 0)],
    ]
}

/// Two tensors of every kind that broadcast.
pub(super) fn binary(low: f64, high: f64) -> Cases {
    let of = |shapes: [&[usize]; 2]| {
        vec![
            spread(shapes[0], low, high, 0),
            spread(shapes[1], low, high, 1),
        ]
    };
    vec![
        of([&[2, 3], &[2, 3]]),
        of([&[2, 1], &[3]]),
        of([&[], &[2, 3]]),
        of([&[0, 3], &[3]]),
        of([&[], &[]]),
        vec![strided(&[2, 3], low, high, 0), strided(&[3], low, high, 1)],
        vec![
            strided(&[2, 3], low, high, 0),
            repeated(&[2, 3], low, high, 1),
        ],
    ]
}

/// The same kind of numbers, which repeat along the first axis without being stored again.
pub(super) fn repeated(shape: &[usize], low: f64, high: f64, seed: usize) -> Tensor<f64> {
    let own = spread(shape.get(1..).unwrap_or_default(), low, high, seed);
    own.expand(shape).unwrap()
}

/// Inputs of these shapes: in order, strided and with repeated elements.
pub(super) fn laid_out(shapes: &[&[usize]]) -> Cases {
    let makers = [spread, strided, repeated];
    let cases = makers.map(|make| {
        let inputs = (0..).zip(shapes);
        let inputs = inputs.map(|(seed, shape)| make(shape, -1.0, 1.0, seed));
        inputs.collect()
    });
    cases.into()
}

/// Two inputs of each of these pairs of shapes, laid out in every way.
pub(super) fn pairs(shapes: &[[&[usize]; 2]]) -> Cases {
    shapes.iter().flat_map(|shapes| laid_out(shapes)).collect()
}

/// Two factors of each of these pairs of shapes, without and with a bias of `channels` elements.
pub(super) fn with_and_without_bias(channels: usize, shapes: &[[&[usize]; 2]]) -> Cases {
    let bias = [channels];
    let both = |&[input, weight]: &[&[usize]; 2]| {
        [
            laid_out(&[input, weight]),
            laid_out(&[input, weight, &bias]),
        ]
        .concat()
    };
    shapes.iter().flat_map(both).collect()
}
