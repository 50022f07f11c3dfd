//! `wasi:random`: bytes that follow from the payment and the artifact, so that a decision can be run again bit for bit.

use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

use crate::digest::{Digest, Hasher};
use crate::sandbox::{EvaluationContext, HostCallLimit};

/// Bytes that a guest may ask for at a time. Seeding a hash table or a generator takes 16 to 64.
pub(crate) const MAX_BYTES: u64 = 4096;

/// Bytes of a payment's name that go into the seed: all of it, by the domain's bound on identifiers.
const MAX_SEED_TEXT_BYTES: usize = domain::identifier::MAX_IDENTIFIER_BYTES;

/// A generator (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014) that is seeded when
/// it is first used: few policies ever ask.
pub(crate) struct GuestRandom {
    text: [u8; MAX_SEED_TEXT_BYTES],
    length: usize,
    digest: Digest,
    state: Option<u64>,
}

impl GuestRandom {
    /// The bytes of this payment and this artifact.
    pub(crate) fn new(payment_id: &str, digest: &Digest) -> Self {
        let mut text = [0; MAX_SEED_TEXT_BYTES];
        let length = payment_id.len().min(MAX_SEED_TEXT_BYTES);
        if let (Some(seed), Some(name)) = (text.get_mut(..length), payment_id.as_bytes().get(..length)) {
            seed.copy_from_slice(name);
        }
        Self {
            text,
            length,
            digest: *digest,
            state: None,
        }
    }

    fn seed(&self) -> u64 {
        let mut hasher = Hasher::new();
        hasher.update(self.digest.as_bytes());
        hasher.update(self.text.get(..self.length).unwrap_or_default());
        let seed = hasher.finish();
        seed.as_bytes()
            .iter()
            .take(8)
            .fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
    }

    fn next(&mut self) -> u64 {
        let state = self
            .state
            .unwrap_or_else(|| self.seed())
            .wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.state = Some(state);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bytes(&mut self, count: u64) -> Result<Vec<u8>, HostCallLimit> {
        if count > MAX_BYTES {
            return Err(HostCallLimit::RandomBytes {
                max: MAX_BYTES,
                found: count,
            });
        }
        let count = usize::try_from(count).unwrap_or(0);
        let mut bytes = Vec::with_capacity(count.next_multiple_of(8));
        while bytes.len() < count {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(count);
        Ok(bytes)
    }
}

type Context<'a> = StoreContextMut<'a, EvaluationContext>;
type Linked<'a> = LinkerInstance<'a, EvaluationContext>;

fn bytes(mut cx: Context<'_>, (count,): (u64,)) -> wasmtime::Result<(Vec<u8>,)> {
    cx.data_mut().count_call()?;
    Ok((cx.data_mut().random().bytes(count)?,))
}

fn number(mut cx: Context<'_>, (): ()) -> wasmtime::Result<(u64,)> {
    cx.data_mut().count_call()?;
    Ok((cx.data_mut().random().next(),))
}

/// `wasi:random/random`
pub(super) fn random(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap("get-random-bytes", bytes)?;
    linked.func_wrap("get-random-u64", number)?;
    Ok(&["get-random-bytes", "get-random-u64"])
}

/// `wasi:random/insecure`
pub(super) fn insecure(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap("get-insecure-random-bytes", bytes)?;
    linked.func_wrap("get-insecure-random-u64", number)?;
    Ok(&["get-insecure-random-bytes", "get-insecure-random-u64"])
}

/// `wasi:random/insecure-seed`
pub(super) fn insecure_seed(linked: &mut Linked<'_>) -> wasmtime::Result<&'static [&'static str]> {
    linked.func_wrap("insecure-seed", |mut cx: Context<'_>, (): ()| {
        cx.data_mut().count_call()?;
        let random = cx.data_mut().random();
        Ok(((random.next(), random.next()),))
    })?;
    Ok(&["insecure-seed"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_repeat_for_the_same_payment_and_artifact_and_differ_for_others() {
        let digest = Digest::of(b"artifact");
        let draw = |payment: &str, digest: &Digest| GuestRandom::new(payment, digest).bytes(100).unwrap();
        assert_eq!(draw("pay_1", &digest), draw("pay_1", &digest));
        assert_ne!(draw("pay_1", &digest), draw("pay_2", &digest));
        assert_ne!(draw("pay_1", &digest), draw("pay_1", &Digest::of(b"another")));
        assert_eq!(draw("pay_1", &digest).len(), 100);
    }

    #[test]
    fn a_request_beyond_the_bound_is_refused() {
        let mut random = GuestRandom::new("pay_1", &Digest::of(b""));
        assert!(random.bytes(MAX_BYTES).is_ok());
        assert!(random.bytes(MAX_BYTES + 1).is_err());
        assert!(random.bytes(u64::MAX).is_err());
    }
}
