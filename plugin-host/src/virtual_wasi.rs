//! WASI 0.2 as a policy sees it: nothing is behind it.
//!
//! Standard libraries of guest languages import WASI whether or not the policy makes use of it. Here there are no files,
//! no network, no environment and no arguments; standard output and error become log lines; the clock stands at the
//! payment's time; random bytes follow from the payment and the artifact. So the same request gives the same verdict,
//! today and in an audit two years on. What is not served here (every call on a file, for one) is a trap that names it.

mod cli;
mod clocks;
mod filesystem;
mod io;
mod random;

pub(crate) use random::GuestRandom;
#[cfg(test)]
pub(crate) use random::MAX_BYTES as MAX_RANDOM_BYTES;

use thiserror::Error;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType};

use crate::sandbox::EvaluationContext;

/// The version of WASI that is served: every 0.2 is compatible with every other.
const VERSION: &str = "0.2.";

/// The interfaces that are served, without their version. Anything else is refused at load.
const INTERFACES: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// A guest called something that WASI has and a policy has not.
#[derive(Debug, Error)]
#[error("`{function}` is not available to a policy")]
pub(crate) struct NotAvailable {
    function: String,
}

/// Whether an import is a part of WASI that is served.
pub(crate) fn serves(import: &str) -> bool {
    import
        .split_once('@')
        .is_some_and(|(interface, version)| INTERFACES.contains(&interface) && version.starts_with(VERSION))
}

/// Links every import of WASI that the component has. Under its exact name: an instance that is defined under another
/// version would be hidden by the traps for the rest.
pub(crate) fn link(linker: &mut Linker<EvaluationContext>, component: &Component) -> wasmtime::Result<()> {
    let engine = linker.engine().clone();
    for (import, item) in component.component_type().imports(&engine) {
        let (Some((interface, _)), ComponentItem::ComponentInstance(instance)) =
            (import.split_once('@'), &item.ty)
        else {
            continue;
        };
        if !serves(import) {
            continue;
        }
        let mut linked = linker.instance(import)?;
        let served = serve(&mut linked, interface)?;
        for (name, item) in instance.exports(&engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) if !served.contains(&name) => {
                    let function = format!("{import}.{name}");
                    linked.func_new(name, move |_, _, _, _| {
                        Err(NotAvailable {
                            function: function.clone(),
                        }
                        .into())
                    })?;
                }
                ComponentItem::Resource(_) => linked.resource(name, resource_type(name), |_, _| Ok(()))?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Defines the functions of an interface that do something, and says which they are.
fn serve(
    linked: &mut LinkerInstance<'_, EvaluationContext>,
    interface: &str,
) -> wasmtime::Result<&'static [&'static str]> {
    match interface {
        "wasi:cli/environment" => cli::environment(linked),
        "wasi:cli/exit" => cli::exit(linked),
        "wasi:cli/stdin" => cli::stdin(linked),
        "wasi:cli/stdout" => cli::stdout(linked),
        "wasi:cli/stderr" => cli::stderr(linked),
        "wasi:cli/terminal-stdin" => cli::terminal_stdin(linked),
        "wasi:cli/terminal-stdout" => cli::terminal_stdout(linked),
        "wasi:cli/terminal-stderr" => cli::terminal_stderr(linked),
        "wasi:clocks/monotonic-clock" => clocks::monotonic(linked),
        "wasi:clocks/wall-clock" => clocks::wall(linked),
        "wasi:filesystem/preopens" => filesystem::preopens(linked),
        "wasi:io/poll" => io::poll(linked),
        "wasi:io/streams" => io::streams(linked),
        "wasi:random/insecure" => random::insecure(linked),
        "wasi:random/insecure-seed" => random::insecure_seed(linked),
        "wasi:random/random" => random::random(linked),
        _ => Ok(&[]),
    }
}

/// The host's side of a resource. One name means one resource in all of WASI 0.2, so interfaces that share one agree.
fn resource_type(name: &str) -> ResourceType {
    match name {
        "pollable" => ResourceType::host::<io::Pollable>(),
        "input-stream" => ResourceType::host::<io::InputStream>(),
        "output-stream" => ResourceType::host::<io::OutputStream>(),
        "error" => ResourceType::host::<io::StreamFailure>(),
        "terminal-input" | "terminal-output" => ResourceType::host::<cli::Terminal>(),
        "descriptor" => ResourceType::host::<filesystem::Descriptor>(),
        _ => ResourceType::host::<()>(),
    }
}

#[cfg(test)]
mod tests;
