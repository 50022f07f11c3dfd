//! Machine code that this node compiled, on its disk: what is loaded again is not compiled again.
//!
//! A file is named by the artifact's digest and by what else decides how its code looks and whether it is taken: the engine
//! with its settings, and the checks of the compiler's process. It is sealed with the key of this node, and what is not sealed with it
//! never reaches the engine. It is read whole, then authenticated, then loaded from the bytes that were authenticated: nobody can
//! change them in between.
//!
//! The files are nobody's only copy. They may be deleted at any time; one that cannot be written is not there.

mod config;
mod fingerprint;
mod shelf;

pub use config::CompileCacheConfig;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use wasmtime::component::Component;

use crate::compiler::{Compiled, MAX_MACHINE_CODE_BYTES, MachineCode};
use crate::contract::version::ContractVersion;
use crate::digest::Digest;
use crate::engine::SandboxEngine;
use crate::metrics::{CacheMetrics, CacheResult};
use crate::node_state::files::{self, Durability};
use crate::node_state::key::{NodeKey, SEAL_BYTES};
use crate::node_state::{LaterWork, NodeState};

use fingerprint::Fingerprint;
use shelf::Shelf;

/// What its files are sealed as.
const KIND: &str = "machine-code";

/// Bytes of a file beside the code: the seal, the contract's package and its length.
const MAX_HEAD_BYTES: u64 = SEAL_BYTES as u64 + 256;

/// The machine code of this node's artifacts, as far as it is there.
#[derive(Clone)]
pub(crate) struct CompileCache(Arc<Inner>);

struct Inner {
    engine: SandboxEngine,
    fingerprint: Fingerprint,
    folder: PathBuf,
    key: NodeKey,
    work: LaterWork,
    metrics: CacheMetrics,
    shelf: Mutex<Shelf>,
}

/// A component from the cache, ready to be linked, and the contract that it was held against.
pub(crate) struct Cached {
    pub(crate) contract: ContractVersion,
    pub(crate) component: Component,
}

impl CompileCache {
    /// Looks at what there is. Blocks; called at the start.
    pub(crate) fn open(
        state: &NodeState,
        engine: SandboxEngine,
        config: &CompileCacheConfig,
        metrics: CacheMetrics,
    ) -> Self {
        let folder = state.machine_code();
        let shelf = Shelf::read(&folder, config);
        metrics.bytes.set(shelf.bytes());
        Self(Arc::new(Inner {
            fingerprint: Fingerprint::of(&engine),
            engine,
            folder,
            key: state.key().clone(),
            work: state.writer().later_work(),
            metrics,
            shelf: Mutex::new(shelf),
        }))
    }

    /// The component of an artifact, where its machine code is here. Blocks, for as long as it takes to read and authenticate it.
    pub(crate) fn take(&self, digest: &Digest) -> Option<Cached> {
        let inner = &self.0;
        let name = inner.name(digest);
        let path = inner.folder.join(&name);
        let problem = match files::read(&path, MAX_MACHINE_CODE_BYTES + MAX_HEAD_BYTES) {
            Ok(None) => {
                inner.metrics.count(CacheResult::Miss);
                inner.gone(&name);
                return None;
            }
            Ok(Some(bytes)) => match inner.load(&name, &bytes.into()) {
                Ok(cached) => {
                    inner.metrics.count(CacheResult::Hit);
                    inner.shelf().used(&name);
                    return Some(cached);
                }
                Err(problem) => problem,
            },
            Err(error) => error.to_string(),
        };
        inner.metrics.count(CacheResult::Refused);
        tracing::error!(
            path = %path.display(),
            policy.digest = %digest,
            error = problem,
            "machine code on this disk is not used; the artifact is compiled again"
        );
        if let Err(error) = files::remove(&path) {
            tracing::error!(path = %path.display(), %error, "it cannot be deleted");
        }
        inner.gone(&name);
        None
    }

