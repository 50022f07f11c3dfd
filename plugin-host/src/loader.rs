//! Loading off the path of payments: a small pool of threads that make way for them, and compilers in processes of their own.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use rayon::{ThreadPool, ThreadPoolBuilder};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::compile_cache::CompileCache;
use crate::compiler::Compiler;
use crate::digest::Digest;
use crate::document::PolicyDocument;
use crate::engine::SandboxEngine;
use crate::load_error::LoadError;
use crate::policy::{Checked, Policy};
use crate::priority::Priority;
use crate::release::check_document;
use crate::structure;

/// How nice the loading threads are once payments are decided: half way to the lowest priority, so that payments come first and a
/// load still ends on a busy machine.
const NICENESS: i32 = 10;

/// The loading threads could not be started.
#[derive(Debug, Error)]
#[error("the threads that load policies could not be started")]
pub struct LoaderError(#[from] rayon::ThreadPoolBuildError);

/// What came of an artifact before it would be compiled.
enum Begun {
    /// Its machine code was in the cache.
    Loaded(Arc<Policy>),
    /// It has to be compiled.
    ToCompile(Checked),
}

/// Loads policies on threads of its own, and has them compiled.
#[derive(Clone)]
pub(crate) struct Loader {
    engine: SandboxEngine,
    compiler: Compiler,
    /// What was compiled before, where this node keeps it.
    cache: Option<CompileCache>,
    threads: Arc<ThreadPool>,
}

impl Loader {
    /// Starts the threads. Nothing is decided before the first set is loaded, so they come after nobody until they are told to
    /// make way: on a machine that others use too, a node would otherwise be back many times later.
    pub(crate) fn start(engine: SandboxEngine, compiler: Compiler, threads: u8) -> Result<Self, LoaderError> {
        let threads = ThreadPoolBuilder::new()
            .num_threads(usize::from(threads.max(1)))
            .thread_name(|index| format!("policy-loader-{index}"))
            .build()?;
        Ok(Self {
            engine,
            compiler,
            cache: None,
            threads: Arc::new(threads),
        })
    }

    /// Payments are decided from now on, and come first: each thread makes way for them as soon as it has ended what it is at.
    pub(crate) fn make_way(&self) {
        self.threads
            .spawn_broadcast(|_| Priority::background(NICENESS).of_this_thread("policy-loader"));
    }

    /// The same, which compiles nothing that is in this cache.
    pub(crate) fn with_cache(self, cache: CompileCache) -> Self {
        Self {
            cache: Some(cache),
            ..self
        }
    }

    /// These artifacts are in force.
    pub(crate) fn in_use(&self, digests: &BTreeSet<Digest>) {
        if let Some(cache) = &self.cache {
            cache.in_use(digests);
        }
    }

    /// Checks an artifact, has it validated and compiled, holds it against its document and runs its golden cases. What is in the
    /// cache was validated and compiled before; the rest is done again.
    pub(crate) async fn load(
        &self,
        document: Arc<PolicyDocument>,
        artifact: Bytes,
    ) -> Result<Arc<Policy>, LoadError> {
        let bytes = artifact.clone();
        let (engine, cache) = (self.engine.clone(), self.cache.clone());
        let of_cache = Arc::clone(&document);
        let begun = self
            .run(move |is_awaited| {
                let checked = Checked::uncounted(&bytes)?;
                let Some(cached) = cache.and_then(|cache| cache.take(checked.digest())) else {
                    // What is in the cache was counted before it was compiled, by the same sources.
                    structure::count(&bytes)?;
                    return Ok(Begun::ToCompile(checked));
                };
                checked.check_contract(cached.contract)?;
                let policy = Policy::link_component(&engine, checked, cached.contract, &cached.component)?;
                verify(&policy, &of_cache, is_awaited)?;
                Ok(Begun::Loaded(Arc::new(policy)))
            })
            .await?;
        let checked = match begun {
            Begun::Loaded(policy) => return Ok(policy),
            Begun::ToCompile(checked) => checked,
        };
        let compiled = self.compiler.compile(&artifact).await?;
        drop(artifact);
        checked.check_contract(compiled.contract)?;
        let (engine, cache) = (self.engine.clone(), self.cache.clone());
        self.run(move |is_awaited| {
            // Nothing but the cache keeps the code beside the engine's own copy: it waits for the golden cases.
            let kept = cache.map(|cache| (cache, compiled.kept()));
            let policy = Policy::link(&engine, checked, compiled)?;
            verify(&policy, &document, is_awaited)?;
            if let Some((cache, compiled)) = kept {
                cache.keep(policy.digest(), &compiled);
            }
            Ok(Arc::new(policy))
        })
        .await
    }

    /// Holds a policy that is compiled already against another document.
    pub(crate) async fn reuse(
        &self,
        document: Arc<PolicyDocument>,
        policy: Arc<Policy>,
    ) -> Result<Arc<Policy>, LoadError> {
        self.run(move |is_awaited| {
            verify(&policy, &document, is_awaited)?;
            Ok(policy)
        })
        .await
    }

    /// Runs a job on a thread of the pool. A job can ask whether anybody still waits for it; what nobody waits for when its
    /// turn comes is not begun.
    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&dyn Fn() -> bool) -> Result<T, LoadError> + Send + 'static,
    ) -> Result<T, LoadError> {
        let (sender, receiver) = oneshot::channel();
        self.threads.spawn(move || {
            let is_awaited = || !sender.is_closed();
            if !is_awaited() {
                return;
            }
            // A check that panics on an artifact must not take the gateway with it.
            let result = catch_unwind(AssertUnwindSafe(|| job(&is_awaited)));
            let result = result.unwrap_or(Err(LoadError::Panicked));
            // Nobody waits any more when the gateway is shutting down.
            let _delivered = sender.send(result);
        });
        receiver.await.unwrap_or(Err(LoadError::Panicked))
    }
}

/// Everything that a document and its policy must agree on before they come into force. Ends early where nobody waits for it
/// any more.
pub(crate) fn verify(
    policy: &Policy,
    document: &PolicyDocument,
    is_awaited: impl Fn() -> bool,
) -> Result<usize, LoadError> {
    check_document(policy, document)?;
    let passed = policy.check_golden_cases(&document.limits, is_awaited)?;
    policy.check_parameters(&document.parameters, &document.limits)?;
    Ok(passed)
}

#[cfg(test)]
mod tests;
