//! The WebAssembly engine of the process: one configuration, one pool of instances, one clock for deadlines.

use std::sync::Arc;

use thiserror::Error;
use wasmtime::{
    Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, WasmFeatures,
};

use crate::config::Config;
use crate::document::limits::MAX_MEMORY_BYTES;
use crate::epoch_ticker::{EpochClock, EpochTicker};
use crate::instance_reset::{self, InstanceReset};
use crate::structure::FEATURES;

/// Host stack that one guest call may use. Frames of compiled guest code are small; what a Rust guest puts "on its
/// stack" lies in its linear memory. wasmtime's default.
pub(crate) const MAX_GUEST_STACK_BYTES: usize = 512 * 1024;

/// Memory of a slot that is cleared by `memset` and kept when an instance ends; what lies beyond is given back to the
/// kernel. 256 KiB holds a guest of the SDK (32 KiB of stack, data and heap) whole, so that its reset is one memset and no
/// system call.
const KEEP_RESIDENT_BYTES: usize = 256 * 1024;

/// The same where written pages are looked for: only these are cleared, so that a guest of another kit (1 MiB of stack) has room.
const SCANNED_BYTES: usize = 2 * 1024 * 1024;

/// Core modules that one component may be made of: Rust has 3 or 4, JavaScript and Python toolchains up to some 30.
pub(crate) const MAX_CORE_INSTANCES_PER_COMPONENT: u32 = 64;

/// Tables that one component may have, likewise.
pub(crate) const MAX_TABLES_PER_COMPONENT: u32 = 24;

/// Linear memories that one component may have: the guest's and an adapter's.
pub(crate) const MAX_MEMORIES_PER_COMPONENT: u32 = 4;

/// Entries of one table: Python's interpreter has some 10,000 functions in its table.
pub(crate) const MAX_TABLE_ELEMENTS: usize = 20_000;

/// Frames of a trap's backtrace that are kept for the policy's author.
pub(crate) const MAX_BACKTRACE_FRAMES: usize = 16;

/// The engine could not be set up on this machine.
#[derive(Debug, Error)]
#[error("the WebAssembly engine could not be set up: {0}")]
pub struct EngineError(String);

/// The engine, and the thread that drives its deadlines. One per process: every pool reserves address space for all its
/// memories at once.
#[derive(Clone)]
pub(crate) struct SandboxEngine {
    engine: Engine,
    ticker: Arc<EpochTicker>,
    reset: InstanceReset,
}

impl SandboxEngine {
    /// Sets up the engine and starts its clock.
    ///
    /// # Errors
    /// When the machine does not give the address space or the thread.
    pub(crate) fn new(config: &Config) -> Result<Self, EngineError> {
        let (reset, instead) = instance_reset::on_this_machine(config.instance_reset);
        if let Some(instead) = instead {
            tracing::warn!(
                reason = %instead,
                "instances are reset by memset, and not by PAGEMAP_SCAN as policies.instance_reset says"
            );
        }
        let engine =
            Engine::new(&engine_config(config, reset)).map_err(|error| EngineError(format!("{error:#}")))?;
        let ticker = EpochTicker::start(engine.weak()).map_err(|error| EngineError(error.to_string()))?;
        Ok(Self {
            engine,
            ticker: Arc::new(ticker),
            reset,
        })
    }

    pub(crate) fn wasmtime(&self) -> &Engine {
        &self.engine
    }

    /// How its instances are reset.
    pub(crate) const fn reset(&self) -> InstanceReset {
        self.reset
    }

    /// The clock of its deadlines.
    pub(crate) fn clock(&self) -> &Arc<EpochClock> {
        self.ticker.clock()
    }
}

/// An engine whose machine code every other of this program runs, without a pool: it only compiles.
pub(crate) fn compiling_engine() -> Result<Engine, EngineError> {
    Engine::new(&code_config()).map_err(|error| EngineError(format!("{error:#}")))
}

/// Whether an error of the engine is one of the system's, such as no memory for a mapping: of the moment, and no fault of any
/// component.
pub(crate) fn is_of_the_system(error: &wasmtime::Error) -> bool {
    error.is::<wasmtime::OutOfMemory>()
        || error.chain().any(|cause| {
            cause.is::<std::io::Error>()
                || cause.is::<rustix::io::Errno>()
                || cause.is::<wasmtime::OutOfMemory>()
        })
}

pub(crate) fn engine_config(config: &Config, reset: InstanceReset) -> wasmtime::Config {
    let mut engine = code_config();
    engine
        .max_wasm_stack(MAX_GUEST_STACK_BYTES)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(MAX_BACKTRACE_FRAMES))
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool_config(config, reset)));
    engine
}

/// What decides how code looks. Engines that differ in it refuse each other's.
fn code_config() -> wasmtime::Config {
    let mut engine = wasmtime::Config::new();
    engine
        // Both bounds on computing, always: fuel repeats exactly, the deadline holds whatever fuel does not see.
        .consume_fuel(true)
        .epoch_interruption(true)
        // Guests are called synchronously and never suspended; the state for anything else costs 20 % per call.
        .concurrency_support(false)
        .cranelift_opt_level(OptLevel::Speed)
        // The same request gives the same verdict on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_features(FEATURES.complement(), false)
        // A policy's own modules have one memory each. wasmtime makes some of several where one part of a component calls
        // another (JavaScript and its stub of WASI), and without them fails on it. The limiter counts them together.
        .wasm_features(FEATURES | WasmFeatures::MULTI_MEMORY, true);
    engine
}

pub(crate) fn pool_config(config: &Config, reset: InstanceReset) -> PoolingAllocationConfig {
    // A memory slot per warm instance and per running one; two, since an adapted module brings a memory of its own.
    let running = config.max_concurrent_evaluations.max(1);
    let memories = running
        .saturating_add(config.max_warm_instances)
        .saturating_mul(2);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(running)
        .total_core_instances(running.saturating_mul(MAX_CORE_INSTANCES_PER_COMPONENT))
        .total_memories(memories)
        .total_tables(running.saturating_mul(MAX_TABLES_PER_COMPONENT))
        .max_unused_warm_slots(config.max_warm_instances)
        .max_core_instances_per_component(MAX_CORE_INSTANCES_PER_COMPONENT)
        .max_tables_per_component(MAX_TABLES_PER_COMPONENT)
        .max_memories_per_component(MAX_MEMORIES_PER_COMPONENT)
        .table_elements(MAX_TABLE_ELEMENTS)
        .max_memory_size(usize::try_from(MAX_MEMORY_BYTES).unwrap_or(usize::MAX))
        // Zero would cost two system calls and their page faults per evaluation.
        .table_keep_resident(1 << 20);
    match reset {
        InstanceReset::Memset => pool
            .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
            .pagemap_scan(Enabled::No),
        InstanceReset::PagemapScan => pool
            .linear_memory_keep_resident(SCANNED_BYTES)
            .pagemap_scan(Enabled::Yes),
    };
    pool
}
