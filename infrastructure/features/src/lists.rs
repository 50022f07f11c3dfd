//! Lists of subjects, from the configuration.

mod ip_ranges;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

use domain::feature::{FeatureValue, Subject};
use thiserror::Error;

use ip_ranges::{IpRange, IpRanges};

use crate::normalize::{normalize, parse_ip, seen};

/// How many hexadecimal digits a card's fingerprint has behind its `fp_`.
const FINGERPRINT_DIGITS: usize = 32;

/// A list that cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ListError {
    /// There is no such kind of subject.
    #[error(
        "list `{list}`: `{subject}` is no subject; there are card, customer, email, ip, device and merchant"
    )]
    UnknownSubject {
        /// The list.
        list: String,
        /// What stands where a subject should.
        subject: String,
    },
    /// Neither an IP address nor a range.
    #[error(
        "list `{list}`: `{entry}` is neither an IP address nor a range such as 203.0.113.0/24 with no bit set behind \
         its length"
    )]
    MalformedIp {
        /// The list.
        list: String,
        /// The entry.
        entry: String,
    },
    /// An entry of `card` that is no fingerprint. It may be a card number, so it is not repeated.
    #[error(
        "list `{list}`: entry {position} of `card` is no fingerprint: expected `fp_` and 32 hexadecimal digits in lower \
         case, as in `card.fingerprint` of an answer; never put a card number here"
    )]
    MalformedCard {
        /// The list.
        list: String,
        /// Which entry, from 1 on.
        position: usize,
    },
    /// An entry without text.
    #[error("list `{list}`: an entry of `{subject}` is empty")]
    EmptyEntry {
        /// The list.
        list: String,
        /// The subject.
        subject: &'static str,
    },
}

/// One list. Entries are kept as digests, addresses as ranges.
#[derive(Debug, Default)]
struct List {
    digests: HashSet<u64>,
    ip_ranges: IpRanges,
}

/// All lists, by name. They do not change while the gateway runs.
#[derive(Debug, Default)]
pub(crate) struct Lists(BTreeMap<Box<str>, List>);

impl Lists {
    /// Digests what the configuration says.
    pub(crate) fn new(
        lists: &BTreeMap<String, BTreeMap<String, Vec<String>>>,
        hasher: &impl BuildHasher,
    ) -> Result<Self, ListError> {
        let mut known = BTreeMap::new();
        for (name, subjects) in lists {
            let mut list = List::default();
            let mut ranges = Vec::new();
            for (subject_name, entries) in subjects {
                let subject = Subject::ALL
                    .into_iter()
                    .find(|subject| subject.as_str() == subject_name)
                    .ok_or_else(|| ListError::UnknownSubject {
                        list: name.clone(),
                        subject: subject_name.clone(),
                    })?;
                for (index, entry) in entries.iter().enumerate() {
                    let entry = seen(entry);
                    check(name, subject, index + 1, &entry)?;
                    if subject == Subject::Ip {
                        ranges.push(IpRange::parse(&entry).ok_or_else(|| ListError::MalformedIp {
                            list: name.clone(),
                            entry: entry.into_owned(),
                        })?);
                    } else {
                        list.digests.insert(digest(hasher, subject, &entry));
                    }
                }
            }
            list.ip_ranges = IpRanges::new(ranges);
            known.insert(name.as_str().into(), list);
        }
        Ok(Self(known))
    }

    /// Whether the value is on the list. A list that nobody keeps is `Unavailable`: a policy that names one by mistake is
    /// to find out, not to see an empty list. So is an address that cannot be read, which could be any.
    pub(crate) fn lookup(
        &self,
        list: &str,
        subject: Subject,
        value: &str,
        hasher: &impl BuildHasher,
    ) -> FeatureValue {
        let Some(list) = self.0.get(list) else {
            return FeatureValue::Unavailable;
        };
        if subject != Subject::Ip {
            return FeatureValue::Listed(list.digests.contains(&digest(hasher, subject, value)));
        }
        match parse_ip(value) {
            Some(ip) => FeatureValue::Listed(list.ip_ranges.contain(ip)),
            None => FeatureValue::Unavailable,
        }
    }
}

/// What holds for an entry whatever else is on the list.
fn check(list: &str, subject: Subject, position: usize, entry: &str) -> Result<(), ListError> {
    if entry.is_empty() {
        return Err(ListError::EmptyEntry {
            list: list.to_owned(),
            subject: subject.as_str(),
        });
    }
    if subject == Subject::Card && !is_fingerprint(entry) {
        return Err(ListError::MalformedCard {
            list: list.to_owned(),
            position,
        });
    }
    Ok(())
}

fn is_fingerprint(entry: &str) -> bool {
    let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    entry
        .strip_prefix("fp_")
        .is_some_and(|digits| digits.len() == FINGERPRINT_DIGITS && digits.bytes().all(is_digit))
}

fn digest(hasher: &impl BuildHasher, subject: Subject, value: &str) -> u64 {
    hasher.hash_one((subject, normalize(subject, value)))
}
