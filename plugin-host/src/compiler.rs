//! From a component to machine code, in a process of its own.
//!
//! A validator and a compiler cannot be interrupted, and a component may be made so that they compute for minutes and take
//! gigabytes, or so that it breaks them. In another process both have a bound that holds: the system's own. The
//! process is this very program under another command, so that what it writes fits the engine that reads it; it is given
//! the component and nothing else, no environment and no files.
//!
//! The process validates the component, holds it against the contract and compiles it. It writes machine code to its standard
//! output and the package of the contract to its standard error; or why not, under an exit status that says which of them.

mod child;
mod task;

pub use child::{ChildBounds, compile_standard_input};
pub use task::CompilerTask;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use wasmtime::component::Component;

use crate::config::Config;
use crate::contract::version::ContractVersion;
use crate::engine::{SandboxEngine, is_of_the_system};
use crate::load_error::LoadError;

/// Bytes of machine code that are taken from a compiler: ten times what the largest interpreter seen compiles to.
pub(crate) const MAX_MACHINE_CODE_BYTES: u64 = 512 * 1024 * 1024;

/// Bytes of a compiler's last words that are kept.
const MAX_COMPLAINT_BYTES: u64 = 4 * 1024;

/// The status with which the process says that the component does not compile; why is on its standard error.
const NOT_COMPILABLE: u8 = 3;

/// The status with which the process refuses the component before it compiles it: its standard error has the name of the refusal
/// on its first line, and what is wrong after that.
const UNFIT: u8 = 4;

/// The refusals that may come with that status.
const UNFIT_CODES: [&str; 4] = [
    "too_complex",
    "not_compilable",
    "forbidden_import",
    "contract_mismatch",
];
/// The status with which the process says that its memory ended while it could still say so.
const NO_MEMORY: u8 = 5;

/// What the allocator of Rust's standard library says before it aborts.
const OUT_OF_MEMORY: &str = "memory allocation of";

/// The program that compiles, and the arguments before those that this module adds: this program, under the command that
/// calls [`compile_standard_input`].
#[derive(Clone, Debug)]
pub struct CompilerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its first arguments.
    pub arguments: Vec<OsString>,
}

/// Compiles components.
#[derive(Clone)]
pub(crate) enum Compiler {
    /// In this process, on the caller's thread: tests have no program to start.
    #[cfg(test)]
    Here(SandboxEngine),
    /// In a process of its own.
    Apart(Arc<CompilerProcesses>),
}

/// Processes that compile, so many at a time.
pub(crate) struct CompilerProcesses {
    command: CompilerCommand,
    cpu_seconds: u32,
    memory_bytes: u64,
    permits: Semaphore,
}

impl Compiler {
    /// Compiles in processes of this command, within the bounds of this configuration.
    pub(crate) fn apart(command: CompilerCommand, config: &Config) -> Self {
        Self::Apart(Arc::new(CompilerProcesses {
            command,
            cpu_seconds: config.compile_cpu_seconds.max(1),
            memory_bytes: config.compile_memory_bytes,
            permits: Semaphore::new(usize::from(config.compile_threads.max(1))),
        }))
    }

    /// Validates a component that was counted, holds it against the contract and compiles it. Waits until a process may be
    /// started.
    pub(crate) async fn compile(&self, component: &[u8]) -> Result<Compiled, LoadError> {
        match self {
            #[cfg(test)]
            Self::Here(engine) => compile_here(engine, component),
            Self::Apart(processes) => {
                let (code, said) = processes.run(CompilerTask::Policy, component).await?;
                let contract = ContractVersion::of_package(said.trim_end());
                contract
                    .map(|contract| Compiled { contract, code })
                    .ok_or_else(|| LoadError::CompilerFailed {
                        reason: format!("it did not say which contract it found, but: {said}"),
                    })
            }
        }
    }

    /// Compiles a component that was validated, whether it fits the contract or not. Waits until a process may be started.
    pub(crate) async fn compile_any(&self, component: &[u8]) -> Result<MachineCode, LoadError> {
        match self {
            #[cfg(test)]
            Self::Here(engine) => code_of(engine, component),
            Self::Apart(processes) => {
                let (code, _) = processes.run(CompilerTask::AnyComponent, component).await?;
                Ok(code)
            }
        }
    }
}

/// What became of a component.
pub(crate) struct Compiled {
    /// The version of the contract that it was built for.
    pub(crate) contract: ContractVersion,
    pub(crate) code: MachineCode,
}

impl Compiled {
    /// The same once more; nothing is copied.
    pub(crate) fn kept(&self) -> Self {
        Self {
            contract: self.contract,
            code: MachineCode(self.code.bytes()),
        }
    }
}

/// What a compiler of this engine made of a component.
pub(crate) struct MachineCode(Bytes);

impl MachineCode {
    /// From bytes of which it is known that a compiler of this program made them on this node: they are run as they are.
    pub(crate) const fn authenticated(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// Its bytes; nothing is copied.
    pub(crate) fn bytes(&self) -> Bytes {
        self.0.clone()
    }

    /// The component, ready to be linked. The engine copies the code, and the code itself, which may be large, is gone then,
    /// unless somebody keeps it.
    pub(crate) fn into_component(self, engine: &SandboxEngine) -> Result<Component, LoadError> {
        #[expect(
            unsafe_code,
            reason = "machine code is run as it is, so it must be a compiler's own: it came from this process or, by a pipe \
                      that nobody else holds, from this program in a process that it started, at once or before it was \
                      sealed on this node's disk; its header names version and settings, and others are refused"
        )]
        // SAFETY: see above.
        let component = unsafe { Component::deserialize(engine.wasmtime(), &self.0) };
        component.map_err(|error| not_loaded(&error))
    }
}

