//! An allocator for instances that live for one evaluation: it hands out memory upwards and keeps no lists. When the
//! evaluation is over the gateway drops the whole instance, so giving back single blocks would be work for nothing.
//! Only the youngest block can shrink, grow and go in place, which is what building a string or a vector needs.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ptr;

/// The first memory that is handed out. It lies in the static data and not in pages that have to be asked for, so that
/// an ordinary evaluation never grows the memory of its instance: with a stack of 32 KiB and the data of a small policy
/// it fills up the first page.
const ARENA_BYTES: usize = 24 * 1024;

#[cfg(target_family = "wasm")]
const PAGE_BYTES: usize = 64 * 1024;

/// The pages asked for at once, to spare the gateway a call per page. When there is no room for as many, as many as
/// the block needs are tried.
#[cfg(target_family = "wasm")]
const PAGES_AT_ONCE: usize = 4;

/// Makes [`BumpAllocator`] the allocator of a policy, where it runs as WebAssembly. `export_policy!(…, no_std)` has it
/// in. A policy with the standard library may ask for it; one that frees and allocates without end should not.
#[macro_export]
macro_rules! bump_allocator {
    () => {
        #[cfg(target_family = "wasm")]
        #[global_allocator]
        static BUMP_ALLOCATOR: $crate::BumpAllocator = $crate::BumpAllocator::new();

        // What the host calls for room to put a request in. It has to come from the same allocator, because it is the
        // policy that gives it back. The C library has a function of this name with its own allocator behind it, which
        // this one takes the place of.
        #[cfg(target_family = "wasm")]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn cabi_realloc(
            block: *mut u8,
            old_bytes: usize,
            align: usize,
            new_bytes: usize,
        ) -> *mut u8 {
            // SAFETY: the host calls this as the canonical ABI says, which is what the method asks for.
            let room = unsafe { BUMP_ALLOCATOR.reallocate(block, old_bytes, align, new_bytes) };
            if room.is_null() {
                ::core::arch::wasm32::unreachable()
            }
            room
        }
    };
}

/// See [`bump_allocator!`].
#[derive(Debug)]
pub struct BumpAllocator {
    arena: UnsafeCell<MaybeUninit<[u8; ARENA_BYTES]>>,
    free: Cell<Free>,
}

/// The addresses that are not handed out yet, `next` up to but not including `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Free {
    next: usize,
    end: usize,
}

impl Free {
    /// Nothing was handed out yet, so the arena is still to be taken. No block lies at address 0.
    const NOT_STARTED: Self = Self { next: 0, end: 0 };

    /// Cuts a block off the lower end: its address and what is left, or nothing when it does not fit.
    fn take(self, layout: Layout) -> Option<(usize, Self)> {
        let start = self.next.checked_next_multiple_of(layout.align())?;
        let next = start.checked_add(layout.size())?;
        (next <= self.end).then_some((start, Self { next, end: self.end }))
    }

    /// What is free once the addresses `base` up to `end` were added. A gap in between is given up.
    #[cfg(any(target_family = "wasm", test))]
    fn join(self, base: usize, end: usize) -> Self {
        if base == self.end {
            Self { next: self.next, end }
        } else {
            Self { next: base, end }
        }
    }
}

#[expect(unsafe_code, reason = "an allocator deals in memory")]
// SAFETY: a policy has one thread: the contract has no threads, and the gateway refuses a component that asks for them.
// Natively this type is not the global allocator, and a test uses its own.
unsafe impl Sync for BumpAllocator {}

impl BumpAllocator {
    /// An allocator that has handed out nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            arena: UnsafeCell::new(MaybeUninit::uninit()),
            free: Cell::new(Free::NOT_STARTED),
        }
    }

    /// What is free now, the arena included from the first call on.
    fn free(&self) -> Free {
        let free = self.free.get();
        if free != Free::NOT_STARTED {
            return free;
        }
        let next = self.arena.get().expose_provenance();
        Free {
            next,
            end: next + ARENA_BYTES,
        }
    }
}

