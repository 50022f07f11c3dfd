//! Lists of subjects: what the configuration says, and the items that are added while the gateway runs.

mod entries;
mod followed;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::{PoisonError, RwLock};

use application::ports::{ListChange, ListChanges};
use domain::feature::{FeatureValue, Subject};
use domain::risk::RiskRequest;
use domain::spelling::parse_ip;
use domain::{IpRange, ListedValue, ListedValueError, Timestamp};
use thiserror::Error;

use entries::Entries;

pub use followed::FollowedLists;

/// A list of the configuration that cannot be kept.
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
    /// An entry that can be no value of its kind. It may be a card number, so it is not repeated.
    #[error("list `{list}`: entry {position} of `{subject}` {reason}")]
    Entry {
        /// The list.
        list: String,
        /// The kind of subject.
        subject: &'static str,
        /// Which entry, from 1 on.
        position: usize,
        /// What is wrong with it.
        reason: ListedValueError,
    },
}

/// Lists by name.
type ByName = BTreeMap<Box<str>, Entries>;

/// All lists, as features look them up: in memory, without waiting for anybody.
#[derive(Debug, Default)]
pub struct SubjectLists {
    /// Keyed anew at every start.
    hasher: RandomState,
    /// From the configuration; they do not change while the gateway runs.
    configured: ByName,
    /// From the list store.
    kept: RwLock<ByName>,
}

impl SubjectLists {
    /// What the configuration says, without any items yet.
    ///
    /// # Errors
    /// When a list cannot be kept as it is written.
    pub fn new(lists: &BTreeMap<String, BTreeMap<String, Vec<String>>>) -> Result<Self, ListError> {
        let hasher = RandomState::new();
        let mut configured = ByName::new();
        for (name, subjects) in lists {
            let list = configured.entry(name.as_str().into()).or_default();
            for (subject_name, entries) in subjects {
                let subject = Subject::ALL
                    .into_iter()
                    .find(|subject| subject.as_str() == subject_name)
                    .ok_or_else(|| ListError::UnknownSubject {
                        list: name.clone(),
                        subject: subject_name.clone(),
                    })?;
                for (index, entry) in entries.iter().enumerate() {
                    let value = ListedValue::parse(subject, entry).map_err(|reason| ListError::Entry {
                        list: name.clone(),
                        subject: subject.as_str(),
                        position: index + 1,
                        reason,
                    })?;
                    list.put(&hasher, &value, None);
                }
            }
        }
        Ok(Self {
            hasher,
            configured,
            kept: RwLock::default(),
        })
    }

    /// Whether a payment's subject is on the list at the payment's time. A list that nobody keeps is `Unavailable`: a policy
    /// that names one by mistake is to find out, not to see an empty list. So is a subject that the payment does not have,
    /// and an address that cannot be read, which could be any.
    pub(crate) fn lookup(&self, list: &str, subject: Subject, request: &RiskRequest<'_>) -> FeatureValue {
        request
            .details
            .subject(subject)
            .map_or(FeatureValue::Unavailable, |value| {
                self.lookup_value(list, subject, value, request.created_at)
            })
    }

    fn lookup_value(&self, list: &str, subject: Subject, value: &str, at: Timestamp) -> FeatureValue {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let known = [self.configured.get(list), kept.get(list)];
        if known.iter().all(Option::is_none) {
            return FeatureValue::Unavailable;
        }
        let known = known.into_iter().flatten();
        FeatureValue::Listed(if subject == Subject::Ip {
            let Some(address) = parse_ip(value).map(IpRange::of) else {
                return FeatureValue::Unavailable;
            };
            known.into_iter().any(|list| list.contain_address(address, at))
        } else {
            let digest = entries::digest(&self.hasher, subject, value);
            known.into_iter().any(|list| list.contain(digest, at))
        })
    }

    /// Takes in what changed.
    fn apply(&self, changes: &ListChanges) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        self.apply_to(&mut kept, changes);
    }

    /// Forgets all items and takes these in their stead.
    fn replace(&self, fresh: ByName) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    fn apply_to(&self, kept: &mut ByName, changes: &ListChanges) {
        for name in &changes.lists {
            kept.entry(name.as_str().into()).or_default();
        }
        for change in &changes.changes {
            match change {
                ListChange::Put(item) => {
                    let list = kept.entry(item.list.as_str().into()).or_default();
                    list.put(&self.hasher, &item.value, item.expires_at);
                }
                ListChange::Removed { list, value } => {
                    if let Some(list) = kept.get_mut(list.as_str()) {
                        list.remove(&self.hasher, value);
                    }
                }
            }
        }
    }

    /// Lets go of items that have expired: they match nothing any more, and take up room.
    fn forget_expired(&self, now: Timestamp) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        for list in kept.values_mut() {
            list.forget_expired(now);
        }
    }
}
