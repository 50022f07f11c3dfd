//! Chunks and the names of artifacts; fetching is tested with the stores.

use super::*;

fn reference(size: u64) -> ArtifactRef {
    ArtifactRef::new(Digest::of(b""), size).unwrap()
}

#[test]
fn the_last_chunk_is_the_rest() {
    let chunk = CHUNK_BYTES as u64;
    for (size, chunks, last) in [
        (1, 1, 1),
        (chunk, 1, chunk),
        (chunk + 1, 2, 1),
        (12 * chunk, 12, chunk),
        (MAX_ARTIFACT_BYTES, 64, chunk),
    ] {
        let reference = reference(size);
        assert_eq!(reference.chunks(), chunks, "{size}");
        assert_eq!(reference.chunk_bytes(chunks - 1), last, "{size}");
        assert_eq!(reference.chunk_bytes(chunks), 0, "{size}");
    }
}

#[test]
fn chunks_put_together_are_the_artifact() {
    let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(2 * CHUNK_BYTES + 3).collect();
    let artifact = Artifact::new(bytes.clone()).unwrap();
    let together: Vec<u8> = artifact.chunks().flat_map(|(_, chunk)| chunk.to_vec()).collect();
    assert!(together == bytes);
    assert_eq!(artifact.reference().digest(), &Digest::of(&bytes));
}

#[test]
fn an_artifact_is_neither_empty_nor_too_large() {
    assert!(Artifact::new(Bytes::new()).is_err());
    for size in [0, MAX_ARTIFACT_BYTES + 1, u64::MAX] {
        let found = ArtifactRef::new(Digest::of(b""), size);
        assert_eq!(found, Err(ArtifactSizeError { found: size }));
    }
}

#[test]
fn a_number_of_chunks_that_does_not_fit_the_size_is_refused() {
    let json = serde_json::to_string(&reference(CHUNK_BYTES as u64 + 1)).unwrap();
    assert_eq!(serde_json::from_str::<ArtifactRef>(&json).unwrap().chunks(), 2);
    for (from, to) in [
        ("\"chunks\":2", "\"chunks\":1"),
        ("\"chunks\":2", "\"chunks\":65"),
        ("1048577", "0"),
        ("1048577", "67108865"),
    ] {
        let altered = json.replace(from, to);
        assert_ne!(altered, json);
        assert!(
            serde_json::from_str::<ArtifactRef>(&altered).is_err(),
            "{altered}"
        );
    }
}
