//! Copies of views, small and large.

use std::fmt::Debug;

use macula_tensor::{Element, Tensor};
use proptest::prelude::*;

use crate::grid::*;

proptest! {
    #[test]
    fn a_view_holds_what_its_definition_says((tensor, grid) in distinct()) {
        prop_assert_eq!(grid_of(&tensor), grid.clone());
        holds(&tensor, &grid)?;
        holds(&tensor.contiguous().unwrap(), &grid)?;
    }

    /// Sizes around those of registers, tiles and blocks; rows that end and begin anywhere in memory.
    #[test]
    fn a_transposed_window_is_copied_number_by_number_and_bit_by_bit(
        window in [1..200_usize, 1..700_usize], start in [0..20_usize, 0..20_usize], seed in 0..1000_u64
    ) {
        let bits = |k: usize| (k as u64 + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // Any bits: infinities and every kind of NaN among them.
        transposed_window(window, start, |k| f32::from_bits((bits(k) >> 32) as u32 | 0x7F00_0000), |x| x.to_bits())?;
        transposed_window(window, start, |k| f64::from_bits(bits(k) | 0x7FE0_0000_0000_0000), |x| x.to_bits())?;
        transposed_window(window, start, |k| bits(k) as i64, |x| x)?;
        transposed_window(window, start, |k| bits(k) >> 63 == 1, |x| x)?;
    }
}

/// Copies the transpose of a window of a matrix, and compares `bits` of every number.
fn transposed_window<T: Element, B: PartialEq + Debug>(
    [rows, columns]: [usize; 2],
    [first_row, first_column]: [usize; 2],
    number: impl Fn(usize) -> T,
    bits: impl Fn(T) -> B,
) -> Result<(), TestCaseError> {
    let length = columns + first_column + 3;
    let count = (rows + first_row) * length;
    let whole = Tensor::from_vec((0..count).map(&number).collect(), [count / length, length]);
    let window = whole
        .and_then(|x| x.narrow(0, first_row, rows))
        .and_then(|x| x.narrow(1, first_column, columns));
    let copy = window
        .and_then(|x| x.transpose(0, 1)?.contiguous())
        .unwrap();
    for (place, &copied) in copy.as_slice().unwrap().iter().enumerate() {
        let (column, row) = (place / rows, place % rows);
        let own = number((first_row + row) * length + first_column + column);
        prop_assert_eq!(bits(copied), bits(own), "row {}, column {}", row, column);
    }
    Ok(())
}

/// Copies that reach the tiles, and those that reach several threads: sizes that no tile divides,
/// every order of three axes, forwards and backwards.
#[test]
fn large_permuted_copies_equal_the_definition() {
    for sizes in [
        [70, 3, 90],
        [3, 130, 67],
        [65, 64, 1],
        [129, 40, 75],
        [2, 600, 300],
    ] {
        let count: i64 = sizes.iter().product::<usize>() as i64;
        let whole = Tensor::<i64>::arange(0, count, 1)
            .unwrap()
            .reshape(sizes)
            .unwrap();
        for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for flipped in [&[][..], &[0], &[2]] {
                let view = whole.permute(order).unwrap().flip(flipped).unwrap();
                let copy = view.to_vec().unwrap();
                let expected = Grid::from_fn(view.shape(), |place| {
                    let mut own = [0; 3];
                    for (axis, &k) in place.iter().enumerate() {
                        let back = flipped.contains(&(axis as isize));
                        let k = if back { view.shape()[axis] - 1 - k } else { k };
                        own[order[axis] as usize] = k;
                    }
                    ((own[0] * sizes[1] + own[1]) * sizes[2] + own[2]) as i64
                });
                assert!(copy == expected.elements, "{sizes:?} {order:?} {flipped:?}");
            }
        }
    }
}

#[test]
fn a_large_index_select_equals_the_rows_it_names() {
    let rows = Tensor::<i64>::arange(0, 700 * 300, 1)
        .unwrap()
        .reshape([700, 300])
        .unwrap();
    let places: Vec<i64> = (0..1500).map(|k| (k * 37) % 700).collect();
    let index = Tensor::from(places.clone());
    let expected: Vec<i64> = places
        .iter()
        .flat_map(|row| row * 300..row * 300 + 300)
        .collect();
    assert_eq!(
        rows.index_select(0, &index).unwrap().to_vec().unwrap(),
        expected
    );
    let columns = rows.transpose(0, 1).unwrap().contiguous().unwrap();
    let picked = columns.index_select(1, &index).unwrap();
    assert_eq!(picked.transpose(0, 1).unwrap().to_vec().unwrap(), expected);
    let picked = rows
        .transpose(0, 1)
        .unwrap()
        .index_select(1, &index)
        .unwrap();
    assert_eq!(picked.transpose(0, 1).unwrap().to_vec().unwrap(), expected);
}

#[test]
fn a_large_concatenation_equals_its_parts() {
    let whole = Tensor::<i64>::arange(0, 600 * 700, 1)
        .unwrap()
        .reshape([600, 700])
        .unwrap();
    for axis in [0, 1] {
        for view in [whole.clone(), whole.transpose(0, 1).unwrap()] {
            let parts = view
                .split(axis, [100, 1, view.shape()[axis as usize] - 101])
                .unwrap();
            let joined = Tensor::concatenate(&parts.iter().collect::<Vec<_>>(), axis).unwrap();
            assert_eq!(joined.to_vec().unwrap(), view.to_vec().unwrap());
        }
    }
}
