//! Order along the last axis: sorting and selecting, line by line.
//!
//! A line is a list of pairs (element, place). Comparing elements, then places, is a total order
//! without equals, so the result is stable and the same for every algorithm and number of threads.

use std::cmp::Ordering;

use rayon::slice::ParallelSliceMut;

use super::parallel::map_pieces;
use crate::element::Number;
use crate::storage::room_for;

/// An element and its place on its line.
pub(crate) type Pair<T> = (T, i64);

/// Up to this many first pairs are found one by one …
const FEW: usize = 32;
/// … among at least so many times as many.
const AMONG: usize = 16;
/// Pairs that are worth more than one thread.
const MANY: usize = 16 * 1024;

/// Whether a number has no order, even with itself.
fn is_nan<T: Number>(x: T) -> bool {
    x.partial_cmp(&x).is_none()
}

/// The order of two numbers that are not NaN.
#[inline(always)]
fn ascending<T: Number>(a: T, b: T) -> Ordering {
    if a < b {
        Ordering::Less
    } else if b < a {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}

/// The order of two pairs without NaN.
#[inline(always)]
fn order<T: Number>(descending: bool) -> impl Fn(&Pair<T>, &Pair<T>) -> Ordering + Copy {
    move |a, b| {
        let (first, second) = if descending { (b, a) } else { (a, b) };
        ascending(first.0, second.0).then(a.1.cmp(&b.1))
    }
}

/// Writes the pairs of a line, those with NaN last, and returns the number of those without.
pub(crate) fn pairs<T: Number>(line: &[T], pairs: &mut Vec<Pair<T>>) -> usize {
    pairs.clear();
    let numbered = || line.iter().copied().zip(0..);
    pairs.extend(numbered().filter(|pair| !is_nan(pair.0)));
    let numbers = pairs.len();
    if numbers < line.len() {
        pairs.extend(numbered().filter(|pair| is_nan(pair.0)));
    }
    numbers
}

/// Sorts pairs of which the first `numbers` are not NaN, and the others stand last already.
pub(crate) fn sort<T: Number>(pairs: &mut [Pair<T>], numbers: usize, descending: bool) {
    let pairs = &mut pairs[..numbers];
    if numbers < MANY || rayon::current_num_threads() == 1 {
        pairs.sort_unstable_by(order(descending));
    } else {
        pairs.par_sort_unstable_by(order(descending));
    }
}

/// Brings the first `k` pairs of the order to the front, sorted. Of the other numbers some may be lost;
/// what is NaN stays last.
pub(crate) fn sort_first<T: Number>(
    pairs: &mut [Pair<T>],
    numbers: usize,
    k: usize,
    descending: bool,
) {
    let k = k.min(numbers);
    if k > 0 && k <= FEW && AMONG * k <= numbers {
        return insert_first(&mut pairs[..numbers], k, descending);
    }
    if k < numbers {
        pairs[..numbers].select_nth_unstable_by(k, order(descending));
    }
    sort(pairs, k, descending);
}

/// The same for few: hardly any of the others comes before the last of the first so far.
fn insert_first<T: Number>(pairs: &mut [Pair<T>], k: usize, descending: bool) {
    let order = order(descending);
    let (first, others) = pairs.split_at_mut(k);
    first.sort_unstable_by(order);
    for pair in others {
        if order(pair, &first[k - 1]).is_lt() {
            let place = first.partition_point(|before| order(before, pair).is_lt());
            first[place..].rotate_right(1);
            first[place] = *pair;
        }
    }
}

/// Moves the pair at place `k` of the order there, and returns it.
pub(crate) fn nth<T: Number>(pairs: &mut [Pair<T>], numbers: usize, k: usize) -> Pair<T> {
    if k < numbers {
        pairs[..numbers].select_nth_unstable_by(k, order(false));
    }
    pairs[k]
}

/// Calls `work(line, its values, its places)` for each line of `length` elements, with `width`
/// results each, on several threads where there are many; none where memory has no room for the
/// pairs of a line.
pub(crate) fn for_each_line<T: Number>(
    lines: &[T],
    length: usize,
    values: &mut [T],
    places: &mut [i64],
    width: usize,
    work: impl Fn(&mut [Pair<T>], usize, &mut [T], &mut [i64]) + Sync,
) -> Option<()> {
    if values.is_empty() {
        return Some(());
    }
    // Whole lines, enough of them to be worth a thread.
    let lot = (MANY / length).max(1);
    let arrange = |((values, places), lines): ((&mut [T], &mut [i64]), &[T])| {
        let mut scratch = room_for(length)?;
        let results = values.chunks_mut(width).zip(places.chunks_mut(width));
        for (line, (values, places)) in lines.chunks(length).zip(results) {
            let numbers = pairs(line, &mut scratch);
            work(&mut scratch, numbers, values, places);
        }
        Some(())
    };
    let values = values.chunks_mut(lot * width);
    let places = places.chunks_mut(lot * width);
    let lots = values.zip(places).zip(lines.chunks(lot * length));
    map_pieces(lots, arrange).into_iter().collect()
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

    #[test]
    fn first_pairs_are_those_of_the_sorted_line() {
        let line: Vec<f32> = (0..700_u32)
            .map(|place| match place * 7919 % 31 {
                30 => f32::NAN,
                x => x as f32 - 15.0,
            })
            .collect();
        for descending in [false, true] {
            let mut sorted = Vec::new();
            let numbers = pairs(&line, &mut sorted);
            sort(&mut sorted, numbers, descending);
            for k in [0, 1, 2, 5, FEW, FEW + 1, 100, numbers, line.len()] {
                let mut found = Vec::new();
                pairs(&line, &mut found);
                sort_first(&mut found, numbers, k, descending);
                let k = k.min(numbers);
                assert_eq!(found[..k], sorted[..k], "{k}, descending {descending}");
            }
        }
    }
}
