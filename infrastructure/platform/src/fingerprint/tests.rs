//! What a fingerprint is, and which key files are taken.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

fn config(path: &Path) -> Config {
    Config {
        fingerprint_key_path: path.to_owned(),
        ..Config::default()
    }
}

fn number(text: &str) -> CardNumber {
    CardNumber::parse(text).unwrap()
}

fn key_with_mode(folder: &Path, bytes: usize, mode: u32) -> Config {
    let path = folder.join("key");
    fs::write(&path, vec![7; bytes]).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    config(&path)
}

#[test]
fn a_fingerprint_is_the_first_half_of_the_keyed_digest() {
    // echo -n 4242424242424242 | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
    let key: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let fingerprint = HmacCardFingerprinter::new(&key).fingerprint(&number("4242424242424242"));
    assert_eq!(&*fingerprint, "fp_48d3ef48958e5d182cfa74268ab27bf1");
}

#[test]
fn a_card_has_one_fingerprint_and_another_card_another() {
    let fingerprinter = HmacCardFingerprinter::new(&[1; 32]);
    let one = fingerprinter.fingerprint(&number("4242424242424242"));
    assert_eq!(one, fingerprinter.fingerprint(&number("4242424242424242")));
    assert_ne!(one, fingerprinter.fingerprint(&number("4000000000000002")));
    assert_ne!(
        one,
        HmacCardFingerprinter::new(&[2; 32]).fingerprint(&number("4242424242424242"))
    );
}

#[test]
fn a_derived_key_is_one_per_purpose_and_installation() {
    // echo -n "key for features" | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
    let key: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let fingerprinter = HmacCardFingerprinter::new(&key);
    let derived = fingerprinter.derived_key("features");
    assert_eq!(derived[..4], [0x56, 0xb0, 0x3d, 0xb0]);
    assert_eq!(derived, fingerprinter.derived_key("features"));
    assert_ne!(derived, fingerprinter.derived_key("lists"));
    assert_ne!(
        derived,
        HmacCardFingerprinter::new(&[1; 32]).derived_key("features")
    );
}

#[test]
fn the_key_is_made_once_for_its_owner_alone_and_read_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder.path().join("state/keys/card.key"));
    let first = HmacCardFingerprinter::open(&config).unwrap();
    let again = HmacCardFingerprinter::open(&config).unwrap();
    let card = number("4242424242424242");
    assert_eq!(first.fingerprint(&card), again.fingerprint(&card));
    let path = &config.fingerprint_key_path;
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(
        fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn two_installations_have_two_keys() {
    let folder = tempfile::tempdir().unwrap();
    let card = number("4242424242424242");
    let [one, other] = ["one", "other"].map(|name| {
        HmacCardFingerprinter::open(&config(&folder.path().join(name)))
            .unwrap()
            .fingerprint(&card)
    });
    assert_ne!(one, other);
}

#[test]
fn threads_that_start_together_agree_on_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder.path().join("key"));
    let card = number("4242424242424242");
    let open = || HmacCardFingerprinter::open(&config).unwrap().fingerprint(&card);
    let seen: Vec<Box<str>> = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(open));
        threads.map(|thread| thread.join().unwrap()).into()
    });
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    for mode in [0o640, 0o604, 0o660, 0o644] {
        let folder = tempfile::tempdir().unwrap();
        let error = HmacCardFingerprinter::open(&key_with_mode(folder.path(), 32, mode)).unwrap_err();
        assert!(
            matches!(error, FingerprintKeyError::Exposed { mode: found, .. } if found == mode),
            "{error}"
        );
    }
}

#[test]
fn a_file_of_another_size_is_no_key() {
    for bytes in [0, 31, 33, 64] {
        let folder = tempfile::tempdir().unwrap();
        let error = HmacCardFingerprinter::open(&key_with_mode(folder.path(), bytes, 0o600)).unwrap_err();
        assert!(
            matches!(error, FingerprintKeyError::WrongSize { bytes: found, .. } if found == bytes as u64),
            "{error}"
        );
    }
}

#[test]
fn a_folder_is_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let error = HmacCardFingerprinter::open(&config(folder.path())).unwrap_err();
    assert!(matches!(error, FingerprintKeyError::NotAFile { .. }), "{error}");
}

#[test]
fn nothing_of_the_key_is_printed() {
    let printed = format!("{:?}", HmacCardFingerprinter::new(&[0xab; 32]));
    assert_eq!(printed, "HmacCardFingerprinter(redacted)");
}

#[test]
fn the_keyed_state_is_wiped_when_dropped() {
    fn wiped<T: zeroize::ZeroizeOnDrop>() {}
    // HMAC is two such states and a buffer, without a marker of its own. Without the feature of `sha2` this does not
    // compile.
    wiped::<Sha256>();
}
