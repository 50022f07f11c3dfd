//! The bound on a guest's memory and tables.

use wasmtime::ResourceLimiter;

use crate::engine::{MAX_CORE_INSTANCES_PER_COMPONENT, MAX_MEMORIES_PER_COMPONENT, MAX_TABLES_PER_COMPONENT};

/// Entries that all tables of a guest may have together.
pub(crate) const MAX_TABLE_ENTRIES: usize = 100_000;

/// Counts what a guest asks for, over all its memories, and refuses what goes beyond.
pub(crate) struct GuestLimiter {
    memory_left: usize,
    table_entries_left: usize,
    refused: bool,
}

impl GuestLimiter {
    /// A guest that may have so many bytes of memory.
    pub(crate) fn new(memory_bytes: u64) -> Self {
        let memory_left = usize::try_from(memory_bytes).unwrap_or(usize::MAX);
        Self {
            memory_left,
            table_entries_left: MAX_TABLE_ENTRIES,
            refused: false,
        }
    }

    /// Whether what the guest asked for last was more than it may have.
    pub(crate) const fn has_refused(&self) -> bool {
        self.refused
    }

    /// Takes what is asked for out of what is left. Beyond the maximum (its own, or the pool's) nothing would be given, so
    /// nothing is taken.
    fn take(
        left: &mut usize,
        refused: &mut bool,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> bool {
        let rest = if maximum.is_some_and(|maximum| desired > maximum) {
            None
        } else {
            left.checked_sub(desired.saturating_sub(current))
        };
        match rest {
            Some(rest) => {
                *left = rest;
                // It asked for less, and goes on.
                *refused = false;
                true
            }
            None => {
                *refused = true;
                false
            }
        }
    }
}

/// A bound of the pool: a store holds one instance of one component.
fn count(of_a_component: u32) -> usize {
    usize::try_from(of_a_component).unwrap_or(usize::MAX)
}

impl ResourceLimiter for GuestLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(Self::take(
            &mut self.memory_left,
            &mut self.refused,
            current,
            desired,
            maximum,
        ))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(Self::take(
            &mut self.table_entries_left,
            &mut self.refused,
            current,
            desired,
            maximum,
        ))
    }

    fn instances(&self) -> usize {
        count(MAX_CORE_INSTANCES_PER_COMPONENT)
    }

    fn tables(&self) -> usize {
        count(MAX_TABLES_PER_COMPONENT)
    }

    fn memories(&self) -> usize {
        count(MAX_MEMORIES_PER_COMPONENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_over_all_memories_and_refused_beyond_the_bound() {
        let mut limiter = GuestLimiter::new(3 << 16);
        assert!(limiter.memory_growing(0, 1 << 16, None).unwrap());
        assert!(limiter.memory_growing(0, 2 << 16, None).unwrap());
        assert!(!limiter.has_refused());
        assert!(!limiter.memory_growing(1 << 16, 2 << 16, None).unwrap());
        assert!(limiter.has_refused());
    }

    #[test]
    fn a_store_has_room_for_as_much_as_the_pool_gives_one_component() {
        let limiter = GuestLimiter::new(0);
        let counts = [limiter.instances(), limiter.tables(), limiter.memories()];
        assert_eq!(counts, [64, 24, 4]);
    }

    #[test]
    fn what_is_beyond_a_maximum_is_refused_and_takes_nothing_away() {
        let mut limiter = GuestLimiter::new(2 << 16);
        assert!(!limiter.memory_growing(0, 2 << 16, Some(1 << 16)).unwrap());
        assert!(limiter.has_refused());
        assert!(limiter.memory_growing(0, 2 << 16, Some(2 << 16)).unwrap());
        assert!(!limiter.table_growing(0, 11, Some(10)).unwrap());
        assert!(limiter.table_growing(0, MAX_TABLE_ENTRIES, None).unwrap());
        assert!(!limiter.table_growing(0, 1, None).unwrap());
    }
}
