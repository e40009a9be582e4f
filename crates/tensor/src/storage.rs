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
//! past the last element. Up to [`SMALL`] have a buffer of their own, but not from the pool either.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::device::{Device, Memory};
use crate::element::Element;

/// Elements that are kept without a buffer: the widest register of the shortest float.
pub(crate) const FEW: usize = 16;

/// Elements up to which a buffer is the allocator's, which lends so few faster than a lock is taken.
const SMALL: usize = 64;

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
        take(count).map(Self)
    }

    /// A buffer that takes over a vector, without copying.
    fn from_vec(elements: Vec<T>) -> Self {
        T::shelf(&mut pool()).used += counted(&elements);
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
        T::shelf(&mut pool()).used -= counted(&elements);
        elements.truncate(count);
        elements
    }
}

impl<T: Element> Drop for Buffer<T> {
    fn drop(&mut self) {
        put(std::mem::take(&mut self.0));
    }
}

/// Recycled memory.
///
/// The pool is shared by all threads and bounded: it holds at most [`limit`] bytes (1 GiB unless
/// [`set_limit`] says otherwise); what is dropped beyond that goes back to the system at once, and
/// [`release`] gives back the rest.
///
/// [`limit`]: memory::limit
/// [`set_limit`]: memory::set_limit
/// [`release`]: memory::release
pub mod memory {
    use super::pool;

    /// Bytes in use by tensors at this moment, of all threads together.
    ///
    /// Tensors of up to 64 elements, whose memory the pool does not keep, are not counted; of a
    /// vector that became a tensor all memory is, whether elements are there or not.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_tensor::{Tensor, memory};
    ///
    /// let before = memory::used();
    /// let x = Tensor::<f32>::zeros([1024])?;
    /// let view = x.reshape([32, 32])?;
    /// assert_eq!(memory::used() - before, 4096);
    /// drop((x, view));
    /// assert_eq!(memory::used(), before);
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    pub fn used() -> usize {
        let pool = pool();
        pool.f32.bytes() + pool.f64.bytes() + pool.i64.bytes() + pool.bool.bytes()
    }

    /// Bytes held for later use at this moment; memory in use by tensors is not counted.
    pub fn held() -> usize {
        pool().held
    }

    /// Bytes that may be held for later use.
    pub fn limit() -> usize {
        pool().limit
    }

    /// Sets the number of bytes that may be held for later use; 0 turns recycling off.
    ///
    /// What is held already stays until it is used or [`release`]d.
    pub fn set_limit(bytes: usize) {
        pool().limit = bytes;
    }

    /// Gives all memory that waits for its next use back to the system.
    ///
    /// Matrix products keep memory of their own, which is neither counted nor given back: each
    /// thread that computed some, up to two buffers of 2¹⁹ elements for each type.
    pub fn release() {
        // Freed after the lock is.
        let _all = pool().empty();
    }
}

/// The vectors that wait for their next use.
///
/// One lock for all types, so that what they hold together is counted and bounded without atomic
/// operations beside it: for a short buffer these are most of the time.
#[derive(Debug)]
pub struct Pool {
    pub(crate) f32: Shelf<f32>,
    pub(crate) f64: Shelf<f64>,
    pub(crate) i64: Shelf<i64>,
    pub(crate) bool: Shelf<bool>,
    /// Bytes of all vectors that wait.
    held: usize,
    /// Bytes that may wait.
    limit: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    f32: Shelf::EMPTY,
    f64: Shelf::EMPTY,
    i64: Shelf::EMPTY,
    bool: Shelf::EMPTY,
    held: 0,
    limit: 1 << 30,
});

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The part of the [`Pool`] for one element type, sorted into classes by length.
///
/// There are 8 classes to each doubling of the length, so at most an eighth of a buffer is unused.
#[derive(Debug)]
pub struct Shelf<T> {
    /// The vectors that wait, by class.
    classes: Vec<Vec<Vec<T>>>,
    /// Elements of all buffers in use.
    used: usize,
}

/// Classes to each doubling, as a power of two.
const CLASS_BITS: u32 = 3;

/// The largest class whose length is at most `length`, for lengths of at least 8.
fn class_below(length: usize) -> usize {
    let doubling = length.ilog2() - CLASS_BITS;
    ((doubling as usize) << CLASS_BITS) + ((length >> doubling) - (1 << CLASS_BITS))
}

