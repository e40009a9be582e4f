//! The naive twin of a tensor, and random pairs of both.

use macula_tensor::{Element, Slice, Tensor};
use proptest::prelude::*;

/// Elements in row-major order; every operation on it is its definition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grid<T> {
    pub(crate) sizes: Vec<usize>,
    pub(crate) elements: Vec<T>,
}

impl<T: Clone> Grid<T> {
    /// The grid whose element at each place is `element(place)`.
    pub(crate) fn from_fn(sizes: &[usize], mut element: impl FnMut(&[usize]) -> T) -> Self {
        let count: usize = sizes.iter().product();
        let mut place = vec![0; sizes.len()];
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(element(&place));
            for axis in (0..sizes.len()).rev() {
                place[axis] += 1;
                if place[axis] < sizes[axis] {
                    break;
                }
                place[axis] = 0;
            }
        }
        Self {
            sizes: sizes.to_vec(),
            elements,
        }
    }

    fn number(&self, place: &[usize]) -> usize {
        let steps = place.iter().zip(&self.sizes);
        steps.fold(0, |number, (&k, &size)| number * size + k)
    }

    pub(crate) fn at(&self, place: &[usize]) -> T {
        self.elements[self.number(place)].clone()
    }

    pub(crate) fn at_mut(&mut self, place: &[usize]) -> &mut T {
        let number = self.number(place);
        &mut self.elements[number]
    }

    /// The element that a place of a larger, broadcast grid stands for.
    pub(crate) fn broadcast_at(&self, place: &[usize]) -> T {
        let own = &place[place.len() - self.sizes.len()..];
        let own: Vec<usize> = own
            .iter()
            .zip(&self.sizes)
            .map(|(&k, &size)| if size == 1 { 0 } else { k })
            .collect();
        self.at(&own)
    }

    pub(crate) fn map<U: Clone>(&self, function: impl Fn(T) -> U) -> Grid<U> {
        Grid {
            sizes: self.sizes.clone(),
            elements: self.elements.iter().cloned().map(function).collect(),
        }
    }
}

/// What a tensor holds, read one element at a time, through strides and all.
pub(crate) fn grid_of<T: Element>(tensor: &Tensor<T>) -> Grid<T> {
    Grid::from_fn(tensor.shape(), |place| {
        let mut view = tensor.clone();
        for &k in place {
            view = view.narrow(0, k, 1).unwrap().squeeze(0).unwrap();
        }
        view.item().unwrap()
    })
}

/// `place` with another coordinate along one axis.
pub(crate) fn with(place: &[usize], axis: usize, k: usize) -> Vec<usize> {
    let mut place = place.to_vec();
    place[axis] = k;
    place
}

/// A random tensor with its twin: rank 0 to 4, some sizes 0 or 1, seen through up to three views.
pub(crate) fn pair<T: Element>(
    element: impl Fn(usize) -> T + Clone + 'static,
) -> impl Strategy<Value = (Tensor<T>, Grid<T>)> {
    let size = prop_oneof![1 => Just(0_usize), 2 => Just(1), 12 => 2_usize..5];
    let sizes = prop::collection::vec(size, 0..5);
    let steps = prop::collection::vec((0..4, 0..97_usize, 0..97_usize), 0..4);
    (sizes, 0..1000_usize, steps).prop_map(move |(sizes, seed, steps)| {
        let mut number = seed;
        let mut grid = Grid::from_fn(&sizes, |_| {
            number = (number * 1103 + 331) % 10_007;
            element(number)
        });
        let mut tensor = Tensor::from_vec(grid.elements.clone(), &sizes).unwrap();
        for (kind, a, b) in steps {
            (tensor, grid) = step(tensor, grid, kind, a, b);
        }
        (tensor, grid)
    })
}

/// One view more.
fn step<T: Element>(
    tensor: Tensor<T>,
    grid: Grid<T>,
    kind: i32,
    a: usize,
    b: usize,
) -> (Tensor<T>, Grid<T>) {
    let rank = grid.sizes.len();
    if rank == 0 {
        return (tensor, grid);
    }
    let (first, second) = (a % rank, b % rank);
    match kind {
        0 => {
            let mut sizes = grid.sizes.clone();
            sizes.swap(first, second);
            let swapped = Grid::from_fn(&sizes, |place| {
                let mut place = place.to_vec();
                place.swap(first, second);
                grid.at(&place)
            });
            let view = tensor.transpose(first as isize, second as isize);
            (view.unwrap(), swapped)
        }
        1 => {
            let last = grid.sizes[first].saturating_sub(1);
            let flipped = Grid::from_fn(&grid.sizes, |place| {
                grid.at(&with(place, first, last - place[first]))
            });
            (tensor.flip([first as isize]).unwrap(), flipped)
        }
        2 => {
            let start = b % (grid.sizes[first] + 1);
            let mut sizes = grid.sizes.clone();
            sizes[first] = (sizes[first] - start).div_ceil(2);
            let sliced = Grid::from_fn(&sizes, |place| {
                grid.at(&with(place, first, start + 2 * place[first]))
            });
            let slice = Slice::from(start as isize..).step(2);
            (tensor.slice(first as isize, slice).unwrap(), sliced)
        }
        _ => {
            let mut sizes = grid.sizes.clone();
            if sizes[first] == 1 {
                sizes[first] = 2;
            }
            if rank < 4 {
                sizes.insert(0, 2);
            }
            let expanded = Grid::from_fn(&sizes, |place| grid.broadcast_at(place));
            (tensor.expand(&sizes).unwrap(), expanded)
        }
    }
}

/// Whether a tensor holds what the grid says.
pub(crate) fn holds<T: Element>(tensor: &Tensor<T>, grid: &Grid<T>) -> Result<(), TestCaseError> {
    prop_assert_eq!(tensor.shape(), &grid.sizes[..]);
    prop_assert_eq!(tensor.to_vec().unwrap(), &grid.elements[..]);
    Ok(())
}

/// Small integers with repeats.
pub(crate) fn integers() -> impl Strategy<Value = (Tensor<i64>, Grid<i64>)> {
    pair(|number| (number % 11) as i64 - 5)
}

/// Integers that occur once, so that a wrong place shows.
pub(crate) fn distinct() -> impl Strategy<Value = (Tensor<i64>, Grid<i64>)> {
    pair(|number| number as i64)
}

/// Floats with repeats, both zeros, infinities and NaN.
pub(crate) fn floats() -> impl Strategy<Value = (Tensor<f32>, Grid<f32>)> {
    pair(|number| match number % 17 {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2 => f32::NEG_INFINITY,
        3 => -0.0,
        other => (other % 7) as f32 - 3.0,
    })
}
