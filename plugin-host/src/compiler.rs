//! From a component to machine code, in a process of its own.
//!
//! A compiler cannot be interrupted, and a component may be made so that it computes for minutes and takes gigabytes, or so
//! that it breaks the compiler. In another process both have a bound that holds: the system's own. The
//! process is this very program under another command, so that what it writes fits the engine that reads it; it is given
//! the component and nothing else, no environment and no files.

mod child;

pub use child::{ChildBounds, compile_standard_input};

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use wasmtime::component::Component;

use crate::config::Config;
use crate::engine::SandboxEngine;
use crate::load_error::LoadError;

/// Bytes of machine code that are taken from a compiler: ten times what the largest interpreter seen compiles to.
pub(crate) const MAX_MACHINE_CODE_BYTES: u64 = 512 * 1024 * 1024;

/// Bytes of a compiler's last words that are kept.
const MAX_COMPLAINT_BYTES: u64 = 4 * 1024;

/// The status with which the process says that the component does not compile; why is on its standard error.
const NOT_COMPILABLE: u8 = 3;

/// The status with which the process says that its memory ended while it could still say so.
const NO_MEMORY: u8 = 4;

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

    /// Compiles a component that was validated. Waits until a process may be started.
    pub(crate) async fn compile(&self, component: &[u8]) -> Result<MachineCode, LoadError> {
        match self {
            #[cfg(test)]
            Self::Here(engine) => compile_here(engine, component),
            Self::Apart(processes) => processes.compile(component).await,
        }
    }
}

/// What a compiler of this engine made of a component.
pub(crate) struct MachineCode(Vec<u8>);

impl MachineCode {
    /// The component, ready to be linked.
    pub(crate) fn component(&self, engine: &SandboxEngine) -> Result<Component, LoadError> {
        #[expect(
            unsafe_code,
            reason = "machine code is run as it is, so it must be a compiler's own: it came from this process or, by a pipe \
                      that nobody else holds, from this program in a process that it started; its header names version and \
                      settings, and others are refused"
        )]
        // SAFETY: see above.
        let component = unsafe { Component::deserialize(engine.wasmtime(), &self.0) };
        // Such as a component of more memory than any slot of the pool has.
        component.map_err(|error| LoadError::NotCompilable {
            reason: format!("{error:#}"),
        })
    }
}

/// Compiles on this thread, for as long as it takes.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn compile_here(engine: &SandboxEngine, component: &[u8]) -> Result<MachineCode, LoadError> {
    engine
        .wasmtime()
        .precompile_component(component)
        .map(MachineCode)
        .map_err(|error| LoadError::NotCompilable {
            reason: format!("{error:#}"),
        })
}

impl CompilerProcesses {
    async fn compile(&self, component: &[u8]) -> Result<MachineCode, LoadError> {
        // Never closed.
        let _permit = self.permits.acquire().await;
        let mut child = self.start().map_err(|error| LoadError::CompilerUnavailable {
            reason: error.to_string(),
        })?;
        // Whoever waits no longer drops the child, which kills it.
        match converse(&mut child, component).await {
            Ok((status, code, complaint)) => self.judge(status, code, &complaint),
            Err(error) => Err(LoadError::CompilerUnavailable {
                reason: error.to_string(),
            }),
        }
    }

    fn start(&self) -> std::io::Result<Child> {
        Command::new(&self.command.program)
            .args(&self.command.arguments)
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

    fn judge(&self, status: ExitStatus, code: Vec<u8>, complaint: &str) -> Result<MachineCode, LoadError> {
        if status.success() {
            return Ok(MachineCode(code));
        }
        if status.code() == Some(i32::from(NOT_COMPILABLE)) {
            let reason = complaint.trim_end().to_owned();
            return Err(LoadError::NotCompilable { reason });
        }
        if status.code() == Some(i32::from(NO_MEMORY)) || complaint.contains(OUT_OF_MEMORY) {
            return Err(LoadError::CompilingTakesTooMuch {
                max_bytes: self.memory_bytes,
            });
        }
        if ended_by_cpu_limit(status) {
            return Err(LoadError::CompilingTakesTooLong {
                cpu_seconds: self.cpu_seconds,
            });
        }
        let complaint = complaint.trim_end();
        let separator = if complaint.is_empty() { "" } else { ": " };
        Err(LoadError::CompilerFailed {
            reason: format!("{status}{separator}{complaint}"),
        })
    }
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
