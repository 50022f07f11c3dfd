//! Precedence, and what wrong settings are told.

use super::*;

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn variables(pairs: &[(&str, &str)]) -> Overrides {
    let variables = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Overrides {
        variables,
        ..Overrides::default()
    }
}

fn refused(file_text: &str, overrides: &Overrides) -> String {
    let file = file(file_text);
    let error = load(Some(file.path()), overrides).unwrap_err().to_string();
    error.replace(&file.path().display().to_string(), "FILE")
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file_and_that_over_defaults() {
    let file = file("[http]\nmax_in_flight = 1\nmax_connections = 1\nmax_body_bytes = 1\n");
    let mut overrides = variables(&[
        ("PORTCULLIS_HTTP__MAX_IN_FLIGHT", "2"),
        ("PORTCULLIS_HTTP__MAX_CONNECTIONS", "2"),
        ("HOME", "/"),
    ]);
    overrides.settings = vec!["http.max_in_flight=3".to_owned()];
    overrides.flags = vec![("--listen", "http.listen", "127.0.0.1:9".to_owned())];
    let config = load(Some(file.path()), &overrides).unwrap();
    assert_eq!(
        (
            config.http.max_in_flight,
            config.http.max_connections,
            config.http.max_body_bytes
        ),
        (3, 2, 1)
    );
    assert_eq!(config.http.listen.port(), 9);
    assert_eq!(
        config.http.request_timeout_ms,
        api::Config::default().request_timeout_ms
    );
}

#[test]
fn an_unknown_key_is_refused_with_its_origin_and_the_nearest_name() {
    let error = refused("[http]\nlisen = \"127.0.0.1:80\"\n", &Overrides::default());
    assert!(error.starts_with("FILE: http"), "{error}");
    assert!(
        error.contains("unknown field `lisen`") && error.contains("did you mean `listen`?"),
        "{error}"
    );
    let error = refused("", &variables(&[("PORTCULLIS_HTTP__LISEN", "x")]));
    assert!(
        error.starts_with("environment variable PORTCULLIS_HTTP__LISEN: "),
        "{error}"
    );
    let error = refused("[htp]\n", &Overrides::default());
    assert!(error.contains("did you mean `http`?"), "{error}");
}

#[test]
fn a_value_of_another_kind_is_refused_with_its_path() {
    let error = refused("[http]\nmax_in_flight = \"many\"\n", &Overrides::default());
    assert!(error.starts_with("FILE: http.max_in_flight: "), "{error}");
    assert!(error.contains("expected"), "{error}");
    let settings = vec!["http.listen=nowhere".to_owned()];
    let error = refused(
        "",
        &Overrides {
            settings,
            ..Overrides::default()
        },
    );
    assert!(
        error.starts_with("--set http.listen=nowhere: http.listen: "),
        "{error}"
    );
    let settings = vec![r#"webhooks.allowed_networks=["10.0.0.0/8", "10.0.0.0/40"]"#.to_owned()];
    let error = refused(
        "",
        &Overrides {
            settings,
            ..Overrides::default()
        },
    );
    assert!(error.starts_with("--set webhooks.allowed_networks="), "{error}");
    assert!(
        error.ends_with(
            ": webhooks.allowed_networks[1]: invalid IP address syntax, expected a network, such as `10.20.0.0/16`"
        ),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_toml_or_not_there_is_refused() {
    let error = refused("[http\n", &Overrides::default());
    assert!(error.contains("line 1"), "{error}");
    let error = load(Some(Path::new("/nowhere/portcullis.toml")), &Overrides::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nowhere/portcullis.toml"), "{error}");
}

#[test]
fn what_looks_like_a_number_is_a_text_where_a_text_is_expected() {
    let mut overrides = variables(&[("PORTCULLIS_POLICIES__NODE_ID", "0")]);
    overrides.settings = vec!["storage.sqlite.path=2024".to_owned()];
    let file = file("");
    let config = load(Some(file.path()), &overrides).unwrap();
    assert_eq!(
        (
            config.policies.node_id.as_str(),
            config.storage.sqlite.path.to_str()
        ),
        ("0", Some("2024"))
    );
}

#[test]
fn files_of_keys_are_beside_the_configuration_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    let text = "[policies.etcd]\nca_file = \"ca.pem\"\n[[policies.signatures.keys]]\nname = \"a\"\npublic_key_file = \"a.pub\"\n[storage.postgres]\npassword_file = \"password\"\n[webhooks]\nca_file = \"webhooks.pem\"\n";
    std::fs::write(&path, text).unwrap();
    let config = load(Some(&path), &Overrides::default()).unwrap();
    let key = &config.policies.signatures.keys[0];
    assert_eq!(key.public_key_file, Some(folder.path().join("a.pub")));
    let postgres = &config.storage.postgres;
    assert_eq!(postgres.password_file, folder.path().join("password"));
    assert_eq!(config.webhooks.ca_file, folder.path().join("webhooks.pem"));
    let etcd = &config.policies.etcd;
    assert_eq!(etcd.ca_file, folder.path().join("ca.pem"));
    assert!(
        etcd.key_file.as_os_str().is_empty(),
        "what is not named is not made a path"
    );
}

#[test]
fn a_setting_below_a_value_is_refused() {
    let settings = vec!["http.listen.port=1".to_owned()];
    let error = refused(
        "[http]\nlisten = \"127.0.0.1:1\"\n",
        &Overrides {
            settings,
            ..Overrides::default()
        },
    );
    assert!(error.contains("`listen` is a value, not a section"), "{error}");
}

#[test]
fn the_example_file_is_the_default_configuration_and_names_every_key() {
    let example = include_str!("../../../../config/portcullis.example.toml");
    // Every setting of the example is commented out with its default; without the marks it must mean the same.
    let set: String = example
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| rest.contains(" = ") && !rest.contains("  "))
                .unwrap_or(line)
        })
        .fold(String::new(), |text, line| text + line + "\n");
    let file = file(&set);
    let loaded = load(Some(file.path()), &Overrides::default()).unwrap();
    assert_eq!(format!("{loaded:?}"), format!("{:?}", Config::default()));
    every_key_is_in(&Config::default(), &set);
}

#[test]
fn the_configuration_of_small_machines_is_taken_and_asks_for_less() {
    let edge = include_str!("../../../../config/portcullis.edge.toml");
    let file = file(edge);
    let edge = load(Some(file.path()), &Overrides::default()).unwrap();
    assert_eq!(edge.check(), Ok(()));
    let default = Config::default();
    assert!(edge.policies.max_warm_instances < default.policies.max_warm_instances);
    assert!(edge.policies.max_concurrent_evaluations < default.policies.max_concurrent_evaluations);
    assert!(edge.storage.sqlite.max_wal_bytes < default.storage.sqlite.max_wal_bytes);
    assert!(edge.features.max_memory_bytes < default.features.max_memory_bytes);
}

#[test]
fn the_example_of_a_trusted_key_is_one_and_names_every_key() {
    let example = include_str!("../../../../config/portcullis.example.toml");
    // It is indented behind the marks, up to the next line that is not.
    let lines = example
        .lines()
        .skip_while(|line| *line != "#   [[policies.signatures.keys]]")
        .map_while(|line| line.strip_prefix("#   "));
    let text = lines.fold(String::new(), |text, line| text + line + "\n");
    let file = file(&text);
    let config = load(Some(file.path()), &Overrides::default()).unwrap();
    assert_eq!(config.check(), Ok(()));
    every_key_is_in(&config.policies.signatures.keys, &text);
}

/// Sees that every field of a configuration is set somewhere in a text.
fn every_key_is_in(config: &impl std::fmt::Debug, set: &str) {
    let keys = format!("{config:#?}");
    for line in keys.lines() {
        if let Some((key, _)) = line.trim().split_once(": ") {
            assert!(
                set.contains(&format!("{key} = "))
                    || set.contains(&format!("[{key}]"))
                    || set.contains(&format!(".{key}]")),
                "{key} is missing"
            );
        }
    }
}
