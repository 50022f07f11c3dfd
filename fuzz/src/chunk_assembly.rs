//! Putting an artifact together from a store that lies.
//!
//! The input is a script: what the document states, and what the store answers to each question for a chunk. Bytes may come
//! out only where size and digest are those of the document, and memory is bounded by the size that it states.
//!
//! | bytes | |
//! |---|---|
//! | 0 to 2 | the artifact's size, little-endian, up to three chunks |
//! | 3 | how far the stated size is off, as a signed byte |
//! | 4 | whether the stated digest is the artifact's: 0 is yes |
//! | 5 to 8 | one answer for each chunk (see `Answer`); what is not there is right |
//! | the rest | what the artifact is filled with |

use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use portcullis_plugin_host::artifact::{self, ArtifactRef, CHUNK_BYTES};
use portcullis_plugin_host::digest::Digest;
use portcullis_plugin_host::document::PolicyName;
use portcullis_plugin_host::node_status::NodeId;
use portcullis_plugin_host::store::{
    PolicyStore, PolicyWatch, StoreError, StoreListing, StoredDocument, Transaction,
};

/// Three chunks, the last of them short: every kind of chunk there is, and still thousands of runs a second for small ones.
const MAX_SIZE: u32 = 2 * 1024 * 1024 + 4_096;

/// What the store answers to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Right,
    Missing,
    OneByteShort,
    OneByteLong,
    Empty,
    OfAnotherChunk,
    OneBitOff,
    Unavailable,
    TwiceAsLong,
}

impl Answer {
    const ALL: [Self; 9] = [
        Self::Right,
        Self::Missing,
        Self::OneByteShort,
        Self::OneByteLong,
        Self::Empty,
        Self::OfAnotherChunk,
        Self::OneBitOff,
        Self::Unavailable,
        Self::TwiceAsLong,
    ];

    fn of(byte: u8) -> Self {
        let index = usize::from(byte) % Self::ALL.len();
        Self::ALL.get(index).copied().unwrap_or(Self::Right)
    }
}

/// Fetches what the script says from a store that does what the script says.
pub fn run(data: &[u8]) {
    let byte = |index: usize| data.get(index).copied().unwrap_or(0);
    let size = 1 + u32::from_le_bytes([byte(0), byte(1), byte(2), 0]) % MAX_SIZE;
    let filling = data.get(9..).filter(|rest| !rest.is_empty()).unwrap_or(&[0]);
    let bytes: Vec<u8> = filling.iter().copied().cycle().take(size as usize).collect();

    let mut digest = *Digest::of(&bytes).as_bytes();
    digest.iter_mut().for_each(|part| *part ^= byte(4));
    let digest = Digest::from_bytes(digest);
    let off = i64::from(i8::from_le_bytes([byte(3)]));
    let stated = u64::try_from(i64::from(size) + off).unwrap_or(0);
    let Ok(reference) = ArtifactRef::new(digest, stated) else {
        assert_eq!(stated, 0, "only an empty artifact is none");
        return;
    };

    let store = LyingStore {
        bytes: Bytes::from(bytes),
        answers: [byte(5), byte(6), byte(7), byte(8)].map(Answer::of),
        asked: Mutex::default(),
    };
    let fetched = ready(artifact::fetch(&store, &reference));
    check(&store, &reference, fetched.map_err(|error| error.code()));
}

fn check(store: &LyingStore, reference: &ArtifactRef, fetched: Result<Vec<u8>, &'static str>) {
    let asked = store.asked.lock().map(|asked| asked.clone()).unwrap_or_default();
    assert!(
        asked
            .iter()
            .copied()
            .eq((0..reference.chunks()).take(asked.len())),
        "in order, each once: {asked:?}"
    );
    let honest = store.is_honest(reference);
    match fetched {
        Ok(bytes) => {
            assert_eq!(bytes.len() as u64, reference.size());
            assert_eq!(Digest::of(&bytes), *reference.digest());
            assert!(bytes.capacity() as u64 <= reference.size(), "no more than stated");
            assert!(honest, "taken from a store that lied");
        }
        Err(code) => assert!(!honest, "refused from a store that did not lie: {code}"),
    }
}

