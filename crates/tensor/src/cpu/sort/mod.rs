//! Order along the last axis: sorting and selecting, line by line.
//!
//! The elements of a line are turned into integers that order as they do ([`item`]). Long lists of those
//! are sorted byte by byte ([`radix`]); the first few of a long line are found without a list
//! ([`first`]).

mod first;
mod item;
mod radix;

use self::first::find_first;
pub(crate) use self::item::Ordered;
use self::item::{Item, Keys, fill, items};
use self::radix::{needs_spare, sort};
use super::parallel::{PIECE, map_pieces};
use crate::element::Number;

/// Elements that are worth more than one thread.
const MANY: usize = 16 * 1024;
/// Of a line with so many times as many elements, the first are found without sorting.
const AMONG: usize = 8;

/// Whether a number has no order, even with itself.
fn is_nan<T: Number>(x: T) -> bool {
    x.partial_cmp(&x).is_none()
}

/// What to find on each line, the order being ascending or descending.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    /// As many of the first elements as there is room for.
    First { descending: bool },
    /// The element at one place of the ascending order.
    Nth(usize),
    /// The first NaN, or else the element in the middle of the ascending order.
    Median,
}

/// Writes what is wanted of each line of `length` elements, `width` values and their places, on several
/// threads where there are many; none where memory has no room for the items of a line.
pub(crate) fn for_each_line<T: Number>(
    lines: &[T],
    length: usize,
    wanted: Wanted,
    values: &mut [T],
    places: &mut [i64],
    width: usize,
) -> Option<()> {
    if values.is_empty() {
        return Some(());
    }
    // Whole lines, enough of them to be worth a thread.
    let lot = (MANY / length).max(1);
    let count = values.len().div_ceil(lot * width);
    let threads = (rayon::current_num_threads() / count).max(1);
    let values = values.chunks_mut(lot * width);
    let places = places.chunks_mut(lot * width);
    let lots = values.zip(places).zip(lines.chunks(lot * length));
    let descending = matches!(wanted, Wanted::First { descending: true });
    let wide = Keys::wide(descending);
    let find = |((values, places), all): ((&mut [T], &mut [i64]), &[T])| {
        let results = values.chunks_mut(width).zip(places.chunks_mut(width));
        let lines = all.chunks(length).zip(results);
        match Keys::narrow(all, length, descending) {
            Some(keys) => find_in::<T, u64>(lines, [length, width], wanted, keys, threads),
            None => find_in::<T, u128>(lines, [length, width], wanted, wide, threads),
        }
    };
    map_pieces(lots, find).into_iter().collect()
}

/// Writes what is wanted of each of some lines, all of one length and with results of one width, on so many
/// threads at most.
fn find_in<'a, T: Number, I: Item>(
    lines: impl Iterator<Item = (&'a [T], (&'a mut [T], &'a mut [i64]))>,
    [length, width]: [usize; 2],
    wanted: Wanted,
    keys: Keys,
    threads: usize,
) -> Option<()> {
    // The first of a line that has many more.
    let few = AMONG * width <= length;
    let [room, to_spare] = match wanted {
        Wanted::First { .. } if few => [first::room(width), 0],
        Wanted::First { .. } if needs_spare(length) => [length; 2],
        _ => [length, 0],
    };
    let (mut items, mut spare) = (items::<I>(room)?, items(to_spare)?);
    let (items, spare) = (&mut items[..], &mut spare[..]);
    for (line, (values, places)) in lines {
        let found = match wanted {
            Wanted::First { .. } if few => {
                let first = find_first(line, width, keys, items);
                first.sort_unstable();
                first
            }
            Wanted::First { .. } => {
                fill(items, line, keys);
                sort(&mut *items, &mut *spare, threads)
            }
            Wanted::Nth(place) => nth(line, place, items, keys),
            Wanted::Median => match line.iter().position(|&x| is_nan(x)) {
                Some(nan) => {
                    items[0] = keys.item(line[nan], nan);
                    &mut items[..1]
                }
                None => nth(line, (length - 1) / 2, items, keys),
            },
        };
        write(line, found, values, places);
    }
    Some(())
}

/// The item at a place of the ascending order of a line, and those after it in no order.
fn nth<'a, T: Number, I: Item>(
    line: &[T],
    place: usize,
    items: &'a mut [I],
    keys: Keys,
) -> &'a mut [I] {
    fill(items, line, keys);
    items.select_nth_unstable(place);
    &mut items[place..]
}

