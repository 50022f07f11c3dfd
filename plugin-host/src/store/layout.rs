//! The names of things in a store: keys of etcd, and the same as paths below a folder.

use crate::digest::Digest;
use crate::document::PolicyName;
use crate::node_status::NodeId;

/// Where keys begin in an etcd that is shared with others.
pub const DEFAULT_PREFIX: &str = "/portcullis/v1";

/// The longest prefix, in bytes.
pub const MAX_PREFIX_BYTES: usize = 256;

/// Below it: one document per policy.
pub const POLICIES: &str = "policies";
/// Below it: every document that was ever in force, by policy and sequence.
pub const HISTORY: &str = "policies-history";
/// Below it: chunks, by digest and number.
pub const ARTIFACTS: &str = "artifacts";
/// Below it: what each node runs.
pub const NODES: &str = "nodes";

/// Keys below a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    prefix: String,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            prefix: DEFAULT_PREFIX.to_owned(),
        }
    }
}

/// A prefix that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "found prefix `{found}`, expected `/` and names of `A-Z a-z 0-9 _ - .` between single slashes, at most {MAX_PREFIX_BYTES} bytes"
)]
pub struct PrefixError {
    /// What was given.
    pub found: String,
}

impl Layout {
    /// Keys below this prefix, such as `/portcullis/v1`.
    ///
    /// # Errors
    /// When it is too long, or is not names with a slash before each.
    pub fn new(prefix: &str) -> Result<Self, PrefixError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let named = prefix.strip_prefix('/').is_some_and(|names| {
            names
                .split('/')
                .all(|name| !name.is_empty() && name.bytes().all(plain))
        });
        if named && prefix.len() <= MAX_PREFIX_BYTES {
            Ok(Self {
                prefix: prefix.to_owned(),
            })
        } else {
            Err(PrefixError {
                found: prefix.chars().take(MAX_PREFIX_BYTES).collect(),
            })
        }
    }

    /// The prefix.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What every document's key begins with; the rest is the name.
    #[must_use]
    pub fn policies(&self) -> String {
        format!("{}/{POLICIES}/", self.prefix)
    }

    /// The key of a policy's document.
    #[must_use]
    pub fn policy(&self, name: &PolicyName) -> String {
        format!("{}/{POLICIES}/{name}", self.prefix)
    }

    /// What every key of any history begins with; the rest is the name, a slash and the sequence.
    #[must_use]
    pub fn all_histories(&self) -> String {
        format!("{}/{HISTORY}/", self.prefix)
    }

    /// What every key of a policy's history begins with; the rest is the sequence.
    #[must_use]
    pub fn histories(&self, name: &PolicyName) -> String {
        format!("{}/{HISTORY}/{name}/", self.prefix)
    }

    /// The key of one document in a policy's history.
    #[must_use]
    pub fn history(&self, name: &PolicyName, sequence: u64) -> String {
        format!("{}/{HISTORY}/{name}/{sequence}", self.prefix)
    }

    /// What every chunk's key begins with; the rest is the digest, a slash and the number.
    #[must_use]
    pub fn artifacts(&self) -> String {
        format!("{}/{ARTIFACTS}/", self.prefix)
    }

    /// What the key of every chunk of an artifact begins with; the rest is the number.
    #[must_use]
    pub fn artifact(&self, digest: &Digest) -> String {
        format!("{}/{ARTIFACTS}/{digest}/", self.prefix)
    }

    /// The key of a chunk.
    #[must_use]
    pub fn chunk(&self, digest: &Digest, index: u32) -> String {
        format!("{}/{ARTIFACTS}/{digest}/{}", self.prefix, chunk_name(index))
    }

    /// What every node's key begins with; the rest is its id.
    #[must_use]
    pub fn nodes(&self) -> String {
        format!("{}/{NODES}/", self.prefix)
    }

    /// The key of a node.
    #[must_use]
    pub fn node(&self, node: &NodeId) -> String {
        format!("{}/{NODES}/{node}", self.prefix)
    }
}

/// The last part of a chunk's key: its number in six digits, so that keys sort as the bytes do.
#[must_use]
pub fn chunk_name(index: u32) -> String {
    format!("{index:06}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_design() {
        let layout = Layout::default();
        let name = PolicyName::parse("velocity-limit").unwrap();
        let digest = Digest::of(b"");
        let node = NodeId::parse("gateway-1").unwrap();
        assert_eq!(layout.policy(&name), "/portcullis/v1/policies/velocity-limit");
        assert_eq!(
            layout.history(&name, 7),
            "/portcullis/v1/policies-history/velocity-limit/7"
        );
        assert_eq!(
            layout.chunk(&digest, 3),
            format!("/portcullis/v1/artifacts/{digest}/000003")
        );
        assert_eq!(layout.node(&node), "/portcullis/v1/nodes/gateway-1");
        assert!(layout.policy(&name).starts_with(&layout.policies()));
        assert!(!layout.history(&name, 7).starts_with(&layout.policies()));
    }

    #[test]
    fn a_prefix_is_names_with_a_slash_before_each() {
        assert_eq!(Layout::new("/a/b-1.x").unwrap().prefix(), "/a/b-1.x");
        for bad in [
            "",
            "/",
            "a",
            "/a/",
            "//a",
            "/a//b",
            "/a b",
            "/é",
            &"/a".repeat(129),
        ] {
            assert!(Layout::new(bad).is_err(), "{bad:?}");
        }
    }
}
