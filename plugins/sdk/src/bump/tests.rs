//! The allocator hands out blocks that are aligned, apart from each other, and inside its memory.
#![expect(unsafe_code, reason = "an allocator is called through unsafe functions")]

use std::boxed::Box;
use std::vec::Vec;

use super::*;

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).unwrap()
}

#[test]
fn blocks_are_aligned_and_never_overlap() {
    let allocator = Box::new(BumpAllocator::new());
    let mut blocks = Vec::new();
    for round in 0..200_usize {
        let wanted = layout(1 + round * 7 % 90, 1 << (round % 6));
        // SAFETY: the size is above zero.
        let block = unsafe { allocator.alloc(wanted) };
        assert!(!block.is_null());
        assert_eq!(block.addr() % wanted.align(), 0);
        blocks.push((block.addr(), wanted.size()));
    }
    assert!(blocks.is_sorted());
    for pair in blocks.windows(2) {
        assert!(pair[0].0 + pair[0].1 <= pair[1].0);
    }
}

#[test]
fn the_youngest_block_grows_and_shrinks_in_place_and_an_older_one_moves_with_its_content() {
    let allocator = Box::new(BumpAllocator::new());
    // SAFETY: sizes are above zero, every block is alive when it is used, and its layout is the one it was given.
    unsafe {
        let first = allocator.alloc(layout(8, 1));
        first.write_bytes(0xAB, 8);
        let grown = allocator.realloc(first, layout(8, 1), 100);
        assert_eq!(grown, first);
        let shrunk = allocator.realloc(grown, layout(100, 1), 16);
        assert_eq!(shrunk, first);

        let second = allocator.alloc(layout(4, 4));
        assert_eq!(second.addr(), first.addr() + 16);
        let moved = allocator.realloc(first, layout(16, 1), 32);
        assert_ne!(moved, first);
        assert_eq!(core::slice::from_raw_parts(moved, 8), [0xAB; 8]);
        let stays = allocator.realloc(second, layout(4, 4), 2);
        assert_eq!(stays, second);
    }
}

#[test]
fn a_block_that_was_given_back_last_is_handed_out_again() {
    let allocator = Box::new(BumpAllocator::new());
    // SAFETY: sizes are above zero, and no block is used after it was given back.
    unsafe {
        let first = allocator.alloc(layout(64, 8));
        allocator.dealloc(first, layout(64, 8));
        assert_eq!(allocator.alloc(layout(32, 8)), first);
    }
}

#[test]
fn what_does_not_fit_is_a_null_pointer_and_what_fits_still_does() {
    let allocator = Box::new(BumpAllocator::new());
    // SAFETY: sizes are above zero.
    unsafe {
        assert!(allocator.alloc(layout(ARENA_BYTES + 1, 1)).is_null());
        assert!(allocator.alloc(layout(usize::MAX / 2, 1)).is_null());
        let block = allocator.alloc(layout(ARENA_BYTES, 1));
        assert!(!block.is_null());
        assert!(allocator.alloc(layout(1, 1)).is_null());
        assert!(
            allocator
                .realloc(block, layout(ARENA_BYTES, 1), ARENA_BYTES + 1)
                .is_null()
        );
    }
}

#[test]
fn pages_that_follow_on_are_joined_and_others_start_anew() {
    let free = Free { next: 90, end: 100 };
    assert_eq!(free.join(100, 200), Free { next: 90, end: 200 });
    assert_eq!(free.join(128, 200), Free { next: 128, end: 200 });
    assert_eq!(
        Free {
            next: usize::MAX - 2,
            end: usize::MAX
        }
        .take(layout(8, 8)),
        None
    );
}

#[test]
fn the_host_gets_room_and_may_resize_it() {
    let allocator = Box::new(BumpAllocator::new());
    // SAFETY: every block is one that the allocator gave out with this size and alignment, or none at all.
    unsafe {
        assert_eq!(allocator.reallocate(ptr::null_mut(), 0, 8, 0).addr(), 8);
        let room = allocator.reallocate(ptr::null_mut(), 0, 8, 24);
        assert_eq!(room.addr() % 8, 0);
        assert_eq!(allocator.reallocate(room, 24, 8, 48), room);
        assert!(allocator.reallocate(ptr::null_mut(), 0, 3, 24).is_null());
        assert!(allocator.reallocate(ptr::null_mut(), 0, 1, ARENA_BYTES).is_null());
    }
}
