//! Which databases are taken, which are refused, and what is told of it.

use std::os::unix::fs::PermissionsExt;

use application::ports::PaymentRepository;
use portcullis_storage::{Config, PostgresConfig, PostgresOpenError, PostgresPaymentRepository, StorageKind};
use testkit::builders::payment;
use testkit::etcd::Authority;
use testkit::postgres::{PASSWORD, Postgres, Setup, shared};
use tokio::task::JoinSet;

use super::{config, fresh, open};

/// How many gateways start at the same time.
const GATEWAYS: usize = 8;

async fn refusal(config: &PostgresConfig) -> PostgresOpenError {
    let error = PostgresPaymentRepository::open(config).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(!told.contains(PASSWORD), "{told}");
    error
}

#[tokio::test]
async fn a_store_that_is_opened_again_has_what_it_had() {
    let server = shared();
    let config = config(server, &server.fresh_database());
    let repository = open(&config).await;
    let mut stored = payment().sent("op_1");
    repository.save(&mut stored).await.unwrap();
    repository.close();
    let again = open(&config).await;
    assert_eq!(again.find(stored.id()).await.unwrap(), Some(stored));
}

#[tokio::test]
async fn the_configuration_chooses_the_database() {
    let server = shared();
    let config = Config {
        kind: StorageKind::Postgres,
        postgres: config(server, &server.fresh_database()),
        ..Config::default()
    };
    let storage = portcullis_storage::open(&config).await.unwrap();
    let mut stored = payment().build();
    storage.payments.save(&mut stored).await.unwrap();
    let listed = storage.catalog.list(&Default::default(), None, 10).await.unwrap();
    assert_eq!(listed.items, [stored]);
    assert_eq!(storage.api_keys.revision().await.unwrap(), 0);
    assert_eq!(storage.lists.changes_after(0, 10).await.unwrap().revision, 0);
    storage.close().await.unwrap();
    assert!(storage.payments.check().await.is_err());
    storage.api_keys.revision().await.unwrap_err();
    storage.lists.changes_after(0, 10).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_that_start_at_once_make_one_schema() {
    let server = shared();
    for _ in 0..4 {
        let config = config(server, &server.fresh_database());
        let mut starts = JoinSet::new();
        for number in 0..GATEWAYS {
            let config = config.clone();
            starts.spawn(async move {
                let gateway = open(&config).await;
                let mut stored = payment().id(&format!("pay_{number}")).build();
                gateway.save(&mut stored).await.unwrap();
                gateway
            });
        }
        let gateways = starts.join_all().await;
        for number in 0..GATEWAYS {
            let id = testkit::builders::payment_id(&format!("pay_{number}"));
            assert!(gateways.first().unwrap().find(&id).await.unwrap().is_some());
        }
    }
}

#[tokio::test]
async fn the_database_of_another_program_is_refused() {
    let server = shared();
    let database = server.fresh_database();
    server.sql(&database, "CREATE TABLE recipes (name TEXT)");
    let error = refusal(&config(server, &database)).await;
    assert!(matches!(error, PostgresOpenError::Foreign), "{error}");
    let tables = server.sql(
        &database,
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    );
    assert_eq!(tables, "recipes", "a refused database stays as it is");
}

#[tokio::test]
async fn a_database_of_a_newer_gateway_is_refused_with_both_versions() {
    let server = shared();
    let database = server.fresh_database();
    let config = config(server, &database);
    open(&config).await.close();
    let latest: i64 = server
        .sql(&database, "SELECT version FROM portcullis_schema")
        .parse()
        .unwrap();
    server.sql(&database, "UPDATE portcullis_schema SET version = 99");
    let error = refusal(&config).await;
    assert!(
        matches!(error, PostgresOpenError::Newer { found: 99, known } if known == latest),
        "{error}"
    );
    let told = error.to_string();
    assert!(
        told.contains("99") && told.contains(&latest.to_string()),
        "{told}"
    );
}

#[tokio::test]
async fn a_database_that_lacks_characters_is_refused() {
    let server = shared();
    let sql = "CREATE DATABASE narrow TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'";
    server.sql("postgres", sql);
    let error = refusal(&config(server, "narrow")).await;
    assert!(matches!(error, PostgresOpenError::Encoding { .. }), "{error}");
}

/// The server, the database, and the password of somebody else.
#[tokio::test]
async fn what_cannot_be_reached_is_told_without_the_password() {
    let server = shared();
    let folder = tempfile::tempdir().unwrap();
    let missing = config(server, "no_such_database");
    let mut nobody = config(server, "postgres");
    nobody.url = "postgres://portcullis@127.0.0.1:1/postgres".to_owned();
    let mut wrong = config(server, "postgres");
    wrong.password_file = folder.path().join("password");
    std::fs::write(&wrong.password_file, "not-it").unwrap();
    std::fs::set_permissions(&wrong.password_file, PermissionsExt::from_mode(0o600)).unwrap();
    for (config, told) in [
        (missing, "no_such_database"),
        (nobody, "refused"),
        (wrong, "password authentication failed"),
    ] {
        let error = refusal(&config).await;
        assert!(matches!(error, PostgresOpenError::Unreachable { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(told), "{text}");
        assert!(!text.contains("not-it"), "{text}");
    }
}

#[tokio::test]
async fn settings_that_cannot_be_right_are_told_by_name() {
    let server = shared();
    let folder = tempfile::tempdir().unwrap();
    let good = || config(server, "postgres");
    let with_url = |url: &str| PostgresConfig {
        url: url.to_owned(),
        ..good()
    };
    let exposed = folder.path().join("exposed");
    std::fs::write(&exposed, PASSWORD).unwrap();
    std::fs::set_permissions(&exposed, PermissionsExt::from_mode(0o644)).unwrap();
    let with_password = format!("postgres://portcullis:{PASSWORD}@127.0.0.1/x");
    for (config, told) in [
        (with_url(&with_password), "storage.postgres.url: has a password"),
        (with_url("mysql:host"), "storage.postgres.url: expected"),
        (
            with_url("postgres://portcullis@127.0.0.1/x?sslmode=require"),
            "storage.postgres.url: asks for TLS",
        ),
        (
            PostgresConfig {
                password_file: exposed.clone(),
                ..good()
            },
            "storage.postgres.password_file: ",
        ),
        (
            PostgresConfig {
                ca_file: exposed,
                ..good()
            },
            "storage.postgres.ca_file: ",
        ),
        (
            PostgresConfig {
                max_connections: 0,
                ..good()
            },
            "storage.postgres.max_connections: found 0",
        ),
    ] {
        let error = refusal(&config).await;
        assert!(error.to_string().starts_with(told), "{told}: {error}");
        let checked = config.check().unwrap_err();
        assert_eq!(checked.to_string(), error.to_string());
    }
    good().check().unwrap();
}

#[tokio::test]
async fn a_server_with_a_certificate_is_spoken_to_with_tls_alone() {
    let authority = Authority::new();
    let issued = authority.issue("localhost");
    let server = Postgres::start(&Setup {
        certificate: Some((issued.certificate.clone(), issued.key.clone())),
        ..Setup::default()
    });
    let database = server.fresh_database();
    let mut with_tls = config(&server, &database);
    with_tls.ca_file = authority.certificate();
    let repository = open(&with_tls).await;
    let mut stored = payment().build();
    repository.save(&mut stored).await.unwrap();
    let asked = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = 'portcullis'";
    assert_eq!(server.sql(&database, asked), "t");

    let in_the_clear = config(&server, &database);
    let error = refusal(&in_the_clear).await;
    assert!(matches!(error, PostgresOpenError::Unreachable { .. }), "{error}");
    let mut of_a_stranger = with_tls.clone();
    let stranger = Authority::new();
    of_a_stranger.ca_file = stranger.certificate();
    let error = refusal(&of_a_stranger).await;
    assert!(matches!(error, PostgresOpenError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_closed_store_refuses_everything() {
    let repository = fresh().await;
    let mut stored = payment().build();
    repository.save(&mut stored).await.unwrap();
    repository.close();
    repository
        .save(&mut payment().id("late").build())
        .await
        .unwrap_err();
    repository.find(stored.id()).await.unwrap_err();
    repository.check().await.unwrap_err();
    repository.close();
}
