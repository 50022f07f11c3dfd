//! What operators see in numbers of what a node keeps on its disk.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Of the folder of the node's state.
#[derive(Clone, Default)]
pub(crate) struct StateMetrics {
    pub(crate) write_failures: Counter,
    pub(crate) writable: Gauge,
    pub(crate) saved_revision: Gauge<u64, AtomicU64>,
}

impl StateMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "portcullis_policy_state_write_failures",
            "Writes to the folder of the node's state that failed",
            self.write_failures.clone(),
        );
        registry.register(
            "portcullis_policy_state_written",
            "Whether all that is to be kept in the folder of the node's state could be written (1) or not (0)",
            self.writable.clone(),
        );
        registry.register(
            "portcullis_policy_state_saved_revision",
            "Revision of the store of the set that is on disk, and that this node would start from",
            self.saved_revision.clone(),
        );
    }
}

/// What the compile cache did for a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CacheResult {
    /// It had the machine code.
    Hit,
    /// It had none.
    Miss,
    /// What it had was not this node's, or does not load; it was compiled again.
    Refused,
    /// It has the machine code from now on.
    Written,
    /// It could not be written.
    WriteFailed,
}

impl CacheResult {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Refused => "refused",
            Self::Written => "written",
            Self::WriteFailed => "write_failed",
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

/// Of the compile cache.
#[derive(Clone, Default)]
pub(crate) struct CacheMetrics {
    results: Family<ResultLabels, Counter>,
    pub(crate) bytes: Gauge<u64, AtomicU64>,
}

impl CacheMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "portcullis_policy_compile_cache",
            "Look-ups of machine code on disk and writes of it, by what came of them",
            self.results.clone(),
        );
        registry.register(
            "portcullis_policy_compile_cache_bytes",
            "Bytes of machine code on disk",
            self.bytes.clone(),
        );
    }

    pub(crate) fn count(&self, result: CacheResult) {
        let result = result.as_str();
        self.results.get_or_create(&ResultLabels { result }).inc();
    }
}
