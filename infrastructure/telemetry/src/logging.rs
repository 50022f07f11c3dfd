//! Logs: one line an event, with dotted fields such as `payment.id`, to standard error.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, IsTerminal, Write};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Registry;
use thiserror::Error;
use tracing::Subscriber;
use tracing::subscriber::SetGlobalDefaultError;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer, Registry as Spans, fmt as format};

use crate::config::{Config, LogFormat};

/// Why there are no logs.
#[derive(Debug, Error)]
pub enum LoggingError {
    /// The filter cannot be read.
    #[error("the log filter `{filter}` is not understood: {cause}")]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        cause: ParseError,
    },
    /// Somebody has set up logs in this process before.
    #[error("logs are set up already")]
    AlreadySet(#[from] SetGlobalDefaultError),
}

/// Keeps logs going. Drop it last: it writes what still waits.
#[must_use = "without it nothing is written"]
pub struct LogGuard {
    dropped_lines: ErrorCounter,
    _writer: WorkerGuard,
}

impl fmt::Debug for LogGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogGuard")
            .field("dropped_lines", &self.dropped_lines())
            .finish_non_exhaustive()
    }
}

impl LogGuard {
    /// How many lines were dropped because too many waited already.
    #[must_use]
    pub fn dropped_lines(&self) -> usize {
        self.dropped_lines.dropped_lines()
    }

    /// Shows the number of dropped lines as `portcullis_log_lines_dropped_total`.
    pub fn register(&self, registry: &mut Registry) {
        registry
            .sub_registry_with_prefix(crate::metrics::PREFIX)
            .register_collector(Box::new(DroppedLines(self.dropped_lines.clone())));
    }
}

struct DroppedLines(ErrorCounter);

impl fmt::Debug for DroppedLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DroppedLines")
    }
}

impl Collector for DroppedLines {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let counter = ConstCounter::new(self.0.dropped_lines() as u64);
        let metric = encoder.encode_descriptor(
            "log_lines_dropped",
            "Log lines that were dropped because too many waited to be written",
            None,
            counter.metric_type(),
        )?;
        counter.encode(metric)
    }
}

/// Whether [`init`] would take this configuration.
///
/// # Errors
/// When the filter is not understood.
pub fn check(config: &Config) -> Result<(), LoggingError> {
    filter(config).map(drop)
}

fn filter(config: &Config) -> Result<EnvFilter, LoggingError> {
    EnvFilter::builder()
        .parse(&config.log_filter)
        .map_err(|cause| LoggingError::Filter {
            filter: config.log_filter.clone(),
            cause,
        })
}

/// Sets up the logs of this process; called once, before anything else is built.
///
/// # Errors
/// When the filter is not understood, or logs are set up already.
pub fn init(config: &Config) -> Result<LogGuard, LoggingError> {
    let colours = io::stderr().is_terminal();
    let (subscriber, guard) = subscriber(config, io::stderr(), colours)?;
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(guard)
}

fn subscriber<W: Write + Send + 'static>(
    config: &Config,
    output: W,
    colours: bool,
) -> Result<(impl Subscriber + Send + Sync + use<W>, LogGuard), LoggingError> {
    let filter = filter(config)?;
    // A thread of its own writes: whoever logs waits for no disk and no terminal.
    let (writer, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(config.log_buffer_lines.max(1))
        .thread_name("log-writer")
        .finish(output);
    let guard = LogGuard {
        dropped_lines: writer.error_counter(),
        _writer: worker,
    };
    let lines = lines(config.log_format, writer, colours);
    Ok((Spans::default().with(filter).with(lines), guard))
}

type Lines<S> = Box<dyn Layer<S> + Send + Sync>;

fn lines<S>(log_format: LogFormat, writer: NonBlocking, colours: bool) -> Lines<S>
where
    S: Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
{
    match log_format {
        LogFormat::Json => format::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(writer)
            .boxed(),
        LogFormat::Text => format::layer().with_ansi(colours).with_writer(writer).boxed(),
    }
}
