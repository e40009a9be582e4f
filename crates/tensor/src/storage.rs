//! The memory behind tensors: shared, and recycled when the last handle is gone.
//!
//! A fresh page of memory costs 5 to 8 times the arithmetic that fills it, because the system has
//! to find and clear it first. So a buffer that nobody uses any more goes to a [`Pool`], and the
//! next tensor of about its size takes it from there. A recycled buffer holds old numbers: every
//! kernel writes its whole output.
//!
//! Tensors of up to [`FEW`] elements (a loss, a bias, a batch of labels' counts) never meet the
//! pool: their elements stand in the reference-counted block itself, one allocation in all. The block
//! has room for [`FEW`] whatever the tensor needs, so that a loop over whole registers may write
//! past the last element. Up to 64 have a buffer of their own, but not from the pool either.

use std::sync::Arc;

use crate::device::{Device, Memory};
use crate::element::Element;

mod pool;

pub use pool::memory;
pub(crate) use pool::{Pool, Shelf, room_for};

/// Elements that are kept without a buffer: the widest register of the shortest float.
pub(crate) const FEW: usize = 16;

/// Where a tensor's elements are: one word, because tensors are moved more often than anything else.
#[derive(Clone, Debug)]
pub(crate) struct Storage<T: Element>(Arc<Block<T>>);

#[derive(Debug)]
enum Block<T: Element> {
    /// In main memory, few of them.
    Few([T; FEW]),
    /// In main memory.
    Many(Buffer<T>),
    /// In the memory of an accelerator.
    Accelerator(Remote),
}

impl<T: Element> Storage<T> {
    /// New elements in main memory, all of which `write` must write, and what it returns; none
    /// where memory has no room for them.
    #[inline]
    pub(crate) fn write<R>(count: usize, write: impl FnOnce(&mut [T]) -> R) -> Option<(Self, R)> {
        let (block, written);
        if count <= FEW {
            let mut elements = [T::default(); FEW];
            written = write(&mut elements[..count]);
            block = Arc::new(Block::Few(elements));
        } else {
            let mut buffer = Buffer::try_with_count(count)?;
            written = write(&mut buffer.as_mut_slice()[..count]);
            block = Arc::new(Block::Many(buffer));
        }
        Some((Self(block), written))
    }

    /// A copy of elements, for which there was room once; where there is none any more, the program
    /// ends, as it does with a vector.
    pub(crate) fn copy(elements: &[T]) -> Self {
        match Self::write(elements.len(), |to| to.copy_from_slice(elements)) {
            Some((storage, ())) => storage,
            None => Self::from_vec(elements.to_vec()),
        }
    }

    /// A vector's elements, without copying.
    pub(crate) fn from_vec(elements: Vec<T>) -> Self {
        Self(Arc::new(Block::Many(Buffer::from_vec(elements))))
    }

    /// What a kernel of an accelerator returned.
    pub(crate) fn on(device: Device, memory: Memory) -> Self {
        Self(Arc::new(Block::Accelerator(Remote { memory, device })))
    }

    /// The elements, where they are in main memory.
    #[inline]
    pub(crate) fn elements(&self) -> Option<&[T]> {
        match &*self.0 {
            Block::Few(elements) => Some(elements),
            Block::Many(buffer) => Some(buffer.as_slice()),
            Block::Accelerator(_) => None,
        }
    }

    /// The same for writing, where nobody shares them.
    #[inline]
    pub(crate) fn elements_mut(&mut self) -> Option<&mut [T]> {
        match Arc::get_mut(&mut self.0)? {
            Block::Few(elements) => Some(elements),
            Block::Many(buffer) => Some(buffer.as_mut_slice()),
            Block::Accelerator(_) => None,
        }
    }

    /// The first `count` elements as a vector, without copying; none where they are shared, or not
    /// in a buffer of their own.
    pub(crate) fn into_vec(self, count: usize) -> Result<Vec<T>, Self> {
        match Arc::try_unwrap(self.0) {
            Ok(Block::Many(buffer)) => Ok(buffer.into_vec(count)),
            Ok(block) => Err(Self(Arc::new(block))),
            Err(shared) => Err(Self(shared)),
        }
    }

    /// Where they are, if it is not main memory.
    pub(crate) fn remote(&self) -> Option<&Remote> {
        match &*self.0 {
            Block::Few(_) | Block::Many(_) => None,
            Block::Accelerator(remote) => Some(remote),
        }
    }
}

/// Elements in the memory of an accelerator.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) memory: Memory,
    pub(crate) device: Device,
}

/// Elements in main memory; the buffer may be longer than the tensor that holds it.
#[derive(Debug)]
pub(crate) struct Buffer<T: Element>(Vec<T>);

impl<T: Element> Buffer<T> {
    /// Room for `count` elements of any value, for as many as there are in memory already: where
    /// there is none, the program ends, as it does with a vector.
    pub(crate) fn with_count(count: usize) -> Self {
        Self::try_with_count(count).unwrap_or_else(|| Self::from_vec(vec![T::default(); count]))
    }

    /// Room for `count` elements of any value, where there is any.
    pub(crate) fn try_with_count(count: usize) -> Option<Self> {
        pool::take(count).map(Self)
    }

    /// A buffer that takes over a vector, without copying.
    fn from_vec(elements: Vec<T>) -> Self {
        pool::adopt(&elements);
        Self(elements)
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        &self.0
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.0
    }

    /// The first `count` elements as a vector, without copying.
    fn into_vec(mut self, count: usize) -> Vec<T> {
        // An empty vector is left behind for the pool.
        let mut elements = std::mem::take(&mut self.0);
        pool::let_go(&elements);
        elements.truncate(count);
        elements
    }
}

impl<T: Element> Drop for Buffer<T> {
    fn drop(&mut self) {
        pool::put(std::mem::take(&mut self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_memory_has_room_for_is_not_counted_as_used() {
        for count in [isize::MAX as usize / 8, isize::MAX as usize / 16] {
            assert!(Buffer::<f64>::try_with_count(count).is_none());
        }
        assert!(memory::used() < isize::MAX as usize / 16);
    }

    #[test]
    fn a_dropped_buffer_is_used_again() {
        // A length no other test uses, so that this test owns its class.
        let first = Buffer::<f64>::with_count(77_777);
        let address = first.as_slice().as_ptr();
        drop(first);
        let second = Buffer::<f64>::with_count(77_700);
        assert_eq!(second.as_slice().as_ptr(), address);
    }

    #[test]
    fn a_vector_of_any_length_can_be_recycled_and_is_long_enough() {
        for length in [16, 17, 31, 100, 1025] {
            Buffer::from_vec(vec![1i64; length]);
            assert!(Buffer::<i64>::with_count(length).as_slice().len() >= length);
        }
    }
}
