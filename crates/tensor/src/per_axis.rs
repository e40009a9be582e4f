//! `PerAxis`: a list with one number for each axis.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Numbers, one for each axis; up to five need no allocation.
///
/// It is a slice for all purposes.
#[derive(Clone)]
pub struct PerAxis<T>(Numbers<T>);

#[derive(Clone)]
enum Numbers<T> {
    Few(Few<T>),
    Many(Vec<T>),
}

/// Numbers that a [`Few`] has room for.
const PLACES: usize = 5;

/// Up to [`PLACES`] numbers.
///
/// Every small operation copies some of these, so they are made to be copied: all places at once,
/// used or not, because a copy of whole registers does not have to wait until shorter writes before
/// it have reached the cache. Length and places fill three registers of 16 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Few<T> {
    length: Length,
    places: [T; PLACES],
}

/// A number up to [`PLACES`], in a type that tells the compiler so: whatever holds a [`Few`] or
/// something else needs no room to say which.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Length {
    Zero,
    One,
    Two,
    Three,
    Four,
    Five,
}

impl Length {
    #[inline]
    fn new(length: usize) -> Option<Self> {
        use Length::{Five, Four, One, Three, Two, Zero};
        [Zero, One, Two, Three, Four, Five].get(length).copied()
    }
}

impl<T: Copy + Default> Few<T> {
    /// A copy of a slice, if it is not too long.
    #[inline]
    pub(crate) fn from_slice(numbers: &[T]) -> Option<Self> {
        let length = Length::new(numbers.len())?;
        let none = T::default();
        let places = match *numbers {
            [a] => [a, none, none, none, none],
            [a, b] => [a, b, none, none, none],
            [a, b, c] => [a, b, c, none, none],
            [a, b, c, d] => [a, b, c, d, none],
            [a, b, c, d, e] => [a, b, c, d, e],
            _ => [none; PLACES],
        };
        Some(Self { length, places })
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &self.places[..self.length as usize]
    }
}

impl<T> DerefMut for Few<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.places[..self.length as usize]
    }
}

impl<T: Copy + Default> PerAxis<T> {
    /// No numbers.
    pub fn new() -> Self {
        Self::from_slice(&[])
    }

    /// A copy of a slice.
    #[inline]
    pub fn from_slice(numbers: &[T]) -> Self {
        Self(match Few::from_slice(numbers) {
            Some(few) => Numbers::Few(few),
            None => Numbers::Many(numbers.to_vec()),
        })
    }

    /// The same number `length` times.
    pub fn from_elem(number: T, length: usize) -> Self {
        Self(match Length::new(length) {
            Some(length) => Numbers::Few(Few {
                length,
                places: [number; PLACES],
            }),
            None => Numbers::Many(vec![number; length]),
        })
    }

    /// Adds a number at the end.
    pub fn push(&mut self, number: T) {
        self.insert(self.len(), number);
    }

    /// Adds a number before place `place`.
    ///
    /// # Panics
    /// The place must be at most the length.
    pub fn insert(&mut self, place: usize, number: T) {
        match &mut self.0 {
            Numbers::Few(few) => {
                let length = few.len();
                if let Some(longer) = Length::new(length + 1) {
                    few.places.copy_within(place..length, place + 1);
                    few.places[place] = number;
                    few.length = longer;
                } else {
                    let mut numbers = few.to_vec();
                    numbers.insert(place, number);
                    self.0 = Numbers::Many(numbers);
                }
            }
            Numbers::Many(numbers) => numbers.insert(place, number),
        }
    }

    /// Takes out the number at place `place`.
    ///
    /// # Panics
    /// The place must be below the length.
    pub fn remove(&mut self, place: usize) -> T {
        match &mut self.0 {
            Numbers::Few(few) => {
                let (removed, length) = (few[place], few.len());
                few.places.copy_within(place + 1..length, place);
                few.length = Length::new(length - 1).unwrap_or(Length::Zero);
                removed
            }
            Numbers::Many(numbers) => numbers.remove(place),
        }
    }
}

impl<T> Deref for PerAxis<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.0 {
            Numbers::Few(few) => few,
            Numbers::Many(numbers) => numbers,
        }
    }
}

impl<T> DerefMut for PerAxis<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Numbers::Few(few) => few,
            Numbers::Many(numbers) => numbers,
        }
    }
}

impl<T> AsRef<[T]> for PerAxis<T> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T: Copy + Default> Default for PerAxis<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Copy + Default> From<&[T]> for PerAxis<T> {
    fn from(numbers: &[T]) -> Self {
        Self::from_slice(numbers)
    }
}

impl<T: Copy + Default> Extend<T> for PerAxis<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, numbers: I) {
        numbers.into_iter().for_each(|number| self.push(number));
    }
}

impl<T: Copy + Default> FromIterator<T> for PerAxis<T> {
    fn from_iter<I: IntoIterator<Item = T>>(numbers: I) -> Self {
        let mut collected = Self::new();
        collected.extend(numbers);
        collected
    }
}

impl<'a, T> IntoIterator for &'a PerAxis<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq> PartialEq for PerAxis<T> {
    /// Unused places do not count.
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for PerAxis<T> {}

impl<T: fmt::Debug> fmt::Debug for PerAxis<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_what_a_vector_does_on_both_sides_of_its_places() {
        let mut vector = Vec::new();
        let mut list = PerAxis::new();
        for number in 0..8_usize {
            let place = number / 2;
            vector.insert(place, number);
            list.insert(place, number);
            assert_eq!(list[..], vector[..]);
            assert_eq!(list, vector.iter().copied().collect());
            assert_eq!(list, PerAxis::from_slice(&vector));
        }
        for place in [7, 6, 0, 2, 3, 1, 1, 0] {
            assert_eq!(list.remove(place), vector.remove(place));
            assert_eq!(list[..], vector[..]);
        }
        assert!(list.is_empty());
    }

    #[test]
    fn equal_numbers_are_equal_however_they_came_about() {
        let mut shrunk = PerAxis::from_slice(&[1, 2, 3, 4, 5, 6]);
        shrunk.remove(5);
        assert_eq!(shrunk, PerAxis::from_slice(&[1, 2, 3, 4, 5]));
        assert_eq!(PerAxis::from_elem(7, 2), PerAxis::from_slice(&[7, 7]));
        assert_eq!(format!("{:?}", PerAxis::from_elem(7, 5)), "[7, 7, 7, 7, 7]");
    }
}