/// Why machine code cannot be used. That this node is short of memory says nothing about the component; what is left is such
/// as a component of more memory than any slot of the pool has.
fn not_loaded(error: &wasmtime::Error) -> LoadError {
    let reason = format!("{error:#}");
    if is_of_the_system(error) {
        LoadError::CompilerUnavailable { reason }
    } else {
        LoadError::NotCompilable { reason }
    }
}

fn not_compilable(error: &wasmtime::Error) -> LoadError {
    LoadError::NotCompilable {
        reason: format!("{error:#}"),
    }
}

/// Validates and compiles on this thread, for as long as it takes.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn compile_here(engine: &SandboxEngine, component: &[u8]) -> Result<Compiled, LoadError> {
    let contract = task::check(component)?;
    let code = code_of(engine, component)?;
    Ok(Compiled { contract, code })
}

#[cfg(any(test, feature = "fuzzing"))]
fn code_of(engine: &SandboxEngine, component: &[u8]) -> Result<MachineCode, LoadError> {
    let code = task::compile(engine.wasmtime(), component);
    code.map(|code| MachineCode(code.into()))
        .map_err(|error| not_compilable(&error))
}

impl CompilerProcesses {
    /// What a process made of a component, and what it said besides.
    async fn run(&self, task: CompilerTask, component: &[u8]) -> Result<(MachineCode, String), LoadError> {
        // Never closed.
        let _permit = self.permits.acquire().await;
        let mut child = self.start(task).map_err(|error| LoadError::CompilerUnavailable {
            reason: error.to_string(),
        })?;
        // Whoever waits no longer drops the child, which kills it.
        match converse(&mut child, component).await {
            Ok((status, code, said)) if status.success() => Ok((MachineCode(code.into()), said)),
            Ok((status, _, complaint)) => Err(self.refusal(status, &complaint)),
            Err(error) => Err(LoadError::CompilerUnavailable {
                reason: error.to_string(),
            }),
        }
    }

    fn start(&self, task: CompilerTask) -> std::io::Result<Child> {
        Command::new(&self.command.program)
            .args(&self.command.arguments)
            .args(["--task", task.as_str()])
            .args(["--memory-bytes", &self.memory_bytes.to_string()])
            .args(["--cpu-seconds", &self.cpu_seconds.to_string()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }

    fn refusal(&self, status: ExitStatus, complaint: &str) -> LoadError {
        let complaint = complaint.trim_end();
        if status.code() == Some(i32::from(NOT_COMPILABLE)) {
            let reason = complaint.to_owned();
            return LoadError::NotCompilable { reason };
        }
        if status.code() == Some(i32::from(UNFIT))
            && let Some((code, message)) = unfit(complaint)
        {
            return LoadError::Unfit { code, message };
        }
        if status.code() == Some(i32::from(NO_MEMORY)) || complaint.contains(OUT_OF_MEMORY) {
            return LoadError::CompilingTakesTooMuch {
                max_bytes: self.memory_bytes,
            };
        }
        if ended_by_cpu_limit(status) {
            return LoadError::CompilingTakesTooLong {
                cpu_seconds: self.cpu_seconds,
            };
        }
        let separator = if complaint.is_empty() { "" } else { ": " };
        LoadError::CompilerFailed {
            reason: format!("{status}{separator}{complaint}"),
        }
    }
}

/// The refusal that a process wrote, where it is one that there is.
fn unfit(complaint: &str) -> Option<(&'static str, String)> {
    let (code, message) = complaint.split_once('\n')?;
    let code = UNFIT_CODES.into_iter().find(|known| *known == code)?;
    Some((code, message.to_owned()))
}

fn ended_by_cpu_limit(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(rustix::process::Signal::XCPU.as_raw())
}

/// Gives a compiler its component, and takes what it answers.
async fn converse(child: &mut Child, component: &[u8]) -> std::io::Result<(ExitStatus, Vec<u8>, String)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let give = async move {
        if let Some(mut stdin) = stdin {
            // A compiler that ended says why in its own words.
            let _written = stdin.write_all(component).await;
        }
    };
    let ((), code, complaint) = tokio::join!(
        give,
        read(stdout, MAX_MACHINE_CODE_BYTES),
        read(stderr, MAX_COMPLAINT_BYTES)
    );
    let (code, complaint) = (code?, complaint?);
    let status = child.wait().await?;
    Ok((status, code, String::from_utf8_lossy(&complaint).into_owned()))
}

/// Reads to the end, and keeps up to so many bytes.
async fn read(from: Option<impl AsyncRead + Unpin>, max_bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    if let Some(from) = from {
        let mut from = from.take(max_bytes);
        from.read_to_end(&mut kept).await?;
        // What is written beyond finds a closed pipe, which ends the writer.
    }
    Ok(kept)
}

#[cfg(test)]
mod tests;