impl BumpAllocator {
    /// Allocates when `old_bytes` is 0, else resizes: the `cabi_realloc` of the canonical ABI, but for the null pointer
    /// that says that there is no memory.
    ///
    /// # Safety
    ///
    /// `block` is one that this allocator gave out with this alignment for `old_bytes`, unless `old_bytes` is 0.
    #[doc(hidden)]
    #[expect(unsafe_code, reason = "an allocator deals in memory")]
    pub unsafe fn reallocate(
        &self,
        block: *mut u8,
        old_bytes: usize,
        align: usize,
        new_bytes: usize,
    ) -> *mut u8 {
        if new_bytes == 0 {
            return ptr::without_provenance_mut(align);
        }
        let (Ok(old), Ok(new)) = (
            Layout::from_size_align(old_bytes, align),
            Layout::from_size_align(new_bytes, align),
        ) else {
            return ptr::null_mut();
        };
        // SAFETY: `new_bytes` is above zero, and for the block the caller vouches.
        unsafe {
            if old_bytes == 0 {
                self.alloc(new)
            } else {
                self.realloc(block, old, new_bytes)
            }
        }
    }
}

impl Default for BumpAllocator {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(unsafe_code, reason = "an allocator deals in memory")]
// SAFETY: every block lies in the arena or in pages that `memory.grow` gave to this allocator and to nobody else; `take`
// aligns it, keeps it below `end`, and moves `next` past it, so two live blocks never overlap. `next` goes back only
// over the youngest block, and only when its owner gives it back or resizes it. No method panics: arithmetic that could
// overflow is checked, and a null pointer says that there is no memory.
unsafe impl GlobalAlloc for BumpAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let free = self.free();
        let taken = free
            .take(layout)
            .or_else(|| more_memory(free, layout)?.take(layout));
        match taken {
            Some((start, rest)) => {
                self.free.set(rest);
                ptr::with_exposed_provenance_mut(start)
            }
            None => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let free = self.free.get();
        let start = block.addr();
        if start + layout.size() == free.next {
            self.free.set(Free {
                next: start,
                end: free.end,
            });
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let free = self.free.get();
        let start = block.addr();
        let is_youngest = start + layout.size() == free.next;
        if let Some(next) = start.checked_add(new_size)
            && is_youngest
            && next <= free.end
        {
            self.free.set(Free { next, end: free.end });
            return block;
        }
        if new_size <= layout.size() {
            return block;
        }
        let Ok(wanted) = Layout::from_size_align(new_size, layout.align()) else {
            return ptr::null_mut();
        };
        // SAFETY: the caller of `realloc` vouches for a size above zero, and the old block holds `layout.size()` bytes,
        // fewer than the new one. The blocks do not overlap, because the old one is still taken.
        unsafe {
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size());
            }
            moved
        }
    }
}

/// Asks for pages that hold at least the block, and says what is free with them.
#[cfg(target_family = "wasm")]
fn more_memory(free: Free, layout: Layout) -> Option<Free> {
    let bytes = layout.size().checked_add(layout.align())?;
    let needed = bytes.div_ceil(PAGE_BYTES);
    let (base, pages) = [needed.max(PAGES_AT_ONCE), needed]
        .into_iter()
        .map(|pages| (core::arch::wasm32::memory_grow::<0>(pages), pages))
        .find(|(previous, _)| *previous != usize::MAX)?;
    let base = base.checked_mul(PAGE_BYTES)?;
    // The last page of a memory of 4 GiB would end at an address that does not exist.
    let end = base.checked_add(pages.checked_mul(PAGE_BYTES)?)?;
    Some(free.join(base, end))
}

/// Natively there is the arena and no more, which lets a test run out of memory.
#[cfg(not(target_family = "wasm"))]
fn more_memory(_: Free, _: Layout) -> Option<Free> {
    None
}

#[cfg(test)]
mod tests;
