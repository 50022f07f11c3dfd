//! The other side: the process that compiles one component and ends.

use std::io::{Read, Write};
use std::process::ExitCode;

use rayon::ThreadPoolBuilder;
use rustix::process::{Resource, Rlimit, setrlimit};
use wasmtime::OutOfMemory;

use super::task::{self, CompilerTask};
use super::{NO_MEMORY, NOT_COMPILABLE, UNFIT, not_compilable};
use crate::artifact::MAX_ARTIFACT_BYTES;
use crate::contract::version::ContractVersion;
use crate::engine::compiling_engine;
use crate::load_error::LoadError;
use crate::priority::Priority;

/// How nice a compiler is: half way to the lowest priority, so that payments come first and a load still ends on a busy
/// machine.
const NICENESS: i32 = 10;

/// Bytes of stack for the thread that validates and compiles: a function of many nested blocks takes the compiler deep.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// The status of a process that could not do its work at all.
const FAILED: u8 = 1;

/// What one compilation may take.
#[derive(Clone, Copy, Debug)]
pub struct ChildBounds {
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Time of the processor, in seconds.
    pub cpu_seconds: u32,
}

/// Why there is no machine code.
enum Failure {
    /// The component is no policy, or does not compile.
    Refused(LoadError),
    /// The memory ended, and whoever noticed did not abort.
    NoMemory(String),
    /// Something that has nothing to do with the component.
    Unable(String),
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::Refused(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::OutOfMemory {
            Self::NoMemory(error.to_string())
        } else {
            Self::Unable(error.to_string())
        }
    }
}

/// Reads a component from standard input and writes machine code to standard output. The whole work of a compiler's process:
/// call it first thing in `main`, before anything else takes memory or threads.
#[must_use]
pub fn compile_standard_input(task: CompilerTask, bounds: ChildBounds) -> ExitCode {
    match bound(bounds).map_err(Failure::from).and_then(|()| compile(task)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Refused(LoadError::NotCompilable { reason })) => complain(&reason, NOT_COMPILABLE),
        Err(Failure::Refused(error)) => complain(&format!("{}\n{error}", error.code()), UNFIT),
        Err(Failure::NoMemory(reason)) => complain(&reason, NO_MEMORY),
        Err(Failure::Unable(reason)) => complain(&reason, FAILED),
    }
}

fn complain(reason: &str, status: u8) -> ExitCode {
    // Nobody is left to tell where this fails.
    let _written = std::io::stderr().write_all(reason.as_bytes());
    ExitCode::from(status)
}

/// Puts the process under its bounds. The system's own are kept where they are stricter.
fn bound(bounds: ChildBounds) -> std::io::Result<()> {
    let cpu_seconds = u64::from(bounds.cpu_seconds);
    let limits = [
        // What is asked for and writable, wherever it lies; address space alone costs nothing.
        (Resource::Data, bounds.memory_bytes, bounds.memory_bytes),
        // At the first a signal that says which bound it was, at the second one that says nothing.
        (Resource::Cpu, cpu_seconds, cpu_seconds.saturating_add(1)),
        (Resource::Core, 0, 0),
    ];
    for (resource, current, maximum) in limits {
        let inherited = rustix::process::getrlimit(resource);
        let maximum = inherited.maximum.map_or(maximum, |most| most.min(maximum));
        let limit = Rlimit {
            current: Some(current.min(maximum)),
            maximum: Some(maximum),
        };
        setrlimit(resource, limit)?;
    }
    Priority::background(NICENESS).of_this_thread("compiler");
    Ok(())
}

/// Memory that ends is noticed in one of three ways: nearly everything, Cranelift first, aborts with words of the allocator's;
/// some of what reads and takes notes returns an error; and a thread that finds no room for its stack is not started, which
/// the system tells in the same way as too many threads. So the one thread, whose stack is all that is mapped past the
/// allocator, starts before the component is there: whether it does depends on the settings and the system alone.
fn compile(task: CompilerTask) -> Result<(), Failure> {
    // One thread: how many compile at a time is for the gateway to say, not for the machine's cores.
    let thread = ThreadPoolBuilder::new()
        .num_threads(1)
        .stack_size(STACK_BYTES)
        .build()
        .map_err(|error| Failure::Unable(format!("the thread that compiles does not start: {error}")))?;
    let mut component = Vec::new();
    std::io::stdin()
        .take(MAX_ARTIFACT_BYTES)
        .read_to_end(&mut component)?;
    let engine = compiling_engine().map_err(std::io::Error::other)?;
    let (contract, code) = thread.install(|| {
        let contract = match task {
            CompilerTask::Policy => Some(task::check(&component)?),
            CompilerTask::AnyComponent => None,
        };
        let code = task::compile(&engine, &component).map_err(|error| {
            if error.is::<OutOfMemory>() {
                Failure::NoMemory(format!("{error:#}"))
            } else {
                Failure::Refused(not_compilable(&error))
            }
        })?;
        Ok::<_, Failure>((contract, code))
    })?;
    let mut output = std::io::stdout();
    output.write_all(&code)?;
    output.flush()?;
    let package = contract.map_or("", ContractVersion::package);
    std::io::stderr().write_all(package.as_bytes())?;
    Ok(())
}
