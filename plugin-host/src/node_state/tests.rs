//! What is kept is what is read, and what this node did not write is not believed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use domain::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::digest::Digest;
use crate::testing::captured;

const ROLLOUT: RecordKind = RecordKind::named("rollout");

fn open(folder: &TempDir) -> NodeState {
    NodeState::open(&folder.path().join("state"), StateMetrics::default()).unwrap()
}

fn name(text: &str) -> PolicyName {
    PolicyName::parse(text).unwrap()
}

fn artifact(text: &'static str) -> Artifact {
    Artifact::new(text.as_bytes()).unwrap()
}

/// A set of policies of these names and sequences, each with an envelope and an artifact that tell it from others.
fn set(revision: u64, policies: &[(&str, u64)]) -> (GoodSet, Vec<Artifact>) {
    let artifacts: Vec<Artifact> = policies
        .iter()
        .map(|(name, sequence)| Artifact::new(format!("artifact of {name} {sequence}")).unwrap())
        .collect();
    let kept = policies
        .iter()
        .zip(&artifacts)
        .map(|((policy, sequence), artifact)| KeptPolicy {
            name: name(policy),
            sequence: *sequence,
            in_force: Some(KeptRelease {
                envelope: format!("envelope of {policy} {sequence}").into(),
                artifacts: vec![*artifact.reference()],
                taken_at: Timestamp::from_unix_millis(1_000),
            }),
        });
    let set = GoodSet {
        revision,
        since: Timestamp::from_unix_millis(2_000),
        policies: kept.collect(),
        spare: std::collections::BTreeSet::new(),
    };
    (set, artifacts)
}

async fn keep(state: &NodeState, (set, artifacts): (GoodSet, Vec<Artifact>)) {
    for artifact in artifacts {
        state.keep_artifact(artifact);
    }
    state.keep(set);
    state.settled().await;
}

/// Files below the folder, by their paths in it, without those that are always there.
fn files(state: &NodeState) -> Vec<String> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    walk(state.path(), state.path(), &mut found);
    found.retain(|file| file != "lock" && file != "node.key");
    found.sort();
    found
}

#[tokio::test]
async fn a_record_is_read_as_it_was_written_last_before_and_after_it_is_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder);
    let alpha = name("alpha");
    assert_eq!(state.read_record(ROLLOUT, &alpha), None);
    for round in 0..100 {
        let value = Bytes::from(format!("round {round}"));
        state.write_record(ROLLOUT, &alpha, value.clone()).unwrap();
        assert_eq!(state.read_record(ROLLOUT, &alpha), Some(value));
    }
    state.write_record(ROLLOUT, &name("bravo"), Bytes::new()).unwrap();
    state.settled().await;
    assert_eq!(files(&state), ["records/rollout/alpha", "records/rollout/bravo"]);
    drop(state);
    let state = open(&folder);
    assert_eq!(state.read_record(ROLLOUT, &alpha), Some(Bytes::from("round 99")));
    assert_eq!(state.read_record(ROLLOUT, &name("bravo")), Some(Bytes::new()));
    assert_eq!(state.read_record(RecordKind::named("other"), &alpha), None);
    state.remove_record(ROLLOUT, &alpha).unwrap();
    assert_eq!(state.read_record(ROLLOUT, &alpha), None);
    state.settled().await;
    assert_eq!(files(&state), ["records/rollout/bravo"]);
}

#[tokio::test]
async fn a_record_that_is_no_small_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder);
    let large = Bytes::from(vec![0; MAX_RECORD_BYTES + 1]);
    let refused = state.write_record(ROLLOUT, &name("alpha"), large.clone());
    assert_eq!(
        refused,
        Err(RecordError::TooLarge {
            found: MAX_RECORD_BYTES + 1
        })
    );
    state
        .write_record(ROLLOUT, &name("alpha"), large.slice(1..))
        .unwrap();
    state.settled().await;
    assert_eq!(files(&state), ["records/rollout/alpha"]);
}

