//! What a policy told the host, kept per thread because tests run side by side.

use std::cell::RefCell;

use crate::Level;

thread_local! {
    static SIGNALS: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
    static LOGS: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

/// The signals (code and detail) since the last call, oldest first.
#[must_use]
pub fn signals() -> Vec<(String, String)> {
    SIGNALS.take()
}

/// The log lines since the last call, oldest first.
#[must_use]
pub fn logs() -> Vec<(Level, String)> {
    LOGS.take()
}

pub(crate) fn record_signal(code: &str, detail: &str) {
    SIGNALS.with_borrow_mut(|signals| signals.push((code.to_owned(), detail.to_owned())));
}

pub(crate) fn record_log(level: Level, message: &str) {
    LOGS.with_borrow_mut(|logs| logs.push((level, message.to_owned())));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_and_log_lines_are_kept_until_they_are_looked_at() {
        crate::signal("feature.unavailable", "card_count_1h");
        crate::log(Level::Warn, "odd");
        assert_eq!(
            signals(),
            [("feature.unavailable".to_owned(), "card_count_1h".to_owned())]
        );
        assert_eq!(logs(), [(Level::Warn, "odd".to_owned())]);
        assert!(signals().is_empty());
        assert!(logs().is_empty());
    }
}
