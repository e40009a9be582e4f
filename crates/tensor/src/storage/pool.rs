//! The pool of buffers, and what [`memory`] says of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::element::Element;

/// Elements up to which a buffer is the allocator's, which lends so few faster than a lock is taken.
const SMALL: usize = 64;

/// Recycled memory.
///
/// The pool is shared by all threads and bounded: it holds at most [`limit`] bytes (1 GiB unless
/// [`set_limit`] says otherwise); what is dropped beyond that goes back to the system at once, and
/// [`release`] gives back the rest.
///
/// # Large pages
///
/// Linux gives memory in pages of 4 KiB unless a program asks for larger ones, which NumPy does for its
/// arrays and the allocator of Rust programs does not. Where that is `glibc`, from 2.35 on, the
/// environment can ask: with `GLIBC_TUNABLES=glibc.malloc.hugetlb=1` a processor (AMD EPYC, Zen 4) took
/// 0.58 of the time for the sum of 64 MiB of `f32`, and 0.75 for adding two tensors as large, on one
/// thread (benches `reductions` and `elementwise`, run with it and without).
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
    /// Matrix products, convolutions and transposed copies keep memory of their own, which is neither
    /// counted nor given back: each thread that computed some, up to two buffers of 2¹⁹ elements for
    /// each type.
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

/// Counts a vector that somebody else made among those in use.
pub(super) fn adopt<T: Element>(elements: &Vec<T>) {
    T::shelf(&mut pool()).used += counted(elements);
}

/// Counts a vector no more that somebody else takes over.
pub(super) fn let_go<T: Element>(elements: &Vec<T>) {
    T::shelf(&mut pool()).used -= counted(elements);
}

/// A vector of at least `count` elements of any value; none where memory has no room for it.
pub(super) fn take<T: Element>(count: usize) -> Option<Vec<T>> {
    if count <= SMALL {
        // Memory that is to be cleared comes from a slower place of the allocator, so it must not
        // see that it will be: the compiler would make one call of the two.
        let mut elements = std::hint::black_box(Vec::with_capacity(SMALL));
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
pub(super) fn put<T: Element>(mut elements: Vec<T>) {
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
}
