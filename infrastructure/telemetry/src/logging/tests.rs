//! What a log line looks like, and that a stuck output holds up nobody.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::subscriber::with_default;

use super::*;

/// Keeps what is written to it.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(bytes).unwrap()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(config: &Config, log: impl FnOnce()) -> String {
    let output = Output::default();
    let (subscriber, guard) = subscriber(config, output.clone(), false).unwrap();
    with_default(subscriber, log);
    drop(guard);
    output.text()
}

#[test]
fn a_json_line_has_dotted_fields_beside_level_and_message() {
    let text = logged(&Config::default(), || {
        tracing::warn!(payment.id = "pay_1", count = 3, "the store is slow");
    });
    assert_eq!(text.lines().count(), 1);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["payment.id"], "pay_1");
    assert_eq!(line["count"], 3);
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["message"], "the store is slow");
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_line_feed_in_a_value_does_not_make_a_second_line() {
    for log_format in [LogFormat::Json, LogFormat::Text] {
        let config = Config {
            log_format,
            ..Config::default()
        };
        let text = logged(&config, || tracing::info!(detail = "one\ntwo", "three"));
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}

#[test]
fn the_filter_decides_by_target_and_level() {
    let config = Config {
        log_filter: "warn,portcullis_telemetry=debug".to_owned(),
        ..Config::default()
    };
    let text = logged(&config, || {
        tracing::debug!("kept");
        tracing::trace!("too fine");
        tracing::info!(target: "elsewhere", "not asked for");
    });
    assert!(text.contains("kept") && !text.contains("too fine") && !text.contains("not asked for"));
}

#[test]
fn a_filter_that_is_not_understood_is_an_error() {
    let config = Config {
        log_filter: "portcullis=loud".to_owned(),
        ..Config::default()
    };
    let result = subscriber(&config, io::sink(), false);
    assert!(matches!(result, Err(LoggingError::Filter { .. })));
}

/// Takes the first line, says so, and then waits for leave to go on.
struct Stuck {
    reached: SyncSender<()>,
    released: Receiver<()>,
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _gone = self.reached.try_send(());
        let _gone = self.released.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_beyond_the_buffer_are_dropped_and_counted_while_the_output_is_stuck() {
    let (reached, has_reached) = sync_channel(1);
    let (release, released) = sync_channel::<()>(0);
    let config = Config {
        log_buffer_lines: 2,
        ..Config::default()
    };
    let (subscriber, guard) = subscriber(&config, Stuck { reached, released }, false).unwrap();
    with_default(subscriber, || {
        tracing::info!("stuck");
        has_reached.recv().unwrap();
        for _ in 0..5 {
            tracing::info!("waits or is dropped");
        }
    });
    assert_eq!(guard.dropped_lines(), 3);
    drop(release);
}
