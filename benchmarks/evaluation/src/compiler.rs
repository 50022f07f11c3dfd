//! The process that compiles policies, as the gateway starts one for each: this program, under the arguments that the policy
//! host gives it.

use std::process::ExitCode;

use plugin_host::compiler::{ChildBounds, CompilerCommand, CompilerTask, compile_standard_input};

/// The first argument of a process that compiles.
pub(crate) const NAME: &str = "compile";

/// How it is started.
pub(crate) fn command() -> CompilerCommand {
    CompilerCommand {
        program: "/proc/self/exe".into(),
        arguments: vec![NAME.into()],
    }
}

/// What it does.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let value = |name: &str| {
        let index = arguments.iter().position(|argument| argument == name);
        index
            .and_then(|index| arguments.get(index + 1))
            .map_or("", String::as_str)
    };
    let task = CompilerTask::parse(value("--task")).expect("the host says what it asks for");
    let bounds = ChildBounds {
        memory_bytes: value("--memory-bytes").parse().expect("bytes"),
        cpu_seconds: value("--cpu-seconds").parse().expect("seconds"),
    };
    compile_standard_input(task, bounds)
}
