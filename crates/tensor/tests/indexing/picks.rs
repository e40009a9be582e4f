//! Picking by index and by mask.

use macula_tensor::{Rng, Tensor};
use proptest::prelude::*;

use crate::grid::*;

/// A place that an index number stands for, on an axis of a size that is not 0.
fn wrap(number: i64, size: usize) -> i64 {
    number.rem_euclid(size as i64)
}

/// A pair, an axis of it, and index numbers that still have to be wrapped.
fn with_axis() -> impl Strategy<Value = ((Tensor<i64>, Grid<i64>), usize, Vec<i64>)> {
    // A pair without an axis, or with nothing on it, gives way to one of one element: rejected ones
    // would add up where many cases are wanted.
    let pair =
        distinct().prop_map(
            |(tensor, grid)| match tensor.rank() > 0 && !tensor.is_empty() {
                true => (tensor, grid),
                false => (
                    Tensor::from([7]),
                    Grid {
                        sizes: vec![1],
                        elements: vec![7],
                    },
                ),
            },
        );
    (pair, 0..4_usize, prop::collection::vec(0..1000_i64, 0..7)).prop_map(
        |((tensor, grid), axis, places)| {
            let axis = axis % tensor.rank();
            let places = places.iter().map(|&k| wrap(k, grid.sizes[axis])).collect();
            ((tensor, grid), axis, places)
        },
    )
}

/// Index numbers in the shape of a tensor, but for other sizes along `axis` and smaller ones along
/// the others.
fn index_grid(grid: &Grid<i64>, axis: usize, length: usize, cut: usize, seed: usize) -> Grid<i64> {
    let sizes: Vec<usize> = (0..grid.sizes.len())
        .map(|k| {
            if k == axis {
                length
            } else {
                grid.sizes[k].saturating_sub(cut)
            }
        })
        .collect();
    let mut number = seed;
    Grid::from_fn(&sizes, |_| {
        number = (number * 1103 + 331) % 10_007;
        wrap(number as i64, grid.sizes[axis])
    })
}

fn tensor(grid: &Grid<i64>) -> Tensor<i64> {
    Tensor::from_vec(grid.elements.clone(), &grid.sizes).unwrap()
}

/// The same tensor with its elements apart in memory.
fn strided(tensor: &Tensor<i64>) -> Tensor<i64> {
    let doubled = Tensor::stack(&[tensor, tensor], -1).unwrap();
    doubled.narrow(-1, 1, 1).unwrap().squeeze(-1).unwrap()
}

