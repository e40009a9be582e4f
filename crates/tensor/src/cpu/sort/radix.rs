//! Sorting items by the bytes of their keys.

use std::mem::swap;

use super::item::Item;
use crate::cpu::parallel::{PIECE, for_each_piece, map_pieces};

/// So few are sorted by comparisons.
const FEW: usize = 256;
/// Items that are worth a thread of their own …
const MANY: usize = 16 * 1024;
/// … if they are sorted by so many bytes. With two, merging took longer than two threads saved.
const WORTH_MERGING: usize = 3;

/// How often each value of a byte occurs, or where the next item with that value goes.
type Counts = [usize; 256];

/// Whether so many items are sorted with as many to spare.
pub(super) const fn needs_spare(count: usize) -> bool {
    count >= FEW
}

/// Sorts items that stand in the order of their places, on so many threads at most. The result is in one
/// of the two slices, of which the second one has as many items if they are [needed](needs_spare).
pub(super) fn sort<'a, I: Item>(
    mut items: &'a mut [I],
    mut spare: &'a mut [I],
    threads: usize,
) -> &'a mut [I] {
    if !needs_spare(items.len()) {
        items.sort_unstable();
        return items;
    }
    if items.is_sorted() {
        return items;
    }
    let bytes = differing_bytes(items);
    // Each thread sorts a run. How many runs there are does not show in the result.
    let mut run = items.len();
    if bytes.len() >= WORTH_MERGING {
        run = run.div_ceil(threads).max(MANY);
    }
    let pieces = items.chunks_mut(run).zip(spare.chunks_mut(run));
    map_pieces(pieces, |(items, spare)| sort_by_bytes(items, spare, &bytes));
    if bytes.len() % 2 == 1 {
        swap(&mut items, &mut spare);
    }
    while run < items.len() {
        for (two, to) in items.chunks(2 * run).zip(spare.chunks_mut(2 * run)) {
            let (a, b) = two.split_at(run.min(two.len()));
            merge(a, b, to);
        }
        swap(&mut items, &mut spare);
        run *= 2;
    }
    items
}

/// The bytes of the keys that are not the same in all items, from the least significant one on.
fn differing_bytes<I: Item>(items: &[I]) -> Vec<usize> {
    let Some(&first) = items.first() else {
        return Vec::new();
    };
    let differ = |item: &I| item.key() ^ first.key();
    let bits = items.iter().map(differ).fold(0, |bits, more| bits | more);
    let bytes = 0..I::KEY_BYTES;
    bytes
        .filter(|byte| bits >> (8 * byte) & 0xff != 0)
        .collect()
}

/// Sorts by the least significant byte, then by the next one, and so on: each time from one slice to
/// the other, and items with equal bytes stay in their order.
fn sort_by_bytes<I: Item>(items: &mut [I], spare: &mut [I], bytes: &[usize]) {
    let mut all_counts = [[0; 256]; 8];
    for item in items.iter() {
        for (&byte, counts) in bytes.iter().zip(&mut all_counts) {
            counts[usize::from(item.key_byte(byte))] += 1;
        }
    }
    let (mut from, mut to) = (items, spare);
    for (&byte, counts) in bytes.iter().zip(&all_counts) {
        let mut next = first_places(counts);
        for &item in from.iter() {
            let next = &mut next[usize::from(item.key_byte(byte))];
            to[*next] = item;
            *next += 1;
        }
        swap(&mut from, &mut to);
    }
}

/// Where the items with each value begin.
fn first_places(counts: &Counts) -> Counts {
    let mut before = 0;
    counts.map(|count| {
        before += count;
        before - count
    })
}

/// Merges two sorted runs, each thread pieces of the result.
fn merge<I: Item>(a: &[I], b: &[I], output: &mut [I]) {
    for_each_piece(output, PIECE, |start, piece| {
        let from_a = share_of_first(a, b, start);
        let (mut a, mut b) = (&a[from_a..], &b[start - from_a..]);
        for to in piece {
            let taken = match (a, b) {
                ([x, ..], [y, ..]) if x < y => &mut a,
                ([_, ..], []) => &mut a,
                _ => &mut b,
            };
            if let Some((&first, others)) = taken.split_first() {
                (*to, *taken) = (first, others);
            }
        }
    });
}

/// How many of the first `count` items of two merged runs come from the first one.
fn share_of_first<I: Item>(a: &[I], b: &[I], count: usize) -> usize {
    let (mut least, mut most) = (count.saturating_sub(b.len()), count.min(a.len()));
    while least < most {
        let middle = (least + most) / 2;
        if a[middle] < b[count - middle - 1] {
            least = middle + 1;
        } else {
            most = middle;
        }
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern, of which many are equal where there are few `values`.
    fn items<I: Item>(count: usize, values: u64) -> Vec<I> {
        let mix = |place: u64| (place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % values;
        (0..count)
            .map(|place| I::new(mix(place as u64 + 7), place))
            .collect()
    }

    fn check<I: Item>(mut found: Vec<I>, case: &str) {
        let mut expected = found.clone();
        expected.sort_unstable();
        let mut spare = found.clone();
        let threads = rayon::current_num_threads();
        assert!(*sort(&mut found, &mut spare, threads) == expected, "{case}");
    }

    #[test]
    fn items_are_sorted_on_any_number_of_threads() {
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| {
                for count in [0, 1, FEW - 1, FEW, 5000, 2 * MANY, 4 * MANY + 1, 150_001] {
                    for values in [1, 2, 300, 70_000, 1 << 32] {
                        let case = format!("{count} of {values}, {threads} threads");
                        check::<u64>(items(count, values), &case);
                        check::<u128>(items(count, values), &case);
                    }
                }
            });
        }
    }

    #[test]
    fn a_place_in_two_runs_is_found() {
        let a: Vec<u64> = vec![1, 4, 5, 9];
        let b: Vec<u64> = vec![2, 3, 10];
        let shares: Vec<usize> = (0..=7).map(|count| share_of_first(&a, &b, count)).collect();
        assert_eq!(shares, [0, 1, 1, 1, 2, 3, 4, 4]);
        assert_eq!(share_of_first(&a, &[], 3), 3);
        assert_eq!(share_of_first(&[], &b, 2), 0);
    }
}
