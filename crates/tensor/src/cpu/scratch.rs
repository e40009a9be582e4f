//! Memory for what a loop copies before it computes.

use std::cell::RefCell;

use crate::element::Element;

/// A type whose scratch memory threads keep: `f32` and `f64`.
pub trait Lent: Element {
    /// Calls `work` with the buffers that this thread keeps between loops: at most [`BUFFERS_KEPT`] of
    /// [`BUFFER_KEPT`] elements.
    fn with_store<R>(work: impl FnOnce(&mut Vec<Vec<Self>>) -> R) -> R;
}

const BUFFERS_KEPT: usize = 2;
pub(super) const BUFFER_KEPT: usize = 1 << 19;

macro_rules! lent {
    ($($T:ident)*) => {$(
        impl Lent for $T {
            #[inline(always)]
            fn with_store<R>(work: impl FnOnce(&mut Vec<Vec<Self>>) -> R) -> R {
                thread_local!(static STORE: RefCell<Vec<Vec<$T>>> = const { RefCell::new(Vec::new()) });
                STORE.with_borrow_mut(work)
            }
        }
    )*};
}

lent!(f32 f64);

/// Elements of unspecified content that start on a cache line, lent by the thread.
///
/// The buffer leaves the thread's store while it is in use, so a product that runs inside another
/// one on the same thread (a thread that waits for its share may be given other work) gets another.
pub(super) struct Scratch<T: Lent> {
    buffer: Vec<T>,
    start: usize,
}

impl<T: Lent> Scratch<T> {
    #[inline(always)]
    pub(super) fn take(length: usize) -> Self {
        const LINE: usize = 64;
        let slack = LINE / size_of::<T>();
        let mut buffer = T::with_store(|store| store.pop()).unwrap_or_default();
        if buffer.len() < length + slack {
            buffer = vec![T::ZERO; length + slack];
        }
        let start = buffer.as_ptr().align_offset(LINE).min(slack);
        Self { buffer, start }
    }

    #[inline(always)]
    pub(super) fn elements(&mut self) -> &mut [T] {
        &mut self.buffer[self.start..]
    }
}

impl<T: Lent> Drop for Scratch<T> {
    #[inline(always)]
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        T::with_store(|store| {
            if buffer.len() <= BUFFER_KEPT && store.len() < BUFFERS_KEPT {
                store.push(buffer);
            }
        });
    }
}
