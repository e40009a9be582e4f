//! Sorting and selecting against insertion by definition.

use std::cmp::Ordering;

use macula_tensor::{Number, Tensor};
use proptest::prelude::*;

use crate::grid::*;

/// The order of floats: NaN last, whatever the direction.
fn compare(a: f32, b: f32, descending: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) if descending => b.partial_cmp(&a).unwrap(),
        (false, false) => a.partial_cmp(&b).unwrap(),
        (a, b) => a.cmp(&b),
    }
}

/// Each line along the last axis, as sorted pairs of value and place.
fn sorted_lines(grid: &Grid<f32>, descending: bool) -> Vec<Vec<(f32, i64)>> {
    let length = *grid.sizes.last().unwrap();
    let lines = grid.elements.chunks(length.max(1));
    lines
        .map(|line| {
            let mut line: Vec<(f32, i64)> = line.iter().copied().zip(0..).collect();
            line.sort_by(|a, b| compare(a.0, b.0, descending));
            line
        })
        .collect()
}

/// Bits, so that NaN equals NaN and the zeros differ.
fn bits(values: impl IntoIterator<Item = f32>) -> Vec<u32> {
    values.into_iter().map(f32::to_bits).collect()
}

proptest! {
    #[test]
    fn sorting_is_stable_with_nan_last((x, _) in floats(), axis in 0..4_usize, down: bool) {
        prop_assume!(x.rank() > 0);
        let axis = (axis % x.rank()) as isize;
        // The oracle sorts along the last axis.
        let moved = x.move_axis(axis, -1).unwrap();
        let lines = sorted_lines(&grid_of(&moved), down);
        let (values, places) = x.sort(axis, down).unwrap();
        prop_assert_eq!(values.shape(), x.shape());
        let values = values.move_axis(axis, -1).unwrap().to_vec().unwrap();
        let expected = lines.iter().flatten();
        prop_assert_eq!(bits(values), bits(expected.clone().map(|pair| pair.0)));
        let places = places.move_axis(axis, -1).unwrap().to_vec().unwrap();
        prop_assert_eq!(&places, &expected.map(|pair| pair.1).collect::<Vec<_>>());
        let alone = x.argsort(axis, down).unwrap().move_axis(axis, -1).unwrap();
        prop_assert_eq!(alone.to_vec().unwrap(), places);
    }

    #[test]
    fn selections_are_parts_of_the_sorted_line(
        (x, _) in floats(),
        axis in 0..4_usize,
        k in 0..5_usize,
        largest: bool,
    ) {
        prop_assume!(x.rank() > 0);
        let axis = (axis % x.rank()) as isize;
        let moved = x.move_axis(axis, -1).unwrap();
        let size = *moved.shape().last().unwrap();
        let grid = grid_of(&moved);
        if k > size {
            prop_assert!(x.topk(k, axis, largest).is_err());
            prop_assert!(x.kthvalue(k, axis).is_err());
            return Ok(());
        }
        let (values, places) = x.topk(k, axis, largest).unwrap();
        let best: Vec<(f32, i64)> = sorted_lines(&grid, largest)
            .iter()
            .flat_map(|line| line[..k.min(line.len())].to_vec())
            .collect();
        let values = values.move_axis(axis, -1).unwrap().to_vec().unwrap();
        prop_assert_eq!(bits(values), bits(best.iter().map(|pair| pair.0)));
        let places = places.move_axis(axis, -1).unwrap().to_vec().unwrap();
        prop_assert_eq!(places, best.iter().map(|pair| pair.1).collect::<Vec<_>>());

        prop_assert_eq!(x.median(axis).is_err(), size == 0);
        if k > 0 {
            let lines = sorted_lines(&grid, false);
            let (values, places) = x.kthvalue(k, axis).unwrap();
            prop_assert_eq!(values.rank(), x.rank() - 1);
            let expected: Vec<(f32, i64)> = lines.iter().map(|line| line[k - 1]).collect();
            prop_assert_eq!(bits(values.to_vec().unwrap()), bits(expected.iter().map(|p| p.0)));
            let expected: Vec<i64> = expected.iter().map(|pair| pair.1).collect();
            prop_assert_eq!(places.to_vec().unwrap(), expected);

            let (medians, _) = x.median(axis).unwrap();
            let expected = lines.iter().map(|line| match line.iter().find(|p| p.0.is_nan()) {
                Some(nan) => nan.0,
                None => line[(line.len() - 1) / 2].0,
            });
            prop_assert_eq!(bits(medians.to_vec().unwrap()), bits(expected));
        }
    }

    #[test]
    fn unique_values_count_and_rebuild_the_tensor((x, grid) in floats()) {
        let unique = x.unique().unwrap();
        let values = unique.values.to_vec().unwrap();
        for pair in values.windows(2) {
            prop_assert_eq!(compare(pair[0], pair[1], false), Ordering::Less);
        }
        let inverse = unique.inverse.to_vec().unwrap();
        prop_assert_eq!(unique.inverse.shape(), x.shape());
        for (&element, &place) in grid.elements.iter().zip(&inverse) {
            prop_assert_eq!(compare(element, values[place as usize], false), Ordering::Equal);
        }
        let counts = unique.inverse.bincount(0).unwrap().to_vec().unwrap();
        prop_assert_eq!(unique.counts.to_vec().unwrap(), counts);
    }

    #[test]
    fn searchsorted_counts_what_stands_before(
        (x, grid) in floats(),
        sorted in prop::collection::vec(-4..5_i32, 0..9),
        nans in 0..2_usize,
        right: bool,
    ) {
        let mut sorted: Vec<f32> = sorted.iter().map(|&k| k as f32).collect();
        sorted.sort_by(f32::total_cmp);
        sorted.extend(vec![f32::NAN; nans]);
        let expected = grid.map(|value| {
            let before = |&&element: &&f32| match compare(element, value, false) {
                Ordering::Less => true,
                Ordering::Equal => right,
                Ordering::Greater => false,
            };
            sorted.iter().filter(before).count() as i64
        });
        holds(&Tensor::from(sorted.clone()).searchsorted(&x, right).unwrap(), &expected)?;
    }
}