proptest! {
    #[test]
    fn index_select_takes_slices(((x, grid), axis, places) in with_axis()) {
        let mut sizes = grid.sizes.clone();
        sizes[axis] = places.len();
        let expected = Grid::from_fn(&sizes, |place| {
            grid.at(&with(place, axis, places[place[axis]] as usize))
        });
        let index = Tensor::from(places);
        holds(&x.index_select(axis as isize, &index).unwrap(), &expected)?;
        let from_end = axis as isize - x.rank() as isize;
        holds(&x.index_select(from_end, &strided(&index)).unwrap(), &expected)?;
    }

    #[test]
    fn gather_takes_elements(
        ((x, grid), axis, _) in with_axis(),
        length in 0..5_usize,
        cut in 0..2_usize,
        seed in 0..1000_usize,
    ) {
        let index = index_grid(&grid, axis, length, cut, seed);
        let expected = Grid::from_fn(&index.sizes, |place| {
            grid.at(&with(place, axis, index.at(place) as usize))
        });
        holds(&x.gather(axis as isize, &tensor(&index)).unwrap(), &expected)?;
        holds(&x.gather(axis as isize, &strided(&tensor(&index))).unwrap(), &expected)?;
    }

    #[test]
    fn scatter_puts_elements_and_scatter_add_adds_them(
        ((x, grid), axis, _) in with_axis(),
        length in 0..5_usize,
        cut in 0..2_usize,
        seed in 0..1000_usize,
    ) {
        let index = index_grid(&grid, axis, length, cut, seed);
        let larger: Vec<usize> = index.sizes.iter().map(|size| size + cut).collect();
        let mut number = 0;
        let source = Grid::from_fn(&larger, |_| {
            number += 1;
            number
        });
        let (mut sums, mut put) = (grid.clone(), grid.clone());
        Grid::from_fn(&index.sizes, |place| {
            let to = with(place, axis, index.at(place) as usize);
            *sums.at_mut(&to) += source.at(place);
            *put.at_mut(&to) = source.at(place);
        });
        let (index, source) = (strided(&tensor(&index)), strided(&tensor(&source)));
        holds(&x.scatter_add(axis as isize, &index, &source).unwrap(), &sums)?;
        holds(&x.scatter(axis as isize, &index, &source).unwrap(), &put)?;
        holds(&x, &grid)?;
    }

    #[test]
    fn index_add_adds_slices(((x, grid), axis, places) in with_axis()) {
        let mut sizes = grid.sizes.clone();
        sizes[axis] = places.len();
        let mut number = 0;
        let source = Grid::from_fn(&sizes, |_| {
            number += 1;
            number
        });
        let mut expected = grid.clone();
        Grid::from_fn(&sizes, |place| {
            *expected.at_mut(&with(place, axis, places[place[axis]] as usize)) += source.at(place);
        });
        let index = Tensor::from(places);
        let sum = x.index_add(axis as isize, &index, &strided(&tensor(&source)));
        holds(&sum.unwrap(), &expected)?;
    }

    #[test]
    fn one_hot_marks_the_label((x, grid) in integers()) {
        let (x, grid) = (x.add(&Tensor::scalar(5)).unwrap(), grid.map(|k| k + 5));
        let mut sizes = grid.sizes.clone();
        sizes.push(11);
        let expected = Grid::from_fn(&sizes, |place| {
            let (class, place) = place.split_last().unwrap();
            f32::from(grid.at(place) == *class as i64)
        });
        holds(&x.one_hot::<f32>(11).unwrap(), &expected)?;
    }

    #[test]
    fn bincount_counts((x, grid) in integers(), least in 0..15_usize) {
        let (x, grid) = (x.add(&Tensor::scalar(5)).unwrap(), grid.map(|k| k + 5));
        let length = grid.elements.iter().map(|&k| k as usize + 1).max().unwrap_or(0).max(least);
        let expected: Vec<i64> = (0..length as i64)
            .map(|value| grid.elements.iter().filter(|&&k| k == value).count() as i64)
            .collect();
        prop_assert_eq!(x.bincount(least).unwrap().to_vec().unwrap(), expected);
    }

    #[test]
    fn masks_choose((x, grid) in distinct(), cut in 0..10_000_i64, keep in 0..5_usize) {
        // The mask has fewer axes, or axes of size 1, and is broadcast.
        let skipped = grid.sizes.len().min(keep);
        let own: Vec<usize> = grid.sizes[skipped..]
            .iter()
            .enumerate()
            .map(|(k, &size)| if (k + keep) % 3 == 1 { size.min(1) } else { size })
            .collect();
        let mut number = cut as usize;
        let mask = Grid::from_fn(&own, |_| {
            number = (number * 1103 + 331) % 10_007;
            !number.is_multiple_of(3)
        });
        prop_assume!(mask.sizes.iter().zip(&grid.sizes[skipped..]).all(|(a, b)| a == b || *a == 1));
        let masks = Tensor::from_vec(mask.elements.clone(), &own).unwrap();
        let chosen = Grid::from_fn(&grid.sizes, |place| {
            if mask.broadcast_at(place) { grid.at(place) } else { -1 }
        });
        holds(&Tensor::select(&masks, &x, &Tensor::scalar(-1)).unwrap(), &chosen)?;
        holds(&x.masked_fill(&masks.not().unwrap(), -1).unwrap(), &chosen)?;
        let selected: Vec<i64> = chosen.elements.into_iter().filter(|&k| k >= 0).collect();
        prop_assert_eq!(x.masked_select(&masks).unwrap().to_vec().unwrap(), selected);
    }

    #[test]
    fn nonzero_gives_the_places_in_order((x, grid) in distinct(), divisor in 1..4_i64) {
        let chosen = grid.map(|k| k % divisor == 0);
        let mut expected = Vec::new();
        Grid::from_fn(&grid.sizes, |place| {
            if chosen.at(place) {
                expected.extend(place.iter().map(|&k| k as i64));
            }
        });
        let count = chosen.elements.iter().filter(|&&chosen| chosen).count();
        let mask = x.remainder(&Tensor::scalar(divisor)).unwrap().eq(&Tensor::scalar(0)).unwrap();
        let places = mask.nonzero().unwrap();
        prop_assert_eq!(places.shape(), [count, x.rank()]);
        prop_assert_eq!(places.to_vec().unwrap(), &expected[..]);
        let numbers = mask.cast::<f32>().unwrap();
        prop_assert_eq!(numbers.nonzero().unwrap().to_vec().unwrap(), expected);
    }

    #[test]
    fn triangles_keep_their_side((x, grid) in distinct(), diagonal in -6..6_isize) {
        prop_assume!(grid.sizes.len() >= 2);
        let axis = grid.sizes.len() - 2;
        let side = |place: &[usize]| place[axis + 1] as isize - place[axis] as isize;
        let part = |keep: &dyn Fn(isize) -> bool| Grid::from_fn(&grid.sizes, |place| {
            if keep(side(place)) { grid.at(place) } else { 0 }
        });
        holds(&x.tril(diagonal).unwrap(), &part(&|k| k <= diagonal))?;
        holds(&x.triu(diagonal).unwrap(), &part(&|k| k >= diagonal))?;
    }

    #[test]
    fn triangles_hold_zeros_where_nan_and_infinities_were(
        (x, grid) in floats(),
        diagonal in -6..6_isize,
    ) {
        prop_assume!(grid.sizes.len() >= 2);
        let axis = grid.sizes.len() - 2;
        let expected = Grid::from_fn(&grid.sizes, |place| {
            let inside = place[axis + 1] as isize - place[axis] as isize <= diagonal;
            (if inside { grid.at(place) } else { 0.0 }).to_bits()
        });
        let lower = x.tril(diagonal).unwrap();
        prop_assert_eq!(lower.shape(), &grid.sizes[..]);
        let bits: Vec<u32> = lower.to_vec().unwrap().iter().map(|x| x.to_bits()).collect();
        prop_assert_eq!(bits, expected.elements);
    }
}

