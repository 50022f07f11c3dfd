//! What a store holds for one evaluation: the guest's bounds, what it said, its clock and its randomness.

use std::borrow::Cow;
use std::sync::Arc;

use domain::Timestamp;
use domain::risk::{PolicyIdentity, Signal};

use super::fault::HostCallLimit;
use super::limiter::GuestLimiter;
use super::secrets::Secrets;
use crate::digest::Digest;
use crate::virtual_wasi::GuestRandom;

/// Calls that a guest may make to the host in one evaluation. A policy that says something about each of its rules
/// makes tens; a loop around a host call makes millions, and fuel does not see the host's side of it.
pub(crate) const MAX_HOST_CALLS: u32 = 1_000;

/// Signals kept of one evaluation.
pub(crate) const MAX_SIGNALS: usize = 32;

/// Bytes of a signal's code.
pub(crate) const MAX_SIGNAL_CODE_BYTES: usize = 64;

/// Bytes of a signal's detail.
pub(crate) const MAX_SIGNAL_DETAIL_BYTES: usize = 512;

/// Bytes of log that are kept of one evaluation, its standard output and error included; what comes after is dropped.
pub(crate) const MAX_LOG_BYTES: usize = 8 * 1024;

/// Lines of log that are kept of one evaluation: each becomes a line of the gateway's, with all that stands around it there, and a
/// trace of Python's has some forty.
pub(crate) const MAX_LOG_LINES: usize = 64;

/// How loud a guest's log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogLevel {
    /// For the author.
    Debug,
    /// Worth knowing.
    Info,
    /// Worth a look.
    Warn,
    /// Something is wrong.
    Error,
}

/// The state of one evaluation. Nothing in it is allocated before the guest makes use of it.
pub(crate) struct EvaluationContext {
    limiter: GuestLimiter,
    policy: Arc<PolicyIdentity>,
    now: Timestamp,
    random: GuestRandom,
    calls_left: u32,
    log_bytes_left: usize,
    signals: Vec<Signal>,
    log: Vec<LogLine>,
}

/// A line for the gateway's log.
struct LogLine {
    level: LogLevel,
    text: String,
    /// The beginning of a character whose end is still to be written.
    begun: Vec<u8>,
    /// Whether it was written to a stream, piece by piece perhaps, and has not ended.
    is_open: bool,
}

impl EvaluationContext {
    /// A fresh state: the clock stands at `now`, random bytes follow from the payment and the artifact.
    pub(crate) fn new(
        policy: Arc<PolicyIdentity>,
        memory_bytes: u64,
        now: Timestamp,
        payment_id: &str,
        digest: &Digest,
    ) -> Self {
        Self {
            limiter: GuestLimiter::new(memory_bytes),
            policy,
            now,
            random: GuestRandom::new(payment_id, digest),
            calls_left: MAX_HOST_CALLS,
            log_bytes_left: MAX_LOG_BYTES,
            signals: Vec::new(),
            log: Vec::new(),
        }
    }

    pub(super) fn limiter(&mut self) -> &mut GuestLimiter {
        &mut self.limiter
    }

    pub(super) fn memory_was_refused(&self) -> bool {
        self.limiter.has_refused()
    }

    /// The last lines that the guest wrote, in one: for a panic, its message.
    pub(super) fn last_words(&self) -> Option<String> {
        /// Lines that are taken: a message may be of several, with a trace of the runtime's own behind it.
        const LINES: usize = 8;
        /// How the hint begins that Rust's standard library writes behind a panic's message.
        const HINT: &str = "note: run with `RUST_BACKTRACE";
        let from = self.log.len().saturating_sub(LINES);
        let lines: Vec<&str> = self
            .log
            .iter()
            .skip(from)
            .flat_map(|line| line.text.lines())
            .map(str::trim_end)
            .filter(|line| !line.is_empty() && !line.starts_with(HINT))
            .collect();
        (!lines.is_empty()).then(|| lines.join("; "))
    }

    /// The time at which the guest's clocks stand.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// The guest's source of random bytes.
    pub(crate) fn random(&mut self) -> &mut GuestRandom {
        &mut self.random
    }

    /// Counts a call to the host.
    pub(crate) fn count_call(&mut self) -> Result<(), HostCallLimit> {
        self.calls_left = self
            .calls_left
            .checked_sub(1)
            .ok_or(HostCallLimit::Calls { max: MAX_HOST_CALLS })?;
        Ok(())
    }

    /// Keeps a signal.
    pub(crate) fn signal(&mut self, code: String, detail: String) -> Result<(), HostCallLimit> {
        if self.signals.len() == MAX_SIGNALS {
            return Err(HostCallLimit::Signals { max: MAX_SIGNALS });
        }
        for (what, length, max) in [
            ("code", code.len(), MAX_SIGNAL_CODE_BYTES),
            ("detail", detail.len(), MAX_SIGNAL_DETAIL_BYTES),
        ] {
            if length > max {
                return Err(HostCallLimit::SignalText {
                    what,
                    max,
                    found: length,
                });
            }
        }
        self.signals.push(Signal {
            code: code.into(),
            detail: detail.into(),
        });
        Ok(())
    }

