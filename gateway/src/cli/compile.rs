//! `portcullis compile`: the process that compiles one policy. `serve` starts it for every policy that it loads, and so do
//! `policy build`, `inspect`, `test` and `push`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use plugin_host::compiler::{ChildBounds, CompilerCommand, compile_standard_input};

/// The name of the subcommand.
const NAME: &str = "compile";

#[derive(Args, Debug)]
pub(super) struct CompileArgs {
    /// Memory that compiling may take
    #[arg(long, value_name = "BYTES")]
    memory_bytes: u64,
    /// Computing that it may take
    #[arg(long, value_name = "SECONDS")]
    cpu_seconds: u32,
}

pub(super) fn run(args: &CompileArgs) -> ExitCode {
    compile_standard_input(ChildBounds {
        memory_bytes: args.memory_bytes,
        cpu_seconds: args.cpu_seconds,
    })
}

/// How this very program is started to compile.
pub(super) fn command() -> CompilerCommand {
    CompilerCommand {
        program: this_program(),
        arguments: vec![NAME.into()],
    }
}

/// On Linux by the link that leads to the running program also when another was installed in its place: machine code fits
/// the very build that made it, and no other.
fn this_program() -> PathBuf {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        return running;
    }
    // Where there is no such link: the path that it was started by.
    std::env::current_exe().unwrap_or_else(|_| NAME.into())
}
