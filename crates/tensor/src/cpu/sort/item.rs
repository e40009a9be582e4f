//! Numbers as integers of the same order, joined with their places.
//!
//! Comparing keys, then places, is a total order without equals: sorting is stable, and its result is
//! the same for every algorithm and number of threads. It is also the order of one integer that has the
//! key in its upper half and the place in its lower half.

use crate::cpu::parallel::{PIECE, for_each_piece};
use crate::storage::room_for;

/// A number with a key: an integer that orders as the number does.
pub trait Ordered: Copy {
    /// An integer with as many bits as the number.
    #[doc(hidden)]
    type Key: Copy + Ord + Into<u64>;

    /// The key of the number, in ascending or descending order. Of floats both zeros have one key,
    /// and all NaN the largest one, in either order.
    #[doc(hidden)]
    fn key(self, descending: bool) -> Self::Key;
}

macro_rules! ordered_floats {
    ($($T:ident: $Signed:ident $Unsigned:ident;)*) => {$(
        impl Ordered for $T {
            type Key = $Unsigned;

            #[inline(always)]
            fn key(self, descending: bool) -> $Unsigned {
                // −0 + 0 = 0.
                let bits = (self + 0.0).to_bits() as $Signed;
                // Of negative numbers the larger have the smaller bits.
                let flipped = bits ^ (bits >> ($Signed::BITS - 1) | $Signed::MIN);
                let key = (flipped ^ -$Signed::from(descending)) as $Unsigned;
                if self.is_nan() { $Unsigned::MAX } else { key }
            }
        }
    )*};
}
ordered_floats!(
    f32: i32 u32;
    f64: i64 u64;
);

impl Ordered for i64 {
    type Key = u64;

    #[inline(always)]
    fn key(self, descending: bool) -> u64 {
        (self ^ i64::MIN ^ -i64::from(descending)) as u64
    }
}

/// A key and a place in one integer.
pub(super) trait Item: Copy + Ord + Default + Send + Sync {
    /// The bytes of a key.
    const KEY_BYTES: usize;

    /// Joins a key and a place, of which each has its half.
    fn new(key: u64, place: usize) -> Self;
    /// The place.
    fn place(self) -> usize;
    /// The key.
    fn key(self) -> u64;
    /// A byte of the key, the least significant one being number 0.
    fn key_byte(self, number: usize) -> u8;
}

macro_rules! item {
    ($($T:ident)*) => {$(
        impl Item for $T {
            const KEY_BYTES: usize = size_of::<$T>() / 2;

            #[inline(always)]
            fn new(key: u64, place: usize) -> Self {
                $T::from(key) << ($T::BITS / 2) | place as $T
            }

            #[inline(always)]
            fn place(self) -> usize {
                (self & ($T::MAX >> ($T::BITS / 2))) as usize
            }

            #[inline(always)]
            fn key(self) -> u64 {
                (self >> ($T::BITS / 2)) as u64
            }

            #[inline(always)]
            fn key_byte(self, number: usize) -> u8 {
                (self >> ($T::BITS as usize / 2 + 8 * number)) as u8
            }
        }
    )*};
}
item!(u64 u128);

/// How the elements of some lines become items.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    descending: bool,
    /// Keys are counted from here.
    least: u64,
}

impl Keys {
    /// For items of `u128`, which hold any key and any place.
    pub(super) fn wide(descending: bool) -> Self {
        Self {
            descending,
            least: 0,
        }
    }

    /// For items of `u64`, where keys and places of lines of this length fit: those of `f32`, and of
    /// longer numbers that lie close together, as labels do.
    pub(super) fn narrow<T: Ordered>(lines: &[T], length: usize, descending: bool) -> Option<Self> {
        if length as u64 > 1 << 32 {
            return None;
        }
        if size_of::<T::Key>() <= 4 {
            return Some(Self::wide(descending));
        }
        let (mut least, mut most) = (u64::MAX, 0);
        // Mostly it shows soon that they do not.
        for some in lines.chunks(64) {
            for x in some {
                let key = x.key(descending).into();
                (least, most) = (least.min(key), most.max(key));
            }
            if most - least >= 1 << 32 {
                return None;
            }
        }
        Some(Self { descending, least })
    }

