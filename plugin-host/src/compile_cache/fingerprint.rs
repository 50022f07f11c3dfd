//! What decides beside the artifact how machine code looks, and whether a component is compiled at all.

use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};

use crate::contract::version::ContractVersion;
use crate::engine::SandboxEngine;

/// The sources of what the compiler's process does before it compiles: what is in the cache has passed it and is not looked at
/// again. A version number would have to be thought of; these change by themselves.
const CHECKS: [&str; 12] = [
    include_str!("../compiler/task.rs"),
    include_str!("../component/world.rs"),
    include_str!("../contract/check.rs"),
    include_str!("../contract/mismatch.rs"),
    include_str!("../contract/version.rs"),
    include_str!("../contract/linked.rs"),
    include_str!("../engine.rs"),
    include_str!("../structure.rs"),
    include_str!("../structure/bounds.rs"),
    include_str!("../structure/counts.rs"),
    include_str!("../structure/declarations.rs"),
    // The versions of everything that validates and compiles.
    include_str!("../../../Cargo.lock"),
];

/// Equal where machine code of the one engine can stand for that of the other.
pub(super) struct Fingerprint(String);

impl Fingerprint {
    /// Of an engine of this program.
    pub(super) fn of(engine: &SandboxEngine) -> Self {
        let mut hasher = StableHasher(Sha256::new());
        engine
            .wasmtime()
            .precompile_compatibility_hash()
            .hash(&mut hasher);
        for source in CHECKS {
            hasher.write(source.as_bytes());
        }
        for contract in ContractVersion::ALL {
            hasher.write(contract.wit().as_bytes());
        }
        let digest = hasher.0.finalize();
        let digits = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
        Self(digits.collect())
    }

    /// Half of it, which tells as many engines apart as there will be: it is a name, and its file is authenticated.
    pub(super) fn short(&self) -> &str {
        &self.0
    }
}

/// The same in every process, which the hashers of the standard library do not promise.
struct StableHasher(Sha256);

impl Hasher for StableHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}
