//! Joining, repeating, shifting, padding.

use macula_tensor::Tensor;
use proptest::prelude::*;

use crate::grid::*;

proptest! {
    #[test]
    fn concatenate_joins_along_the_axis((x, grid) in distinct(), axis in 0..4_usize) {
        prop_assume!(x.rank() > 0);
        let axis = axis % x.rank();
        let size = grid.sizes[axis];
        let head = x.narrow(axis as isize, 0, size / 2).unwrap();
        let mut sizes = grid.sizes.clone();
        sizes[axis] = size / 2 + size;
        let expected = Grid::from_fn(&sizes, |place| {
            let k = place[axis];
            grid.at(&with(place, axis, if k < size / 2 { k } else { k - size / 2 }))
        });
        holds(&Tensor::concatenate(&[&head, &x], axis as isize).unwrap(), &expected)?;
    }

    #[test]
    fn stack_makes_an_axis((x, grid) in distinct(), axis in 0..5_usize) {
        let axis = axis % (x.rank() + 1);
        let other = x.add(&Tensor::scalar(1)).unwrap();
        let mut sizes = grid.sizes.clone();
        sizes.insert(axis, 2);
        let expected = Grid::from_fn(&sizes, |place| {
            let mut place = place.to_vec();
            let which = place.remove(axis);
            grid.at(&place) + which as i64
        });
        holds(&Tensor::stack(&[&x, &other], axis as isize).unwrap(), &expected)?;
    }

    #[test]
    fn repeat_tiles(
        (x, grid) in distinct(),
        repeats in prop::collection::vec(0..3_usize, 5),
        more in 0..2_usize,
    ) {
        let repeats = &repeats[..x.rank() + more];
        let mut own = vec![1; more];
        own.extend(&grid.sizes);
        let sizes: Vec<usize> = own.iter().zip(repeats).map(|(a, b)| a * b).collect();
        let expected = Grid::from_fn(&sizes, |place| {
            let place: Vec<usize> = place.iter().zip(&own).map(|(k, size)| k % size).collect();
            grid.at(&place[more..])
        });
        holds(&x.repeat(repeats).unwrap(), &expected)?;
    }

    #[test]
    fn repeat_interleave_repeats_each_element(
        (x, grid) in distinct(),
        axis in 0..4_usize,
        times in 0..4_usize,
    ) {
        prop_assume!(x.rank() > 0);
        let axis = axis % x.rank();
        let mut sizes = grid.sizes.clone();
        sizes[axis] *= times;
        let expected = Grid::from_fn(&sizes, |place| {
            grid.at(&with(place, axis, place[axis] / times))
        });
        holds(&x.repeat_interleave(times, axis as isize).unwrap(), &expected)?;
    }

    #[test]
    fn roll_shifts_around((x, grid) in distinct(), axis in 0..4_usize, shift in -9..9_isize) {
        prop_assume!(x.rank() > 0);
        let axis = axis % x.rank();
        let size = grid.sizes[axis] as isize;
        let expected = Grid::from_fn(&grid.sizes, |place| {
            let from = (place[axis] as isize - shift).rem_euclid(size);
            grid.at(&with(place, axis, from as usize))
        });
        holds(&x.roll(shift, axis as isize).unwrap(), &expected)?;
    }

    #[test]
    fn pad_surrounds(
        (x, grid) in distinct(),
        margins in prop::collection::vec((0..3_usize, 0..3_usize), 4),
    ) {
        let margins = &margins[..x.rank()];
        let sizes: Vec<usize> =
            grid.sizes.iter().zip(margins).map(|(size, (a, b))| a + size + b).collect();
        let expected = Grid::from_fn(&sizes, |place| {
            let own: Vec<usize> =
                place.iter().zip(margins).map(|(k, (before, _))| k.wrapping_sub(*before)).collect();
            let inside = own.iter().zip(&grid.sizes).all(|(k, size)| k < size);
            if inside { grid.at(&own) } else { -7 }
        });
        holds(&x.pad(margins, -7).unwrap(), &expected)?;
    }
}