/// Runs a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

struct LyingStore {
    bytes: Bytes,
    answers: [Answer; 4],
    asked: Mutex<Vec<u32>>,
}

impl LyingStore {
    /// A chunk as it should be.
    fn right(&self, index: u32) -> Bytes {
        let start = (index as usize * CHUNK_BYTES).min(self.bytes.len());
        let end = (start + CHUNK_BYTES).min(self.bytes.len());
        self.bytes.slice(start..end)
    }

    fn answer(&self, index: u32) -> Answer {
        self.answers.get(index as usize).copied().unwrap_or(Answer::Right)
    }

    /// The chunk that the store gives, if it gives one.
    fn given(&self, index: u32) -> Option<Bytes> {
        let right = self.right(index);
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = right.to_vec();
            change(&mut bytes);
            Some(Bytes::from(bytes))
        };
        match self.answer(index) {
            Answer::Right => Some(right),
            Answer::Missing | Answer::Unavailable => None,
            Answer::OneByteShort => with(&|bytes| bytes.truncate(bytes.len().saturating_sub(1))),
            Answer::OneByteLong => with(&|bytes| bytes.push(0)),
            Answer::Empty => Some(Bytes::new()),
            Answer::OfAnotherChunk => Some(self.right(u32::from(index == 0))),
            Answer::OneBitOff => with(&|bytes| {
                if let Some(byte) = bytes.last_mut() {
                    *byte ^= 1;
                }
            }),
            Answer::TwiceAsLong => with(&|bytes| bytes.extend_from_within(..)),
        }
    }

    /// Whether what it gives is, put together, what the document names.
    fn is_honest(&self, reference: &ArtifactRef) -> bool {
        let given: Option<Vec<Bytes>> = (0..reference.chunks()).map(|index| self.given(index)).collect();
        given.is_some_and(|chunks| {
            let sizes = chunks.split_last().is_some_and(|(last, before)| {
                !last.is_empty() && before.iter().all(|chunk| chunk.len() == CHUNK_BYTES)
            });
            let together = chunks.concat();
            sizes && together.len() as u64 == reference.size() && Digest::of(&together) == *reference.digest()
        })
    }
}

fn not_asked_for<T>() -> Result<T, StoreError> {
    Err(StoreError::Invalid {
        detail: "this store holds one artifact and nothing else".to_owned(),
    })
}

#[async_trait]
impl PolicyStore for LyingStore {
    async fn chunk(&self, _digest: &Digest, index: u32) -> Result<Option<Bytes>, StoreError> {
        if let Ok(mut asked) = self.asked.lock() {
            asked.push(index);
        }
        if self.answer(index) == Answer::Unavailable {
            return Err(StoreError::Unavailable {
                store: self.describe(),
                detail: "told to".to_owned(),
            });
        }
        Ok(self.given(index))
    }

    async fn list(&self) -> Result<StoreListing, StoreError> {
        not_asked_for()
    }

    async fn get(&self, _name: &PolicyName) -> Result<Option<StoredDocument>, StoreError> {
        not_asked_for()
    }

    async fn last_sequence(&self, _name: &PolicyName) -> Result<u64, StoreError> {
        not_asked_for()
    }

    async fn watch(&self, _after: u64) -> Result<Box<dyn PolicyWatch>, StoreError> {
        not_asked_for()
    }

    async fn put(&self, _transaction: Transaction) -> Result<u64, StoreError> {
        not_asked_for()
    }

    async fn report(&self, _node: &NodeId, _status: &[u8]) -> Result<(), StoreError> {
        not_asked_for()
    }

    async fn nodes(&self) -> Result<Vec<(String, Bytes)>, StoreError> {
        not_asked_for()
    }

    fn describe(&self) -> String {
        "a store that lies".to_owned()
    }
}