/// The length of a class.
fn class_length(class: usize) -> usize {
    let (doubling, eighth) = (class >> CLASS_BITS, class & ((1 << CLASS_BITS) - 1));
    ((1 << CLASS_BITS) + eighth) << doubling
}

/// Elements from which on the system is asked whether it has room.
const MANY: usize = 1 << 20;

/// Whether the system has memory for so many elements.
///
/// `vec!` has it from the system already cleared, but ends the program where there is none; a
/// vector that can fail would have to be cleared here. Many pages that are taken and given back
/// unused cost next to nothing beside filling them.
fn has_room<T>(length: usize) -> bool {
    // Seen by somebody, or the compiler would leave out what is not used and say that it worked.
    length < MANY || std::hint::black_box(room_for::<T>(length)).is_some()
}

/// An empty vector with room for `count` elements; none where memory has none.
pub(crate) fn room_for<T>(count: usize) -> Option<Vec<T>> {
    let mut room = Vec::new();
    room.try_reserve_exact(count).ok()?;
    Some(room)
}

impl<T> Shelf<T> {
    const EMPTY: Self = Self {
        classes: Vec::new(),
        used: 0,
    };

    /// Bytes of all buffers in use.
    fn bytes(&self) -> usize {
        self.used * size_of::<T>()
    }
}

impl Pool {
    /// All vectors that wait.
    fn empty(&mut self) -> impl Sized + use<> {
        self.held = 0;
        (
            std::mem::take(&mut self.f32.classes),
            std::mem::take(&mut self.f64.classes),
            std::mem::take(&mut self.i64.classes),
            std::mem::take(&mut self.bool.classes),
        )
    }
}

/// Elements that a buffer has memory for, as far as the pool knows of it.
///
/// A vector that somebody else made may have memory for many more than it has elements.
fn counted<T>(elements: &Vec<T>) -> usize {
    match elements.capacity() {
        ..=SMALL => 0,
        capacity => capacity,
    }
}

/// A vector of at least `count` elements of any value; none where memory has no room for it.
fn take<T: Element>(count: usize) -> Option<Vec<T>> {
    if count <= SMALL {
        // Not `vec!`, which would ask for memory that is cleared already.
        let mut elements = Vec::with_capacity(SMALL);
        elements.resize(SMALL, T::default());
        return Some(elements);
    }
    // The smallest class that is long enough.
    let class = class_below(count - 1) + 1;
    let length = class_length(class);
    let recycled = {
        let mut pool = pool();
        let shelf = T::shelf(&mut pool);
        let recycled = shelf.classes.get_mut(class).and_then(Vec::pop);
        if recycled.is_none() && !has_room::<T>(length) {
            return None;
        }
        shelf.used += recycled.as_ref().map_or(length, counted);
        pool.held -= recycled.as_ref().map_or(0, counted) * size_of::<T>();
        recycled
    };
    Some(recycled.unwrap_or_else(|| vec![T::default(); length]))
}

/// Keeps a vector for later use, or frees it where the limit is reached or where a vector of its
/// class would take much less memory.
fn put<T: Element>(mut elements: Vec<T>) {
    let counted = counted(&elements);
    if counted == 0 {
        return;
    }
    let class = class_below(elements.len().max(SMALL));
    let fits = elements.len() > SMALL && counted <= class_length(class + 1);
    elements.truncate(class_length(class));
    // What is not kept is freed after the lock is.
    let mut pool = pool();
    let held = pool.held + counted * size_of::<T>();
    let kept = fits && held <= pool.limit;
    let shelf = T::shelf(&mut pool);
    shelf.used -= counted;
    if kept {
        if shelf.classes.len() <= class {
            shelf.classes.resize_with(class + 1, Vec::new);
        }
        shelf.classes[class].push(elements);
        pool.held = held;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_cover_every_length_and_waste_at_most_an_eighth() {
        for length in 16..10_000 {
            let class = class_below(length);
            assert!(class_length(class) <= length && length < class_length(class + 1));
            let taken = class_length(class_below(length - 1) + 1);
            assert!(
                taken >= length && taken * 8 <= length * 9 + 8,
                "{length} {taken}"
            );
        }
    }

    #[test]
    fn what_no_memory_has_room_for_is_not_counted_as_used() {
        for count in [isize::MAX as usize / 8, isize::MAX as usize / 16] {
            assert!(Buffer::<f64>::try_with_count(count).is_none());
        }
        assert!(pool().f64.bytes() < isize::MAX as usize / 16);
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
