//! What is on a list, and which lists are refused.

use domain::list_item::ListAuthor;
use domain::{ListItem, ListName};

use super::*;

fn lists(entries: &[(&str, &str, &[&str])]) -> Result<SubjectLists, ListError> {
    let mut config: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (list, subject, values) in entries {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        config
            .entry((*list).to_owned())
            .or_default()
            .insert((*subject).to_owned(), values);
    }
    SubjectLists::new(&config)
}

fn reason(error: &ListError) -> Option<ListedValueError> {
    match error {
        ListError::Entry { reason, .. } => Some(*reason),
        ListError::UnknownSubject { .. } => None,
    }
}

const NOW: Timestamp = Timestamp::from_unix_millis(1_770_000_000_000);

fn later(seconds: u64) -> Timestamp {
    Timestamp::from_unix_millis(NOW.unix_millis() + 1_000 * seconds)
}

fn item(list: &str, subject: Subject, value: &str, expires_at: Option<Timestamp>) -> ListItem {
    ListItem {
        list: ListName::parse(list).unwrap(),
        value: ListedValue::parse(subject, value).unwrap(),
        expires_at,
        added_by: ListAuthor::parse("ada").unwrap(),
        added_at: NOW,
        note: None,
    }
}

fn changes(changes: Vec<ListChange>) -> ListChanges {
    ListChanges {
        changes,
        lists: vec![ListName::parse("blocked").unwrap()],
        revision: 1,
        has_more: false,
    }
}

fn listed(entries: &[&str], subject: Subject, value: &str) -> FeatureValue {
    let lists = lists(&[("blocked", subject.as_str(), entries)]).unwrap();
    lists.lookup_value("blocked", subject, value, NOW)
}

#[test]
fn an_entry_is_on_its_own_list_for_its_own_subject() {
    let lists = lists(&[("blocked", "customer", &["c_1"]), ("trusted", "device", &["d_1"])]).unwrap();
    let lookup = |list, subject, value| lists.lookup_value(list, subject, value, NOW);
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
    let lists = lists(&[]).unwrap();
    assert_eq!(
        lists.lookup_value("blocked", Subject::Card, "fp_1", NOW),
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
        assert_eq!(
            reason(&error),
            Some(ListedValueError::MalformedIp),
            "{entry}: {error}"
        );
    }
    assert!(matches!(
        lists(&[("blocked", "phone", &[])]).unwrap_err(),
        ListError::UnknownSubject { .. }
    ));
    let error = lists(&[("blocked", "email", &[" "])]).unwrap_err();
    assert_eq!(reason(&error), Some(ListedValueError::Empty));
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
            matches!(
                error,
                ListError::Entry {
                    position: 2,
                    reason: ListedValueError::MalformedCard,
                    ..
                }
            ),
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

#[test]
fn an_item_is_found_until_its_very_second_and_no_longer() {
    for (subject, entry, value) in [
        (Subject::Customer, "c_1", "c_1"),
        (Subject::Ip, "192.0.2.0/24", "192.0.2.7"),
    ] {
        let lists = lists(&[]).unwrap();
        let until = Some(later(60));
        lists.apply(&changes(vec![ListChange::Put(item(
            "blocked", subject, entry, until,
        ))]));
        let at = |seconds| lists.lookup_value("blocked", subject, value, later(seconds));
        assert_eq!(at(0), FeatureValue::Listed(true));
        assert_eq!(at(59), FeatureValue::Listed(true));
        assert_eq!(
            at(60),
            FeatureValue::Listed(false),
            "with nothing written meanwhile"
        );
        lists.forget_expired(later(60));
        assert_eq!(at(0), FeatureValue::Listed(false), "it takes up no room any more");
    }
}

#[test]
fn what_the_configuration_says_stays_whatever_is_kept() {
    let lists = lists(&[("blocked", "customer", &["c_1"])]).unwrap();
    let listed = |value| lists.lookup_value("blocked", Subject::Customer, value, later(100));
    let kept = item("blocked", Subject::Customer, "c_2", None);
    let short = item("blocked", Subject::Customer, "c_1", Some(later(10)));
    lists.apply(&changes(vec![
        ListChange::Put(kept.clone()),
        ListChange::Put(short),
    ]));
    assert_eq!(listed("c_1"), FeatureValue::Listed(true));
    assert_eq!(listed("c_2"), FeatureValue::Listed(true));
    let removed = |item: &ListItem| ListChange::Removed {
        list: item.list.clone(),
        value: item.value.clone(),
    };
    lists.apply(&changes(vec![
        removed(&kept),
        removed(&item("blocked", Subject::Customer, "c_1", None)),
    ]));
    assert_eq!(listed("c_1"), FeatureValue::Listed(true));
    assert_eq!(listed("c_2"), FeatureValue::Listed(false));
}

#[test]
fn a_list_stays_when_its_last_item_is_gone() {
    let lists = lists(&[]).unwrap();
    lists.apply(&changes(vec![]));
    assert_eq!(
        lists.lookup_value("blocked", Subject::Device, "d_1", NOW),
        FeatureValue::Listed(false)
    );
}

#[test]
fn the_widest_and_the_narrowest_range_round_an_address_count_each_by_itself() {
    let lists = lists(&[]).unwrap();
    let wide = item("blocked", Subject::Ip, "192.0.2.0/24", Some(later(10)));
    let narrow = item("blocked", Subject::Ip, "192.0.2.7", Some(later(20)));
    lists.apply(&changes(vec![
        ListChange::Put(wide),
        ListChange::Put(narrow.clone()),
    ]));
    let at = |value, seconds| lists.lookup_value("blocked", Subject::Ip, value, later(seconds));
    assert_eq!(at("192.0.2.8", 9), FeatureValue::Listed(true));
    assert_eq!(at("192.0.2.8", 10), FeatureValue::Listed(false));
    assert_eq!(at("192.0.2.7", 19), FeatureValue::Listed(true));
    lists.apply(&changes(vec![ListChange::Removed {
        list: narrow.list,
        value: narrow.value,
    }]));
    assert_eq!(at("192.0.2.7", 19), FeatureValue::Listed(false));
}