/// Writes the elements of the first items, and their places.
fn write<T: Number, I: Item>(line: &[T], items: &[I], values: &mut [T], places: &mut [i64]) {
    let results = values.chunks_mut(PIECE).zip(places.chunks_mut(PIECE));
    let pieces = items.chunks(PIECE).zip(results);
    map_pieces(pieces, |(items, (values, places))| {
        for (item, (value, place)) in items.iter().zip(values.iter_mut().zip(places)) {
            *value = line[item.place()];
            *place = item.place() as i64;
        }
    });
}

/// Writes for each element how many distinct values are less than its own, and returns how many there
/// are; none where memory has no room for the items.
pub(crate) fn ranks<T: Number>(elements: &[T], ranks: &mut [i64]) -> Option<usize> {
    match Keys::narrow(elements, elements.len(), false) {
        Some(keys) => ranks_in::<T, u64>(elements, ranks, keys),
        None => ranks_in::<T, u128>(elements, ranks, Keys::wide(false)),
    }
}

fn ranks_in<T: Number, I: Item>(elements: &[T], ranks: &mut [i64], keys: Keys) -> Option<usize> {
    let count = elements.len();
    let mut all = items::<I>(count)?;
    let mut spare = items(if needs_spare(count) { count } else { 0 })?;
    fill(&mut all, elements, keys);
    let sorted = sort(&mut all, &mut spare, rayon::current_num_threads());
    let mut distinct = 0;
    let mut before = None;
    for item in sorted {
        distinct += usize::from(before != Some(item.key()));
        before = Some(item.key());
        ranks[item.place()] = distinct as i64 - 1;
    }
    Some(distinct)
}

/// The number of elements of a sorted vector that stand before `value`: those less than it, or
/// with `right` those equal to it as well. NaN stands last.
pub(crate) fn rank<T: Number>(sorted: &[T], value: T, right: bool) -> usize {
    // No comparison with NaN holds, as none should with the elements that stand last.
    match (is_nan(value), right) {
        (false, false) => sorted.partition_point(|&x| x < value),
        (false, true) => sorted.partition_point(|&x| x <= value),
        (true, false) => sorted.partition_point(|&x| !is_nan(x)),
        (true, true) => sorted.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of which some are equal and some NaN.
    fn line(length: usize) -> Vec<f32> {
        let number = |place: usize| match place * 7919 % 3001 {
            3000 => f32::NAN,
            x => x as f32 - 1500.0,
        };
        (0..length).map(number).collect()
    }

    fn find<I: Item>(line: &[f32], wanted: Wanted, width: usize) -> (Vec<u32>, Vec<i64>) {
        let (mut values, mut places) = (vec![0.0; width], vec![0; width]);
        let keys = Keys::wide(matches!(wanted, Wanted::First { descending: true }));
        let lines = [(line, (&mut values[..], &mut places[..]))];
        find_in::<f32, I>(lines.into_iter(), [line.len(), width], wanted, keys, 2).unwrap();
        (values.into_iter().map(f32::to_bits).collect(), places)
    }

    #[test]
    fn what_is_wanted_stands_at_its_place_of_the_sorted_line() {
        for length in [1, 2, 63, 128, 129, 1000, 7000] {
            let line = line(length);
            for descending in [false, true] {
                let mut order: Vec<usize> = (0..length).collect();
                order.sort_by_key(|&place| {
                    let x = line[place];
                    (x.is_nan(), if descending { -x as i64 } else { x as i64 })
                });
                let bits: Vec<u32> = order.iter().map(|&place| line[place].to_bits()).collect();
                let order: Vec<i64> = order.iter().map(|&place| place as i64).collect();
                for width in [1, 2, 5, 64, 100, 800, length] {
                    let width = width.min(length);
                    let expected = (bits[..width].to_vec(), order[..width].to_vec());
                    let wanted = Wanted::First { descending };
                    let case = format!("{width} of {length}, descending {descending}");
                    assert_eq!(find::<u64>(&line, wanted, width), expected, "{case}");
                    // What a line needs whose places do not fit half of u64.
                    assert_eq!(find::<u128>(&line, wanted, width), expected, "{case}");
                }
                if !descending {
                    let place = length * 2 / 3;
                    let expected = (vec![bits[place]], vec![order[place]]);
                    assert_eq!(find::<u64>(&line, Wanted::Nth(place), 1), expected);
                }
            }
        }
    }
}
