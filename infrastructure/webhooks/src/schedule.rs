//! When a delivery is tried again.

use std::time::Duration;

use domain::Timestamp;

/// The share by which a pause is longer or shorter at random, in percent: so that what failed together does not come together.
const JITTER_PERCENT: u64 = 10;

/// The pause with its jitter, and at least as long as the endpoint asked for. `random` is any number.
pub(crate) fn due_after(
    now: Timestamp,
    pause: Duration,
    retry_after: Option<Duration>,
    random: u64,
) -> Timestamp {
    let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    let spread = millis / 100 * JITTER_PERCENT;
    let jittered = (millis - spread).saturating_add(random % (2 * spread + 1));
    let asked = retry_after.map_or(0, |pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
    Timestamp::from_unix_millis(now.unix_millis().saturating_add(jittered.max(asked)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_off_by_a_tenth_at_most_and_never_shorter_than_asked_for() {
        let now = Timestamp::from_unix_millis(1_000_000);
        let hour = Duration::from_secs(3_600);
        for random in [0, 1, 359_999, 720_000, u64::MAX] {
            let due = due_after(now, hour, None, random).unix_millis() - 1_000_000;
            assert!((3_240_000..=3_960_000).contains(&due), "{due}");
        }
        let asked = due_after(now, hour, Some(2 * hour), 7).unix_millis();
        assert_eq!(asked, 1_000_000 + 7_200_000);
        assert_eq!(due_after(now, Duration::ZERO, None, 9), now);
        assert_eq!(due_after(now, Duration::MAX, None, u64::MAX), Timestamp::MAX);
    }
}