#[tokio::test]
async fn what_waits_when_a_node_ends_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder);
    state
        .write_record(ROLLOUT, &name("alpha"), Bytes::from("last words"))
        .unwrap();
    drop(state);
    assert_eq!(
        open(&folder).read_record(ROLLOUT, &name("alpha")),
        Some(Bytes::from("last words"))
    );
}

#[test]
fn a_folder_is_one_process_s_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder);
    let error = NodeState::open(state.path(), StateMetrics::default())
        .err()
        .unwrap();
    let message = error.to_string();
    assert!(
        message.contains("another gateway runs with the folder"),
        "{message}"
    );
    assert!(message.contains(&state.path().display().to_string()), "{message}");
    assert!(message.contains("policies.state_path"), "{message}");
    let path = state.path().to_owned();
    drop(state);
    assert!(NodeState::open(&path, StateMetrics::default()).is_ok());
}

#[test]
fn others_than_the_owner_have_no_access() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder);
    let path = state.path().to_owned();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("node.key")), 0o600);
    drop(state);
    let refused = || {
        NodeState::open(&path, StateMetrics::default())
            .err()
            .unwrap()
            .to_string()
    };
    fs::set_permissions(path.join("node.key"), fs::Permissions::from_mode(0o640)).unwrap();
    assert!(refused().contains("node.key` has mode 0640"), "{}", refused());
    fs::set_permissions(path.join("node.key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(refused().contains("has mode 0755"), "{}", refused());
}

#[test]
fn a_path_that_is_no_folder_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = NodeState::open(&file, StateMetrics::default()).err().unwrap();
    assert!(matches!(error, NodeStateError::NotAFolder { .. }), "{error}");
    let error = NodeState::open(&file.join("below"), StateMetrics::default())
        .err()
        .unwrap();
    assert!(error.to_string().contains("below"), "{error}");
}

#[test]
fn every_cut_and_every_flipped_bit_of_a_sealed_file_is_noticed() {
    let key = NodeKey::new(&[7; key::KEY_BYTES]);
    let content = b"what a node keeps".as_slice();
    let mut file = key.seal("kind", "name", &[content]).to_vec();
    file.extend_from_slice(content);
    let open = |file: &[u8]| key.open_sealed("kind", "name", &Bytes::copy_from_slice(file));
    assert_eq!(open(&file).unwrap(), content);
    for end in 0..file.len() {
        assert!(open(&file[..end]).is_err(), "the first {end} bytes");
    }
    for bit in 0..file.len() * 8 {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&flipped).is_err(), "bit {bit}");
    }
    let longer = [file.as_slice(), b"!"].concat();
    assert!(open(&longer).is_err());
    for (kind, name) in [
        ("kin", "dname"),
        ("kindn", "ame"),
        ("other", "name"),
        ("kind", "other"),
    ] {
        assert!(
            key.open_sealed(kind, name, &Bytes::from(file.clone())).is_err(),
            "{kind} {name}"
        );
    }
    let other = NodeKey::new(&[8; key::KEY_BYTES]);
    assert_eq!(
        other.open_sealed("kind", "name", &Bytes::from(file)),
        Err(key::SealError::Foreign)
    );
}

#[tokio::test]
async fn a_file_that_this_node_did_not_write_there_is_named_and_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder);
    state
        .write_record(ROLLOUT, &name("alpha"), Bytes::from("alpha's"))
        .unwrap();
    state.settled().await;
    let of = |name: &str| state.path().join("records/rollout").join(name);
    fs::copy(of("alpha"), of("bravo")).unwrap();
    let (read, log) = captured(|| state.read_record(ROLLOUT, &name("bravo")));
    assert_eq!(read, None);
    let [line] = log.as_slice() else { panic!("{log:?}") };
    assert!(
        line.message.contains("set aside") && line.fields.contains("records/rollout/bravo"),
        "{line:?}"
    );
    assert_eq!(
        files(&state),
        ["records/rollout/alpha", "set-aside/records-rollout-bravo"]
    );
    // As if the folder came from another machine, or its key was lost.
    let path = state.path().to_owned();
    drop(state);
    fs::remove_file(path.join("node.key")).unwrap();
    let state = open(&folder);
    assert_eq!(state.read_record(ROLLOUT, &name("alpha")), None);
    assert!(files(&state).contains(&"set-aside/records-rollout-alpha".to_owned()));
}

