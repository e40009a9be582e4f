//! Asking for memory before it is read.
//!
//! A load that waits for memory, and the operations on what it loads, hold places in the processor's
//! window until it answers. With several operations a register the window is full before enough
//! cache lines are on their way; a prefetch takes no such place. It is a hint: it changes no result,
//! and asks in vain for what lies outside a slice.

use pulp::Simd;

/// How far ahead of its loads a loop asks for memory, in bytes: of 4, 8 and 16 KiB the best for one
/// stream, and 2 KiB each the best for four.
pub const AHEAD: usize = 8192;

/// Asks for memory some way after `vector`, which belongs to one of `streams` slices that are read
/// side by side from front to back.
#[inline(always)]
pub fn prefetch_after<S: Simd, V>(simd: S, vector: &V, streams: usize) {
    let distance = AHEAD / streams;
    prefetch(simd, std::ptr::from_ref(vector).wrapping_byte_add(distance));
}

/// Asks for the cache line that `place` lies in.
#[inline(always)]
pub fn prefetch<S: Simd, V>(simd: S, place: *const V) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::any::Any;
        use std::arch::x86_64::_MM_HINT_T0;

        // The instruction set is known when this is compiled, and so is the branch.
        let simd: &dyn Any = &simd;
        if let Some(simd) = simd.downcast_ref::<pulp::x86::V4>() {
            simd.sse._mm_prefetch::<_MM_HINT_T0>(place.cast());
        } else if let Some(simd) = simd.downcast_ref::<pulp::x86::V3>() {
            simd.sse._mm_prefetch::<_MM_HINT_T0>(place.cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (simd, place);
}
