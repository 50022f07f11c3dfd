//! Loading off the path of payments: a small pool of low-priority threads, and compilers in processes of their own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::compiler::Compiler;
use crate::document::PolicyDocument;
use crate::engine::SandboxEngine;
use crate::load_error::LoadError;
use crate::policy::{Checked, Policy};
use crate::priority::Priority;
use crate::release::check_document;

/// How nice the loading threads are: half way to the lowest priority, so that payments come first and a load still ends
/// on a busy machine.
const NICENESS: i32 = 10;

/// The loading threads could not be started.
#[derive(Debug, Error)]
#[error("the threads that load policies could not be started")]
pub struct LoaderError(#[from] rayon::ThreadPoolBuildError);

/// Loads policies on threads of its own, and has them compiled.
#[derive(Clone)]
pub(crate) struct Loader {
    engine: SandboxEngine,
    compiler: Compiler,
    threads: Arc<ThreadPool>,
}

impl Loader {
    /// Starts the threads.
    pub(crate) fn start(engine: SandboxEngine, compiler: Compiler, threads: u8) -> Result<Self, LoaderError> {
        let threads = ThreadPoolBuilder::new()
            .num_threads(usize::from(threads.max(1)))
            .thread_name(|index| format!("policy-loader-{index}"))
            .start_handler(|_| Priority::background(NICENESS).of_this_thread("policy-loader"))
            .build()?;
        Ok(Self {
            engine,
            compiler,
            threads: Arc::new(threads),
        })
    }

    /// Checks an artifact, has it validated and compiled, holds it against its document and runs its golden cases.
    pub(crate) async fn load(
        &self,
        document: Arc<PolicyDocument>,
        bytes: Vec<u8>,
    ) -> Result<Arc<Policy>, LoadError> {
        let (bytes, checked) = self
            .run(move |_| {
                let checked = Checked::artifact(&bytes)?;
                Ok((bytes, checked))
            })
            .await?;
        let compiled = self.compiler.compile(&bytes).await?;
        drop(bytes);
        checked.check_contract(compiled.contract)?;
        let engine = self.engine.clone();
        self.run(move |is_awaited| {
            let policy = Policy::link(&engine, checked, compiled)?;
            verify(&policy, &document, is_awaited)?;
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