    /// The key of an element, from which items do not count.
    #[inline(always)]
    pub(super) fn key<T: Ordered>(self, x: T) -> T::Key {
        x.key(self.descending)
    }

    /// The item of an element.
    #[inline(always)]
    pub(super) fn item<T: Ordered, I: Item>(self, x: T, place: usize) -> I {
        I::new(self.key(x).into() - self.least, place)
    }
}

/// So many items of any value; none where memory has no room for them.
pub(super) fn items<I: Item>(count: usize) -> Option<Vec<I>> {
    let mut items = room_for(count)?;
    items.resize(count, I::default());
    Some(items)
}

/// Writes the items of a line.
pub(super) fn fill<T: Ordered + Sync, I: Item>(items: &mut [I], line: &[T], keys: Keys) {
    for_each_piece(items, PIECE, |start, items| {
        for ((item, &x), place) in items.iter_mut().zip(&line[start..]).zip(start..) {
            *item = keys.item(x, place);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn check<T: Ordered + PartialOrd + Debug>(ascending: &[T]) {
        for (place, &a) in ascending.iter().enumerate() {
            for &b in &ascending[place..] {
                assert_eq!(a.key(false) == b.key(false), a == b, "{a:?}, {b:?}");
                assert!(a.key(false) <= b.key(false), "{a:?}, {b:?}");
                assert!(a.key(true) >= b.key(true), "{a:?}, {b:?} descending");
            }
        }
    }

    #[test]
    fn keys_order_as_numbers_do() {
        check(&[i64::MIN, -256, -1, 0, 1, 255, i64::MAX]);
        let floats = [
            0.0,
            f32::from_bits(1),
            1e-40,
            1.0,
            1.5,
            f32::MAX,
            f32::INFINITY,
        ];
        let negative = floats.map(|x| -x).into_iter().rev();
        let all: Vec<f32> = negative.chain(floats).collect();
        check(&all);
        check(&all.iter().map(|&x| f64::from(x)).collect::<Vec<_>>());
        for nan in [f32::NAN, -f32::NAN, f32::from_bits(0x7f80_0001)] {
            for descending in [false, true] {
                assert_eq!(nan.key(descending), u32::MAX);
                assert!(all.iter().all(|x| x.key(descending) < u32::MAX));
                assert_eq!(f64::from(nan).key(descending), u64::MAX);
            }
        }
    }

    #[test]
    fn numbers_that_lie_close_together_have_narrow_items() {
        for (line, fits) in [
            (&[][..], true),
            (&[i64::MIN, i64::MIN + 5], true),
            (&[-1 << 31, (1 << 31) - 1], true),
            (&[-1 << 31, 1 << 31], false),
            (&[i64::MAX, 0, i64::MIN], false),
        ] {
            for descending in [false, true] {
                let narrow = Keys::narrow(line, line.len(), descending);
                assert_eq!(narrow.is_some(), fits, "{line:?}");
                let Some(keys) = narrow else { continue };
                let items: Vec<u64> = line.iter().map(|&x| keys.item(x, 0)).collect();
                assert_eq!(
                    items.is_sorted(),
                    !descending || line.is_empty(),
                    "{line:?}"
                );
            }
        }
        assert!(Keys::narrow(&[1.0, f64::NAN], 2, false).is_none());
        assert!(Keys::narrow(&[1.0_f32, f32::NAN], 2, false).is_some());
        assert!(Keys::narrow(&[1.0_f32], usize::MAX, false).is_none());
    }

    #[test]
    fn items_give_back_what_they_hold() {
        let item: u64 = Item::new(0x0102_0304, 0xffff_ffff);
        assert_eq!((item.key(), item.place()), (0x0102_0304, 0xffff_ffff));
        assert_eq!(
            [0, 1, 2, 3].map(|number| item.key_byte(number)),
            [4, 3, 2, 1]
        );
        let item: u128 = Item::new(u64::MAX - 1, usize::MAX);
        assert_eq!((item.key(), item.place()), (u64::MAX - 1, usize::MAX));
        assert_eq!([0, 7].map(|number| item.key_byte(number)), [254, 255]);
    }
}
