//! The engines that are compared: ours, and wasmtime as it comes.

use plugin_host::Config;
use plugin_host::benchmarking::{engine_config, pool_config};
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// What is kept of a memory where pages that were written are asked for: all of it, since only those are cleared.
const KEEP_RESIDENT_BYTES: usize = 1 << 20;

/// One engine for each kind of settings.
pub(crate) struct Engines {
    /// The settings of a node.
    pub(crate) ours: Engine,
    /// The same, but for the reset of memories: the kernel is asked which pages were written (`PAGEMAP_SCAN`).
    pub(crate) pagemap: Engine,
    /// wasmtime's defaults and its default pool, with fuel and epochs.
    pub(crate) default_pool: Engine,
    /// wasmtime's defaults, with fuel and epochs.
    pub(crate) on_demand: Engine,
}

impl Engines {
    pub(crate) fn new() -> Self {
        let config = Config::default();
        let mut pagemap = engine_config(&config);
        let mut pool = pool_config(&config);
        pool.linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
            .pagemap_scan(Enabled::Yes);
        pagemap.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let mut default_pool = defaults();
        default_pool.allocation_strategy(InstanceAllocationStrategy::Pooling(
            PoolingAllocationConfig::default(),
        ));
        Self {
            ours: engine(&engine_config(&config)),
            pagemap: engine(&pagemap),
            default_pool: engine(&default_pool),
            on_demand: engine(&defaults()),
        }
    }

    pub(crate) fn all(&self) -> [&Engine; 4] {
        [&self.ours, &self.pagemap, &self.default_pool, &self.on_demand]
    }
}

/// wasmtime as it comes, with the two bounds on computing that every gateway needs.
fn defaults() -> wasmtime::Config {
    let mut config = wasmtime::Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::OnDemand);
    config
}

fn engine(config: &wasmtime::Config) -> Engine {
    Engine::new(config).expect("an engine")
}
