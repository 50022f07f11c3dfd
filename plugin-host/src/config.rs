//! What can be set of the policy host.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::compile_cache::CompileCacheConfig;
use crate::instance_reset::InstanceReset;
use crate::quarantine::QuarantineConfig;
use crate::signing::SignaturesConfig;
use crate::store::EtcdConfig;

/// How policies run on this node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where policies come from: `dir:PATH` or `etcd://host:port,host:port/prefix`. Default `dir:data/policies`.
    pub store: String,
    /// This node's name in the store's `nodes/`. Empty (the default) takes the host's name and the process id.
    pub node_id: String,
    /// Policies that this node may not be without: it decides nothing before each of them is in force, and none of
    /// them is retired here. Default none: an empty store then approves every payment.
    pub required: Vec<String>,
    /// How many evaluations may run at the same time, and with it how many instances the pool holds. Each runs on a payment's
    /// thread or on one of the lane, from its start to its end; a node has never fewer than threads that run policies. Default
    /// 64.
    pub max_concurrent_evaluations: u32,
    /// How many instances of policies stay warm, so that the next evaluation finds its memory mapped. At least the
    /// number of policies times the worker threads; a warm slot costs some 110 KB. Default 256.
    pub max_warm_instances: u32,
    /// How what a guest wrote is taken out of its slot before the next one has it: `memset` (the default, and the quicker way for
    /// guests of the kit) or `pagemap_scan` (the quicker way for guests with much memory of which they write little; Linux 6.7 or
    /// newer, without swap: else it is `memset`, and the log says why).
    pub instance_reset: InstanceReset,
    /// How many threads the lane has, which runs policies that do not end within the slice of a payment's own thread (2 ms
    /// and 4,000,000 units of fuel). Default 2.
    pub lane_threads: u32,
    /// How many threads run candidates and releases beside payments, only to compare them. They come after everything else on the
    /// node; what they have no time for is dropped and counted. Default 1.
    pub shadow_threads: u32,
    /// How many policies may compile at the same time, each in a process of low priority with one thread. Default 2, so that
    /// one that takes its whole time does not hold up the next.
    pub compile_threads: u8,
    /// How much time of the processor one compilation may take, in seconds; its process is ended then. Not by the clock on the
    /// wall: payments come first, and a busy node says nothing about the artifact. Default 60: an interpreter of Python with
    /// a policy in it takes some 15.
    pub compile_cpu_seconds: u32,
    /// How much memory one compilation may take, in bytes. Default 2 GiB.
    pub compile_memory_bytes: u64,
    /// How long a document may take from its artifact's first chunk to its last golden case, in milliseconds. What takes
    /// longer is given up, and tried again at listings that are further and further apart. Default 300,000: the longest
    /// compilation on a node that gives it a fifth of a processor.
    pub load_timeout_ms: u64,
    /// After how long without a change the whole store is read again, as a safety net. In milliseconds, default 60,000.
    pub relist_interval_ms: u64,
    /// The folder in which this node keeps the policies in force, their highest sequences and what it compiled, so that it starts
    /// without the store and does not compile anew. It is this gateway's alone. Empty: nothing is kept. Default
    /// `data/policy-state`.
    pub state_path: PathBuf,
    /// What is kept of what was compiled.
    pub compile_cache: CompileCacheConfig,
    /// How etcd is spoken to, where the store is one.
    pub etcd: EtcdConfig,
    /// When a policy that faults too often is taken out of service.
    pub quarantine: QuarantineConfig,
    /// Whose signatures a document must have.
    pub signatures: SignaturesConfig,
}

impl Config {
    /// Lets the files of keys and certificates that are named by relative paths begin at this folder.
    pub fn resolve_files(&mut self, folder: &Path) {
        self.etcd.resolve_files(folder);
        self.signatures.resolve_files(folder);
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: "dir:data/policies".to_owned(),
            node_id: String::new(),
            required: Vec::new(),
            max_concurrent_evaluations: 64,
            max_warm_instances: 256,
            instance_reset: InstanceReset::default(),
            lane_threads: 2,
            shadow_threads: 1,
            compile_threads: 2,
            compile_cpu_seconds: 60,
            compile_memory_bytes: 2 * 1024 * 1024 * 1024,
            load_timeout_ms: 300_000,
            relist_interval_ms: 60_000,
            state_path: PathBuf::from("data/policy-state"),
            compile_cache: CompileCacheConfig::default(),
            etcd: EtcdConfig::default(),
            quarantine: QuarantineConfig::default(),
            signatures: SignaturesConfig::default(),
        }
    }
}