/// What is cut into pieces, against loops that are not.
#[test]
fn large_tensors_are_picked_from_as_small_ones_are() {
    let [rows, columns] = [301, 257];
    let mut rng = Rng::seed(9);
    let mut integers =
        |sizes: [usize; 2], end| Tensor::<i64>::integers(sizes, 0, end, &mut rng).unwrap();
    let x = integers([rows, columns], 3);
    // Fewer rows than the tensor, and more columns along the axis.
    let index = integers([290, 400], columns as i64);
    let source = integers([290, 400], 1000);
    let at = |x: &Tensor<i64>, row: usize, column: usize| {
        x.as_slice().unwrap()[row * x.shape()[1] + column]
    };
    let places = |sizes: [usize; 2]| {
        (0..sizes[0]).flat_map(move |row| (0..sizes[1]).map(move |column| (row, column)))
    };

    let gathered = x.gather(1, &index).unwrap();
    let mut sums = x.to_vec().unwrap();
    for (row, column) in places([290, 400]) {
        let picked = at(&index, row, column) as usize;
        assert_eq!(at(&gathered, row, column), at(&x, row, picked));
        sums[row * columns + picked] += at(&source, row, column);
    }
    assert_eq!(
        x.scatter_add(1, &index, &source).unwrap().to_vec().unwrap(),
        sums
    );

    let held = || places([rows, columns]).filter(|&(row, column)| at(&x, row, column) > 0);
    let expected: Vec<i64> = held()
        .flat_map(|(row, column)| [row as i64, column as i64])
        .collect();
    assert_eq!(x.nonzero().unwrap().to_vec().unwrap(), expected);
    let mask = x.cast::<bool>().unwrap();
    let expected: Vec<i64> = held().map(|(row, column)| at(&x, row, column)).collect();
    assert_eq!(x.masked_select(&mask).unwrap().to_vec().unwrap(), expected);

    let (lower, upper) = (x.tril(-40).unwrap(), x.triu(-39).unwrap());
    for (row, column) in places([rows, columns]) {
        let below = column as isize - row as isize <= -40;
        assert_eq!(
            at(&lower, row, column),
            if below { at(&x, row, column) } else { 0 }
        );
        assert_eq!(
            at(&upper, row, column),
            if below { 0 } else { at(&x, row, column) }
        );
    }
}
