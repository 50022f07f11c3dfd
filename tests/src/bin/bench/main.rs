//! `make bench`: the benchmarks that boot the real binary, each by its name.
//!
//! One program for all of them, since each one more would be linked with the whole gateway once more.

mod fleet;
mod hot_reload;
mod isolation;
mod restart;
mod rollout;

use std::process::ExitCode;

/// The benchmarks, by name.
const BENCHMARKS: [(&str, fn()); 5] = [
    ("hot-reload", hot_reload::run),
    ("restart", restart::run),
    ("isolation", isolation::run),
    ("rollout", rollout::run),
    ("fleet", fleet::run),
];

fn main() -> ExitCode {
    let asked_for = std::env::args().nth(1).unwrap_or_default();
    match BENCHMARKS.iter().find(|(name, _)| *name == asked_for) {
        Some((_, run)) => {
            run();
            ExitCode::SUCCESS
        }
        None => {
            let names: Vec<&str> = BENCHMARKS.iter().map(|(name, _)| *name).collect();
            eprintln!(
                "there is no benchmark {asked_for:?}; there are: {}",
                names.join(", ")
            );
            ExitCode::FAILURE
        }
    }
}