/// Checks what finds an order against the line as its places are sorted by `compare`.
fn check_long_line<T: Number>(
    line: Vec<T>,
    k: usize,
    descending: bool,
    compare: impl Fn(T, T, bool) -> Ordering,
) -> Result<(), TestCaseError> {
    // The shortest text that stands for a number tells the zeros apart, and NaN is NaN.
    let texts = |x: &[T]| x.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>();
    let x = Tensor::from(line.clone());
    let sorted = |descending: bool| {
        let mut places: Vec<i64> = (0..line.len() as i64).collect();
        places.sort_by(|&a, &b| compare(line[a as usize], line[b as usize], descending));
        let values: Vec<T> = places.iter().map(|&place| line[place as usize]).collect();
        (values, places)
    };
    let (expected, places) = sorted(descending);
    for k in [k.min(line.len()), line.len()] {
        let (first, first_places) = x.topk(k, 0, descending).unwrap();
        prop_assert_eq!(texts(&first.to_vec().unwrap()), texts(&expected[..k]));
        prop_assert_eq!(first_places.to_vec().unwrap(), &places[..k]);
    }
    let (expected, places) = sorted(false);
    if let Some(&place) = places.get(k) {
        let (value, found) = x.kthvalue(k + 1, 0).unwrap();
        prop_assert_eq!(texts(&[value.item().unwrap()]), texts(&expected[k..=k]));
        prop_assert_eq!(found.item().unwrap(), place);
    }
    let unique = x.unique().unwrap();
    let runs = expected.chunk_by(|&a, &b| compare(a, b, false).is_eq());
    let (first, counts): (Vec<T>, Vec<i64>) = runs.map(|run| (run[0], run.len() as i64)).unzip();
    prop_assert_eq!(texts(&unique.values.to_vec().unwrap()), texts(&first));
    prop_assert_eq!(unique.counts.to_vec().unwrap(), counts);
    for (&x, place) in line.iter().zip(unique.inverse.to_vec().unwrap()) {
        prop_assert!(compare(x, first[place as usize], false).is_eq());
    }
    Ok(())
}

proptest! {
    #[test]
    fn long_lines_are_in_order(
        // Few values or many, so that keys differ in some of their bytes or in all.
        line in (0..6_u32, 0..1500_usize).prop_flat_map(|(bytes, length)| {
            let most = (1_i64 << (8 * bytes)).max(3);
            prop::collection::vec(-most..most, length)
        }),
        k in 0..400_usize,
        descending: bool,
    ) {
        check_long_line(line.clone(), k, descending, |a, b, descending| {
            if descending { b.cmp(&a) } else { a.cmp(&b) }
        })?;
        let float = |x: i64| match x {
            -3 => f32::NAN,
            -2 => -0.0,
            -1 => f32::NEG_INFINITY,
            x => x as f32 / 8.0,
        };
        let line: Vec<f32> = line.into_iter().map(float).collect();
        check_long_line(line.clone(), k, descending, compare)?;
        let line: Vec<f64> = line.into_iter().map(f64::from).collect();
        check_long_line(line, k, descending, |a, b, descending| {
            compare(a as f32, b as f32, descending)
        })?;
    }
}

#[test]
fn long_lines_sort_alike_on_any_number_of_threads() {
    let numbers: Vec<i64> = (0..100_000_i64).map(|k| k * 7919 % 1009).collect();
    let x = Tensor::from(numbers.clone());
    let mut expected: Vec<(i64, i64)> = numbers.into_iter().zip(0..).collect();
    expected.sort();
    let expected: Vec<i64> = expected.iter().map(|pair| pair.1).collect();
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let places = pool.install(|| x.argsort(0, false).unwrap().to_vec().unwrap());
        assert_eq!(places, expected);
    }
}

#[test]
fn many_lines_sort_alike_on_several_threads() {
    let x = Tensor::from((0..60_000_i64).map(|k| k * 7919 % 101).collect::<Vec<_>>());
    let x = x.reshape([600, 100]).unwrap();
    let values = x.sort(1, true).unwrap().0.to_vec().unwrap();
    for (line, row) in values.chunks(100).zip(x.to_vec().unwrap().chunks(100)) {
        let mut row = row.to_vec();
        row.sort_by(|a, b| b.cmp(a));
        assert_eq!(line, row);
    }
}
