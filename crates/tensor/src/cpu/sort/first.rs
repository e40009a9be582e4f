//! The first few items of a line, without a list of all.

use pulp::{Simd, WithSimd};

use super::item::{Item, Keys, Ordered, fill};
use crate::cpu::lanes::dispatch;

/// Elements that are looked at together.
const CHUNK: usize = 64;

/// Items that are kept at most, between two chunks.
fn most(count: usize) -> usize {
    2 * count.next_multiple_of(CHUNK)
}

/// The items that [`find_first`] needs memory for.
pub(super) fn room(count: usize) -> usize {
    most(count) + CHUNK
}

/// The first `count` items of a line, in no order, at the beginning of `items`, which has
/// [`room`] for a few times as many.
///
/// What may be among them is collected until there is twice too much. Then only the first are kept,
/// and what follows has to come before the last of those: soon hardly anything does.
pub(super) fn find_first<'a, T: Ordered + Sync, I: Item>(
    line: &[T],
    count: usize,
    keys: Keys,
    items: &'a mut [I],
) -> &'a mut [I] {
    let start = most(count).min(line.len());
    fill(&mut items[..start], line, keys);
    dispatch(FindFirst {
        line,
        start,
        count,
        keys,
        items,
    });
    &mut items[..count]
}

struct FindFirst<'a, T, I> {
    line: &'a [T],
    /// Elements whose items are there already.
    start: usize,
    count: usize,
    keys: Keys,
    items: &'a mut [I],
}

impl<T: Ordered, I: Item> FindFirst<'_, T, I> {
    /// Brings the first of so many items to the front, and returns the key of the last of those.
    fn keep_first(&mut self, found: usize) -> T::Key {
        let last = *self.items[..found].select_nth_unstable(self.count - 1).1;
        self.keys.key(self.line[last.place()])
    }
}

impl<T: Ordered, I: Item> WithSimd for FindFirst<'_, T, I> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let mut found = self.count;
        let mut last = self.keep_first(self.start);
        let (line, start) = (self.line, self.start);
        for (chunk, first) in line[start..].chunks(CHUNK).zip((start..).step_by(CHUNK)) {
            // What has the same key has a later place. Without an early end the loop has no branch,
            // and the compiler finds the registers itself.
            if !chunk
                .iter()
                .fold(false, |any, &x| any | (self.keys.key(x) < last))
            {
                continue;
            }
            for (&x, place) in chunk.iter().zip(first..) {
                if self.keys.key(x) < last {
                    self.items[found] = self.keys.item(x, place);
                    found += 1;
                }
            }
            if found > most(self.count) {
                last = self.keep_first(found);
                found = self.count;
            }
        }
        self.keep_first(found);
    }
}
