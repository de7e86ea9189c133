//! How much memory and how many table elements a call may have.
//!
//! A growth past the limit is refused as the WebAssembly standard says (`memory.grow` gives -1), so that a guest may
//! go on with what it has; that it was refused is kept, to name the reason when the guest then traps.
use wasmtime::ResourceLimiter;

/// The limits of a call, and what it has taken of them.
#[derive(Debug)]
pub(crate) struct ResourceLimits {
    memory_bytes: usize,
    memory_bytes_max: usize,
    table_elements: usize,
    table_elements_max: usize,
    refused: Option<RefusedResource>,
}

/// What a call asked for and did not get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedResource {
    /// Linear memory past the limit.
    Memory,
    /// Table elements past the limit.
    Table,
}

/// What an instance has of the limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    memory_bytes: usize,
    table_elements: usize,
}

impl ResourceLimits {
    /// Limits over all memories, and over all tables, of a call.
    pub(crate) fn new(memory_bytes_max: usize, table_elements_max: usize) -> Self {
        ResourceLimits {
            memory_bytes: 0,
            memory_bytes_max,
            table_elements: 0,
            table_elements_max,
            refused: None,
        }
    }

    /// What was taken until now.
    pub(crate) fn taken(&self) -> Taken {
        Taken { memory_bytes: self.memory_bytes, table_elements: self.table_elements }
    }

    /// Whether at least half of what a call may have is taken.
    pub(crate) fn is_half_taken(&self) -> bool {
        self.memory_bytes > self.memory_bytes_max / 2 || self.table_elements > self.table_elements_max / 2
    }

    /// The call begins in an instance that has so much.
    pub(crate) fn begin_with(&mut self, taken: Taken) {
        (self.memory_bytes, self.table_elements) = (taken.memory_bytes, taken.table_elements);
    }

    /// What was refused last.
    pub(crate) fn refused(&self) -> Option<RefusedResource> {
        self.refused
    }
}

/// Core instances, memories and tables that one component may have. `wit-component` makes three instances of a guest
/// that imports something (its module, a shim, a fix-up); adapters add one each.
const INSTANCES_MAX: usize = 16;
const MEMORIES_MAX: usize = 2;
const TABLES_MAX: usize = 4;

impl ResourceLimiter for ResourceLimits {
    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grown = take(&mut self.memory_bytes, self.memory_bytes_max, current, desired);
        if !grown {
            self.refused = Some(RefusedResource::Memory);
        }
        Ok(grown)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grown = take(&mut self.table_elements, self.table_elements_max, current, desired);
        if !grown {
            self.refused = Some(RefusedResource::Table);
        }
        Ok(grown)
    }
}

/// Takes what a growth needs, if it is left.
fn take(used: &mut usize, max: usize, current: usize, desired: usize) -> bool {
    let needed = used.saturating_add(desired.saturating_sub(current));
    let allowed = needed <= max;
    if allowed {
        *used = needed;
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_memories_of_a_call_share_one_limit() {
        let mut limits = ResourceLimits::new(100, 10);
        assert!(limits.memory_growing(0, 60, None).unwrap());
        assert!(limits.memory_growing(0, 40, None).unwrap());
        assert_eq!(limits.refused(), None);
        assert!(!limits.memory_growing(60, 61, None).unwrap());
        assert_eq!(limits.refused(), Some(RefusedResource::Memory));
    }

    #[test]
    fn a_refused_growth_takes_nothing() {
        let mut limits = ResourceLimits::new(100, 10);
        assert!(!limits.table_growing(0, 11, None).unwrap());
        assert!(limits.table_growing(0, 10, None).unwrap());
        assert_eq!(limits.refused(), Some(RefusedResource::Table));
    }
}