#[tokio::test]
async fn a_damaged_key_is_set_aside_and_the_node_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder);
    keep(&state, set(1, &[("alpha", 1)])).await;
    let key = state.path().join("node.key");
    drop(state);
    for damaged in [&b""[..], &[0; 31], &[0; 33]] {
        fs::write(&key, damaged).unwrap();
        let state = open(&folder);
        assert!(state.last_good_set().is_none());
        keep(&state, set(1, &[("alpha", 1)])).await;
        assert!(state.last_good_set().is_some());
    }
}

#[tokio::test]
async fn a_set_is_read_as_it_was_kept_last() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder);
    assert!(state.last_good_set().is_none());
    let (mut second, artifacts) = set(2, &[("alpha", 2), ("bravo", 1)]);
    keep(&state, set(1, &[("alpha", 1)])).await;
    second.policies.push(KeptPolicy {
        name: name("charlie"),
        sequence: 9,
        in_force: None,
    });
    keep(&state, (second.clone(), artifacts.clone())).await;
    drop(state);
    let state = open(&folder);
    let restored = state.last_good_set().unwrap();
    assert!(restored.damaged.is_empty());
    assert_eq!(restored.set, second);
    for artifact in &artifacts {
        assert_eq!(
            state.artifacts().take(artifact.reference()).as_deref(),
            Some(&artifact.bytes()[..])
        );
    }
    let of_alpha_1 = artifact("artifact of alpha 1");
    assert_eq!(
        state.artifacts().take(of_alpha_1.reference()),
        None,
        "the earlier one is cleared away"
    );
    assert_eq!(files(&state).len(), 5, "{:?}", files(&state));
}

#[tokio::test]
async fn artifacts_that_a_later_set_may_name_are_not_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder);
    let spare = artifact("of the release before");
    let coming = artifact("of a document that is loading");
    state.keep_artifact(spare.clone());
    let (mut first, artifacts) = set(1, &[("alpha", 1)]);
    first.spare.insert(*spare.reference().digest());
    keep(&state, (first, artifacts)).await;
    state.keep_artifact(coming.clone());
    state.settled().await;
    for artifact in [&spare, &coming] {
        assert!(state.artifacts().take(artifact.reference()).is_some());
    }
    keep(&state, set(2, &[("alpha", 2)])).await;
    for artifact in [&spare, &coming] {
        assert!(state.artifacts().take(artifact.reference()).is_none());
    }
}

