//! Which files are taken, which are refused, and who may open them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use application::ports::PaymentRepository;
use portcullis_storage::{Config, OpenError, SqlitePaymentRepository};
use testkit::builders::payment;

use crate::{back_door, config, fresh, open};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn refusal(config: &Config) -> OpenError {
    let before = fs::read(&config.path).unwrap();
    let error = SqlitePaymentRepository::open(config).unwrap_err();
    assert_eq!(
        fs::read(&config.path).unwrap(),
        before,
        "a refused file stays as it is"
    );
    error
}

#[tokio::test]
async fn every_file_of_the_database_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder.path().join("state/database"));
    let repository = open(&config);
    repository.save(&mut payment().build()).await.unwrap();
    let parent = config.path.parent().unwrap();
    assert_eq!(mode(parent), 0o700);
    let files: Vec<_> = fs::read_dir(parent)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_store_that_is_opened_again_has_what_it_had() {
    let (_folder, config, repository) = fresh();
    let mut stored = payment().sent("op_1");
    repository.save(&mut stored).await.unwrap();
    repository.close().await.unwrap();
    let again = open(&config);
    assert_eq!(again.find(stored.id()).await.unwrap(), Some(stored));
}

#[tokio::test]
async fn two_gateways_on_one_file_see_each_others_payments() {
    let (_folder, config, one) = fresh();
    let other = open(&config);
    let mut stored = payment().build();
    one.save(&mut stored).await.unwrap();
    assert_eq!(other.find(stored.id()).await.unwrap(), Some(stored));
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    fs::write(&config.path, "this is a letter to my grandmother\n".repeat(200)).unwrap();
    assert!(matches!(refusal(&config), OpenError::NotADatabase { .. }));
}

#[test]
fn the_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    back_door(&config)
        .execute_batch("CREATE TABLE recipes (name TEXT)")
        .unwrap();
    assert!(matches!(refusal(&config), OpenError::Foreign { .. }));
}

#[tokio::test]
async fn a_database_of_a_newer_gateway_is_refused_with_both_versions() {
    let (_folder, config, repository) = fresh();
    repository.close().await.unwrap();
    drop(repository);
    back_door(&config)
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let error = refusal(&config);
    assert!(
        matches!(
            error,
            OpenError::Newer {
                found: 99,
                known: 3,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.to_string().contains("99"), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let config = config(&folder.path().join("file"));
    let error = SqlitePaymentRepository::open(&config).unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error}");
}