    /// Keeps a log line, or as much of it as there is room for.
    pub(crate) fn log(&mut self, level: LogLevel, line: &str) {
        self.keep(level, line, false);
    }

    /// Keeps what was written to a stream. Pieces of one line become one line, also where they part a character.
    pub(crate) fn write(&mut self, level: LogLevel, bytes: &[u8]) {
        let mut written = self.take_begun(level);
        written.extend_from_slice(bytes.get(..MAX_LOG_BYTES).unwrap_or(bytes));
        let begun = length_of_begun(&written);
        let (whole, begun) = written.split_at(written.len() - begun);
        let text = String::from_utf8_lossy(whole);
        self.keep(level, &text, !text.ends_with('\n'));
        if !begun.is_empty() {
            self.keep_begun(level, begun);
        }
    }

    /// The line that is being written to a stream of this level, where it was the last to say anything.
    fn open_line(&mut self, level: LogLevel) -> Option<&mut LogLine> {
        self.log
            .last_mut()
            .filter(|last| last.is_open && last.level == level)
    }

    /// The beginning of a character that the open line of this level ends with.
    fn take_begun(&mut self, level: LogLevel) -> Vec<u8> {
        let open = self.open_line(level);
        open.map_or_else(Vec::new, |line| std::mem::take(&mut line.begun))
    }

    /// Keeps the beginning of a character for the rest of it. Where nothing else was kept of the line, nothing is of this.
    fn keep_begun(&mut self, level: LogLevel, begun: &[u8]) {
        if let Some(line) = self.open_line(level) {
            line.begun = begun.to_vec();
        }
    }

    fn keep(&mut self, level: LogLevel, text: &str, is_open: bool) {
        let goes_on = self.open_line(level).is_some();
        if !goes_on && self.log.len() == MAX_LOG_LINES {
            self.log_bytes_left = 0;
        }
        let kept = text.floor_char_boundary(text.len().min(self.log_bytes_left));
        // Nothing comes after what was cut, also where a character more would not have fitted.
        self.log_bytes_left = if kept < text.len() {
            0
        } else {
            self.log_bytes_left - kept
        };
        let Some(text) = text.get(..kept).filter(|text| !text.is_empty()) else {
            return;
        };
        match self.open_line(level) {
            Some(line) => {
                line.text.push_str(text);
                line.is_open = is_open;
            }
            None => self.log.push(LogLine {
                level,
                text: text.to_owned(),
                begun: Vec::new(),
                is_open,
            }),
        }
    }

    /// Whether there is anything in which a value could be repeated.
    pub(crate) const fn has_log(&self) -> bool {
        !self.log.is_empty()
    }

    /// Takes these values out of the log.
    pub(super) fn conceal(&mut self, secrets: &Secrets<'_>) {
        let is_full = self.log_bytes_left == 0;
        let last = self.log.len().saturating_sub(1);
        for (index, line) in self.log.iter_mut().enumerate() {
            if let Some(concealed) = secrets.conceal(&line.text, is_full && index == last) {
                line.text = concealed;
            }
        }
    }

    /// Hands the guest's log to the gateway's, and its signals to the decision.
    pub(crate) fn finish(self) -> Vec<Signal> {
        let policy = &*self.policy.name;
        let digest = &*self.policy.digest;
        for line in &self.log {
            let LogLine { level, text, .. } = line;
            let line = in_one_line(text.trim_end());
            match level {
                LogLevel::Debug => {
                    tracing::debug!(policy.name = policy, policy.digest = digest, "guest: {line}")
                }
                LogLevel::Info => {
                    tracing::info!(policy.name = policy, policy.digest = digest, "guest: {line}")
                }
                LogLevel::Warn => {
                    tracing::warn!(policy.name = policy, policy.digest = digest, "guest: {line}")
                }
                LogLevel::Error => {
                    tracing::error!(policy.name = policy, policy.digest = digest, "guest: {line}")
                }
            }
        }
        self.signals
    }
}

/// How many bytes at the end of these are the beginning of a character that may yet be finished.
fn length_of_begun(bytes: &[u8]) -> usize {
    let invalid = bytes
        .utf8_chunks()
        .last()
        .map_or(&[][..], |chunk| chunk.invalid());
    let is_begun = std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
    if is_begun { invalid.len() } else { 0 }
}

/// A text that cannot pass for several lines of the log, nor for commands to the terminal that shows it.
fn in_one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    // A blank for each, so that the bound on what is kept bounds what is written too.
    Cow::Owned(text.replace(char::is_control, " "))
}

#[cfg(test)]
mod tests;
