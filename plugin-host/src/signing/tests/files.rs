//! Keys as files.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::signing::key_file::{KeyFileError, read_public_key, read_signing_key, write_key_pair};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_pair_is_written_for_its_owner_and_read_again() {
    let folder = tempfile::tempdir().unwrap();
    for algorithm in BOTH {
        let key = key(algorithm, 5);
        // The name has dots of its own.
        let files = write_key_pair(&folder.path().join(format!("team.{algorithm}")), &key).unwrap();
        assert!(files.private.ends_with(format!("team.{algorithm}.key")));
        assert_eq!(mode(&files.private), 0o600);
        assert_eq!(mode(&files.public) & 0o600, 0o600);
        assert_eq!(read_signing_key(&files.private).unwrap().id(), key.id());
        assert_eq!(&read_public_key(&files.public).unwrap(), key.public());
    }
}

#[test]
fn no_key_is_ever_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    for there in ["a.key", "b.pub"] {
        let path = folder.path().join(there);
        fs::write(&path, "mine").unwrap();
        let prefix = path.with_extension("");
        let error = write_key_pair(&prefix, &ed25519(1)).unwrap_err();
        assert!(
            matches!(&error, KeyFileError::Exists { path: told } if *told == path),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
    // Of a pair of which one half stood in the way, nothing is left.
    let mut left: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(left, ["a.key", "b.pub"]);
}

#[test]
fn a_private_key_that_others_can_read_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let files = write_key_pair(&folder.path().join("team"), &ed25519(1)).unwrap();
    for mode in [0o644, 0o660, 0o604] {
        fs::set_permissions(&files.private, Permissions::from_mode(mode)).unwrap();
        let error = read_signing_key(&files.private).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
    fs::set_permissions(&files.private, Permissions::from_mode(0o400)).unwrap();
    assert!(read_signing_key(&files.private).is_ok());
}

#[test]
fn what_cannot_be_read_is_told_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let long = folder.path().join("long");
    fs::write(&long, "x".repeat(100_000)).unwrap();
    fs::set_permissions(&long, Permissions::from_mode(0o600)).unwrap();
    for (path, needle) in [
        (nowhere.as_path(), "cannot be read"),
        (folder.path(), "cannot be read"),
        (&long, "found 16385 bytes"),
    ] {
        for error in [
            read_public_key(path).unwrap_err().to_string(),
            read_signing_key(path).unwrap_err().to_string(),
        ] {
            assert!(error.starts_with(&path.display().to_string()), "{error}");
            // A folder is open to others, which is told first of a private key.
            assert!(error.contains(needle) || path.is_dir(), "{error}");
        }
    }
}
