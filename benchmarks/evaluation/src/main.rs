//! What one evaluation costs: ours as the gateway runs it, beside wasmtime without anything round it, wasmtime as it comes, native
//! code, and other rule engines. The same rule, the same payment, and the same answer, which every row is held to before it is
//! timed. All rows take turns in each of several rounds, on one core; a time is the middle of the rounds' medians. The times are
//! this machine's; the ratios are what can be compared.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark ends where something is missing"
)]

mod arguments;
mod compiler;
mod contender;
mod engines;
mod native;
mod ours;
mod peers;
mod pinning;
mod report;
mod sample;
mod sandbox;
mod threads;
mod versions;

use std::process::ExitCode;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == compiler::NAME) {
        return compiler::run(&arguments);
    }
    match Arguments::parse(&arguments) {
        Ok(arguments) => {
            report::run(&arguments);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
