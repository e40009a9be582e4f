//! Views: slices, pieces, diagonals, windows.

use macula_tensor::{Slice, Tensor};
use proptest::prelude::*;

use crate::grid::*;

/// The places of a slice, as Python defines it: by walking.
fn walk(size: usize, start: Option<isize>, end: Option<isize>, step: isize) -> Vec<usize> {
    let size = size as isize;
    let bound = |k: isize| if k < 0 { k + size } else { k };
    let mut places = Vec::new();
    let inside = |k: isize| (0..size).contains(&k);
    if step > 0 {
        let mut k = start.map_or(0, |k| bound(k).max(0));
        while inside(k) && end.is_none_or(|end| k < bound(end)) {
            places.push(k as usize);
            k += step;
        }
    } else {
        let mut k = start.map_or(size - 1, |k| bound(k).min(size - 1));
        while inside(k) && end.is_none_or(|end| k > bound(end)) {
            places.push(k as usize);
            k += step;
        }
    }
    places
}

proptest! {
    #[test]
    fn slices_walk_as_in_python(
        (x, grid) in distinct(),
        axis in 0..4_usize,
        start in prop::option::of(-7..7_isize),
        end in prop::option::of(-7..7_isize),
        step in prop_oneof![-4..0_isize, 1..5_isize],
    ) {
        prop_assume!(x.rank() > 0);
        let axis = axis % x.rank();
        let places = walk(grid.sizes[axis], start, end, step);
        let mut sizes = grid.sizes.clone();
        sizes[axis] = places.len();
        let expected = Grid::from_fn(&sizes, |place| {
            grid.at(&with(place, axis, places[place[axis]]))
        });
        let slice: Slice = match (start, end) {
            (None, None) => (..).into(),
            (Some(start), None) => (start..).into(),
            (None, Some(end)) => (..end).into(),
            (Some(start), Some(end)) => (start..end).into(),
        };
        let slice = slice.step(step);
        holds(&x.slice(axis as isize, slice).unwrap(), &expected)?;
        let mut all = vec![Slice::from(..); axis];
        all.push(slice);
        holds(&x.slices(&all).unwrap(), &expected)?;
    }

    #[test]
    fn ranges_that_include_their_end_reach_one_further(
        (x, grid) in distinct(),
        axis in 0..4_usize,
        start in prop::option::of(-7..7_isize),
        end in -7..7_isize,
        backwards: bool,
    ) {
        prop_assume!(x.rank() > 0);
        let axis = axis % x.rank();
        let step = if backwards { -1 } else { 1 };
        // One further than −1 or 0 may be the other end of the axis: then there is no bound.
        let size = grid.sizes[axis] as isize;
        let past = if end < 0 { end + size } else { end } + step;
        let past = match backwards {
            true => Some(past).filter(|&past| past >= 0),
            false => Some(past.max(0)),
        };
        let places = walk(grid.sizes[axis], start, past, step);
        let mut sizes = grid.sizes.clone();
        sizes[axis] = places.len();
        let expected = Grid::from_fn(&sizes, |place| {
            grid.at(&with(place, axis, places[place[axis]]))
        });
        let slice: Slice = match start {
            None => (..=end).into(),
            Some(start) => (start..=end).into(),
        };
        holds(&x.slice(axis as isize, slice.step(step)).unwrap(), &expected)?;
    }

    #[test]
    fn a_single_element_drops_its_axis(
        (x, grid) in distinct(),
        axis in 0..4_usize,
        place in -7..7_isize,
    ) {
        prop_assume!(x.rank() > 0);
        let axis = axis % x.rank();
        let size = grid.sizes[axis] as isize;
        let found = x.slice(axis as isize, place);
        if !(-size..size).contains(&place) {
            prop_assert!(found.is_err());
            return Ok(());
        }
        let at = place.rem_euclid(size) as usize;
        let mut sizes = grid.sizes.clone();
        sizes.remove(axis);
        let expected = Grid::from_fn(&sizes, |place| {
            let mut place = place.to_vec();
            place.insert(axis, at);
            grid.at(&place)
        });
        holds(&found.unwrap(), &expected)?;
        let mut all = vec![Slice::from(..); axis];
        all.push(place.into());
        holds(&x.slices(&all).unwrap(), &expected)?;
    }

    #[test]
    fn pieces_put_together_are_the_whole(
        (x, grid) in distinct(),
        axis in 0..4_usize,
        count in 1..6_usize,
    ) {
        prop_assume!(x.rank() > 0);
        let axis = axis % x.rank();
        let chunks = x.chunk(axis as isize, count).unwrap();
        let length = grid.sizes[axis].div_ceil(count);
        prop_assert!(chunks.len() <= count);
        for (k, chunk) in chunks.iter().enumerate() {
            let size = chunk.shape()[axis];
            prop_assert!(size == length || (k + 1 == chunks.len() && size <= length));
        }
        let whole = Tensor::concatenate(&chunks.iter().collect::<Vec<_>>(), axis as isize);
        holds(&whole.unwrap(), &grid)?;
        let pieces = x.split_every(axis as isize, count).unwrap();
        for (k, piece) in pieces.iter().enumerate() {
            let left = grid.sizes[axis] - k * count;
            prop_assert_eq!(piece.shape()[axis], left.min(count));
        }
        let whole = Tensor::concatenate(&pieces.iter().collect::<Vec<_>>(), axis as isize);
        holds(&whole.unwrap(), &grid)?;
    }

    #[test]
    fn unfold_slides(
        (x, grid) in distinct(),
        axis in 0..4_usize,
        size in 0..4_usize,
        step in 1..4_usize,
    ) {
        prop_assume!(x.rank() > 0);
        let axis = axis % x.rank();
        let windows = x.unfold(axis as isize, size, step);
        if size > grid.sizes[axis] {
            prop_assert!(windows.is_err());
            return Ok(());
        }
        let mut sizes = grid.sizes.clone();
        sizes[axis] = (sizes[axis] - size) / step + 1;
        sizes.push(size);
        let expected = Grid::from_fn(&sizes, |place| {
            let (k, place) = place.split_last().unwrap();
            grid.at(&with(place, axis, place[axis] * step + k))
        });
        holds(&windows.unwrap(), &expected)?;
    }

    #[test]
    fn diagonals_run_down_two_axes(
        (x, grid) in distinct(),
        axes in (0..4_usize, 0..4_usize),
        offset in -6..6_isize,
    ) {
        prop_assume!(x.rank() > 1);
        let (rows, columns) = (axes.0 % x.rank(), axes.1 % x.rank());
        let diagonal = x.diagonal(offset, rows as isize, columns as isize);
        if rows == columns {
            prop_assert!(diagonal.is_err());
            return Ok(());
        }
        let start = |k: isize| k.max(0) as usize;
        let (row, column) = (start(-offset), start(offset));
        let length = grid.sizes[rows].saturating_sub(row)
            .min(grid.sizes[columns].saturating_sub(column));
        let rest: Vec<usize> = (0..x.rank()).filter(|&k| k != rows && k != columns).collect();
        let mut sizes: Vec<usize> = rest.iter().map(|&axis| grid.sizes[axis]).collect();
        sizes.push(length);
        let expected = Grid::from_fn(&sizes, |place| {
            let (&k, place) = place.split_last().unwrap();
            let mut own = vec![0; grid.sizes.len()];
            for (&axis, &k) in rest.iter().zip(place) {
                own[axis] = k;
            }
            (own[rows], own[columns]) = (row + k, column + k);
            grid.at(&own)
        });
        holds(&diagonal.unwrap(), &expected)?;
        if x.rank() == 2 && (rows, columns) == (0, 1) {
            holds(&x.diag(offset).unwrap(), &expected)?;
        }
    }

    #[test]
    fn diag_of_a_vector_is_a_matrix_with_that_diagonal(
        elements in prop::collection::vec(1..9_i64, 0..6),
        offset in -4..5_isize,
    ) {
        let matrix = Tensor::from(elements.clone()).diag(offset).unwrap();
        prop_assert_eq!(matrix.diag(offset).unwrap().to_vec().unwrap(), &elements[..]);
        let sum: i64 = matrix.to_vec().unwrap().iter().sum();
        prop_assert_eq!(sum, elements.iter().sum::<i64>());
    }

    #[test]
    fn axes_move_merge_and_vanish((x, grid) in distinct(), axes in (0..4_usize, 0..4_usize)) {
        let squeezed = x.squeeze_all();
        let sizes: Vec<usize> = grid.sizes.iter().copied().filter(|&size| size != 1).collect();
        holds(&squeezed, &Grid { sizes, elements: grid.elements.clone() })?;
        prop_assume!(x.rank() > 0);
        let (a, b) = (axes.0 % x.rank(), axes.1 % x.rank());
        let (first, last) = (a.min(b), a.max(b));
        let mut sizes = grid.sizes.clone();
        let merged = sizes.drain(first..=last).product();
        sizes.insert(first, merged);
        let flat = x.flatten_range(first as isize, last as isize).unwrap();
        holds(&flat, &Grid { sizes, elements: grid.elements.clone() })?;

        let mut order: Vec<usize> = (0..x.rank()).collect();
        order.remove(a);
        order.insert(b, a);
        let order: Vec<isize> = order.iter().map(|&k| k as isize).collect();
        let moved = x.move_axis(a as isize, b as isize).unwrap();
        prop_assert_eq!(grid_of(&moved), grid_of(&x.permute(order).unwrap()));
    }

    #[test]
    fn permuting_puts_each_axis_where_it_is_named((x, grid) in distinct(), keys in any::<[u32; 4]>()) {
        let mut order: Vec<usize> = (0..x.rank()).collect();
        order.sort_by_key(|&axis| keys[axis]);
        let sizes: Vec<usize> = order.iter().map(|&axis| grid.sizes[axis]).collect();
        let expected = Grid::from_fn(&sizes, |place| {
            let mut own = vec![0; place.len()];
            for (&axis, &k) in order.iter().zip(place) {
                own[axis] = k;
            }
            grid.at(&own)
        });
        // Half of them counted from the end.
        let rank = x.rank() as isize;
        let named: Vec<isize> = order
            .iter()
            .map(|&axis| if axis % 2 == 0 { axis as isize } else { axis as isize - rank })
            .collect();
        holds(&x.permute(named).unwrap(), &expected)?;
    }

    #[test]
    fn reshaping_keeps_the_order_of_the_elements(
        (x, grid) in distinct(),
        cuts in prop::collection::vec(1..5_usize, 0..4),
        open in 0..4_usize,
    ) {
        let mut sizes = vec![grid.elements.len()];
        for cut in cuts {
            let last = sizes[sizes.len() - 1];
            if last % cut == 0 {
                sizes.pop();
                sizes.extend([last / cut, cut]);
            }
        }
        let expected = Grid { sizes: sizes.clone(), elements: grid.elements.clone() };
        holds(&x.reshape(&sizes).unwrap(), &expected)?;
        let mut signed: Vec<isize> = sizes.iter().map(|&size| size as isize).collect();
        let place = open % sizes.len();
        signed[place] = -1;
        let others: usize = (0..sizes.len()).filter(|&k| k != place).map(|k| sizes[k]).product();
        match others {
            0 => prop_assert!(x.reshape(signed).is_err()),
            _ => holds(&x.reshape(signed).unwrap(), &expected)?,
        }
        holds(&x.flatten().unwrap(), &Grid { sizes: vec![grid.elements.len()], ..expected })?;
        prop_assert!(x.reshape([grid.elements.len() + 1]).is_err());
    }

    #[test]
    fn axes_of_one_place_come_and_go((x, grid) in distinct(), axis in 0..5_usize) {
        let axis = axis % (x.rank() + 1);
        let mut sizes = grid.sizes.clone();
        sizes.insert(axis, 1);
        let wider = x.unsqueeze(axis as isize).unwrap();
        holds(&wider, &Grid { sizes, elements: grid.elements.clone() })?;
        let from_end = axis as isize - wider.rank() as isize;
        holds(&wider.squeeze(from_end).unwrap(), &grid)?;
        if let Some(other) = grid.sizes.iter().position(|&size| size != 1) {
            prop_assert!(x.squeeze(other as isize).is_err());
        }
    }

    #[test]
    fn narrowing_takes_a_range_or_says_why_not(
        (x, grid) in distinct(),
        axis in 0..4_usize,
        start in 0..5_usize,
        length in 0..5_usize,
    ) {
        prop_assume!(x.rank() > 0);
        let axis = axis % x.rank();
        let narrowed = x.narrow(axis as isize, start, length);
        if start + length > grid.sizes[axis] {
            prop_assert!(narrowed.is_err());
            return Ok(());
        }
        let mut sizes = grid.sizes.clone();
        sizes[axis] = length;
        let expected = Grid::from_fn(&sizes, |place| grid.at(&with(place, axis, start + place[axis])));
        holds(&narrowed.unwrap(), &expected)?;
        let rest = grid.sizes[axis] - start - length;
        let pieces = x.split(axis as isize, [start, length, rest]).unwrap();
        holds(&pieces[1], &expected)?;
    }
}
