//! What is on one list. Texts are kept as digests, addresses as ranges; each until a time, or for good.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use domain::feature::Subject;
use domain::spelling::normalize;
use domain::{IpRange, ListedValue, Timestamp};

/// From when on an entry is there no more; none where it stays.
type Until = Option<Timestamp>;

#[derive(Debug, Default)]
pub(super) struct Entries {
    digests: HashMap<u64, Until>,
    ranges: HashMap<IpRange, Until>,
    /// How many ranges there are of each length: an address is looked up once for each of these.
    lengths: BTreeMap<u8, usize>,
}

impl Entries {
    /// Puts a value there, in the place of the same one.
    pub(super) fn put(&mut self, hasher: &impl BuildHasher, value: &ListedValue, until: Until) {
        match value.ip_range() {
            Some(range) => {
                if self.ranges.insert(range, until).is_none() {
                    *self.lengths.entry(range.length()).or_default() += 1;
                }
            }
            None => {
                let digest = digest(hasher, value.subject(), value.as_str());
                self.digests.insert(digest, until);
            }
        }
    }

    pub(super) fn remove(&mut self, hasher: &impl BuildHasher, value: &ListedValue) {
        match value.ip_range() {
            Some(range) => {
                if self.ranges.remove(&range).is_some() {
                    self.forget_length(range.length());
                }
            }
            None => {
                self.digests
                    .remove(&digest(hasher, value.subject(), value.as_str()));
            }
        }
    }

    pub(super) fn contain(&self, digest: u64, at: Timestamp) -> bool {
        self.digests
            .get(&digest)
            .is_some_and(|until| is_there(*until, at))
    }

    /// Whether a range round the address is there.
    pub(super) fn contain_address(&self, address: IpRange, at: Timestamp) -> bool {
        self.lengths.keys().any(|length| {
            let range = self.ranges.get(&address.widened_to(*length));
            range.is_some_and(|until| is_there(*until, at))
        })
    }

    pub(super) fn forget_expired(&mut self, now: Timestamp) {
        self.digests.retain(|_, until| is_there(*until, now));
        self.ranges.retain(|_, until| is_there(*until, now));
        self.lengths.clear();
        for range in self.ranges.keys() {
            *self.lengths.entry(range.length()).or_default() += 1;
        }
    }

    fn forget_length(&mut self, length: u8) {
        if let Some(count) = self.lengths.get_mut(&length) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.lengths.remove(&length);
            }
        }
    }
}

fn is_there(until: Until, at: Timestamp) -> bool {
    until.is_none_or(|until| at < until)
}

pub(super) fn digest(hasher: &impl BuildHasher, subject: Subject, value: &str) -> u64 {
    hasher.hash_one((subject, normalize(subject, value)))
}