/// Every file of a kept set, cut and altered in turn: the set is read whole or not, and never as another one.
#[tokio::test]
async fn a_set_is_believed_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let (kept, artifacts) = set(3, &[("alpha", 2), ("bravo", 1)]);
    let state = open(&folder);
    keep(&state, (kept.clone(), artifacts.clone())).await;
    let names = files(&state);
    let is_whole = || {
        let Some(restored) = state.last_good_set() else {
            return false;
        };
        assert_eq!(restored.set.revision, 3);
        let sequences: Vec<u64> = restored
            .set
            .policies
            .iter()
            .map(|policy| policy.sequence)
            .collect();
        assert_eq!(sequences, [2, 1]);
        let believed = restored
            .set
            .policies
            .iter()
            .zip(&kept.policies)
            .all(|(found, kept)| found == kept);
        let shelf = state.artifacts();
        let of_artifacts = artifacts
            .iter()
            .all(|artifact| match shelf.take(artifact.reference()) {
                Some(bytes) => {
                    assert_eq!(bytes, artifact.bytes()[..]);
                    true
                }
                None => false,
            });
        assert_eq!(believed, restored.damaged.is_empty());
        believed && of_artifacts
    };
    assert!(is_whole());
    for name in names {
        let path = state.path().join(&name);
        let bytes = fs::read(&path).unwrap();
        let altered = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut altered = bytes.clone();
            change(&mut altered);
            fs::write(&path, altered).unwrap();
            let was_whole = is_whole();
            fs::write(&path, &bytes).unwrap();
            was_whole
        };
        for length in 0..bytes.len() {
            assert!(
                !altered(&|bytes| bytes.truncate(length)),
                "{name} cut to {length}"
            );
        }
        for index in 0..bytes.len() {
            assert!(
                !altered(&|bytes| bytes[index] ^= 0x20),
                "{name} altered at {index}"
            );
        }
        assert!(!altered(&|bytes| bytes.push(b'!')), "{name} with a byte more");
        fs::remove_file(&path).unwrap();
        assert!(!is_whole(), "{name} deleted");
        fs::write(&path, &bytes).unwrap();
        assert!(is_whole(), "{name} as it was");
    }
}

#[tokio::test]
async fn what_a_killed_process_left_half_written_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder);
    keep(&state, set(1, &[("alpha", 1)])).await;
    let before = files(&state);
    let path = state.path().to_owned();
    drop(state);
    for half in [
        ".new-1-1",
        "artifacts/.new-1-2",
        "documents/.new-1-3",
        "machine-code/.new-1-4",
    ] {
        fs::write(path.join(half), "half").unwrap();
    }
    let state = open(&folder);
    assert_eq!(files(&state), before);
}

#[tokio::test]
async fn what_cannot_be_written_is_written_when_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let metrics = StateMetrics::default();
    let state = NodeState::open(&folder.path().join("state"), metrics.clone()).unwrap();
    // A file where a folder has to be: nothing can be written below it, not even by root.
    let artifacts = state.path().join("artifacts");
    fs::remove_dir(&artifacts).unwrap();
    fs::write(&artifacts, "in the way").unwrap();
    keep(&state, set(1, &[("alpha", 1)])).await;
    assert!(state.last_good_set().is_none());
    assert_eq!(metrics.writable.get(), 0);
    assert!(metrics.write_failures.get() > 0);
    state.retry();
    state.settled().await;
    assert_eq!(metrics.writable.get(), 0);
    fs::remove_file(&artifacts).unwrap();
    state.retry();
    state.settled().await;
    assert_eq!(metrics.writable.get(), 1);
    assert_eq!(state.last_good_set().unwrap().set.revision, 1);
    assert_eq!(metrics.saved_revision.get(), 1);
}

#[tokio::test]
async fn a_set_whose_artifacts_are_not_here_is_kept_when_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let state = open(&folder);
    keep(&state, set(1, &[("alpha", 1)])).await;
    let (second, artifacts) = set(2, &[("alpha", 2), ("bravo", 1)]);
    state.keep(second);
    state.settled().await;
    let missing = state.missing_artifacts();
    assert_eq!(missing.len(), 2);
    assert!(
        artifacts
            .iter()
            .all(|artifact| missing.contains(artifact.reference()))
    );
    assert_eq!(
        state.last_good_set().unwrap().set.revision,
        1,
        "the set before stays"
    );
    for artifact in artifacts {
        state.keep_artifact(artifact);
    }
    state.settled().await;
    assert_eq!(state.missing_artifacts(), []);
    let restored = state.last_good_set().unwrap();
    assert_eq!(restored.set.revision, 2);
    assert!(restored.damaged.is_empty());
}

#[test]
fn digests_are_file_names_without_their_prefix() {
    let digest = Digest::of(b"");
    assert_eq!(format!("sha256:{}", digest.hexadecimal()), digest.to_string());
}
