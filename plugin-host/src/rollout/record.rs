//! What a node notes of a rollout, so that it goes on where it was after a restart.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::gate::{Gate, SentBack};
use super::window::Counted;
use crate::digest::Digest;
use crate::document::Moment;
use crate::document::strict::{from_json, shorten};

/// Its form. A record of another one is not read: the rollout begins anew.
const FORMAT: u32 = 1;

/// The longest reason, in bytes: four times what the gates say.
const MAX_REASON_BYTES: usize = 512;

/// A rollout as it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RolloutRecord {
    /// The sequence of the document whose candidate it was.
    pub(crate) sequence: u64,
    /// What was on trial against what, but for the share of cards.
    pub(crate) trial: Digest,
    pub(crate) counts: Counts,
    pub(crate) sent_back: Option<SentBack>,
}

/// All counts of a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counts {
    pub(crate) since: Moment,
    pub(crate) evaluations: u64,
    pub(crate) faults: u64,
    pub(crate) compared: u64,
    pub(crate) differing: u64,
    pub(crate) rescored: u64,
    pub(crate) dropped: u64,
    /// Durations by the bucket of their histogram.
    pub(crate) durations: Vec<(u32, u64)>,
    pub(crate) fault_window: Counted,
    pub(crate) slow_window: Counted,
    pub(crate) drift_window: Counted,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordWire {
    format: u32,
    sequence: u64,
    trial: Digest,
    counts: Counts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent_back: Option<SentBackWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SentBackWire {
    gate: String,
    since: Moment,
    reason: String,
}

impl RolloutRecord {
    /// Reads a record; none where it is not one of this version.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let wire: RecordWire = from_json(bytes).ok()?;
        let sent_back = match wire.sent_back {
            None => None,
            Some(sent_back) => Some(SentBack {
                gate: Gate::parse(&sent_back.gate)?,
                since: sent_back.since.0,
                reason: shorten(&sent_back.reason, MAX_REASON_BYTES).into(),
            }),
        };
        (wire.format == FORMAT).then_some(Self {
            sequence: wire.sequence,
            trial: wire.trial,
            counts: wire.counts,
            sent_back,
        })
    }

    /// The record as JSON.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let wire = RecordWire {
            format: FORMAT,
            sequence: self.sequence,
            trial: self.trial,
            counts: self.counts.clone(),
            sent_back: self.sent_back.as_ref().map(|sent_back| SentBackWire {
                gate: sent_back.gate.as_str().to_owned(),
                since: Moment(sent_back.since),
                reason: sent_back.reason.to_string(),
            }),
        };
        // Cannot fail: texts and numbers only.
        serde_json::to_vec(&wire).unwrap_or_default()
    }
}

impl Counts {
    /// Nothing was counted since.
    pub(crate) fn none_since(now: Timestamp) -> Self {
        Self {
            since: Moment(now),
            evaluations: 0,
            faults: 0,
            compared: 0,
            differing: 0,
            rescored: 0,
            dropped: 0,
            durations: Vec::new(),
            fault_window: Counted::default(),
            slow_window: Counted::default(),
            drift_window: Counted::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::durations::BUCKETS;
    use crate::rollout::window::Share;

    fn record() -> RolloutRecord {
        let at = Timestamp::from_unix_millis(1_767_225_600_500);
        let counted = Counted {
            newest: Share { bad: 3, of: 4 },
            before: Share { bad: 0, of: 100 },
        };
        RolloutRecord {
            sequence: 7,
            trial: Digest::of(b"trial"),
            counts: Counts {
                evaluations: 104,
                faults: 3,
                durations: vec![(12, 104)],
                fault_window: counted,
                ..Counts::none_since(at)
            },
            sent_back: Some(SentBack {
                gate: Gate::FaultRatio,
                since: at,
                reason: "fault ratio 0.029 of 104 evaluations, expected at most 0.01".into(),
            }),
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let json = record().to_json();
        assert_eq!(RolloutRecord::parse(&json), Some(record()));
    }

    #[test]
    fn what_another_version_wrote_is_no_record() {
        let text = String::from_utf8(record().to_json()).unwrap();
        for (old, new) in [
            ("\"format\":1", "\"format\":2"),
            ("fault_ratio", "fuel"),
            ("\"differing\"", "\"drifting\""),
            ("{", "["),
        ] {
            assert_eq!(
                RolloutRecord::parse(text.replacen(old, new, 1).as_bytes()),
                None,
                "{new}"
            );
        }
    }

    #[test]
    fn the_largest_record_is_a_small_one() {
        let mut largest = record();
        let most = u64::MAX;
        largest.counts.durations = (0..u32::try_from(BUCKETS).unwrap())
            .map(|index| (index, most))
            .collect();
        largest.sent_back.as_mut().unwrap().reason = "x".repeat(MAX_REASON_BYTES).into();
        assert!(largest.to_json().len() < 16 * 1024);
    }
}
