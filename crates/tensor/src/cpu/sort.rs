//! Order along the last axis: sorting and selecting, line by line.
//!
//! A line is a list of pairs (element, place). Comparing elements, then places, is a total order
//! without equals, so the result is stable and the same for every algorithm and number of threads.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::element::Number;
use crate::storage::room_for;

/// An element and its place on its line.
pub(crate) type Pair<T> = (T, i64);

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

/// Moves the first `k` pairs of the order to the front, sorted.
pub(crate) fn sort_first<T: Number>(
    pairs: &mut [Pair<T>],
    numbers: usize,
    k: usize,
    descending: bool,
) {
    let k = k.min(numbers);
    if k < numbers {
        pairs[..numbers].select_nth_unstable_by(k, order(descending));
    }
    sort(pairs, k, descending);
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
    if lines.len() <= lot * length {
        arrange(((values, places), lines))
    } else {
        let values = values.par_chunks_mut(lot * width);
        let places = places.par_chunks_mut(lot * width);
        let lines = lines.par_chunks(lot * length);
        values.zip(places).zip(lines).try_for_each(arrange)
    }
}

/// The number of elements of a sorted vector that stand before `value`: those less than it, or
/// with `right` those equal to it as well. NaN stands last.
pub(crate) fn rank<T: Number>(sorted: &[T], value: T, right: bool) -> usize {
    let nan_last = |a: T, b: T| {
        let by_nan = || is_nan(a).cmp(&is_nan(b));
        a.partial_cmp(&b).unwrap_or_else(by_nan)
    };
    sorted.partition_point(|&element| match nan_last(element, value) {
        Ordering::Less => true,
        Ordering::Equal => right,
        Ordering::Greater => false,
    })
}
