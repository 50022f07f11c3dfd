//! Telling requests apart without keeping them.

use super::RequestDigest;

/// Makes the keyed digest that stands for a request.
pub trait RequestDigester: Send + Sync {
    /// The same for the same parts under the same key, in any process of this installation; another for parts that are cut
    /// otherwise. Nobody without the key can try bodies.
    fn digest(&self, parts: &[&[u8]]) -> RequestDigest;
}
