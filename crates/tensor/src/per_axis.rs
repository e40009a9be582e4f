//! `PerAxis`: a list with one number for each axis.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Numbers, one for each axis; up to four need no allocation.
///
/// It is a slice for all purposes. Every small operation copies some of these, so they are made to
/// be copied: all four places at once, used or not, because a copy of whole registers does not have
/// to wait until shorter writes before it have reached the cache.
#[derive(Clone)]
pub struct PerAxis<T>(Numbers<T>);

#[derive(Clone)]
enum Numbers<T> {
    Few { length: usize, places: [T; 4] },
    Many(Vec<T>),
}

impl<T: Copy + Default> PerAxis<T> {
    /// No numbers.
    pub fn new() -> Self {
        Self::from_slice(&[])
    }

    /// A copy of a slice.
    #[inline]
    pub fn from_slice(numbers: &[T]) -> Self {
        let none = T::default();
        let places = match *numbers {
            [] => [none; 4],
            [a] => [a, none, none, none],
            [a, b] => [a, b, none, none],
            [a, b, c] => [a, b, c, none],
            [a, b, c, d] => [a, b, c, d],
            _ => return Self(Numbers::Many(numbers.to_vec())),
        };
        let length = numbers.len();
        Self(Numbers::Few { length, places })
    }

    /// The same number `length` times.
    pub fn from_elem(number: T, length: usize) -> Self {
        match length {
            0..=4 => Self(Numbers::Few {
                length,
                places: [number; 4],
            }),
            _ => Self(Numbers::Many(vec![number; length])),
        }
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
            Numbers::Few { length, places } if *length < places.len() => {
                places.copy_within(place..*length, place + 1);
                places[place] = number;
                *length += 1;
            }
            Numbers::Few { places, .. } => {
                let mut numbers = places.to_vec();
                numbers.insert(place, number);
                self.0 = Numbers::Many(numbers);
            }
            Numbers::Many(numbers) => numbers.insert(place, number),
        }
    }

    /// Takes out the number at place `place`.
    ///
    /// # Panics
    /// The place must be below the length.
    pub fn remove(&mut self, place: usize) -> T {
        let removed = self[place];
        match &mut self.0 {
            Numbers::Few { length, places } => {
                places.copy_within(place + 1..*length, place);
                *length -= 1;
            }
            Numbers::Many(numbers) => drop(numbers.remove(place)),
        }
        removed
    }
}

impl<T> Deref for PerAxis<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.0 {
            Numbers::Few { length, places } => &places[..*length],
            Numbers::Many(numbers) => numbers,
        }
    }
}

impl<T> DerefMut for PerAxis<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Numbers::Few { length, places } => &mut places[..*length],
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
    fn it_does_what_a_vector_does_on_both_sides_of_four() {
        let mut vector = Vec::new();
        let mut list = PerAxis::new();
        for number in 0..7_usize {
            let place = number / 2;
            vector.insert(place, number);
            list.insert(place, number);
            assert_eq!(list[..], vector[..]);
            assert_eq!(list, vector.iter().copied().collect());
            assert_eq!(list, PerAxis::from_slice(&vector));
        }
        for place in [6, 0, 2, 3, 1, 1, 0] {
            assert_eq!(list.remove(place), vector.remove(place));
            assert_eq!(list[..], vector[..]);
        }
        assert!(list.is_empty());
    }

    #[test]
    fn equal_numbers_are_equal_however_they_came_about() {
        let mut shrunk = PerAxis::from_slice(&[1, 2, 3, 4, 5]);
        shrunk.remove(4);
        assert_eq!(shrunk, PerAxis::from_slice(&[1, 2, 3, 4]));
        assert_eq!(PerAxis::from_elem(7, 2), PerAxis::from_slice(&[7, 7]));
        assert_eq!(format!("{:?}", PerAxis::from_elem(7, 5)), "[7, 7, 7, 7, 7]");
    }
}
