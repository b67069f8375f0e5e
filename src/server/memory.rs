//! How much free memory the process keeps.

use std::hint::black_box;

/// Octets. What is freed up to this size is kept for the next session.
const KEPT: usize = 512 * 1024;

/// Lets the allocator of the C library keep the free memory of a session for the next one, instead of returning it to the
/// kernel and asking for it again.
///
/// The allocator learns from the largest piece that was freed: "the trim threshold is adjusted to be twice the dynamic
/// mmap threshold", which is the size of that piece (mallopt(3), `M_MMAP_THRESHOLD`). So each arena keeps at most one
/// mebibyte. Other allocators ignore it.
pub fn keep_free_memory() {
    drop(black_box(Vec::<u8>::with_capacity(KEPT)));
}
