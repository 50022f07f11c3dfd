//! The time of day, from the machine.

use std::time::{SystemTime, UNIX_EPOCH};

use application::ports::Clock;
use domain::Timestamp;

/// Tells the machine's time. It can step back when an operator or a time server corrects it: order is kept by versions
/// and sequence numbers, never by time.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that asks the machine for the time"
        )]
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        // A machine that thinks it is 1969 is told that it is 1970.
        let millis = since_epoch.map_or(0, |elapsed| elapsed.as_millis());
        Timestamp::from_unix_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_after_this_was_written() {
        const START_OF_2026: u64 = 1_767_225_600_000;
        assert!(SystemClock.now().unix_millis() > START_OF_2026);
    }
}
