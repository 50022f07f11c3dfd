//! What is on a list, and which lists are refused.

use std::hash::RandomState;

use super::*;

fn lists(entries: &[(&str, &str, &[&str])]) -> Result<(Lists, RandomState), ListError> {
    let mut config: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (list, subject, values) in entries {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        config
            .entry((*list).to_owned())
            .or_default()
            .insert((*subject).to_owned(), values);
    }
    let hasher = RandomState::new();
    Ok((Lists::new(&config, &hasher)?, hasher))
}

fn listed(entries: &[&str], subject: Subject, value: &str) -> FeatureValue {
    let (lists, hasher) = lists(&[("blocked", subject.as_str(), entries)]).unwrap();
    lists.lookup("blocked", subject, value, &hasher)
}

#[test]
fn an_entry_is_on_its_own_list_for_its_own_subject() {
    let (lists, hasher) =
        lists(&[("blocked", "customer", &["c_1"]), ("trusted", "device", &["d_1"])]).unwrap();
    let lookup = |list, subject, value| lists.lookup(list, subject, value, &hasher);
    assert_eq!(
        lookup("blocked", Subject::Customer, "c_1"),
        FeatureValue::Listed(true)
    );
    assert_eq!(
        lookup("blocked", Subject::Customer, "c_2"),
        FeatureValue::Listed(false)
    );
    assert_eq!(
        lookup("blocked", Subject::Device, "c_1"),
        FeatureValue::Listed(false)
    );
    assert_eq!(
        lookup("trusted", Subject::Customer, "c_1"),
        FeatureValue::Listed(false)
    );
}

#[test]
fn a_list_that_nobody_keeps_is_unavailable() {
    let (lists, hasher) = lists(&[]).unwrap();
    assert_eq!(
        lists.lookup("blocked", Subject::Card, "fp_1", &hasher),
        FeatureValue::Unavailable
    );
}

#[test]
fn e_mail_addresses_are_listed_in_any_case() {
    assert_eq!(
        listed(&["Ada@Example.com"], Subject::Email, "aDA@example.COM"),
        FeatureValue::Listed(true)
    );
}

#[test]
fn addresses_are_listed_one_by_one_and_by_range() {
    let entries = [
        "203.0.113.7",
        "198.51.100.0/24",
        "2001:db8::/32",
        "198.51.100.128/25",
    ];
    for (value, expected) in [
        ("203.0.113.7", true),
        ("::ffff:203.0.113.7", true),
        ("203.0.113.8", false),
        ("198.51.100.0", true),
        ("198.51.100.255", true),
        ("198.51.101.0", false),
        ("198.51.99.255", false),
        ("2001:db8:ffff::1", true),
        ("2001:db9::", false),
        ("::1", false),
    ] {
        assert_eq!(
            listed(&entries, Subject::Ip, value),
            FeatureValue::Listed(expected),
            "{value}"
        );
    }
}

#[test]
fn the_range_of_everything_holds_everything_of_its_kind() {
    assert_eq!(
        listed(&["0.0.0.0/0"], Subject::Ip, "192.0.2.1"),
        FeatureValue::Listed(true)
    );
    assert_eq!(
        listed(&["0.0.0.0/0"], Subject::Ip, "2001:db8::1"),
        FeatureValue::Listed(false)
    );
    assert_eq!(
        listed(&["::/0"], Subject::Ip, "2001:db8::1"),
        FeatureValue::Listed(true)
    );
}

#[test]
fn an_address_that_cannot_be_read_is_unavailable() {
    assert_eq!(
        listed(&["192.0.2.1"], Subject::Ip, "unknown"),
        FeatureValue::Unavailable
    );
}

#[test]
fn entries_that_cannot_be_meant_are_refused() {
    for entry in [
        "192.0.2.1/24",
        "192.0.2.0/33",
        "192.0.2.0/",
        "192.0.2.0/+8",
        "192.0.2",
        "2001:db8::/129",
        "here",
    ] {
        let error = lists(&[("blocked", "ip", &[entry])]).unwrap_err();
        assert!(matches!(error, ListError::MalformedIp { .. }), "{entry}: {error}");
    }
    assert!(matches!(
        lists(&[("blocked", "phone", &[])]).unwrap_err(),
        ListError::UnknownSubject { .. }
    ));
    assert!(matches!(
        lists(&[("blocked", "email", &[" "])]).unwrap_err(),
        ListError::EmptyEntry { .. }
    ));
}

#[test]
fn a_card_is_listed_by_its_fingerprint_alone() {
    let fingerprint = format!("fp_{}", "4be0".repeat(8));
    assert_eq!(
        listed(&[&format!(" {fingerprint}\u{200b}")], Subject::Card, &fingerprint),
        FeatureValue::Listed(true)
    );
    for entry in [
        "4242424242424242",
        "4242 4242 4242 4242",
        "fp_4242424242424242",
        &fingerprint.to_uppercase(),
        &fingerprint[1..],
    ] {
        let error = lists(&[("blocked", "card", &[&fingerprint, entry])]).unwrap_err();
        assert!(
            matches!(error, ListError::MalformedCard { position: 2, .. }),
            "{error}"
        );
        assert!(!format!("{error} {error:?}").contains("4242"), "{error}");
    }
}

#[test]
fn a_value_that_only_looks_the_same_is_the_same() {
    for value in ["ada@example.com", " ADA@example.com.", "a\u{200b}da@example.com"] {
        assert_eq!(
            listed(&["Ada@Example.com"], Subject::Email, value),
            FeatureValue::Listed(true),
            "{value:?}"
        );
    }
    assert_eq!(
        listed(&["\u{feff}d_1"], Subject::Device, "d_1\u{2060} "),
        FeatureValue::Listed(true)
    );
}
