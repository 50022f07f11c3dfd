//! What is logged while a closure runs, on its own thread.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// One event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CapturedLine {
    pub(crate) level: Level,
    pub(crate) message: String,
    /// Every other field, as `name=value` and a space each.
    pub(crate) fields: String,
}

/// What a closure gives, and what it logged on the way.
pub(crate) fn captured<T>(run: impl FnOnce() -> T) -> (T, Vec<CapturedLine>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let given = tracing::subscriber::with_default(Capture(Arc::clone(&lines)), run);
    let lines = lines.lock().unwrap().clone();
    (given, lines)
}

struct Capture(Arc<Mutex<Vec<CapturedLine>>>);

impl Subscriber for Capture {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = CapturedLine {
            level: *event.metadata().level(),
            message: String::new(),
            fields: String::new(),
        };
        event.record(&mut line);
        self.0.lock().unwrap().push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Visit for CapturedLine {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.message, "{value:?}").unwrap();
        } else {
            write!(self.fields, "{}={value:?} ", field.name()).unwrap();
        }
    }
}
