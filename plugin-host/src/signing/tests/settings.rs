//! What a configuration may say of trusted keys, and how a wrong one is told.

use super::*;

/// The settings as a configuration file has them.
fn read(text: &str) -> Result<SignaturesConfig, String> {
    let config = toml::from_str::<SignaturesConfig>(text);
    config.map_err(|error| error.message().to_owned())
}

fn refused(config: &SignaturesConfig) -> String {
    config.trusted_keys().unwrap_err().to_string()
}

#[test]
fn without_keys_nothing_is_asked_for() {
    let config = read("").unwrap();
    assert_eq!((config.threshold, config.keys.len()), (1, 0));
    assert!(config.trusted_keys().unwrap().is_empty());
}

#[test]
fn a_key_is_read_with_all_it_may_say() {
    let pem = ed25519(1).public().to_pem();
    let config = read(&format!(
        "threshold = 1\n[[keys]]\nname = \"risk-team\"\npublic_key = \"\"\"\n{pem}\"\"\"\n\
         not_before = 2026-01-01T00:00:00Z\nnot_after = \"2027-01-01T00:00:00Z\"\npolicies = [\"velocity-*\"]\n"
    ))
    .unwrap();
    let trusted = config.trusted_keys().unwrap();
    assert_eq!(trusted.names().collect::<Vec<_>>(), ["risk-team"]);
    assert_eq!(trusted.threshold(), 1);
    let key = &config.keys[0];
    assert_eq!(key.not_before.unwrap().to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(key.not_after.unwrap().to_string(), "2027-01-01T00:00:00Z");
}

#[test]
fn a_file_is_looked_for_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("team.pub"), ed25519(1).public().to_pem()).unwrap();
    let mut config = read("[[keys]]\nname = \"team\"\npublic_key_file = \"team.pub\"\n").unwrap();
    assert!(
        refused(&config).starts_with("policies.signatures.keys[0].public_key_file: team.pub: cannot be read")
    );
    config.resolve_files(folder.path());
    assert!(config.trusted_keys().is_ok());
    // One that is absolute stays where it is.
    config.resolve_files(std::path::Path::new("/elsewhere"));
    assert!(config.trusted_keys().is_ok());
}

#[test]
fn what_cannot_be_is_told_by_its_path() {
    let team = || entry("team", &ed25519(1));
    let with = |change: fn(&mut TrustedKeyConfig)| {
        let mut key = team();
        change(&mut key);
        asking(1, vec![key])
    };
    for (config, told) in [
        (asking(0, vec![team()]), "threshold: found 0, expected at least 1"),
        (asking(0, vec![]), "threshold: found 0"),
        (asking(2, vec![]), "threshold: found 2, and no key is trusted"),
        (
            asking(2, vec![team()]),
            "threshold: found 2, expected at most 1, which is how many keys are trusted",
        ),
        (
            asking(1, vec![team(); MAX_TRUSTED_KEYS + 1]),
            "keys: found 17, expected at most 16",
        ),
        (
            asking(1, vec![team(), entry("other", &ed25519(1))]),
            "keys[1].public_key: found the same as in keys[0]",
        ),
        (
            asking(1, vec![team(), entry("team", &ed25519(2))]),
            "keys[1].name: found the same as in keys[0]",
        ),
        (with(|key| key.name = String::new()), "keys[0].name: found ``"),
        (
            with(|key| key.public_key = None),
            "keys[0].public_key: found neither, expected either",
        ),
        (
            with(|key| key.public_key_file = Some("team.pub".into())),
            "keys[0].public_key: found both",
        ),
        (
            with(|key| key.public_key = Some("AAAA".to_owned())),
            "keys[0].public_key: expected one PEM block `-----BEGIN PUBLIC KEY-----`",
        ),
        (
            with(|key| key.policies = vec!["a".to_owned(), "Velocity".to_owned()]),
            "keys[0].policies[1]: found `Velocity`, expected the name of a policy",
        ),
        (
            with(|key| key.policies = vec!["a".to_owned(); 65]),
            "keys[0].policies: found 65, expected at most 64",
        ),
        (
            with(|key| {
                key.not_before = read_moment("2027-01-01T00:00:00Z");
                key.not_after = read_moment("2026-01-01T00:00:00Z");
            }),
            "keys[0].not_after: found 2026-01-01T00:00:00Z, expected a moment after `not_before`",
        ),
    ] {
        let error = refused(&config);
        let told = format!("policies.signatures.{told}");
        assert!(error.starts_with(&told), "{error}\nnot\n{told}");
    }
}

fn read_moment(text: &str) -> Option<crate::document::Moment> {
    Some(crate::document::Moment::parse(text).unwrap())
}

#[test]
fn an_unknown_setting_or_one_of_another_kind_is_refused() {
    for (text, needle) in [
        ("treshold = 1", "unknown field `treshold`"),
        ("[[keys]]\nname = \"a\"\nkey = \"b\"", "unknown field `key`"),
        ("[[keys]]\npublic_key = \"b\"", "missing field `name`"),
        (
            "[[keys]]\nname = \"a\"\nnot_after = 2027",
            "found integer, expected a moment",
        ),
        (
            "[[keys]]\nname = \"a\"\nnot_after = 2027-01-01",
            "expected a moment of RFC 3339",
        ),
        ("threshold = -1", "invalid value"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(needle), "{error}");
    }
}