    /// Keeps what was compiled, when there is time. Nobody waits for it.
    pub(crate) fn keep(&self, digest: &Digest, compiled: &Compiled) {
        let cache = self.clone();
        let digest = *digest;
        let (contract, code) = (compiled.contract, compiled.code.bytes());
        let is_taken = self
            .0
            .work
            .later(code.len(), move || cache.0.write(&digest, contract, &code));
        if !is_taken {
            self.0.metrics.count(CacheResult::WriteFailed);
            tracing::debug!(policy.digest = %digest, "the machine code is not kept: too much waits to be written");
        }
    }

    /// These artifacts run now: theirs is not what makes room for another.
    pub(crate) fn in_use(&self, digests: &BTreeSet<Digest>) {
        let names = digests.iter().map(|digest| self.0.name(digest)).collect();
        self.0.shelf().hold(names);
    }
}

impl Inner {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file is not there any more.
    fn gone(&self, name: &str) {
        let mut shelf = self.shelf();
        shelf.gone(name);
        self.metrics.bytes.set(shelf.bytes());
    }

    fn name(&self, digest: &Digest) -> String {
        format!("{}-{}", digest.hexadecimal(), self.fingerprint.short())
    }

    /// The component of a file, or why it is none.
    fn load(&self, name: &str, file: &Bytes) -> Result<Cached, String> {
        let content = self
            .key
            .open_sealed(KIND, name, file)
            .map_err(|error| error.to_string())?;
        let short = || "it is too short".to_owned();
        let (&length, rest) = content.split_first().ok_or_else(short)?;
        let package = rest.get(..usize::from(length)).ok_or_else(short)?;
        let contract = std::str::from_utf8(package)
            .ok()
            .and_then(ContractVersion::of_package);
        let contract = contract.ok_or_else(|| "it names no contract that is served".to_owned())?;
        let code = MachineCode::authenticated(content.slice(1 + usize::from(length)..));
        let component = code
            .into_component(&self.engine)
            .map_err(|error| error.to_string())?;
        Ok(Cached { contract, component })
    }

    fn write(&self, digest: &Digest, contract: ContractVersion, code: &Bytes) {
        let name = self.name(digest);
        let package = contract.package().as_bytes();
        let length = [u8::try_from(package.len()).unwrap_or(u8::MAX)];
        let content: [&[u8]; 3] = [&length, package, code];
        let bytes = content.iter().map(|part| part.len() as u64).sum::<u64>() + SEAL_BYTES as u64;
        let make_way = self.shelf().make_room(&name, bytes);
        let Some(make_way) = make_way else {
            // It would have to take the place of what runs.
            tracing::debug!(policy.digest = %digest, bytes, "the machine code is not kept: there is no room for it");
            return;
        };
        let written = make_way
            .iter()
            .try_for_each(|name| files::remove(&self.folder.join(name)))
            .and_then(|()| files::create_folder(&self.folder))
            .and_then(|()| {
                let seal = self.key.seal(KIND, &name, &content);
                let [length, package, code] = content;
                files::write(
                    &self.folder.join(&name),
                    &[&seal, length, package, code],
                    Durability::Replaceable,
                )
            });
        let mut shelf = self.shelf();
        for name in &make_way {
            shelf.gone(name);
        }
        let news = match &written {
            Ok(()) => {
                shelf.put(&name, bytes);
                self.metrics.count(CacheResult::Written);
                shelf.problem(None)
            }
            Err(error) => {
                self.metrics.count(CacheResult::WriteFailed);
                shelf.problem(Some(error.to_string()))
            }
        };
        self.metrics.bytes.set(shelf.bytes());
        drop(shelf);
        match written {
            Err(error) if news => {
                tracing::error!(path = %self.folder.display(), %error, "machine code cannot be kept; policies load all the same");
            }
            Ok(()) if news => tracing::info!(path = %self.folder.display(), "machine code is kept again"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
