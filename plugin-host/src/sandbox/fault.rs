//! From what the engine reports to a fault that a policy's author can act on.

use std::fmt::{self, Write as _};

use domain::risk::{Fault, FaultKind};
use rustc_demangle::demangle;
use thiserror::Error;
use wasmtime::{FrameInfo, Trap, WasmBacktrace};

use super::context::EvaluationContext;
use super::limiter::MAX_TABLE_ENTRIES;
use crate::document::Limits;
use crate::engine::{MAX_GUEST_STACK_BYTES, is_of_the_system};
use crate::virtual_wasi::NotAvailable;

/// Bytes of a fault's detail: a trap with its backtrace has some hundred.
pub(crate) const MAX_DETAIL_BYTES: usize = 2 * 1024;

/// Bytes of a guest's last words in a trap's detail: the message of a panic, and room for the trap behind it.
const MAX_LAST_WORDS_BYTES: usize = 512;

/// Bytes of a function's name in a backtrace. An artifact chooses its names, and a short one can stand for a long one.
const MAX_FUNCTION_NAME_BYTES: usize = 160;

/// How the engine's own backtrace begins.
const BACKTRACE: &str = "error while executing at wasm backtrace";

/// What wasmtime says when a guest passes more to the host than one call may. The error's type is its own.
const TOO_MUCH_DATA: &str = "too much data is being copied between the host and the guest";

/// A guest called the host too often, or passed it too much.
#[derive(Debug, Error)]
pub(crate) enum HostCallLimit {
    #[error("more than {max} calls to the host")]
    Calls { max: u32 },
    #[error("more than {max} signals")]
    Signals { max: usize },
    #[error("a signal's {what} of {found} bytes, of at most {max}")]
    SignalText {
        what: &'static str,
        max: usize,
        found: usize,
    },
    #[error("a request for {found} random bytes, of at most {max}")]
    RandomBytes { max: u64, found: u64 },
}

/// A guest called `exit`; there is no process to leave, so it is a trap.
#[derive(Debug, Error)]
#[error("the guest called exit ({status})")]
pub(crate) struct GuestExit {
    /// `ok` or `error`, or the code.
    pub(crate) status: String,
}

/// What kind of fault an error of the engine is, with what the author needs to mend it.
pub(super) fn classify(
    error: &wasmtime::Error,
    context: &EvaluationContext,
    limits: &Limits,
    fuel_used: u64,
) -> Fault {
    let kind = kind(error, context);
    let fuel = limits.fuel();
    let error = told(error);
    let detail = match kind {
        FaultKind::OutOfFuel => format!("used all of its {fuel} units of fuel; {error}"),
        // Inside of a loop the fuel is counted in a register that an interruption leaves behind.
        FaultKind::Deadline => format!(
            "did not end within {} ms, after {fuel_used} or more of its {fuel} units of fuel; {error}",
            limits.deadline_ms()
        ),
        FaultKind::OutOfMemory => format!(
            "asked for more than its {} bytes of memory or {MAX_TABLE_ENTRIES} entries of tables, after {fuel_used} of its \
             {fuel} units of fuel; {error}",
            limits.memory_bytes()
        ),
        FaultKind::StackOverflow => format!(
            "went beyond {MAX_GUEST_STACK_BYTES} bytes of the host's stack, after {fuel_used} of its {fuel} units of fuel; \
             {error}"
        ),
        FaultKind::Trap => match context.last_words() {
            Some(words) => format!(
                "{}; after {fuel_used} of its {fuel} units of fuel; {error}",
                shorter(&words, MAX_LAST_WORDS_BYTES)
            ),
            None => format!("after {fuel_used} of its {fuel} units of fuel; {error}"),
        },
        _ => format!("after {fuel_used} of its {fuel} units of fuel; {error}"),
    };
    Fault {
        kind,
        detail: shorter(&detail, MAX_DETAIL_BYTES).into(),
    }
}

/// What the engine says, and where the guest was. Written within a bound: the engine's own backtrace is as long as the names that
/// an artifact gives its functions, and as what these stand for.
fn told(error: &wasmtime::Error) -> String {
    let mut text = Bounded::of(MAX_DETAIL_BYTES);
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    for cause in error.chain() {
        let mut said = Bounded::of(MAX_DETAIL_BYTES);
        let _cut = write!(said, "{cause}");
        if said.kept.starts_with(BACKTRACE) {
            continue;
        }
        let separator = if text.kept.is_empty() { "" } else { ": " };
        if write!(text, "{separator}{}", said.kept).is_err() {
            return text.kept;
        }
    }
    for (index, frame) in backtrace.iter().flat_map(|trace| trace.frames()).enumerate() {
        if text
            .write_str(if index == 0 { "; at " } else { ", in " })
            .is_err()
        {
            break;
        }
        let name = name_of(frame);
        let offset = frame.module_offset().unwrap_or_default();
        if write!(text, "{name} ({offset:#x})").is_err() {
            break;
        }
    }
    text.kept
}

/// The name of a function, as its author wrote it where it is one of Rust's.
fn name_of(frame: &FrameInfo) -> String {
    let Some(name) = frame.func_name() else {
        return format!("function {}", frame.func_index());
    };
    let mut text = Bounded::of(MAX_FUNCTION_NAME_BYTES);
    // Without the hash behind it.
    let _cut = write!(text, "{:#}", demangle(name));
    text.kept
}

/// Takes so much of a text, and stops whoever writes it.
struct Bounded {
    kept: String,
    max_bytes: usize,
}

impl Bounded {
    const fn of(max_bytes: usize) -> Self {
        Self {
            kept: String::new(),
            max_bytes,
        }
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let kept = shorter(text, self.max_bytes - self.kept.len());
        self.kept.push_str(kept);
        if kept.len() < text.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

fn kind(error: &wasmtime::Error, context: &EvaluationContext) -> FaultKind {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => return FaultKind::OutOfFuel,
        Some(Trap::Interrupt) => return FaultKind::Deadline,
        Some(Trap::StackOverflow) => return FaultKind::StackOverflow,
        // A guest whose allocation fails gives up by a trap of its own.
        Some(_) if context.memory_was_refused() => return FaultKind::OutOfMemory,
        Some(_) => return FaultKind::Trap,
        None => {}
    }
    if error.is::<HostCallLimit>() {
        FaultKind::HostCallLimit
    } else if error.is::<GuestExit>() && context.memory_was_refused() {
        // Some runtimes give up by leaving.
        FaultKind::OutOfMemory
    } else if error.is::<GuestExit>() || error.is::<NotAvailable>() {
        FaultKind::Trap
    } else if error.is::<wasmtime::PoolConcurrencyLimitError>() || is_of_the_system(error) {
        FaultKind::Unavailable
    } else if context.memory_was_refused() {
        FaultKind::OutOfMemory
    } else if error.is::<WasmBacktrace>() {
        // The guest was running: what cannot be read is what it passed to the host.
        let too_much = error.root_cause().to_string().starts_with(TOO_MUCH_DATA);
        if too_much {
            FaultKind::HostCallLimit
        } else {
            FaultKind::Trap
        }
    } else {
        // What is left are answers that cannot be read: text that is not UTF-8, a discriminant out of range, too much.
        FaultKind::InvalidOutput
    }
}

fn shorter(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}
