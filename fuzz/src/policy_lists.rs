//! Policy lists: what is put on lists of subjects, as the configuration has it.
//!
//! The input is the section `[features]` in TOML. It is taken or refused without a panic, and what may be a card number is
//! not repeated.

use std::collections::BTreeMap;

use portcullis_features::{Config, MemoryFeatureStore};
use serde::Deserialize;

/// The lists of the section; its bounds on memory stay as small as here, or one input could ask for all there is.
#[derive(Deserialize)]
struct Section {
    lists: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// Reads the input as the section, and keeps the lists.
pub fn run(data: &[u8]) {
    let Some(Section { lists }) = std::str::from_utf8(data)
        .ok()
        .and_then(|text| toml::from_str(text).ok())
    else {
        return;
    };
    let config = Config {
        max_subjects: 16,
        max_recent_payments: 16,
        max_memory_bytes: 64 * 1024,
        lists,
        ..Config::default()
    };
    let Err(error) = MemoryFeatureStore::new(&config) else {
        return;
    };
    let error = error.to_string();
    assert!(!error.is_empty());
    let cards = config
        .lists
        .values()
        .filter_map(|list| list.get("card"))
        .flatten();
    for entry in cards.filter(|entry| entry.len() >= 12 && entry.bytes().all(|b| b.is_ascii_digit())) {
        let elsewhere = config.lists.iter().any(|(name, subjects)| {
            let mut others = subjects.iter().filter(|(subject, _)| *subject != "card");
            name.contains(entry)
                || others.any(|(subject, entries)| {
                    subject.contains(entry) || entries.iter().any(|other| other.contains(entry))
                })
        });
        assert!(
            elsewhere || !error.contains(entry),
            "a card number is in the error"
        );
    }
}
